"""Prices and reserves are tried on common seeds, each against the same run without a market.

The margin of a run is its revenue, less what all else costs more than without a market: credits, energy, and
rent for own jobs that firm customers kept waiting. Every candidate meets the same customers and own jobs, so
candidates are compared by the differences within seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from scheduler.run.figures import Metrics
from scheduler.scenario import MarketSpec, PriceSpec, Scenario, ScenarioError
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.figures import figures_of
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.compare.statistics import Interval, t_interval
from traces.arrays import Floats

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Times the scenario's price, where none are given."""


class Offered(NamedTuple):
    """A price, as a factor on the scenario's, and a reserve."""

    factor: float
    reserve_devices: int


class PriceOutcome(NamedTuple):
    """What a price and a reserve came to, over the seeds."""

    offered: Offered
    revenue_usd: Interval
    margin_usd: Interval
    below_best_usd: Interval
    """By how much its margin is less than that of the best, within seeds."""
    mean_margin_usd: float


class PriceAnswer(NamedTuple):
    """All candidates, the best first."""

    outcomes: list[PriceOutcome]
    seeds: int


def best_price(
    scenario: Scenario,
    candidates: Sequence[Offered],
    seeds: int,
    folder: Path,
    workers: Workers,
    progress: StudyProgress,
    trace: Path | None = None,
) -> PriceAnswer:
    """Run the candidates and rank them by their mean margin; raises FailedRunError where a run fails."""
    numbers = [scenario.seed + at for at in range(seeds)]
    without = [cell_of(replace(scenario, market=None), seed, trace) for seed in numbers]
    cells = {
        offered: [cell_of(with_offer(scenario, offered), seed, trace) for seed in numbers]
        for offered in candidates
    }
    every = [*without, *(cell for row in cells.values() for cell in row)]
    figures = figures_of("price", every, folder, workers, progress)
    base = _column(without, figures, "usd_total")
    revenue = {offered: _column(row, figures, "revenue_usd") for offered, row in cells.items()}
    margin = {
        offered: revenue[offered] - (_column(row, figures, "usd_total") - base)
        for offered, row in cells.items()
    }
    ranked = sorted(cells, key=lambda offered: -float(margin[offered].mean()))
    best = margin[ranked[0]]
    outcomes = [
        PriceOutcome(
            offered,
            t_interval(revenue[offered]),
            t_interval(margin[offered]),
            t_interval(best - margin[offered]),
            float(margin[offered].mean()),
        )
        for offered in ranked
    ]
    return PriceAnswer(outcomes, seeds)


def market_of(scenario: Scenario) -> MarketSpec:
    """Return the market of a scenario; raises ScenarioError where it has none."""
    if scenario.market is None:
        raise ScenarioError(f"{scenario.name}: has no [market], so there is nothing to price")
    return scenario.market


def with_offer(scenario: Scenario, offered: Offered) -> Scenario:
    """Return the scenario at another price and reserve; segments with a price of their own keep its ratio."""
    market = market_of(scenario)
    segments = tuple(
        replace(each, price=_times(each.price, offered.factor)) if each.price is not None else each
        for each in market.segments
    )
    price = _times(market.price, offered.factor)
    changed = replace(market, price=price, segments=segments, reserve_devices=offered.reserve_devices)
    return replace(scenario, market=changed)


def _times(price: PriceSpec, factor: float) -> PriceSpec:
    usd = price.usd_per_device_h
    if usd is None:
        return replace(price, share=price.share * factor)
    scaled = tuple(hour * factor for hour in usd) if isinstance(usd, tuple) else usd * factor
    return replace(price, usd_per_device_h=scaled)


def _column(cells: Sequence[Cell], figures: dict[str, Metrics], name: str) -> Floats:
    return np.array([figures[cell.key][name] for cell in cells], np.float64)
