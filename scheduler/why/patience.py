"""When the patience of a job that waits was over, by its policy."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from scheduler.engine.jobs import Job
from scheduler.engine.need import whole_s
from scheduler.engine.owned.view import ClusterView
from scheduler.engine.storm.retries import Career, Resumed
from scheduler.policy.burst import Patience
from scheduler.why.step_function import NEVER_S
from traces.arrays import Ints


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

    `done_s` is what the job had done and kept before. The view is of a cluster on which nobody runs or waits,
    so that `predicted` lasts as long as it may.
    """
    lasts = np.empty(len(jobs), np.int64)
    for at, (job, since, done) in enumerate(zip(jobs, since_s.tolist(), done_s.tolist(), strict=True)):
        view.now_s = since
        lasts[at] = _whole(patience(left_of(job, done), view))
    return np.where(lasts == NEVER_S, NEVER_S, since_s + np.where(lasts == NEVER_S, 0, lasts))


def _whole(seconds: float) -> int:
    if seconds == inf:
        return int(NEVER_S)
    return whole_s(seconds) if seconds > 0 else 0
