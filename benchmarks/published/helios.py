"""FIFO, SJF and QSSF on the virtual clusters of Philly: Hu et al., SC 2021 ("Helios"), figure 13.

The paper's artifact (github.com/S-Lab-System-Group/HeliosArtifact, framework/QSSF Service) has the sizes of
the virtual clusters, the policies and, in plot/result_plot.ipynb, the means that are redone here. Its file
of jobs is not part of it. The public one counts fewer GPUs and shorter runs, so on clusters of the
published sizes hardly anything waits. Submissions are therefore crowded, by a factor for each cluster that
is fitted to one published figure: how long jobs wait under FIFO beside how long they run. What SJF and QSSF
make of it is then open.

SRTF takes whoever has least left, and stops others for it at no cost; the artifact charges 7 to 60 s, and
publishes its mean over all eleven clusters alone. It is run on all but the largest cluster, where it takes
too long.

FIFO and SJF are strict: who does not fit blocks all behind. SJF knows the run times. QSSF, the paper's own
policy, orders by predicted GPU-time; for Philly its predictions are drawn, with the errors found elsewhere.
"""

from __future__ import annotations

from concurrent.futures import Executor
from datetime import UTC, datetime
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
from scipy.stats import rankdata

from benchmarks.published.inputs import replaced
from benchmarks.published.runs import Figures, Task, replay_all
from benchmarks.published.tables import Claim, interval, plainly, ratios, table
from traces.arrays import Array
from traces.trace import Trace

NODE_GPUS = 8
FROM, TO = datetime(2017, 10, 1, tzinfo=UTC), datetime(2017, 12, 1, tzinfo=UTC)
LOADS = np.geomspace(0.35, 1.3, 16)
"""Submissions are crowded so that the jobs would keep such shares of the cluster busy."""
SEEDS = range(1, 6)
ERRORS = ((0.1, 0.0, 0.1), (0.5, 0.1, 0.5), (0.7, 0.5, 1.0), (0.9, 1.0, 10.0), (1.0, 10.0, 100.0))
"""(up to this share of the jobs, least and greatest relative error of their prediction), either way."""
PAPER = "Helios"
NAMES = ("FIFO", "SJF", "QSSF")
FIFO, SJF, QSSF = range(3)
LARGEST = "6214e9"
SRTF_S, SJF_S, FIFO_S = 1_138, 4_731, 56_531
"""Mean waits over all jobs of all eleven clusters."""


class Published(NamedTuple):
    """A virtual cluster in the artifact: nodes, mean run time, and mean wait under `NAMES`, s."""

    nodes: int
    run_s: int
    wait_s: tuple[int, int, int]


PUBLISHED = {
    "6214e9": Published(64, 97_501 - 78_659, (78_659, 4_494, 7_179)),
    "11cb48": Published(16, 82_540 - 74_040, (74_040, 5_944, 12_550)),
    "ee9e8c": Published(64, 243_144 - 127_270, (127_270, 14_619, 16_493)),
    "0e4a51": Published(32, 233_539 - 101_473, (101_473, 36_682, 64_820)),
    "2869ce": Published(16, 70_215 - 21_171, (21_171, 7_344, 9_044)),
    "103959": Published(8, 24_743 - 2_391, (2_391, 932, 867)),
}
"""The six of eleven in which jobs wait for a tenth of their run time or more under FIFO."""


class Redone(NamedTuple):
    """A virtual cluster under the fitted load: mean waits in seconds, under QSSF one for each seed."""

    jobs: int
    load_as_is: float
    load: float
    run_s: float
    fifo_s: float
    sjf_s: float
    qssf_s: Array
    srtf_s: float | None


