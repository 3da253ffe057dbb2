"""The power of a site under its cap: what the gangs on its pools draw beyond idle devices.

It is counted in whole units, so that sums are exact. To a backfill it is one more pod, whose `free` units a
gang takes beside its devices, so that reservations count power as they count devices.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from math import inf
from typing import NamedTuple, Protocol

from simpy import Environment

from scheduler.policy.profiles import Profile

_NOBODY = -1
"""Stands for the turn of a gang where a curtailment frees or takes."""


class Drawing(Protocol):
    """A gang, as power sees it."""

    turn: int
    release_s: int
    """Its estimated end."""


class Curtailment(NamedTuple):
    """From one second to another the site has so many units less, as is known from `known_s` on."""

    known_s: int
    from_s: int
    to_s: int
    less: int


class Power:
    """What is left of `most` units; those of a curtailment are taken and given back as it begins and ends."""

    __slots__ = ("_clock", "_drawn", "curtailments", "free", "most", "stops")
    ends_by_s = inf
    """It stays, as pods do that never leave."""

    def __init__(
        self,
        clock: Environment,
        most: int,
        curtailments: Sequence[Curtailment] = (),
        *,
        stops: bool = False,
    ) -> None:
        self._clock = clock
        self.most = self.free = most
        self.curtailments = curtailments
        self.stops = stops
        """Gangs are stopped as a curtailment begins, until the others keep to it."""
        self._drawn: list[tuple[int, int, int]] = []

    @property
    def releases(self) -> list[tuple[int, int, int]]:
        """(second, turn, units), ascending: when those that are not free should be, and when some go."""
        now_s = self._clock.now
        known = [each for each in self.curtailments if each.known_s <= now_s < each.to_s]
        if not known:
            return self._drawn
        goes = [(each.from_s, _NOBODY, -each.less) for each in known if now_s < each.from_s]
        return sorted([*self._drawn, *goes, *((each.to_s, _NOBODY, each.less) for each in known)])

    def lasts_s(self, units: int) -> float:
        """Return the longest run that may draw so many units from now on; 0 if they are not there."""
        if units > self.free:
            return 0
        if not self.curtailments:
            return inf
        now_s = int(self._clock.now)
        return Profile(self, now_s).below(units, now_s) - now_s

    def limit_s(self, at_s: float) -> float:
        """Return the longest run that may start at an instant, by when it leaves: never."""
        return inf

    def take(self, gang: Drawing, units: int) -> None:
        """Let a gang, whose `release_s` is known, draw."""
        self.free -= units
        insort(self._drawn, (gang.release_s, gang.turn, units))

    def release(self, gang: Drawing, units: int) -> None:
        """Let a gang draw no more."""
        self.free += units
        del self._drawn[bisect_left(self._drawn, (gang.release_s, gang.turn, units))]

    def move(self, gang: Drawing, units: int, before_s: int) -> None:
        """Expect the end of a gang at its `release_s`, which was another one before."""
        del self._drawn[bisect_left(self._drawn, (before_s, gang.turn, units))]
        insort(self._drawn, (gang.release_s, gang.turn, units))


class PoolPower(NamedTuple):
    """The power of a pool's site, and how many units of it a device draws when it is held."""

    power: Power
    by_device: int
