"""The FOCUS table: rows worked by hand, and the rules of the specification on any ledger.

The rules are read from the specification's list of columns where it is at hand, and checked on what the
CSV says, text by text.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from math import fsum, isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.money.focus.table import SCHEMA, FocusError, focus_table, write_focus, write_table
from scheduler.money.ledger.showback import showback
from scheduler.run.columns import CHARGED_TO, GROUP, LINES
from scheduler.run.directory import Run, RunError
from scheduler.run.parts import sealed_parts
from scheduler.scenario import Scenario
from scheduler.stock.stock import stock_of
from tests import build
from tests.examples import examples
from tests.test_docs import table as page_table
from tests.worlds import CATALOG, MEMORY, scenarios, traces
from traces import Trace
from traces.arrays import combinations
from traces.files import PathError

COLUMNS = Path(__file__).parents[1].parent / "shared" / "data" / "focus_v1.2_columns.csv"
HOUR_S = 3_600

Row = dict[str, str]
Spend = tuple[int, str, str, str, float, float]
"""period_s, resource, line, charged_to, quantity, usd."""

OFFER: dict[str, Any] = {"offer": "acme-h100-here", "provider": "acme", "region": "here", "device": "h100"}
OFFER |= {"spot": False, "list_usd_per_device_h": 0.0, "prices_by_size": {}}
STEADY, SURGING = [(0, 3.0)], [(0, 3.0), (3_600, 9.0)]


def ledger(folder: Path, *rows: Spend, end_s: int = 2 * HOUR_S, **more: str) -> Run:
    """A run of one pod and three offers, of which only the ledger was logged."""
    words = pa.dictionary(pa.int32(), pa.string())
    columns = list(zip(*rows, strict=True)) or [()] * 6
    units = [LINES[row[2]] for row in rows]
    table = pa.table(
        {
            "period_s": pa.array(columns[0], pa.int64()),
            "resource": pa.array(columns[1], pa.string()).cast(words),
            "line": pa.array(columns[2], pa.string()).cast(words),
            "charged_to": pa.array(columns[3], pa.string()).cast(words),
            "quantity": pa.array(columns[4], pa.float64()),
            "unit": pa.array(units, pa.string()).cast(words),
            "usd": pa.array(columns[5], pa.float64()),
        }
    )
    (folder / "spend.parquet").mkdir(parents=True)
    pq.write_table(table, folder / "spend.parquet" / "part-00000.parquet")
    description = {
        "scenario": {
            "name": "story",
            "money": {"charge_period": more.get("period", "hour")},
            "edge": [{"name": "parked"}],
        },
        "trace": {"epoch": more.get("epoch", "2026-01-31T22:00:00+00:00")},
        "end_s": end_s,
        "pools": [
            {"name": "dojo", "pod": "exapod", "device": "tile"},
            {"name": "own", "pod": "", "device": "unit"},
        ],
        "offers": [
            {"name": "cloud", "prices": STEADY, **OFFER, "commitments": []},
            {"name": "agreed", "prices": STEADY, **OFFER, "commitments": [], "list_usd_per_device_h": 4.0},
            {"name": "reserved", "prices": STEADY, **OFFER, "commitments": [], "list_usd_per_device_h": 3.2},
            {"name": "spots", "prices": STEADY, **OFFER, "commitments": [], "spot": True},
            {"name": "surging", "prices": SURGING, **OFFER, "commitments": []},
        ],
        "sites": [{"name": "here"}],
    }
    return Run(folder, description | {"parts": msgspec.to_builtins(sealed_parts(folder))})


def written(run: Run) -> list[Row]:
    """The rows of the CSV of a ledger whose jobs are all alike, as text; "" for null."""
    path = run.folder / "focus.csv"
    write_table(path, focus_table(run, alike(run)))
    return read(path)


def alike(run: Run) -> pa.Table:
    """The ledger as `showback` would give it if all jobs were Ann's."""
    spend = run.table("spend")
    borne = [who == "job" for who in spend.column("charged_to").to_pylist()]
    for name, word in zip(GROUP, ("ann", "fsd", "fsd.release"), strict=True):
        spend = spend.append_column(name, pa.array([word if each else None for each in borne], pa.string()))
    return spend


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def said(row: Row, *names: str) -> tuple[str, ...]:
    return tuple(row[name] for name in names)


COSTS = (
    "BilledCost",
    "EffectiveCost",
    "ContractedCost",
    "ListCost",
    "ContractedUnitPrice",
    "PricingQuantity",
)


