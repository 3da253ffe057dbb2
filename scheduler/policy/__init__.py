"""Policies: pure functions put together by name.

`Policy.build` takes the names as a scenario gives them, each optionally with one argument after a colon:
`"fcfs"`, `"after:4h"`, `"conservative:50"`. A user's own are found as entry points in the groups
`exaburst.order`, `exaburst.first`, `exaburst.place`, `exaburst.backfill`, `exaburst.patience`,
`exaburst.offer`, `exaburst.preempt` and `exaburst.repatriate`; like ours, an entry is a function, or a class,
of at most one argument that returns the policy. So is what stands in a file, `"./mine.py:widest"`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.policy.abilities import AsksAgain, Decides, Leveled, Rations, Reconsiders, TurnsLevel
from scheduler.policy.backfill import BACKFILLS, Backfill
from scheduler.policy.burst import OFFERS, PATIENCES, OfferScore, Patience
from scheduler.policy.changing import Changing
from scheduler.policy.errors import PolicyError
from scheduler.policy.files import in_file, made_in, seam_said, seam_seen
from scheduler.policy.first import FIRSTS, First
from scheduler.policy.guard import Blamed, guarded
from scheduler.policy.guarded_backfill import guarded_backfill
from scheduler.policy.order import ORDERS, Order
from scheduler.policy.place import PLACES, Place
from scheduler.policy.preempt import PREEMPTS, Preempt
from scheduler.policy.repatriate import REPATRIATIONS, Repatriate
from traces.errors import ALIKE, nearest
from traces.times import parse_seconds

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

SEAMS: dict[str, Mapping[str, Callable[..., Any]]] = {
    "order": ORDERS,
    "first": FIRSTS,
    "place": PLACES,
    "backfill": BACKFILLS,
    "patience": PATIENCES,
    "offer": OFFERS,
    "preempt": PREEMPTS,
    "repatriate": REPATRIATIONS,
}


class Abilities(NamedTuple):
    """Optional abilities of policies, each as the Protocol of its name says it; None where it is absent."""

    level: Callable[[Any], float] | None
    turns_s: Callable[[Any, int], float] | None
    decides_s: Callable[[Any, Any], float] | None
    reconsiders: Callable[[Any, Any], bool] | None
    again_s: Callable[[Any, Any], float] | None
    rations: bool

    @property
    def ask_again(self) -> bool:
        """Whether jobs may change offers, or take one later, without anything else changing."""
        return self.decides_s is not None or self.reconsiders is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One function a seam; None where nobody may pass, give way or come home."""

    order: Order | Changing
    first: First | None
    place: Place
    backfill: Backfill | None
    patience: Patience
    offer: OfferScore
    preempt: Preempt | None
    repatriate: Repatriate | None

    @property
    def abilities(self) -> Abilities:
        """What its order, its patience and its score of offers can say beyond what every policy says."""
        order, offer, patience = self.order, self.offer, self.patience
        return Abilities(
            order.level if isinstance(order, Leveled) else None,
            order.turns_s if isinstance(order, TurnsLevel) else None,
            offer.decides_s if isinstance(offer, Decides) else None,
            offer.reconsiders if isinstance(offer, Reconsiders) else None,
            patience.again_s if isinstance(patience, AsksAgain) else None,
            isinstance(patience, Rations) and patience.rations,
        )

    @classmethod
    def build(cls, **specs: str) -> Policy:
        """Resolve one spec a seam; raises PolicyError."""
        return cls(**{seam: resolve(seam, spec) for seam, spec in specs.items()})


def resolve(seam: str, spec: str) -> Any:
    """Return the policy function that `spec`, a name with an optional `:argument`, stands for.

    In place of the name may be that of a file and of what makes the policy there, `./mine.py:widest`.
    """
    found = in_file(spec)
    if found is None:
        name, colon, text = spec.partition(":")
        argument = text if colon else None
        make = SEAMS[seam].get(name) or _entry_point(seam, name)
    else:
        name, argument = found.name, found.argument
        make = made_in(found)
    if found is None and name in SEAMS[seam]:
        return _made(seam, spec, make, argument)
    where = name if found is None else found.where
    policy = guarded(_own(seam, spec, make, argument, where), seam, where)
    return guarded_backfill(policy, where) if seam == "backfill" else policy


