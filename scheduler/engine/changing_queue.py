"""Waiting jobs whose order changes: keys are worked out anew at each instant at which they are asked for.

Jobs stand in columns, so that this is one numpy expression, and the first of those who fit is another.
"""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from math import inf
from operator import attrgetter

import numpy as np

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import QueueEntry
from scheduler.engine.need import Need
from scheduler.engine.ranking import Ranking
from traces.arrays import Floats, Ints

_LINE, _TURN, _JOB = 0, 1, 2
"""Rows of the table; from `_JOB` on those of `JobColumns`, of which the first is the job_id."""
_ESTIMATE = _JOB + 2
_FEW = 64
_NO_ROOM = -1.0
_JOB_ID = attrgetter("job_id")


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
        self._jobs: list[Job] = []
        """By job_id, so that the first of equal keys is the one that goes first."""
        self._table = np.empty((0, 0), np.int64)
        """A column for each of them."""
        self._keys: Floats | None = None
        """Of all of them at `_keyed_s`; None where somebody came since."""
        self._keyed_s = 0
        self._found: Job | None = None
        """Found last: most often it has started since."""
        self._shapes: list[Shape] = []
        """One of each line."""
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
        job, jobs = entry[2], self._jobs
        row = (self._line(job.shape), job.turn, *self._ranking.row(job))
        size = len(jobs)
        at = size if not size or jobs[-1].job_id < job.job_id else bisect(jobs, job.job_id, key=_JOB_ID)
        if size == self._table.shape[-1]:
            self._grow(len(row))
        if at < size:
            self._table[:, at + 1 : size + 1] = self._table[:, at:size]
        self._table[:, at] = row
        jobs.insert(at, job)
        self._keys = None
        self._waiting[row[_LINE]] += 1
        self.least = min(self.least, self._leasts[row[_LINE]])

    def head(self) -> QueueEntry | None:
        """Return the first in order, or None where nobody waits."""
        self._drop_dead()
        if not self._jobs:
            return None
        places = None
        if self._within is not None:
            lines = self._table[_LINE, : len(self._jobs)]
            (places,) = (np.array(self._barred)[lines] < self._within()).nonzero()
        at = self._lowest(places)
        if at is None:
            return None
        entry = self._entry(at)
        return entry if self._lives(entry[2]) else self.head()

    def pop(self, job: Job) -> QueueEntry:
        """Take out a job."""
        at = self._place(job)
        entry = self._entry(at)
        self._drop(at)
        self._found = None
        return entry

    def in_order(self) -> Iterator[Job]:
        """Yield everybody who waits, first first."""
        return (entry[2] for entry in self.entries())

    def entries(self) -> Iterator[QueueEntry]:
        """Yield the entries of all who wait, first first."""
        self._drop_dead()
        if not self._jobs:
            return iter(())
        keys = self._at_present()
        order = keys.argsort(kind="stable")
        jobs = map(self._jobs.__getitem__, order.tolist())
        found = zip(keys[order].tolist(), jobs, strict=True)
        return ((key, job.job_id, job) for key, job in found if self._waits[job.turn])

    def heads(self) -> list[Job]:
        """Return the first of each line, first first."""
        return list({self._line_of[job.shape]: job for job in reversed([*self.in_order()])}.values())[::-1]

    def first(self, free: float, room: Callable[[Shape], float]) -> Job | None:
        """Return the first job in order whose estimate is within the room of its line, in seconds.

        `free` and `room` are as in `LinedQueue`.
        """
        self._drop_dead()
        if not self._jobs or self.least > free:
            return None
        within = inf if self._within is None else self._within()
        rooms = [
            (room(shape) or _NO_ROOM) if waiting and least <= free and barred < within else _NO_ROOM
            for shape, waiting, least, barred in zip(
                self._shapes, self._waiting, self._leasts, self._barred, strict=True
            )
        ]
        if max(rooms) == _NO_ROOM:
            return None
        size = len(self._jobs)
        (able,) = (self._table[_ESTIMATE, :size] <= np.array(rooms)[self._table[_LINE, :size]]).nonzero()
        at = self._lowest(able)
        if at is None:
            return None
        job = self._jobs[at]
        return job if self._lives(job) else self.first(free, room)

    def _lowest(self, places: Ints | None) -> int | None:
        """Return where the first of those who stand in these places stands; None for all."""
        count = len(self._jobs) if places is None else len(places)
        if count <= 1:
            return (0 if places is None else int(places[0])) if count else None
        keys = self._at_present()
        return int(keys.argmin() if places is None else places[keys[places].argmin()])

    def _lives(self, job: Job) -> bool:
        """Say whether a job that was found still waits; it is dropped with the next look if it does not."""
        self._found = job
        return bool(self._waits[job.turn])

    def _entry(self, at: int) -> QueueEntry:
        job = self._jobs[at]
        return float(self._at_present()[at]), job.job_id, job

    def _at_present(self) -> Floats:
        """Return the keys of this instant."""
        if self._keys is None:
            self._keys = self._ranking.keys(self._table[_JOB:, : len(self._jobs)])
        return self._keys

    def _drop_dead(self) -> None:
        """Drop whoever was found last and has left, and all who have before keys are worked out anew.

        Others have left without a word; they are met as they are found.
        """
        if self._found is not None and not self._waits[self._found.turn]:
            self._drop(self._place(self._found))
        self._found = None
        now_s = self._ranking.now_s
        if self._keyed_s != now_s:
            self._keyed_s, self._keys = now_s, None
        if self._keys is None and self._jobs:
            alive = np.frombuffer(self._waits, np.uint8)[self._table[_TURN, : len(self._jobs)]]
            if 0 in alive.tobytes():
                for at in np.flatnonzero(alive == 0)[::-1].tolist():
                    self._drop(at)

    def _place(self, job: Job) -> int:
        return self._jobs.index(job, bisect_left(self._jobs, job.job_id, key=_JOB_ID))

    def _drop(self, at: int) -> None:
        """Close the gap that a job leaves."""
        last, line = len(self._jobs) - 1, int(self._table[_LINE, at])
        del self._jobs[at]
        if at < last:
            self._table[:, at:last] = self._table[:, at + 1 : last + 1]
        if self._keys is not None:
            self._keys[at:last] = self._keys[at + 1 :]
            self._keys = self._keys[:last]
        self._waiting[line] -= 1
        if not self._waiting[line]:
            self.least = min(compress(self._leasts, self._waiting), default=inf)

    def _grow(self, rows: int) -> None:
        table = np.empty((rows, max(_FEW, 2 * len(self._jobs))), np.int64)
        if self._jobs:
            table[:, : len(self._jobs)] = self._table
        self._table = table

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
