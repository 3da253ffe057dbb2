"""The ledger: to the cent by hand, and against a second one, second by second, on random worlds."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.cli import main
from scheduler.engine.log.outcomes import Account
from scheduler.money.ledger.audit import audit
from scheduler.money.ledger.book_value import BookValue
from scheduler.money.ledger.meter import Meter
from scheduler.money.ledger.rates import Calendar, LedgerError, Owning, RateSteps
from scheduler.report.ledger import ledger as render
from scheduler.run.directory import Run, open_run
from scheduler.run.spend import used_by
from scheduler.scenario import MoneySpec, Scenario
from scheduler.stock.price_series import PriceError, Surge, from_start, read_series
from scheduler.stock.stock import stock_of
from tests import byhand
from tests.books import Books
from tests.build import CATALOG, Row, job, offer, pool, rows, run, scenario, trace
from tests.byhand import Told
from tests.examples import examples
from tests.worlds import MEMORY, World, emulate, scenarios, traces
from traces import Trace
from traces.times import YEAR_S

HOUR = 3_600
EIGHT_YEARS = {"life_years": 8.0, "residual_share": 0.0625}
AT_ONCE = {"patience": "at_once"}
BARE = {"operations_share_per_year": 0.0, "usd_per_kwh": 0.0}
"""Nothing is paid for but capital and rent."""
A_YEAR = pool(1, capital_usd=float(YEAR_S))
"""A pod of one device that loses 1 USD a second over a life of one year."""

Spent = dict[tuple[str, str, str], float]


def spent(of: Run) -> Spent:
    """{(resource, line, charged to): USD}, to the billionth."""
    usd: Spent = defaultdict(float)
    for row in of.table("spend").to_pylist():
        usd[row["resource"], row["line"], row["charged_to"]] += row["usd"]
    return {key: round(amount, 9) for key, amount in usd.items()}


def periods(of: Run, line: str) -> list[tuple[Any, ...]]:
    """(period_s, charged to, quantity, USD) of a line, quantities in device-seconds where they are hours."""
    return [
        (row["period_s"], row["charged_to"], round(row["quantity"] * HOUR, 6), round(row["usd"], 9))
        for row in of.table("spend").to_pylist()
        if row["line"] == line
    ]


def owned(folder: Path, *jobs: Row, money: Row, epoch: str = "2026-01-05", **more: Any) -> Run:
    """Jobs on a pod of one device that is worth a dollar a second of a year."""
    of = scenario([A_YEAR], policy={"patience": "never"}, money=BARE | money, **more)
    return run(of, trace(*jobs, epoch=epoch), folder)


def rented(folder: Path, *jobs: Row, terms: Row, money: Row | None = None, **more: Any) -> Run:
    """Jobs on devices at 0.001 USD a second, unless the terms say otherwise."""
    of = scenario([], [offer("rent", **terms)], policy=AT_ONCE, money=money or {}, **more)
    return run(of, trace(*jobs, epoch="2026-01-05"), folder)


# By hand


def test_each_line_to_the_cent(tmp_path: Path) -> None:
    # Capital: 126,230.40 USD over a year of 31,557,600 s and four devices, 0.001 USD a device-second.
    # Operations: a tenth of that price a year, 0.0001. Energy: 1 USD a kWh at 3.6 kW busy and 0.36 idle and a
    # PUE of 1.5, 0.0015 and 0.00015. Rent: 3.6 USD an hour, 0.001.
    # Owned: 3 x 1,000 device-seconds busy, 1 x 1,000 idle. Rented: 2 devices boot for 100 s, work for 530 and
    # are billed for 660, as the offer bills by the minute.
    money = {"life_years": 1.0, "usd_per_kwh": 1.0, "pue": 1.5, "operations_share_per_year": 0.1}
    both = scenario(
        [pool(4, capital_usd=126_230.4)],
        [offer("rent", key="minutes", boot_s=100)],
        policy=AT_ONCE,
        money=money,
    )
    of = run(both, trace(job(0, 1_000, 3), job(0, 530, 2)), tmp_path)
    assert spent(of) == {
        ("own", "capital", "job"): 3.00,
        ("own", "capital", "idle"): 1.00,
        ("own", "energy", "job"): 4.50,
        ("own", "energy", "idle"): 0.15,
        ("own", "operations", "job"): 0.30,
        ("own", "operations", "idle"): 0.10,
        ("rent", "on_demand", "job"): 1.06,
        ("rent", "on_demand", "boot"): 0.20,
        ("rent", "on_demand", "minimum"): 0.06,
    }
    assert rows(of, "jobs", "spend_usd", "revenue_usd") == [
        (pytest.approx(7.80), 0.0),
        (pytest.approx(1.06), 0.0),
    ]
    kwh = of.spend[of.spend.line == "energy"]
    assert dict(zip(kwh.charged_to, kwh.quantity.round(9), strict=True)) == {"job": 4.5, "idle": 0.15}
    assert set(zip(of.spend.line, of.spend.unit, strict=True)) == {
        ("capital", "device-hour"),
        ("energy", "kWh"),
        ("operations", "device-hour"),
        ("on_demand", "device-hour"),
    }


def test_charge_periods_are_whole_hours_of_utc(tmp_path: Path) -> None:
    # From 10:59:00 to 12:00:30: a minute, an hour, half a minute. The job holds the device from the 50th
    # second to the end.
    of = owned(
        tmp_path,
        job(50, 3_640, 1),
        money={"life_years": 1.0},
        epoch="2026-01-05T10:59",
        horizon_h=3_690 / HOUR,
    )
    assert periods(of, "capital") == [
        (0, "job", 10, 10),
        (0, "idle", 50, 50),
        (60, "job", 3_600, 3_600),
        (3_660, "job", 30, 30),
    ]


def test_a_boot_that_fails_is_paid_in_the_hours_in_which_it_was_tried(tmp_path: Path) -> None:
    # Two devices at 0.001 USD a second from 3,540 to 3,640, all boots of which fail: 60 and 40 s.
    terms = {"boot_s": 100, "boots": {"fail_probability": 1.0}}
    of = rented(tmp_path, job(3_540, 5, 2), terms=terms, retries={"limit": 0})
    assert of.end_s == 3_640
    assert rows(of, "jobs", "state") == [("killed",)]
    assert list(zip(of.spend.period_s, of.spend.charged_to, of.spend.usd, strict=True)) == [
        (0, "boot", pytest.approx(0.12)),
        (3_600, "boot", pytest.approx(0.08)),
    ]


def test_charge_periods_of_a_day(tmp_path: Path) -> None:
    money = {"life_years": 1.0, "charge_period": "day"}
    of = owned(tmp_path, job(0, 7_200, 1), money=money, epoch="2026-01-05T23:00")
    assert periods(of, "capital") == [(0, "job", 3_600, 3_600), (3_600, "job", 3_600, 3_600)]


@pytest.mark.parametrize(
    ("money", "usd"),
    [
        ({}, 100),
        ({"residual_share": 0.25}, 75),
        ({"residual_share": 1.0}, 0),
        ({"age_years": 0.5}, 100),
        ({"age_years": 1 - 40 / YEAR_S}, 40),
        ({"age_years": 1.0}, 0),
        ({"age_years": 7.5}, 0),
        ({"life_years": 4.0}, 25),
    ],
)
def test_straight_line_over_the_life(tmp_path: Path, money: Row, usd: float) -> None:
    # A job of 100 s on a device that loses 1 USD a second, unless the money says otherwise.
    of = owned(tmp_path, job(0, 100, 1), money={"life_years": 1.0} | money)
    assert spent(of)["own", "capital", "job"] == pytest.approx(usd, abs=1e-6)
    assert rows(of, "jobs", "spend_usd") == [(pytest.approx(usd, abs=1e-6),)]


def test_declining_to_a_residual(tmp_path: Path) -> None:
    # A life of two hours to a quarter: half of what is left in each. Of the first hour the job has a quarter,
    # of the second a half, and the third is free.
    money = {"life_years": 7_200 / YEAR_S, "depreciation": "declining", "residual_share": 0.25}
    of = owned(tmp_path, job(2_700, 2_700, 1), money=money, horizon_h=3)
    lost = [YEAR_S / 2, YEAR_S / 4]
    assert periods(of, "capital") == [
        (0, "job", 900, pytest.approx(lost[0] / 4)),
        (0, "idle", 2_700, pytest.approx(lost[0] * 3 / 4)),
        (3_600, "job", 1_800, pytest.approx(lost[1] / 2)),
        (3_600, "idle", 1_800, pytest.approx(lost[1] / 2)),
        (7_200, "idle", 3_600, 0),
    ]
    assert rows(of, "jobs", "spend_usd") == [(pytest.approx(lost[0] / 4 + lost[1] / 2),)]


def test_declining_begins_at_the_age(tmp_path: Path) -> None:
    # An hour old: the first half of the value is gone already.
    money = {"life_years": 7_200 / YEAR_S, "depreciation": "declining", "residual_share": 0.25}
    of = owned(tmp_path, job(0, 3_600, 1), money=money | {"age_years": 3_600 / YEAR_S})
    assert spent(of)["own", "capital", "job"] == pytest.approx(YEAR_S / 4)


def test_energy_by_the_hour_of_the_day(tmp_path: Path) -> None:
    # 3.6 kW from 22:30 to 00:10 UTC: half an hour at 22, an hour at 23, ten minutes at 0 cents. A quarter of
    # an hour before it idles at a tenth of the power.
    tariff = [0.0] * 22 + [0.20, 0.30]
    money = {"usd_per_kwh": tariff, "pue": 1.0, "life_years": 1.0}
    of = owned(tmp_path, job(900, 6_000, 1), money=money, epoch="2026-01-05T22:15")
    assert periods(of, "energy") == [
        (0, "job", round(1.8 * HOUR, 6), 0.36),
        (0, "idle", round(0.09 * HOUR, 6), 0.018),
        (2_700, "job", round(3.6 * HOUR, 6), 1.08),
        (6_300, "job", round(0.6 * HOUR, 6), 0),
    ]
    assert rows(of, "jobs", "spend_usd") == [(pytest.approx(6_000 + 1.44),)]


def test_pods_without_end_are_paid_for_the_whole_run(tmp_path: Path) -> None:
    # Two gangs at once make a second pod, for 100 s.
    money = {"life_years": 1.0}
    of = owned(tmp_path, job(0, 60, 1), job(50, 50, 1), money=money, bound="unlimited_owned")
    assert periods(of, "capital") == [(0, "job", 110, 110), (0, "idle", 90, 90)]


SERIES = {
    "hours": "time_h,usd_per_device_h\n0.01,7.2\n0.02,0\n",
    "dates": "usd_per_device_h,time\n7.2,2026-01-05T00:00:36\n0,2026-01-05 01:01:12+01:00\n",
    "begun before the epoch": "time_h,usd_per_device_h\n-5,1.8\n-0.1,3.6\n0.01,7.2\n0.02,0\n",
}


@pytest.mark.parametrize("text", SERIES.values(), ids=SERIES)
def test_a_job_pays_the_price_of_each_second(tmp_path: Path, text: str) -> None:
    # 0.001 USD a second until 36, twice that until 72, nothing after. Two devices boot for 30 s and work
    # from 30 to 100.
    (tmp_path / "prices.csv").write_text(text)
    terms = {"boot_s": 30, "price": {"csv": str(tmp_path / "prices.csv")}}
    of = rented(tmp_path / "run", job(0, 70, 2), terms=terms)
    assert spent(of) == {("rent", "on_demand", "boot"): 0.06, ("rent", "on_demand", "job"): 0.156}
    assert rows(of, "jobs", "spend_usd") == [(pytest.approx(0.156),)]
    assert [prices["prices"] for prices in of.description["offers"]] == [[[0, 3.6], [36, 7.2], [72, 0.0]]]


def test_a_surge_multiplies_the_price(tmp_path: Path) -> None:
    # Four times the price from 36 to 72: 64 seconds at 0.001 and 36 at 0.004.
    surges = [{"from_h": 0.01, "to_h": 0.02, "factor": 4}]
    of = rented(tmp_path, job(0, 100, 1), terms={"surges": surges})
    assert spent(of) == {("rent", "on_demand", "job"): 0.208}


def test_surges_of_a_series() -> None:
    surges = [Surge(5, 10, 2.0), Surge(10, 20, 0.5)]
    assert from_start(1.0, [(-3, 2.0), (8, 3.0)], surges) == (
        *((0, 2.0), (5, 4.0), (8, 6.0), (10, 1.5), (20, 3.0)),
    )


def test_a_commitment_is_paid_used_or_not(tmp_path: Path) -> None:
    # Three of five committed devices boot for 10 s and work for 90 of the 200 s.
    of = rented(
        tmp_path, job(0, 90, 3), terms={"commitments": [{"devices": 5}], "boot_s": 10}, horizon_h=200 / HOUR
    )
    assert spent(of) == {
        ("rent", "committed", "boot"): 0.03,
        ("rent", "committed", "job"): 0.27,
        ("rent", "committed", "unused_commitment"): 0.70,
    }


def test_use_beyond_a_commitment_is_on_demand(tmp_path: Path) -> None:
    # Five devices until 50 and three until 100, of which two are committed, for 200 s.
    of = rented(
        tmp_path,
        *(job(0, 100, 3), job(0, 50, 2)),
        terms={"commitments": [{"devices": 2}]},
        horizon_h=200 / HOUR,
    )
    assert spent(of) == {
        ("rent", "committed", "job"): 0.20,
        ("rent", "committed", "unused_commitment"): 0.20,
        ("rent", "on_demand", "job"): 0.20,
    }
    assert rows(of, "jobs", "spend_usd") == [(pytest.approx(0.3),), (pytest.approx(0.1),)]


def test_a_reservation_has_no_minimum_and_keeps_nothing(tmp_path: Path) -> None:
    # All of the quota is committed: the second gang takes at once what the first leaves.
    terms = {"key": "minutes", "quota": 2, "commitments": [{"devices": 2}], "release_s": 300}
    of = rented(tmp_path, job(0, 10, 2), job(0, 30, 2), terms=terms)
    assert spent(of) == {("rent", "committed", "job"): 0.08}


def test_nodes_are_kept_and_billed_in_steps(tmp_path: Path) -> None:
    # Work until 70, kept for 35, billed until 120: 50 s after the run's end, in its last charge period. A
    # commitment of two devices ends with the run.
    terms = {"key": "minutes", "release_s": 35}
    of = rented(tmp_path / "one", job(0, 70, 4), terms=terms)
    assert of.end_s == 70
    assert spent(of) == {
        ("rent", "on_demand", "job"): 0.28,
        ("rent", "on_demand", "idle"): 0.14,
        ("rent", "on_demand", "minimum"): 0.06,
    }
    of = rented(
        tmp_path / "two", job(0, 70, 4), terms=terms | {"commitments": [{"devices": 2}]}, horizon_h=80 / HOUR
    )
    assert spent(of) == {
        ("rent", "committed", "job"): 0.14,
        ("rent", "committed", "idle"): 0.02,
        ("rent", "on_demand", "job"): 0.14,
        ("rent", "on_demand", "idle"): 0.12,
        ("rent", "on_demand", "minimum"): 0.06,
    }


def test_data_in_and_out(tmp_path: Path) -> None:
    # 200 GB in at 1 cent each, and 50 GB out at 9 cents of the one that finishes.
    terms = {"egress_usd_per_gb": 0.09, "boot_s": 10, "usd_per_device_h": 0.0}
    data = {"input_tb": 0.2, "output_tb": 0.05}
    of = rented(
        tmp_path,
        *(job(3_590, 5, 1, **data), job(3_599, 500, 1, **data)),
        terms=terms,
        money={"transfer_usd_per_gb": 0.01},
        horizon_h=1.1,
    )
    moved = of.spend[of.spend.unit == "GB"]
    assert list(moved[["period_s", "line", "quantity"]].itertuples(index=False, name=None)) == [
        (0, "transfer", 400.0),
        (3_600, "egress", 50.0),
    ]
    assert rows(of, "jobs", "state", "spend_usd") == [
        ("finished", pytest.approx(6.5)),
        ("unfinished", pytest.approx(2)),
    ]


def test_tenants_pay_for_reference_device_hours(tmp_path: Path) -> None:
    # Two reference devices for half an hour at 4 USD, wherever they run and however fast; the one that is cut
    # off at the horizon pays nothing, nor do our own.
    both = scenario(
        [pool(1, device="double", capital_usd=0)],
        [offer("rent", usd_per_device_h=0.0)],
        policy=AT_ONCE,
        money={"tenant_usd_per_device_h": 4.0},
        horizon_h=1,
    )
    jobs = [
        job(0, 1_800, 2, workload="tenant"),
        job(0, 1_800, 2, workload="tenant"),
        job(0, 1_800, 2, workload="fsd"),
        job(0, 7_200, 2, workload="tenant"),
    ]
    of = run(both, trace(*jobs, reference_device="unit"), tmp_path)
    assert rows(of, "jobs", "where", "revenue_usd") == [("own", 4), ("rent", 4), ("rent", 0), ("rent", 0)]
    sold = of.spend[of.spend.line == "revenue"]
    assert list(zip(sold.resource, sold.quantity, sold.usd, strict=True)) == [("own", 1, -4), ("rent", 1, -4)]


def test_a_job_bears_all_its_attempts(tmp_path: Path) -> None:
    # A pod of four devices at 0.001 USD a device-second, and a spot offer at the same price; a GB costs
    # 1 cent in and 10 out. Two devices fail after 100 s; two spot ones boot for 20 s, work for 80 and are
    # reclaimed, with 2 GB brought in and 1 GB saved; two devices work for 100 s more, and a tenant pays 4 USD
    # for two device-hours. One device is out of service from 50 to 150 of the 400 s.
    of = scenario(
        [pool(4, capital_usd=126_230.4)],
        [offer("rent", boot_s=20, spot=True, usd_per_device_h=3.6, egress_usd_per_gb=0.1)],
        money=BARE
        | {"life_years": 1.0, "pue": 1.0, "transfer_usd_per_gb": 0.01, "tenant_usd_per_device_h": 2.0},
    )
    attempts = [
        Told(0, 0, 2, 0, 100, "failed", Account(0, 0, 200, 0.0, 0.0), pods=(0,)),
        Told(0, 1, 2, 100, 200, "reclaimed", Account(80, 0, 0, 0.002, 0.001), ready_s=20),
        Told(0, 0, 2, 300, 400, "finished", Account(3_520, 0, 0, 0.0, 0.0), pods=(0,)),
    ]
    tenant = trace(job(0, 3_600, 2, workload="tenant", input_tb=5.0, output_tb=5.0))
    found = byhand.run(of, tenant, attempts, [(0, 50, 1), (0, 150, -1)], 400, tmp_path)
    assert spent(found) == {
        ("own", "capital", "job"): 0.4,
        ("own", "capital", "idle"): 1.1,
        ("own", "capital", "down"): 0.1,
        **{("own", "energy", who): 0.0 for who in ("job", "idle", "down")},
        ("own", "revenue", "job"): -4.0,
        ("rent", "spot", "boot"): 0.04,
        ("rent", "spot", "job"): 0.16,
        ("rent", "transfer", "job"): 0.02,
        ("rent", "egress", "job"): 0.1,
    }
    assert rows(found, "jobs", "spend_usd", "revenue_usd", "attempts") == [(pytest.approx(0.68), 4.0, 3)]
    kwh = found.spend[found.spend.line == "energy"].set_index("charged_to").quantity
    assert kwh.round(9).to_dict() == {"job": 0.4, "idle": 0.11, "down": 0.01}


# What the scheduler sees of prices


@pytest.mark.parametrize(
    ("submit_s", "where"), [(35, "first"), (36, "second"), (71, "second"), (72, "first")]
)
def test_the_cheapest_offer_goes_by_the_price_of_now(tmp_path: Path, submit_s: int, where: str) -> None:
    # The first is half as dear, but four times its price from 36 to 72; what comes later nobody knows.
    surges = [{"from_h": 0.01, "to_h": 0.02, "factor": 4}]
    offers = [offer("first", usd_per_device_h=1.8, surges=surges), offer("second")]
    of = run(scenario([], offers, policy=AT_ONCE), trace(job(submit_s, 100, 1)), tmp_path)
    assert rows(of, "jobs", "where") == [(where,)]


def test_a_free_commitment_costs_nothing_more(tmp_path: Path) -> None:
    # Four committed devices at twice the price: the first gang is free there, the second would pay for three
    # of four, 0.006 a second beside 0.004, and the third, which comes when all are free again, for none.
    offers = [offer("committed", usd_per_device_h=7.2, commitments=[{"devices": 4}]), offer("cheap")]
    jobs = [job(0, 50, 3), job(0, 100, 4), job(60, 10, 1)]
    of = run(scenario([], offers, policy=AT_ONCE), trace(*jobs), tmp_path)
    assert rows(of, "jobs", "where") == [("committed",), ("cheap",), ("committed",)]


# Against the second ledger

BOOKS = settings(max_examples=examples(120), deadline=None)
RELATIONS = settings(BOOKS, max_examples=examples(30))

ALL_AT_ONCE = (
    scenario(
        [pool(2, capital_usd=1e6)],
        [
            offer(
                "cloud",
                8,
                boot_s=20,
                release_s=30,
                commitments=[{"devices": 3}],
                surges=[{"from_h": 0.01, "to_h": 0.02, "factor": 3}],
            )
        ],
        policy=AT_ONCE,
        money={
            "depreciation": "declining",
            "residual_share": 0.1,
            "usd_per_kwh": [0.01 * hour for hour in range(24)],
            "transfer_usd_per_gb": 0.01,
            "tenant_usd_per_device_h": 4,
        },
    ),
    trace(
        *(job(at, 120, 2, workload="tenant", input_tb=1.0, output_tb=1.0) for at in (0, 10, 40)),
        epoch="2026-01-05T23:59:01",
    ),
)


@BOOKS
@example(*ALL_AT_ONCE)
@given(scenarios(), traces())
def test_the_ledger_is_that_of_a_clerk(scenario: Scenario, trace: Trace) -> None:
    """Every row, and every job, to 1e-9: quantity and USD."""
    world = emulate(scenario, trace)
    nothing_is_done_twice(world)
    agrees_with(Books(world), world)


def nothing_is_done_twice(world: World) -> None:
    """In fair weather: data comes in for whoever is rented, and goes out where that finishes."""
    for attempt in world.attempts:
        asked, finished = world.jobs[attempt["job_id"]], attempt["outcome"] == "finished"
        assert attempt["attempt"] == 1
        assert (
            (attempt["kept_s"] == asked["runtime_s"])
            if finished
            else (attempt["kept_s"] <= asked["runtime_s"])
        )
        killed_s = attempt["end_s"] - attempt["start_s"] if attempt["outcome"] == "killed" else 0
        assert (attempt["checkpointing_s"], attempt["lost_device_s"]) == (0, attempt["used"] * killed_s)
        assert attempt["staged_tb"] == asked["input_tb"] * attempt["rented"]
        assert attempt["returned_tb"] == asked["output_tb"] * (attempt["rented"] and finished)


def agrees_with(books: Books, world: World) -> None:
    found = {
        (row["period_s"], row["resource"], row["line"], row["charged_to"]): [row["quantity"], row["usd"]]
        for row in world.spend
    }
    assert len(found) == len(world.spend)
    kept = {key: row for key, row in books.rows.items() if row[0]}
    assert found.keys() == kept.keys()
    for key, row in kept.items():
        assert found[key] == pytest.approx(row, rel=1e-9, abs=1e-9), key
    for job_id, logged in world.jobs.items():
        assert logged["spend_usd"] == pytest.approx(books.spend[job_id], rel=1e-9, abs=1e-9)
        assert logged["revenue_usd"] == pytest.approx(books.revenue[job_id], rel=1e-9)


EXPOSED: dict[str, Any] = {
    "pools": [pool(100, 2, name="pool0", capital_usd=1e6), pool(200, name="pool1", device="double")],
    "offers": [
        offer("spot", key="nodes", spot=True, release_s=45, usd_per_device_h=1.25),
        offer(
            "cloud",
            key="double",
            commitments=[{"devices": 3}],
            surges=[{"from_h": 0.01, "to_h": 0.02, "factor": 3}],
        ),
    ],
    "bound": "none",
    "horizon_h": None,
}
"""Room for all jobs of a trace at once, wherever they are."""


@BOOKS
@given(scenarios(**EXPOSED), traces(), st.data())
def test_the_clerk_agrees_whatever_befalls_the_jobs(
    scenario: Scenario, trace: Trace, data: st.DataObject
) -> None:
    """Any number of attempts, lost work, data moved for each, and devices out of service."""
    attempts, down, end_s = data.draw(byhand.histories(trace, places=4, pools=2, most_down=6))
    with TemporaryDirectory(dir=MEMORY) as folder:
        world = World(scenario, trace, byhand.run(scenario, trace, attempts, down, end_s, Path(folder)))
    agrees_with(Books(world), world)
    for logged in world.logged:
        assert logged["attempts"] == len(world.jobs[logged["job_id"]]["attempts"])


STORMY: dict[str, Any] = {
    "pools": [
        pool(
            *(8, 2),
            name="pool0",
            capital_usd=1e6,
            failures=[{"mtbf_h": 200 / HOUR, "repair_h": 20 / HOUR}],
            maintenance=[{"from_h": 60 / HOUR, "to_h": 90 / HOUR, "pods": [0]}],
        )
    ],
    "offers": [
        offer(
            *("spot", 24),
            key="nodes",
            spot=True,
            usd_per_device_h=1.25,
            boot_s=5,
            reclaim={"up_h": 60 / HOUR, "down_h": 20 / HOUR, "notice_s": 5},
        ),
        offer(
            "cloud", 8, commitments=[{"devices": 3}], boot_s=10, boots={"fail_probability": 0.2, "slot_s": 20}
        ),
    ],
    "checkpoints": {"interval": "20s", "gb_per_device": 2.0, "restart_s": 3},
    "retries": {"limit": 3, "backoff_s": 5, "backoff_most_s": 20},
    "bound": "none",
}
"""Devices break about twice in a run, and jobs are killed."""


@RELATIONS
@given(scenarios(**STORMY), traces())
def test_the_clerk_agrees_in_a_storm(scenario: Scenario, trace: Trace) -> None:
    """And what a finished job's attempts kept is its run time, no second of which was kept twice."""
    world = emulate(scenario, trace)
    agrees_with(Books(world), world)
    for asked in world.jobs.values():
        if asked["state"] == "finished":
            assert sum(attempt["kept_s"] for attempt in asked["attempts"]) == asked["runtime_s"]


