"""Who waits, in order, and the first of them in columns."""

from __future__ import annotations

from bisect import bisect

import numpy as np

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry

WINDOW = 128
"""So many of those who wait are seen."""
JOB_COLUMNS = ("ready_s", "gang", "estimate_s", "priority")
_NEVER = 2**62


class JobWindow:
    """All who wait, `entries`; `columns` are of the first `WINDOW`, a row each.

    A column of `leasts` has the devices that must be free in one pod, and left of one quota, before the job
    may start there.
    """

    def __init__(self) -> None:
        self.entries: list[QueueEntry] = []
        self.columns = np.zeros((WINDOW, len(JOB_COLUMNS)))
        self.leasts = np.full((2, WINDOW), _NEVER, np.int64)
        self.devices = 0
        """Reference devices that all of them ask for."""
        self._ready_s: dict[int, int] = {}

    def __len__(self) -> int:
        """How many of them are seen."""
        return min(len(self.entries), WINDOW)

    def job(self, at: int) -> Job:
        """Return one of them."""
        return self.entries[at][2]

    def add(self, entry: QueueEntry, ready_s: int) -> None:
        """Let a job wait."""
        at = bisect(self.entries, entry)
        self.entries.insert(at, entry)
        self.devices += entry[2].gang
        self._ready_s[entry[2].turn] = ready_s
        if at < WINDOW:
            seen = len(self)
            self.columns[at + 1 : seen] = self.columns[at : seen - 1]
            self.leasts[:, at + 1 : seen] = self.leasts[:, at : seen - 1]
            self._fill(at)

    def remove(self, at: int) -> Job:
        """Take out one of those who are seen, and return it."""
        job = self.entries.pop(at)[2]
        self.devices -= job.gang
        del self._ready_s[job.turn]
        last = min(len(self.entries), WINDOW - 1)
        self.columns[at:last] = self.columns[at + 1 : last + 1]
        self.leasts[:, at:last] = self.leasts[:, at + 1 : last + 1]
        if len(self.entries) > last:
            self._fill(last)
        else:
            self.columns[last], self.leasts[:, last] = 0, _NEVER
        return job

    def _fill(self, at: int) -> None:
        job = self.entries[at][2]
        rented = min([rental.devices for rental in job.shape.rented], default=_NEVER)
        self.columns[at] = self._ready_s[job.turn], job.gang, job.estimate_s, job.priority
        self.leasts[:, at] = job.shape.least if job.shape.owned else _NEVER, rented
