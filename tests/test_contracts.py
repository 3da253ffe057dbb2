"""Commitments for a term, savings plans, and blocks of capacity: what they cover, cost, and let run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scheduler.catalog import Catalog, CatalogError, load_catalog
from scheduler.money.focus.table import focus_table
from scheduler.money.ledger.commitments import committed
from scheduler.money.ledger.rates import rents
from scheduler.money.ledger.showback import showback
from scheduler.replay.engines import covers
from scheduler.run.directory import Run
from scheduler.scenario import Scenario, ScenarioError
from scheduler.stock.assumed import prices_of, unsure_figures
from scheduler.stock.stock import stock_of
from tests.build import job, offer, rows, run, scenario, trace
from tests.worlds import CATALOG
from traces.dated import months_later
from traces.times import DAY_S, HOUR_S

EPOCH = "2026-01-05"
NOON_S = 12 * HOUR_S


def rented(**terms: Any) -> Scenario:
    """One offer of 8 devices at 3.60 USD an hour, 0.001 a second, for jobs that ask at once."""
    cloud = offer("cloud", 8, **{"usd_per_device_h": 3.6, "boot_s": 0} | terms)
    return scenario([], [cloud], policy={"patience": "at_once"}, horizon_h=1.0)


def spent(of: Run) -> dict[tuple[str, str], Any]:
    """USD by line and bearer."""
    found: dict[tuple[str, str], float] = {}
    for line, who, usd in rows(of, "spend", "line", "charged_to", "usd"):
        found[line, who] = found.get((line, who), 0.0) + usd
    return {key: pytest.approx(usd) for key, usd in found.items()}


def test_a_term_covers_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    """Four devices for 300 s, of which two are committed from 100 on, until 1,000."""
    of = rented(commitments=[{"devices": 2, "since": "100s", "until": "1000s"}])
    done = run(of, trace(job(0, 300, 4)), tmp_path)
    assert spent(done) == {
        ("committed", "job"): 2 * 200 * 0.001,
        ("committed", "unused_commitment"): 2 * 700 * 0.001,
        ("on_demand", "job"): (4 * 300 - 2 * 200) * 0.001,
    }
    assert rows(done, "jobs", "spend_usd") == [(pytest.approx(1.2),)]


def test_a_price_of_its_own_is_a_discount_on_what_is_used(tmp_path: Path) -> None:
    """Two devices at half the price: 300 s are used, the other 3,300 s of the hour are not."""
    for terms in ({"usd_per_device_h": 1.8}, {"discount": 0.5}):
        done = run(
            rented(commitments=[{"devices": 2} | terms]), trace(job(0, 300, 4)), tmp_path / str(*terms)
        )
        assert spent(done) == {
            ("committed", "job"): 0.6,
            ("discount", "commitment"): -0.3,
            ("committed", "unused_commitment"): 2 * 3_300 * 0.0005,
            ("on_demand", "job"): 0.6,
        }


def test_a_savings_plan_buys_as_many_devices_as_it_pays_for(tmp_path: Path) -> None:
    """7.20 an hour is 4 devices at half of 3.60; when the price doubles after 600 s, two."""
    of = rented(
        commitments=[{"usd_per_h": 7.2, "discount": 0.5}],
        surges=[{"from_h": 600 / HOUR_S, "to_h": 1, "factor": 2}],
    )
    done = run(of, trace(job(0, 1_200, 4)), tmp_path)
    found = spent(done)
    assert found["committed", "job"] == 4 * 600 * 0.001 + 2 * 600 * 0.002
    assert found["on_demand", "job"] == 2 * 600 * 0.002
    assert found["discount", "commitment"] == -(4 * 600 * 0.0005 + 2 * 600 * 0.001)
    assert sum(usd for (usd,) in rows(done, "spend", "usd")) == pytest.approx(7.2 + 2.4)


LISTED = """
[offers.ours]
provider = "aws"
region = "here"
device = "h100"
sizes = [8]
usd_per_device_h = [3.6, "quote", "high"]
reserved_usd_per_device_h_by_months.12 = 1.8
savings_usd_per_device_h_by_months.12 = [2.4, "quote", "high"]
block_usd_per_device_h = [3.0, "quote", "high"]
contract_usd_per_device_h = [2.7, "quote", "low"]