def by_line(spend: list[Row]) -> Counter[str]:
    usd: Counter[str] = Counter()
    for row in spend:
        usd[row["line"]] += row["usd"]
    return usd


@RELATIONS
@given(scenarios(), traces())
def test_days_and_hours_come_to_the_same(scenario: Scenario, trace: Trace) -> None:
    days, hours = (
        emulate(replace(scenario, money=replace(scenario.money, charge_period=period)), trace)
        for period in ("day", "hour")
    )
    assert days.logged == hours.logged
    assert by_line(days.spend) == pytest.approx(by_line(hours.spend), rel=1e-9)


@RELATIONS
@given(scenarios(), traces(), st.floats(1, 10))
def test_a_longer_life_never_raises_the_capital(scenario: Scenario, trace: Trace, factor: float) -> None:
    """Of new pods under straight line; a declining value, or an old pod, may have more left to lose."""
    money = replace(scenario.money, depreciation="straight_line", age_years=0.0)
    longer = replace(money, life_years=factor * money.life_years)
    short, long = (emulate(replace(scenario, money=terms), trace) for terms in (money, longer))
    assert by_line(long.spend)["capital"] <= by_line(short.spend)["capital"] * (1 + 1e-9)


@RELATIONS
@given(scenarios(), traces(), st.floats(1, 10), st.sampled_from(["never", "at_once"]))
def test_a_higher_price_never_lowers_the_rent(
    scenario: Scenario, trace: Trace, factor: float, patience: str
) -> None:
    """With one offer at most, the price decides nothing but the bill; a contract has a price of its own."""
    policy = replace(scenario.policy, patience=patience)
    offers = [
        replace(
            spec,
            usd_per_device_h=2.0,
            commitments=tuple(each for each in spec.commitments if each.usd_per_device_h is None),
        )
        for spec in scenario.offers[:1]
    ]
    if not (offers or scenario.pools):
        return
    cheap = replace(scenario, policy=policy, offers=tuple(offers))
    dear = replace(cheap, offers=tuple(replace(spec, usd_per_device_h=2.0 * factor) for spec in offers))
    once, more = emulate(cheap, trace), emulate(dear, trace)
    assert more.attempts == once.attempts
    for line in ("on_demand", "committed"):
        assert by_line(more.spend)[line] == pytest.approx(factor * by_line(once.spend)[line])


