"""A run as tables that a planner can read; every figure is computed from the logs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow.compute as pc

from scheduler.metrics import bounded_slowdown, device_seconds, missed, percentiles, utilization
from scheduler.money.rates import HOUR_S
from scheduler.report.ledger import spent
from scheduler.report.table import table
from scheduler.run import Run

_JOB_COLUMNS = [
    "workload",
    "submit_s",
    "wait_s",
    "start_s",
    "end_s",
    "deadline_s",
    "state",
    "rented",
    "devices",
]


def summary(run: Run) -> str:
    """Render utilization, waits by workload, bursts, and spend by line."""
    return "\n\n".join([_title(run), _resources(run), _workloads(run), _spend(run)])


def _title(run: Run) -> str:
    description = run.description
    scenario, trace, counts = description["scenario"], description["trace"], description["jobs"]
    start = datetime.fromisoformat(trace["epoch"])
    end = start + timedelta(seconds=run.end_s)
    days = run.end_s / 86_400
    policy = scenario["policy"]
    bound = f", bound {scenario['bound']}" if scenario["bound"] != "none" else ""
    return "\n".join(
        [
            f"{scenario['name']}: {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {days:.1f} days",
            "policy: " + ", ".join(f"{seam} {name}" for seam, name in policy.items()) + bound,
            f"jobs: {trace['jobs']:,} = "
            + " + ".join(f"{count:,} {state}" for state, count in counts.items()),
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


def _workloads(run: Run) -> str:
    jobs = run.table("jobs", _JOB_COLUMNS)
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
    ended = jobs.filter(pc.equal(jobs.column("state").cast("string"), "finished"))
    run_s = _column(ended, "end_s") - _column(ended, "start_s")
    slowdown = bounded_slowdown(_column(ended, "wait_s"), run_s)
    burst = started.filter(pc.fill_null(started.column("rented"), fill_value=False))
    burst_end = np.nan_to_num(_column(burst, "end_s"), nan=until_s)
    burst_s = float(np.sum(_column(burst, "devices") * (burst_end - _column(burst, "start_s"))))
    timed = jobs.filter(pc.is_valid(jobs.column("deadline_s")))
    late = missed(_column(timed, "end_s"), _column(timed, "deadline_s"), until_s)
    return [
        name,
        f"{jobs.num_rows:,}",
        *(_duration(value) for value in percentiles(_column(started, "wait_s"))),
        f"{slowdown.mean():.2f}" if len(slowdown) else "-",
        f"{percentiles(slowdown)[1]:.2f}" if len(slowdown) else "-",
        f"{burst.num_rows:,}",
        _hours(burst_s),
        f"{int(late.sum()):,} of {timed.num_rows:,}",
    ]


def _spend(run: Run) -> str:
    notes = [f"assumed of {name}: {figures}" for name, figures in run.description["assumed"].items()]
    return "\n".join([spent(run), *notes])


def _column(table: Any, name: str) -> Any:
    return table.column(name).cast("float64").to_numpy()


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR_S:,.0f}"


def _duration(seconds: float) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if np.isnan(seconds):
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.1f} h"