def redo(philly: Trace, folder: Path, executor: Executor) -> dict[str, Redone]:
    """Fit the loads under FIFO, then run SJF and QSSF under them; `folder` takes the jobs."""
    clusters = {name: of_cluster(philly, name) for name in PUBLISHED}
    tried = replay_all(
        {
            (name, load): _task(name, crowded(trace, load / load_of(trace, name)), "fcfs", folder)
            for name, trace in clusters.items()
            for load in LOADS
        },
        executor,
    )
    fitted = {name: _fitted(name, tried) for name in PUBLISHED}
    jobs = {name: crowded(trace, fitted[name] / load_of(trace, name)) for name, trace in clusters.items()}
    sjf = replay_all({name: _task(name, jobs[name], "sjf", folder) for name in PUBLISHED}, executor)
    qssf = replay_all(
        {
            (name, seed): _task(name, by_service(jobs[name], seed), "sjf", folder)
            for name in PUBLISHED
            for seed in SEEDS
        },
        executor,
    )
    srtf = replay_all(
        {name: _task(name, jobs[name], "srpt", folder) for name in PUBLISHED if name != LARGEST}, executor
    )
    return {
        name: Redone(
            jobs=len(trace),
            load_as_is=load_of(trace, name),
            load=fitted[name],
            run_s=sjf[name].turnaround_s - sjf[name].wait_s,
            fifo_s=tried[name, fitted[name]].wait_s,
            sjf_s=sjf[name].wait_s,
            qssf_s=np.array([qssf[name, seed].wait_s for seed in SEEDS]),
            srtf_s=_not_at_work_s(srtf[name], sjf[name]) if name in srtf else None,
        )
        for name, trace in clusters.items()
    }


def _not_at_work_s(srtf: Figures, sjf: Figures) -> float:
    """Return the mean time that jobs wait, before the first start and whenever they are stopped."""
    return srtf.turnaround_s - (sjf.turnaround_s - sjf.wait_s)


def of_cluster(philly: Trace, name: str) -> Trace:
    """Return the jobs of a virtual cluster in the two months of the paper."""
    first, last = ((moment - philly.epoch).total_seconds() for moment in (FROM, TO))
    submit_s, owner = philly.table.column("submit_s"), philly.table.column("owner").cast("string")
    within = pc.and_(pc.greater_equal(submit_s, first), pc.less(submit_s, last))
    return Trace(philly.table.filter(pc.and_(within, pc.equal(owner, name))))


def load_of(trace: Trace, name: str) -> float:
    """Return the share of the virtual cluster that the jobs would keep busy over the two months."""
    asked = np.dot(trace.numpy("gang"), trace.numpy("runtime_s"))
    return float(asked / (PUBLISHED[name].nodes * NODE_GPUS * (TO - FROM).total_seconds()))


def crowded(trace: Trace, factor: float) -> Trace:
    """Return the jobs submitted so many times as fast, run times unchanged."""
    submit_s = trace.numpy("submit_s")
    return replaced(trace, "submit_s", (submit_s - submit_s.min()) / factor)


def strict(nodes: int, order: str) -> dict[str, Any]:
    """Return the scenario of so many servers of 8 GPUs, on which nobody passes a job that does not fit."""
    pool = {"name": "own", "device": "gpu", "devices": NODE_GPUS, "pods": nodes, "span_efficiency": 1.0}
    policy = {"order": order, "backfill": "none", "patience": "never"}
    return {"name": "helios", "pools": [pool], "policy": policy}


def by_service(trace: Trace, seed: int) -> Trace:
    """Return the jobs with the rank of their predicted GPU-time as estimate, so that `sjf` is QSSF.

    Without backfill and patience an estimate does nothing but order.
    """
    predicted_s = (trace.numpy("runtime_s") * (1 + errors(len(trace), seed))).astype(np.int64)
    return replaced(trace, "estimate_s", rankdata(predicted_s * trace.numpy("gang"), "dense"))


def errors(count: int, seed: int) -> Array:
    """Draw relative errors of predictions, spread as in `ERRORS`."""
    rng = np.random.default_rng(seed)
    upto, least, most = (np.array(column) for column in zip(*ERRORS, strict=True))
    band = np.searchsorted(upto, rng.uniform(size=count))
    return np.asarray(rng.uniform(least[band], most[band]) * rng.choice([-1, 1], count))


def _task(name: str, trace: Trace, order: str, folder: Path) -> Task:
    """Write the jobs down for a run on a virtual cluster of the published size."""
    file = folder / f"{trace.sha256}.parquet"
    trace.write(file)
    scenario = strict(PUBLISHED[name].nodes, order)
    if order == "srpt":
        scenario["policy"] |= {"backfill": "greedy", "preempt": "by_order"}
        scenario["checkpoints"] = {"interval": "30d"}  # nobody writes one, but for giving way
    return Task(scenario, file)