def test_a_run_of_no_length_is_priced(tmp_path: Path) -> None:
    """The only boot fails in the first second, and nothing is tried again."""
    offers = [offer("cloud", boot_s=0, boots={"fail_probability": 1.0})]
    asked = scenario(
        [pool(1)],
        offers,
        policy={"patience": "at_once"},
        retries={"limit": 0},
        money={
            "usd_per_kwh": tuple(0.01 * hour for hour in range(24)),
            "depreciation": "declining",
            "residual_share": 0.1,
        },
    )
    of = run(asked, trace(job(0, 5, 2)), tmp_path)
    assert of.end_s == 0
    assert rows(of, "jobs", "state", "spend_usd") == [("killed", 0.0)]


# What is checked in every run


def test_the_run_says_what_was_checked(tmp_path: Path) -> None:
    of = rented(tmp_path, job(0, 100, 3), terms={"commitments": [{"devices": 5}]}, horizon_h=200 / HOUR)
    assert [(check["of"], check["rows_usd"]) for check in of.description["ledger"]] == [
        ("jobs", pytest.approx(0.3)),
        ("revenue", 0),
        ("rent", pytest.approx(1.0)),
    ]
    for check in of.description["ledger"]:
        assert check["expected_usd"] == pytest.approx(check["rows_usd"], rel=1e-9)


