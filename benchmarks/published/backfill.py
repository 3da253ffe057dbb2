"""What backfilling brings, and what bad estimates do to it: two months of HPC2N, 240 processors.

Mu'alem and Feitelson, IEEE TPDS 12(6), 2001: strict order (FCFS) wastes the machine and backfilling mends
it; EASY and conservative backfilling are much alike, and work better where run times are overestimated.
Tsafrir and Feitelson, IISWC 2006: with estimates drawn evenly from [r, (f + 1) r] for a run time r, waits and
slowdowns fall and then rise again as f grows. Their traces are others; this one is public too.
"""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.published.inputs import replaced
from benchmarks.published.runs import Figures, Task, replay_all
from benchmarks.published.tables import CLOSE, Claim, above_zero, interval, plainly, surely, table
from traces.arrays import Array
from traces.trace import Trace

PROCESSORS = 240
NAMES = {"none": "none: FCFS", "easy": "EASY", "conservative:1000": "conservative"}
FACTORS = (1, 2, 4, 10)
"""Estimates as multiples of the run time."""
BADNESS = (1, 4, 16, 64, 256)
"""f of the drawn estimates."""
SEEDS = range(1, 9)
MUALEM, TSAFRIR = "Mu'alem and Feitelson", "Tsafrir and Feitelson"


class Redone(NamedTuple):
    """Figures by backfill; under EASY and conservative, by factor; under EASY, by f and seed."""

    asked: dict[str, Figures]
    times: dict[tuple[str, int], Figures]
    drawn: dict[tuple[int, int], Figures]


def redo(hpc2n: Trace, folder: Path, executor: Executor) -> Redone:
    """Run the backfills under each kind of estimate."""
    runtime_s = hpc2n.numpy("runtime_s")

    def task(backfill: str, name: str, estimate_s: Array) -> Task:
        file = folder / f"hpc2n-{name}.parquet"
        replaced(hpc2n, "estimate_s", estimate_s).write(file)
        return Task(cluster(backfill), file)

    asked = {name: task(name, "asked", hpc2n.numpy("estimate_s")) for name in NAMES}
    times = {
        (name, factor): task(name, f"times-{factor}", factor * runtime_s)
        for name in ("easy", "conservative:1000")
        for factor in FACTORS
    }
    drawn = {
        (badness, seed): task("easy", f"drawn-{badness}-{seed}", inflated(runtime_s, badness, seed))
        for badness in BADNESS
        for seed in SEEDS
    }
    return Redone(*(replay_all(tasks, executor) for tasks in (asked, times, drawn)))


def inflated(runtime_s: Array, badness: float, seed: int) -> Array:
    """Return estimates drawn evenly from [r, (f + 1) r]."""
    return runtime_s * (1 + badness * np.random.default_rng(seed).uniform(size=len(runtime_s)))


def cluster(backfill: str) -> dict[str, Any]:
    """Return the scenario of the machine, one pod of processors."""
    pool = {"name": "seth", "device": "processor", "devices": PROCESSORS, "pods": 1}
    return {"name": "hpc2n", "pools": [pool], "policy": {"backfill": backfill, "patience": "never"}}


def page(redone: Redone) -> str:
    """Return waits and slowdowns of each run; of drawn estimates the mean over seeds."""
    rows = [["as users asked", NAMES[name], *_shown([at])] for name, at in redone.asked.items()]
    rows += [
        [f"{factor} x run time", NAMES[name], *_shown([at])] for (name, factor), at in redone.times.items()
    ]
    rows += [[f"f = {badness}", "EASY", *_shown(_of(redone, badness))] for badness in BADNESS]
    return table(["estimates", "backfill", "mean wait, s", "mean slowdown"], rows)


def _of(redone: Redone, badness: int) -> list[Figures]:
    return [redone.drawn[badness, seed] for seed in SEEDS]


def _shown(runs: list[Figures]) -> list[str]:
    wait_s, slowdown = (np.array([getattr(run, name) for run in runs]) for name in ("wait_s", "slowdown"))
    if len(runs) == 1:
        return [f"{wait_s[0]:,.0f}", f"{slowdown[0]:.1f}"]
    return [interval(wait_s, ",.0f"), interval(slowdown, ".1f")]


def claims(redone: Redone) -> list[Claim]:
    """Hold what was published against what came out."""
    fcfs, easy, conservative = (redone.asked[name] for name in NAMES)
    alike = conservative.wait_s / easy.wait_s
    exact, twice = (redone.times["easy", factor].wait_s for factor in (1, 2))
    waits = np.array([[run.wait_s for run in _of(redone, badness)] for badness in BADNESS])
    least = int(np.argmin(waits.mean(axis=1)))
    rise = waits[-1] - waits[least]
    return [
        Claim(
            MUALEM,
            "backfilling waits less than FCFS",
            "yes",
            f"{fcfs.wait_s / easy.wait_s:.2f}x less, slowdown {fcfs.slowdown / easy.slowdown:.1f}x less",
            plainly(easy.wait_s < fcfs.wait_s and easy.slowdown < fcfs.slowdown),
        ),
        Claim(
            MUALEM,
            "EASY and conservative are much alike",
            "yes",
            f"conservative waits {alike:.2f}x as long",
            plainly(max(alike, 1 / alike) <= CLOSE),
        ),
        Claim(
            MUALEM,
            "twice the run time as estimate serves EASY better than the run time itself",
            "yes",
            f"waits {exact / twice:.2f}x less",
            plainly(twice < exact),
        ),
        Claim(
            TSAFRIR,
            "waits fall as f leaves 0",
            "yes",
            f"{exact:,.0f} s at 0, {waits[0].mean():,.0f} s at {BADNESS[0]}",
            surely([exact - waits[0]]),
        ),
        Claim(
            TSAFRIR,
            "waits rise again with larger f",
            "yes",
            f"from f = {BADNESS[least]} to {BADNESS[-1]} by {interval(rise, ',.0f')} s",
            "holds" if above_zero(rise) else "not seen",
        ),
    ]
