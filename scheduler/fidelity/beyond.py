"""Rules that a record may show, and no scenario can say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.fidelity.recorded import OTHER, OWNER_JOBS, OWNER_PROMISED
from scheduler.fidelity.rules import Findings, UnmodelledRule, listed, unreserved
from scheduler.run.levels import DAY_H
from traces.arrays import Array
from traces.numbers import count, duration, hours, percent
from traces.times import DAY_S, HOUR_S
from traces.trace import Trace

SHORTEST_LOG_S = 7 * DAY_S
"""A shorter log says nothing of habits by the hour of the day. Assumed."""
FEW_MISSING = 0.01
"""So few numbers of jobs may be missing without a word. Assumed."""


def owner_counts(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rules that no owner may run more jobs, or be promised more device-time, than it ever did."""
    for name, reason, field, what, write in (
        ("owner's jobs", OWNER_JOBS, "jobs", "jobs", count),
        ("owner's promises", OWNER_PROMISED, "promised", "device-hours still promised", hours),
    ):
        by_owner = _by_owner(findings, findings.waits.reason_s[reason])
        most = [(owner, findings.waits.most[at][field]) for owner, at in by_owner]
        if most:
            said = listed([f"{owner} {write(value)}" for owner, value in most])
            evidence = f"waited with room, and had at most: {said} {what}"
            cannot = "quotas of a scenario count devices"
            yield UnmodelledRule(name, evidence, findings.waits.total_s(reason), cannot=cannot)


def _by_owner(findings: Findings, waited_s: Array) -> list[tuple[str, int]]:
    """Return who waited, those first who did longest."""
    jobs = findings.line.jobs
    total = np.bincount(jobs.owner, waited_s, minlength=len(jobs.owners))
    return [(jobs.owners[at], at) for at in np.argsort(-total, kind="stable").tolist() if total[at] > 0]


def start_up(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that a start takes time, even where there is room and nobody else waits."""
    line, jobs = findings.line, findings.line.jobs
    at = np.searchsorted(line.time_s, jobs.ready_s)
    alone = (line.queued[at] <= 1) & (jobs.devices <= line.free[at]) & ~line.stopped[at]
    alone &= jobs.start_s > jobs.ready_s
    at_once = (jobs.start_s == jobs.ready_s).sum()
    if not alone.any() or alone.sum() <= at_once:
        return
    median_s = float(np.median(jobs.waited_s[alone]))
    evidence = (
        f"{alone.sum():,} jobs came to an empty queue and found room, "
        f"and half of them waited for {duration(median_s)} or longer; {at_once:,} started at once"
    )
    waited_s = int(np.minimum(jobs.waited_s, median_s).sum())
    yield UnmodelledRule("start-up", evidence, waited_s, cannot="pods start at once")


def closed_hours(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that nothing starts in some hours of the day."""
    line, jobs, past_s = findings.line, findings.line.jobs, findings.setup.trace.past_midnight_s
    if not len(line.time_s) or line.time_s[-1] - line.time_s[0] < SHORTEST_LOG_S:
        return
    starts = np.bincount(_hour(jobs.start_s, past_s), minlength=DAY_H)
    closed, waited_s = np.flatnonzero(starts == 0), 0
    in_closed = np.isin(_hour(line.time_s, past_s), closed)
    for row in np.flatnonzero(jobs.waited_s).tolist():
        at = line.waiting_at(row)
        waited_s += int(line.span_s[at][unreserved(line, row) & in_closed[at]].sum())
    if waited_s:
        evidence = f"no start in the hours {listed([f'{hour:02}' for hour in closed], DAY_H)} of any day"
        yield UnmodelledRule("closed hours", evidence, waited_s, cannot="no hours are closed to starts alone")


def _hour(second: Array, past_midnight_s: int) -> Array:
    return np.asarray((second + past_midnight_s) % DAY_S // HOUR_S)


def missing_jobs(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that others ran whom the log does not have, where numbers of jobs are left out."""
    numbers = _numbers(findings.setup.trace)
    there = max(numbers) - min(numbers) + 1
    missing = there - len(numbers)
    if missing > FEW_MISSING * there:
        evidence = (
            f"of the job numbers {min(numbers):,} to {max(numbers):,} the trace lacks {missing:,} "
            f"({percent(missing / there, 0)}), which may have used the room"
        )
        cannot = "nobody knows what they used"
        yield UnmodelledRule("jobs not in the log", evidence, findings.waits.total_s(OTHER), cannot=cannot)


def _numbers(trace: Trace) -> set[int]:
    """Return the numbers of jobs at the source: their names, if all are numbers, else `job_id`."""
    names = trace.table.column("name").to_pylist()
    if all(name is not None and name.isdecimal() for name in names):
        return set(map(int, names))
    return set(trace.numpy("job_id").tolist())
