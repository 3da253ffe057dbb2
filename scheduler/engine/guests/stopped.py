"""What a guest keeps that had to stop, and what is left of its job."""

from __future__ import annotations

from scheduler.engine.attempt import Attempt
from scheduler.engine.log.outcomes import Account
from scheduler.engine.storm.retries import Career, Resumed


def kept(attempt: Attempt, now_s: int, checkpoint_s: int | None) -> Account:
    """Return what an attempt comes to that stops now: it keeps its work up to the last checkpoint."""
    need, worked_s = attempt.need, now_s - attempt.alloc_s
    if checkpoint_s is None:
        return Account(0, 0, worked_s * need.used, 0.0, 0.0)
    done_s = min(int(need.reference_s(worked_s)), attempt.job.runtime_s - 1)
    kept_s = done_s - done_s % checkpoint_s
    lost_s = worked_s - (need.run_s(kept_s) if kept_s else 0)
    return Account(kept_s, 0, max(0, lost_s) * need.used, 0.0, 0.0)


def left(career: Career, turn: int) -> Resumed:
    """Return what is left of a job, under another turn."""
    job, done_s = career.job, career.done_s
    runtime_s, estimate_s = job.runtime_s - done_s, max(1, job.estimate_s - done_s)
    resumed = Resumed._make(job._replace(turn=turn, runtime_s=runtime_s, estimate_s=estimate_s))
    resumed.career = career
    return resumed