def _own(seam: str, spec: str, make: Callable[..., Any], argument: str | None, where: str) -> Any:
    """Return a policy that is not ours; raises PolicyError whatever goes wrong."""
    needed = [each for each in _parameters(make) if each.default is inspect.Parameter.empty]
    if len(needed) > 1 and all(each.kind is each.POSITIONAL_OR_KEYWORD for each in needed):
        names = ", ".join(each.name for each in needed)
        raise PolicyError(
            f"{where}: takes ({names}); must make a policy of at most one argument, and return it"
        )
    with Blamed(where):
        return _made(seam, spec, make, argument)


def own_seam(spec: str) -> str:
    """Return the seam of a policy in a file: its name's, or what it is said to be, or what it is."""
    found = in_file(spec)
    assert found is not None
    if found.name in SEAMS:
        return found.name
    return seam_said(found) or seam_seen(_own("order", spec, made_in(found), found.argument, found.where))


def _made(seam: str, spec: str, make: Callable[..., Any], argument: str | None) -> Any:
    """Return what `make` makes of an argument, None for none."""
    name = spec.removesuffix(f":{argument}")
    parameters = _parameters(make)
    if argument is None:
        if parameters and parameters[0].default is inspect.Parameter.empty:
            raise PolicyError(
                f'{seam} "{spec}": needs an argument, as in "{name}:{_EXAMPLES[_kind(parameters[0])]}"'
            )
        return make()
    if not parameters:
        raise PolicyError(f'{seam} "{spec}": takes no argument')
    value = _parse(seam, spec, argument, _kind(parameters[0]))
    try:
        return make(value)
    except ValueError as error:
        raise PolicyError(f'{seam} "{spec}": {error}') from None


def _parameters(make: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(make).parameters.values())
    except ValueError:  # written in another language
        return []


_EXAMPLES = {"Seconds": "4h", "float": "0.5", "int": "10", "Thresholds": "1,8,64", "UsdPerWeek": "5000"}


def _kind(parameter: inspect.Parameter) -> str:
    kind = str(getattr(parameter.annotation, "__name__", parameter.annotation))
    return kind if kind in _EXAMPLES else "float"


def _parse(seam: str, spec: str, argument: str, kind: str) -> float | tuple[float, ...]:
    if kind == "Thresholds":
        return _ascending(seam, spec, argument)
    try:
        value = parse_seconds(argument) if kind == "Seconds" else float(argument.removesuffix(_unit(kind)))
    except ValueError:
        value = -1
    if not 0 <= value < inf or (kind == "int" and value != int(value)):
        allowed = {
            "Seconds": "0 or more seconds, or a number with s, m, h, d or y",
            "float": "a number, 0 or more",
            "int": "a whole number, 0 or more",
            "UsdPerWeek": "USD, 0 or more, with or without /week",
        }[kind]
        raise PolicyError(f'{seam} "{spec}": the argument must be {allowed}')
    return int(value) if kind == "int" else value


def _unit(kind: str) -> str:
    return "/week" if kind == "UsdPerWeek" else ""


def _ascending(seam: str, spec: str, argument: str) -> tuple[float, ...]:
    try:
        values = tuple(map(float, argument.split(",")))
    except ValueError:
        values = (-1.0,)
    if not all(low < high for low, high in pairwise((-1e-300, *values, inf))):
        allowed = "a number, 0 or more, or several that ascend, as in 1,8,64"
        raise PolicyError(f'{seam} "{spec}": the argument must be {allowed}')
    return values


def installed(seam: str) -> dict[str, EntryPoint]:
    """Return the policies of a seam that installed packages bring, by name."""
    return _entry_points(tuple((folder, _changed(folder)) for folder in sys.path))[seam]


@cache
def _entry_points(_folders: tuple[tuple[str, float], ...]) -> dict[str, dict[str, EntryPoint]]:
    """Look through all that is installed, which is slow, once as long as those folders do not change."""
    from importlib.metadata import entry_points

    found = entry_points()
    return {seam: {entry.name: entry for entry in found.select(group=f"exaburst.{seam}")} for seam in SEAMS}


def _changed(folder: str) -> float:
    with suppress(OSError):
        return Path(folder or ".").stat().st_mtime
    return 0.0


def _entry_point(seam: str, name: str) -> Callable[..., Any]:
    if name in (ours := installed(seam)):
        make: Callable[..., Any] = ours[name].load()
        return make
    hint = nearest(name, SEAMS[seam], ALIKE)
    raise PolicyError(f'{seam} "{name}": unknown{hint} (allowed: {", ".join(SEAMS[seam])})')
