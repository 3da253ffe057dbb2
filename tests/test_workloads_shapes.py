"""Arrivals, run times, ends and estimates follow the distributions they state."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import integrate, stats

from traces.arrays import Array
from workloads.arrivals import BURST_K, ROUND_THE_CLOCK, WORKING_WEEK, bursty, hourly, local_hours, spaced
from workloads.larger_runs import grown_gangs
from workloads.shapes import (
    GANGS,
    HABITS,
    KALOS,
    PHILLY,
    PHILLY_BY_GANG,
    PIPELINE,
    ROUND_S,
    Ends,
    Mixture,
    RunTimes,
    around,
    estimates,
    fitting,
    philly,
    sizes,
)
from workloads.streams import stream

LEVEL = 1e-3
"""Chance that a test of a true distribution fails; with fixed seeds it fails always or never."""


def rng(seed: int = 3) -> np.random.Generator:
    return stream(seed, "test")


def counts_of(weights: Array, expected: float) -> Array:
    submit = bursty(rng(), weights, expected, BURST_K)
    assert (np.diff(submit) >= 0).all()
    return np.bincount(submit // 3600, minlength=len(weights))


def test_hourly_counts_are_negative_binomial_and_far_from_poisson() -> None:
    mean, hours = 12.0, 4000
    counts = counts_of(np.ones(hours), mean * hours)
    dispersion = np.sum((counts - mean) ** 2) / mean  # chi-squared for a Poisson process
    assert dispersion > stats.chi2.isf(1e-12, hours - 1)
    negative_binomial = stats.nbinom(BURST_K, BURST_K / (BURST_K + mean))
    edges = np.unique(negative_binomial.ppf(np.linspace(0.05, 0.95, 15)))
    observed = np.bincount(np.searchsorted(edges, counts), minlength=len(edges) + 1)
    expected = np.diff([0, *negative_binomial.cdf(edges), 1]) * hours
    assert stats.chisquare(observed, expected).pvalue > LEVEL


def test_weekly_profile_is_recovered() -> None:
    weeks, jobs = 520, 1e6
    weights = hourly(WORKING_WEEK, np.arange(weeks * 168) % 168, np.ones(weeks * 168))
    counts = counts_of(weights, jobs).reshape(weeks, 168).sum(axis=0)
    hour = WORKING_WEEK.hours / WORKING_WEEK.hours.sum() * jobs / weeks
    z = (counts - weeks * hour) / np.sqrt(weeks * hour * (1 + hour / BURST_K))
    assert np.sum(z**2) < stats.chi2.isf(LEVEL, 168)


def test_working_hours_are_local_and_follow_the_clock_in_spring_and_autumn() -> None:
    """Monday 2026-01-05 00:00 UTC is Sunday 18:00 in Austin. There the clock goes forward on Sunday 8 March,
    2:00 to 3:00, and back on Sunday 1 November, 2:00 to 1:00.
    """
    assert local_hours(datetime(2026, 1, 5, tzinfo=UTC), 7, "America/Chicago").tolist() == [
        *range(6 * 24 + 18, 168),
        0,
    ]
    spring = local_hours(datetime(2026, 3, 8, 6, tzinfo=UTC), 36, "America/Chicago")
    sunday = 6 * 24
    assert spring[:4].tolist() == [sunday, sunday + 1, sunday + 3, sunday + 4]
    autumn = local_hours(datetime(2026, 11, 1, 5, tzinfo=UTC), 5, "America/Chicago")
    assert autumn.tolist() == [sunday, sunday + 1, sunday + 1, sunday + 2, sunday + 3]
    # Nine in the morning is 15:00 UTC in winter, so on Friday 6 March, and 14:00 on Monday 9 March.
    busy = hourly(
        WORKING_WEEK, local_hours(datetime(2026, 3, 6, tzinfo=UTC), 96, "America/Chicago"), np.ones(96)
    )
    assert busy[15] == WORKING_WEEK.hours[4 * 24 + 9]
    assert busy[72 + 14] == WORKING_WEEK.hours[9]


def test_grown_gangs_are_sizes_with_the_mean_of_the_factor() -> None:
    gangs = np.repeat(GANGS, 20_000)
    grown = grown_gangs(rng(), gangs, np.full(len(gangs), 1.3), 1_000)
    assert set(grown) <= set(sizes(1_000)) == {*GANGS, 480, 600, 720, 840, 960}
    for gang in GANGS:
        assert grown[gangs == gang].mean() == pytest.approx(1.3 * gang, rel=0.01)
    assert (grown_gangs(rng(), gangs, np.ones(len(gangs)), 360) == gangs).all()
    assert grown_gangs(rng(), gangs, np.full(len(gangs), 9.0), 96).max() == 96


def test_submissions_fall_anywhere_inside_the_hour() -> None:
    seconds = bursty(rng(), np.ones(1000), 50_000, BURST_K) % 3600
    assert stats.kstest(seconds / 3600, "uniform").pvalue > LEVEL


def test_arrivals_grow_with_the_fleet() -> None:
    submit = bursty(
        rng(), hourly(ROUND_THE_CLOCK, np.arange(10_000) % 168, np.linspace(0, 2, 10_000)), 200_000, BURST_K
    )
    assert np.mean(submit < 5_000 * 3600) == pytest.approx(0.25, abs=0.01)


def test_spaced_runs_fall_one_into_each_equal_part() -> None:
    submit = spaced(rng(), np.ones(28 * 24), 7.2)
    assert (submit // (4 * 86_400)).tolist() == list(range(7))


@pytest.mark.parametrize("expected", [1e-9, 0.2])
def test_there_is_always_one_submission(expected: float) -> None:
    assert len(spaced(rng(), np.ones(24), expected)) == 1
    assert len(bursty(rng(), np.ones(24), expected, BURST_K)) >= 1


def test_a_submission_that_has_to_be_falls_into_the_heaviest_hour() -> None:
    weights = np.ones(24)
    weights[7] = 2
    (submit,) = bursty(rng(), weights, 1e-9, BURST_K)
    assert submit // 3_600 == 7


@pytest.mark.parametrize("gang", PHILLY_BY_GANG)
def test_run_times_follow_the_mixture_of_their_gang(gang: int) -> None:
    mixture = PHILLY_BY_GANG[gang]
    unlimited = RunTimes("", PHILLY_BY_GANG, limit_s=10**15)
    seconds = unlimited.draw(rng(), np.full(20_000, gang))
    clipped = seconds[seconds > 1]  # nothing runs less than a second

    def given_above(values: Array) -> Array:
        floor = mixture.cdf(1.0)
        return np.array([(mixture.cdf(value) - floor) / (1 - floor) for value in values.tolist()])

    assert stats.kstest(clipped, given_above).pvalue > LEVEL


def test_gangs_between_two_classes_take_the_lower_one() -> None:
    runs = RunTimes("", {1: Mixture(1, 0, 1e-9, 0, 1e-9), 8: Mixture(1, 5, 1e-9, 5, 1e-9)})
    drawn = runs.draw(rng(), np.array([1, 6, 8, 360]))
    assert drawn == pytest.approx([1, 1, np.exp(5), np.exp(5)])
    assert runs.mean(6) == pytest.approx(1)


@pytest.mark.parametrize("runs", [philly(), philly(0.4, limit_d=7), around(96, 0.4)])
@pytest.mark.parametrize("gang", [1, 2, 6, 8, 360])
def test_mean_run_time_is_the_integral_of_the_survival_function(runs: RunTimes, gang: int) -> None:
    classes = [smallest for smallest in runs.by_gang if smallest <= gang]
    mixture = runs.by_gang[classes[-1]]
    logs = np.linspace(-20, np.log(runs.limit_s / runs.stretch), 20_001)
    survival = np.array([1 - mixture.cdf(np.exp(log)) for log in logs])
    assert runs.mean(gang) == pytest.approx(
        runs.stretch * integrate.simpson(survival * np.exp(logs), x=logs), rel=1e-4
    )


@pytest.mark.parametrize("ends", [KALOS, PHILLY, PIPELINE])
def test_ends_have_the_stated_shares_and_mean(ends: Ends) -> None:
    share = ends.shorten(rng(), 100_000)
    assert ends.completed + ends.cancelled + ends.failed == pytest.approx(1)
    assert ((share > 0) & (share <= 1)).all()
    assert np.mean(share == 1) == pytest.approx(ends.completed, abs=0.006)
    assert share.mean() == pytest.approx(ends.mean(), abs=0.005)


def test_estimates_are_round_and_few_are_short_of_the_plan() -> None:
    planned = philly().draw(rng(), np.full(50_000, 4))
    asked = estimates(rng(4), planned)
    assert set(asked) <= set(ROUND_S)
    short = int(np.sum(asked < planned))
    long = planned > 2 * ROUND_S[0]  # half of less would be rounded up
    short = int(np.sum((asked < planned)[long]))
    assert stats.binomtest(short, int(long.sum()), HABITS.underask_share).pvalue > LEVEL
    assert np.mean(asked < planned) < HABITS.underask_share
    assert np.median(asked / planned) > HABITS.overask_median


def test_a_small_cluster_gets_the_largest_gang_that_fits() -> None:
    assert fitting({1: 1, 120: 2, 360: 1}, 60) == {1: 0.25, 60: 0.75}
    assert fitting({120: 1.0}, 1) == {1: 1.0}
    assert list(GANGS) == sorted(GANGS)
