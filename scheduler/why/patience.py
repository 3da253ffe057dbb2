"""When the patience of a job that waits was over, by its policy."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, cast

import numpy as np

from scheduler.engine.jobs import Job
from scheduler.engine.need import whole_s
from scheduler.engine.owned.view import ClusterView
from scheduler.engine.storm.retries import Career, Resumed
from scheduler.policy.burst import Patience
from scheduler.policy.patience_view import PatienceView
from scheduler.run.directory import Run
from scheduler.why.gaps import ids_of
from scheduler.why.step_function import NEVER_S
from traces.arrays import Ints, rows_of
from traces.trace import Trace


class LoggedPatience(NamedTuple):
    """When jobs were out of patience, as row of the trace x `width` + second, ascending."""

    width: int
    at: Ints

    @classmethod
    def of(cls, run: Run, trace: Trace, rows: Ints | None) -> LoggedPatience | None:
        """Read it, of all jobs or at least of some rows of the trace; None where a run does not log it."""
        if not run.has("patience"):
            return None
        table, width = run.table("patience", limits=ids_of(trace, rows)), run.end_s + 1
        row = rows_of(trace.numpy("job_id"), table.column("job_id").to_numpy())
        return cls(width, np.sort(row * width + table.column("over_s").to_numpy()))

    def ends_s(self, row: Ints, from_s: Ints, to_s: Ints) -> Ints:
        """Return the second of each span at which patience was over; its end where it was not."""
        first_s = row * self.width
        over_s = np.append(self.at, NEVER_S)[np.searchsorted(self.at, first_s + from_s)]
        return np.minimum(over_s - first_s, to_s)


def left_of(job: Job, done_s: int) -> Job:
    """Return a job as it waits again, with so much of it done."""
    if not done_s:
        return job
    runtime_s, estimate_s = max(1, job.runtime_s - done_s), max(1, job.estimate_s - done_s)
    resumed = Resumed._make(job._replace(runtime_s=runtime_s, estimate_s=estimate_s))
    resumed.career = Career(job, done_s)
    return resumed


def ends_s(patience: Patience, view: ClusterView, jobs: Sequence[Job], since_s: Ints, done_s: Ints) -> Ints:
    """Return the second at which the patience of each job ends that waits from `since_s` on.

    `done_s` is what the job had done and kept before. The patience is one that is asked once and not logged,
    and looks at no more than there is of a cluster on which nobody runs or waits.
    """
    lasts = np.empty(len(jobs), np.int64)
    for at, (job, since, done) in enumerate(zip(jobs, since_s.tolist(), done_s.tolist(), strict=True)):
        view.now_s = since
        lasts[at] = _whole(patience(left_of(job, done), cast(PatienceView, view)))
    return np.where(lasts == NEVER_S, NEVER_S, since_s + np.where(lasts == NEVER_S, 0, lasts))


def _whole(seconds: float) -> int:
    if seconds == inf:
        return int(NEVER_S)
    return whole_s(seconds) if seconds > 0 else 0
