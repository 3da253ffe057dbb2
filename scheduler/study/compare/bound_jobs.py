"""The jobs that a bound counts, as columns of work: what each would take of the pools and offers at least."""

from __future__ import annotations

from itertools import chain
from math import inf
from typing import NamedTuple

import numpy as np

from scheduler.engine.jobs import Fit, Job, jobs
from scheduler.engine.need import Need
from traces.arrays import Array, Floats
from traces.times import HOUR_S
from traces.trace import Trace

BINS = 8
"""Classes by size: the largest jobs, those of a quarter of their work, and so on; the last takes the rest."""
RATIO = 4.0


class BoundJobs(NamedTuple):
    """Jobs by column, times in hours, work in device-hours of the reference device."""

    submit_h: Floats
    work: Floats
    run_h: Floats
    """Longest run on a pool that can hold it; 0 if none can."""
    rent_h: Floats
    """Longest time from renting to the end, on an offer that it may use; 0 if there is none."""
    boot_h: Floats
    """Shortest time from renting to the start of work."""
    owned: Floats
    """(jobs, pools): device-hours held there for each of work; inf where it cannot run."""
    rented: Floats
    """(jobs, offers): likewise, from renting to the end."""

    def take(self, rows: Array) -> BoundJobs:
        """Return some of the jobs."""
        return BoundJobs(*(column[rows] for column in self))


def bound_jobs(
    trace: Trace, fit: Fit, resources: tuple[int, int], window: tuple[int, int], overrun_s: int | None
) -> BoundJobs:
    """Return the jobs submitted in the window, without those that fit nowhere or follow another.

    `resources` are the numbers of pools and of offers. A job that is killed `overrun_s` after its estimate
    runs no longer than that.
    """
    pools, offers = resources
    submit_s = trace.numpy("submit_s")
    counts = (submit_s >= window[0]) & (submit_s < window[1]) & (trace.after.counts() == 0)
    rows = [
        _row(job, pools + offers, overrun_s)
        for job in chain.from_iterable(jobs(trace, fit))
        if counts[job.row] and (job.shape.owned or job.shape.rented)
    ]
    table = np.array(rows, np.float64).reshape(len(rows), 5 + pools + offers)
    submit_h, work, run_h, rent_h, boot_h = table[:, :5].T / HOUR_S
    return BoundJobs(submit_h, work, run_h, rent_h, boot_h, table[:, 5 : 5 + pools], table[:, 5 + pools :])


def _row(job: Job, resources: int, overrun_s: int | None) -> list[float]:
    """Return the columns of a job, times in seconds."""
    work_s = job.gang * job.runtime_s
    held = [inf] * resources

    def lasts_s(need: Need) -> int:
        run_s = need.run_s(job.runtime_s)
        return run_s if overrun_s is None else min(run_s, need.run_s(job.estimate_s) + overrun_s)

    run_s = rent_s = 0
    for place in job.shape.owned:
        own_s = lasts_s(place)
        held[place.column - 1] = place.devices * own_s / work_s
        run_s = max(run_s, own_s)
    boots_s = [rental.ready_s(job) for rental in job.shape.rented]
    for rental, boot_s in zip(job.shape.rented, boots_s, strict=True):
        hold_s = boot_s + lasts_s(rental)
        held[rental.column - 1] = rental.devices * hold_s / work_s
        rent_s = max(rent_s, hold_s)
    return [job.submit_s, work_s, run_s, rent_s, min(boots_s, default=0), *held]


def classes(counted: BoundJobs) -> list[BoundJobs]:
    """Part one job or more into classes alike in where they may run and, within a factor of 4, in work."""
    size = np.clip(np.log(counted.work.max() / counted.work) // np.log(RATIO), 0, BINS - 1)
    where = 2 * (counted.run_h > 0) + (counted.rent_h > 0)
    _, number = np.unique(where * BINS + size, return_inverse=True)
    return [counted.take(number == at) for at in range(number.max() + 1)]
