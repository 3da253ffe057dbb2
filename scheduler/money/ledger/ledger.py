"""The ledger: what pools and offers cost, by charge period, by what the money bought and by who bears it.

It is made from the logs: owned devices from the step functions of states.parquet, rented ones and their data
from attempts.parquet, revenue from jobs.parquet. What jobs bear is charged to `job`, the rest to `idle`,
`down`, `boot`, `minimum`, `unused_commitment` or, as pods leave, to `assets`; together they are what the
pools and offers cost, with what owners of parked cars are paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.ledger.charges import Charges
from scheduler.money.ledger.demand_charge import DemandCharge
from scheduler.money.ledger.holdings import device_s, holdings, partings
from scheduler.money.ledger.meter import phases, sold_work
from scheduler.money.ledger.porting import Ported
from scheduler.money.ledger.pricing import (
    OfferPrices,
    PoolPrices,
    add_moved,
    add_sold,
    held_by_phase,
)
from scheduler.money.ledger.rates import Owning, SizeRent, rents
from scheduler.money.ledger.sold import Sold, add_sold_work, paid_to_cars
from scheduler.run.columns import Attempts
from scheduler.run.parts import write_log, written_parts
from scheduler.stock.pools import PoolStock
from scheduler.stock.sites import SiteStock
from scheduler.stock.stock import OfferStock, Stock
from traces.arrays import Ints
from traces.step_function import by_cell
from traces.times import HOUR_S

_ATTEMPT_COLUMNS = [*Attempts._fields, "where"]


def write_ledger(
    folder: Path,
    stock: Stock,
    owning: Owning,
    end_s: int,
    sold: Sequence[Sold] = (),
    ports: Sequence[Ported] = (),
) -> pa.Table:
    """Price the logs of a run that ended at `end_s` into spend.parquet, and return its rows.

    `sold` is what tenants of the market paid and were paid back, and what owners of parked cars were paid,
    `ports` what was ported.
    """
    names = stock.names
    sites = [site.name for site in stock.sites if site.is_charged]
    charges = Charges([*names, *sites, *paid_to_cars(sold)], owning.periods(end_s))
    if end_s > owning.start_s:
        for pool in stock.pools:
            _add_pool(charges, pool, owning, folder, end_s)
        for offer in stock.offers:
            attempts = _attempts(folder, offer)
            _add_offer(charges, offer, attempts, end_s)
            add_moved(charges, offer, attempts, owning.money.transfer_usd_per_gb)
        for site in stock.sites:
            if site.is_charged:
                _add_site(charges, site, stock, owning, folder, end_s)
        if owning.money.tenant_usd_per_device_h:
            _add_sold(charges, names, owning.money.tenant_usd_per_device_h, folder)
    add_sold_work(charges, names, sold)
    for port in ports:
        _add_once(charges, port.resource, "porting", port.at_s, 1.0, port.usd)
    table = charges.table()
    write_log(folder, "spend", table)
    return table


def _add_pool(charges: Charges, pool: PoolStock, owning: Owning, folder: Path, end_s: int) -> None:
    """Capital, energy and operations of devices that jobs held, of idle ones, and of those out of service.

    And what is charged as pods leave.
    """
    prices = PoolPrices(pool, owning, charges, end_s)
    cells = prices.cells
    busy, down = _device_s(folder, [f"busy_{pool.name}", f"down_{pool.name}"], cells.edges)
    held = holdings(pool, owning, end_s)
    idle = device_s(pool, held, cells.edges) - busy - down
    prices.add("job", busy, pool.busy_kw)
    prices.add("idle", idle, pool.idle_kw)
    prices.add("down", down, pool.idle_kw)
    for line, at_s, quantity, usd in partings(pool, held):
        _add_once(charges, pool.name, line, at_s, quantity, usd)


def _add_once(charges: Charges, resource: str, line: str, at_s: int, quantity: float, usd: float) -> None:
    """What is charged at an instant for what is owned or can run there, not for its use."""
    time_s = np.array([at_s])
    amounts = (charges.at(time_s, np.array([amount])) for amount in (quantity, usd))
    charges.add(resource, line, "assets", *amounts)


def _add_site(
    charges: Charges, site: SiteStock, stock: Stock, owning: Owning, folder: Path, end_s: int
) -> None:
    """What a site pays beside the energy of its pools."""

    def busy(pool: str, edges: Ints) -> Ints:
        return np.asarray(_device_s(folder, [f"busy_{pool}"], edges)[0])

    demand, periods = DemandCharge(site, stock, owning, end_s, busy), charges.periods
    charges.add(site.name, "demand_charge", "site", demand.by_period(periods), demand.usd(periods))


def _device_s(folder: Path, columns: list[str], edges: Ints) -> Ints:
    """Integrate columns of states.parquet between edges, a part at a time: a row each."""
    last_s, last = edges[:1], np.zeros((len(columns), 1), np.int64)
    device_s = np.zeros((len(columns), len(edges) - 1), np.int64)
    for rows in written_parts(folder, "states", ["time_s", *columns]):
        time_s, *after = (column.to_numpy() for column in rows.columns)
        time_s, levels = np.concatenate([last_s, time_s]), np.concatenate([last, after], axis=1)
        last_s, last = time_s[-1:], levels[:, -1:].copy()
        levels[:, -1] = 0  # until it is known when the next part begins
        device_s += [by_cell(time_s, level, edges) for level in levels]
    device_s += [by_cell(last_s, level, edges) for level in last]
    return device_s


def _attempts(folder: Path, offer: OfferStock) -> Attempts:
    """Read the attempts on an offer."""
    parts = written_parts(folder, "attempts", _ATTEMPT_COLUMNS)
    logged = pa.concat_tables(
        [part.filter(pc.equal(part.column("where").cast("string"), offer.name)) for part in parts]
    )
    start_s = pc.coalesce(logged.column("start_s"), logged.column("end_s"))
    logged = logged.set_column(_ATTEMPT_COLUMNS.index("start_s"), "start_s", start_s)
    return Attempts._make(
        np.asarray(logged.column(name).to_numpy(), np.float64 if name.endswith("_tb") else np.int64)
        for name in Attempts._fields
    )


def _add_offer(charges: Charges, offer: OfferStock, attempts: Attempts, end_s: int) -> None:
    """Rented time, what of it a commitment covers, and what of the commitment nobody used.

    What is billed beyond the end of the run falls into its last charge period; commitments end with the run.
    """
    for rent in rents(offer):
        _add_rent(charges, offer, rent, attempts.of(rent.rows(attempts.devices)), end_s)


def _add_rent(charges: Charges, offer: OfferStock, rent: SizeRent, attempts: Attempts, end_s: int) -> None:
    billed_s = phases(offer, attempts.alloc_s, attempts.start_s, attempts.end_s).billed_s
    prices = OfferPrices(offer, rent, charges, int(billed_s.max(initial=end_s)))
    edges, devices = prices.cells.edges, prices.committed.devices
    used = np.zeros(len(edges) - 1, devices.rate.dtype)
    for charged_to, (held, covered) in held_by_phase(offer, attempts, devices, edges, end_s).items():
        prices.add(charged_to, held, covered)
        used = used + covered
    if offer.commitments:
        prices.add_contract(used, end_s)


def _add_sold(charges: Charges, names: list[str], usd_per_device_h: float, folder: Path) -> None:
    """Reference device-hours of the finished jobs of tenants, at their end, wherever they ran."""
    columns = ["where", "gang", "runtime_s", "end_s"]
    parts = written_parts(folder, "jobs", [*columns, "workload", "state"])
    jobs = pa.concat_tables([part.filter(sold_work(part)).select(columns) for part in parts])
    where = jobs.column("where").cast("string")
    for name in names:
        gang, runtime_s, end_s = (
            column.to_numpy() for column in jobs.filter(pc.equal(where, name)).columns[1:]
        )
        add_sold(charges, name, end_s, gang * (runtime_s / HOUR_S), usd_per_device_h)
