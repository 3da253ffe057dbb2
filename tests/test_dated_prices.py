"""Prices with a date: series in catalog and scenario, what a run pays along them, and how old they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scheduler.catalog import Catalog, CatalogError, load_catalog
from scheduler.catalog.certainty import footer, oldest, prices_age
from scheduler.replay import Setup
from scheduler.scenario import Scenario, ScenarioError, parse_scenario
from scheduler.stock.price_series import dated_steps, value_at
from scheduler.stock.stock import stock_of
from tests import build
from tests.build import job, rows, run
from traces.dated import months_between
from traces.times import DAY_S, HOUR_S

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
OFFER = "nebius-h100-eu-north1"
FREE = {"boot_s": 0, "egress_usd_per_gb": 0}


def scenario(**offer: Any) -> Scenario:
    """Rented devices alone, for jobs that ask at once."""
    rented = {"name": "cloud", "offer": OFFER, "quota": 8, **FREE} | offer
    return parse_scenario({"name": "dated", "offers": [rented], "policy": {"patience": "at_once"}})


def catalog(folder: Path, text: str) -> Catalog:
    path = folder / "ours.toml"
    path.write_text(text, encoding="utf-8")
    return load_catalog(path)


def test_each_day_has_the_price_of_its_midnight() -> None:
    """Fourfold in two days is twofold a day; the run starts at six, before the first point."""
    points = (("2026-01-07", 1.0), ("2026-01-09", 4.0))
    steps = dated_steps(points, START)
    assert [second for second, _ in steps] == [0, 42 * HOUR_S, 66 * HOUR_S, 90 * HOUR_S]
    assert [usd for _, usd in steps] == pytest.approx([1, 1, 2, 4])
    inside = dated_steps(points, START + timedelta(days=2))  # a quarter of the first day is over
    assert [second for second, _ in inside] == [0, 18 * HOUR_S, 42 * HOUR_S]
    assert [usd for _, usd in inside] == pytest.approx([2**0.25, 2, 4])
    assert dated_steps(points, START + timedelta(days=30)) == [(0, 4.0)]


def test_the_ledger_pays_every_second_of_the_path(tmp_path: Path) -> None:
    """A job of 8 devices over three days at 1, 2 and 4 USD an hour pays 24 x 8 x 7."""
    of = scenario(usd_per_device_h=[[date(2026, 1, 5), 1], ["2026-01-07", 4]])
    trace = build.trace(job(0, 3 * DAY_S, 8), epoch="2026-01-05")
    done = run(of, trace, tmp_path, load_catalog())
    spent = [usd for line, usd in rows(done, "spend", "line", "usd") if line == "on_demand"]
    assert sum(spent) == pytest.approx(24 * 8 * (1 + 2 + 4))
    assert rows(done, "jobs", "spend_usd") == [(pytest.approx(24 * 8 * 7),)]
    assert done.description["prices_of"] == ""  # the scenario's own


def test_a_price_file_takes_over_from_the_path(tmp_path: Path) -> None:
    file = tmp_path / "later.csv"
    file.write_text("time,usd_per_device_h\n2026-01-06T12:00,9\n", encoding="utf-8")
    of = scenario(usd_per_device_h=[["2026-01-05", 1], ["2026-01-08", 8]], price={"csv": str(file)})
    stock = stock_of(of, load_catalog(), datetime(2026, 1, 5, tzinfo=UTC))
    second, usd = zip(*stock.offers[0].prices, strict=True)
    assert second == (0, DAY_S, 36 * HOUR_S)
    assert usd == pytest.approx((1, 2, 9))


def test_a_series_of_the_catalog_is_its_last_point_but_in_a_run(tmp_path: Path) -> None:
    ours = catalog(
        tmp_path,
        f'as_of = "2026-04"\n[offers.{OFFER}]\n'
        'usd_per_device_h = [[["2025-10", 1.70], [2026-03-01, 2.35]], "an index", "medium"]\n'
        '[pods.h100-server]\ncapital_usd = [["2024-01", 4e5], ["2026-01", 1e5]]\nnode_devices = 8\n'
        '[pods.a100-server]\ncapital_usd = [2e5, "a quote", "high", "2023-05"]\n',
    )
    rent = ours.offer(OFFER).figures["usd_per_device_h"]
    assert (ours.offer(OFFER).usd_per_device_h, rent.source, rent.as_of) == (2.35, "an index", "2026-03")
    assert value_at(rent, datetime(2024, 1, 1, tzinfo=UTC)) == 1.70
    server = ours.pod("h100-server")
    assert (server.capital_usd, server.figures["capital_usd"].sure) == (1e5, "assumed")
    assert server.figures["node_devices"].as_of == "2026-04"
    assert value_at(server.figures["capital_usd"], datetime(2025, 1, 1, tzinfo=UTC)) == pytest.approx(
        2e5, rel=0.01
    )
    owned = parse_scenario(
        {"name": "dated", "pools": [{"name": "own", "pod": "h100-server", "pods": 1}], "start": "2024-01-01"}
    )
    trace = build.trace(job(0, 60, 1), epoch="2024-01-01")
    assert Setup.of(owned, trace, ours).stock.pools[0].capital_usd_per_pod == 4e5
    assert oldest(pod.figures.get("capital_usd") for pod in (server, ours.pod("a100-server"))) == "2023-05"


DEVICE = '[devices.h100]\navailable_to_rent = 2026-03-01\navailable_to_buy = "2026-02"\n'


@pytest.mark.parametrize(
    ("own", "changed", "wrong"),
    [
        (
            "",
            {"usd_per_device_h": [["2026-02", 1]]},
            "cloud: usd_per_device_h is dated 2026-02, after the run",
        ),
        (
            f'[offers.{OFFER}]\nusd_per_device_h = [2, "a quote", "high", "2026-06"]',
            {},
            f"cloud: {OFFER}.usd_per_device_h is dated 2026-06-01, after the run, which ends on 2026-01-05",
        ),
        (DEVICE, {}, "cloud: h100 is there to rent from 2026-03-01 on: the run ends on 2026-01-05"),
        (
            "[devices.h100]\nends = 2025-08-07",
            {},
            "cloud: h100 is rented out until 2025-08-07: the run starts on",
        ),
    ],
)
def test_what_is_dated_after_the_run_is_one_line(
    own: str, changed: dict[str, Any], wrong: str, tmp_path: Path
) -> None:
    trace = build.trace(job(0, 60, 1), epoch="2026-01-05")
    with pytest.raises(CatalogError) as error:
        Setup.of(scenario(**changed), trace, catalog(tmp_path, own))
    assert wrong in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pod_that_nobody_sells_yet_is_one_line(tmp_path: Path) -> None:
    owned = parse_scenario({"name": "dated", "pools": [{"name": "own", "pod": "h100-server", "pods": 1}]})
    trace, ours = build.trace(job(0, 60, 1), epoch="2026-01-05"), catalog(tmp_path, DEVICE)
    with pytest.raises(CatalogError, match="own: h100 is there to buy from 2026-02 on"):
        Setup.of(owned, trace, ours)
    assert Setup.of(replace(owned, horizon_h=28 * 24.0), trace, ours).stock.pools


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('usd_per_device_h = [["2026-01", 0], ["2026-02", 1]]', "0: must be above 0"),
        (
            'usd_per_device_h = [["2026-02", 1], ["2026-01", 1]]',
            "2026-01-01 after 2026-02-01: dates must ascend",
        ),
        ('usd_per_device_h = [2, "a quote", "high", "soon"]', "'soon': must be a date"),
        ('boot_s = [600, "a quote", "high", "2026-01"]', "must be a number, or [number, source, certainty]"),
        ('boot_s = [["2026-01", 600]]', "must be a number, or [number, source, certainty]"),
    ],
)
def test_a_figure_with_a_bad_date_is_one_line(line: str, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as error:
        catalog(tmp_path, f"[offers.{OFFER}]\n{line}\n")
    assert wrong in str(error.value)
    assert f"offers.{OFFER}" in str(error.value)


def test_a_bad_date_of_a_file_a_device_or_an_offer_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="'lately': must be a date"):
        catalog(tmp_path, 'as_of = "lately"')
    with pytest.raises(CatalogError, match="'never': must be a date"):
        catalog(tmp_path, '[devices.h100]\nends = "never"')
    with pytest.raises(ScenarioError, match="dates must ascend"):
        scenario(usd_per_device_h=[["2026-01", 1], ["2025-01", 1]])


def test_the_last_line_says_how_old_prices_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert months_between("2025-11", date(2026, 2, 1)) == 3
    today = date.today()
    this, last = today.isoformat()[:7], (today.replace(day=1) - timedelta(days=1)).isoformat()[:7]
    assert prices_age(this) == f"prices of {this}, 0 months old"
    assert footer({"assumed": {"dojo": "idle_kw 5"}}, last) == (
        f"assumed of dojo: idle_kw 5\nprices of {last}, 1 month old"
    )
    assert footer({}, "") == ""


def test_a_price_of_ones_own_without_a_date_is_named(tmp_path: Path) -> None:
    """Nobody can say how old it is; what the rest is of is said after it."""
    undated = catalog(tmp_path, f'[offers.{OFFER}]\nusd_per_device_h = [2.5, "a quote of ours", "high"]')
    done = run(scenario(), build.trace(job(0, 60, 8), epoch="2026-01-05"), tmp_path, undated)
    assert done.description["prices_of"] == ""
    said = {"cloud": "usd_per_device_h 2.5 (a quote of ours)"}
    assert done.description["unsure"]["undated"] == said
    assert footer({"undated": said}, "") == f"prices without a date of cloud: {said['cloud']}"
    dated = run(scenario(), build.trace(job(0, 60, 8)), tmp_path / "dated", load_catalog())
    assert "undated" not in dated.description["unsure"]
