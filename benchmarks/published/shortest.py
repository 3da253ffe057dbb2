"""Who has least left runs: SRTF, SRSF and LAS by the rules of Tiresias (NSDI 2019) and Muri (SIGCOMM 2022).

Their schedulers take everybody off the cluster at each event, walk the line, and start whoever fits; nobody
blocks anybody. Here the head alone asks others to give way, and whoever comes after fits in beside what
runs, so two schedules may part where a job behind the head would displace one that is further behind still.
Their figures are not at hand, their rules are: what they give is what "published" says in these rows.

Muri's simulator charges a job's start-up at every event, whether it starts or works on. `start_up` switches
that: 0 is without, as here, where a job that gives way and comes back has nothing to load.
"""

from __future__ import annotations

import csv
import gzip
from itertools import product
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.published.runs import schedule
from benchmarks.published.tables import Claim, equal
from traces.arrays import Array

TIRESIAS, MURI = "Tiresias", "Muri"
GPUS = {"tir60": 16, "philly_103959": 24, "philly_ee9e8c": 144, "syn2k": 128}
ORDERS = {"srtf": "srpt", "srsf": "srsf", "las": "las:0.9027777777777778,2"}
LIMITS = (3_250, 7_200)
"""GPU-seconds of service at which a job leaves its queue."""
UNITS = 1_000
"""A second of the run is a millisecond of Muri's, whose times are no whole seconds."""
NODES, NODE_GPUS, MURI_TRACES = 8, 8, ("trace3", "trace3_pr")
SAME = 1e-9
"""Ends within this of each other, relatively, are one event."""


class Counted:
    """An empty cluster in which GPUs are counted, wherever they are."""

    def __init__(self, gpus: int) -> None:
        self._free = gpus

    def takes(self, gang: int) -> bool:
        """Take what a job needs, or say that it does not fit."""
        fits = gang <= self._free
        self._free -= gang * fits
        return fits


