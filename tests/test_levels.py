"""Levels over time and break-even as measured: by hand, and against what other logs say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.money.economics.measured import owned, rented
from scheduler.report.figures.policies import unbeaten
from scheduler.run.directory import Run
from scheduler.run.levels import by_hour_of_week, dates, held, held_by, pods_held, steps
from scheduler.run.metrics import device_seconds
from scheduler.scenario import Scenario
from tests import build
from tests.examples import examples
from tests.worlds import CATALOG, scenarios, traces
from traces import Trace
from traces.step_function import means


def test_steps_end_with_the_run() -> None:
    assert steps(0, 250, 100).tolist() == [0, 100, 200, 250]
    assert steps(0, 200, 100).tolist() == [0, 100, 200]


def test_means_of_a_step_function() -> None:
    time_s, level = np.array([10, 15, 15, 30]), np.array([4, 9, 2, 6])
    # 0 until 10, 4 until 15, 2 until 30 (the later row of 15), then 6
    assert means(time_s, level, np.array([0, 10, 20, 40])).tolist() == [0, 3, 4]
    assert means(np.array([]), np.array([]), np.array([0, 10])).tolist() == [0]
    assert means(time_s, level, np.array([0, 10])).tolist() == [0]


@given(scenario=scenarios(), trace=traces())
@settings(max_examples=examples(25), deadline=None)
def test_what_attempts_hold_is_what_states_say(scenario: Scenario, trace: Trace) -> None:
    with TemporaryDirectory() as folder:
        run = build.run(scenario, trace, Path(folder), CATALOG)
        attempts, states = run.attempts, run.states
    edges = steps(run.start_s, max(run.start_s + 1, run.end_s), 37)
    by_place = held_by(attempts, "where", edges)
    columns = {pool: f"busy_{pool}" for pool in run.pools} | {
        offer: f"rented_{offer}" for offer in run.offers
    }
    for name, column in columns.items():
        time_s, level = states.time_s.to_numpy(), states[column].to_numpy()
        logged = means(time_s, level, edges)
        assert np.asarray(by_place.get(name, 0.0 * logged)) == pytest.approx(logged)
        assert logged @ np.diff(edges) == pytest.approx(device_seconds(time_s, level, run.end_s))
    for pool in run.description["pools"]:
        on_pods = pods_held(attempts, pool, edges)
        assert on_pods.max(initial=0) <= pool["pod_devices"] + 1e-9
        assert on_pods.sum(axis=0) == pytest.approx(held(attempts[attempts["where"] == pool["name"]], edges))


def test_a_gang_fills_its_pods_in_order_and_the_last_takes_the_rest(tmp_path: Path) -> None:
    trace = build.trace(build.job(0, 60, 5), build.job(60, 30, 1))
    spec = build.scenario([build.pool(2, 3, span_efficiency=1.0)], policy={"place": "first_fit"})
    run = build.run(spec, trace, tmp_path)
    on_pods = pods_held(run.attempts, run.description["pools"][0], np.array([0, 60, 120]))
    assert sorted(on_pods[:, 0].tolist()) == [1, 2, 2]
    assert sorted(on_pods[:, 1].tolist()) == [0, 0, 0.5]


def tuesday(tmp_path: Path) -> Run:
    """Of 2 devices, one is held from 10:30 to 11:30 and both from 12:00 to 12:30, the end."""
    columns = {"submit_s": [0, 5_400], "runtime_s": [3_600, 1_800], "gang": [1, 2]}
    trace = Trace.from_columns(columns, epoch=datetime(2026, 1, 6, 10, 30, tzinfo=UTC))
    return build.run(build.scenario([build.pool(2)]), trace, tmp_path)


def test_hours_of_the_week_start_at_full_hours_and_count_for_what_there_is(tmp_path: Path) -> None:
    run = tuesday(tmp_path)
    grid = by_hour_of_week(run, "busy_own")
    assert grid[1, 10:13].tolist() == [1, 0.5, 2]
    assert np.isnan(grid).sum() == 7 * 24 - 3
    assert dates(run, np.array([60])).astype(str).tolist() == ["2026-01-06T10:31:00"]


def test_owning_and_renting_as_booked_by_hand(tmp_path: Path) -> None:
    """Two devices at 1 USD an hour of capital each are held for half an hour of one; power is 0.1 USD a kWh.

    Fixed: 1 + 0.36 kW x 0.1; what work adds: (3.6 - 0.36) kW x 0.1. The rented gang of 3 pays for 120 s of
    90 s at 3.6 USD an hour.
    """
    capital_usd = 2 * 5 * 8_766.0
    money = {"operations_share_per_year": 0.0, "usd_per_kwh": 0.1, "pue": 1.0}
    spec = build.scenario(
        [build.pool(2, capital_usd=capital_usd)],
        [build.offer("cloud", key="minutes")],
        money=money,
        horizon_h=1,
    )
    run = build.run(spec, build.trace(build.job(0, 1_800, 2), build.job(0, 90, 3)), tmp_path)
    (pool,), (offer,) = owned(run), rented(run)
    assert tuple(pool) == ("own", pytest.approx(1.036), pytest.approx(0.324), 0.5)
    assert pool.usd(pool.utilization) == pytest.approx(2.396)
    assert pool.usd(pool.utilization) == pytest.approx(run.spend[run.spend.resource == "own"].usd.sum())
    assert tuple(offer) == ("cloud", pytest.approx(4.8), pytest.approx(270 / 3_600))
    assert pool.breakeven(offer.usd) == pytest.approx(1.036 / (4.8 - 0.324))
    assert pool.usd(pool.breakeven(offer.usd)) == pytest.approx(offer.usd)


def test_what_a_killed_job_did_is_paid_for_and_counts_for_nothing(tmp_path: Path) -> None:
    """Of two devices one works for an hour, the other for half of one until its job is killed.

    An hour of work is done in 1.5 device-hours, so that a device gets two thirds of an hour done in one.
    """
    pools, money = [build.pool(2, capital_usd=2 * 5 * 8_766.0)], {"operations_share_per_year": 0.0}
    spec = build.scenario(pools, kill="estimate", horizon_h=1, money=money | {"usd_per_kwh": 0.0})
    jobs = build.trace(build.job(0, 3_600, 1), build.job(0, 3_600, 1, estimate_s=1_800))
    (pool,) = owned(build.run(spec, jobs, tmp_path))
    assert tuple(pool) == ("own", pytest.approx(1.5), 0.0, 0.75)  # each costs 1 USD an hour, and no power
    assert pool.usd(pool.utilization) == pytest.approx(2.0)


def test_rent_of_a_killed_job_is_borne_by_the_work_of_the_others(tmp_path: Path) -> None:
    """Two devices work for an hour at 3.6 USD each, and two for half of one until their job is killed."""
    spec = build.scenario([], [build.offer("cloud")], kill="estimate")
    jobs = build.trace(build.job(0, 3_600, 2), build.job(0, 3_600, 2, estimate_s=1_800))
    run = build.run(spec, jobs, tmp_path / "some")
    (offer,) = rented(run)
    assert tuple(offer) == ("cloud", pytest.approx(3 * 3.6 / 2), pytest.approx(2.0))
    run = build.run(spec, build.trace(build.job(0, 3_600, 2, estimate_s=1_800)), tmp_path / "none")
    assert (rented(run), owned(run)) == ([], [])  # all of it was in vain
    assert run.spend.usd.sum() == pytest.approx(3.6)


@given(scenario=scenarios(horizon_h=None, bound="none"), trace=traces())
@settings(max_examples=examples(25), deadline=None)
def test_at_its_own_utilization_work_costs_what_the_ledger_says(scenario: Scenario, trace: Trace) -> None:
    with TemporaryDirectory() as folder:
        run = build.run(scenario, trace, Path(folder), CATALOG)
        jobs, spend, _ = run.jobs, run.spend, run.attempts  # read while the folder is there
    done = jobs[jobs.state == "finished"]
    work_h = (done.gang * done.runtime_s).groupby(done["where"].astype(str)).sum() / 3_600
    usd = spend[spend.line != "revenue"].groupby(spend.resource.astype(str)).usd.sum()
    constant = not isinstance(scenario.money.usd_per_kwh, tuple)
    for pool in owned(run) if constant else ():
        assert pool.usd(pool.utilization) * work_h[pool.name] == pytest.approx(usd[pool.name])
    for offer in rented(run):
        assert offer.device_h == pytest.approx(work_h[offer.name])
        assert offer.usd * offer.device_h == pytest.approx(usd.get(offer.name, 0.0))


@given(points=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_frontier_is_what_nothing_else_beats(points: list[tuple[int, int]]) -> None:
    found = unbeaten(pd.DataFrame(points, columns=["x", "y"]), "x", "y")
    beaten = {(x, y) for x, y in points if any(a <= x and b <= y and (a, b) != (x, y) for a, b in points)}
    assert list(zip(found.x, found.y, strict=True)) == sorted(set(points) - beaten)