def test_idle_pods_were_paid_before(tmp_path: Path) -> None:
    """20 idle devices for an hour at 76.05: written off, not billed."""
    (row,) = written(ledger(tmp_path, (0, "dojo", "capital", "idle", 20.0, 1_521.0)))
    assert said(row, *COSTS) == ("0.0", "1521.0", "1521.0", "1521.0", "76.05", "20.0")
    assert said(row, "ChargeCategory", "ChargeFrequency", "PricingCategory") == (
        "Usage",
        "Recurring",
        "Other",
    )
    assert said(row, "ProviderName", "RegionId", "ResourceType") == ("On-Premises", "", "Pool")
    assert said(row, "SkuId", "SkuMeter", "PricingUnit") == ("exapod-capital", "Depreciation", "Device-Hours")
    assert json.loads(row["Tags"]) == {
        "charged_to": "idle",
        "line": "capital",
        "run": tmp_path.name,
        "scenario": "story",
        "simulated": True,
    }


def test_own_devices_go_by_their_name(tmp_path: Path) -> None:
    (row,) = written(ledger(tmp_path, (0, "own", "energy", "job", 30.0, 3.0)))
    assert said(row, "SkuId", "PricingUnit", "BilledCost") == ("unit-energy", "Kilowatt-Hours", "3.0")


def test_what_is_billed_beyond_use_is_not_consumed(tmp_path: Path) -> None:
    job, minimum = written(
        ledger(
            tmp_path,
            (0, "cloud", "on_demand", "job", 8.0, 24.0),
            (0, "cloud", "on_demand", "minimum", 2.0, 6.0),
        )
    )
    assert said(job, "ConsumedQuantity", "PricingQuantity", "BilledCost") == ("8.0", "8.0", "24.0")
    assert said(minimum, "ConsumedQuantity", "PricingQuantity", "BilledCost") == ("0.0", "2.0", "6.0")
    assert said(job, "ProviderName", "RegionId", "SkuPriceId") == ("acme", "here", "acme-h100-here-on-demand")
    assert json.loads(job["SkuPriceDetails"]) == {"x_Device": "h100"}


def test_a_commitment_is_bought_once_and_used_in_part(tmp_path: Path) -> None:
    """16 devices for an hour at 2.50: 12 at work, 1 booting, 3 unused."""
    used, boot, unused, bought = written(
        ledger(
            tmp_path,
            (0, "reserved", "committed", "job", 12.0, 30.0),
            (0, "reserved", "committed", "boot", 1.0, 2.5),
            (0, "reserved", "committed", "unused_commitment", 3.0, 7.5),
        )
    )
    names = [f"CommitmentDiscount{what}" for what in ("Status", "Quantity")]
    names = ["ChargeCategory", *names, "ConsumedQuantity", "PricingCategory", "ResourceType"]
    assert said(used, *names) == ("Usage", "Used", "12.0", "12.0", "Committed", "Offer")
    assert said(boot, *names) == ("Usage", "Used", "1.0", "1.0", "Committed", "Offer")
    assert said(unused, *names) == ("Usage", "Unused", "3.0", "", "Committed", "Commitment")
    assert said(bought, *names) == ("Purchase", "", "16.0", "", "Standard", "Commitment")
    costs = [said(row, "BilledCost", "EffectiveCost") for row in (used, boot, unused, bought)]
    assert costs == [("0.0", "30.0"), ("0.0", "2.5"), ("0.0", "7.5"), ("40.0", "0.0")]
    assert {row["CommitmentDiscountId"] for row in (used, boot, unused, bought)} == {
        "exaburst/story/reserved/commitment"
    }
    assert unused["ResourceId"] == bought["ResourceId"] == bought["CommitmentDiscountId"]


PRICES = ("ListUnitPrice", "ContractedUnitPrice", "ListCost", "ContractedCost", "EffectiveCost", "SkuPriceId")


def test_a_commitment_discounts_what_it_covers(tmp_path: Path) -> None:
    """At 3.20 listed and 2.50 committed; nothing is saved on what nobody used."""
    rows = written(
        ledger(
            tmp_path,
            (0, "reserved", "committed", "job", 10.0, 25.0),
            (0, "reserved", "committed", "unused_commitment", 2.0, 5.0),
        )
    )
    listed, committed = "acme-h100-here-on-demand", "acme-h100-here-committed"
    assert [said(row, *PRICES) for row in rows] == [
        ("3.2", "3.2", "32.0", "32.0", "25.0", listed),
        ("2.5", "2.5", "5.0", "5.0", "5.0", committed),
        ("2.5", "2.5", "30.0", "30.0", "0.0", committed),
    ]


