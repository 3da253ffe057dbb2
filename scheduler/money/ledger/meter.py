"""What attempts cost their jobs and bring in, worked out as they end.

No price depends on who else runs, so an attempt costs the integral of rates over its own time. The meter also
sums up what all attempts cost their pool or offer, for the ledger to be held against.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.ledger.holdings import by_device_s, capital
from scheduler.money.ledger.rates import Owning, rents
from scheduler.run.columns import Attempts
from scheduler.stock.stock import OfferStock, Stock
from traces.arrays import Bools, Floats, Ints
from traces.rows import JobRows
from traces.times import HOUR_S

GB_PER_TB = 1_000
SELLS = "tenant"
"""The workload whose finished jobs are paid for."""


def sold_work(jobs: pa.Table) -> pa.ChunkedArray:
    """Say of each job whether its work is sold: a tenant's, once it has finished."""
    workload, state = (jobs.column(name).cast("string") for name in ("workload", "state"))
    return pc.and_(pc.equal(workload, SELLS), pc.equal(state, "finished"))


class Phases(NamedTuple):
    """The seconds at which rented nodes begin to boot, to work, to idle, to be billed only, and are paid."""

    alloc_s: Ints
    start_s: Ints
    end_s: Ints
    kept_s: Ints
    billed_s: Ints


def phases(offer: OfferStock, alloc_s: Ints, start_s: Ints, end_s: Ints) -> Phases:
    """Return until when nodes are kept, and billed: in whole steps from `alloc_s` on, at least the minimum.

    Where all that may be rented is committed, it is paid anyhow, and nothing is billed beyond `end_s`.
    """
    if offer.all_committed:
        return Phases(alloc_s, start_s, end_s, end_s, end_s)
    kept_s = end_s + offer.keep_s
    steps = -(-(kept_s - alloc_s) // offer.billing_step_s)
    seconds = np.maximum(steps * offer.billing_step_s, offer.minimum_s)
    return Phases(alloc_s, start_s, end_s, kept_s, alloc_s + seconds)


class Meter:
    """Prices attempts on numbered resources, pools first, and keeps the sums of each."""

    def __init__(self, stock: Stock, owning: Owning, jobs: JobRows) -> None:
        self._stock, self._owning = stock, owning
        self._rents = [rents(offer) for offer in stock.offers]
        self.jobs = jobs
        self.usd_at_1_kw = [0.0] * len(stock.pools)
        """By pool: what energy would have cost had each device held drawn 1 kW."""
        self.billed_usd = [0.0] * len(stock.offers)
        """By offer: the bills of all attempts, with egress and transfer."""

    def price(self, attempts: Attempts, row: Ints, resource: Ints, finished: Bools) -> tuple[Floats, Floats]:
        """Return what attempts cost their jobs and what they bring in, both in USD.

        `row` is that of the job in the trace, `resource` the number of the pool or offer.
        """
        spend = np.zeros(len(row))
        first_offer = len(self._stock.pools)
        for at in np.unique(resource).tolist():
            rows = np.flatnonzero(resource == at)
            part = attempts.of(rows)
            spend[rows] = self._owned(at, part) if at < first_offer else self._rented(at - first_offer, part)
        return spend, self._revenue(row, finished)

    def _owned(self, at: int, attempts: Attempts) -> Floats:
        """Capital, energy and what is charged by device-second for as long as the devices are held."""
        pool, owning = self._stock.pools[at], self._owning
        devices, alloc_s, _, end_s, _, _ = attempts
        until_s = int(end_s.max())
        at_1_kw = devices * owning.power(pool, until_s).over(alloc_s, end_s)
        self.usd_at_1_kw[at] += float(at_1_kw.sum())
        held = capital(pool, owning, until_s).over(alloc_s, end_s)
        held = held + sum(rate.over(alloc_s, end_s) for rate in by_device_s(pool, owning, until_s).values())
        return np.asarray(devices * held + pool.busy_kw * at_1_kw, np.float64)

    def _rented(self, at: int, attempts: Attempts) -> Floats:
        """The price while at work, and what was moved in and out."""
        offer = self._stock.offers[at]
        devices, alloc_s, start_s, end_s, staged_tb, returned_tb = attempts
        billed_s = phases(offer, alloc_s, start_s, end_s).billed_s
        bills, spend = np.zeros(len(devices)), np.zeros(len(devices))
        for rent in self._rents[at]:
            rows = rent.rows(devices)
            bills[rows] = rent.price.over(alloc_s[rows], billed_s[rows])
            spend[rows] = rent.price.over(start_s[rows], end_s[rows])
        moved = staged_tb * (GB_PER_TB * self._owning.money.transfer_usd_per_gb)
        moved += returned_tb * (GB_PER_TB * offer.egress_usd_per_gb)
        self.billed_usd[at] += float((devices * bills + moved).sum())
        return np.asarray(devices * spend + moved, np.float64)

    def _revenue(self, row: Ints, finished: Bools) -> Floats:
        """The reference device-hours of a tenant's finished job, at their price."""
        price = self._owning.money.tenant_usd_per_device_h
        if not price:
            return np.zeros(len(row))
        sells = pc.equal(self.jobs.take("workload", row).cast("string"), SELLS).to_numpy()
        gang, runtime_s = (self.jobs.numpy(name)[row] for name in ("gang", "runtime_s"))
        return np.asarray(np.where(sells & finished, gang * (runtime_s / HOUR_S) * price, 0.0))
