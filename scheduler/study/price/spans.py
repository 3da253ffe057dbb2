"""What a search for prices runs: the scenario as it is, or a month for each quarter of a long one."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.run.quarters import CalendarQuarter
from scheduler.scenario import MarketSpec, Scenario, ScenarioError
from scheduler.stock.stock import stock_of
from scheduler.study.years.months import (
    MONTH_DAYS,
    check_dated,
    month_in,
    month_of_years,
    quarters_to_run,
    run_span,
)
from traces.times import DAY_S

LONGEST_QUARTER_S = 92 * DAY_S
"""What is longer is run by months."""


class SellingSpan(NamedTuple):
    """A run of the search, and what it stands for."""

    scenario: Scenario
    quarter: CalendarQuarter | None = None
    """That it stands for; None: itself."""
    weight: float = 1.0
    """How many times as long that is."""

    @property
    def sells(self) -> bool:
        """Whether it has a market."""
        return self.scenario.market is not None


def market_of(scenario: Scenario) -> MarketSpec:
    """Return the market of a scenario; raises ScenarioError where it has none."""
    if scenario.market is None:
        raise ScenarioError(f"{scenario.name}: has no [market], so there is nothing to price")
    return scenario.market


def is_long(scenario: Scenario) -> bool:
    """Say whether a scenario is longer than a quarter."""
    return (scenario.horizon_s or 0) > LONGEST_QUARTER_S


def months_that_sell(scenario: Scenario) -> list[SellingSpan]:
    """Return a month for each quarter of a long scenario, as if the window were always open.

    Each begins empty, with the loops as they are at the start. Raises ScenarioError for moments that are no
    dates.
    """
    check_dated(scenario)
    start, end = run_span(scenario)
    always = replace(scenario, market=replace(market_of(scenario), window=None))
    pools, spans = stock_of(scenario, load_catalog(), start).pools, list[SellingSpan]()
    for quarter in quarters_to_run(start, end):
        days = min(MONTH_DAYS, int(quarter.days))
        part = month_of_years(always, pools, start, month_in(quarter, days), days)
        spans.append(SellingSpan(part, quarter, quarter.days / days))
    return spans