def test_an_agreed_price_is_contracted_below_the_list(tmp_path: Path) -> None:
    """At 4.00 listed: paid less, and in a surge more, than is listed."""
    rows = written(
        ledger(
            tmp_path,
            (0, "agreed", "on_demand", "job", 10.0, 30.0),
            (HOUR_S, "agreed", "on_demand", "job", 10.0, 90.0),
        )
    )
    assert [said(row, *PRICES[:5]) for row in rows] == [
        ("4.0", "3.0", "40.0", "30.0", "30.0"),
        ("9.0", "9.0", "90.0", "90.0", "90.0"),
    ]


@pytest.mark.parametrize(
    ("terms", "listed"),
    [
        ({}, 0.0),
        ({"usd_per_device_h": 2.0}, 3.6),
        ({"usd_per_device_h": 2.0, "spot": True}, 0.0),
        ({"usd_per_device_h": 2.0, "price": {"csv": "prices.csv"}}, 0.0),
    ],
)
def test_what_is_agreed_has_a_price_in_the_catalog(
    tmp_path: Path, terms: dict[str, Any], listed: float
) -> None:
    (tmp_path / "prices.csv").write_text("time_h,usd_per_device_h\n0,1\n", encoding="utf-8")
    if "price" in terms:
        terms = terms | {"price": {"csv": str(tmp_path / "prices.csv")}}
    (offer,) = stock_of(build.scenario([], [build.offer("cloud", **terms)]), build.CATALOG).offers
    assert offer.list_usd_per_device_h == listed


def test_a_price_that_moves_is_dynamic_unless_committed(tmp_path: Path) -> None:
    rows = written(
        ledger(
            tmp_path,
            (0, "surging", "on_demand", "job", 1.0, 9.0),
            (0, "surging", "committed", "job", 1.0, 9.0),
            (0, "cloud", "on_demand", "job", 1.0, 3.0),
        )
    )
    assert [row["PricingCategory"] for row in rows] == ["Dynamic", "Committed", "Standard", "Standard"]


def test_spot_is_dynamic_and_has_a_price_of_its_own(tmp_path: Path) -> None:
    """What providers may change without notice is Dynamic, whether or not they did."""
    rows = written(
        ledger(
            tmp_path,
            (0, "spots", "spot", "job", 2.0, 2.0),
            (0, "spots", "spot", "boot", 1.0, 1.0),
        )
    )
    names = ("PricingCategory", "SkuId", "SkuPriceId", "ProviderName", "BilledCost", "ConsumedQuantity")
    assert [said(row, *names) for row in rows] == [
        ("Dynamic", "acme-h100-here", "acme-h100-here-spot", "acme", "2.0", "2.0"),
        ("Dynamic", "acme-h100-here", "acme-h100-here-spot", "acme", "1.0", "1.0"),
    ]


def test_revenue_is_an_adjustment_without_a_price(tmp_path: Path) -> None:
    (row,) = written(ledger(tmp_path, (0, "cloud", "revenue", "job", 4.0, -40.0)))
    assert said(row, *COSTS) == ("-40.0", "-40.0", "-40.0", "-40.0", "", "4.0")
    assert said(row, "ChargeCategory", "ProviderName") == ("Adjustment", "On-Premises")
    assert said(row, "ConsumedQuantity", "ConsumedUnit", "PricingCategory") == ("", "", "")


def test_data_leaves_the_cloud_and_the_own_site(tmp_path: Path) -> None:
    rows = written(
        ledger(
            tmp_path, (0, "cloud", "egress", "job", 100.0, 9.0), (0, "cloud", "transfer", "job", 50.0, 0.0)
        )
    )
    names = ("ProviderName", "ServiceCategory", "PricingUnit", "ListUnitPrice", "SkuId")
    assert [said(row, *names) for row in rows] == [
        ("acme", "Networking", "GB", "0.09", "acme-h100-here-egress"),
        ("On-Premises", "Networking", "GB", "0.0", "acme-h100-here-transfer"),
    ]


PERIOD = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")


