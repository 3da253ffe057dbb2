"""The ledger with what jobs bear told apart by words of jobs, as owner, workload and kind.

A group of jobs bears what the ledger would charge to `job` if there were no others: its own attempts at the
same rates. So the rows are as many as charge periods and groups in them, however many jobs there are, and
those of a group add up to the `spend_usd` of its jobs, less revenue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.ledger.charges import Charges
from scheduler.money.ledger.meter import sold_work
from scheduler.money.ledger.pricing import OfferPrices, PoolPrices, add_moved, add_sold, held_by_phase
from scheduler.money.ledger.rates import Calendar, Owning, SizeRent, rents
from scheduler.run.columns import GROUP, Attempts
from scheduler.run.directory import Run
from scheduler.scenario import MoneySpec
from scheduler.stock.stock import OfferStock, Stock
from traces.arrays import Ints, combinations, sorted_by
from traces.step_function import by_cell, from_changes
from traces.times import HOUR_S


class _Groups(NamedTuple):
    """Groups of jobs by number: the number of each job, by ascending job_id, and the words of each group."""

    job_id: Ints
    of_job: Ints
    words: pa.Table


def showback(run: Run, words: Sequence[str] = GROUP) -> pa.Table:
    """Return spend.parquet with words of jobs, null where no job bears the charge; raises RunError.

    Where a commitment covers some of the work of a charge period, it covers as large a part of each group's.
    """
    spend = run.table("spend")
    others = spend.filter(pc.not_equal(spend.column("charged_to").cast("string"), "job"))
    jobs = sorted_by(run.table("jobs", ["job_id", *words]), "job_id")
    groups = _groups(jobs, words)
    ours = _borne_by_jobs(run, groups)
    number = ours.column("charged_to").cast("string").cast("int64")
    ours = ours.set_column(ours.column_names.index("charged_to"), "charged_to", pa.repeat("job", len(ours)))
    for name in words:
        others = others.append_column(name, pa.nulls(len(others), pa.string()))
        ours = ours.append_column(name, groups.words.column(name).take(number))
    return pa.concat_tables([others.cast(ours.schema), ours])


def _groups(jobs: pa.Table, words: Sequence[str]) -> _Groups:
    """Number the combinations of words that there are."""
    first, number = combinations([jobs.column(name) for name in words])
    return _Groups(jobs.column("job_id").to_numpy(), number, jobs.select(words).take(pa.array(first)))


def _borne_by_jobs(run: Run, groups: _Groups) -> pa.Table:
    """Price the attempts of each group as the ledger prices all; `charged_to` is the number of the group."""
    (stock, owning), end_s = _priced(run), run.end_s
    money = owning.money
    numbers = [str(number) for number in range(len(groups.words))]
    charges = Charges(stock.names, owning.periods(end_s), numbers)
    if end_s > owning.start_s:
        logged = _Logged(run, groups)
        for pool in stock.pools:
            prices = PoolPrices(pool, owning, charges, end_s)
            for group, ours in logged.on(pool.name):
                prices.add(group, _held(ours.alloc_s, ours, prices.cells.edges), pool.busy_kw)
        for offer in stock.offers:
            _add_offer(charges, offer, logged, money.transfer_usd_per_gb, end_s)
        if money.tenant_usd_per_device_h:
            _add_sold(run, groups, charges, stock.names, money.tenant_usd_per_device_h)
    return charges.table()


def _priced(run: Run) -> tuple[Stock, Owning]:
    """Return what run.json says of pools, offers and their prices."""
    description = run.description
    stock = msgspec.convert(
        {name: description[name] for name in Stock.__struct_fields__}, Stock, str_keys=True
    )
    money = msgspec.convert(description["scenario"]["money"], MoneySpec)
    calendar = Calendar.of(datetime.fromisoformat(description["trace"]["epoch"]))
    return stock, Owning(money, calendar, run.start_s, stock.sites)


class _Logged:
    """The attempts of a run by resource and group; one that never got to work starts at its end."""

    def __init__(self, run: Run, groups: _Groups) -> None:
        logged = run.table("attempts", ["job_id", "where", *Attempts._fields])
        columns = {name: logged.column(name) for name in Attempts._fields}
        columns["start_s"] = pc.coalesce(columns["start_s"], columns["end_s"])
        where = logged.column("where").cast("string").combine_chunks().dictionary_encode()
        group = groups.of_job[np.searchsorted(groups.job_id, logged.column("job_id").to_numpy())]
        order = np.lexsort([group, where.indices.to_numpy()])
        self._attempts = Attempts._make(
            columns[name].to_numpy().astype(np.float64 if name.endswith("_tb") else np.int64)[order]
            for name in Attempts._fields
        )
        self._names, self._group = where.dictionary.to_pylist(), group[order]
        self._where = where.indices.to_numpy()[order]

    def on(self, name: str) -> Iterator[tuple[str, Attempts]]:
        """Yield the number of each group that was on a pool or offer, and its attempts there."""
        if name not in self._names:
            return
        first, end = np.searchsorted(self._where, [(at := self._names.index(name)), at + 1])
        cuts = first + np.flatnonzero(np.diff(self._group[first:end])) + 1
        for start, stop in zip([first, *cuts], [*cuts, end], strict=True):
            yield str(self._group[start]), self._attempts.of(np.arange(start, stop))


def _held(from_s: Ints, attempts: Attempts, edges: Ints) -> Ints:
    """Return the device-seconds between edges of attempts from an instant of each to its end."""
    time_s = np.concatenate([from_s, attempts.end_s])
    change = np.concatenate([attempts.devices, -attempts.devices])
    return by_cell(*from_changes(time_s, change), edges)


def _add_offer(charges: Charges, offer: OfferStock, logged: _Logged, transfer: float, end_s: int) -> None:
    """Time at work, of which a commitment covers the same share of each group's; and data moved."""
    groups = list(logged.on(offer.name))
    for group, ours in groups:
        add_moved(charges, offer, ours, transfer, group)
    for rent in rents(offer):
        paying = [(group, ours.of(rent.rows(ours.devices))) for group, ours in groups]
        paying = [(group, ours) for group, ours in paying if len(ours.devices)]
        if paying:
            _add_rent(charges, offer, rent, paying, end_s)