@pytest.mark.parametrize(
    ("line", "wrong"), [("capital", "jobs"), ("on_demand", "jobs"), ("revenue", "revenue")]
)
def test_a_ledger_that_does_not_add_up_is_refused(tmp_path: Path, line: str, wrong: str) -> None:
    both = scenario([A_YEAR], [offer("rent")], policy=AT_ONCE, money={"tenant_usd_per_device_h": 4.0})
    jobs = trace(job(0, 100, 1, workload="tenant"), job(0, 100, 1))
    of = run(both, jobs, tmp_path)
    owning = Owning(both.money, Calendar.of(jobs.epoch))
    stock = stock_of(both, CATALOG)
    spend = of.table("spend")
    off = pc.if_else(pc.equal(spend.column("line").cast("string"), line), 1.000_001, 1.0)
    bent = spend.set_column(6, "usd", pc.multiply(spend.column("usd"), off))
    with pytest.raises(LedgerError, match=f"rows of {wrong} come to"):
        audit(tmp_path, bent, stock, owning, Meter(stock, owning, jobs), of.end_s)


def test_a_bill_that_is_not_the_attempts_is_refused(tmp_path: Path) -> None:
    """Beside a meter that saw nothing, the jobs' charges are right and the offer's stand on nothing."""
    alone = scenario([], [offer("rent")], policy=AT_ONCE)
    jobs = trace(job(0, 100, 1))
    of = run(alone, jobs, tmp_path)
    owning, stock = Owning(alone.money, Calendar.of(jobs.epoch)), stock_of(alone, CATALOG)
    with pytest.raises(LedgerError, match=r"rows of rent come to 0\.1"):
        audit(tmp_path, of.table("spend"), stock, owning, Meter(stock, owning, jobs), of.end_s)


