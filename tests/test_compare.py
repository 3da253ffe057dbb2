"""Comparisons: each statistic by hand or by a second computation; intervals hold what they promise."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from math import inf, isnan, nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from scheduler.cli import main
from scheduler.money.ledger.rates import Calendar
from scheduler.report.compare import render
from scheduler.run.directory import Run
from scheduler.run.figures import measure
from scheduler.scenario import parse_scenario
from scheduler.study.cells.log import LogWish
from scheduler.study.cells.workers import Workers
from scheduler.study.compare.compare import Answer, Question, compare_policies, enough, write_answer
from scheduler.study.compare.contest import ContestRow
from scheduler.study.compare.differences import CompareError, compare, direction
from scheduler.study.compare.statistics import (
    MOST_NEEDED,
    Interval,
    bootstrap_interval,
    chance,
    follows,
    holm,
    needed,
    odd,
    p_value,
    paired,
    serial,
    t_interval,
    t_of_draws,
)
from scheduler.study.compare.windows import Window, WindowError, window
from scheduler.study.reference import reference_of
from tests.build import job, offer, pool, run, scenario, trace
from tests.examples import examples
from traces.arrays import Floats
from traces.confidence import BlocksDrawn, halfwidth_of_draws, t_quantile
from traces.trace import Trace
from workloads import Demand, generate

DAY_S, HOUR_S = 86_400, 3_600
MONDAY = Calendar(0)

FEW = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=5, max_size=12)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array)


def of(*values: float) -> Floats:
    return np.array(values, np.float64)


# statistics


def test_the_t_interval_by_hand() -> None:
    """Mean 2.5, s^2 = 5/3, so half = 3.18245 x sqrt(5/12)."""
    found = t_interval(of(1, 2, 3, 4))
    assert found == pytest.approx((2.5 - 3.18245 * sqrt(5 / 12), 2.5 + 3.18245 * sqrt(5 / 12)), rel=1e-5)
    assert all(map(isnan, t_interval(of(1))))


@given(FEW, FEW)
def test_p_and_interval_are_those_of_the_paired_t_test(new: list[float], old: list[float]) -> None:
    size = min(len(new), len(old))
    a, b = of(*new[:size]), of(*old[:size])
    assume(np.ptp(a - b) > 1e-3)
    test = stats.ttest_rel(a, b)
    assert p_value(a - b) == pytest.approx(test.pvalue, rel=1e-9, abs=1e-12)
    assert t_interval(a - b) == pytest.approx(tuple(test.confidence_interval()), rel=1e-6, abs=1e-6)


def test_differences_that_are_all_the_same_leave_no_doubt() -> None:
    assert (p_value(of(3, 3, 3)), p_value(of(0, 0, 0))) == (0.0, 1.0)
    assert bootstrap_interval(of(3, 3, 3, 3, 3)) == (3.0, 3.0)
    assert (needed(of(3, 3, 3)), needed(of(0, 0, 0))) == (2, inf)


def test_the_bootstrap_interval_is_efrons() -> None:
    """His formula once more: percentiles moved by the bias z0 and the acceleration of the jackknife."""
    values = of(1.0, 1.5, 2.0, 2.2, 3.1, 4.0, 4.4, 6.0, 9.5, 17.0)
    draws = np.random.default_rng(7).choice(values, (200_000, len(values))).mean(axis=1)
    z0 = stats.norm.ppf(np.mean(draws < values.mean()) + np.mean(draws == values.mean()) / 2)
    left_out = (values.sum() - values) / (len(values) - 1)
    pull = left_out.mean() - left_out
    acceleration = np.sum(pull**3) / (6 * np.sum(pull**2) ** 1.5)
    z = z0 + stats.norm.ppf([0.025, 0.975])
    expected = np.quantile(draws, stats.norm.cdf(z0 + z / (1 - acceleration * z)))
    assert bootstrap_interval(values) == pytest.approx(tuple(expected), rel=0.02)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert all(map(isnan, bootstrap_interval(values[:4])))


def test_chance_counts_wins_and_half_the_ties() -> None:
    assert chance(of(1, 2, 0, 5)) == pytest.approx((3.5 + 0.5) / 5)
    assert chance(of(-1, -2)) == pytest.approx(0.5 / 3)
    assert isnan(chance(of()))


def test_holm_by_hand() -> None:
    """Ascending .005 x 4, .01 x 3, .03 x 2, .04 x 1, none less than the one before."""
    assert holm(of(0.01, 0.04, 0.03, 0.005)) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(of(0.01, nan, 0.5)) == pytest.approx([0.02, nan, 0.5], nan_ok=True)


@given(P_VALUES)
def test_holm_lies_between_one_claim_and_bonferroni(p: Floats) -> None:
    found = holm(p)
    assert (found >= p).all()
    assert (found <= np.minimum(1.0, len(p) * p) + 1e-15).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


@given(FEW, st.sampled_from([None, 10.0, 1e4]))
def test_so_many_replications_are_needed_and_no_fewer(values: list[float], halfwidth: float | None) -> None:
    data = of(*values)
    width = abs(data.mean()) if halfwidth is None else halfwidth
    assume(np.ptp(data) > 1e-3 and width > np.ptp(data) / 1e6)
    found, sd = needed(data, halfwidth), data.std(ddof=1)

    def half(n: float) -> float:
        return float(stats.t.ppf(0.975, n - 1) * sd / sqrt(n))

    if found == inf:
        assert half(MOST_NEEDED) > width
    else:
        assert half(found) <= width
        assert found == 2 or half(found - 1) > width


TINY = st.sampled_from([0.0, 5e-324, 1e-300, 1e-17, 0.1 + 0.2 - 0.3, 1.0, 3.3, 1e9, 1e150])


@given(TINY, st.lists(st.tuples(TINY, st.sampled_from([-1, 0, 1])), max_size=25))
def test_differences_that_cancel_all_but_for_rounding_are_judged_without_complaint(
    base: float, steps: list[tuple[float, int]]
) -> None:
    """Nothing raises or warns, and no number of replications beyond the limit is named."""
    values = of(*(base + sign * step for step, sign in steps))
    for judge in (t_interval, bootstrap_interval, p_value, chance, odd, serial, follows):
        judge(values)
    assert isnan(needed(values)) or 2 <= needed(values) <= MOST_NEEDED or needed(values) == inf


def test_what_differs_by_rounding_alone_is_the_same() -> None:
    """0.1 + 0.2 is 0.3 but for the last bit; a hundredth of a percent is a difference."""
    assert paired(of(0.1 + 0.2, 1e9), of(0.3, 1e9 + 1e5)).tolist() == [0.0, -1e5]
    assert needed(of(1, -1, 1, -1, 1e-6)) == inf


def test_shapes_that_the_t_interval_does_not_bear() -> None:
    draw = np.random.default_rng(3)
    assert odd(draw.lognormal(0, 2, 30))
    assert not odd(draw.normal(0, 1, 30))
    assert not odd(of(1, 100))


def test_weeks_that_resemble_the_week_before() -> None:
    """1 - sum of squared steps / (2 x squared deviations): for 1, 2, ... 6 that is 1 - 5 / 35."""
    assert serial(of(1, 2, 3, 4, 5, 6)) == pytest.approx(1 - 5 / 35)
    assert follows(of(1, 2, 3, 4, 5, 6))
    assert serial(of(1, -1, 1, -1, 1, -1)) == pytest.approx(1 - 20 / 12)
    assert not follows(of(1, -1, 1, -1, 1, -1))
    draws = np.random.default_rng(5).normal(size=(2_000, 12))
    assert np.mean([follows(row) for row in draws]) == pytest.approx(0.05, abs=0.02)


# tables


def table(**of_policy: dict[str, list[float | None]]) -> pa.Table:
    """Rows of policies: each figure a list with a value a seed."""
    return pa.Table.from_pylist(
        [
            {"policy": policy, "seed": seed, **{name: column[seed] for name, column in figures.items()}}
            for policy, figures in of_policy.items()
            for seed in range(len(next(iter(figures.values()))))
        ]
    )


RESULTS = table(
    old={"waited_mean_s": [10.0, 20.0, 30.0, 40.0], "utilization": [0.5, 0.5, 0.5, None]},
    new={"waited_mean_s": [9.0, 18.0, 27.0, 36.0], "utilization": [0.6, 0.5, 0.4, 0.9]},
)


def test_differences_are_paired_by_seed() -> None:
    wait, used = compare(RESULTS, "old", ["waited_mean_s", "utilization"])
    assert (wait.policy, wait.mean, wait.baseline, wait.difference) == ("new", 22.5, 25.0, -2.5)
    assert wait.change == pytest.approx(-0.1)
    assert wait.t == t_interval(of(-1, -2, -3, -4))
    assert wait.chance == pytest.approx(4.5 / 5)
    assert used.pairs == 3
    assert used.chance == pytest.approx(2 / 4)
    assert [wait.adjusted_p, used.adjusted_p] == pytest.approx(holm(of(wait.p, used.p)).tolist())


def test_the_order_of_rows_does_not_matter_and_the_baseline_turns_the_sign() -> None:
    there = compare(RESULTS, "old", ["waited_mean_s"])
    assert compare(RESULTS.take([7, 2, 5, 0, 1, 6, 3, 4]), "old", ["waited_mean_s"]) == there
    (back,) = compare(RESULTS, "new", ["waited_mean_s"])
    assert back.difference == -there[0].difference
    assert back.p == pytest.approx(there[0].p)
    assert back.t == pytest.approx((-there[0].t.high, -there[0].t.low))
    assert back.chance == pytest.approx(1 - there[0].chance)


def test_what_a_table_does_not_have_is_said() -> None:
    with pytest.raises(CompareError, match='policy "odl": has no results; did you mean old'):
        compare(RESULTS, "odl", ["utilization"])
    with pytest.raises(CompareError, match='metric "wait_mean_s": unknown; did you mean waited_mean_s'):
        compare(RESULTS, "old", ["wait_mean_s"])


def test_which_way_is_better() -> None:
    names = ["waited_p95_s", "usd:energy", "utilization:dojo", "revenue_usd", "finished", "jobs"]
    assert [direction(name) for name in names] == [-1, -1, 1, 1, 1, 0]


# windows


@pytest.mark.parametrize(
    ("days", "from_day", "to_day"), [(28, 6, 27), (35, 6, 34), (14, 6, 13), (13, 5, 12), (30, 8, 29)]
)
def test_whole_weeks_are_measured(days: int, from_day: int, to_day: int) -> None:
    assert window(days * DAY_S, MONDAY, HOUR_S) == (from_day * DAY_S, to_day * DAY_S)


def test_short_runs_lose_a_fifth_and_a_twentieth() -> None:
    assert window(100 * HOUR_S, MONDAY, HOUR_S) == (20 * HOUR_S, 95 * HOUR_S)


@given(st.integers(HOUR_S, 60 * DAY_S), st.integers(0, DAY_S - 1), st.sampled_from([HOUR_S, DAY_S]))
def test_edges_are_starts_of_charge_periods(length_s: int, midnight_s: int, period_s: int) -> None:
    calendar = Calendar(midnight_s)
    try:
        found = window(length_s, calendar, period_s)
    except WindowError:
        assert length_s < 3 * period_s
        return
    starts = set(calendar.starts(period_s, 0, length_s).tolist())
    assert found.from_s in starts
    assert found.to_s in starts
    assert found.from_s >= min(5 * DAY_S, round(0.2 * length_s))
    assert found.to_s <= length_s


def test_warm_up_and_cool_down_as_asked() -> None:
    assert window(10 * HOUR_S, MONDAY, HOUR_S, 2 * HOUR_S, None) == (2 * HOUR_S, 10 * HOUR_S)
    assert window(10 * HOUR_S, MONDAY, HOUR_S, 0, 90 * 60) == (0, 8 * HOUR_S)
    with pytest.raises(WindowError, match="10 hours leave nothing to measure"):
        window(10 * HOUR_S, MONDAY, HOUR_S, 6 * HOUR_S, 5 * HOUR_S)


def test_weeks_of_a_window() -> None:
    week = 7 * DAY_S
    assert Window(100, 100 + 2 * week).weeks() == [(100, 100 + week), (100 + week, 100 + 2 * week)]
    assert Window(0, week - 1).weeks() == []


# figures of a window


def test_a_window_by_hand(tmp_path: Path) -> None:
    """One device until second 7,200 + 1,800: a job of an hour, two more behind it, one rented."""
    over = trace(
        job(0, HOUR_S, 1),
        job(HOUR_S, HOUR_S, 1, residency="owned"),
        job(HOUR_S, HOUR_S, 1, residency="owned"),
        job(HOUR_S + 600, 600, 1),
    )
    cluster = scenario([pool(1)], [offer("cloud")], policy={"patience": "at_once"}, horizon_h=2.5)
    found = measure(run(cluster, over, tmp_path), over, window=(HOUR_S, 2 * HOUR_S))
    assert (found["jobs"], found["finished"]) == (3, 2)
    assert found["wait_mean_s"] == pytest.approx((0 + HOUR_S + 0) / 3)
    assert found["utilization"] == 1.0
    assert found["rented_device_h"] == pytest.approx(1 / 6)
    assert found["usd_rented"] == pytest.approx(0.6)
    assert found["usd_avoidable"] == pytest.approx(0.6 + 3.6 * 1.2 * 0.0861)


def test_who_still_waits_has_waited_so_far(tmp_path: Path) -> None:
    over = trace(job(0, HOUR_S, 1), job(0, HOUR_S, 1), job(600, 60, 2), job(5_000, 60, 1))
    found = measure(run(scenario([pool(1)], horizon_h=1), over, tmp_path), over)
    assert found["wait_mean_s"] == 0
    assert found["waited_mean_s"] == pytest.approx((0 + HOUR_S + 0) / 3)  # one is rejected, one never came


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Trace]:
    cluster = scenario([pool(20)], [offer("cloud", quota=40)], policy={"patience": "after:1h"}, horizon_h=48)
    demand = generate(Demand(days=2, devices=20, load=1.1, seed=3), reference_of())
    over = Trace(
        demand.table.replace_schema_metadata(
            demand.table.schema.metadata | {b"exaburst.reference_device": b"any"}
        )
    )
    return run(cluster, over, tmp_path_factory.mktemp("run")), over


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.integers(1, 47), min_size=1, max_size=4, unique=True))
def test_windows_add_up_to_the_run(two_days: tuple[Run, Trace], edges_h: list[int]) -> None:
    done, over = two_days
    edges = [0, *(hour * HOUR_S for hour in sorted(edges_h)), done.end_s]
    parts = [measure(done, over, window=pair) for pair in pairwise(edges)]
    whole = measure(done, over)
    for figure in (
        "jobs",
        "finished",
        "missed",
        "burst_jobs",
        "rented_device_h",
        "usd_total",
        "usd_avoidable",
    ):
        assert sum(part[figure] for part in parts) == pytest.approx(whole[figure])
    lengths = np.diff(edges)
    used = sum(part["utilization"] * length for part, length in zip(parts, lengths, strict=True))
    assert used == pytest.approx(whole["utilization"] * done.end_s)


# policies on the same jobs

SMALL = parse_scenario(
    {
        "name": "small",
        "seed": 3,
        "demand": {"days": 2, "devices": 120, "load": 1.2},
        "pools": [{"name": "dojo", "pod": "exapod-case-study", "pods": 1}],
        "offers": [{"name": "cloud", "offer": "nebius-h100-eu-north1", "quota": 512}],
    }
)
POLICIES = ("after:4h", "at_once", "never")


def ask(folder: Path, question: Question) -> Answer:
    workers = Workers(lambda: ThreadPoolExecutor(1), 1)
    try:
        return compare_policies(question, folder, workers, lambda *_: None)
    finally:
        workers.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def answer(folder: Path) -> Answer:
    return ask(folder, Question(scenario=SMALL, policies=POLICIES, seeds=4))


def column(of: Answer, policy: str, figure: str) -> Floats:
    return np.array([row[figure] for row in of.rows if row["policy"] == policy], np.float64)


def test_policies_and_bounds_meet_the_same_jobs(answer: Answer) -> None:
    assert answer.bounds == ("owned_only", "rented_only", "unlimited_owned")
    names = (*POLICIES, *answer.bounds)
    assert [(row["policy"], row["seed"]) for row in answer.rows] == [
        (name, seed) for name in names for seed in range(3, 7)
    ]
    for name in names[1:]:
        assert (column(answer, name, "jobs") == column(answer, names[0], "jobs")).all()
    for figure in ("waited_mean_s", "usd_avoidable", "utilization"):
        assert (column(answer, "never", figure) == column(answer, "owned_only", figure)).all()
    assert (column(answer, "unlimited_owned", "waited_mean_s") == 0).all()


def test_no_policy_is_below_its_bound(answer: Answer) -> None:
    for name in POLICIES:
        for figure in ("usd_avoidable", "waited_mean_s"):
            assert (
                column(answer, name, f"least_{figure}") <= column(answer, name, figure) * (1 + 1e-6)
            ).all()
    assert {row.get("least_usd_avoidable") for row in answer.rows if row["policy"] in answer.bounds} == {None}


def test_a_bound_may_be_the_baseline(folder: Path) -> None:
    found = ask(folder, Question(scenario=SMALL, policies=("owned_only", "at_once"), seeds=2))
    assert found.bounds == ("rented_only", "unlimited_owned")
    assert {row["policy"] for row in found.rows if row["least_usd_avoidable"] is not None} == {"at_once"}
    assert "at_once" in render(found).partition("lower bounds")[2]


def test_common_random_numbers_shrink_the_variance_of_the_difference(answer: Answer) -> None:
    """Of independent runs it would be the sum of the two variances."""
    for figure in ("waited_mean_s", "usd_avoidable", "utilization"):
        old, new = column(answer, "after:4h", figure), column(answer, "at_once", figure)
        assert np.var(new - old, ddof=1) < 0.5 * (np.var(old, ddof=1) + np.var(new, ddof=1))


def test_what_is_computed_is_used_again(folder: Path, answer: Answer) -> None:
    kept = {file: file.stat().st_mtime_ns for file in folder.rglob("cell.json")}
    assert len(kept) == 6 * 4
    more = ask(folder, Question(scenario=SMALL, policies=POLICIES, seeds=5))
    assert [row for row in more.rows if row["seed"] < 7] == answer.rows
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_results_are_kept_as_parquet_and_compare_alike(answer: Answer, tmp_path: Path) -> None:
    write_answer(answer, tmp_path / "results.parquet")
    again = compare(pq.read_table(tmp_path / "results.parquet"), "after:4h", policies=("at_once", "never"))
    assert again == answer.differences
    assert [file.name for file in tmp_path.iterdir()] == ["results.parquet"]


def test_seeds_are_added_until_the_budget_is_spent(folder: Path) -> None:
    asked = Question(
        scenario=SMALL,
        policies=("after:4h", "at_once"),
        metrics=("utilization",),
        seeds=2,
        halfwidth=1e-6,
        budget=5,
    )
    found = ask(folder, asked)
    assert {row["seed"] for row in found.rows} == set(range(3, 8))
    assert "stopped at 5 seeds, the budget is spent" in render(found)


def made_up(differences: list[float]) -> list[ContestRow]:
    return [{"policy": "fcfs", "seed": seed, "x": 100.0} for seed in range(len(differences))] + [
        {"policy": "sjf", "seed": seed, "x": 100.0 + value} for seed, value in enumerate(differences)
    ]


@pytest.mark.parametrize(
    ("differences", "budget", "stops"),
    [
        ([0.0, 1.0] * 5, 100, True),  # half an interval is 0.377, below 1%
        ([0.0, 10.0] * 5, 100, False),
        ([0.0, 10.0] * 5, 10, True),
        ([0.0, 0.1] * 4, 100, False),  # narrow, but by 8 seeds
    ],
)
def test_seeds_stop_by_width_alone_and_not_before_ten(
    differences: list[float], budget: int, stops: bool
) -> None:
    asked = Question(scenario=SMALL, policies=("fcfs", "sjf"), metrics=("x",), halfwidth=0.01, budget=budget)
    assert enough(made_up(differences), asked, len(differences), asked.metrics) is stops
    assert enough(made_up([-value for value in differences]), asked, len(differences), asked.metrics) is stops


def test_a_trace_is_compared_week_by_week(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    submits = np.sort(draw.integers(0, 60 * DAY_S, 2_000)).tolist()
    over = trace(*(job(at, int(draw.integers(1, 2 * DAY_S)), int(draw.integers(1, 80))) for at in submits))
    over.write(tmp_path / "jobs.parquet")
    cluster = parse_scenario(
        {"name": "own", "pools": [{"name": "own", "device": "processor", "devices": 100, "pods": 1}]}
    )
    asked = Question(
        scenario=cluster,
        policies=("none", "easy"),
        metrics=("waited_mean_s",),
        trace=tmp_path / "jobs.parquet",
    )
    found = ask(tmp_path / "out", asked)
    assert len(list(tmp_path.rglob("cell.json"))) == 3  # a run a policy, and one unlimited
    weeks = found.measured.parts
    assert weeks == tuple(Window(DAY_S * (9 + 7 * at), DAY_S * (16 + 7 * at)) for at in range(7))
    at_s = np.array(submits)
    assert column(found, "easy", "jobs").tolist() == [
        ((at_s >= part.from_s) & (at_s < part.to_s)).sum() for part in weeks
    ]
    assert "7 weeks of one run each" in render(found)


def test_runs_that_fail_and_figures_that_are_none_are_said(folder: Path) -> None:
    with pytest.raises(CompareError, match='metric "utilisation": unknown; did you mean utilization'):
        ask(folder, Question(scenario=SMALL, policies=POLICIES, metrics=("utilisation",), seeds=2))


# the command line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "fcsf"], 'exaburst: policy "fcsf": "fcsf" is unknown; did you mean fcfs?'),
        (["-p", "fcfs", "--until-halfwidth", "5"], '"5": must be a percentage above 0, as in 5%'),
        (["-p", "fcfs", "--warmup", "soon"], '"soon": must be 0 or more, with s, m, h, d or y'),
        (["-p", "fcfs", "--budget", "30"], "--budget is for --until-halfwidth"),
        (
            ["-p", "fcfs", "--trace", "t.parquet", "--until-halfwidth", "5%"],
            "t.parquet is one trace, of which more seeds tell no more: leave out --until-halfwidth",
        ),
        (["-p", "fcfs", "--scale", "2"], "--scale is for a log: give --trace as well"),
        (["-p", "fcfs", "--trace", "t.parquet"], "exaburst: t.parquet: no such file"),
        (
            ["-p", "fcfs", "--warmup", "40h", "--cooldown", "9h"],
            "exaburst: 48 hours leave nothing to measure",
        ),
        (["-p", "fcfs", "--set", "policy.order=none"], 'order "none": unknown'),
        ([], "Missing option '-p'"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(
        'name = "small"\n[demand]\ndays = 2\n[[pools]]\nname = "dojo"\npod = "exapod-case-study"\npods = 1\n'
    )
    result = CliRunner().invoke(main, ["compare", "small.toml", *words])
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_comparison_ends_with_what_is_of_low_certainty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(
        'name = "small"\n[demand]\ndays = 2\ndevices = 120\n[[pools]]\nname = "dojo"\n'
        'pod = "exapod-case-study"\npods = 1\n'
    )
    words = [
        "-p",
        "fcfs",
        "-p",
        "sjf",
        "--seeds",
        "2",
        "--warmup",
        "1h",
        "--cooldown",
        "1h",
        "--workers",
        "1",
    ]
    result = CliRunner().invoke(main, ["compare", "small.toml", *words])
    assert result.exit_code == 0, result.output
    low, age = result.output.splitlines()[-2:]
    assert low == "low certainty of dojo: capital_usd 400,000,000 (article-34)"
    assert age.startswith("prices of 2026-06, ")


# draws of a log


def test_draws_of_a_log_are_paired_and_as_wide_as_its_weeks(tmp_path: Path) -> None:
    """Three weeks, of which a window of two is measured: two blocks drawn, two of three free to vary."""
    rows = [
        job(7 * DAY_S * week + at * HOUR_S, (1 + at % 7) * HOUR_S, 20 + at % 80)
        for week, step in enumerate((2, 3, 5))
        for at in range(0, 168, step)
    ]
    trace(*rows).write(tmp_path / "jobs.parquet")
    cluster = parse_scenario(
        {"name": "own", "pools": [{"name": "own", "device": "processor", "devices": 100, "pods": 1}]}
    )
    asked = Question(
        scenario=cluster,
        policies=("none", "easy"),
        metrics=("waited_mean_s", "waited_p95_s"),
        seeds=4,
        trace=tmp_path / "jobs.parquet",
        draws=LogWish(scale=1.5),
    )
    found = ask(tmp_path / "out", asked)
    assert found.log is not None
    assert found.measured.parts == (Window(6 * DAY_S, 20 * DAY_S),)
    assert len(list((tmp_path / "out" / "traces").glob("*.parquet"))) == 4, "the same jobs for all policies"
    for name in ("none", "easy"):
        assert sorted(row["seed"] for row in found.rows if row["policy"] == name) == [1, 2, 3, 4]
    of_log = BlocksDrawn(found.log.drawn.drawn * 2 / 3, 2)
    for one in found.differences:
        values = column(found, "easy", one.metric) - column(found, "none", one.metric)
        assert one.t.halfwidth == pytest.approx(halfwidth_of_draws(values, of_log))
        t = abs(values.mean()) / (one.t.halfwidth / t_quantile(2))
        assert one.p == pytest.approx(2 * stats.t.sf(t, 2))
        assert one.t.holds(0) == (one.p >= 0.05)
        assert isnan(one.bootstrap.low)
        assert isnan(one.needed)
    text = render(found)
    assert "of the 3 whole ones that the log has; 1.5 times its jobs;" in text
    assert "4 common seeds from 1 on, 21 days each, drawn from jobs.parquet" in text
    bounded = replace(found, rows=[row | {"least_waited_mean_s": 60.0} for row in found.rows])
    assert "avoidable USD a run" in render(bounded), "a seed draws three weeks"


def test_draws_that_are_all_alike_leave_no_doubt() -> None:
    interval, p = t_of_draws(np.full(5, 2.0), BlocksDrawn(3, 2))
    assert (interval, p) == (Interval(2.0, 2.0), 0.0)
    assert t_of_draws(np.zeros(5), BlocksDrawn(3, 2))[1] == 1.0
    assert isnan(t_of_draws(np.zeros(1), BlocksDrawn(3, 2))[1])


# coverage: how often intervals hold the truth

STUDIES = 1_000
REPLICATIONS = 10


def coverage(draw: Any, truth: float, of_interval: Any) -> float:
    return float(np.mean([of_interval(draw()).holds(truth) for _ in range(STUDIES)]))


def about(rate: float) -> Any:
    """Within what a thousand studies of that rate give in 999 of 1,000 cases."""
    return pytest.approx(rate, abs=3.3 * sqrt(rate * (1 - rate) / STUDIES))


@pytest.mark.slow
def test_intervals_of_normal_differences_hold_the_truth() -> None:
    rng = np.random.default_rng(11)

    def draw() -> Floats:
        """Pairs with a common part, which drops out."""
        common = rng.normal(0, 50, REPLICATIONS)
        return (common + rng.normal(3, 2, REPLICATIONS)) - (common + rng.normal(0, 2, REPLICATIONS))

    assert coverage(draw, 3.0, t_interval) == about(0.95)
    assert coverage(draw, 3.0, bootstrap_interval) > 0.88  # it is known to be short for so few


@pytest.mark.slow
def test_intervals_of_skewed_differences_hold_the_truth_less_often() -> None:
    """As docs/compare.md says: with ten replications of exponential differences nine in ten do."""
    rng = np.random.default_rng(12)
    assert 0.87 < coverage(lambda: rng.exponential(1, REPLICATIONS), 1.0, t_interval) < 0.93
    assert 0.83 < coverage(lambda: rng.exponential(1, REPLICATIONS), 1.0, bootstrap_interval) < 0.93
    assert coverage(lambda: rng.exponential(1, 100), 1.0, t_interval) > 0.92


@pytest.mark.slow
def test_intervals_hold_a_truth_of_the_emulator(tmp_path: Path) -> None:
    """From 1 to 9 jobs of an hour come at once, each number as likely, to one device.

    The k-th waits for k hours, so that with B of them the mean wait is (B - 1) / 2 hours, 2 in the mean;
    where they burst at once, and rented devices boot for no time, it is none. So the difference is 2 hours.
    """
    waits = []
    for count in range(1, 10):
        over = trace(*(job(0, HOUR_S, 1) for _ in range(count)))
        pair = []
        for patience in ("never", "at_once"):
            cluster = scenario([pool(1)], [offer("cloud")], policy={"patience": patience})
            pair.append(measure(run(cluster, over, tmp_path / f"{count}{patience}"), over)["waited_mean_s"])
        waits.append(pair[0] - pair[1])
    outcomes, rng = np.array(waits), np.random.default_rng(13)
    found = coverage(lambda: outcomes[rng.integers(0, 9, REPLICATIONS)], 2.0 * HOUR_S, t_interval)
    assert found == about(0.95)


@pytest.mark.slow
def test_stopping_by_the_width_costs_little_coverage() -> None:
    rng = np.random.default_rng(14)
    asked = Question(scenario=SMALL, policies=("fcfs", "sjf"), metrics=("x",), halfwidth=0.05, budget=200)

    def draw() -> Floats:
        """Differences of spread 10% of the baseline, until half the interval is 5% of it: about 18 seeds."""
        found = rng.normal(0, 10, 10)
        while not enough(made_up(found.tolist()), asked, len(found), asked.metrics):
            found = np.append(found, rng.normal(0, 10, 5))
        return found

    assert 0.92 < coverage(draw, 0.0, t_interval) <= 0.97


def test_figures_of_jobs_are_compared_owner_by_owner(folder: Path) -> None:
    """A metric of a column is one a word; that of a word, or how evenly all were served, is one."""
    metrics = ("jain_due@owner", "waited_mean_s@workload", "wait_p95_s@workload=fsd")
    found = ask(folder, Question(scenario=SMALL, policies=POLICIES, metrics=metrics, seeds=2))
    words = ("fsd", "optimus", "tenant")
    assert found.metrics == (
        "jain_due@owner",
        *(f"waited_mean_s@workload={word}" for word in words),
        "wait_p95_s@workload=fsd",
    )
    assert all(0 < row["jain_due@owner"] <= 1 for row in found.rows)
    with pytest.raises(CompareError, match='"utilization@owner": unknown'):
        ask(folder, Question(scenario=SMALL, policies=POLICIES, metrics=("utilization@owner",), seeds=2))
