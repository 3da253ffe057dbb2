"""The ledger held against what it must come to, in every run.

Its rows are made from step functions of devices, cell by cell. Beside them stand sums that know nothing of
those: what jobs.parquet says of each job; the book value that pods lose, and their energy, by the meter; the
bills of rented attempts, one by one, and the price of commitments.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isclose
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.ledger.commitments import committed
from scheduler.money.ledger.demand_charge import DemandCharge
from scheduler.money.ledger.holdings import holdings, partings
from scheduler.money.ledger.meter import Meter
from scheduler.money.ledger.porting import Ported
from scheduler.money.ledger.rates import LedgerError, Owning, rents
from scheduler.money.ledger.sold import Sold, paid_to_cars
from scheduler.run.parts import written_parts
from scheduler.run.spend import sums
from scheduler.stock.pools import PoolStock
from scheduler.stock.sites import SiteStock
from scheduler.stock.stock import OfferStock, Stock
from traces.arrays import Ints
from traces.step_function import by_cell, from_changes
from traces.times import YEAR_S

SALES_LINES = ("revenue", "credit")
"""Lines that are what is sold, not what pools and offers cost."""
TOLERANCE = 1e-9
"""The largest difference, as a share of the amount."""

Totals = dict[tuple[str, str, str], float]
"""(resource, line, charged to) -> USD."""


class Check(NamedTuple):
    """What rows of the ledger come to, and must come to."""

    of: str
    rows_usd: float
    expected_usd: float


def audit(
    folder: Path,
    spend: pa.Table,
    stock: Stock,
    owning: Owning,
    meter: Meter,
    end_s: int,
    sold: Sequence[Sold] = (),
    ports: Sequence[Ported] = (),
) -> list[Check]:
    """Return the checks of a run that ended at `end_s`; raises LedgerError where one fails."""
    usd = totals(spend)
    jobs = pa.concat_tables([*written_parts(folder, "jobs", ["spend_usd", "revenue_usd"])])
    spent, brought = (float(pc.sum(column).as_py() or 0) for column in jobs.columns)
    borne = (amount for (_, line, who), amount in usd.items() if who == "job" and line != "revenue")
    by_line = {line: sum(usd[key] for key in usd if key[1] == line) for line in SALES_LINES}
    paid = {line: sum(each.usd for each in sold if each.line == line) for line in SALES_LINES}
    checks = [
        Check("jobs", sum(borne), spent),
        Check("revenue", -by_line["revenue"], brought - paid["revenue"]),
    ]
    if sold:
        checks.append(Check("credit", by_line["credit"], paid["credit"]))
    costs = {
        pool.name: _of_pool(pool, owning, at_1_kw, end_s)
        for pool, at_1_kw in zip(stock.pools, meter.usd_at_1_kw, strict=True)
    }
    for offer, billed in zip(stock.offers, meter.billed_usd, strict=True):
        costs[offer.name] = billed + _unused(usd, offer, owning.start_s, end_s)
    for port in ports:
        costs[port.resource] += port.usd
    costs |= paid_to_cars(sold)
    checks += [Check(name, _cost(usd, name), expected) for name, expected in costs.items()]
    checks += [_of_site(folder, usd, site, stock, owning, end_s) for site in stock.sites if site.is_charged]
    for check in checks:
        if not isclose(check.rows_usd, check.expected_usd, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            difference = f"come to {check.rows_usd!r} USD, not to {check.expected_usd!r}"
            raise LedgerError(f"{folder}: the ledger is wrong: its rows of {check.of} {difference}")
    return checks


def totals(spend: pa.Table) -> Totals:
    """Add up the rows of all charge periods."""
    keys = ["resource", "line", "charged_to"]
    rows = sums(spend, keys, ["usd"])
    return {(row["resource"], row["line"], row["charged_to"]): row["usd"] for row in rows}


def _cost(usd: Totals, name: str) -> float:
    return sum(usd[key] for key in usd if key[0] == name and key[1] not in SALES_LINES)


def _of_pool(pool: PoolStock, owning: Owning, at_1_kw: float, end_s: int) -> float:
    """Book value lost, what is charged by device-second, energy, and what is charged as pods leave.

    Idle power is drawn by all that is there, and more where jobs held devices.
    """
    usd = always = 0.0
    held = holdings(pool, owning, end_s)
    for each in held:
        devices, batch = each.batch.pods * pool.pod_devices, each.batch
        span = np.array([each.from_s]), np.array([each.to_s])
        usd += batch.pods * batch.usd_per_pod * each.value.lost(each.to_s)
        per_year = batch.pods * batch.usd_per_pod * owning.money.operations_share_per_year
        usd += per_year * (each.to_s - each.from_s) / YEAR_S
        always += float(owning.power(pool, end_s).over(*span)[0]) * devices
    energy = pool.idle_kw * (always - at_1_kw) + pool.busy_kw * at_1_kw
    return usd + energy + sum(charge.usd for charge in partings(pool, held))


def _of_site(folder: Path, usd: Totals, site: SiteStock, stock: Stock, owning: Owning, end_s: int) -> Check:
    """Its highest power, by the attempts, month by month."""
    expected = 0.0
    if end_s > owning.start_s:
        held = partial(_held, folder)
        expected = DemandCharge(site, stock, owning, end_s, held).total_usd(owning.start_s)
    return Check(site.name, _cost(usd, site.name), expected)


def _held(folder: Path, pool: str, edges: Ints) -> Ints:
    """Return the device-seconds that attempts hold of a pool between edges."""
    device_s = np.zeros(len(edges) - 1, np.int64)
    for part in written_parts(folder, "attempts", ["where", "devices", "alloc_s", "end_s"]):
        ours = part.filter(pc.equal(part.column("where").cast("string"), pool))
        devices, *times = (
            ours.column(name).to_numpy().astype(np.int64) for name in ("devices", "alloc_s", "end_s")
        )
        device_s += by_cell(*from_changes(np.concatenate(times), np.concatenate([devices, -devices])), edges)
    return device_s


def _unused(usd: Totals, offer: OfferStock, start_s: int, end_s: int) -> float:
    """The price of commitments, less what of them was used, at the price of the offer."""
    if not offer.commitments:
        return 0.0
    contracts = committed(offer, rents(offer)[0].price).usd
    price = float(contracts.over(np.array([start_s]), np.array([end_s]))[0])
    used = (
        amount
        for (place, line, who), amount in usd.items()
        if (place, line) == (offer.name, "committed") and who != "unused_commitment"
    )
    return price - sum(used)