def _fitted(name: str, tried: dict[tuple[str, float], Figures]) -> float:
    """Return the load under which waits under FIFO, over run times, are nearest in ratio to the published."""
    goal = PUBLISHED[name].wait_s[FIFO] / PUBLISHED[name].run_s
    misses = {
        load: abs(log(figures.wait_s / (figures.turnaround_s - figures.wait_s) / goal))
        for (of, load), figures in tried.items()
        if of == name and figures.wait_s > 0
    }
    return min(misses, key=lambda load: misses[load])


def page(redone: dict[str, Redone]) -> str:
    """Return the table of waits."""
    rows = []
    for name, here in redone.items():
        paper = PUBLISHED[name]
        rows.append(
            [
                f"`{name}`",
                f"{here.jobs:,}",
                f"{paper.nodes}",
                f"{here.load_as_is:.0%}",
                f"{here.load:.0%}",
                f"{paper.wait_s[FIFO] / paper.run_s:.2f}",
                f"{here.fifo_s / here.run_s:.2f}",
                f"{paper.wait_s[SJF] / paper.wait_s[FIFO]:.2f}",
                f"{here.sjf_s / here.fifo_s:.2f}",
                f"{paper.wait_s[QSSF] / paper.wait_s[FIFO]:.2f}",
                interval(here.qssf_s / here.fifo_s, ".2f"),
                "" if here.srtf_s is None else f"{here.srtf_s / here.fifo_s:.2f}",
            ]
        )
    header = ["virtual cluster", "jobs", "servers", "load as is", "fitted", "FIFO wait/run", "here"]
    return table([*header, "SJF/FIFO", "here", "QSSF/FIFO", "here", "SRTF/FIFO here"], rows)


def claims(redone: dict[str, Redone]) -> list[Claim]:
    """Hold what was published against what came out."""
    paper = np.array([PUBLISHED[name].wait_s for name in redone])
    here = np.array([(vc.fifo_s, vc.sjf_s, vc.qssf_s.mean()) for vc in redone.values()])
    jobs = np.array([vc.jobs for vc in redone.values()])
    of = f"of {len(jobs)} clusters"
    orders = []
    for less, more in ((SJF, FIFO), (QSSF, FIFO), (SJF, QSSF)):
        published, found = (int((waits[:, less] < waits[:, more]).sum()) for waits in (paper, here))
        text = f"{NAMES[less]} waits less than {NAMES[more]}"
        orders.append(
            Claim(PAPER, text, f"in {published} {of}", f"in {found} {of}", plainly(found >= published))
        )
    beside = []
    for policy in (SJF, QSSF):
        text = f"mean wait, FIFO over {NAMES[policy]}"
        medians = (float(np.median(waits[:, FIFO] / waits[:, policy])) for waits in (paper, here))
        totals = (float(jobs @ waits[:, FIFO] / (jobs @ waits[:, policy])) for waits in (paper, here))
        beside.append(ratios(PAPER, f"{text}, median cluster", *medians))
        beside.append(ratios(PAPER, f"{text}, all jobs", *totals))
    return orders + beside + _srtf_claims(redone)


def _srtf_claims(redone: dict[str, Redone]) -> list[Claim]:
    with_srtf = [(vc.jobs, vc.fifo_s, vc.sjf_s, vc.srtf_s) for vc in redone.values() if vc.srtf_s is not None]
    jobs, fifo_s, sjf_s, srtf_s = np.array(with_srtf).T
    less = int((srtf_s < sjf_s).sum())
    here = f"in {less} of {len(jobs)} clusters"
    totals = jobs @ fifo_s, jobs @ sjf_s, jobs @ srtf_s
    return [
        Claim(PAPER, "SRTF waits less than SJF", "over all jobs", here, plainly(less == len(jobs))),
        ratios(PAPER, "mean wait, SJF over SRTF, all jobs", SJF_S / SRTF_S, totals[1] / totals[2]),
        ratios(PAPER, "mean wait, FIFO over SRTF, all jobs", FIFO_S / SRTF_S, totals[0] / totals[2]),
    ]
