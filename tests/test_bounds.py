"""What no policy can go below: proven on random clusters, and tight where it must be."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.run.figures import Metrics, measure
from scheduler.scenario import Scenario, run_start_s
from scheduler.study.compare.bounds import Relaxation, relax
from tests import build
from tests.build import job, offer, pool, scenario, trace
from tests.examples import examples
from tests.worlds import CATALOG, scenarios, traces
from traces.trace import Trace

HOUR_S = 3_600
ROUNDING = 1e-6


def figures(of: Scenario, over: Trace, window: tuple[int, int]) -> Metrics:
    with TemporaryDirectory() as folder:
        return measure(build.run(of, over, Path(folder), CATALOG), over, window=window)


def waited_s(found: Metrics) -> float:
    """The sum over the jobs that were not turned away."""
    return float((found["waited_mean_s"] or 0.0) * (found["jobs"] - found["rejected"]))


def none_below(of: Scenario, over: Trace, window: tuple[int, int], until_s: int) -> None:
    """The window, and `until_s`, count from the start of the run."""
    start_s = run_start_s(of, over)
    window, until_s = (start_s + window[0], start_s + window[1]), start_s + until_s
    found = figures(of, over, window)
    assume(found["end_s"] >= until_s)
    bound = relax(of, over, window, until_s, CATALOG)
    usd, wait_s = found["usd_avoidable"], waited_s(found)
    assert bound.least_usd() <= bound.least_usd(wait_s) + ROUNDING * usd
    assert bound.least_usd(wait_s) <= usd * (1 + ROUNDING) + ROUNDING
    assert bound.least_wait_s(usd) <= wait_s * (1 + ROUNDING) + ROUNDING


@settings(max_examples=examples(80), deadline=None)
@given(scenarios(bound="none", horizon_h=200 / HOUR_S), traces(), st.integers(1, 200))
def test_no_policy_goes_below_within_minutes(of: Scenario, over: Trace, to_s: int) -> None:
    none_below(of, over, (0, to_s), 200)


LONG_JOBS = st.lists(
    st.builds(
        job,
        st.integers(0, 24 * HOUR_S),
        st.integers(1, 12 * HOUR_S),
        st.integers(1, 12),
        residency=st.sampled_from(["any", "owned"]),
        input_tb=st.sampled_from([0.0, 300.0]),
    ),
    min_size=1,
    max_size=25,
).map(lambda rows: trace(*sorted(rows, key=lambda row: row["submit_s"])))


@settings(max_examples=examples(80), deadline=None)
@given(scenarios(bound="none", horizon_h=24, shares={}), LONG_JOBS, st.integers(0, 10), st.integers(11, 24))
def test_no_policy_goes_below_in_a_window_of_a_day(of: Scenario, over: Trace, from_h: int, to_h: int) -> None:
    by_hour = replace(of, money=replace(of.money, charge_period="hour"))
    none_below(by_hour, over, (from_h * HOUR_S, to_h * HOUR_S), 24 * HOUR_S)


def program(of: Scenario, over: Trace, hours: float) -> Relaxation:
    end_s = round(hours * HOUR_S)
    return relax(of, over, (0, end_s), end_s, build.CATALOG)


def test_work_that_must_be_rented_has_its_price() -> None:
    """Nothing is owned: 10 devices for an hour at 3.6 USD. Whoever may wait for ever spends nothing."""
    bound = program(scenario([], [offer("cloud")]), trace(job(0, HOUR_S, 10)), 20)
    assert bound.least_usd(0.0) == pytest.approx(36.0, rel=1e-3)
    assert bound.least_usd(20 * HOUR_S) == pytest.approx(0.0, abs=1e-3)
    assert bound.least_wait_s(18.0) == pytest.approx(10 * HOUR_S, rel=0.01)  # half the job is rented for


def test_what_is_owned_and_idle_need_not_be_rented() -> None:
    bound = program(scenario([pool(10)], [offer("cloud")]), trace(job(0, HOUR_S, 10)), 20)
    idle_usd = 10 * 0.36 * 1.2 * 0.0861 * 20
    busy_usd = 10 * (3.6 - 0.36) * 1.2 * 0.0861
    assert bound.least_usd(0.0) == pytest.approx(idle_usd + busy_usd, rel=1e-3)
    assert bound.least_wait_s() == 0.0


def test_too_much_work_at_once_must_wait_or_be_rented_for() -> None:
    """A thousand jobs of 36 s on one device: the k-th waits for 36 k s, 5 hours in the mean; or half are
    rented for, and the others wait for a half of that."""
    over = trace(*(job(0, 36, 1) for _ in range(1_000)))
    bound = program(scenario([pool(1)], [offer("cloud")]), over, 20)
    all_wait_s = sum(36 * at for at in range(1_000))
    assert program(scenario([pool(1)]), over, 20).least_wait_s() == pytest.approx(all_wait_s, rel=0.03)
    half_usd = 500 * 36 * 0.001
    power_usd = 5 * 3.24 * 1.2 * 0.0861
    half_wait_s = sum(36 * at for at in range(500))
    least = bound.least_wait_s(bound.usd_anyhow + half_usd + power_usd)
    assert least == pytest.approx(half_wait_s, rel=0.05)


def test_slots_as_long_as_the_jobs_give_one_slot_away_and_no_more() -> None:
    """Four jobs of an hour at once on one device, in slots of an hour.

    One may have started by the end of the first slot beside the one that runs in it, so that they wait for 0,
    0, 1 and 2 hours; if one is rented for, for 0, 0 and 1; and nobody waits if two are.
    """
    over = trace(*(job(0, HOUR_S, 1) for _ in range(4)))
    bound = program(scenario([pool(1)], [offer("cloud")]), over, 120)
    busy_usd = 3.24 * 1.2 * 0.0861
    assert bound.usd_anyhow == pytest.approx(120 * 0.36 * 1.2 * 0.0861)
    for rented, wait_h in ((0, 3), (1, 1), (2, 0)):
        usd = bound.usd_anyhow + 3.6 * rented + busy_usd * (4 - rented)
        assert bound.least_wait_s(usd) == pytest.approx(wait_h * HOUR_S, rel=1e-5)
        assert bound.least_usd(wait_h * HOUR_S) == pytest.approx(usd, rel=1e-5)


def test_short_jobs_first_waits_least() -> None:
    """100 jobs of 36 s and one of 10 hours on one device: the long one waits for the short ones."""
    over = trace(job(0, 36_000, 1), *(job(0, 36, 1) for _ in range(1_000)))
    bound = program(scenario([pool(1)]), over, 30)
    assert bound.least_wait_s() == pytest.approx(sum(36 * at for at in range(1_001)), rel=0.1)


def test_a_boot_is_waited_for() -> None:
    of = scenario([], [offer("cloud", boot_s=600)])
    bound = program(of, trace(*(job(0, HOUR_S, 1) for _ in range(7))), 100)
    assert bound.least_wait_s() == pytest.approx(7 * 600, rel=1e-3)


def test_commitments_are_paid_anyhow_and_used_for_nothing_more() -> None:
    of = scenario([], [offer("cloud", commitments=[{"devices": 4}])])
    bound = program(of, trace(job(0, HOUR_S, 4)), 2)
    assert bound.least_usd(0.0) == bound.usd_anyhow == pytest.approx(4 * 2 * 3.6)


def test_nobody_meets_an_impossible_budget() -> None:
    of = scenario([], [offer("cloud", boot_s=600)])
    assert isnan(program(of, trace(job(0, HOUR_S, 1)), 2).least_usd(599.0))


def test_no_jobs_cost_idle_power_alone() -> None:
    bound = program(scenario([pool(10)]), trace(job(0, HOUR_S, 11)), 1)  # it fits nowhere
    assert bound.least_usd() == pytest.approx(10 * 0.36 * 1.2 * 0.0861)
    assert bound.least_wait_s() == 0.0
