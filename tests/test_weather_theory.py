"""Bad weather and preemption against theory: closed formulas, Markov chains, recordings, to the second.

Queues are in units of a mean service of `SERVICE_S` seconds, so that whole seconds do not matter: they are
rounded to either side.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import exp, expm1
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from msgspec.structs import replace
from scipy import stats
from scipy.integrate import quad

from scheduler.engine.storm.checkpoints import daly_s, expected_s
from scheduler.run.directory import Run
from scheduler.run.metrics import device_seconds
from scheduler.scenario import Scenario
from scheduler.stock.stock import stock_of
from scheduler.weather import draw_weather
from tests.build import CATALOG, Row, job, offer, pool, rows, run, scenario, trace
from tests.test_theory import CONFIDENCE, agrees, constant, exponential, two_point
from traces import Trace
from traces.arrays import Array

HOUR_S = 3_600
ENDLESS_S = 10**9
SERVICE_S = 5_000
STRICT = {"backfill": "none", "patience": "never"}
AT_ONCE = {"limit": 10**6, "backoff_s": 0}
"""However often a job is interrupted, it waits again at once."""
FREE = {"interval": "1s"}
"""Checkpoints every second, which cost nothing: whoever is interrupted goes on where it was."""


# machine repair


UP_H, REPAIR_H = 8.0, 2.0
DEVICE: Row = {"of": "device"}
CABINET: Row = {"of": "cabinet", "devices": 2}
POD: Row = {"of": "pod"}


def failing(of: Row, mtbf_h: float = UP_H, repair_h: float = REPAIR_H) -> Row:
    return of | {"mtbf_h": mtbf_h, "repair_h": repair_h}


def level(of: Run, name: str, since_s: int = 0) -> int:
    """Device-seconds, or job-seconds, of a column of states.parquet up to the end of the run."""
    states = of.table("states", ["time_s", name])
    return device_seconds(states.column(0).to_numpy(), states.column(1).to_numpy(), of.end_s, since_s)


@pytest.mark.parametrize(
    ("unit", "devices"),
    [(DEVICE, 1), (CABINET, 2), (POD, 4)],
    ids=["device", "cabinet", "pod"],
)
@pytest.mark.slow
def test_devices_are_up_for_mtbf_over_mtbf_and_mttr(unit: Row, devices: int, tmp_path: Path) -> None:
    """Busy throughout, as endless jobs take whatever is sound. All are up at first, and that is forgotten
    over 40 h: e^-25 is left of it.
    """
    since_s, horizon_h = 40 * HOUR_S, 40 + 160 * devices
    endless = trace(*[job(0, ENDLESS_S, devices)] * (256 // devices))
    shares = []
    for seed in range(10):
        owned = scenario(
            [pool(4, 64, failures=[failing(unit)])],
            policy=STRICT,
            retries=AT_ONCE,
            horizon_h=horizon_h,
            seed=seed,
        )
        done = run(owned, endless, tmp_path / str(seed))
        shares.append([level(done, f"{state}_own", since_s) for state in ("down", "busy")])
    down, busy = np.array(shares).T / (256 * (horizon_h - 40) * HOUR_S)
    assert down + busy == pytest.approx(1)
    agrees(down, REPAIR_H / (UP_H + REPAIR_H))
    agrees(busy, UP_H / (UP_H + REPAIR_H))


IDLE = [job(0, 1, 1)]
BUSY = [job(600 * at, 7_000 + 60 * at, 1 + at % 11, checkpoint_s=900) for at in range(400)]


@pytest.mark.parametrize("jobs", [IDLE, BUSY], ids=["idle", "busy"])
def test_what_is_down_is_what_the_weather_says_second_by_second(jobs: list[Row], tmp_path: Path) -> None:
    """Devices, cabinets and pods fail at once, with gangs of up to three pods on them, or without."""
    failures = [failing(DEVICE, 10, 1), failing(CABINET, 20), failing(POD, 40, 1)]
    of = scenario(
        [pool(4, 3, failures=failures)], policy={"patience": "never"}, retries=AT_ONCE, horizon_h=100
    )
    done = run(of, trace(*jobs), tmp_path)
    assert (done.attempts.outcome == "failed").any() == (jobs is BUSY)
    out = np.zeros((3, 4, done.end_s), bool)
    for row in draw_weather(of, stock_of(of, CATALOG), done.end_s).table.to_pylist():
        first = row["first"]
        out[row["pod"], first : first + row["devices"], row["from_s"] : row["to_s"]] = True
    assert np.array_equal(out.sum((0, 1)), at_each_second(done, "down_own"))
    assert (at_each_second(done, "busy_own") + out.sum((0, 1))).max() <= 12
    held = done.attempts.devices * (done.attempts.end_s - done.attempts.alloc_s)
    assert level(done, "busy_own") == held.sum()
    bears = charged(done)
    assert (bears.get("job", 0), bears["down"]) == (held.sum(), out.sum())
    assert sum(bears.values()) == out.size


def at_each_second(of: Run, name: str) -> Array:
    states = of.table("states", ["time_s", name])
    time_s, levels = (np.append(0, column.to_numpy()) for column in states.columns)
    return levels[np.searchsorted(time_s, np.arange(of.end_s), "right") - 1]


def charged(of: Run) -> dict[str, int]:
    """Device-seconds that the capital of the pools is charged for."""
    spend = of.table("spend").filter(pc.field("line") == "capital").to_pandas()
    hours = spend.groupby("charged_to", observed=True).quantity.sum()
    return {str(whom): round(quantity * HOUR_S) for whom, quantity in hours.items()}


# run times under failures


CHAINS, LINKS, SPARE = 100, 40, 30


def lasting(of: Scenario, work_s: int, folder: Path, chains: int = CHAINS) -> Array:
    """How long each of many jobs takes, one after another in `chains` side by side.

    Who is interrupted goes on at once on a spare device, whose time to failure is as exponential.
    """
    count = chains * LINKS
    before = np.arange(count) - chains
    jobs = Trace.from_columns(
        {
            "submit_s": np.zeros(count, np.int64),
            "runtime_s": np.full(count, work_s),
            "gang": np.ones(count, np.int32),
            "after": [None if row < 0 else [row] for row in before.tolist()],
        }
    )
    done = run(replace(of, horizon_h=3 * LINKS * work_s / HOUR_S), jobs, folder)
    assert (done.jobs.state == "finished").all()
    assert level(done, "queued_jobs") == 0
    return np.asarray(done.jobs.end_s - done.jobs.ready_s)


def saving(mtbf_s: int, *, cost_s: int = 0, seed: int = 1, chains: int = CHAINS, **more: Any) -> Scenario:
    """Devices that fail one by one, and checkpoints; `more` is said of these."""
    failures = failing(DEVICE, mtbf_s / HOUR_S, mtbf_s / HOUR_S / 200)
    return scenario(
        [pool(chains + SPARE, failures=[failures])],
        policy=STRICT,
        checkpoints={"gb_per_device": cost_s, "gbps_per_device": 8.0, **more},
        retries=AT_ONCE,
        seed=seed,
    )


@pytest.mark.slow
def test_without_checkpoints_a_job_takes_until_it_gets_through_at_once(tmp_path: Path) -> None:
    """There is nothing to go on from, and so no restart."""
    mtbf_s = 10 * HOUR_S
    lasted = lasting(saving(mtbf_s, interval="none", restart_s=600), mtbf_s, tmp_path)
    agrees(lasted, expected_s(mtbf_s, mtbf_s, 0, 0, mtbf_s))


@pytest.mark.slow
def test_with_checkpoints_a_job_takes_what_daly_says(tmp_path: Path) -> None:
    """But a job that has no checkpoint yet begins anew, which is no restart: its first segment has none."""
    mtbf_s, work_s, every_s, cost_s, restart_s = 4 * HOUR_S, 6 * HOUR_S, HOUR_S, 300, 1_800
    of = saving(mtbf_s, interval="1h", cost_s=cost_s, restart_s=restart_s)
    first_s = expected_s(every_s + cost_s, every_s + cost_s, 0, 0, mtbf_s)
    rest_s = expected_s(work_s - every_s, every_s, cost_s, restart_s, mtbf_s)
    agrees(lasting(of, work_s, tmp_path), first_s + rest_s)


def test_on_spot_nodes_a_job_boots_and_works_until_it_gets_through_at_once(tmp_path: Path) -> None:
    up_s, work_s, boot_s = 10 * HOUR_S, 8 * HOUR_S, HOUR_S
    reclaim = {"up_h": up_s / HOUR_S, "down_h": up_s / HOUR_S / 200, "notice_s": 0}
    of = scenario(
        offers=[offer("spot", CHAINS + SPARE, boot_s=boot_s, reclaim=reclaim)],
        policy={"patience": "at_once"},
        checkpoints={"interval": "none"},
        retries=AT_ONCE,
    )
    through_s = boot_s + work_s
    agrees(lasting(of, work_s, tmp_path), expected_s(through_s, through_s, 0, 0, up_s))


@pytest.mark.slow
def test_dalys_interval_beats_half_and_double_of_it(tmp_path: Path) -> None:
    mtbf_s, work_s, cost_s, chains = 10 * HOUR_S, 40 * HOUR_S, HOUR_S, 10
    best_s = round(daly_s(mtbf_s, cost_s))
    means: dict[int, list[float]] = {}
    for every_s in (best_s // 2, best_s, 2 * best_s):
        interval = "daly" if every_s == best_s else f"{every_s}s"
        for seed in range(8):
            of = saving(mtbf_s, interval=interval, cost_s=cost_s, seed=seed, chains=chains)
            lasted = lasting(of, work_s, tmp_path / f"{every_s}-{seed}", chains)
            means.setdefault(every_s, []).append(lasted.mean())
        agrees(np.array(means[every_s]), expected_s(work_s, every_s, cost_s, 0, mtbf_s))
    for other_s in (best_s // 2, 2 * best_s):
        longer = np.subtract(means[other_s], means[best_s])
        assert stats.ttest_1samp(longer, 0).confidence_interval(CONFIDENCE).low > 0


# queues


REPLICATIONS, JOBS = 20, 8_000
Service = Callable[[np.random.Generator, int], Array]


def poisson(seed: int, rate: float, service: Service, jobs: int, **more: Array) -> Trace:
    """Jobs of one device that come at a rate, with estimates that are exact."""
    rng = np.random.default_rng([seed, round(100 * rate)])
    gaps = rng.exponential(1 / rate, jobs)
    runtime_s = np.rint(service(rng, jobs) * SERVICE_S).astype(np.int64).clip(1)
    return Trace.from_columns(
        {
            "submit_s": np.rint(np.cumsum(gaps) * SERVICE_S).astype(np.int64),
            "runtime_s": runtime_s,
            "estimate_s": runtime_s,
            "gang": np.ones(jobs, np.int32),
            **more,
        }
    )


def responses(of: Scenario, over: Trace, folder: Path) -> Array:
    """Times from submission to end, by job_id; the first tenth, in which the system fills, is NaN."""
    jobs = run(of, over, folder).table("jobs", ["job_id", "submit_s", "end_s"]).sort_by("job_id")
    times = (jobs.column("end_s").to_numpy() - jobs.column("submit_s").to_numpy()) / SERVICE_S
    times[: len(times) // 10] = np.nan
    return np.asarray(times)


# queues with breakdowns


UP, REPAIR = 4.0, 0.5
"""Mean up-time and time to repair, in mean services. A server fails at the same rate idle or busy."""


@dataclass(frozen=True)
class Breakdowns:
    """A queue at one server that breaks down, with second moments of services and repairs over mean^2."""

    service: Service
    service_moment: float
    repair_sigma: float | None
    repair_moment: float

    def response(self, rate: float) -> float:
        """Mean response under preemptive resume (Avi-Itzhak and Naor, Operations Research 1963, model A).

        It is an M/G/1 queue of completion times: a service and the repairs that fall into it. Who finds
        nobody there may yet find the server down, and waits for the rest of that repair.
        """
        slower = 1 + REPAIR / UP
        repairs = self.repair_moment * REPAIR**2 / UP
        second = self.service_moment * slower**2 + repairs
        return slower + rate * second / (2 * (1 - rate * slower)) + repairs / (2 * slower)


BREAKDOWNS = {
    "M/M/1, exponential repairs": Breakdowns(exponential, 2.0, None, 2.0),
    "M/D/1, repairs all alike": Breakdowns(constant, 1.0, 0.0, 1.0),
    "M/G/1, lognormal repairs": Breakdowns(two_point, 3.25, 0.8, exp(0.8**2)),
}


def breaking(servers: int, seed: int, sigma: float | None = None) -> Scenario:
    hours = SERVICE_S / HOUR_S
    failures = failing(DEVICE, UP * hours, REPAIR * hours) | {"repair_sigma": sigma}
    return scenario(
        [pool(servers, failures=[failures])], policy=STRICT, checkpoints=FREE, retries=AT_ONCE, seed=seed
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["M/M/1, exponential repairs", "M/D/1, repairs all alike", "M/G/1, lognormal repairs"]
)
def test_a_queue_at_a_server_that_breaks_down(name: str, tmp_path: Path) -> None:
    model, rate = BREAKDOWNS[name], 0.4
    found = []
    for seed in range(REPLICATIONS):
        of = breaking(1, seed, model.repair_sigma)
        over = poisson(seed, rate, model.service, JOBS)
        found.append(np.nanmean(responses(of, over, tmp_path / str(seed))))
    agrees(np.array(found), model.response(rate))


@pytest.mark.slow
def test_a_queue_at_three_servers_that_break_down(tmp_path: Path) -> None:
    rate, found = 1.5, []
    for seed in range(REPLICATIONS):
        over = poisson(seed, rate, exponential, JOBS)
        found.append(np.nanmean(responses(breaking(3, seed), over, tmp_path / str(seed))))
    agrees(np.array(found), mean_number(3, rate) / rate)
    assert mean_number(1, 0.5) / 0.5 == pytest.approx(BREAKDOWNS["M/M/1, exponential repairs"].response(0.5))


def mean_number(servers: int, rate: float, most: int = 150) -> float:
    """Mean number in M/M/c with breakdowns (Mitrany and Avi-Itzhak, Operations Research 1968).

    The Markov chain of (jobs there, servers up), cut off at `most` jobs, solved for its steady state.
    """
    number, up = (grid.ravel() for grid in np.mgrid[0:most, 0 : servers + 1])
    moves = np.zeros((len(number), len(number)))
    for more, more_up, at_rate in (
        (1, 0, np.where(number < most - 1, rate, 0)),
        (-1, 0, np.minimum(number, up)),
        (0, -1, up / UP),
        (0, 1, (servers - up) / REPAIR),
    ):
        some = np.flatnonzero(at_rate)
        moves[some, some + more * (servers + 1) + more_up] = at_rate[some]
    balance = (moves - np.diag(moves.sum(1))).T
    balance[0] = 1
    share = np.linalg.solve(balance, np.eye(len(number))[0])
    return float(share @ number)


# preemption


def preempting(order: str, preempt: str) -> Scenario:
    """One device, on which whoever gives way goes on later where it was."""
    return scenario([pool(1)], policy=STRICT | {"order": order, "preempt": preempt}, checkpoints=FREE)


@pytest.mark.slow
def test_two_classes_of_which_one_preempts_the_other(tmp_path: Path) -> None:
    """M/M/1 with preemptive resume (Harchol-Balter, Performance Modeling and Design, 2013, chapter 32)."""
    rate, urgent, mean = 0.7, 0.4, {True: 0.5, False: 1.0}
    found = []
    for seed in range(REPLICATIONS):
        first = np.random.default_rng([seed, 1]).random(JOBS) < urgent
        sizes = np.where(first, mean[True], mean[False])
        over = poisson(seed, rate, partial(scaled, sizes), JOBS, priority=first.astype(np.int8))
        times = responses(preempting("priority:0", "by_priority"), over, tmp_path / str(seed))
        found.append([np.nanmean(times[first]), np.nanmean(times[~first])])
    high, low = rate * urgent * mean[True], rate * (1 - urgent) * mean[False]
    work = {True: high * mean[True], False: low * mean[False]}  # lambda E[S^2] / 2
    urgent_s = mean[True] + work[True] / (1 - high)
    patient_s = (mean[False] + (work[True] + work[False]) / (1 - high - low)) / (1 - high)
    for values, expected in zip(np.array(found).T, (urgent_s, patient_s), strict=True):
        agrees(values, expected)


def scaled(sizes: Array, rng: np.random.Generator, jobs: int) -> Array:
    return sizes * exponential(rng, jobs)


@pytest.mark.slow
def test_the_shortest_remaining_time_first(tmp_path: Path) -> None:
    rate, found = 0.6, []
    for seed in range(REPLICATIONS):
        over = poisson(seed, rate, exponential, JOBS)
        found.append(np.nanmean(responses(preempting("srpt", "by_order"), over, tmp_path / str(seed))))
    agrees(np.array(found), srpt_response(rate))


def srpt_response(rate: float) -> float:
    """Mean response of M/M/1 under SRPT (Schrage and Miller, Operations Research 1966).

    A job of size x first waits for what is left of smaller ones, and of larger ones that are down to x; once
    it has begun, only those smaller than what is left of it hold it up.
    """

    def idle(size: float) -> float:
        return 1 + rate * (exp(-size) * (1 + size) - 1)

    def waits(size: float) -> float:
        smaller = 2 - exp(-size) * (size**2 + 2 * size + 2)
        return rate * (smaller + size**2 * exp(-size)) / (2 * idle(size) ** 2)

    waiting, _ = quad(lambda size: waits(size) * exp(-size), 0, np.inf)
    running, _ = quad(lambda size: exp(-size) / idle(size), 0, np.inf)
    return float(waiting + running)


@pytest.mark.slow
def test_two_queues_by_attained_service(tmp_path: Path) -> None:
    """M/M/1 with two levels, each first come, first served (Kleinrock, Queueing Systems 2, 1976, 4.7).

    Jobs within the threshold meet a queue of services cut off at it. Longer ones wait for all the work that
    they find, and for such services of all that come before they leave.
    """
    rate, threshold = 0.5, 1.0
    order = f"las:{threshold * SERVICE_S / HOUR_S!r}"
    found = []
    for seed in range(REPLICATIONS):
        over = poisson(seed, rate, exponential, JOBS)
        short = over.numpy("runtime_s") <= threshold * SERVICE_S
        times = responses(preempting(order, "by_order"), over, tmp_path / str(seed))
        found.append([np.nanmean(times[short]), np.nanmean(times[~short])])
    within = -expm1(-threshold)
    moment = 2 * (within - threshold * exp(-threshold))
    load = rate * within
    short_s = rate * moment / (2 * (1 - load)) + 1 - threshold * exp(-threshold) / within
    long_s = (rate / (1 - rate) + threshold + 1) / (1 - load)
    for values, expected in zip(np.array(found).T, (short_s, long_s), strict=True):
        agrees(values, expected)


@pytest.mark.parametrize("threshold", ["0", "1e12"])
@pytest.mark.parametrize("backfill", ["none", "easy"])
def test_with_all_in_one_queue_attained_service_is_first_come_first_served(
    threshold: str, backfill: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    runtimes, gangs = rng.integers(1, 900, 1_000).tolist(), rng.integers(1, 13, 1_000).tolist()
    jobs = [job(300 * at, *size) for at, size in enumerate(zip(runtimes, gangs, strict=True))]
    found = []
    for order in ({"order": "fcfs"}, {"order": f"las:{threshold}", "preempt": "by_order"}):
        policy = {"patience": "never", "backfill": backfill, **order}
        done = run(scenario([pool(8, 2)], policy=policy), trace(*jobs), tmp_path / order["order"][:3])
        found.append(rows(done, "attempts", "job_id", "pods", "alloc_s", "end_s", "outcome"))
    assert found[0] == found[1]
    assert done.jobs.wait_s.max() > 0


# recordings


SPOT = Path(__file__).parents[1].parent / "shared" / "data" / "spot"
SMALL = {"metadata": {"gap_seconds": 60}, "data": [2, 2, 0, 1, 3, 3, 1, 2]}


def on_spot(recording: Path, nodes: int, folder: Path, periods: float = 1.5) -> None:
    """Replay an endless job of so many nodes: it runs in all ticks that have as many, and in no others."""
    recorded = json.loads(recording.read_text())
    gap_s, data = recorded["metadata"]["gap_seconds"], np.array(recorded["data"])
    spot = offer("spot", 16, reclaim={"recording": str(recording), "notice_s": 0})
    of = scenario(
        [],
        [spot],
        policy={"patience": "at_once"},
        checkpoints=FREE,
        retries=AT_ONCE,
        horizon_h=periods * len(data) * gap_s / HOUR_S,
    )
    done = run(of, trace(job(0, ENDLESS_S, nodes)), folder)
    second = np.arange(done.end_s) // gap_s % len(data)
    change = np.flatnonzero(np.diff(data[second] >= nodes, prepend=False, append=False))
    attempts = done.attempts.sort_values("alloc_s")
    assert np.array_equal(attempts[["alloc_s", "end_s"]], change.reshape(-1, 2))
    assert attempts.kept_s.sum() == (data[second] >= nodes).sum()


@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_a_spot_job_is_up_as_recorded(nodes: int, tmp_path: Path) -> None:
    recording = tmp_path / "small.json"
    recording.write_text(json.dumps(SMALL))
    on_spot(recording, nodes, tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("availability-us-west-2a_v100_1", 1),
        *(("availability-16node-us-west-2a_v100_1", nodes) for nodes in (1, 9, 16)),
        *(("preemption-4node-us-west-2c_v100_1", nodes) for nodes in (1, 3, 4)),
    ],
)
def test_a_spot_job_is_up_as_measured_in_the_cloud(name: str, nodes: int, tmp_path: Path) -> None:
    recording = SPOT / f"{name}.json"
    if not recording.exists():
        pytest.skip(f"{recording.name} is not at hand")
    on_spot(recording, nodes, tmp_path)


# links


def test_two_bursts_at_once_share_a_link(tmp_path: Path) -> None:
    """10 TB in and 5 TB out at 1 TB a second: alone 10 s and 5 s, together twice that."""
    link = {"name": "line", "gbps": 8_000.0, "offers": ["cloud"]}
    of = scenario([], [offer("cloud")], policy={"patience": "at_once"}, links=[link])
    burst = {"input_tb": 10.0, "output_tb": 5.0}
    two, alone = job(0, 100, 1, **burst), job(1_000, 100, 1, **burst)
    done = run(of, trace(two, two, alone), tmp_path)
    assert rows(done, "attempts", "alloc_s", "start_s", "end_s") == [
        (0, 20, 130),
        (0, 20, 130),
        (1_000, 1_010, 1_115),
    ]
