"""What is allowed but hardly meant: a line each, before a run and after it."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.replay.backlog import backlog
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.run.levels import DeviceLevels
from traces.numbers import days, minute, percent, ratio
from traces.times import DAY_S

BEHIND_S = DAY_S
"""Pools that need so long in the end for what was submitted have fallen behind."""
IDLE = 0.01
"""So low a utilization is worth a word."""


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
    asked = backlog(setup)
    if asked.load > 1 or asked.left_s >= BEHIND_S:
        yield (
            f"demand exceeds what the pools can do from {minute(trace.instant(asked.since_s))} UTC on, "
            f"{ratio(asked.load_since)} times: what is not rented waits longer and longer"
        )


def about_run(run: Run) -> Iterator[str]:
    """Say where the pools were hardly used."""
    used = DeviceLevels(run).utilization()
    if run.pools and run.length_s and used < IDLE:
        yield (
            f"utilization is {percent(used, 2)}: is the cluster meant to be so large, "
            f"and the run to be {days(run.length_s)} long?"
        )
