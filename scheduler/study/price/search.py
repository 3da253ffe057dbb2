"""Prices and reserves are tried on common seeds, each against the same run without a market.

The margin of a run is its revenue, less what all else costs more than without a market: credits, energy,
rent for own jobs that firm customers kept waiting, and what these wait more at the cheapest rent. Every
candidate meets the same customers and own jobs, so candidates are compared by the differences within seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from scheduler.run.figures import Metrics
from scheduler.run.quarters import CalendarQuarter
from scheduler.scenario import PriceSpec, Scenario
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.figures import figures_of
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.compare.statistics import Interval, t_interval
from scheduler.study.live_checks import check_live_sources
from scheduler.study.price.delay import usd_per_waited_device_h
from scheduler.study.price.spans import SellingSpan, market_of
from traces.arrays import Floats
from traces.trace import Trace

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Times the scenario's price, where none are given."""
FEW_FACTORS = (0.5, 1.0, 2.0)
"""The same of a long scenario, which takes a run a quarter for each."""


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
    own_waits_device_h: Interval
    """What own jobs wait more, times their gangs."""


class QuarterOutcome(NamedTuple):
    """What the best price and reserve came to in a quarter."""

    quarter: CalendarQuarter
    used_share: float
    """Of the owned devices, by own jobs alone; mean over the seeds."""
    sells: bool
    """Whether a pool is there that sells."""
    revenue_usd: Interval
    margin_usd: Interval

    @property
    def is_open(self) -> bool:
        """Whether selling surely earns something."""
        return self.margin_usd.low > 0


class PriceAnswer(NamedTuple):
    """All candidates, the best first."""

    outcomes: list[PriceOutcome]
    seeds: int
    quarters: list[QuarterOutcome]
    """The best by quarter, where it was run by months."""

    @property
    def opening(self) -> QuarterOutcome | None:
        """The first quarter from which on the window is open to the end."""
        open_since = None
        for each in reversed(self.quarters):
            if not each.is_open:
                break
            open_since = each
        return open_since


def candidates_of(
    scenario: Scenario, factors: Sequence[float], reserves: Sequence[int], trace: Path | None, *, few: bool
) -> list[Offered]:
    """Return all prices with all reserves; where none are given, usual prices and the market's reserve.

    Raises ScenarioError for a reserve above all devices that are sold.
    """
    usual = FEW_FACTORS if few else FACTORS
    found = [
        Offered(factor, reserve)
        for factor in factors or usual
        for reserve in reserves or (market_of(scenario).reserve_devices,)
    ]
    jobs = None if trace is None else Trace.read(trace)
    for offered in found:
        check_live_sources(with_offer(SellingSpan(scenario), offered), jobs)
    return found


def best_price(
    spans: Sequence[SellingSpan],
    candidates: Sequence[Offered],
    seeds: int,
    folder: Path,
    workers: Workers,
    progress: StudyProgress,
    trace: Path | None = None,
) -> PriceAnswer:
    """Run the candidates and rank them by their mean margin; raises FailedRunError where a run fails."""
    numbers = [spans[0].scenario.seed + at for at in range(seeds)]

    def cells(of: Scenario) -> list[Cell]:
        return [cell_of(of, seed, trace) for seed in numbers]

    without = [cells(replace(span.scenario, market=None)) for span in spans]
    tried = {offered: [cells(with_offer(span, offered)) for span in spans] for offered in candidates}
    every = [cell for table in (without, *tried.values()) for row in table for cell in row]
    figures = figures_of("price", every, folder, workers, progress)
    base = _figures(without, figures, "usd_total")
    revenue = {offered: _figures(table, figures, "revenue_usd") for offered, table in tried.items()}
    waited = _figures(without, figures, "own_waited_device_h")
    waits = {
        offered: _figures(table, figures, "own_waited_device_h") - waited for offered, table in tried.items()
    }
    rent = np.array([[usd_per_waited_device_h(span, trace)] for span in spans])
    margin = {
        offered: revenue[offered] - (_figures(table, figures, "usd_total") - base) - waits[offered] * rent
        for offered, table in tried.items()
    }
    outcomes = _ranked(revenue, margin, waits, np.array([[span.weight] for span in spans]))
    best = outcomes[0].offered
    used = _figures(without, figures, "utilization")
    return PriceAnswer(outcomes, seeds, _by_quarter(spans, used, revenue[best], margin[best]))


def _ranked(
    revenue: dict[Offered, Floats],
    margin: dict[Offered, Floats],
    waits: dict[Offered, Floats],
    weights: Floats,
) -> list[PriceOutcome]:
    """Return what candidates came to, the best first; arrays are (span, seed)."""
    earned, gained, waited = (
        {offered: np.asarray((table * weights).sum(axis=0)) for offered, table in of.items()}
        for of in (revenue, margin, waits)
    )
    ranked = sorted(gained, key=lambda offered: -float(gained[offered].mean()))
    return [
        PriceOutcome(
            offered,
            t_interval(earned[offered]),
            t_interval(gained[offered]),
            t_interval(gained[ranked[0]] - gained[offered]),
            float(gained[offered].mean()),
            t_interval(waited[offered]),
        )
        for offered in ranked
    ]


def _by_quarter(
    spans: Sequence[SellingSpan], used: Floats, revenue: Floats, margin: Floats
) -> list[QuarterOutcome]:
    return [
        QuarterOutcome(
            span.quarter,
            float(used[at].mean()),
            span.sells,
            t_interval(revenue[at] * span.weight),
            t_interval(margin[at] * span.weight),
        )
        for at, span in enumerate(spans)
        if span.quarter is not None
    ]


def with_offer(span: SellingSpan, offered: Offered) -> Scenario:
    """Return a span at another price and reserve; segments with a price of their own keep its ratio."""
    scenario = span.scenario
    if not span.sells:
        return scenario
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


def _figures(table: Sequence[Sequence[Cell]], figures: dict[str, Metrics], name: str) -> Floats:
    """Return a figure, 0 where a run has none, by span and seed."""
    return np.array([[figures[cell.key].get(name) or 0.0 for cell in row] for row in table], np.float64)