class Nodes:
    """An empty cluster of nodes: a job takes the first that has room, or the first that are free."""

    def __init__(self) -> None:
        self._free = [NODE_GPUS] * NODES

    def takes(self, gang: int) -> bool:
        """Take what a job needs, or say that it does not fit."""
        each, count = min(gang, NODE_GPUS), max(1, gang // NODE_GPUS)
        nodes = [node for node, free in enumerate(self._free) if free >= each][:count]
        if len(nodes) == count:
            for node in nodes:
                self._free[node] -= each
        return len(nodes) == count


class Jobs(NamedTuple):
    """Columns of a trace; `start_up_s` is what Muri's simulator charges."""

    submit_s: Array
    gang: Array
    runtime_s: Array
    start_up_s: Array


def tiresias(data: Path) -> list[Claim]:
    """Hold mean completion times against Tiresias' rules, for three policies on four traces."""
    found = []
    for name, gpus in GPUS.items():
        jobs = _jobs(data / "peers" / "cross" / f"{name}.csv.gz")
        for policy, order in ORDERS.items():
            text = f"{policy} on {name}, mean completion, s"
            rule = attained(jobs, gpus) if policy == "las" else remaining(jobs, gpus, policy)
            here = _here(jobs, order, {"devices": gpus, "pods": 1}, 1)
            found.append(equal(TIRESIAS, text, *(f"{value:,.2f}" for value in (_mean(jobs, rule), here))))
    return found


def muri(data: Path) -> list[Claim]:
    """Hold mean completion times against Muri's rules, without start-up and with it."""
    found = []
    for name, policy in product(MURI_TRACES, ("srtf", "srsf")):
        jobs = _jobs(data / "peers" / "muri" / f"{name}.csv.gz")
        pool = {"devices": NODE_GPUS, "pods": NODES}
        here = _here(jobs, ORDERS[policy], pool, UNITS)
        for words, charged in (("nothing to load", False), ("start-up at each event", True)):
            rule = remaining(jobs, None, policy, start_up=charged)
            text = f"{policy} on {name}, {words}, mean completion, s"
            found.append(equal(MURI, text, *(f"{value:,.0f}" for value in (_mean(jobs, rule), here))))
    return found


def remaining(jobs: Jobs, gpus: int | None, policy: str, *, start_up: bool = False) -> Array:
    """Return when each job ends under SRTF, or SRSF, which counts its GPUs; `gpus` None is Muri's nodes."""
    submit, gang, left = jobs.submit_s.tolist(), jobs.gang.tolist(), jobs.runtime_s.tolist()
    lost = jobs.start_up_s.tolist() if start_up else [0.0] * len(submit)
    ends, line, running, now, arrived = [0.0] * len(submit), list[int](), list[int](), 0.0, 0
    while arrived < len(submit) or line:
        events = [now + left[row] for row in running] + submit[arrived : arrived + 1]
        before, now = now, min(events)
        ended = {row for row in running if before + left[row] <= now * (1 + SAME)}
        for row in running:
            left[row] -= max(now - before - lost[row], 0)
            ends[row] = now
        line = [row for row in line if row not in ended]
        while arrived < len(submit) and submit[arrived] <= now:
            line.append(arrived)
            arrived += 1
        line.sort(key=lambda row: left[row] * (gang[row] if policy == "srsf" else 1))
        cluster = Nodes() if gpus is None else Counted(gpus)
        running = [row for row in line if cluster.takes(gang[row])]
    return np.array(ends)


def attained(jobs: Jobs, gpus: int) -> Array:
    """Return when each job ends under LAS with three queues (Tiresias' dlas-gpu)."""
    submit, gang, left = jobs.submit_s.tolist(), jobs.gang.tolist(), jobs.runtime_s.tolist()
    served, ends, now, arrived, alarm = [0.0] * len(submit), [0.0] * len(submit), 0.0, 0, inf
    queues: tuple[list[int], ...] = ([], [], [])
    running: list[int] = []
    while arrived < len(submit) or any(queues):
        events = [*(now + left[row] for row in running), *submit[arrived : arrived + 1], alarm]
        before, now = now, min(events)
        for row in running:
            left[row] -= now - before
            served[row] += (now - before) * gang[row]
            ends[row] = now
        for queue in queues:
            queue[:] = [row for row in queue if left[row] > 0]
        while arrived < len(submit) and submit[arrived] <= now:
            queues[0].append(arrived)
            arrived += 1
        _demote(queues, running, served)
        cluster = Counted(gpus)
        running = [row for queue in queues for row in queue if cluster.takes(gang[row])]
        for queue in queues:
            queue.sort(key=lambda row: row not in running)
        alarm = _next_demotion(queues, running, served, gang, now)
    return np.array(ends)


def _demote(queues: tuple[list[int], ...], running: list[int], served: list[float]) -> None:
    """Move those who have had their limit to the end of the next queue, in order of submission."""
    for row in sorted(running):
        for queue, lower, limit in zip(queues, queues[1:], LIMITS, strict=False):
            if row in queue and served[row] >= limit:
                queue.remove(row)
                lower.append(row)
                break


def _next_demotion(
    queues: tuple[list[int], ...], running: list[int], served: list[float], gang: list[int], now: float
) -> float:
    """Return the next alarm: the peer divides the limit less seconds, not service, by the GPUs."""
    return min(
        (
            max(now + 1, now + (limit - served[row] // gang[row]) // gang[row])
            for queue, limit in zip(queues, LIMITS, strict=False)
            for row in running
            if row in queue
        ),
        default=inf,
    )


def _here(jobs: Jobs, order: str, pool: dict[str, Any], units: int) -> float:
    """Return the mean completion time of the engine, in seconds."""
    policy = {"order": order, "backfill": "greedy", "preempt": "by_order", "place": "first_fit"}
    scenario = {
        "pools": [{"name": "own", "device": "gpu", "span_efficiency": 1.0, **pool}],
        "checkpoints": {"interval": "30d"},  # nobody writes one, but for giving way
        "policy": {**policy, "patience": "never"},
    }
    submit, runtime = (np.round(times * units).astype(np.int64) for times in (jobs.submit_s, jobs.runtime_s))
    return float(schedule(scenario, submit, runtime, jobs.gang).turnaround_s.mean()) / units


def _mean(jobs: Jobs, ends: Array) -> float:
    return float((ends - jobs.submit_s).mean())


def _jobs(file: Path) -> Jobs:
    with gzip.open(file, "rt") as lines:
        rows = list(csv.DictReader(lines))
    submit_s, gang, runtime_s = (
        np.array([float(row[key]) for row in rows]) for key in ("submit_s", "gpus", "duration_s")
    )
    start_up_s = np.array([float(row.get("overhead_s", 0)) for row in rows])
    return Jobs(submit_s, gang.astype(np.int64), runtime_s, start_up_s)
