"""Build or buy: by hand, against a public library, by what must hold, and as a user types it."""

from __future__ import annotations

import re
from dataclasses import asdict, fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy_financial as npf  # type: ignore[import-untyped]
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import triang

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.money.economics import breakeven
from scheduler.money.economics.comparison import Asked, Comparison, compare_owning
from scheduler.money.economics.inputs import EconomicsError, Input, inputs, measured_utilization
from scheduler.money.economics.model import Case, Outcome, cash_flows_usd, outcome
from scheduler.money.economics.montecarlo import (
    at_mid,
    draw_inputs,
    draw_readings,
    quantiles,
    tornado,
    triangular,
)
from scheduler.money.economics.readings import readings
from scheduler.run.directory import Run
from scheduler.scenario import MoneySpec
from tests.build import job, offer, pool, run, scenario, trace
from tests.test_docs import table

HAND = Case(
    owned_pflops=10.0,
    owned_mfu=0.5,
    utilization=0.5,
    capital_usd=1e6,
    life_years=2,
    resale_share=0.1 / 0.81**2,
    discount_rate=0.1,
    operations_share_per_year=0.05,
    busy_kw=10.0,
    idle_kw=4.0,
    pue=1.2,
    usd_per_kwh=0.1,
    usd_per_device_h=2.0,
    rented_pflops=1.0,
    rented_mfu=0.4,
    rented_utilization=0.8,
    decline_per_year=0.19,
    confined_share=0.5,
    confined_premium=0.2,
)
"""10 x 0.5 x 0.5 x 365.25 = 913.125 PFLOP-days a year, for which 57,363.44 USD a year of running costs:
50,000 of operations and 7 kW x 1.2 x 8,766 h x 0.1 = 7,363.44 of power. After two years rents are at 0.81^2
of today's, and so is what the pod is worth; the buyer pays a tenth of its price."""