[sources]
quote = "A quote"
"""


def ours(**terms: Any) -> dict[str, Any]:
    """Eight devices of the listed offer."""
    return {"name": "cloud", "offer": "ours", "quota": 8} | terms


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    file = tmp_path_factory.mktemp("prices") / "ours.toml"
    file.write_text('as_of = "2026-03"\n' + LISTED)
    return load_catalog(file)


@pytest.mark.parametrize(
    ("terms", "usd_per_h"),
    [
        ({"devices": 8, "months": 12}, 8 * 1.8),
        ({"devices": 8, "contract": True}, 8 * 2.7),
        ({"devices": 8}, 8 * 3.6),
        ({"usd_per_h": 12, "months": 12}, 12),
    ],
)
def test_prices_by_contract_come_from_the_catalog(
    listed: Catalog, terms: dict[str, Any], usd_per_h: float
) -> None:
    """A savings plan of 12 USD an hour covers 12 / 2.4 = 5 devices, of which an hour on demand is 3.6."""
    cloud = ours(commitments=[terms])
    (stock,) = stock_of(scenario([], [cloud]), listed, datetime(2026, 1, 5, tzinfo=UTC)).offers
    covered = committed(stock, rents(stock)[0].price)
    assert covered.usd.at(np.array([0])) * HOUR_S == pytest.approx(usd_per_h)
    devices = 5 if "usd_per_h" in terms else 8
    assert covered.devices.at(np.array([0])) == pytest.approx(devices)
    assert stock.commitments[0].covers(3.6) == devices


def test_a_term_of_months_ends_with_them(listed: Catalog) -> None:
    """From 31 August on a month ends on 30 September; `until` says otherwise."""
    start = datetime(2026, 8, 31, tzinfo=UTC)
    for terms, days in (({}, 365), ({"since": "2026-09-30"}, 395), ({"until": "2026-09-30"}, 30)):
        cloud = ours(commitments=[{"devices": 8, "months": 12} | terms])
        (stock,) = stock_of(scenario([], [cloud]), listed, start).offers
        assert stock.commitments[0].to_s == days * DAY_S
    assert months_later(start, 1) == datetime(2026, 9, 30, tzinfo=UTC)
    assert months_later(datetime(2026, 11, 5, 3, tzinfo=UTC), 2) == datetime(2027, 1, 5, 3, tzinfo=UTC)


def test_a_block_without_a_price_has_the_catalogs(listed: Catalog) -> None:
    cloud = ours(blocks=[{"since": "2026-01-06", "days": 2}])
    start = datetime(2026, 1, 5, tzinfo=UTC)
    (stock,) = stock_of(scenario([], [cloud]), listed, start).offers
    assert stock.commitments[0].usd_per_device_h == 3.0


@pytest.mark.parametrize(
    ("terms", "low", "assumed"),
    [
        ({"devices": 8, "contract": True}, "contract_usd_per_device_h 2.7 (quote)", ""),
        ({"devices": 8, "months": 12}, "", "reserved_usd_per_device_h_by_months.12 1.8"),
        ({"usd_per_h": 12, "months": 12}, "", ""),
        ({"devices": 8, "usd_per_device_h": 2}, "", ""),
    ],
)
def test_what_is_unsure_of_a_contract_is_said(
    listed: Catalog, terms: dict[str, Any], low: str, assumed: str
) -> None:
    """Its price is as old, and as little sure, as the catalog's; one that is given is the user's own."""
    cloud = ours(usd_per_device_h=3, commitments=[terms])
    of = scenario([], [cloud])
    stock = stock_of(of, listed, datetime(2026, 1, 5, tzinfo=UTC))
    unsure = unsure_figures(of, stock, listed)
    for said, figure in ((unsure["low"]["cloud"], low), (unsure["assumed"]["cloud"], assumed)):
        assert figure in said
        assert bool(figure) == ("usd_per_device_h" in said)
    assert prices_of(of, stock, listed) == ("" if "usd_per_device_h" in terms else "2026-03")


def test_a_block_is_there_for_its_days_alone(tmp_path: Path) -> None:
    """It begins at 11:30; a job of two days waits for it, is stopped half an hour before the end and goes on
    in the next one."""
    cloud = offer("cloud", 8, boot_s=0, blocks=[block("2026-01-06"), block("2026-01-08", 2)])
    of = scenario(
        [], [cloud], policy={"patience": "at_once"}, horizon_h=6 * 24.0, checkpoints={"interval": "1h"}
    )
    over = trace(job(0, DAY_S + HOUR_S, 4), epoch=EPOCH)
    done = run(of, over, tmp_path)
    first_s, second_s = DAY_S + 41_400, 3 * DAY_S + 41_400
    ((alloc_s, end_s, outcome), (again_s, done_s, finished)) = rows(
        done, "attempts", "alloc_s", "end_s", "outcome"
    )
    assert (alloc_s, end_s, outcome) == (first_s, first_s + DAY_S, "reclaimed")
    assert (again_s, finished) == (second_s, "finished")
    assert done_s - again_s <= 2 * HOUR_S
    # 8 devices for three days at one USD an hour, however much of it is used
    assert sum(usd for (usd,) in rows(done, "spend", "usd")) == pytest.approx(8 * 72)
    assert covers_not(of, over)


def covers_not(of: Scenario, over: Any) -> bool:
    from scheduler.replay import Setup

    return "there for some days" in (covers(Setup.of(of, over, CATALOG)) or "")


def block(since: str, days: int = 1) -> dict[str, Any]:
    return {"since": since, "days": days, "usd_per_device_h": 1.0}


def test_a_block_is_billed_ahead_and_used_at_its_price(tmp_path: Path) -> None:
    cloud = offer("cloud", 8, usd_per_device_h=3.6, boot_s=0, blocks=[block("2026-01-06")])
    of = scenario([], [cloud], policy={"patience": "at_once"}, horizon_h=72.0)
    done = run(of, trace(job(0, 2 * HOUR_S, 8), epoch=EPOCH), tmp_path)
    bill = focus_table(done, showback(done)).to_pylist()
    bought = [row for row in bill if row["ChargeCategory"] == "Purchase"]
    assert [(row["ChargePeriodStart"], row["BilledCost"]) for row in bought] == [
        (datetime(2026, 1, 6, 11, tzinfo=UTC), pytest.approx(8 * 24))
    ]
    used = [row for row in bill if row["CommitmentDiscountStatus"] == "Used"]
    assert sum(row["EffectiveCost"] for row in used) == pytest.approx(8 * 2)
    assert sum(row["ContractedCost"] for row in used) == pytest.approx(8 * 2 * 3.6)
    total = sum(usd for (usd,) in rows(done, "spend", "usd"))
    assert sum(row["EffectiveCost"] for row in bill) == pytest.approx(total) == 8 * 24


@pytest.mark.parametrize(
    ("terms", "wrong"),
    [
        (
            {"blocks": [block("2026-01-06", 15)]},
            "days = 15: a block lasts 1 to 14 days, or whole weeks up to 182",
        ),
        ({"blocks": [block("2026-01-06", 189)]}, "days = 189: a block lasts"),
        ({"blocks": [block("soon")]}, "'soon': must be a date"),
        ({"blocks": [block("2026-01-06")], "spot": True}, "they go neither with commitments nor with spot"),
        ({"commitments": [{}]}, "give either `devices`, or `usd_per_h` for a savings plan"),
        (
            {"commitments": [{"devices": 1, "months": 12, "discount": 0.1}]},
            "give one price: usd_per_device_h",
        ),
        ({"commitments": [{"devices": 1, "months": 12, "contract": True}]}, "give one price"),
        ({"commitments": [{"usd_per_h": 1, "contract": True}]}, "contract is a price of `devices`"),
        ({"commitments": [{"devices": 9}]}, "devices = 9: must be at most the quota"),
        ({"commitments": [{"devices": 1, "until": "now"}]}, '"now": must be a date'),
        (
            {"commitments": [{"usd_per_h": 1, "usd_per_device_h": 1}]},
            "neither with a discount nor with a savings",
        ),
    ],
)
def test_bad_terms_are_one_line(terms: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ScenarioError) as error:
        rented(**terms)
    assert wrong in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("terms", "wrong"),
    [
        ({"blocks": [block("2026-01-06", 7), block("2026-01-08")]}, "cloud: blocks overlap"),
        (
            {"commitments": [{"devices": 8, "months": 12}]},
            "has no reserved_usd_per_device_h_by_months.12 (it has: none by contract): give usd_per_device_h",
        ),
        ({"blocks": [{"since": "2026-01-06", "days": 1}]}, "has no block_usd_per_device_h"),
        ({"quota": 513, "blocks": [block("2026-01-06")]}, "at most 64 instances"),
        ({"commitments": [{"devices": 5}, {"devices": 4, "since": "10d"}]}, "of 9 devices at once"),
        (
            {"commitments": [{"devices": 5, "since": "2026-02-01", "until": "2026-01-06"}]},
            "until = 2026-01-06: must be after 2026-02-01",
        ),
    ],
)
def test_terms_that_cannot_be_together_are_one_line(terms: dict[str, Any], wrong: str) -> None:
    cloud = offer("cloud", **{"quota": 8} | terms)
    with pytest.raises(CatalogError) as error:
        stock_of(scenario([], [cloud]), CATALOG, datetime(2026, 1, 5, tzinfo=UTC))
    assert wrong in str(error.value)
