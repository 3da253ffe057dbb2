"""What a site pays for its highest power: each calendar month, by the mean of a quarter of an hour.

A month of which the run has only a part is charged by that part, evenly over its time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scheduler.money.ledger.holdings import device_s, holdings
from scheduler.money.ledger.rates import Owning
from scheduler.stock.sites import SiteStock
from scheduler.stock.stock import Stock
from traces.arrays import Floats, Ints

QUARTER_S = 900
"""The span over which meters take the mean. Its edges are those of UTC, cut to the run."""

Busy = Callable[[str, Ints], Ints]
"""(pool, edges) -> device-seconds that jobs hold between them."""


class DemandCharge:
    """The highest power of a site in each month of a run that ended at `end_s`; `busy` says what is held."""

    def __init__(self, site: SiteStock, stock: Stock, owning: Owning, end_s: int, busy: Busy) -> None:
        self._site, self._calendar, self._end_s = site, owning.calendar, end_s
        quarters = self._calendar.starts(QUARTER_S, owning.start_s, end_s)
        edges = np.append(quarters, end_s)
        kw = np.zeros(len(quarters))
        for pool in stock.pools:
            if pool.name in site.pools:
                there = device_s(pool, holdings(pool, owning, end_s), edges) / np.diff(edges)
                held = busy(pool.name, edges) / np.diff(edges)
                kw += site.pue * (there * pool.idle_kw + held * (pool.busy_kw - pool.idle_kw))
        self._months, first = np.unique(self._calendar.month(quarters)[0], return_index=True)
        self._most_kw = np.maximum.reduceat(kw, first)

    def by_period(self, periods: Ints) -> Floats:
        """Return the kW-months of each charge period: the highest power times the part of the month."""
        starts, ends = self._calendar.month(periods)
        width_s = np.diff(np.append(periods, self._end_s))
        return np.asarray(self._most_kw[np.searchsorted(self._months, starts)] * width_s / (ends - starts))

    def usd(self, periods: Ints) -> Floats:
        """Return the charge for each period."""
        return self.by_period(periods) * self._site.demand_usd_per_kw_month

    def total_usd(self, start_s: int) -> float:
        """Return the charge of the run, which began at `start_s`, month by month."""
        _, ends = self._calendar.month(self._months)
        inside = np.minimum(ends, self._end_s) - np.maximum(self._months, start_s)
        shares = inside / (ends - self._months)
        return float((self._most_kw * shares).sum() * self._site.demand_usd_per_kw_month)
