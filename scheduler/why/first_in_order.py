"""Who was first in order at some second: the job for which room was kept, or behind which others waited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.engine.fair_share import StartTags
from scheduler.engine.jobs import Job
from scheduler.engine.owned.view import KeyView
from scheduler.policy.changing import Changing
from scheduler.policy.order import ORDERS
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.why.about import labels
from scheduler.why.waits import Inquiry
from traces.arrays import Floats, Ints, is_word, rows_of

_NEVER = np.iinfo(np.int64).max
_VIEW = KeyView(StartTags({}))


def goes_by_the_job(setup: Setup) -> bool:
    """Say whether the order is a function of the job alone, so that it can be asked again."""
    name = setup.scenario.policy.order.partition(":")[0]
    return name in ORDERS and name != "fair_share" and not isinstance(setup.policy.order, Changing)


def keys(setup: Setup, jobs: Iterable[Job]) -> list[float]:
    """Return what the order sorts each job by, where it goes by the job; lower is first."""
    order = setup.policy.order
    assert not isinstance(order, Changing)  # asked once: it takes longer than a key
    return [order(job, _VIEW) for job in jobs]


def first_in_order(run: Run, inquiry: Inquiry, at_s: Sequence[int]) -> list[str | None]:
    """Return who was first, at each of some seconds, of all who waited for pods.

    None where the logs do not tell: nobody waited, some job waited more than once, the first was rejected, or
    more than the job decides who is first.
    """
    setup, trace = inquiry.setup, inquiry.trace
    unsure = setup.scenario.queues or setup.policy.first is not None or not goes_by_the_job(setup)
    attempts = run.table("attempts", ["job_id", "attempt", "alloc_s"]) if at_s and not unsure else None
    if attempts is None or (pc.max(attempts.column("attempt")).as_py() or 0) > 1:
        return [None] * len(at_s)
    line = _Line(run, attempts)
    waiting = [line.at(second) for second in at_s]
    some = np.unique(np.concatenate(waiting))
    rows = rows_of(trace.numpy("job_id"), line.job_id[some])
    asked = inquiry.jobs(rows)
    owned = np.array([bool(job.shape.owned) for job in asked])
    order_keys = np.where(owned, keys(setup, asked), np.inf)
    place = np.lexsort((line.job_id[some], order_keys)).argsort()
    firsts = [_first(np.searchsorted(some, each), place, order_keys) for each in waiting]
    told = [None if first is None or line.rejected[some[first]] else first for first in firsts]
    names = iter(labels(trace, rows[[first for first in told if first is not None]]))
    return [None if first is None else next(names) for first in told]


class _Line:
    """From when to when jobs waited, where each did at most once."""

    def __init__(self, run: Run, attempts: pa.Table) -> None:
        jobs = run.table("jobs", ["job_id", "ready_s", "state", "reason"])
        self.job_id: Ints = jobs.column("job_id").to_numpy()
        self._ready_s = jobs.column("ready_s").fill_null(_NEVER).to_numpy()
        self._left_s = np.where(is_word(jobs.column("reason"), "waits for another job"), -1, _NEVER)
        started = rows_of(self.job_id, attempts.column("job_id").to_numpy())
        self._left_s[started] = attempts.column("alloc_s").to_numpy()
        self.rejected = is_word(jobs.column("state"), "rejected")

    def at(self, second: int) -> Ints:
        """Return the rows of the jobs that wait then; those rejected as if until the end."""
        return np.flatnonzero((self._ready_s <= second) & (second < self._left_s))


def _first(waiting: Ints, place: Ints, order_keys: Floats) -> int | None:
    """Return which of those who wait is first in order; None where none of them could use pods."""
    if not len(waiting):
        return None
    first = int(waiting[place[waiting].argmin()])
    return None if order_keys[first] == np.inf else first