def _add_rent(
    charges: Charges, offer: OfferStock, rent: SizeRent, groups: list[tuple[str, Attempts]], end_s: int
) -> None:
    together = Attempts._make(
        np.concatenate(column) for column in zip(*(ours for _, ours in groups), strict=True)
    )
    prices = OfferPrices(offer, rent, charges, end_s)
    edges = prices.cells.edges
    held, covered = held_by_phase(offer, together, prices.committed.devices, edges, end_s)["job"]
    share = covered / np.maximum(1, held)
    for group, ours in groups:
        at_work = _held(ours.start_s, ours, edges).astype(np.float64)
        prices.add(group, at_work, at_work * share)


def _add_sold(run: Run, groups: _Groups, charges: Charges, names: list[str], usd_per_device_h: float) -> None:
    """The revenue of each group that sells."""
    jobs = run.table("jobs", ["job_id", "where", "gang", "runtime_s", "end_s", "workload", "state"])
    sold = jobs.filter(sold_work(jobs))
    group = groups.of_job[np.searchsorted(groups.job_id, sold.column("job_id").to_numpy())]
    where = sold.column("where").cast("string").to_numpy(zero_copy_only=False)
    gang, runtime_s, end_s = (sold.column(name).to_numpy() for name in ("gang", "runtime_s", "end_s"))
    device_h = gang * (runtime_s / HOUR_S)
    for number in np.unique(group).tolist():
        for name in names:
            ours = (group == number) & (where == name)
            add_sold(charges, name, end_s[ours], device_h[ours], usd_per_device_h, str(number))