def amounts(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


cases = st.builds(
    Case,
    owned_pflops=amounts(1, 1e4),
    owned_mfu=amounts(0.1, 0.6),
    utilization=amounts(0.05, 1),
    capital_usd=amounts(1e4, 1e9),
    life_years=st.integers(1, 10),
    resale_share=amounts(0, 1),
    discount_rate=amounts(0, 0.3),
    operations_share_per_year=amounts(0, 0.2),
    busy_kw=amounts(100, 1000),
    idle_kw=amounts(0, 100),
    pue=amounts(1, 2),
    usd_per_kwh=amounts(0, 1),
    usd_per_device_h=amounts(0.1, 100),
    rented_pflops=amounts(0.1, 10),
    rented_mfu=amounts(0.1, 0.6),
    rented_utilization=amounts(0.5, 1),
    decline_per_year=amounts(-0.3, 0.8),
    confined_share=amounts(0.01, 1),
    confined_premium=amounts(0, 2),
)


# By hand


def test_cash_flows_to_the_cent() -> None:
    """Rent today 24 x 2 / (0.4 x 0.8) = 150; at mid-year 0.9 and 0.729 of it, and 1.1 times for the data."""
    paid = [-1_000_000, 135_599.06 - 57_363.44, 109_835.24 - 57_363.44 + 100_000]
    assert cash_flows_usd(HAND) == pytest.approx(paid, abs=0.01)


def test_costs_to_the_cent() -> None:
    found = outcome(HAND)
    assert found.capital_usd_per_pflop_day == pytest.approx(578.86, abs=0.005)  # 1e6 x 1.11 / 2.1 / 913.125
    assert found.operations_usd_per_pflop_day == pytest.approx(54.76, abs=0.005)  # 50,000 / 913.125
    assert found.energy_usd_per_pflop_day == pytest.approx(8.06, abs=0.005)  # 7,363.44 / 913.125
    assert found.owned_usd_per_pflop_day == pytest.approx(641.68, abs=0.005)
    assert found.straight_line_usd_per_pflop_day == pytest.approx(
        555.63, abs=0.005
    )  # (450,000 + 57,363.44) /
    assert found.rented_today_usd_per_pflop_day == pytest.approx(150)
    assert found.rented_usd_per_pflop_day == pytest.approx(135.06, abs=0.005)  # 165 x 1.719 / 2.1
    assert found.npv_usd == pytest.approx(-802_866.96, abs=0.01)
    assert found.payback_years == np.inf
    assert found.breakeven_utilization == pytest.approx(2.4247, abs=5e-5)  # 319.1124 / (135.0643 - 3.456)
    assert found.breakeven_usd_per_device_h == pytest.approx(9.50, abs=0.005)  # 2 x 641.68 / 135.06


def test_capital_is_that_of_the_ledger() -> None:
    """A tile and hour of an ExaPOD of 120, as the page on money works it out."""
    a_day = breakeven.capital_usd_per_pflop_day(capital_usd=400e6, pflops=120, life_years=5)
    assert a_day / 24 == pytest.approx(76.05, abs=0.005)


def test_power_of_idle_hours_is_charged_to_the_busy_ones() -> None:
    cost = breakeven.energy_usd_per_pflop_day(
        busy_kw=3, idle_kw=1, pflops=1, usd_per_kwh=0.1, pue=1, utilization=0.25
    )
    assert cost == pytest.approx(24 * 0.1 * (0.25 * 3 + 0.75 * 1) / 0.25)


@pytest.mark.parametrize(
    ("flows", "years"),
    [
        ([-100, 50, 50], 2),
        ([-100, 40, 80, 10], 1.75),
        ([-100, 40, 50], np.inf),
        ([0, 10], 0),
        ([-100, 200, -150, 60], 0.5),  # the first time
    ],
)
def test_payback(flows: list[float], years: float) -> None:
    assert breakeven.payback_years(cash_flows_usd=np.array(flows)) == years


@pytest.mark.parametrize(("rented", "share"), [(101, 0.7), (36, 2), (1, np.inf), (0.5, np.inf)])
def test_breakeven_utilization(rented: float, share: float) -> None:
    found = breakeven.breakeven_utilization(
        fixed_usd_per_pflop_day=70, variable_usd_per_pflop_day=1, rented_usd_per_pflop_day=rented
    )
    assert found == share


# Against a public library

flows_of_money = st.lists(amounts(-1e6, 1e6), min_size=2, max_size=9)


@given(flows_of_money, amounts(-0.5, 1))
def test_npv_is_that_of_numpy_financial(flows: list[float], rate: float) -> None:
    found = breakeven.npv_usd(cash_flows_usd=np.array(flows), discount_rate=rate)
    assert found == pytest.approx(npf.npv(rate, flows), rel=1e-9, abs=1e-6)


@given(amounts(1, 1e6), st.lists(st.just(0.0) | amounts(1, 1e6), min_size=1, max_size=8), st.integers(0, 4))
def test_irr_is_that_of_numpy_financial(paid: float, back: list[float], years_after: int) -> None:
    """Of an investment and its returns there is one rate at most; years after the last change nothing."""
    assume(sum(back) > paid / 2)
    found = breakeven.irr(cash_flows_usd=np.array([-paid, *back, *[0.0] * years_after]))
    assert found == pytest.approx(npf.irr([-paid, *back]), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("flows", [[-100, 0, 0], [-100, -10], [0, 10], [-100]])
def test_no_rate_of_return(flows: list[float]) -> None:
    assert np.isnan(breakeven.irr(cash_flows_usd=np.array(flows, np.float64)))


def test_of_two_rates_of_return_the_one_nearest_to_zero() -> None:
    """-100 + 230 / v - 132 / v^2 is 0 at v = 1.1 and at 1.2."""
    assert breakeven.irr(cash_flows_usd=np.array([-100.0, 230, -132])) == pytest.approx(0.1)


@given(amounts(0, 1e9), st.integers(1, 20), st.just(0.0) | amounts(1e-6, 0.5), amounts(0, 1))
def test_capital_is_a_payment_of_numpy_financial(paid: float, years: int, rate: float, left: float) -> None:
    found = breakeven.annualized_capital_usd(
        capital_usd=paid, life_years=years, discount_rate=rate, residual_share=left
    )
    assert found == pytest.approx(-npf.pmt(rate, years, paid, -left * paid), rel=1e-6, abs=1e-6)


@given(st.integers(1, 20), amounts(-0.3, 0.5), amounts(-0.5, 0.9))
def test_falling_prices_are_a_sum_over_years(years: int, rate: float, decline: float) -> None:
    assume(abs(rate) > 1e-6 and abs(rate + decline) > 1e-6)
    price = [(1 - decline) ** (year - 0.5) / (1 + rate) ** year for year in range(1, years + 1)]
    level = [1 / (1 + rate) ** year for year in range(1, years + 1)]
    found = breakeven.mean_price_factor(life_years=years, discount_rate=rate, decline_per_year=decline)
    assert found == pytest.approx(sum(price) / sum(level), rel=1e-7)


# What must hold


@given(cases)
def test_levelized_costs_and_cash_flows_say_the_same(case: Case) -> None:
    """The difference per PFLOP-day, over all discounted PFLOP-days, is what owning is worth less."""
    found = outcome(case)
    days = npf.npv(case.discount_rate, [0, *[case.pflop_days_per_year] * int(case.life_years)])
    assert found.npv_usd == pytest.approx(
        -found.difference_usd_per_pflop_day * days, rel=1e-7, abs=1e-7 * float(case.capital_usd)
    )


@given(cases)
def test_at_the_breakeven_both_cost_the_same(case: Case) -> None:
    found = outcome(case)
    assume(np.isfinite(found.breakeven_utilization))
    there = outcome(replace(case, utilization=found.breakeven_utilization))
    assert there.owned_usd_per_pflop_day == pytest.approx(there.rented_usd_per_pflop_day, rel=1e-7)


@given(cases)
def test_at_the_breakeven_rent_both_cost_the_same(case: Case) -> None:
    there = outcome(replace(case, usd_per_device_h=outcome(case).breakeven_usd_per_device_h))
    assert there.owned_usd_per_pflop_day == pytest.approx(there.rented_usd_per_pflop_day, rel=1e-9)


@given(cases)
def test_confined_data_need_make_up_for_nothing_where_the_rent_is_hardly_above_breakeven(case: Case) -> None:
    rent = outcome(replace(case, confined_premium=0.0)).breakeven_usd_per_device_h
    assume(np.isfinite(rent) and rent > 0)
    dearer = replace(case, usd_per_device_h=1.0001 * rent, confined_premium=0.0)
    assert outcome(dearer).breakeven_confined_usd_per_pflop_day == 0


def test_without_confined_data_nothing_makes_up_for_what_owning_costs_more() -> None:
    rent = float(outcome(replace(HAND, confined_premium=0.0)).breakeven_usd_per_device_h)
    found = [
        outcome(replace(HAND, usd_per_device_h=rent * factor, confined_share=share, confined_premium=0.0))
        for factor, share in ((0.999, 0.0), (1.001, 0.0), (0.999, 0.5))
    ]
    assert [float(each.breakeven_confined_usd_per_pflop_day) for each in found[:2]] == [np.inf, 0]
    worth = float(found[2].breakeven_confined_usd_per_pflop_day)
    assert worth == pytest.approx(2 * float(found[2].difference_usd_per_pflop_day))


@given(cases)
def test_the_breakeven_worth_of_confined_data_makes_up_the_difference(case: Case) -> None:
    found, free = outcome(case), outcome(replace(case, confined_premium=0.0))
    makes_up = found.breakeven_confined_usd_per_pflop_day * case.confined_share
    assert makes_up == pytest.approx(max(0.0, float(free.difference_usd_per_pflop_day)), rel=1e-9)


@given(cases)
def test_at_its_rate_of_return_an_investment_is_worth_nothing(case: Case) -> None:
    rate, flows = outcome(case).irr, cash_flows_usd(case)
    assume(-0.8 < float(rate) < 10)
    worth = breakeven.npv_usd(cash_flows_usd=flows, discount_rate=rate)
    scale = float(breakeven.npv_usd(cash_flows_usd=np.abs(flows), discount_rate=rate))
    assert worth == pytest.approx(0, abs=1e-6 * scale)


@given(cases, amounts(1, 3))
def test_a_higher_rent_never_raises_the_breakeven_utilization(case: Case, factor: float) -> None:
    dearer = replace(case, usd_per_device_h=case.usd_per_device_h * factor)
    assert outcome(dearer).breakeven_utilization <= outcome(case).breakeven_utilization


@given(cases, st.integers(1, 5))
def test_a_longer_life_never_raises_the_owned_cost(case: Case, more: int) -> None:
    longer = outcome(replace(case, life_years=case.life_years + more))
    assert float(longer.owned_usd_per_pflop_day) <= float(outcome(case).owned_usd_per_pflop_day) * (1 + 1e-9)
    assert longer.straight_line_usd_per_pflop_day <= outcome(case).straight_line_usd_per_pflop_day


@given(cases, amounts(0.05, 1))
def test_more_utilization_never_raises_the_owned_cost(case: Case, other: float) -> None:
    less, more = (
        outcome(replace(case, utilization=share)) for share in sorted((float(case.utilization), other))
    )
    assert float(more.owned_usd_per_pflop_day) <= float(less.owned_usd_per_pflop_day) * (1 + 1e-9)
    assert more.rented_usd_per_pflop_day == less.rented_usd_per_pflop_day
    assert more.breakeven_utilization == pytest.approx(less.breakeven_utilization, rel=1e-9)


@given(cases, amounts(-0.3, 0.8))
def test_a_steeper_fall_of_rents_never_helps_owning(case: Case, other: float) -> None:
    slow, steep = (
        outcome(replace(case, decline_per_year=share))
        for share in sorted((float(case.decline_per_year), other))
    )
    slack = 1e-9 * float(slow.rented_usd_per_pflop_day)
    assert float(steep.difference_usd_per_pflop_day) >= float(slow.difference_usd_per_pflop_day) - slack
    assert float(steep.breakeven_utilization) >= float(slow.breakeven_utilization) * (1 - 1e-9)
    assert float(steep.payback_years) >= float(slow.payback_years) * (1 - 1e-9)


@given(st.lists(cases, min_size=2, max_size=4))
def test_many_cases_at_once_are_each_of_them(several: list[Case]) -> None:
    columns = {each.name: np.array([getattr(case, each.name) for case in several]) for each in fields(Case)}
    together = outcome(Case(**columns))
    for at, case in enumerate(several):
        alone = outcome(case)
        for figure in fields(Outcome):
            expected = getattr(alone, figure.name)
            found = getattr(together, figure.name)[at]
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True), figure.name


# Draws


def default_inputs(
    *overrides: str, pod: str = "exapod-case-study-ten-cabinets", kind: str = "fsd"
) -> dict[str, Input]:
    """Of the last reading of a pod."""
    catalog = load_catalog()
    reading = readings(catalog, pod)[-1]
    return inputs(catalog, reading, offer="nebius-h100-eu-north1", kind=kind, overrides=overrides)


def drawn_inputs(given_inputs: dict[str, Input], draws: int, seed: int) -> Case:
    return draw_inputs([given_inputs], np.zeros(draws, np.int64), seed)


@pytest.mark.parametrize(("low", "mode", "high"), [(0, 1, 3), (0, 0, 1), (-2, 5, 5), (0.3, 0.375, 0.45)])
def test_triangular_quantiles_are_those_of_scipy(low: float, mode: float, high: float) -> None:
    at = np.linspace(0, 1, 101)
    known = triang(c=(mode - low) / (high - low), loc=low, scale=high - low)
    assert triangular(at, low, mode, high) == pytest.approx(known.ppf(at), abs=1e-9)


def test_draws_lie_one_in_each_slice_of_equal_probability() -> None:
    given_inputs = default_inputs()
    known, drawn = given_inputs["usd_per_device_h"], drawn_inputs(given_inputs, 500, seed=3)
    width = known.high - known.low
    shape = triang(c=(known.mid - known.low) / width, loc=known.low, scale=width)
    slices = np.floor(shape.cdf(drawn.usd_per_device_h) * 500 + 1e-9)
    assert np.unique(slices).size >= 499  # one may fall on an edge


def test_draws_are_whole_years_and_within_their_ranges() -> None:
    given_inputs = default_inputs()
    drawn = drawn_inputs(given_inputs, 2_000, seed=1)
    for name, each in given_inputs.items():
        values = np.asarray(getattr(drawn, name))
        assert values.min() >= each.low
        assert values.max() <= each.high
    assert set(np.unique(drawn.life_years)) == {3, 4, 5, 6, 7}


def test_inputs_are_drawn_independently() -> None:
    given_inputs = default_inputs()
    drawn = asdict(drawn_inputs(given_inputs, 5_000, seed=1))
    uncertain = [values for name, values in drawn.items() if not given_inputs[name].is_certain]
    between = np.corrcoef(uncertain) - np.eye(len(uncertain))
    assert np.abs(between).max() < 0.06  # over four standard errors


def test_a_changed_input_leaves_the_draws_of_the_others() -> None:
    before, after = (
        drawn_inputs(default_inputs(), 200, 1),
        drawn_inputs(default_inputs("pue=1:1:1.1"), 200, 1),
    )
    differ = {
        each.name
        for each in fields(Case)
        if not np.array_equal(getattr(before, each.name), getattr(after, each.name))
    }
    assert differ == {"pue"}
    assert not np.array_equal(drawn_inputs(default_inputs(), 200, 2).pue, before.pue)


def test_without_ranges_every_draw_is_the_point() -> None:
    narrow = default_inputs(*(f"{name}={each.mid}" for name, each in default_inputs().items()))
    point, many = outcome(at_mid(narrow)), outcome(drawn_inputs(narrow, 100, 1))
    for figure in fields(Outcome):
        expected = float(getattr(point, figure.name))
        assert quantiles(getattr(many, figure.name)) == pytest.approx([expected] * 3), figure.name
    assert tornado(narrow) == []


def test_the_share_below_breakeven_is_that_of_the_draws_in_which_owning_is_cheaper() -> None:
    drawn = drawn_inputs(default_inputs(), 1_000, 1)
    needed = np.asarray(outcome(drawn).breakeven_utilization)
    for share in (0.3, 0.6, 0.9):
        there = np.asarray(outcome(replace(drawn, utilization=share)).difference_usd_per_pflop_day)
        assert np.array_equal(needed < share, there < 0)


def test_quantiles_may_be_infinite_and_no_return_is_the_least() -> None:
    assert quantiles(np.array([1, 2, np.inf, np.inf]), (0.25, 0.5, 0.75)) == [1, 2, np.inf]
    assert quantiles(np.array([0.1, np.nan, 0.3]), (0.1, 0.5, 0.9)) == [-np.inf, 0.1, 0.3]


def test_the_tornado_moves_one_input_at_a_time() -> None:
    given_inputs = default_inputs()
    bars = tornado(given_inputs)
    assert [bar.swing for bar in bars] == sorted((bar.swing for bar in bars), reverse=True)
    assert {bar.name for bar in bars} == {name for name, each in given_inputs.items() if not each.is_certain}
    for bar in bars:
        low = outcome(replace(at_mid(given_inputs), **{bar.name: given_inputs[bar.name].low}))
        assert bar.at_low == pytest.approx(low.difference_usd_per_pflop_day)


# Readings


EXAPODS = {
    "article-34": (400e6, 100, 30_000, 9_600),  # USD, PFLOPS, kW busy and idle: 120 tiles of 250 kW and 80 kW
    "article-34-tiles": (400e6, 240, 30_000, 9_600),
    "case-study": (400e6, 1_080, 1_800, 600),
    "case-study-ten-cabinets": (400e6, 10_800, 18_000, 6_000),
    "ai-day": (120 * 244e3, 1_080, 1_800, 600),  # a box of A100s a tile
    "gpu-price": (188e6 / (3_072 * 0.989) * 1_080, 1_080, 1_800, 600),  # that of the H100 island a PFLOPS
}


@pytest.fixture(scope="module")
def asked() -> Comparison:
    return compare_owning(
        load_catalog(), Asked("exapod", "nebius-h100-eu-north1", "fsd"), draws=4_000, seed=1
    )


@pytest.mark.parametrize("key", EXAPODS)
def test_breakeven_by_hand_for_each_reading(asked: Comparison, key: str) -> None:
    """Fixed and variable USD a year of a pod, and what its PFLOP-days would cost rented, year by year."""
    usd, pflops, busy, idle = EXAPODS[key]
    (answer,) = (each for each in asked.answers if each.reading.key == key)
    worth = [1.07**-year for year in range(1, 6)]
    kwh_usd = 8_766 * 1.2 * 0.0861
    fixed = usd / sum(worth) + 0.05 * usd + idle * kwh_usd
    variable = (busy - idle) * kwh_usd
    mfu = answer.inputs["owned_mfu"].mid / answer.inputs["rented_mfu"].mid
    prices = sum(0.724 ** (year - 0.5) * worth[year - 1] for year in range(1, 6)) / sum(worth)
    rented = pflops / 0.989 * mfu / 0.95 * 8_766 * 2.95 * prices * (1 + 0.6 * 0.1)
    needed = fixed / (rented - variable) if rented > variable else np.inf
    assert answer.point.breakeven_utilization == pytest.approx(needed, rel=1e-9)


def test_a_reading_fixes_capital_and_peak_together(asked: Comparison) -> None:
    for number, answer in enumerate(asked.answers):
        here = asked.which == number
        low, high = ((answer.inputs["capital_usd"].low), answer.inputs["capital_usd"].high)
        assert set(np.asarray(asked.draws.owned_pflops)[here]) == {answer.inputs["owned_pflops"].mid}
        assert np.asarray(asked.draws.capital_usd)[here].min() >= low
        assert np.asarray(asked.draws.capital_usd)[here].max() <= high


def test_capital_of_the_readings_is_that_of_their_sources(asked: Comparison) -> None:
    a100 = 31.3e6 / (1_024 * 0.312)
    ranges = {each.reading.key: each.inputs["capital_usd"] for each in asked.answers}
    for key in ("article-34", "article-34-tiles", "case-study", "case-study-ten-cabinets"):
        assert (ranges[key].low, ranges[key].high) == (300e6, 500e6)
    assert ranges["ai-day"].low == pytest.approx(a100 / 6 * 1_080)
    assert ranges["ai-day"].high == pytest.approx(29.28e6)
    assert ranges["gpu-price"].low == pytest.approx(83.4e6 / (1_024 * 2.25) * 1_080)
    assert ranges["gpu-price"].high == pytest.approx(a100 * 1_080)


def test_answers_by_reading_add_up_to_the_overall_one_by_weight(asked: Comparison) -> None:
    assert [each.weight for each in asked.answers] == [1 / 8] * 4 + [1 / 4] * 2
    assert np.bincount(asked.which).tolist() == [500] * 4 + [1_000] * 2
    parts = sum(each.weight * each.cheaper.mean() for each in asked.answers)
    assert parts == pytest.approx(asked.cheaper.mean(), abs=1e-12)
    assert 0 < parts < 1


@given(
    st.lists(st.just(0.0) | amounts(0.01, 10), min_size=6, max_size=6).filter(any),
    st.integers(100, 300),
    st.integers(0, 9),
)
def test_readings_are_drawn_by_weight_to_within_two(weights: list[float], draws: int, seed: int) -> None:
    found = np.bincount(draw_readings(weights, draws, seed), minlength=6)
    share = np.array(weights) / sum(weights)
    assert np.abs(found - draws * share).max() < 2 + 1e-6  # a slice may be cut at either end
    assert not found[share == 0].any()


def test_a_reading_by_itself_answers_as_within_all(asked: Comparison) -> None:
    only = [f"weight.{key}=0" for key in EXAPODS if key != "ai-day"]
    question = Asked("exapod", "nebius-h100-eu-north1", "fsd", overrides=tuple(only))
    alone = compare_owning(load_catalog(), question, draws=4_000, seed=1)
    of = alone.answers[4]
    assert (of.reading.key, of.weight, of.cheaper.size) == ("ai-day", 1, 4_000)
    assert alone.cheaper.mean() == of.cheaper.mean()
    assert of.cheaper.mean() == pytest.approx(asked.answers[4].cheaper.mean(), abs=0.05)
    assert [each.reading.key for each in alone.weighted] == [alone.middle.reading.key] == ["ai-day"]


def test_a_reading_without_weight_is_in_no_overall_figure() -> None:
    output = typed("--set", "weight.article-34=0", "--set", "weight.article-34-tiles=0")[1]
    (row,) = (line for line in output.splitlines() if line.startswith("all readings"))
    assert "1,080 to 10,800" in row and "12,100" not in row
    assert "in - of those" not in output
    assert re.search(r"^article-34 +0.0% .* -  PFLOPS", output, re.MULTILINE)


def test_what_is_set_of_the_pod_is_not_set_of_the_islands_beside() -> None:
    overrides = ("capital_usd=1e6", "pue=1.3", "weight.ai-day=2")
    question = Asked("exapod", "nebius-h100-eu-north1", "fsd", overrides=overrides)
    found = compare_owning(load_catalog(), question, draws=100, seed=1)
    assert {each.inputs["capital_usd"].mid for each in found.answers} == {1e6}
    islands = {each.reading.key: each.inputs for each in found.beside}
    assert islands["h100-island"]["capital_usd"].mid == 188e6
    assert all(each["pue"].mid == 1.3 for each in islands.values())


def test_no_answer_says_never_while_a_reading_says_otherwise() -> None:
    output = typed()[1]
    lines = {line[:23].strip(): line for line in output.splitlines()}
    assert "67%" in lines["case-study-ten-cabinets"] and "never" in lines["article-34"]
    overall = [line for line in output.splitlines() if line.startswith(("all readings", "break-even util"))]
    overall += [line for line in output.splitlines() if line.startswith("payback")]
    assert len(overall) == 3
    for line in overall:
        assert not re.search(r"(?<!to )\bnever\b", line), line


@pytest.mark.parametrize("pod", [key for key in load_catalog().pods if "server" not in key])
def test_every_answer_has_owned_gpu_islands_beside_it(pod: str) -> None:
    found = compare_owning(load_catalog(), Asked(pod, "aws-h100-us-east-1", "fsd"), draws=100, seed=1)
    shown = {each.reading.key for each in (*found.answers, *found.beside)}
    assert {"a100-island", "h100-island", "b200-island", "cortex-island"} <= shown
    assert len(shown) == len(found.answers) + len(found.beside)


def test_low_certainty_ends_the_answer_unless_it_is_set() -> None:
    known = "low certainty of case-study, case-study-ten-cabinets: capital_usd 400,000,000 (article-34)"
    assert known in typed()[1].splitlines()
    assert "capital_usd 400,000,000 (article-34)" not in typed("--set", "capital_usd=1e6")[1]


# Rents and resale


def test_the_range_of_the_decline_is_fitted_to_the_rents_of_the_page() -> None:
    """A random walk of the logarithm: trend from Epoch, variance from the rents, over five years."""
    rows = [(row[0].split("-"), float(row[1])) for row in table("economics.md", "## Rents and resale")]
    points = [(int(year) + (int(month) - 1) / 12, np.log(usd)) for (year, month), usd in rows]
    trend = -0.14 * np.log(10)
    steps = [(late - early, log - before) for (early, before), (late, log) in pairwise(points)]
    variance = np.mean([(rise - trend * years) ** 2 / years for years, rise in steps])
    found = default_inputs()["decline_per_year"]
    for end, side in ((found.low, 1), (found.mid, 0), (found.high, -1)):
        assert end == pytest.approx(1 - np.exp(trend + side * 2 * np.sqrt(variance / 5)), abs=0.006)
    for years, rise in steps:  # the rises of 2025 and 2026 are nothing odd to such a walk
        assert abs(rise - trend * years) < 2 * np.sqrt(variance * years)
    assert found.low < 0


def test_resale_follows_the_rents_of_the_same_draw(asked: Comparison) -> None:
    draws = asked.draws
    decline, life = np.asarray(draws.decline_per_year), np.asarray(draws.life_years, np.int64)
    rents = np.array([np.prod([1 - d] * n) for d, n in zip(decline, life, strict=True)])
    left = np.asarray(asked.result.residual_share)
    assert (left <= np.minimum(1, rents) * (1 + 1e-12)).all()
    assert left == pytest.approx(np.asarray(draws.resale_share) * np.minimum(1, rents))
    steep = np.argsort(decline)
    assert left[steep[:400]].mean() > 3 * left[steep[-400:]].mean()


def test_at_the_decline_of_epoch_a_buyer_of_all_its_worth_leaves_a_fifth_after_five_years() -> None:
    case = replace(HAND, resale_share=1.0, decline_per_year=0.276, life_years=5)
    assert case.residual_share == pytest.approx(10 ** (-0.14 * 5), rel=0.005)
    assert replace(case, decline_per_year=-0.2).residual_share == 1  # never above its price


# Inputs


def test_each_input_is_one_of_the_case_and_orderly() -> None:
    for pod in load_catalog().pods:
        found = default_inputs(pod=pod)
        assert list(found) == [each.name for each in fields(Case)]
        for each in found.values():
            assert each.low <= each.mid <= each.high, each.name
            assert each.meaning
            assert each.source or each.assumed, each.name


def test_hardware_and_prices_are_those_of_the_catalog() -> None:
    catalog = load_catalog()
    tile, h100 = catalog.device("dojo-tile-case-study"), catalog.device("h100")
    case = at_mid(default_inputs(pod="exapod-case-study"))
    assert case.owned_pflops * case.owned_mfu == pytest.approx(120 * tile.rate_pflops("fsd"))
    assert case.rented_pflops * case.rented_mfu == pytest.approx(h100.rate_pflops("fsd"))
    assert (case.busy_kw, case.idle_kw) == (120 * tile.busy_kw, 120 * tile.idle_kw)
    assert case.capital_usd == catalog.pod("exapod-case-study").capital_usd
    assert case.usd_per_device_h == catalog.offer("nebius-h100-eu-north1").usd_per_device_h


def test_the_kind_of_job_decides_the_mfu() -> None:
    tile = load_catalog().device("dojo-tile-case-study")
    for kind in ("fsd.retrain", "optimus", "tenant", "fsdx"):
        case = at_mid(default_inputs(pod="exapod-case-study", kind=kind))
        assert case.owned_pflops * case.owned_mfu == pytest.approx(120 * tile.rate_pflops(kind))


def test_an_override_is_in_the_units_of_the_input_and_takes_its_range() -> None:
    found = default_inputs("capital_usd=1e6:2e6:4e6", "life_years=4")
    capital, life = found["capital_usd"], found["life_years"]
    assert (capital.low, capital.mid, capital.high, capital.source) == (1e6, 2e6, 4e6, "--set")
    assert life.is_certain
    assert not capital.assumed


@pytest.fixture(scope="module")
def half_busy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Of two pools, 4 and 1 devices for 100 s, jobs hold 2 devices throughout and 2 for half the time."""
    folder = tmp_path_factory.mktemp("run") / "half"
    pools = [pool(4, name="large"), pool(1, name="small")]
    return run(scenario(pools), trace(job(0, 100, 2), job(0, 50, 2)), folder)


def test_a_run_gives_its_own_utilization(half_busy: Run) -> None:
    catalog, measured = load_catalog(), measured_utilization(half_busy)
    asked = Asked("exapod-public", "aws-h100-us-east-1", "fsd", measured)
    for each in compare_owning(catalog, asked, draws=100, seed=1).answers:
        found = each.inputs["utilization"]
        assert (found.low, found.mid, found.high) == (0.6, 0.6, 0.6)  # 300 of 500 device-seconds
        assert found.source == f"measured in {half_busy.folder}"


def test_the_simulated_breakeven_is_that_of_the_formula(tmp_path: Path) -> None:
    """Jobs hold 3 of 5 devices throughout; where 60% is the break-even, owning and renting cost the same."""
    power = {"pflops": 5, "usd_per_kwh": 0.1, "pue": 1.5}
    idle = breakeven.energy_usd_per_pflop_day(busy_kw=5 * 0.36, idle_kw=5 * 0.36, **power)
    busy = breakeven.energy_usd_per_pflop_day(busy_kw=5 * 3.6, idle_kw=5 * 3.6, **power)
    rent = breakeven.rented_usd_per_pflop_day(usd_per_device_h=3.6, pflops=1)
    fixed_usd_per_day = 5 * (0.6 * (rent - (busy - idle)) - idle)
    capital_usd = float(fixed_usd_per_day * breakeven.DAYS / (1 / 2 + 0.1))  # over two years, and 10% a year
    capital = breakeven.capital_usd_per_pflop_day(capital_usd=capital_usd, pflops=5, life_years=2)
    operations = breakeven.operations_usd_per_pflop_day(operations_usd_per_year=0.1 * capital_usd, pflops=5)
    assert breakeven.breakeven_utilization(
        fixed_usd_per_pflop_day=capital + operations + idle,
        variable_usd_per_pflop_day=busy - idle,
        rented_usd_per_pflop_day=rent,
    ) == pytest.approx(0.6)

    load = trace(job(0, 86_400, 3))
    money = {"life_years": 2, "operations_share_per_year": 0.1, "usd_per_kwh": 0.1, "pue": 1.5}
    owning = run(scenario([pool(5, capital_usd=capital_usd)], money=money), load, tmp_path / "own")
    renting = run(scenario(offers=[offer("cloud")], policy={"patience": "at_once"}), load, tmp_path / "rent")
    assert renting.spend.usd.sum() == pytest.approx(3 * 24 * 3.6)
    assert owning.spend.usd.sum() == pytest.approx(renting.spend.usd.sum())


def test_mid_is_what_the_ledger_takes_too() -> None:
    ledger, found = MoneySpec(), default_inputs()
    for name in ("life_years", "operations_share_per_year", "usd_per_kwh", "pue"):
        assert found[name].mid == getattr(ledger, name), name
    assert at_mid(found).residual_share == ledger.residual_share


def test_idle_power_is_at_most_busy_power() -> None:
    with pytest.raises(EconomicsError, match="idle_kw = 9e\\+06: must be at most busy_kw, 16200"):
        default_inputs("idle_kw=9e6")


# As a user types it


def typed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["economics", *words], prog_name="exaburst")
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--pod exapod-artcle-34", 'unknown pod "exapod-artcle-34"; did you mean exapod-article-34?'),
        (
            "--offer nebius-h100-eu-north",
            'unknown offer "nebius-h100-eu-north"; did you mean nebius-h100-eu-north1? '
            "Offers of your own need --catalog FILE",
        ),
        (
            "--set utilisation=1",
            '--set "utilisation=1": unknown input "utilisation"; did you mean utilization?',
        ),
        ("--set pue=1.5:1.2:1.6", '--set "pue=1.5:1.2:1.6": low, mid and high must not fall'),
        ("--set utilization=70", '--set "utilization=70": must be from 0.001 to 1'),
        ("--set usd_per_kwh=nan", '--set "usd_per_kwh=nan": must be from 0 to 100'),
        ("--set life_years=4.5", '--set "life_years=4.5": must be whole'),
        ("--set pue=1:2", '--set "pue=1:2": must be a number, or low:mid:high'),
        ("--set pue=low", '--set "pue=low": must be a number, or low:mid:high'),
        ("--set pue", '--set "pue": must be key=value or key=low:mid:high'),
        (
            "--set weight.articl=1",
            '--set "weight.articl=1": unknown reading "articl"; did you mean article-34?',
        ),
        ("--set weight.ai-day=-1", '--set "weight.ai-day=-1": must be a number from 0 to 1e+06'),
        ("--pod h100-island --set weight.h100-island=0", "weights: one at least must be above 0"),
        ("--run nowhere", "nowhere: no such run"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: str, said: str) -> None:
    assert typed(*words.split()) == (2, f"exaburst: {said}\n")


def test_a_run_and_a_given_utilization_exclude_each_other(half_busy: Run) -> None:
    code, output = typed("--run", str(half_busy.folder), "--set", "utilization=0.5")
    assert (code, output) == (
        2,
        "exaburst: utilization: give either --run or --set utilization, not both\n",
    )


def certainly(values: dict[str, float]) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


def test_the_verdict_says_never_and_what_it_would_need() -> None:
    code, output = typed(*certainly(asdict(HAND)))
    assert code == 0
    rows = [line.split() for line in output.splitlines() if line.startswith(("article-34", "ai-day"))]
    assert len(rows) >= 3
    for row in rows[:3]:  # every reading is the same once all is set
        assert row[4:10] == ["642", "135", "never", "(240%)", "0%", *row[9:10]]
    assert "Owning is cheaper in 0% of 10,000 draws" in output


def test_where_nothing_is_uncertain_or_nothing_matters_the_tornado_says_so() -> None:
    certain = certainly(asdict(HAND) | {"confined_premium": 0})
    assert "\nNo input has a range.\n" in typed(*certain)[1]
    assert "0.4 to 0.6" in typed(*certain, "--set", "confined_share=0.4:0.5:0.6")[1]


def test_the_page_lists_inputs_and_columns() -> None:
    found = default_inputs().values()
    listed = [
        (name.strip("`"), unit, meaning)
        for name, _, _, _, unit, meaning in table("economics.md", "## Inputs")
    ]
    assert listed == [(each.name, each.unit, each.meaning) for each in found]
    first, *columns = ((row[0].strip("`"), *row[1:]) for row in table("economics.md", "## The file"))
    assert first[0] == "reading"
    assert columns == [
        (each.name, each.metadata["unit"], each.metadata["meaning"]) for each in fields(Outcome)
    ]


@pytest.mark.parametrize("name", list(default_inputs()))
def test_the_page_gives_the_ranges(name: str) -> None:
    """Those around the catalog's figures as shares of them, "0.75 x"."""
    found = default_inputs()[name]
    (shown,) = (row[1:4] for row in table("economics.md", "## Inputs") if row[0] == f"`{name}`")
    low, mid, high = (cell.removesuffix(" x") for cell in shown)
    scale = found.mid if mid == "catalog" else 1.0
    assert float(low) * scale == pytest.approx(found.low)
    assert float(high) * scale == pytest.approx(found.high)
    assert mid == "catalog" or float(mid) == found.mid


def test_draws_are_written_with_unit_and_meaning(tmp_path: Path) -> None:
    out = tmp_path / "draws.parquet"
    assert typed("--draws", "100", "-o", str(out))[0] == 0
    written = pq.read_table(out)
    assert written.num_rows == 100
    assert written.column_names == ["reading", *(each.name for each in (*fields(Case), *fields(Outcome)))]
    for column in written.schema:
        said = {key.decode(): text.decode() for key, text in column.metadata.items()}
        assert said["meaning"], column.name
        assert said["unit"] or column.name in ("pue", "reading")
    rows = written.to_pydict()
    first = Case(**{each.name: rows[each.name][0] for each in fields(Case)})
    assert rows["npv_usd"][0] == pytest.approx(outcome(first).npv_usd)
    again = tmp_path / "again.parquet"
    typed("--draws", "100", "-o", str(again))
    assert again.read_bytes() == out.read_bytes()


def test_a_kind_without_an_mfu_of_its_own_is_said() -> None:
    assert "in fsd work\n" in typed("--kind", "fsd")[1]
    said = 'in work of kind "fds?x", which has no MFU of its own: the default\n'
    assert said in typed("--kind", "fds\nx")[1]
