"""The comparison with published statistics: exact on small stories, right on Philly itself."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from scheduler.study.reference import reference_of
from traces import Trace
from traces.arrays import Array
from workloads import Demand, generate
from workloads.kinds import Kind
from workloads.listing import kind_fields, kind_listing, listing
from workloads.public import PUBLIC_NETWORK, PUBLIC_OWNED, PUBLIC_ROBOTS
from workloads.realism import (
    Statistic,
    burst_k,
    comparison,
    describe,
    dispersion,
    hourly_counts,
    inter_arrival_cv,
    ks,
    top_share,
)
from workloads.shapes import HABITS, PHILLY_ALL

ROOT = Path(__file__).parents[1]
REFERENCE = reference_of()
PHILLY_FILE = ROOT.parent / "shared" / "data" / "philly_gpu_jobs_2017.csv.gz"


def test_inter_arrival_cv_of_known_gaps_leaves_silence_out() -> None:
    assert inter_arrival_cv(np.array([0, 5, 10, 15])) == 0
    assert inter_arrival_cv(np.cumsum([0, 1, 3, 100_000, 1, 3])) == pytest.approx(0.5)
    assert math.isnan(inter_arrival_cv(np.array([7])))


def test_two_hours_are_silence() -> None:
    """Of gaps of 1, 7,199 and 7,200 s the last does not count: deviation and mean are 3,599 and 3,600."""
    assert inter_arrival_cv(np.cumsum([0, 1, 7_199, 7_200])) == pytest.approx(3_599 / 3_600)


def test_numbers_from_a_thousand_on_are_written_whole() -> None:
    lines = comparison([Statistic("x", here, "", "") for here in (999.4, 1_000.4)]).splitlines()
    assert [line.split("|")[2].strip() for line in lines[2:]] == ["999", "1,000"]
    assert comparison([Statistic("x", 99.96, "", "")]).splitlines()[2].split("|")[2].strip() == "100"


def test_hourly_counts_and_their_dispersion() -> None:
    counts = hourly_counts(np.array([3600, 3601, 7199, 14_400]))
    assert counts.tolist() == [3, 0, 0, 1]
    assert dispersion(counts) == pytest.approx(1.5)


@pytest.mark.parametrize("k", [0.5, 1.4, 6.0])
def test_burst_k_recovers_the_k_of_negative_binomial_counts(k: float) -> None:
    week = 30 + 25 * np.sin(np.arange(168) / 168 * 14 * np.pi)
    counts = stats.nbinom.rvs(k, k / (k + np.tile(week, 40)), random_state=np.random.default_rng(2))
    assert burst_k(counts) == pytest.approx(k, rel=0.1)
    assert math.isnan(burst_k(counts[: 2 * 168 - 1]))
    assert burst_k(counts[: 2 * 168]) > 0


def test_top_share_of_one_job_in_a_hundred() -> None:
    assert top_share(np.array([99.0] + [1.0] * 99), 0.01) == 0.5
    assert top_share(np.array([99.0] + [1.0] * 99), 0.011) == 100 / 198
    assert math.isnan(top_share(np.zeros(0), 0.01))


def test_ks_is_scipys() -> None:
    values = np.random.default_rng(1).lognormal(7, 2, 3000)

    def fitted(points: Array) -> Array:
        return np.array([PHILLY_ALL.cdf(point) for point in points.tolist()])

    assert ks(values, PHILLY_ALL) == pytest.approx(stats.kstest(values, fitted).statistic)


def test_an_empty_and_a_single_job_trace_have_no_statistics_but_a_table() -> None:
    for rows in ([], [5]):
        trace = Trace.from_columns(
            {name: np.array(rows, np.int64) for name in ("submit_s", "runtime_s", "gang")}
        )
        assert "CV of inter-arrival times" in comparison(describe(trace))


@pytest.mark.skipif(not PHILLY_FILE.exists(), reason="the Philly jobs are not at hand")
def test_philly_has_the_published_statistics() -> None:
    import pandas as pd

    jobs = pd.read_csv(PHILLY_FILE, parse_dates=["timestamp"]).sort_values("timestamp", kind="stable")
    since = (jobs["timestamp"] - jobs["timestamp"].iloc[0]).dt.total_seconds()
    columns = {"submit_s": since, "runtime_s": jobs["duration"], "gang": jobs["num_gpus"]}
    trace = Trace.from_columns({name: column.to_numpy(np.int64) for name, column in columns.items()})
    here = {figure.name: figure.here for figure in describe(trace)}
    published = {
        "jobs": 82_247,
        "CV of inter-arrival times": 2.2,
        "hourly jobs, variance over mean": 159,
        "gang 1, share of jobs": 0.93,
        "gang 1, share of device-time": 0.18,
        "gang 8, share of jobs": 0.02,
        "gang 8, share of device-time": 0.48,
        "gang above 8, share of jobs": 0.0035,
        "gang above 8, share of device-time": 0.14,
        "top 1% of jobs, share of device-time": 0.67,
        "run times, KS from Philly's fit": 0.057,
    }
    assert {name: here[name] for name in published} == pytest.approx(published, rel=0.05)


def test_default_demand_is_as_bursty_and_as_unequal_as_published() -> None:
    here = {figure.name: figure.here for figure in describe(generate(Demand(), REFERENCE))}
    assert 1.8 < here["CV of inter-arrival times"] < 2.6
    assert 39 < here["hourly jobs, variance over mean"] < 159
    assert 1.0 < here["hourly jobs, negative-binomial k given the week"] < 2.0
    assert 0.7 < here["mean gang"] < 27
    assert 0.5 < here["top 1% of jobs, share of device-time"] < 0.8
    assert 0.4 < here["mean run time, hours"] < 5


def median_min(kind: Kind) -> float:
    """The median run time of a kind in minutes, from the fits by gang."""
    gangs = kind.gangs.items()

    def beyond_half(seconds: float) -> float:
        below = [weight * kind.run.by_gang[gang].cdf(seconds) for gang, weight in gangs]
        return sum(below) / sum(kind.gangs.values()) - 0.5

    return float(optimize.brentq(beyond_half, 1, 1e5)) / 60


def test_tenants_alone_are_much_like_philly() -> None:
    demand = Demand(mix={"tenant": 1})
    here = {figure.name: figure.here for figure in describe(generate(demand, REFERENCE))}
    (tenant,) = (kind for kind in demand.kinds() if kind.workload == "tenant")
    assert here["gang 1, share of jobs"] == pytest.approx(0.93, abs=0.01)
    # The fits understate the tail of single devices a little (mean 1.4 h for 2.3 h).
    assert here["gang 1, share of device-time"] == pytest.approx(0.18, abs=0.07)
    assert here["gang 8, share of device-time"] == pytest.approx(0.48, abs=0.07)
    assert here["gang above 8, share of device-time"] == pytest.approx(0.14, abs=0.04)
    assert here["run times, KS from Philly's fit"] < 0.1
    # The fits' own median, over the gangs as often as they come; that of 40,000 jobs is within 6%.
    assert here["median run time, minutes"] == pytest.approx(median_min(tenant), rel=0.08)


def test_the_defaults_stand_beside_what_is_public() -> None:
    """Seven ExaPODs are 840 x 9 / 0.989 H100s by peak."""
    demand = Demand()
    robots, network = demand.robots, demand.fleet.network_parameters
    assert isinstance(robots, float)
    assert isinstance(network, float)
    public = [
        PUBLIC_ROBOTS.beside(robots),
        PUBLIC_OWNED.beside(840 * 9 / 0.989),
        PUBLIC_NETWORK.beside(network),
    ]
    assert comparison(public) in (ROOT / "docs" / "workloads.md").read_text(encoding="utf-8")
    assert "far above what is public" in PUBLIC_ROBOTS.sentence(robots)
    assert "7,644 H100-equivalents owned, by peak: far below what is public" in PUBLIC_OWNED.sentence(
        840 * 9 / 0.989
    )
    for here, place in (
        (99, "below"),
        (100, "within"),
        (1_000, "within"),
        (1_001, "above"),
        (2_999, "above"),
        (3_000, "far above"),
        (34, "below"),
        (33, "far below"),
        (0, "far below"),
    ):
        assert f": {place} what is public, a few hundred" in PUBLIC_ROBOTS.sentence(here)


def test_the_documentation_lists_every_parameter_and_the_measured_table() -> None:
    text = (ROOT / "docs" / "workloads.md").read_text(encoding="utf-8")
    demand = Demand()
    assert listing(demand) in text
    assert listing(demand.fleet) in text
    assert listing(HABITS) in text
    assert kind_fields() in text
    assert kind_listing("share", "gangs", "run", "ends", "week", "burst_k") in text
    assert (
        kind_listing("follows", "each", "owned_share", "priority", "release_h", "due", "checkpoint_s") in text
    )
    assert kind_listing("owners", "input_gb", "output_gb") in text
    assert comparison(describe(generate(Demand(days=28, seed=1), REFERENCE))) in text
