"""The scenario of some days of a longer one: what is there then, and what it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import numpy as np
from msgspec.structs import replace

from scheduler.run.quarters import CalendarQuarter, calendar_quarters
from scheduler.scenario import ClosureSpec, LoopSpec, MarketSpec, OfferSpec, Scenario, ScenarioError
from scheduler.scenario.base import WindowSpec
from scheduler.scenario.calendar import is_date
from scheduler.stock.pools import PoolStock
from scheduler.study.roadmap.quarters import days_to_monday, demand_from, first_midnight
from traces.interpolation import linear
from traces.times import DAY_S, HOUR_S

MONTH_DAYS = 28
_Window = TypeVar("_Window", bound=WindowSpec)


def month_in(quarter: CalendarQuarter, days: int = MONTH_DAYS) -> datetime:
    """Return the first day of the days that stand for a quarter: the Monday nearest to its middle half."""
    middle = quarter.since + timedelta(max(0, int(quarter.days) - days) // 2)
    monday = middle + timedelta(days_to_monday(middle))
    return min(max(monday, quarter.since), quarter.until - timedelta(days))


def quarters_to_run(start: datetime, end: datetime) -> list[CalendarQuarter]:
    """Return the quarters between two instants of which a day or more is there, the least that is run.

    Raises ScenarioError where there is none.
    """
    quarters = [each for each in calendar_quarters(start, end) if each.days >= 1]
    if not quarters:
        hours = (end - start).total_seconds() / HOUR_S
        raise ScenarioError(f"horizon = {hours:g} h: must be a day or more, as whole days are run")
    return quarters


def run_span(scenario: Scenario) -> tuple[datetime, datetime]:
    """Return the first day of a scenario's demand and the end of its horizon, of a day at least, UTC."""
    start = first_midnight(scenario)
    return start, start + timedelta(seconds=scenario.horizon_s or DAY_S)


def check_dated(scenario: Scenario) -> None:
    """Raise ScenarioError for a moment that counts from the start, which each month has of its own."""
    moments = [("purchases: ordered", each.ordered) for pool in scenario.pools for each in pool.purchases]
    moments += [("retirements: at", each.at) for pool in scenario.pools for each in pool.retirements]
    moments += [("closures: at", each.at) for each in scenario.closures]
    for key, text in moments:
        if not is_date(text):
            raise ScenarioError(
                f'{key} = "{text}": must be a date, as each quarter is run from a day of its own'
            )


def month_of_years(
    scenario: Scenario, pools: Sequence[PoolStock], start: datetime, month: datetime, days: int = MONTH_DAYS
) -> Scenario:
    """Return the scenario of so many days from `month` on, of one that begins at `start`.

    `pools` are those of the whole, by seconds from `start`: those without pods in these days are no part of
    it, nor is a market whose window is elsewhere.
    """
    day = (month - start).days
    from_s, to_s = day * DAY_S, (day + days) * DAY_S
    there = {pool.name for pool in pools if _is_there(pool, from_s, to_s)}
    sites = (
        replace(each, pools=tuple(name for name in each.pools if name in there)) for each in scenario.sites
    )
    parts: dict[str, Any] = {
        "start": None,
        "horizon_h": 24.0 * days,
        "demand": demand_from(scenario.demand, day, days),
        "pools": tuple(pool for pool in scenario.pools if pool.name in there),
        "offers": tuple(_offer(offer, day * 24, days * 24) for offer in scenario.offers),
        "sites": tuple(_site(site, day * 24, days * 24) for site in sites if site.pools),
        "closures": tuple(_closure(each, there) for each in scenario.closures if each.pool in there),
        "loops": tuple(_loop(loop, month, days) for loop in scenario.loops),
        "edge": tuple(
            replace(each, from_h=max(0.0, each.from_h - day * 24))
            for each in scenario.edge
            if each.from_h < (day + days) * 24
        ),
    }
    market = _market(scenario.market, day * 24, days * 24)
    capped = {name for site in parts["sites"] if site.is_capped for name in site.pools}
    if capped.issuperset(there):
        market = None
    return replace(scenario, **parts, market=market)


def _is_there(pool: PoolStock, from_s: int, to_s: int) -> bool:
    spans = (lot.span(from_s, to_s) for lot in pool.lots() if lot.pods)
    return any(first < last for first, last in spans)


def _market(market: MarketSpec | None, from_h: int, hours: int) -> MarketSpec | None:
    """Return what is sold in some hours, counted from these: leases, and segments while it is open."""
    if market is None:
        return None
    leases = _within(market.leases, from_h, hours)
    segments, window = market.segments, market.window
    if window is not None:
        cut = _within([window], from_h, hours)
        segments, window = (segments, cut[0]) if cut else ((), None)
    return replace(market, segments=segments, window=window, leases=leases) if segments or leases else None


def _offer(offer: OfferSpec, from_h: int, hours: int) -> OfferSpec:
    surges, shortages = (_within(each, from_h, hours) for each in (offer.surges, offer.shortages))
    return replace(offer, surges=surges, shortages=shortages)


def _closure(closure: ClosureSpec, there: Collection[str]) -> ClosureSpec:
    return replace(closure, moves_to=tuple(name for name in closure.moves_to if name in there))


def _site(site: Any, from_h: int, hours: int) -> Any:
    return replace(site, curtailments=_within(site.curtailments, from_h, hours))


def _loop(loop: LoopSpec, month: datetime, days: int) -> LoopSpec:
    """Return a loop as it stands in some days: its units in their middle, and half of a cycle gone."""
    units = loop.units
    if isinstance(units, tuple):
        units = float(linear(units, month, np.array([days * DAY_S / 2], np.float64))[0])
    clips_a_day = units * loop.miles_per_unit_day * loop.clips_per_mile * loop.curation_share
    cycle_days = loop.trigger_days or (loop.trigger_clips or 0.0) / clips_a_day
    return replace(loop, units=units, since_days=cycle_days / 2)


def _within(windows: Sequence[_Window], from_h: int, hours: int) -> tuple[_Window, ...]:
    """Return what of some windows lies in some hours, counted from these."""
    cut = [
        replace(each, from_h=max(0.0, each.from_h - from_h), to_h=min(float(hours), each.to_h - from_h))
        for each in windows
        if each.to_h > from_h and each.from_h < from_h + hours
    ]
    return tuple(cut)


def after_month(loop: LoopSpec, clips: int, pflop_days: float, weight: float) -> LoopSpec:
    """Return a loop as it stands after a quarter of which a month came to so much.

    What it has trained on is that of a quarter; it needs fewer interventions, so fewer clips are sent.
    """
    from scheduler.live.loop.road import interventions

    effect = loop.effect
    a = interventions(effect, pflop_days * weight, clips * weight)
    effect = replace(
        effect,
        a=a,
        start_pflop_days=effect.start_pflop_days + pflop_days * weight,
        start_clips=effect.start_clips + clips * weight,
    )
    return replace(loop, effect=effect, clips_per_mile=loop.clips_per_mile * a / loop.effect.a)