def test_a_run_of_ages_is_refused_before_it_begins(tmp_path: Path) -> None:
    ages = trace(job(0, 1, 1), job(10**11, 1, 1))
    with pytest.raises(LedgerError, match=r'3,169 years long.*charge_period "day"'):
        run(scenario([pool(1)]), ages, tmp_path)
    by_day = scenario([pool(1)], money={"charge_period": "day"}).money
    assert len(Owning(by_day, Calendar(0)).periods(10**11)) == 1 + 10**11 // 86_400


def test_a_second_is_priced_alike_however_late_it_comes() -> None:
    """Thirty years in, a span of two seconds across a change loses nothing to rounding."""
    steps = RateSteps(np.array([0, 10**9]), np.array([0.1, 0.3]))
    (usd,) = steps.over(np.array([10**9 - 1]), np.array([10**9 + 1]))
    assert usd == pytest.approx(0.4, rel=1e-15)


# Price files


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the columns must be"),
        ("time_h,usd_per_device_h\n", "no rows"),
        ("time_h,price\n0,1\n", "line 1: the columns must be usd_per_device_h and one of time_h, time"),
        (
            "time_h,time,usd_per_device_h\n0,0,1\n",
            "line 1: the columns must be usd_per_device_h and one of time_h, time",
        ),
        ("time_h,usd_per_device_h\n0,1\n1\n", "line 3: must have two values"),
        ("time_h,usd_per_device_h\n0,1,2\n", "line 2: must have two values"),
        ("time_h,usd_per_device_h\n0,1\n\n0,2\n", "line 4: time_h: must be at least a second later"),
        ("time_h,usd_per_device_h\n0,nan\n", "line 2: usd_per_device_h: must be a number"),
        ("time_h,usd_per_device_h\n0,-1\n", "line 2: usd_per_device_h: must be from 0"),
        ("time_h,usd_per_device_h\nsoon,1\n", "line 2: time_h: must be a number"),
        ("time,usd_per_device_h\n5th of May,1\n", "line 2: time: must be ISO 8601"),
    ],
)
def test_a_bad_price_file_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(PriceError) as raised:
        read_series(path, datetime(2026, 1, 5, tzinfo=UTC))
    assert str(raised.value).startswith(f"{path}: {words}")


