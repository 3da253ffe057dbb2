"""A run as tables that a planner can read; every figure is computed from the logs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.report.bad_weather import weathering
from scheduler.report.ledger import spent
from scheduler.run.directory import Run
from scheduler.run.goodput import Held
from scheduler.run.metrics import bounded_slowdown, device_seconds, missed, percentiles, utilization
from traces.arrays import Array
from traces.tables import table
from traces.times import DAY_S, HOUR_S

_JOB_COLUMNS = [
    "job_id",
    "workload",
    "gang",
    "ready_s",
    "wait_s",
    "start_s",
    "end_s",
    "deadline_s",
    "state",
]
_UNUSED = {"preempt": "nobody", "repatriate": "stay"}
"""Policies that do nothing, and are not worth a word."""


def summary(run: Run) -> str:
    """Render utilization, waits by workload, bursts, what bad weather did, and spend by line."""
    held = Held(run)
    parts = [_title(run), _resources(run), _workloads(run, held), weathering(run, held), _spend(run)]
    return "\n\n".join(part for part in parts if part)


def _title(run: Run) -> str:
    description = run.description
    scenario, trace, counts = description["scenario"], description["trace"], description["jobs"]
    start = datetime.fromisoformat(trace["epoch"])
    end = start + timedelta(seconds=run.end_s)
    days = run.end_s / DAY_S
    policy = [f"{seam} {name}" for seam, name in scenario["policy"].items() if name != _UNUSED.get(seam)]
    bound = f", bound {scenario['bound']}" if scenario["bound"] != "none" else ""
    states = [f"{count:,} {state}" for state, count in counts.items() if count or state != "killed"]
    return "\n".join(
        [
            f"{scenario['name']}: {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {days:.1f} days",
            f"policy: {', '.join(policy)}{bound}",
            f"jobs: {trace['jobs']:,} = {' + '.join(states)}",
        ]
    )


def _resources(run: Run) -> str:
    states = run.table("states")
    time_s = states.column("time_s").to_numpy()
    rows = []
    for pool in run.description["pools"]:
        busy = device_seconds(time_s, states.column(f"busy_{pool['name']}").to_numpy(), run.end_s)
        share = utilization(busy, run.pools[pool["name"]], run.end_s)
        rows.append(
            [
                pool["name"],
                pool["device"],
                f"{pool['pods']} x {pool['pod_devices']}",
                _hours(busy),
                f"{share:.1%}",
            ]
        )
    for offer in run.description["offers"]:
        level = states.column(f"rented_{offer['name']}").to_numpy()
        held = device_seconds(time_s, level, run.end_s)
        peak = f"peak {level.max() if len(level) else 0:,}"
        rows.append([offer["name"], offer["device"], f"rented, {peak}", _hours(held), ""])
    return table(["resource", "device", "devices", "device-hours held", "utilization"], rows, numbers=(3, 4))


def worked(run: Run, held: Held) -> pa.Table:
    """Return the jobs by job_id, with what they take undisturbed, and with their work on rented devices.

    That is `work_s`, seconds on the devices they had, and `burst_s`, device-seconds.
    """
    jobs = run.table("jobs", _JOB_COLUMNS).sort_by("job_id")
    job_id, burst_s = jobs.column("job_id").to_numpy(), held.rented * (held.end_s - held.start_s)
    jobs = jobs.append_column("work_s", pa.array(held.of_jobs(job_id, held.work // held.devices)))
    return jobs.append_column("burst_s", pa.array(held.of_jobs(job_id, held.devices * burst_s)))


def slowdown(jobs: pa.Table) -> Array:
    """Return the bounded slowdown of those of `worked` that finished."""
    ended = jobs.filter(pc.equal(jobs.column("state").cast("string"), "finished"))
    work_s = numbers(ended, "work_s")
    return bounded_slowdown(numbers(ended, "end_s") - numbers(ended, "ready_s") - work_s, work_s)


def late(jobs: pa.Table, until_s: int) -> tuple[int, int]:
    """Return how many missed their deadline, and how many have one."""
    timed = jobs.filter(pc.is_valid(jobs.column("deadline_s")))
    return int(missed(numbers(timed, "end_s"), numbers(timed, "deadline_s"), until_s).sum()), timed.num_rows


def _workloads(run: Run, held: Held) -> str:
    jobs = worked(run, held)
    words = jobs.column("workload").cast("string")
    names = sorted(pc.unique(words).to_pylist())
    groups = [(name, jobs.filter(pc.equal(words, name))) for name in names]
    if len(groups) > 1:
        groups.append(("all", jobs))
    header = [
        "workload",
        "jobs",
        "wait p50",
        "p95",
        "p99",
        "slowdown mean",
        "p95",
        "burst",
        "burst device-h",
        "missed",
    ]
    return table(header, [_workload(name, table, run.end_s) for name, table in groups], numbers=range(1, 10))


def _workload(name: str, jobs: Any, until_s: int) -> list[str]:
    started = jobs.filter(pc.is_valid(jobs.column("start_s")))
    slow = slowdown(jobs)
    burst_s = numbers(jobs, "burst_s")
    missing, timed = late(jobs, until_s)
    return [
        name,
        f"{jobs.num_rows:,}",
        *(duration(value) for value in percentiles(numbers(started, "wait_s"))),
        f"{slow.mean():.2f}" if len(slow) else "-",
        f"{percentiles(slow)[1]:.2f}" if len(slow) else "-",
        f"{np.count_nonzero(burst_s):,}",
        _hours(burst_s.sum()),
        f"{missing:,} of {timed:,}",
    ]


def _spend(run: Run) -> str:
    notes = [f"assumed of {name}: {figures}" for name, figures in run.description["assumed"].items()]
    return "\n".join([spent(run), *notes])


def numbers(table: pa.Table, name: str) -> Array:
    """Return a numeric column as float64, null as NaN."""
    return np.asarray(table.column(name).cast("float64").to_numpy())


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR_S:,.0f}"


def duration(seconds: float) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if np.isnan(seconds):
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.1f} h"
