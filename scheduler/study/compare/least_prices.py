"""What work costs at least, whenever it is done: the prices of the bounds."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from scheduler.money.ledger.commitments import committed
from scheduler.money.ledger.holdings import holdings
from scheduler.money.ledger.rates import Owning, RateSteps, rents
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import Stock
from scheduler.study.compare.bound_jobs import BoundJobs
from traces.arrays import Floats, Ints
from traces.step_function import row_at
from traces.times import HOUR_S


@dataclass(frozen=True, eq=False)
class LeastPrices:
    """What is spent in the window for work in the slots between `edges`, at least."""

    stock: Stock
    owning: Owning
    edges: Ints
    window: tuple[int, int]

    def anyhow(self) -> float:
        """USD for what no policy changes: idle power and commitments."""
        first_s, last_s = (np.array([edge]) for edge in self.window)
        contracts = (
            committed(offer, rents(offer)[0].price).usd.over(first_s, last_s)
            for offer in self.stock.offers
            if offer.commitments
        )
        return float(sum(map(self._idle_usd, self.stock.pools)) + np.sum([*contracts]))

    def _idle_usd(self, pool: PoolStock) -> float:
        """USD for the idle power of what there is of a pool."""
        power = self.owning.power(pool, self.window[1])
        held = holdings(pool, self.owning, self.window[1])
        at_1_kw = sum(
            each.batch.pods
            * power.over(*(np.clip([edge], *self.window) for edge in (each.from_s, each.to_s)))
            for each in held
        )
        return float(np.sum(at_1_kw)) * pool.pod_devices * min(pool.idle_kw, pool.busy_kw)

    def done(self, classes: int, least: Floats) -> Floats:
        """USD by class and slot for a device-hour of work on own devices, beyond what they draw when idle.

        `least` is what a unit of work holds of each pool, in device-hours, at least.
        """
        prices = [
            held * self._above_idle(pool)
            for pool, held in zip(self.stock.pools, least, strict=True)
            if held < inf
        ]
        price = np.min(prices, axis=0) if prices else np.zeros(len(self.edges) - 1)
        return np.tile(np.where(self.edges[1:] <= self.window[1], price, 0.0), classes)

    def _above_idle(self, pool: PoolStock) -> Floats:
        """USD by slot for an hour of what a device draws beyond its idle power."""
        power = self.owning.power(pool, int(self.edges[-1]))
        kw = max(0.0, pool.busy_kw - pool.idle_kw)
        return HOUR_S * kw * _lowest(power, self.edges[:-1], self.edges[1:])

    def rented(self, parts: list[BoundJobs]) -> Floats:
        """USD by class and slot for a device-hour of work on the cheapest offer, paid in the window."""
        return np.concatenate([self._rent(part) for part in parts])

    def _rent(self, part: BoundJobs) -> Floats:
        """Where devices are committed, they are free to use."""
        hold_s = max(1, int(np.ceil(part.rent_h.max() * HOUR_S)))
        paid = np.clip((self.window[1] - self.edges[1:]) / hold_s, 0.0, 1.0)
        usd = np.full(len(paid), inf)
        for offer, held in zip(self.stock.offers, part.rented.min(axis=0), strict=True):
            if held < inf:
                until_s = self.edges[1:] + hold_s
                price = np.min([_lowest(rent.price, self.edges[:-1], until_s) for rent in rents(offer)], 0)
                usd = np.minimum(usd, 0.0 if offer.commitments else HOUR_S * held * price)
        return np.where(usd < inf, usd, 0.0) * paid


def _lowest(price: RateSteps, from_s: Ints, to_s: Ints) -> Floats:
    """Return the lowest rate within each span."""
    first = row_at(price.from_s, from_s)
    last = np.maximum(np.searchsorted(price.from_s, to_s, "left"), first + 1)
    spans = np.column_stack([first, last]).ravel()
    return np.asarray(np.minimum.reduceat(np.append(price.rate, inf), spans)[::2], np.float64)
