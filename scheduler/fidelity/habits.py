"""Rules about who goes first, and how long."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.fidelity.recorded import OTHER, RESERVED, Timeline
from scheduler.fidelity.rules import Findings, UnmodelledRule
from traces.numbers import count_of

ORDERS = ("fcfs", "sjf", "smallest", "fair_share")
BACKFILLS = ("none", "easy", "greedy")
"""Without conservative, which takes minutes where there is a backlog."""
AT_LIMIT_S = 60
"""A job that ended so close to what it asked for was killed for that. Assumed."""


def order(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that others went first, where jobs overtook those that could have started as well."""
    jobs = findings.line.jobs
    overtook = overtaking(findings.line)
    if not overtook:
        return
    policy, priority = findings.setup.scenario.policy, findings.setup.trace.numpy("priority")
    orders = [*ORDERS, *(["priority:0"] if len(np.unique(priority)) > 1 else [])]
    tries = [(f'policy.order="{each}"',) for each in orders if each != policy.order]
    evidence = (
        f"{count_of(overtook, len(jobs.ready_s))} jobs started while one that was ready before, "
        "as small and as short by its estimate, waited on"
    )
    yield UnmodelledRule("another order", evidence, None, tuple(tries))


def backfill(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule of who may pass, where jobs waited with room."""
    waits, now = findings.waits, findings.setup.scenario.policy.backfill
    reserved_s = waits.total_s(RESERVED)
    if reserved_s or waits.total_s(OTHER):  # what lies apart on several pods shows as neither
        tries = tuple((f'policy.backfill="{each}"',) for each in BACKFILLS if each != now)
        evidence = f"waited with room{', while another job had none' if reserved_s else ''}"
        yield UnmodelledRule("another backfill", evidence, reserved_s, tries)


def overtaking(line: Timeline) -> int:
    """Return how many jobs started past one that was ready before, needs no more and asks for no longer."""
    jobs = line.jobs
    by_ready = np.lexsort((jobs.start_s, jobs.ready_s))
    ready_s, start_s, devices, asked_s = (
        column[by_ready] for column in (jobs.ready_s, jobs.start_s, jobs.devices, jobs.asked_s)
    )
    latest_s, found = np.maximum.accumulate(start_s), 0
    for row in range(len(ready_s)):
        # No job before the first that is as late as this one's start can have waited on.
        first = int(np.searchsorted(latest_s[:row], start_s[row], "right"))
        before = slice(first, row)
        found += bool(
            (
                (ready_s[before] < ready_s[row])
                & (start_s[before] > start_s[row])
                & (devices[before] <= devices[row])
                & (asked_s[before] <= asked_s[row])
            ).any()
        )
    return found


def kills(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that jobs were killed at their limit, where a simulation lets some run on."""
    jobs, trace, scenario = findings.line.jobs, findings.setup.trace, findings.setup.scenario
    longer = int((trace.numpy("runtime_s") > trace.numpy("estimate_s")).sum())
    if not longer or scenario.kill != "never":
        return
    over_s = jobs.end_s - jobs.start_s - jobs.asked_s
    at_limit = int((np.abs(over_s) <= AT_LIMIT_S).sum())
    evidence = (
        f"{at_limit:,} jobs ended within {AT_LIMIT_S} s of what they asked for, "
        f"{int((over_s > AT_LIMIT_S).sum()):,} later; {longer:,} run longer in the simulation"
    )
    yield UnmodelledRule("killed at the limit", evidence, None, (('kill="estimate"',),))
