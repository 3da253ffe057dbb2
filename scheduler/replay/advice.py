"""What is allowed but hardly meant: a line each, before a run and after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.run.levels import DeviceLevels
from traces.numbers import days, minute, percent, ratio
from traces.times import DAY_S
from traces.trace import Trace

FAR_S = 28 * DAY_S
"""An epoch so long before the first job is worth a word."""
IDLE = 0.01
"""So low a utilization, too."""


def about_trace(trace: Trace) -> Iterator[str]:
    """Say where the epoch is far from the jobs."""
    if trace.first_submit_s > FAR_S:
        yield (
            f"the first job is submitted {days(trace.first_submit_s)} after the epoch, "
            f"{minute(trace.epoch)} UTC: a run starts at the midnight before it"
        )


def about_setup(setup: Setup) -> Iterator[str]:
    """Say where the run would have no jobs for long, or at all, or more than its pools can do."""
    trace, ends_s = setup.trace, setup.horizon_ends_s
    lead_s = trace.first_submit_s - setup.start_s
    if len(trace) and ends_s is not None and ends_s <= trace.first_submit_s:
        yield (
            f"the horizon ends the run before any job is submitted: it is {days(ends_s - setup.start_s)} "
            f"long, and the first job comes after {days(lead_s)}"
        )
    elif lead_s > DAY_S:
        yield f"no job is submitted for {days(lead_s)} from the start on, which are paid for all the same"
    load = offered_load(setup)
    if load > 1:
        yield (
            f"the jobs ask for {ratio(load)} times what the pools can do in their time: "
            "what is not rented waits longer and longer"
        )


def about_run(run: Run) -> Iterator[str]:
    """Say where the pools were hardly used."""
    used = DeviceLevels(run).utilization()
    if run.pools and run.length_s and used < IDLE:
        yield (
            f"utilization is {percent(used, 2)}: is the cluster meant to be so large, "
            f"and the run to be {days(run.length_s)} long?"
        )


def offered_load(setup: Setup) -> float:
    """Return the work submitted over what the pools can do meanwhile; 0 where there are none, or no end.

    That is from the start of the run to its horizon or, without one, to the end of the day, from the start,
    of the last submission. A pool does each kind of job as fast as its devices.
    """
    pools, trace = setup.stock.pools, setup.trace
    if not pools or any(pool.endless for pool in pools) or not len(trace):
        return 0.0
    length_s = DAY_S * ((trace.last_submit_s - setup.start_s) // DAY_S + 1)
    if setup.horizon_ends_s is not None:
        length_s = setup.horizon_ends_s - setup.start_s
    codes, kinds = trace.codes("kind")
    work_s = trace.numpy("gang") * trace.numpy("runtime_s").astype(np.float64)
    by_kind = np.bincount(codes, work_s * (trace.numpy("submit_s") < setup.start_s + length_s), len(kinds))
    done = 0.0
    for pool in pools:
        rates = np.array([setup.rate(pool.device, kind) for kind in kinds])
        held_s = float(np.sum(by_kind / rates))
        if not held_s:
            return 0.0
        done += pool.pods * pool.pod_devices * length_s / held_s
    return 1 / done
