"""What live sources did, on the page of a run: over time it comes to the figures of the summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scheduler.catalog import load_catalog
from scheduler.report.page.groups import time_steps
from scheduler.report.page.live import LiveChart, live_charts
from scheduler.run.directory import Run
from scheduler.run.live_figures import live_figures
from tests import build
from tests.build import job, pool, scenario, trace
from tests.test_edge import cars as parked_cars
from tests.test_loop import cars as looped_cars
from tests.test_market import market, segment
from tests.test_page import Scripts, Shown, browser, exaburst

__all__ = ["browser"]

CHARTS = ["market-sold", "market-revenue", "loop-releases", "loop-age", "loop-interventions"]
CHARTS += ["cars-compute", "cars-pay"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A day with two sorts of customers, two loops that learn and parked cars, whose work comes back late."""
    sold = market(segment(per_day=90), segment("big", per_day=9, devices=[3], run_h=5), usd=1.5)
    learns = {"effect": {"c": 0.3, "start_clips": 50}}
    of = scenario(
        [pool(6, 2, device="h100", capital_usd=1_000_000)],
        market=sold,
        loops=[looped_cars(**learns), looped_cars(name="van", trigger_clips=60)],
        edge=[parked_cars(cars=4)],
        policy={"patience": "never", "backfill": "none"},
        horizon_h=24,
    )
    labels = [job(9_000 * at, 4_500, 2, kind="label") for at in range(5)]
    jobs = trace(*labels, job(40_000, 20_000, 5), job(50_000, 9_000, 6), epoch="2026-01-05")
    return build.run(of, jobs, tmp_path_factory.mktemp("live") / "run", load_catalog())


@pytest.fixture(scope="module")
def charts(run: Run) -> dict[str, LiveChart]:
    return live_charts(run, time_steps(run)).charts


@pytest.fixture(scope="module")
def path(run: Run) -> Path:
    pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    out = run.folder.parent / "report.html"
    result = exaburst("report", run.folder, "-o", out)
    assert result.exit_code == 0, result.output
    return out


def totals(chart: LiveChart) -> dict[str, float]:
    return {each["series"]: sum(each["total"]) for each in chart.series}


def test_what_was_sold_is_that_of_the_summary(run: Run, charts: dict[str, LiveChart]) -> None:
    figures = live_figures(run).sales
    for chart, figure in (("market-sold", "served_device_h"), ("market-revenue", "revenue_usd")):
        expected = {name: of[figure] for name, of in figures.items()}
        assert totals(charts[chart]) == pytest.approx(expected, rel=1e-6)
        assert min(expected.values()) > 5  # type: ignore[type-var, operator]


def test_releases_and_the_work_of_cars_are_those_of_the_summary(
    run: Run, charts: dict[str, LiveChart]
) -> None:
    figures = live_figures(run)
    releases = {name: of["releases"] for name, of in figures.loops.items()}
    assert totals(charts["loop-releases"]) == releases
    assert {each["series"]: each["level"][-1] for each in charts["loop-releases"].series} == releases
    assert min(releases.values()) > 1  # type: ignore[type-var, operator]
    (parked,) = figures.edge.values()
    assert totals(charts["cars-pay"]) == {"cars": pytest.approx(parked["edge_usd"])}
    done = run.table("edge").column("done").to_numpy().sum()
    assert totals(charts["cars-compute"]) == {"cars": pytest.approx(36 * done)}


def test_levels_are_rates_and_means(run: Run, charts: dict[str, LiveChart]) -> None:
    """Steps are quarters of an hour; the fleet's age and interventions are those of the hours."""
    assert {*np.diff(time_steps(run))} == {900}
    for name, per_s in (("market-sold", 3_600), ("market-revenue", 3_600), ("cars-pay", 3_600)):
        for each in charts[name].series:
            assert np.multiply(each["level"], 900 / per_s) == pytest.approx(np.array(each["total"]))
    (compute,) = charts["cars-compute"].series
    assert np.multiply(compute["level"], 900) == pytest.approx(np.array(compute["total"]))
    hours = [row for row in run.table("loop_hours").to_pylist() if row["loop"] == "car"]
    age, interventions = (charts[name].series[0] for name in ("loop-age", "loop-interventions"))
    assert age["series"] == interventions["series"] == "car"
    assert age["level"][::4] == pytest.approx([row["age_s"] / 86_400 for row in hours][:24])
    first = hours[0]["interventions_per_mile"]
    expected = [100 * row["interventions_per_mile"] / first for row in hours][:24]
    assert interventions["level"][::4] == pytest.approx(expected)
    assert expected[-1] < 95


def test_a_run_without_live_sources_has_no_such_section(tmp_path: Path) -> None:
    plain = build.run(scenario([pool(4)]), trace(job(0, 5, 2)), tmp_path)
    assert live_charts(plain, time_steps(plain)) == ("", {})


def test_the_page_has_a_section_for_each(path: Path) -> None:
    page = Scripts(path.read_text(encoding="utf-8"))
    for heading in ("The market", "Loops", "Parked cars"):
        assert heading in page.text
    assert len(page.scripts) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_draws_them_and_filters_them_by_time(
    browser: Any, path: Path, run: Run, charts: dict[str, LiveChart], scheme: str
) -> None:
    shown = Shown(browser, path, scheme)
    for name in CHARTS:
        assert shown.page.locator(f"#{name} svg path").count() > 2
        if charts[name].unit:
            assert shown.sum(name) == pytest.approx(sum(totals(charts[name]).values()))
    under = shown.page.locator("#market-revenue + details table")
    assert under.locator("th").all_text_contents()[:3] == ["USD", "spot", "big"]
    shown.page.locator("#to").fill("2026-01-05T12:00")
    shown.page.locator("#to").dispatch_event("change")
    shown.page.wait_for_function("Number(document.body.dataset.drawn) >= 2")
    early = sum(sum(each["total"][:48]) for each in charts["market-revenue"].series)
    assert shown.sum("market-revenue") == pytest.approx(early)
    assert shown.page.evaluate("document.documentElement.scrollWidth") == 1200
    assert (shown.said, shown.asked) == ([], [path.as_uri()])
    shown.page.close()
