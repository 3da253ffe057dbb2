"""What the pods of a pool cost as they come and go: by second, and as they leave.

A pool of several batches has them all at work alike: at each instant a device of it costs the mean of those
that are there. So no price depends on where a job runs, nor on who else does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scheduler.money.ledger.book_value import BookValue
from scheduler.money.ledger.rates import Owning, RateSteps
from scheduler.stock.batches import Batch
from scheduler.stock.pools import PoolStock
from traces.arrays import Floats, Ints
from traces.times import YEAR_S


class Holding(NamedTuple):
    """A batch of a pool in a run: from when until when it is there, and what it is worth in the books."""

    batch: Batch
    from_s: int
    to_s: int
    value: BookValue
    leaves: bool
    """It does so within the run."""

    @property
    def book_usd(self) -> float:
        """Its book value as it leaves, or as the run ends."""
        return self.batch.pods * self.batch.usd_per_pod * self.value.left(self.to_s)


def holdings(pool: PoolStock, owning: Owning, end_s: int) -> list[Holding]:
    """Return the batches that a run has that ends at `end_s`; what would leave at that very second stays."""
    found = []
    for batch in pool.lots():
        from_s, to_s = batch.span(owning.start_s, end_s)
        leaves = batch.retired_s is not None and owning.start_s <= batch.retired_s < end_s
        if batch.delivered_s is None or batch.delivered_s < end_s:
            found.append(Holding(batch, from_s, to_s, BookValue.of(batch, owning), leaves))
    return found


def device_s(pool: PoolStock, held: Sequence[Holding], edges: Ints) -> Ints:
    """Return the device-seconds that there are of a pool between edges."""
    total = np.zeros(len(edges) - 1, np.int64)
    for each in held:
        inside: Ints = np.clip(edges, each.from_s, each.to_s)
        total += each.batch.pods * pool.pod_devices * (inside[1:] - inside[:-1])
    return total


def capital(pool: PoolStock, owning: Owning, end_s: int) -> RateSteps:
    """Return USD a device-second: what the book value of the pods that are there loses."""
    held = holdings(pool, owning, end_s)
    usd = [each.batch.usd_per_pod / pool.pod_devices for each in held]
    return _mean(held, [each.value.rate(one, end_s) for each, one in zip(held, usd, strict=True)])


def by_device_s(pool: PoolStock, owning: Owning, end_s: int) -> dict[str, RateSteps]:
    """Return USD a device-second, used or not, by line of the ledger.

    Operations are staff, repairs and space, as a share of the price of the pods.
    """
    held = holdings(pool, owning, end_s)
    share = owning.money.operations_share_per_year
    usd = [each.batch.usd_per_pod * share / (pool.pod_devices * YEAR_S) for each in held]
    return {"operations": _mean(held, [RateSteps.constant(one) for one in usd])}


def _mean(held: Sequence[Holding], rates: Sequence[RateSteps]) -> RateSteps:
    """Return the mean rate of those that are there, each counted by its pods; 0 while there are none."""
    if len(held) == 1 and held[0].from_s == held[0].value.from_s and not held[0].leaves:
        return rates[0]
    cuts = [np.array([each.from_s, each.to_s]) for each in held] + [rate.from_s for rate in rates]
    from_s = np.unique(np.concatenate([np.zeros(1, np.int64), *cuts]))
    pods = np.zeros(len(from_s))
    total: Floats = np.zeros(len(from_s))
    for each, rate in zip(held, rates, strict=True):
        there = each.batch.pods * ((from_s >= each.from_s) & (from_s < each.to_s))
        pods += there
        total += there * rate.at(from_s)
    return RateSteps(from_s, np.divide(total, pods, out=np.zeros(len(from_s)), where=pods > 0))


class Parting(NamedTuple):
    """What is charged once as pods of a batch leave."""

    line: str
    at_s: int
    quantity: float
    usd: float


def partings(pool: PoolStock, held: Sequence[Holding]) -> list[Parting]:
    """Return what is charged as batches leave: their book value, less what they are sold for."""
    charges = []
    for each in held if pool.batches else ():
        batch = each.batch
        if each.leaves:
            kw = batch.pods * pool.pod_devices * pool.busy_kw
            sold_usd = -batch.pods * batch.resale_usd_per_pod
            charges += [
                Parting("write_off", each.to_s, batch.pods, each.book_usd),
                Parting("resale", each.to_s, batch.pods if sold_usd else 0, sold_usd),
                Parting("decommission", each.to_s, kw, kw * batch.decommission_usd_per_kw),
            ]
    return [charge for charge in charges if charge.quantity and charge.usd]
