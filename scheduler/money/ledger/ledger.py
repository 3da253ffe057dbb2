"""The ledger: what pools and offers cost, by charge period, by what the money bought and by who bears it.

It is made from the logs: owned devices from the step functions of states.parquet, rented ones and their data
from attempts.parquet, revenue from jobs.parquet. What jobs bear is charged to `job`, the rest to `idle`,
`down`, `boot`, `minimum` or `unused_commitment`; together they are what the pools and offers cost.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.ledger.charges import Cells, Charges
from scheduler.money.ledger.meter import GB_PER_TB, SELLS, phases
from scheduler.money.ledger.rates import Owning, rent
from scheduler.run.columns import SPEND, Attempts
from scheduler.run.parts import written_parts
from scheduler.stock.stock import OfferStock, PoolStock, Stock
from traces.arrays import Ints
from traces.parquet import write_batches
from traces.step_function import by_cell, from_changes
from traces.times import HOUR_S

_ATTEMPT_COLUMNS = [*Attempts._fields, "where"]
PHASES = ("boot", "job", "idle", "minimum")
"""Who bears the time of rented nodes that boot, work, are kept, are only billed."""


def write_ledger(folder: Path, stock: Stock, owning: Owning, end_s: int) -> pa.Table:
    """Price the logs of a run that ended at `end_s` into spend.parquet, and return its rows."""
    names = stock.names
    charges = Charges(names, owning.periods(end_s))
    if end_s:
        for pool in stock.pools:
            _add_pool(charges, pool, owning, folder, end_s)
        for offer in stock.offers:
            attempts = _attempts(folder, offer)
            _add_offer(charges, offer, attempts, end_s)
            _add_moved(charges, offer, attempts, owning.money.transfer_usd_per_gb)
        if owning.money.tenant_usd_per_device_h:
            _add_sold(charges, names, owning.money.tenant_usd_per_device_h, folder)
    table = charges.table()
    out = folder / "spend.parquet"
    out.mkdir(exist_ok=True)
    write_batches(out / "part-00000.parquet", SPEND, [table])
    return table


def _add_pool(charges: Charges, pool: PoolStock, owning: Owning, folder: Path, end_s: int) -> None:
    """Capital, energy and operations of devices that jobs held, of idle ones, and of those out of service."""
    capital, power = owning.capital(pool, end_s), owning.power(end_s)
    cells = Cells(charges.periods, end_s, capital.from_s, power.from_s)
    busy, down = _device_s(folder, [f"busy_{pool.name}", f"down_{pool.name}"], cells.edges)
    idle = pool.pods * pool.pod_devices * cells.width_s - busy - down
    for charged_to, device_s, kw in (
        ("job", busy, pool.busy_kw),
        ("idle", idle, pool.idle_kw),
        ("down", down, pool.idle_kw),
    ):
        device_h = cells.by_period(device_s) / HOUR_S
        usd_of_capital = cells.by_period(device_s * capital.at(cells.start_s))
        usd_of_energy = cells.by_period(device_s * kw * power.at(cells.start_s))
        charges.add(pool.name, "capital", charged_to, device_h, usd_of_capital)
        charges.add(pool.name, "energy", charged_to, device_h * kw * owning.money.pue, usd_of_energy)
        for line, usd_per_device_s in owning.by_device_s(pool).items():
            if usd_per_device_s:
                charges.add(pool.name, line, charged_to, device_h, device_h * HOUR_S * usd_per_device_s)


def _device_s(folder: Path, columns: list[str], edges: Ints) -> Ints:
    """Integrate columns of states.parquet between edges, a part at a time: a row each."""
    last_s, last = np.zeros(1, np.int64), np.zeros((len(columns), 1), np.int64)
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
    on_offer = pc.field("where").cast("string") == offer.name
    parts = written_parts(folder, "attempts", _ATTEMPT_COLUMNS)
    logged = pa.concat_tables([part.filter(on_offer) for part in parts])
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
    alloc_s, *cuts = phases(offer, attempts.alloc_s, attempts.start_s, attempts.end_s)
    devices, committed, price = attempts.devices, offer.committed_devices, rent(offer)
    cells = Cells(charges.periods, max(end_s, int(cuts[-1].max(initial=0))), price.from_s)

    def add(line: str, charged_to: str, device_s: Ints) -> None:
        usd = cells.by_period(device_s * price.at(cells.start_s))
        charges.add(offer.name, line, charged_to, cells.by_period(device_s) / HOUR_S, usd)

    began = by_cell(*from_changes(alloc_s, devices), cells.edges)
    held = covered = np.zeros(len(cells.start_s), np.int64)
    for charged_to, cut in zip(PHASES, cuts, strict=True):
        held_before, covered_before = held, covered
        held = began - by_cell(*from_changes(cut, devices), cells.edges)
        if committed:
            changes = np.concatenate([alloc_s, np.minimum(cut, end_s)]), np.concatenate([devices, -devices])
            time_s, level = from_changes(*changes)
            covered = by_cell(time_s, np.minimum(level, committed), cells.edges)
        add("committed", charged_to, covered - covered_before)
        add(
            "spot" if offer.spot else "on_demand", charged_to, held - held_before - (covered - covered_before)
        )
    paid = committed * np.diff(np.minimum(cells.edges, end_s))
    add("committed", "unused_commitment", paid - covered)


def _add_moved(charges: Charges, offer: OfferStock, attempts: Attempts, transfer: float) -> None:
    """Data that came in as devices were rented, and went out as they were given back."""
    for line, usd_per_gb, tb, time_s in (
        ("transfer", transfer, attempts.staged_tb, attempts.alloc_s),
        ("egress", offer.egress_usd_per_gb, attempts.returned_tb, attempts.end_s),
    ):
        if usd_per_gb:
            gb = charges.at(time_s, tb * GB_PER_TB)
            charges.add(offer.name, line, "job", gb, gb * usd_per_gb)


def _add_sold(charges: Charges, names: list[str], usd_per_device_h: float, folder: Path) -> None:
    """Reference device-hours of the finished jobs of tenants, at their end, wherever they ran."""
    columns = ["where", "gang", "runtime_s", "end_s"]
    sold = (pc.field("workload") == SELLS) & (pc.field("state") == "finished")
    parts = written_parts(folder, "jobs", [*columns, "workload", "state"])
    jobs = pa.concat_tables([part.filter(sold).select(columns) for part in parts])
    where = jobs.column("where").cast("string")
    for name in names:
        gang, runtime_s, end_s = (
            column.to_numpy() for column in jobs.filter(pc.equal(where, name)).columns[1:]
        )
        device_h = charges.at(end_s, gang * (runtime_s / HOUR_S))
        charges.add(name, "revenue", "job", device_h, -device_h * usd_per_device_h)
