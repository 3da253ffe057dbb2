"""Compact names of policies: `easy+after:4h` is EASY backfill with bursts after four hours.

The parts, joined by `+`, are found by name among those of all seams and the bounds, `owned_only` and its
like; what no part says stays as the scenario has it. Where two seams share a name, `order=NAME` says which.
One's own stand in a file, relative to the working directory: `./mine.py:widest`, `order=./mine.py:widest:5`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from scheduler.policy import SEAMS, installed, own_seam, resolve
from scheduler.policy.errors import PolicyError
from scheduler.policy.files import beside, in_file
from scheduler.scenario import BOUNDS, Scenario
from traces.errors import ALIKE, nearest

BOUND = "bound"
BOUND_NAMES = tuple(name for name in BOUNDS if name != "none")
"""The bounds that are named like policies; the name `none` is that of a backfill."""

Choices = Mapping[str, str]
"""A policy for some of the seams, and `bound` where one is chosen."""


def parse_policy(spec: str) -> dict[str, str]:
    """Return what a compact name chooses: `{"backfill": "easy", "patience": "after:4h"}`.

    Raises PolicyError for an unknown, ambiguous or wrong part, and for two parts of one seam.
    """
    chosen: dict[str, str] = {}
    for part in spec.split("+"):
        try:
            seam, choice = _choice(part.strip())
        except PolicyError as error:
            raise PolicyError(f'policy "{spec}": {error}') from None
        if seam in chosen:
            raise PolicyError(f'policy "{spec}": "{chosen[seam]}" and "{choice}" are both {_article(seam)}')
        chosen[seam] = choice
    return chosen


def with_policy(scenario: Scenario, chosen: Choices) -> Scenario:
    """Return the scenario under the chosen policies and bound; its own stay where none is chosen.

    Raises PolicyError for a seam that there is not, or a policy that is not one of its seam's.
    """
    for seam, choice in chosen.items():
        _checked(seam, choice)
    seams = {seam: choice for seam, choice in chosen.items() if seam != BOUND}
    bound = chosen.get(BOUND, scenario.bound)
    return replace(scenario, policy=replace(scenario.policy, **seams), bound=bound)


def _choice(part: str) -> tuple[str, str]:
    """Return a part's seam and what it chooses there."""
    seam, equals, choice = part.partition("=")
    if equals:
        return _checked(seam.strip(), beside(choice.strip(), Path()))
    if in_file(part) is not None:
        own = beside(part, Path())
        return _checked(own_seam(own), own)
    name = part.partition(":")[0]
    seams = [seam for seam in (*SEAMS, BOUND) if name in _names(seam)]
    if len(seams) > 1:
        raise PolicyError(f'"{name}" is a name of {" and ".join(seams)}; say which, as in {seams[0]}={part}')
    if not seams:
        known = [name for seam in (*SEAMS, BOUND) for name in _names(seam)]
        hint = nearest(name, known, ALIKE)
        raise PolicyError(f'"{part}" is unknown{hint} (allowed: {", ".join(known)})')
    return _checked(seams[0], part)


def _checked(seam: str, choice: str) -> tuple[str, str]:
    if seam == BOUND:
        if choice not in BOUNDS:
            raise PolicyError(f'bound "{choice}": allowed are {", ".join(BOUNDS)}')
    elif seam in SEAMS:
        resolve(seam, choice)
    else:
        hint = nearest(seam, (*SEAMS, BOUND), ALIKE)
        raise PolicyError(f'unknown seam "{seam}"{hint} (allowed: {", ".join((*SEAMS, BOUND))})')
    return seam, choice


def _names(seam: str) -> Iterator[str]:
    """Ours, and those of installed packages."""
    if seam == BOUND:
        yield from BOUND_NAMES
        return
    yield from SEAMS[seam]
    yield from installed(seam)


def _article(seam: str) -> str:
    return f"{'an' if seam[0] in 'aeiou' else 'a'} {seam}"