# As a planner types it

OFFER = """
name = "planned"
[[pools]]
name = "dojo"
pod = "exapod-case-study"
pods = 1
[[offers]]
name = "cloud"
offer = "aws-h100-us-east-1"
quota = 256
[demand]
days = 1
devices = 120
load = 1.5
"""


def type_in(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    (folder / "planned.toml").write_text(OFFER)
    (folder / "prices.csv").write_text("time_h,usd_per_device_h\n6,20\n")
    out = folder / "run"
    result = type_in(
        *("replay", folder / "planned.toml", "-o", out, "--set", "offers.cloud.price.csv=prices.csv"),
        *("--set", "offers.cloud.surges=[{from_h = 2, to_h = 3, factor = 3}]"),
        *("--set", "offers.cloud.commitments=[{devices=64}]", "--set", "money.tenant_usd_per_device_h=50"),
    )
    assert result.exit_code == 0, result.output
    return out


def figures(text: str, row: str) -> list[str]:
    """The cells of the row that begins so."""
    line = next(line for line in text.splitlines() if line.startswith(row))
    return line.split()


@pytest.mark.parametrize("by", ["line", "resource", "period", "workload", "kind", "owner"])
def test_the_same_ledger_from_every_side(planned: Path, by: str) -> None:
    result = type_in("ledger", planned, "--by", by)
    assert result.exit_code == 0, result.output
    of = open_run(planned)
    cost = of.spend.usd[of.spend.line != "revenue"].sum()
    *_, check = (line for line in result.output.splitlines() if line.startswith("check: "))
    assert f"= {cost:,.0f} USD; pools and offers cost {cost:,.0f} by themselves" in check
    if by in ("line", "resource", "period"):
        assert figures(result.output, "total")[1] == f"{cost:,.0f}"
    else:
        everybody = figures(result.output, "all")
        assert everybody[1] == f"{len(of.jobs):,}"
        assert everybody[-1] == f"{of.jobs.revenue_usd.sum():,.0f}"


def test_a_run_keeps_the_prices_it_was_given(planned: Path) -> None:
    (cloud,) = open_run(planned).description["offers"]
    base = 6.88
    assert cloud["prices"] == [[0, base], [7_200, pytest.approx(3 * base)], [10_800, base], [21_600, 20.0]]


@pytest.mark.parametrize("command", ["ledger", "summary"])
def test_money_ends_with_what_is_assumed_or_of_low_certainty(planned: Path, command: str) -> None:
    lines = type_in(command, planned).output.splitlines()
    assert "assumed of dojo: idle_kw 5, operations_share_per_year 0.05" in lines
    assert "low certainty of dojo: capital_usd 400,000,000 (article-34)" in lines
    assert "low certainty of cloud: boot_s 600 (rented-start)" in lines
    unsure = open_run(planned).description["unsure"]
    assert unsure["low"]["dojo"] == "capital_usd 400,000,000 (article-34)"


def test_charges_are_set_beside_the_work_that_they_paid_for(tmp_path: Path) -> None:
    """One "double" does the work of two: at one price its hour costs half as much for an hour of work."""
    rows_of = [job(0, 3_600, 2, owner="a"), job(0, 1_800, 2, owner="b"), job(0, 7_200, 2, owner="a")]
    jobs = trace(*rows_of, reference_device="unit")
    spec = scenario([pool(2)], [offer("cloud", key="double")], policy={"patience": "at_once"})
    of = run(spec, jobs, tmp_path)
    found = {row["owner"]: row for row in used_by(of, "owner")}
    assert [found[who]["owned_work_h"] for who in ("a", "b", "all")] == [2, 0, 2]
    assert [found[who]["rented_work_h"] for who in ("a", "b", "all")] == [4, 1, 5]
    assert [found[who]["rented_h"] for who in ("a", "b", "all")] == [2, 0.5, 2.5]
    told = render(of, ["owner"]).splitlines()[1].split()
    assert (told[0], told[6:10]) == ("a", ["2", "7.20", "3.60", "1.80"])


def test_the_ledger_says_who_bears_what(planned: Path) -> None:
    result = type_in("ledger", planned)
    for words in (
        "dojo      capital",
        "cloud     committed",
        "unused",
        "net",
        "workload",
        "USD/device-h",
        "check: ",
    ):
        assert words in result.output


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("money.depreciation=declining", ["money", "residual_share above 0"]),
        ("money.depreciation=linear", ["money.depreciation", "linear"]),
        ("money.usd_per_kwh=[1, 2]", ["money.usd_per_kwh", "24"]),
        ("money.lifeyears=3", ["lifeyears", "did you mean life_years"]),
        ("offers.cloud.commitments=[{devices=257}]", ["offers[0]", "devices = 257", "quota"]),
        ("offers.cloud.surges=[{from_h=2,to_h=1,factor=2}]", ["surges[0]", "to_h = 1", "after from_h, 2"]),
        (
            "offers.cloud.surges=[{from_h=0,to_h=2,factor=2},{from_h=1,to_h=3,factor=2}]",
            ["offers[0]", "surges overlap"],
        ),
        ("offers.cloud.surges=[{from=0,to_h=2,factor=2}]", ["surges[0]", "did you mean from_h"]),
        ("offers.cloud.price.csv=missing.csv", ["missing.csv", "no such file"]),
        ("offers.cloud.price.file=prices.csv", ["price", "unknown key"]),
    ],
)
def test_a_bad_price_is_one_line(tmp_path: Path, override: str, words: list[str]) -> None:
    (tmp_path / "planned.toml").write_text(OFFER)
    result = type_in("replay", tmp_path / "planned.toml", "-o", tmp_path / "run", "--set", override)
    assert result.exit_code == 2, result.output
    assert len(result.output.splitlines()) == 1, result.output
    assert all(word in result.output for word in words), result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "no such run"),
        (("RUN", "--focus", "focus.txt"), ".csv"),
        (("RUN", "--by", "day"), "period"),
    ],
)
def test_a_bad_question(planned: Path, words: tuple[str, ...], said: str) -> None:
    result = type_in("ledger", *(planned if word == "RUN" else word for word in words))
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("depreciation", "left"),
    [
        ("straight_line", [1 - 0.9375 / 4, 1 - 0.9375 / 2, 0.0625, 0.0625]),
        ("declining", [0.5, 0.25, 0.0625, 0.0625]),
    ],
)
def test_what_pods_are_worth_by_their_age(depreciation: str, left: list[float]) -> None:
    """Two years old at second 0, then four, eight and nine: a sixteenth is left of eight years."""
    money = MoneySpec(depreciation=depreciation, age_years=2.0, **EIGHT_YEARS)  # type: ignore[arg-type]
    of = BookValue(money=money, calendar=Calendar(0), from_s=0, origin_s=0, age_years=2.0)
    ends_s = [round(years * YEAR_S) for years in (0, 2, 6, 7)]
    assert [of.left(end_s) for end_s in ends_s] == pytest.approx(left)
    assert [of.left(0) - of.lost(end_s) for end_s in ends_s] == pytest.approx(left)
    assert of.life_ends_s == ends_s[2]
    rate = of.rate(1_000.0, ends_s[1])
    assert float(rate.at(np.array([0]))[0]) * HOUR == pytest.approx(1_000 * of.lost(HOUR))


def test_pods_that_are_delivered_are_new_then() -> None:
    """In year 3 of the run, with an origin there: new, and half of eight years later."""
    money = MoneySpec(depreciation="straight_line", **EIGHT_YEARS)  # type: ignore[arg-type]
    born_s = round(3 * YEAR_S)
    of = BookValue(money=money, calendar=Calendar(0), from_s=born_s, origin_s=born_s, age_years=0.0)
    assert [of.left(born_s + round(years * YEAR_S)) for years in (0, 4, 8)] == pytest.approx(
        [1, 0.53125, 0.0625]
    )
