"""Rent against completion time as jobs wait longer before they burst: Luo et al., USENIX ATC 2024.

Starburst, and its artifact (github.com/michaelzhiluo/starburst): 64 servers of 8 V100, first come first
served, anybody who fits may pass; a cloud without limits or start-up. Jobs are drawn from Philly's and come
as a Poisson process (figures 9 and 13), or are Philly's as they came, on clusters of many sizes (figure 7).
A waiting budget of P% lets jobs wait P% of the mean run time on average: all alike (constant-wait), by run
time, by GPUs (resource-wait), or by GPU-time (compute-wait, Starburst's own).

The paper takes only jobs that passed, which the public file does not tell apart, so all are taken. Its cut
of the queue at 30 jobs, `policy.queue_most` here, is left out, so that the ways to wait alone differ.
"""

from __future__ import annotations

from concurrent.futures import Executor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.published.runs import Figures, Task, replay_all
from benchmarks.published.tables import Claim, above_zero, plainly, surely, table
from benchmarks.published.waiting import AT_ONCE, NAMES, beside, patiences, trade
from traces.arrays import Array
from traces.trace import Trace

SERVERS, SERVER_GPUS = 64, 8
LOADS = (0.9, 1.0, 1.25)
"""GPUs that the jobs would keep busy, over GPUs owned."""
FULL = 1.0
"""The load at which all budgets are tried."""
BUDGETS = (10, 25, 50, 100)
CHOSEN = 25
"""The paper's own choice."""
JOBS = 30_000
COUNTED = (0.4, 0.9)
"""The jobs whose figures are taken, in order of submission: the cluster starts empty."""
SEEDS = range(1, 6)
SIZES = (32, 48, 64, 80, 96)
"""Servers under Philly as it came; the paper goes from 16 to 144."""

PAPER = "Starburst"
SAVED, DELAY = (54, 91), 5.8
"""Percent, from the abstract: rent saved by up to these, at this much more completion time at most."""

Case = tuple[float, str, int]
"""(load, way to wait, budget in percent); of those who do not wait the budget is 0."""


def redo_poisson(
    philly: Trace, folder: Path, executor: Executor, jobs: int = JOBS
) -> dict[tuple[Case, int], Figures]:
    """Run every way to wait under the chosen budget at each load, and under every budget at a full one."""
    tasks: dict[tuple[Case, int], Task] = {}
    for load in LOADS:
        for seed in SEEDS:
            trace = resampled(philly, load, jobs, seed)
            file = folder / f"poisson-{load}-{seed}.parquet"
            trace.write(file)
            tasks[(load, AT_ONCE, 0), seed] = Task(hybrid(SERVERS, AT_ONCE), file, COUNTED)
            for budget in BUDGETS if load == FULL else (CHOSEN,):
                for way, patience in patiences(trace, budget).items():
                    tasks[(load, way, budget), seed] = Task(hybrid(SERVERS, patience), file, COUNTED)
    return replay_all(tasks, executor)


def redo_philly(philly: Trace, folder: Path, executor: Executor) -> dict[tuple[int, str], Figures]:
    """Run Philly as it came on clusters of `SIZES`: no wait, constant-wait in strict order, compute-wait."""
    file = folder / "philly.parquet"
    philly.write(file)
    waits = patiences(philly, CHOSEN)
    policies = {
        AT_ONCE: (AT_ONCE, "none"),
        "after": (waits["after"], "none"),
        "per_work": (waits["per_work"], "greedy"),
    }
    tasks = {
        (servers, name): Task(hybrid(servers, *policy), file)
        for servers in SIZES
        for name, policy in policies.items()
    }
    return replay_all(tasks, executor)


