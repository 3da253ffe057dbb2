"""All that the scripts of a page draw from: cubes, the Gantt chart, the charts, and the words in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from scheduler.report.colours import workload_colours
from scheduler.report.page import charts, cubes
from scheduler.report.page.gantt import gantt
from scheduler.report.page.groups import Groups, groups, time_steps
from scheduler.run.capacity import owned_levels
from scheduler.run.columns import CHARGED_TO, LINES
from scheduler.run.directory import Run
from scheduler.why.causes import Cause
from scheduler.why.spans import Waits
from traces.arrays import Array
from traces.step_function import means
from traces.trace import Trace

_UNITS = {
    **dict.fromkeys(("held", "rented", "waiting", "waited"), "device-h"),
    **dict.fromkeys(("spent", "charged"), "USD"),
}
"""Of each chart."""
MOST_OWNERS_SHOWN = 20
"""Bars of the chart of spend by owner."""


def drawn(run: Run, attempts: pa.Table, jobs: pa.Table, found: tuple[Waits, Trace] | None) -> dict[str, Any]:
    """Return it as plain data; `attempts` are its `executions`, `jobs` its `worked_jobs`."""
    grouped, edges = groups(run), time_steps(run)
    resources, workloads = _resources(run), sorted({*grouped.workload})
    waited, sizes = cubes.waited(jobs, grouped, edges)
    waiting = None if found is None else cubes.waiting(*found, grouped, edges)
    spent, colours = cubes.spent(run, edges, resources), workload_colours(workloads)
    return {
        "epoch_ms": round(datetime.fromisoformat(run.description["trace"]["epoch"]).timestamp() * 1000),
        "edges": edges.tolist(),
        "groups": {"workload": grouped.workload, "owner": grouped.owner},
        "colours": {word: colours[word] for word in workloads},
        "words": {
            "resource": resources,
            "cause": [cause.word for cause in Cause],
            "line": [*LINES],
            "bearer": [*CHARGED_TO],
            "late": [*cubes.WAITED],
            "size": sizes,
        },
        "pools": len(run.pools),
        "most_owners": MOST_OWNERS_SHOWN,
        "held": cubes.held(attempts, grouped, edges, resources),
        "waiting": waiting,
        "queue": _means(run, edges, ["queued_devices"]),
        "down": _means(run, edges, [f"down_{name}" for name in run.pools]),
        "devices": means(*owned_levels(run), np.array(edges)).tolist(),
        "waited": waited,
        "spent": spent,
        "charged": cubes.charged(attempts, grouped, edges, resources),
        "gantt": gantt(run, attempts, grouped),
        "rows": {},
        "live": {},
        "units": _UNITS,
        "specs": _specs(run, grouped, spent, waiting, sizes),
    }


def _specs(
    run: Run, grouped: Groups, spent: cubes.Cube, waiting: cubes.Cube | None, sizes: list[str]
) -> dict[str, charts.Spec]:
    workloads, resources = sorted({*grouped.workload}), _resources(run)
    causes = sorted({Cause(at) for at in (waiting or {"cause": []})["cause"]})
    return {
        "held": charts.held(workloads),
        "rented": charts.rented(run.offers),
        "waiting": charts.waiting(causes),
        "waited": charts.waited(sizes),
        "spent": charts.spent(
            _lines(spent, resources), [CHARGED_TO[at] for at in sorted({*spent["bearer"]})]
        ),
        "charged": charts.charged(workloads, min(MOST_OWNERS_SHOWN, len({*grouped.owner}))),
    }


def _resources(run: Run) -> list[str]:
    """Return all that the ledger may charge something of."""
    return [*run.pools, *run.offers, *run.sites, *run.fleets]


def _lines(spent: cubes.Cube, resources: list[str]) -> list[str]:
    """Return what was spent on, in the order of pools, offers and lines."""
    names = [*LINES]
    found = sorted({*zip(spent["resource"], spent["line"], strict=True)})
    return [f"{resources[resource]} {names[line]}" for resource, line in found]


def _means(run: Run, edges: Array, columns: list[str]) -> list[float]:
    """Return the mean in each step of some columns of states.parquet together."""
    states = run.table("states", ["time_s", *columns])
    level = np.zeros(states.num_rows, np.int64)
    for name in columns:
        level += states.column(name).to_numpy()
    return [round(value, 3) for value in means(states.column("time_s").to_numpy(), level, edges).tolist()]
