"""A run as tables that a planner can read; every figure is computed in `scheduler.run`."""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler.catalog.certainty import footer
from scheduler.report.bad_weather import bad_weather
from scheduler.report.causes import causes_table
from scheduler.report.endings import endings
from scheduler.report.ledger import spent
from scheduler.report.live import live
from scheduler.report.queues import queues
from scheduler.report.shares import MOST_SHOWN, largest, shares
from scheduler.report.sites import sites
from scheduler.report.work import headline, lateness, work
from scheduler.run.directory import Run
from scheduler.run.fairness import served
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import by_word, worked_jobs
from scheduler.run.levels import DeviceLevels
from scheduler.why.kept import kept_figures
from traces.numbers import count, count_of, decimal, duration, hours, minute, percent, ratio
from traces.tables import table
from traces.times import DAY_S

_UNUSED = {"first": "owned", "preempt": "nobody", "repatriate": "stay"}
"""Policies that do nothing, and are not worth a word."""

_OF_JOBS = (
    ("jobs", count, "jobs"),
    ("wait p50", duration, "wait_p50_s"),
    ("p95", duration, "wait_p95_s"),
    ("p99", duration, "wait_p99_s"),
    ("slowdown mean", ratio, "slowdown_mean"),
    ("p95", ratio, "slowdown_p95"),
    ("burst", count, "bursting_jobs"),
    ("burst device-h", count, "burst_device_h"),
    ("missed", count_of, "missed", "deadlines"),
)
"""What is shown of the jobs of a word: head, how it is written, and which of the `job_figures` it is."""


def summary(run: Run, by: str = "workload") -> str:
    """Render utilization, waits by job and by work, lateness, bad weather, power, live sources, spend.

    Jobs are told apart by a column, one of `BY`; where that is not the workload, it says how evenly their
    words were served.
    """
    levels, device_time = DeviceLevels(run), DeviceTime(run)
    jobs = worked_jobs(run, device_time)
    words = by_word(run, jobs, by)
    *_, together = words.values()
    shown = words if len(words) <= MOST_SHOWN else largest(words)
    parts = [
        title(run),
        headline(levels, together),
        _resources(levels),
        _words(shown, by),
        work(jobs, run.end_s, shown),
        _causes(run),
        "" if by == "workload" else shares(served(run, jobs, by), by),
        queues(run, jobs),
        lateness(jobs, run.end_s),
        bad_weather(levels, device_time),
        sites(run, device_time),
        live(run),
        _spend(run),
    ]
    return "\n\n".join(part for part in parts if part)


def title(run: Run) -> str:
    """Say what was run, when, under which policy, and how the jobs ended: a line each."""
    description = run.description
    scenario, trace, counts = description["scenario"], description["trace"], description["jobs"]
    epoch = datetime.fromisoformat(trace["epoch"])
    start, end = (epoch + timedelta(seconds=second) for second in (run.start_s, run.end_s))
    choices = {seam: name for seam, name in scenario["policy"].items() if isinstance(name, str | int)}
    policy = [f"{seam} {name}" for seam, name in choices.items() if name != _UNUSED.get(seam)]
    bound = f", bound {scenario['bound']}" if scenario["bound"] != "none" else ""
    by = "as recorded" if run.as_recorded else f"policy: {', '.join(policy)}{bound}"
    states = [f"{count(jobs)} {state}" for state, jobs in counts.items() if jobs or state != "killed"]
    days = decimal(run.length_s / DAY_S, 1, commas=False)
    return "\n".join(
        [
            f"{scenario['name']}: {minute(start)} to {minute(end)} UTC, {days} days",
            by,
            f"jobs: {count(trace['jobs'])} = {' + '.join(states)}",
            *endings(run),
        ]
    )


def _resources(levels: DeviceLevels) -> str:
    rows = []
    for pool in levels.run.description["pools"]:
        name, devices = pool["name"], f"{pool['pods']} x {pool['pod_devices']}"
        used = hours(levels.held_s(name)), percent(levels.utilization(name))
        rows.append([name, pool["device"], devices, *used])
    for offer in levels.run.description["offers"]:
        name = offer["name"]
        peak = f"rented, peak {count(levels.most_rented(name))}"
        rows.append([name, offer["device"], peak, hours(levels.held_s(name)), ""])
    return table(["resource", "device", "devices", "device-hours held", "utilization"], rows, numbers=(3, 4))


def _words(words: dict[str, dict[str, float]], by: str) -> str:
    rows = [
        [name, *(write(*(figures[figure] for figure in shown)) for _, write, *shown in _OF_JOBS)]
        for name, figures in words.items()
    ]
    header = [by, *(head for head, *_ in _OF_JOBS)]
    return table(header, rows, numbers=range(1, len(header)))


def _causes(run: Run) -> str:
    """What jobs waited for, where that is kept."""
    figures = kept_figures(run)
    return causes_table(figures.by_cause, {}) if figures and figures.by_cause else ""


def _spend(run: Run) -> str:
    return "\n".join(
        part for part in (spent(run), footer(run.description["unsure"], run.description["prices_of"])) if part
    )
