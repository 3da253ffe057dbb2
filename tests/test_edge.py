"""Parked cars: counted by the hour, shards lost and done again, and what is late comes back."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import chi2, norm

from scheduler.catalog import load_catalog
from scheduler.engine.jobs import Job, Shape
from scheduler.live.edge.edge import ParkedCars
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.run.edge_figures import edge_figures
from scheduler.run.edge_worth import loss, most_gb_per_pflop, shard_s, usd_per_device_h
from scheduler.run.spend import adds_up, spend_figures
from scheduler.scenario import EdgeSpec, Scenario, ScenarioError
from tests.build import job, pool, rows, scenario, trace
from tests.worlds import CATALOG
from traces.trace import Trace

Row = dict[str, Any]


def cars(**more: Any) -> Row:
    """Ten cars, always there, of 0.1 PFLOPS in effect; a shard of 36 PFLOP takes six minutes."""
    return {
        "name": "cars",
        "cars": 10,
        "tops": 200,
        "use": 0.5,
        "w": 100,
        "parked_by_hour": [1.0] * 24,
        "wired_share": 1,
        "opt_in": 1,
        "uplink_mbps": 100,
        "usd_per_car_h": 0.2,
        "kinds": ["label"],
        "shard_pflop": 36,
        "shard_gb": 0,
        "deadline_h": 2,
    } | more


def spec(**more: Any) -> EdgeSpec:
    return msgspec.convert(cars(**more), EdgeSpec)


def parked(edge: Row, hours: float = 6) -> Scenario:
    return scenario([pool(4)], policy={"patience": "never"}, horizon_h=hours, edge=[edge])


def run(of: Scenario, over: Trace, folder: Path) -> Run:
    return replay(Setup.of(of, over, CATALOG), folder)


def label(submit_s: int, runtime_s: int, gang: int, **more: Any) -> Row:
    return job(submit_s, runtime_s, gang, kind="label", **more)


def test_work_taken_does_not_come_and_what_is_late_comes_back(tmp_path: Path) -> None:
    """Cars do 100 shards an hour. Of 250 shards 50 are left at the deadline: a fifth of the run time."""
    made = run(parked(cars()), trace(label(0, 4_500, 2), job(0, 60, 1, kind="other")), tmp_path)
    assert sorted(rows(made, "jobs", "submit_s", "kind", "runtime_s", "gang")) == [
        *((0, "other", 60, 1), (7_200, "label", 900, 2))
    ]
    found = made.table("edge").to_pylist()
    assert [(row["done"], row["late"], row["busy_car_h"]) for row in found[:3]] == [
        *((100, 0, 10.0), (100, 50, 10.0), (0, 0, 0.0))
    ]
    assert sum(row["usd"] for row in found) == pytest.approx(20 * 0.2)
    assert sum(row["kwh"] for row in found) == pytest.approx(2.0)
    spent = made.table("spend").to_pylist()
    paid = [row for row in spent if row["line"] == "edge"]
    assert [(row["resource"], row["charged_to"], row["unit"]) for row in paid[:1]] == [
        ("cars", "edge", "car-hour")
    ]
    assert [row["quantity"] for row in paid] == [10.0, 10.0]
    assert sum(row["usd"] for row in paid) == pytest.approx(4.0)
    figures = spend_figures(made)
    assert figures["usd_total"] == pytest.approx(figures["usd_owned"] + 4.0)
    assert adds_up(made)
    assert edge_figures(made) == {
        "edge_pflops:cars": pytest.approx(200 * 36 / (len(found) * 3_600)),
        "edge_share:cars": pytest.approx(2 / 2.5),  # a fifth came back; the other job is of another kind
        "edge_late_share:cars": pytest.approx(50 / 250),
        "edge_usd:cars": pytest.approx(4.0),
        "edge_usd_per_device_h:cars": pytest.approx(2.0),  # 7,200 PFLOP are two hours of a PFLOPS
        "edge_usd_per_h100_h:cars": pytest.approx(2.0 * load_catalog().device("h100").rate_pflops("label")),
        "edge_most_gb_per_pflop:cars": None,  # nothing is rented
    }


def test_a_job_that_others_wait_for_is_not_taken(tmp_path: Path) -> None:
    jobs = trace(label(0, 60, 1, job_id=0), job(10, 60, 1, job_id=1, after=0, kind="other"))
    assert len(rows(run(parked(cars()), jobs, tmp_path), "jobs", "job_id")) == 2


def test_the_trace_that_comes_of_it_gives_the_same_run(tmp_path: Path) -> None:
    of = parked(cars(unplug_per_h=2, replication=2), 24)
    made = run(of, trace(*(label(1_800 * at, 9_000, 2) for at in range(20))), tmp_path / "a")
    again = run(of, Trace.read(made.folder / "trace.parquet"), tmp_path / "b")
    for log in ("jobs", "attempts", "states"):
        assert again.table(log).equals(made.table(log)), log


def test_cars_there_are_binomial_by_the_hour() -> None:
    """Mean and variance of 2,000 hours of 1,000 cars, each there with probability 0.3 (99% intervals)."""
    fleet = _idle(spec(cars=1_000, parked_by_hour=[0.75] * 24, wired_share=0.5, opt_in=0.8), 2_000)
    found = np.array([row["available"] for row in fleet.hours])
    mean, variance = 1_000 * 0.3, 1_000 * 0.3 * 0.7
    assert found.mean() == pytest.approx(mean, abs=norm.ppf(0.995) * (variance / len(found)) ** 0.5)
    low, high = chi2.ppf([0.005, 0.995], len(found) - 1) / (len(found) - 1)
    assert low <= found.var(ddof=1) / variance <= high


def test_lost_are_one_minus_exp_of_hazard_times_length() -> None:
    lossy = spec(unplug_per_h=3.0)
    assert shard_s(lossy) == pytest.approx(360)
    assert loss(lossy) == pytest.approx(1 - exp(-0.3))
    fleet = _busy(lossy, 500)
    lost, done = (sum(row[name] for row in fleet.hours) for name in ("lost", "done"))
    share, tries = loss(lossy), lost + done
    half = norm.ppf(0.995) * (share * (1 - share) / tries) ** 0.5
    assert lost / tries == pytest.approx(share, abs=half)


@pytest.mark.parametrize("replication", [1, 3])
def test_no_shard_is_lost_for_good(replication: int) -> None:
    fleet = _busy(spec(unplug_per_h=1.0, replication=replication), 50)
    done = sum(row["done"] for row in fleet.hours)
    assert fleet.asked == done + fleet.late + fleet.waiting()
    assert min(done, fleet.late) > 0


def _idle(of: EdgeSpec, hours: int) -> ParkedCars:
    fleet = ParkedCars(of, 1, (0, 3_600 * (hours + 1)), 0, 10_000)
    while (now_s := fleet.next_s()) is not None:
        fleet.take(now_s)
    return fleet


def _busy(of: EdgeSpec, hours: int) -> ParkedCars:
    """With 200 shards more each hour, which is more than the cars can do."""
    fleet = ParkedCars(of, 1, (0, 3_600 * (hours + 1)), 0, 10_000)
    shape = Shape([], [], "fsd", "label", "ann")
    while (now_s := fleet.next_s()) is not None:
        fleet.takes(Job(0, 0, now_s - 3_600, 7_200, 7_200, 1, 0, None, None, 0.0, shape))
        fleet.take(now_s)
    return fleet


def test_where_cars_pay() -> None:
    """A PFLOP takes 10 s of a car: at 0.20 USD an hour 2 USD for the work of a device-hour of 1 PFLOPS."""
    assert usd_per_device_h(spec()) == pytest.approx(2.0)
    edge = most_gb_per_pflop(spec(), 3.0)
    assert usd_per_device_h(spec(shard_gb=36 * edge)) == pytest.approx(3.0)
    assert most_gb_per_pflop(spec(), 1.0) < 0


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ScenarioError, match="parked_by_hour"):
        parked(cars(parked_by_hour=[1.0]))
    with pytest.raises(ScenarioError, match='edge: the name "cars" stands for two'):
        scenario([pool(4)], horizon_h=6, edge=[cars(), cars()])
    with pytest.raises(ScenarioError, match="is training, whose gangs talk"):
        parked(cars(kinds=["fsd.retrain"]))
