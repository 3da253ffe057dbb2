"""The weather as it comes: one timer tells of everything that goes wrong, and is mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

from scheduler.engine.storm.handle import Handle


class Outage(NamedTuple):
    """Something is wrong somewhere for a while, as in a row of the weather, but in seconds of the trace.

    A resource is a pool or an offer, numbered in that order; of an offer, `pod` has no meaning.
    """

    from_s: int
    to_s: int
    resource: int
    pod: int
    first: int
    devices: int
    what: str
    notice_s: int
    expected_s: int
    value: float


class Phase(IntEnum):
    """What happens to an outage; at one instant in this order."""

    ENDS = 0
    ANNOUNCED = 1
    BEGINS = 2


class Outages:
    """Calls `tell` for each phase of each outage, in order of time."""

    def __init__(self, run: Handle, outages: Sequence[Outage], tell: Callable[[Outage, Phase], None]) -> None:
        self._run, self._tell, self._outages = run, tell, outages
        now_s = int(run.env.now)
        self._changes = sorted(
            change
            for at, outage in enumerate(outages)
            for change in (
                (max(now_s, outage.from_s - outage.notice_s), Phase.ANNOUNCED, at),
                (outage.from_s, Phase.BEGINS, at),
                (outage.to_s, Phase.ENDS, at),
            )
        )
        self._next = 0
        self._arm()

    def _arm(self) -> None:
        if self._next < len(self._changes):
            self._run.later(self._changes[self._next][0] - int(self._run.env.now), self._ring)

    def _ring(self) -> None:
        while self._next < len(self._changes) and self._changes[self._next][0] == self._run.now_s:
            _, phase, outage = self._changes[self._next]
            self._next += 1
            self._tell(self._outages[outage], phase)
        self._arm()
