"""The power of each site, as states.parquet has it: what its pools draw, by the devices that are held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scheduler.stock.stock import Stock
from traces.arrays import Floats, Ints


class _Draw(NamedTuple):
    """What a pool draws at the meter of its site."""

    level: int
    """Which of the levels counts its devices that are held."""
    there: int | None
    """Which of the levels counts its devices, where they come and go."""
    idle_kw: float
    """Of all its devices, be they held or not; where they come and go, of one."""
    more_kw: float
    """Of a device that is held, beyond its idle power."""


class SitePower:
    """Says what the sites of a stock draw from the second `start_s` on, at which their columns begin."""

    def __init__(self, stock: Stock, start_s: int) -> None:
        self.start_s = start_s
        self.names = [site.name for site in stock.metered]
        coming = [pool.name for pool in stock.pools if pool.batches]
        first = len(stock.names) + len(stock.pools)
        self._draws = [
            [
                _Draw(
                    at,
                    first + coming.index(pool.name) if pool.batches else None,
                    site.pue * pool.idle_kw * (1 if pool.batches else pool.pods * pool.pod_devices),
                    site.pue * (pool.busy_kw - pool.idle_kw),
                )
                for at, pool in enumerate(stock.pools)
                if pool.name in site.pools
            ]
            for site in stock.metered
        ]

    def kw(self, levels: Sequence[Ints]) -> list[Floats]:
        """Return the power of each site by the rows of some levels, those of the pools first."""
        rows = len(levels[0])
        return [
            np.asarray(sum((_kw(draw, levels) for draw in draws), np.zeros(rows))) for draws in self._draws
        ]


def _kw(draw: _Draw, levels: Sequence[Ints]) -> Floats:
    idle_kw = draw.idle_kw if draw.there is None else draw.idle_kw * levels[draw.there]
    return np.asarray(idle_kw + draw.more_kw * levels[draw.level])
