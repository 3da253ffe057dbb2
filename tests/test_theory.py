"""Queueing theory: waits, delays and utilization against closed formulas, and Little's law to the second.

Times are in units of 1 / 10,000 of a mean service, so that whole seconds do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from scheduler.run.directory import Run
from scheduler.run.metrics import device_seconds
from tests.build import offer, pool, run, scenario
from traces import Trace
from traces.arrays import Array

SERVICE_S = 10_000
"""Mean service."""
REPLICATIONS = 20
CONFIDENCE = 0.99


def erlang_c(servers: int, load: float) -> float:
    """Share of arrivals that wait in M/M/c; `load` is in erlangs."""
    waiting = load**servers / factorial(servers) * servers / (servers - load)
    return waiting / (sum(load**n / factorial(n) for n in range(servers)) + waiting)


def mean_wait_mmc(servers: int, load: float) -> float:
    """Mean wait in M/M/c, in mean services."""
    return erlang_c(servers, load) / (servers - load)


def mean_wait_mg1(load: float, second_moment: float) -> float:
    """Pollaczek and Khinchine's mean wait in M/G/1, in mean services; M/D/1 has a second moment of 1."""
    return load * second_moment / (2 * (1 - load))


def exponential(rng: np.random.Generator, jobs: int) -> Array:
    return rng.exponential(1.0, jobs)


def constant(rng: np.random.Generator, jobs: int) -> Array:
    return np.ones(jobs)


def two_point(rng: np.random.Generator, jobs: int) -> Array:
    """Nine short runs in ten and a long one: mean 1, second moment 3.25."""
    return np.where(rng.random(jobs) < 0.9, 0.5, 5.5)


@dataclass(frozen=True)
class Queue:
    """Poisson arrivals at `servers` devices, with the mean wait (in mean services) that theory gives."""

    servers: int
    utilization: float
    service: Callable[[np.random.Generator, int], Array]
    jobs: int
    wait: float
    delayed: float
    """Share of arrivals that wait."""

    def trace(self, seed: int) -> Trace:
        rng = np.random.default_rng([seed, self.servers])
        gaps = rng.exponential(1 / (self.servers * self.utilization), self.jobs)
        return Trace.from_columns(
            {
                "submit_s": np.rint(np.cumsum(gaps) * SERVICE_S).astype(np.int64),
                "runtime_s": np.rint(self.service(rng, self.jobs) * SERVICE_S).astype(np.int64).clip(1),
                "gang": np.ones(self.jobs, np.int32),
            }
        )


QUEUES = {
    "M/M/1": Queue(1, 0.6, exponential, 15_000, mean_wait_mmc(1, 0.6), 0.6),
    "M/M/3": Queue(3, 0.6, exponential, 25_000, mean_wait_mmc(3, 1.8), erlang_c(3, 1.8)),
    "M/D/1": Queue(1, 0.7, constant, 15_000, mean_wait_mg1(0.7, 1.0), 0.7),
    "M/G/1, two-point": Queue(1, 0.5, two_point, 15_000, mean_wait_mg1(0.5, 3.25), 0.5),
}


@pytest.mark.parametrize(
    "name", [name if name == "M/M/1" else pytest.param(name, marks=pytest.mark.slow) for name in QUEUES]
)
def test_waits_delays_and_utilization_of_a_stable_queue(name: str, tmp_path: Path) -> None:
    queue = QUEUES[name]
    policy, money = {"backfill": "none", "patience": "never"}, {"charge_period": "day"}
    owned = scenario([pool(queue.servers)], policy=policy, money=money)
    found = []
    for seed in range(REPLICATIONS):
        trace = queue.trace(seed)
        found.append(_replication(run(owned, trace, tmp_path / str(seed)), trace, queue.servers))
    theory = (queue.wait, queue.delayed, queue.utilization)
    for values, expected in zip(np.array(found).T, theory, strict=True):
        agrees(values, expected)


def _replication(of: Run, trace: Trace, servers: int) -> list[float]:
    """Mean wait, share of arrivals that wait and utilization, of one run.

    A tenth of the jobs, some 1,500, comes in before the system, which starts empty, is looked at: many times
    the 1 / (1 - sqrt(utilization))^2, about 40, services in which it forgets how it started.
    """
    first = len(trace) // 10
    submit = trace.numpy("submit_s")
    wait = of.table("jobs", ["job_id", "wait_s"]).sort_by("job_id").column("wait_s").to_numpy()[first:]
    states = of.table("states", ["time_s", "busy_own"])
    time, busy = states.column("time_s").to_numpy(), states.column("busy_own").to_numpy()
    since, until = int(submit[first]), int(submit[-1])
    held = _integral(time, busy, until) - _integral(time, busy, since)
    return [wait.mean() / SERVICE_S, (wait > 0).mean(), held / (servers * (until - since))]


def _integral(time: Array, level: Array, until: int) -> int:
    before = time < until
    return device_seconds(time[before], level[before], until)


def agrees(found: Array, expected: float) -> None:
    """The interval over the replications holds what theory gives, and nothing that is 5% off it."""
    half_width = stats.t.ppf((1 + CONFIDENCE) / 2, len(found) - 1) * stats.sem(found)
    off = abs(found.mean() - expected)
    assert off < half_width
    assert off + half_width < 0.05 * expected


def _closed(seed: int, jobs: int = 2_000) -> Trace:
    """Gangs of 1 to 8 at an offered load of 1.1 on 16 devices, with estimates up to twice the run time."""
    rng = np.random.default_rng(seed)
    runtime = rng.integers(1, 1_000, jobs)
    return Trace.from_columns(
        {
            "submit_s": np.sort(rng.integers(0, jobs * 128, jobs)),
            "runtime_s": runtime,
            "estimate_s": runtime * rng.integers(1, 3, jobs),
            "gang": rng.integers(1, 9, jobs),
        }
    )


@pytest.mark.parametrize("backfill", ["none", "greedy", "easy", "conservative:4"])
def test_littles_law_to_the_second_on_owned_pods(backfill: str, tmp_path: Path) -> None:
    owned = scenario([pool(8, pods=2)], policy={"backfill": backfill, "patience": "never"})
    done = run(owned, _closed(1), tmp_path)
    waits = int(done.jobs.wait_s.sum())
    assert waits > 0
    assert _area(done, "queued_jobs") == waits
    assert _area(done, "queued_devices") == int((done.jobs.wait_s * done.jobs.gang).sum())
    held = done.attempts.devices * (done.attempts.end_s - done.attempts.alloc_s)
    assert _area(done, "busy_own") == int(held.sum())


def test_littles_law_to_the_second_with_bursts_that_boot(tmp_path: Path) -> None:
    policy = {"patience": "after:10m"}
    hybrid = scenario([pool(8, pods=2)], [offer("cloud", 24, key="nodes", boot_s=300)], policy=policy)
    done = run(hybrid, _closed(2), tmp_path)
    jobs = done.jobs.merge(done.attempts[["job_id", "alloc_s"]], on="job_id")
    assert 0 < done.attempts.rented.sum() < len(jobs)
    assert _area(done, "queued_jobs") == int((jobs.alloc_s - jobs.ready_s).sum())
    for where, level in (("own", "busy_own"), ("cloud", "rented_cloud")):
        there = done.attempts[done.attempts["where"] == where]
        assert _area(done, level) == int((there.devices * (there.end_s - there.alloc_s)).sum())


def _area(of: Run, level: str) -> int:
    states = of.table("states", ["time_s", level])
    return device_seconds(states.column(0).to_numpy(), states.column(1).to_numpy(), of.end_s)
