"""What policies of one's own may answer, and what they must be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import inf
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from scheduler.policy.backfill import Committed, HeadOnly, Planned
from scheduler.policy.changing import Changing
from scheduler.policy.errors import PolicyError
from scheduler.policy.first import OWNED, RENTED, KeepFree


class AllowedAnswer(NamedTuple):
    """What may be answered, and the words for it."""

    allows: Callable[[Any], bool]
    allowed: str


def _number(value: Any, least: float = -inf) -> bool:
    if not isinstance(value, Real | np.bool_):
        return False
    try:  # NaN is above nothing
        return least <= float(value)
    except OverflowError:
        return False


def _seconds(value: Any) -> bool:
    return _number(value, 0)


def _later(value: Any) -> bool:
    return _number(value) and value > 0


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _position(value: Any) -> bool:
    return _number(value) and value == int(value)


def _place_first(value: Any) -> bool:
    return isinstance(value, str) and value in (OWNED, RENTED)


_NUMBER = AllowedAnswer(_number, "a number, not NaN")
_LATER = AllowedAnswer(_later, "above 0 seconds, infinite for never")
_YES_OR_NO = AllowedAnswer(_yes_or_no, "True or False")

ALLOWED_ANSWERS = {
    "order": _NUMBER,
    "first": AllowedAnswer(_place_first, f'"{OWNED}" or "{RENTED}"'),
    "place": AllowedAnswer(_position, "a position in `free`, or -1"),
    "patience": AllowedAnswer(_seconds, "seconds, 0 or more, infinite for never"),
    "offer": _NUMBER,
    "preempt": _YES_OR_NO,
    "repatriate": _YES_OR_NO,
    "level": _NUMBER,
    "turns_s": _LATER,
    "decides_s": _LATER,
    "reconsiders": _YES_OR_NO,
    "again_s": _LATER,
}
"""By seam, and by what a policy may be able to do besides."""

ASKED_ABOUT = {
    "order": ("job", "view"),
    "first": ("job", "view"),
    "place": ("job", "devices", "free"),
    "patience": ("job", "view"),
    "offer": ("job", "offer"),
    "preempt": ("waiting", "running", "level"),
    "repatriate": ("job", "offer"),
}
"""What a policy of a seam is asked about, where it is a function."""

_OTHERS: dict[str, tuple[type[Any], ...]] = {
    "first": (KeepFree,),
    "backfill": (HeadOnly, Planned, Committed),
}


def check_kind(policy: Any, seam: str) -> None:
    """Raise PolicyError where that is no policy of the seam, or is not asked about what the seam asks."""
    if isinstance(policy, _OTHERS.get(seam, ())):
        return
    if seam == "order" and isinstance(policy, Changing):
        _check_arguments(policy.keys, f"{seam}: keys", ("jobs", "view"))
    elif seam in ASKED_ABOUT and callable(policy):
        _check_arguments(policy, seam, ASKED_ABOUT[seam])
    else:
        kinds = [f"a function ({', '.join(ASKED_ABOUT[seam])})"] if seam in ASKED_ABOUT else []
        kinds += [kind.__name__ for kind in _OTHERS.get(seam, ())]
        raise PolicyError(f"policy.{seam}: makes {policy!r:.80}; must make {' or '.join(kinds)}")


def _check_arguments(function: Callable[..., Any], what: str, asked: tuple[str, ...]) -> None:
    try:
        signature = inspect.signature(function)
    except ValueError:  # written in another language
        return
    try:
        signature.bind(*asked)
    except TypeError:
        raise PolicyError(f"policy.{what}: takes {signature}; must take ({', '.join(asked)})") from None