def test_hours_are_those_of_the_clock_clipped_to_the_run(tmp_path: Path) -> None:
    """From 22:20 to 00:05, over the end of a month: 40 minutes, an hour, 5 minutes."""
    starts = (2_400, 6_000, 0)
    run = ledger(
        tmp_path,
        *((start, "own", "capital", "idle", 1.0, 1.0) for start in starts),
        epoch="2026-01-31T22:20:00+00:00",
        end_s=6_300,
    )
    january = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert [said(row, *PERIOD) for row in written(run)] == [
        ("2026-01-31T22:20:00Z", "2026-01-31T23:00:00Z", *january),
        ("2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z", *january),
        ("2026-02-01T00:00:00Z", "2026-02-01T00:05:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    ]


def test_days_are_those_of_utc(tmp_path: Path) -> None:
    """The epoch is given two hours east of Greenwich: midnight there is 22:00 UTC."""
    run = ledger(
        tmp_path,
        (0, "own", "capital", "idle", 1.0, 1.0),
        (7_200, "own", "capital", "idle", 1.0, 1.0),
        epoch="2026-03-01T00:00:00+02:00",
        end_s=HOUR_S * 20,
        period="day",
    )
    assert [said(row, *PERIOD[:2]) for row in written(run)] == [
        ("2026-02-28T22:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "2026-03-01T18:00:00Z"),
    ]


def test_numbers_are_written_as_the_specification_asks(tmp_path: Path) -> None:
    run = ledger(tmp_path, (0, "own", "energy", "job", 2e16, 8e-9), (0, "own", "energy", "idle", 1e-7, 0.1))
    assert [said(row, "PricingQuantity", "BilledCost") for row in written(run)] == [
        ("2E16", "8E-9"),
        ("1E-7", "0.1"),
    ]


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    run = ledger(
        tmp_path,
        (0, "reserved", "committed", "unused_commitment", 3.0, 7.5),
        (3_600, "dojo", "energy", "job", 1.0 / 3.0, 0.1),
        (3_600, "dojo", "revenue", "job", 4.0, -1.0 / 3.0),
    )
    rows = written(run)
    write_table(tmp_path / "focus.parquet", focus_table(run, alike(run)))
    table = pq.read_table(tmp_path / "focus.parquet")
    assert table.column_names == list(rows[0])
    for field in table.schema:
        values = [None if row[field.name] == "" else row[field.name] for row in rows]
        kept: list[Any] = table[field.name].to_pylist()
        if pa.types.is_floating(field.type):
            assert kept == [None if value is None else float(value) for value in values]
        elif pa.types.is_timestamp(field.type):
            assert [f"{value:%Y-%m-%dT%H:%M:%SZ}" for value in kept] == values
        else:
            assert kept == values


def test_an_empty_ledger_is_a_table_without_rows(tmp_path: Path) -> None:
    run = ledger(tmp_path)
    assert written(run) == []
    assert (tmp_path / "focus.csv").read_text(encoding="utf-8") == ",".join(SCHEMA.names) + "\n"


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    run = ledger(tmp_path)
    for name in ("focus.xlsx", "focus"):
        with pytest.raises(FocusError, match=rf"{name}: a FOCUS table must be a \.csv or a \.parquet file$"):
            write_focus(run, tmp_path / name)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_nothing_is_left_of_what_cannot_be_written(tmp_path: Path, suffix: str) -> None:
    run = ledger(tmp_path / "run", (0, "own", "energy", "job", 1.0, 1.0))
    table = focus_table(run, alike(run))
    with pytest.raises(OSError, match="No such file"):
        write_table(tmp_path / "nowhere" / f"focus{suffix}", table)
    (tmp_path / f"there{suffix}").mkdir()
    with pytest.raises(PathError, match="is a folder"):
        write_table(tmp_path / f"there{suffix}", table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", f"there{suffix}"]


def test_a_run_without_a_ledger_is_said_so(tmp_path: Path) -> None:
    run = ledger(tmp_path)
    (tmp_path / "spend.parquet" / "part-00000.parquet").write_bytes(b"no")
    with pytest.raises(RunError, match=r"spend\.parquet"):
        write_focus(run, tmp_path / "focus.csv")


BEARERS = {
    "capital": ("job", "idle", "down"),
    "energy": ("job", "idle", "down"),
    "carbon": ("job", "idle", "down"),
    "demand_charge": ("site",),
    "operations": ("job", "idle", "down"),
    "write_off": ("assets",),
    "resale": ("assets",),
    "decommission": ("assets",),
    "porting": ("assets",),
    "on_demand": ("job", "idle", "boot", "minimum"),
    "spot": ("job", "idle", "boot", "minimum"),
    "committed": ("job", "idle", "boot", "minimum", "unused_commitment"),
    "discount": ("commitment",),
    "egress": ("job",),
    "transfer": ("job",),
    "edge": ("edge",),
    "credit": ("tenant",),
    "revenue": ("job", "tenant"),
}
CHARGED = sorted(BEARERS.keys() - {"discount"})
"""Lines with rows of their own; a discount lowers those of a commitment."""
OF_PODS = (*("capital", "energy", "carbon", "operations", "write_off", "resale"), "decommission", "porting")
PLACES: dict[str, tuple[str, ...]] = dict.fromkeys(OF_PODS, ("dojo", "own"))
PLACES |= {"demand_charge": ("here",), "edge": ("parked",)}


def test_all_lines_and_bearers_are_tried() -> None:
    assert BEARERS.keys() == LINES.keys()
    assert {bearer for bearers in BEARERS.values() for bearer in bearers} == set(CHARGED_TO)


def test_a_run_is_billed_to_the_cent(tmp_path: Path) -> None:
    """Pods at a site or closed, a commitment exceeded and left unused, spot devices, data, tenants, cars."""
    pods, gone = (build.pool(4, name=name, capital_usd=1e6) for name in ("own", "gone"))
    closes = {"pool": "gone", "at": "0s", "resale_share": 0.5, "decommission_usd_per_kw": 9.0}
    cloud = build.offer(
        "cloud", commitments=[{"devices": 2, "discount": 0.2}], egress_usd_per_gb=0.1, boot_s=60
    )
    spot = build.offer("spot", 2, usd_per_device_h=1.0, spot=True)
    money = {"tenant_usd_per_device_h": 5, "transfer_usd_per_gb": 0.01}
    site = {"name": "here", "pools": ["own"], "g_co2_per_kwh": 300, "demand_usd_per_kw_month": 10}
    work = [
        build.job(0, 9_000, 4, residency="owned", workload="tenant"),
        build.job(600, 4_000, 3, input_tb=0.5, output_tb=0.25),
        build.job(700, 600, 2),
        build.job(800, 600, 2, kind="label"),
    ]
    cars = {
        **{"name": "parked", "cars": 10, "tops": 200, "w": 100, "parked_by_hour": [1.0] * 24, "opt_in": 1},
        **{"wired_share": 1, "uplink_mbps": 100, "usd_per_car_h": 0.2, "kinds": ["label"], "deadline_h": 2},
        **{"shard_pflop": 36, "shard_gb": 0},
    }
    lease = {"name": "bulk", "devices": 1, "each": 1, "from_h": 1, "to_h": 2, "usd_per_device_h": 3}
    scenario = build.scenario(
        [pods, gone],
        [cloud, spot],
        policy={"patience": "at_once"},
        money=money,
        sites=[site],
        closures=[closes],
        ports=[{"kind": "other", "device": "unit", "port_usd": 100.0}],
        market={"price": {"usd_per_device_h": 2}, "leases": [lease], "credit_share": 0.1},
        horizon_h=4,
        edge=[cars],
    )
    run = build.run(scenario, build.trace(*work), tmp_path)
    assert {line for (line,) in build.rows(run, "spend", "line")} == set(LINES)
    names = ("period_s", "resource", "line", "charged_to", "quantity", "usd")
    charges = write_focus(run, tmp_path / "bill.csv")
    bill = read(tmp_path / "bill.csv")
    assert len(bill) == charges
    obeys_the_specification(bill, build.rows(run, "spend", *names))


def test_two_owners_share_a_commitment(tmp_path: Path) -> None:
    """Of 2 device-hours at work in the hour 1.5 are covered: three quarters of what each owner holds."""
    work = [
        build.job(0, 1_800, 2, residency="any", workload="fsd", kind="fsd.release", owner="ann"),
        build.job(0, 1_800, 1, residency="any", workload="tenant", kind="tenant.job", owner="bob"),
        build.job(1_800, 1_800, 1, residency="any", workload="fsd", kind="fsd.release", owner="ann"),
    ]
    cloud = build.offer("cloud", commitments=[{"devices": 2}], usd_per_device_h=2.0, boot_s=0)
    run = build.run(build.scenario([], [cloud]), build.trace(*work), tmp_path / "run")
    assert write_focus(run, tmp_path / "bill.csv") == 6
    found = {
        (tags.get("owner"), tags.get("kind"), tags["line"]): said(row, "PricingQuantity", "EffectiveCost")
        for row in read(tmp_path / "bill.csv")
        for tags in [json.loads(row["Tags"])]
    }
    assert {key: tuple(map(float, amounts)) for key, amounts in found.items()} == {
        ("ann", "fsd.release", "committed"): (1.125, 2.25),
        ("ann", "fsd.release", "on_demand"): (0.375, 0.75),
        ("bob", "tenant.job", "committed"): (0.375, 0.75),
        ("bob", "tenant.job", "on_demand"): (0.125, 0.25),
        (None, None, "committed"): (0.5, 1.0),
        (None, None, "purchase"): (2.0, 0.0),
    }


@settings(max_examples=examples(60), deadline=None)
@given(scenarios(), traces())
def test_groups_bear_what_their_jobs_cost(scenario: Scenario, trace: Trace) -> None:
    """In each charge period, on each line, they come to what the ledger says of all jobs."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        run = build.run(scenario, trace, Path(folder), CATALOG)
        shown, spend, jobs = showback(run), run.table("spend"), run.table("jobs")
    rows = ["period_s", "resource", "line", "charged_to"]
    comes_to(summed(shown, rows, "usd"), summed(spend, rows, "usd"))
    comes_to(summed(shown, rows, "quantity"), summed(spend, rows, "quantity"))
    ours = shown.filter(pc.equal(shown.column("charged_to"), "job"))
    assert all(shown.column(name).null_count == len(shown) - len(ours) for name in GROUP)
    spent, earned = (summed(jobs, GROUP, name) for name in ("spend_usd", "revenue_usd"))
    comes_to(summed(ours, GROUP, "usd"), {group: usd - earned[group] for group, usd in spent.items()})


def summed(table: pa.Table, keys: Sequence[str], amount: str) -> dict[tuple[Any, ...], float]:
    """Add up an amount by some columns."""
    total: dict[tuple[Any, ...], float] = defaultdict(float)
    for *key, value in zip(*(table.column(name).to_pylist() for name in (*keys, amount)), strict=True):
        total[tuple(key)] += value
    return total


def comes_to(found: dict[tuple[Any, ...], float], due: dict[tuple[Any, ...], float]) -> None:
    """What is in one alone is nothing, but for the rounding of a share."""
    for key in found.keys() | due.keys():
        assert found.get(key, 0.0) == pytest.approx(due.get(key, 0.0), rel=1e-9, abs=1e-9), key


WORDS = st.sampled_from(["a", "b", "c", None])


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=20))
def test_combinations_are_numbered_as_they_appear(rows: list[tuple[str | None, ...]]) -> None:
    columns = [pa.chunked_array([[row[at] for row in rows]], pa.string()) for at in range(3)]
    first, number = combinations([columns[0].cast(pa.dictionary(pa.int32(), pa.string())), *columns[1:]])
    known = list(dict.fromkeys(rows))
    assert [rows[at] for at in first] == known
    assert [known[at] for at in number] == rows


@st.composite
def spends(draw: st.DrawFn) -> list[Spend]:
    """Any ledger of some hours: sums of money from nothing to millions, also for nothing used."""
    amounts = st.just(0.0) | st.floats(1e-6, 1e7)
    rows = {}
    for _ in range(draw(st.integers(0, 30))):
        line = draw(st.sampled_from(CHARGED))
        resource = draw(st.sampled_from(PLACES.get(line, ("cloud", "agreed", "reserved"))))
        bearer = draw(st.sampled_from(BEARERS[line]))
        quantity, usd = draw(amounts), draw(amounts)
        key = (HOUR_S * draw(st.integers(0, 50)), resource, line, bearer)
        rows[key] = (quantity, (-usd if line == "revenue" else usd) if quantity else 0.0)
    return [(*key, *amount) for key, amount in rows.items()]


@settings(max_examples=examples(60), deadline=None)
@given(spends())
def test_any_ledger_obeys_the_specification(rows: list[Spend]) -> None:
    with TemporaryDirectory() as folder:
        table = written(ledger(Path(folder) / "run", *rows, end_s=51 * HOUR_S))
    obeys_the_specification(table, rows)


def obeys_the_specification(table: list[Row], rows: list[Spend]) -> None:
    money_is_conserved(rows, table)
    discounts_only_lower(table)
    commitments_are_amortised(table)
    words_belong_together(table)
    if COLUMNS.exists():
        columns_are_as_specified(table)


def money_is_conserved(rows: list[Spend], table: list[Row]) -> None:
    total, scale = fsum(row[5] for row in rows), fsum(abs(row[5]) for row in rows)
    assert isclose(fsum(float(row["EffectiveCost"]) for row in table), total, abs_tol=1e-9 * scale)
    paid = fsum(row[5] for row in rows if row[2] not in ("capital", "write_off"))
    assert isclose(fsum(float(row["BilledCost"]) for row in table), paid, abs_tol=1e-9 * scale)
    for row in table:
        for agreed in ("List", "Contracted"):
            if price := row[f"{agreed}UnitPrice"]:
                cost = float(price) * float(row["PricingQuantity"])
                assert isclose(cost, float(row[f"{agreed}Cost"]), rel_tol=1e-9)
            else:
                assert row[f"{agreed}Cost"] == row["BilledCost"]


def discounts_only_lower(table: list[Row]) -> None:
    """A published price, less what was agreed, less what a commitment saves."""
    for row in table:
        if row["ChargeCategory"] == "Usage":
            listed, contracted, effective = (float(row[f"{which}Cost"]) for which in SAVED)
            assert effective <= contracted * (1 + 1e-9)
            assert contracted <= listed * (1 + 1e-9)
            assert isclose(contracted, effective, rel_tol=1e-9) or row["CommitmentDiscountStatus"] == "Used"


SAVED = ("List", "Contracted", "Effective")


def commitments_are_amortised(table: list[Row]) -> None:
    """EffectiveCost-C-012, and quantities: in each period what is bought is used or unused."""
    bought: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    used: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in table:
        key = row["CommitmentDiscountId"], row["ChargePeriodStart"]
        if not key[0]:
            continue
        side, cost = (
            (bought, "BilledCost") if row["ChargeCategory"] == "Purchase" else (used, "EffectiveCost")
        )
        side[key][0] += float(row["CommitmentDiscountQuantity"])
        side[key][1] += float(row[cost])
    assert bought.keys() == used.keys()
    for key, sums in bought.items():
        assert sums == pytest.approx(used[key], rel=1e-9)


ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"", "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "CommitmentDiscountCategory": {"", "Spend", "Usage"},
    "CommitmentDiscountStatus": {"", "Used", "Unused"},
    "CapacityReservationStatus": {"", "Used", "Unused"},
    "PricingCategory": {"", "Standard", "Dynamic", "Committed", "Other"},
}
SUBCATEGORIES = {"Compute": {"Virtual Machines", "Other (Compute)"}, "Networking": {"Network Connectivity"}}
"""Of the allowed services, those that there is reason to use."""
TOGETHER = [
    ("CommitmentDiscountQuantity", "CommitmentDiscountUnit"),
    ("ConsumedQuantity", "ConsumedUnit"),
    ("PricingQuantity", "PricingUnit"),
    ("RegionId", "RegionName"),
    ("ResourceId", "ResourceType"),
    ("SkuId", "SkuPriceId"),
    ("SkuId", "SkuMeter"),
    *(("CommitmentDiscountId", f"CommitmentDiscount{what}") for what in ("Category", "Name", "Type")),
]
ONE_TO = [("SkuPriceId", "SkuId"), ("ServiceName", "ServiceCategory"), ("ServiceName", "ServiceSubcategory")]
UNIT = re.compile(r"(GB|Kilograms|Kilowatts|Pods|Ports|[A-Z][A-Za-z]*-(Hours|Days|Months))")


def words_belong_together(table: list[Row]) -> None:
    """Which column is null with which, and what is said of one thing everywhere."""
    for row in table:
        for name, allowed in ALLOWED.items():
            assert row[name] in allowed, name
        assert row["ServiceSubcategory"] in SUBCATEGORIES[row["ServiceCategory"]]
        for one, other in TOGETHER:
            assert bool(row[one]) == bool(row[other]), (one, other)
        usage, unused = row["ChargeCategory"] == "Usage", row["CommitmentDiscountStatus"] == "Unused"
        assert bool(row["ConsumedQuantity"]) == (usage and not unused)
        assert bool(row["CommitmentDiscountStatus"]) == (usage and bool(row["CommitmentDiscountId"]))
        if row["ChargeCategory"] != "Adjustment":
            assert all(said(row, "ListUnitPrice", "ContractedUnitPrice", "PricingCategory", "SkuPriceId"))
        assert row["ProviderName"] == row["InvoiceIssuerName"]
        assert row["ResourceName"] != row["ResourceId"]
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert all(UNIT.fullmatch(row[name]) for name in row if name.endswith("Unit") and row[name])
    for one, other in ONE_TO:
        pairs = {said(row, one, other) for row in table}
        assert len(pairs) == len({pair[0] for pair in pairs}), (one, other)


DECIMAL = re.compile(r"-?\d+(\.\d+)?(E-?\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def columns_are_as_specified(table: list[Row]) -> None:
    """Every column of the specification's list, with its type, its range and its nulls."""
    with COLUMNS.open(newline="", encoding="utf-8") as file:
        specified = list(csv.DictReader(file))
    assert [column["ColumnID"] for column in specified] == SCHEMA.names
    for column in specified:
        name = column["ColumnID"]
        values = [row[name] for row in table]
        assert column["AllowsNulls"] == "True" or all(values), name
        given = [value for value in values if value]
        if column["DataType"] == "Decimal":
            assert all(DECIMAL.fullmatch(value) for value in given), name
            assert "non-negative" not in column["NumberRange"] or all(float(value) >= 0 for value in given)
        elif column["DataType"] == "Date/Time":
            assert all(TIME.fullmatch(value) for value in given), name
        elif column["DataType"] == "JSON":
            properties = [json.loads(value) for value in given]
            flat = {type(value) for each in properties for value in each.values()}
            assert flat <= {str, bool, int, float, type(None)}, name
        if "Currency Format" in column["ValueFormat"]:
            assert set(given) <= {"USD"}, name


def test_the_columns_are_those_of_the_specification() -> None:
    if not COLUMNS.exists():
        pytest.skip(f"{COLUMNS.name} is not at hand")
    columns_are_as_specified([])


PAGE = Path(__file__).parents[1] / "docs" / "focus.md"


def test_the_page_defines_each_column_once() -> None:
    named = [name for row in page_table("focus.md", "## Columns") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == SCHEMA.names


def test_the_page_says_what_each_line_is(tmp_path: Path) -> None:
    head = re.search(r"^\| line \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert head
    names = re.findall(r"`(\w+)`", head[1])
    rows = [(0, PLACES.get(line, ("cloud",))[0], line, "job", 1.0, 1.0) for line in BEARERS]
    found = {
        json.loads(row["Tags"])["line"]: list(said(row, *names)) for row in written(ledger(tmp_path, *rows))
    }
    described = page_table("focus.md", "## Rows")
    assert {
        row[0].strip("`"): [cell.replace("of the offer", "acme") for cell in row[1:]] for row in described
    } == found


def test_the_page_names_the_wrong_rules() -> None:
    told = next(part for part in PAGE.read_text(encoding="utf-8").split("\n\n") if part.startswith("| rule"))
    assert set(re.findall(r"^\| `(\S+)`", told, re.MULTILINE)) == WRONG_RULES


VALIDATOR = "EXABURST_FOCUS_VALIDATOR"
WRONG_RULES = {"InvoiceId-C-005-C", "CapacityReservationStatus-C-004-C", "CommitmentDiscountStatus-C-004-C"}
"""Rules of focus-validator 2.2.1 that contradict the specification; docs/focus.md says how."""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_public_validator_finds_nothing_but_its_own_mistakes(tmp_path: Path, suffix: str) -> None:
    program = os.environ.get(VALIDATOR)
    if not program:
        pytest.skip(f"{VALIDATOR} does not name the focus-validator program")
    bearers = [(line, bearer) for line, bearers in BEARERS.items() for bearer in bearers]
    rows = [
        (
            hour * HOUR_S,
            PLACES.get(line, ("reserved",))[0],
            line,
            bearer,
            3.0,
            -1.5 if line == "revenue" else 1.5,
        )
        for hour in range(3)
        for line, bearer in bearers
    ]
    path = tmp_path / f"focus{suffix}"
    run = ledger(tmp_path / "run", *rows, end_s=3 * HOUR_S)
    write_table(path, focus_table(run, alike(run)))
    (home,) = Path(program).resolve().parents[1].glob("lib/python*/site-packages")
    command = [program, "--data-file", str(path), "--validate-version", "1.2", "--block-download"]
    command += ["--applicability-criteria", "ALL"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True, timeout=120)
    failed = set(re.findall(r"^- (\S+): violations=", done.stdout, re.MULTILINE))
    composite = set(re.findall(r"^- (\S+): .*: AND failed - failed child rules", done.stdout, re.MULTILINE))
    assert re.search(r"^Total: 578 \| Pass: \d+ \| Fail: \d+", done.stdout, re.MULTILINE), done.stdout[-500:]
    assert failed - composite == WRONG_RULES
