"""Who waits, in order, and the first of them in columns."""

from __future__ import annotations

from bisect import bisect
from struct import Struct

import numpy as np

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import QueueEntry
from traces.arrays import Array

WINDOW = 128
"""So many of those who wait are seen."""
JOB_COLUMNS = ("waited_s", "gang", "estimate_s", "priority")
_ROW = Struct("=qq4f")
"""Ready at, code of its group, and `JOB_COLUMNS`, of which the first is known as it is seen."""
_NOBODY = bytes(_ROW.size)
_NEVER = 2**62


class Group:
    """Jobs that are seen and need the same, `count` of them: all may start now, or none.

    Asking for one of them, `job`, is asking for all. Devices that must be free in one pod before it can start
    are `least`, and `held` those that must be left of one quota.
    """

    __slots__ = ("bursts", "code", "count", "held", "job", "key", "least", "starts")

    def __init__(self, key: GroupKey, code: int, job: Job) -> None:
        self.key, self.code, self.job, self.count = key, code, job, 0
        self.least = job.shape.least if job.shape.owned else _NEVER
        self.held = min([rental.devices for rental in job.shape.rented], default=_NEVER)
        self.starts = self.bursts = True
        """Whether they may start on pods, or be rented, as far as is known."""


GroupKey = tuple[Shape, int]


def _key(job: Job) -> GroupKey:
    """Return what jobs share that find the same room: under a cap of power the estimate matters too."""
    capped = any(need.power is not None for need in job.shape.owned)
    return job.shape, job.estimate_s if capped else 0


class JobWindow:
    """All who wait, `entries`; the first `WINDOW` of them have a row each in one block of memory.

    Rows move up and down as bytes, and `struct` writes them: arrays take several times as long for so few.
    """

    def __init__(self) -> None:
        self.entries: list[QueueEntry] = []
        self.groups: dict[GroupKey, Group] = {}
        """Of those who are seen."""
        self.devices = 0
        """Reference devices that all of them ask for."""
        self._rows = bytearray(WINDOW * _ROW.size)
        wide = np.frombuffer(self._rows, np.int64).reshape(WINDOW, -1)
        self._ready_s, self.codes = wide[:, 0], wide[:, 1]
        self._columns: Array = wide[:, 2:].view(np.float32)
        self._unused = list(range(WINDOW + 1, 0, -1))
        """Codes that no group has; 0 stands for nobody."""
        self._since: dict[int, int] = {}

    def __len__(self) -> int:
        """How many of them are seen."""
        return min(len(self.entries), WINDOW)

    def columns(self, now_s: int) -> Array:
        """Return `JOB_COLUMNS` of those who are seen, zeros where nobody is."""
        columns, seen = self._columns.copy(), len(self)
        columns[:seen, 0] = now_s - self._ready_s[:seen]
        return columns

    def job(self, at: int) -> Job:
        """Return one of them."""
        return self.entries[at][2]

    def add(self, entry: QueueEntry, ready_s: int) -> None:
        """Let a job wait."""
        entries, rows, size = self.entries, self._rows, _ROW.size
        at, others = bisect(entries, entry), len(entries)
        if at < WINDOW <= others:
            self._leave(entries[WINDOW - 1][2])
        entries.insert(at, entry)
        self.devices += entry[2].gang
        self._since[entry[2].turn] = ready_s
        if at < WINDOW:
            last = min(others, WINDOW - 1)
            rows[(at + 1) * size : (last + 1) * size] = rows[at * size : last * size]
            self._fill(at)

    def remove(self, at: int) -> Job:
        """Take out one of those who are seen, and return it."""
        entries, rows, size = self.entries, self._rows, _ROW.size
        job = entries.pop(at)[2]
        self.devices -= job.gang
        del self._since[job.turn]
        self._leave(job)
        last = min(len(entries), WINDOW - 1)
        rows[at * size : last * size] = rows[(at + 1) * size : (last + 1) * size]
        if len(entries) > last:
            self._fill(last)
        else:
            rows[last * size : (last + 1) * size] = _NOBODY
        return job

    def _fill(self, at: int) -> None:
        job = self.entries[at][2]
        key = _key(job)
        group = self.groups.get(key)
        if group is None:
            self.groups[key] = group = Group(key, self._unused.pop(), job)
        group.count += 1
        ready_s, seen = self._since[job.turn], (job.gang, job.estimate_s, job.priority)
        _ROW.pack_into(self._rows, at * _ROW.size, ready_s, group.code, 0, *seen)

    def _leave(self, job: Job) -> None:
        """Count one less of those who are seen."""
        group = self.groups[_key(job)]
        group.count -= 1
        if not group.count:
            del self.groups[group.key]
            self._unused.append(group.code)
