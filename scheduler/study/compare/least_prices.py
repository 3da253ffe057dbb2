"""What work costs at least, whenever it is done: the prices of the bounds."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from scheduler.money.ledger.rates import Owning, RateSteps, rents
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
        power = self.owning.power(self.window[1]).over(first_s, last_s)
        idle_kw = sum(
            pool.pods * pool.pod_devices * min(pool.idle_kw, pool.busy_kw) for pool in self.stock.pools
        )
        committed = (
            offer.committed_devices * rents(offer)[0].price.over(first_s, last_s)
            for offer in self.stock.offers
        )
        return float((idle_kw * power + sum(committed))[0])

    def done(self, classes: int, least: Floats) -> Floats:
        """USD by class and slot for a device-hour of work on own devices, beyond what they draw when idle.

        `least` is what a unit of work holds of each pool, in device-hours, at least.
        """
        above_kw = [max(0.0, pool.busy_kw - pool.idle_kw) for pool in self.stock.pools]
        kwh = min((kw * held for kw, held in zip(above_kw, least, strict=True) if held < inf), default=0.0)
        power = self.owning.power(int(self.edges[-1]))
        price = HOUR_S * _lowest(power, self.edges[:-1], self.edges[1:])
        return np.tile(np.where(self.edges[1:] <= self.window[1], kwh * price, 0.0), classes)

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
                usd = np.minimum(usd, 0.0 if offer.committed_devices else HOUR_S * held * price)
        return np.where(usd < inf, usd, 0.0) * paid


def _lowest(price: RateSteps, from_s: Ints, to_s: Ints) -> Floats:
    """Return the lowest rate within each span."""
    first = row_at(price.from_s, from_s)
    last = np.maximum(np.searchsorted(price.from_s, to_s, "left"), first + 1)
    spans = np.column_stack([first, last]).ravel()
    return np.asarray(np.minimum.reduceat(np.append(price.rate, inf), spans)[::2], np.float64)
