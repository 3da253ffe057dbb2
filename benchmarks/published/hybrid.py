"""Starburst's own simulator, number by number: table 4 of Luo et al. (USENIX ATC 2024), and its fidelity
runs.

Four nodes of 8 GPUs, fullest node first, single GPUs to rent without limit or start-up; first come, first
served, where compute-wait lets anybody who fits pass. The artifact (github.com/michaelzhiluo/starburst) has
the jobs. Its fidelity runs were made on a real cluster, too; of their 115 jobs the first five and the last
four are not counted.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.published.runs import Schedule, schedule
from benchmarks.published.starburst import PAPER, hybrid
from benchmarks.published.tables import Claim, equal, table
from traces.arrays import Array

NODES, UNITS = 4, 1_000_000
"""A second of the run is a millionth of an hour."""
USD_PER_GPU_H = 2.5
TABLE_4, FIDELITY = "jobs_tab4_s1.0", "jobs_fidelity"
CONSTANT, COMPUTE = "after", "per_work"


class Row(NamedTuple):
    """A way to wait; what was published of it, by the name of the figure."""

    name: str
    patience: str
    backfill: str
    published: dict[str, str]


ROWS = (
    Row(
        "no wait",
        "at_once",
        "none",
        {"rented GPU-h": "304.271", "rent, USD": "760.68", "completion, h": "0.974508"},
    ),
    Row(
        "constant wait",
        f"after:{0.24362703932129168 * UNITS:.0f}",
        "none",
        {"rented GPU-h": "282.221", "wait, h": "0.0516294"},
    ),
    Row(
        "compute-wait 0.078",
        "per_work:0.07805625",
        "greedy",
        {"rented GPU-h": "233.601", "wait, h": "0.0511870"},
    ),
    Row(
        "compute-wait 0.25",
        "per_work:0.25",
        "greedy",
        {"rented GPU-h": "162.686", "wait, h": "0.147425", "completion, h": "1.12193"},
    ),
)
BUDGET = 0.25
"""Of the mean run time, in the fidelity runs."""
ON_CLUSTER = {"no wait and 15 s": (48.30, 48.72), "constant": (37.06, 37.41), "compute-wait": (15.47, 15.94)}
"""Rented GPU-h: published as simulated, and on the real cluster."""


def claims(data: Path) -> list[Claim]:
    """Hold table 4 and the fidelity runs against what comes out, to the last digit published."""
    found = []
    for row in ROWS:
        figures = _figures(*_run(data, TABLE_4, row.patience, row.backfill))
        for figure, value in row.published.items():
            decimals = len(value.partition(".")[2])
            text = f"table 4, {row.name}, {figure}"
            found.append(equal(PAPER, text, value, f"{figures[figure]:.{decimals}f}"))
    return found + [
        equal(PAPER, f"fidelity, {name}, rented GPU-h", f"{ON_CLUSTER[name][0]:.2f}", f"{here:.2f}")
        for name, here in _fidelity(data).items()
    ]


def page(data: Path) -> str:
    """Return the rent of the fidelity runs: here, as simulated there, and on the real cluster."""
    rows = [
        [name, f"{here:.2f}", f"{there:.2f}", f"{real:.2f}", f"{100 * (here / real - 1):+.1f}%"]
        for name, here in _fidelity(data).items()
        for there, real in (ON_CLUSTER[name],)
    ]
    return table(["waits", "here", "their simulator", "real cluster", "here beside it"], rows)


def _fidelity(data: Path) -> dict[str, float]:
    """Return the rented GPU-hours of the fidelity runs, of the jobs that count."""
    _submit_h, runtime_h, gang = _jobs(data, FIDELITY)
    constant = BUDGET * runtime_h.mean()
    waits = {
        "no wait and 15 s": (f"after:{15 / 3_600 * UNITS:.0f}", "none"),
        "constant": (f"{CONSTANT}:{constant * UNITS:.0f}", "none"),
        "compute-wait": (f"{COMPUTE}:{constant / (gang * runtime_h).mean():.9f}", "greedy"),
    }
    counted = slice(5, len(gang) - 4)
    rented = {name: _run(data, FIDELITY, *wait)[0].rented for name, wait in waits.items()}
    return {name: float((gang * runtime_h * those)[counted].sum()) for name, those in rented.items()}


def _run(data: Path, name: str, patience: str, backfill: str) -> tuple[Schedule, Array]:
    """Return the schedule, and the GPU-hours of each job."""
    submit_h, runtime_h, gang = _jobs(data, name)
    submit, runtime = (np.round(hours * UNITS).astype(np.int64) for hours in (submit_h, runtime_h))
    scenario = hybrid(NODES, patience, backfill)
    scenario["policy"]["place"] = "best_fit"
    return schedule(scenario, submit, runtime, gang), runtime_h * gang


def _figures(ran: Schedule, gpu_h: Array) -> dict[str, float]:
    rented_h = float((gpu_h * ran.rented).sum())
    return {
        "rented GPU-h": rented_h,
        "rent, USD": rented_h * USD_PER_GPU_H,
        "wait, h": float(ran.wait_s.mean()) / UNITS,
        "completion, h": float(ran.turnaround_s.mean()) / UNITS,
    }


def _jobs(data: Path, name: str) -> tuple[Array, Array, Array]:
    """Return arrivals and run times in hours, and GPUs."""
    with gzip.open(data / "peers" / "starburst" / f"{name}.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    submit_h, runtime_h, gang = (
        np.array([float(row[key]) for row in rows]) for key in ("arrival_h", "runtime_h", "gpus")
    )
    return submit_h, runtime_h, gang.astype(np.int64)