def resampled(philly: Trace, load: float, jobs: int, seed: int) -> Trace:
    """Return jobs drawn from Philly's, with replacement, as a Poisson process that loads `SERVERS` so."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(philly), size=jobs)
    work_s = np.dot(philly.numpy("gang"), philly.numpy("runtime_s")) / len(philly)
    gap_s = work_s / (load * SERVERS * SERVER_GPUS)
    submit_s = np.cumsum(rng.exponential(gap_s, jobs)).astype(np.int64)
    columns = {name: philly.numpy(name)[rows] for name in ("runtime_s", "gang")}
    return Trace.from_columns({"submit_s": submit_s, **columns})


def hybrid(servers: int, patience: str, backfill: str = "greedy") -> dict[str, Any]:
    """Return the scenario of so many servers of 8 GPUs, and single GPUs to rent without end."""
    pool = {"name": "own", "device": "gpu", "devices": SERVER_GPUS, "pods": servers, "span_efficiency": 1.0}
    return {
        "name": "starburst",
        "pools": [pool],
        "offers": [{"name": "cloud", "offer": "single-gpu", "quota": 1_000_000}],
        "policy": {"backfill": backfill, "place": "first_fit", "patience": patience},
    }


def budgets_page(figures: dict[tuple[Case, int], Figures]) -> str:
    """Return what each way to wait saves and costs, by load and budget."""
    rows = []
    for load in LOADS:
        for budget in BUDGETS if load == FULL else (CHOSEN,):
            base = (load, AT_ONCE, 0)
            cells = [trade(figures, (load, way, budget), base, "rented_device_h") for way in NAMES]
            rows.append([f"{load:g}", f"{budget}%", *cells])
    return table(["load", "budget", *NAMES.values()], rows)


def sizes_page(figures: dict[tuple[int, str], Figures], philly: Trace) -> str:
    """Return what constant-wait and compute-wait save and cost beside not waiting, by size of the cluster."""
    asked = np.dot(philly.numpy("gang"), philly.numpy("runtime_s")) / np.ptp(philly.numpy("submit_s"))
    rows = []
    for servers in SIZES:
        cells = [f"{saved:.0f}, {slower:+.1f}" for saved, slower in _philly(figures, servers)]
        slowdowns = [f"{figures[servers, name].slowdown:.1f}" for name in ("after", "per_work")]
        rows.append([f"{servers}", f"{asked / (servers * SERVER_GPUS):.2f}", *cells, *slowdowns])
    header = ["servers", "load", "constant-wait", "compute-wait"]
    return table([*header, "slowdown, constant", "slowdown, compute"], rows)


def _philly(figures: dict[tuple[int, str], Figures], servers: int) -> list[tuple[float, float]]:
    """Return (rent saved, completion time lost) in percent, of constant-wait and compute-wait."""
    base = figures[servers, AT_ONCE]
    return [
        (
            100 - 100 * figures[servers, name].rented_device_h / base.rented_device_h,
            100 * figures[servers, name].turnaround_s / base.turnaround_s - 100,
        )
        for name in ("after", "per_work")
    ]


def claims(poisson: dict[tuple[Case, int], Figures], philly: dict[tuple[int, str], Figures]) -> list[Claim]:
    """Hold what was published against what came out."""

    def change(load: float, way: str, budget: int, figure: str = "rented_device_h") -> Array:
        return beside(poisson, (load, way, budget), (load, AT_ONCE, 0), figure)

    settings = sorted({(load, budget) for (load, _way, budget), _seed in poisson if budget})
    less = [change(load, "after", budget) - change(load, "per_work", budget) for load, budget in settings]
    falls = [
        change(FULL, "per_work", small) - change(FULL, "per_work", large)
        for small, large in pairwise(BUDGETS)
    ]
    orders = {
        "compute-wait rents less than constant-wait": less,
        "under compute-wait, a larger budget rents less": falls,
    }
    drawn = [
        100 * (1 - change(load, "per_work", budget).mean())
        for load, budget in settings
        if change(load, "per_work", budget, "turnaround_s").mean() <= 1 + DELAY / 100
    ]
    came = [saved for saved, slower in (_philly(philly, servers)[1] for servers in SIZES) if slower <= DELAY]
    return [
        *(Claim(PAPER, text, "yes", _counted(gains), surely(gains)) for text, gains in orders.items()),
        *(
            Claim(
                PAPER,
                f"most rent saved at {DELAY}% more completion time at most, {jobs}",
                f"{SAVED[0]}% to {SAVED[1]}%",
                f"{max(found):.0f}%",
                plainly(max(found) >= SAVED[0]),
            )
            for jobs, found in (("jobs drawn", drawn), ("Philly as it came", came))
        ),
    ]


def _counted(gains: list[Array]) -> str:
    better, sure = (sum(map(test, gains)) for test in (lambda gain: gain.mean() > 0, above_zero))
    return f"in {better} of {len(gains)} settings, surely in {sure}"
