"""Waiting jobs whose order changes: keys are worked out anew at each instant at which they are asked for.

Jobs stand in columns, so that this is one numpy expression, and the first of those who fit is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from math import inf

import numpy as np

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import QueueEntry
from scheduler.engine.need import Need
from scheduler.engine.ranking import Ranking
from traces.arrays import Bools, Floats

_LINE, _JOB = 0, 1
"""Rows of the table; from `_JOB` on those of `JobColumns`, of which the first is the job_id."""
_ESTIMATE = _JOB + 2
_FEW = 64


class ChangingQueue:
    """As `LinedQueue`, but lowest (key of now, job_id) first.

    Jobs that need the same form a line, of which `room` is asked once.
    """

    def __init__(
        self,
        waits: bytearray,
        needs: Callable[[Shape], Sequence[Need]],
        ranking: Ranking,
        within: Callable[[], float] | None = None,
    ) -> None:
        self._waits, self._needs, self._ranking, self._within = waits, needs, ranking, within
        self._table = np.empty((0, 0), np.int64)
        self._jobs = np.empty(0, object)
        self._size = 0
        self._keys: Floats | None = None
        """Of all of them at `_keyed_s`; None where somebody came since."""
        self._keyed_s = 0
        self._shapes: list[Shape] = []
        """One of each line."""
        self._turns: list[int] = []
        """As in the table; plain, as most often all of them still wait, which is seen quicker so."""
        self._waiting: list[int] = []
        """How many, by line."""
        self._leasts: list[int] = []
        self._barred: list[float] = []
        self._line_of: dict[Shape, int] = {}
        self._line_for: dict[tuple[object, ...], int] = {}
        self.least: float = inf
        """Nobody who waits can start before a pod or offer has so many devices free."""

    def push(self, entry: QueueEntry) -> None:
        """Let a job wait."""
        job = entry[2]
        row = (self._line(job.shape), *self._ranking.row(job))
        at = self._size
        if at == len(self._jobs):
            self._grow(len(row))
        self._table[:, at] = row
        self._jobs[at] = job
        self._size, self._keys = at + 1, None
        self._turns.append(job.turn)
        self._waiting[row[_LINE]] += 1
        self.least = min(self.least, self._leasts[row[_LINE]])

    def head(self) -> QueueEntry | None:
        """Return the first in order, or None where nobody waits."""
        self._drop_dead()
        able = None
        if self._within is not None:
            able = np.array(self._barred)[self._table[_LINE, : self._size]] < self._within()
        return self._lowest(able)

    def pop(self, job: Job) -> QueueEntry:
        """Take out a job."""
        self._drop_dead()
        at = self._turns.index(job.turn)
        entry = self._entry(at)
        self._drop(at)
        return entry

    def in_order(self) -> Iterator[Job]:
        """Yield everybody who waits, first first."""
        return (entry[2] for entry in self.entries())

    def entries(self) -> Iterator[QueueEntry]:
        """Yield the entries of all who wait, first first."""
        self._drop_dead()
        if not self._size:
            return iter(())
        order = np.lexsort((self._table[_JOB, : self._size], self._at_present()))
        entries = zip(self._at_present()[order].tolist(), self._jobs[order].tolist(), strict=True)
        return ((key, job.job_id, job) for key, job in entries if self._waits[job.turn])

    def heads(self) -> list[Job]:
        """Return the first of each line, first first."""
        return list({self._line_of[job.shape]: job for job in reversed([*self.in_order()])}.values())[::-1]

    def first(self, free: float, room: Callable[[Shape], float]) -> Job | None:
        """Return the first job in order whose estimate is within the room of its line, in seconds.

        `free` and `room` are as in `LinedQueue`.
        """
        self._drop_dead()
        if self.least > free:
            return None
        within = inf if self._within is None else self._within()
        lines = self._table[_LINE, : self._size]
        rooms = np.zeros(len(self._shapes))
        for line, least in enumerate(self._leasts):
            if self._waiting[line] and least <= free and self._barred[line] < within:
                rooms[line] = room(self._shapes[line])
        if not rooms.any():
            return None
        room_of = rooms[lines]
        first = self._lowest((room_of > 0) & (self._table[_ESTIMATE, : self._size] <= room_of))
        return first and first[2]

    def _lowest(self, able: Bools | None) -> QueueEntry | None:
        """Return the first of those who are able, None for all."""
        places = None if able is None else np.flatnonzero(able)
        count = self._size if places is None else len(places)
        if count <= 1:
            at = 0 if places is None or not count else int(places[0])
            return self._entry(at) if count else None
        keys = self._at_present()
        keys = keys if places is None else keys[places]
        ties = np.flatnonzero(keys == keys.min())
        ties = ties if places is None else places[ties]
        return self._entry(int(ties[self._table[_JOB, ties].argmin()] if len(ties) > 1 else ties[0]))

    def _entry(self, at: int) -> QueueEntry:
        job: Job = self._jobs[at]
        return float(self._at_present()[at]), job.job_id, job

    def _at_present(self) -> Floats:
        """Return the keys of this instant."""
        now_s = self._ranking.now_s
        if self._keys is None or self._keyed_s != now_s:
            keys = self._ranking.keys(self._table[_JOB:, : self._size])
            self._keys, self._keyed_s = keys.copy(), now_s  # ours to move about
        return self._keys

    def _drop_dead(self) -> None:
        """Drop those who wait no more."""
        waits = self._waits
        if 0 in map(waits.__getitem__, self._turns):
            for at in [at for at, turn in enumerate(self._turns) if not waits[turn]][::-1]:
                self._drop(at)

    def _drop(self, at: int) -> None:
        """Let the last in the table take a place."""
        last, line = self._size - 1, int(self._table[_LINE, at])
        if at < last:
            self._table[:, at], self._jobs[at] = self._table[:, last], self._jobs[last]
            self._turns[at] = self._turns[last]
            if self._keys is not None:
                self._keys[at] = self._keys[last]
        self._keys = None if self._keys is None else self._keys[:last]
        self._jobs[last] = None
        self._turns.pop()
        self._size = last
        self._waiting[line] -= 1
        if not self._waiting[line]:
            self.least = min(compress(self._leasts, self._waiting), default=inf)

    def _grow(self, rows: int) -> None:
        table, jobs = self._table, self._jobs
        more = max(_FEW, 2 * len(jobs))
        self._table, self._jobs = np.empty((rows, more), np.int64), np.empty(more, object)
        if len(jobs):
            self._table[:, : len(jobs)], self._jobs[: len(jobs)] = table, jobs

    def _line(self, shape: Shape) -> int:
        line = self._line_of.get(shape)
        return self._new_line(shape) if line is None else line

    def _new_line(self, shape: Shape) -> int:
        needs = self._needs(shape)
        barred = shape.most if self._within is not None and shape.rented else -inf
        key = (barred, *((need.column, need.devices, need.factor, need.opens_s) for need in needs))
        line = self._line_for.setdefault(key, len(self._shapes))
        if line == len(self._shapes):
            self._shapes.append(shape)
            self._waiting.append(0)
            self._leasts.append(min(need.least for need in needs))
            self._barred.append(barred)
        self._line_of[shape] = line
        return line
