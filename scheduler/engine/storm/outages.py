"""The weather as it comes: one timer tells of everything that goes wrong, and is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from scheduler.engine.storm.handle import Handle
from traces.arrays import Array, Bools, Floats, Ints


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


_Coming = tuple[int, Phase, int]
"""When, which phase, and the number of the outage."""


class OutageTable(NamedTuple):
    """Outages in columns: one is made a row when it is told, as most may come after the run has ended."""

    from_s: Ints
    to_s: Ints
    resource: Ints
    pod: Ints
    first: Ints
    devices: Ints
    what: Array
    notice_s: Ints
    expected_s: Ints
    value: Floats

    @classmethod
    def of(cls, rows: Sequence[Outage]) -> OutageTable:
        """Return rows in columns."""
        types = {"what": object, "value": float}
        columns = zip(*rows, strict=True) if rows else ((),) * len(cls._fields)
        named = zip(cls._fields, columns, strict=True)
        return cls(*[np.array(column, types.get(name, np.int64)) for name, column in named])

    def row(self, at: int) -> Outage:
        """Return one of them."""
        return Outage._make(column.item(at) for column in self)

    def at(self, resource: int) -> list[Outage]:
        """Return those of a resource."""
        return [self.row(at) for at in np.flatnonzero(self.resource == resource).tolist()]

    def where(self, rows: Bools) -> OutageTable:
        """Return some of them."""
        return OutageTable._make(column[rows] for column in self)

    def then(self, others: OutageTable) -> OutageTable:
        """Return these and others after them."""
        return OutageTable._make(np.concatenate(pair) for pair in zip(self, others, strict=True))

    def phases(self, now_s: int) -> Iterator[_Coming]:
        """Yield all that happens, in order; what was to be announced before `now_s` is so then."""
        count = len(self.from_s)
        time_s = np.concatenate([self.to_s, np.maximum(now_s, self.from_s - self.notice_s), self.from_s])
        phase = np.repeat([Phase.ENDS, Phase.ANNOUNCED, Phase.BEGINS], count)
        number = np.tile(np.arange(count), 3)
        for at in np.lexsort((number, phase, time_s)):
            yield int(time_s[at]), Phase(phase[at]), int(number[at])


class Outages:
    """Calls `tell` for each phase of each outage, in order of time."""

    def __init__(self, run: Handle, outages: OutageTable, tell: Callable[[Outage, Phase], None]) -> None:
        self._run, self._tell, self._outages = run, tell, outages
        self._phases = outages.phases(int(run.env.now))
        self._arm(next(self._phases, None))

    def _arm(self, coming: _Coming | None) -> None:
        if coming is not None:
            self._coming = coming
            self._run.later(coming[0] - int(self._run.env.now), self._ring)

    def _ring(self) -> None:
        coming: _Coming | None = self._coming
        while coming is not None and coming[0] == self._run.now_s:
            self._tell(self._outages.row(coming[2]), coming[1])
            coming = next(self._phases, None)
        self._arm(coming)
