"""What a roadmap is asked, checked before anything runs, and what time and pods cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from math import ceil
from typing import NamedTuple

from scheduler.catalog import load_catalog
from scheduler.money.economics.inputs import default_mid
from scheduler.money.ledger.book_value import BookValue
from scheduler.money.ledger.rates import Calendar
from scheduler.scenario import Scenario
from scheduler.scenario.calendar import is_date
from scheduler.stock.stock import stock_of
from scheduler.study.plan.candidates import AS_GIVEN, PlanError, PriceFactors
from scheduler.study.plan.question import over_demand, plan_question
from scheduler.study.roadmap.commitments import Contract, contract_of
from scheduler.study.roadmap.quarters import Quarter, first_midnight, quarters_of
from scheduler.study.roadmap.schedules import ScheduleTerms
from traces.times import DAY_S, YEAR_S
from workloads import demand_of


class RoadmapQuestion(NamedTuple):
    """What is asked: which of these policies, up to how many pods, over which quarters and how many seeds."""

    bursts: tuple[str, ...]
    most: int
    seeds: int
    present: int
    """Pods that are there at the start, and stay."""
    discount_rate: float
    """A year, above inflation."""
    resale_share: float
    """What pods are sold for at the end, as a share of their book value."""
    contracts: tuple[Contract, ...] = ()
    """By which devices of offers may be committed to."""


def discount_rate() -> float:
    """Return the discount rate that `economics` takes as most likely."""
    return default_mid("discount_rate")


def roadmap_question(
    scenario: Scenario,
    pool: str | None,
    bursts: tuple[str, ...],
    most: int | None,
    seeds: int,
    group: str,
    *,
    rate: float,
    resale_share: float,
) -> tuple[Scenario, str, RoadmapQuestion]:
    """Return the scenario, its pool and the question, all checked; raises PlanError, PolicyError.

    Without `most` it is twice the pods that the scenario has or buys.
    """
    if scenario.trace is not None:
        raise PlanError("a roadmap needs [demand], which grows over years; a trace is of one time only")
    named = [each for each in scenario.pools if pool in (None, each.name)]
    there = sum(each.pods + sum(batch.pods for batch in each.purchases) for each in named)
    pool, posed = plan_question(scenario, pool, bursts, most or 2 * there, seeds)
    scenario = over_demand(scenario, group)
    searched = next(each for each in scenario.pools if each.name == pool)
    if searched.retirements or any(closure.pool == pool for closure in scenario.closures):
        raise PlanError(
            f"pool {pool}: a roadmap buys pods; it knows no retirement and no closure of that pool"
        )
    if any(each.usd_per_pod is not None or each.volume_discount for each in searched.purchases):
        raise PlanError(f"pool {pool}: a roadmap buys at the price of the pool; give its capital_usd")
    if undated := _undated(scenario, pool):
        raise PlanError(f"{undated}, as each quarter is run from a day of its own")
    if scenario.start is not None and not _on_a_day(scenario):
        raise PlanError(f'start = "{scenario.start}": a roadmap begins at a midnight of UTC')
    if posed.most < searched.pods:
        raise PlanError(f"--max-pods {posed.most}: there are {searched.pods} at the start")
    return (
        scenario,
        pool,
        RoadmapQuestion(posed.bursts, posed.most, seeds, searched.pods, rate, resale_share),
    )


def contracts_of(scenario: Scenario, texts: Sequence[str]) -> tuple[Contract, ...]:
    """Read what may be committed to; raises PlanError. Offers with contracts of their own keep just these."""
    catalog, free = load_catalog(), {}
    for offer in scenario.offers:
        if not (offer.commitments or offer.blocks or offer.spot):
            free[offer.name] = dict(catalog.offers[offer.offer].reserved_usd_per_device_h_by_months)
    return tuple(contract_of(text, free) for text in dict.fromkeys(texts))


def _undated(scenario: Scenario, pool: str) -> str | None:
    """Return what counts from the start of the run and must not, if there is something."""
    moments = [
        ("pools.purchases: ordered", each.ordered)
        for other in scenario.pools
        if other.name != pool
        for each in other.purchases
    ]
    moments += [("pools.retirements: at", each.at) for other in scenario.pools for each in other.retirements]
    moments += [("closures: at", each.at) for each in scenario.closures]
    undated = (f'{key} = "{text}": must be a date' for key, text in moments if not is_date(text))
    market = scenario.market
    parts = {
        "market.window": market is not None and market.window is not None,
        "market.leases": market is not None and bool(market.leases),
        "edge.from_h": any(each.from_h > 0 for each in scenario.edge),
    }
    hours = (f"{key}: counts from the start of the run" for key, there in parts.items() if there)
    return next(chain(undated, hours), None)


def _on_a_day(scenario: Scenario) -> bool:
    return scenario.start in ("0s", demand_of(scenario.demand).start)


def horizon_quarters(scenario: Scenario, month_days: int) -> tuple[Quarter, ...]:
    """Return the quarters of a scenario's horizon."""
    days = ceil((scenario.horizon_s or DAY_S) / DAY_S)
    return tuple(quarters_of(first_midnight(scenario).date(), days, month_days))


def terms_of(
    scenario: Scenario,
    pool: str,
    quarters: tuple[Quarter, ...],
    question: RoadmapQuestion,
    prices: PriceFactors = AS_GIVEN,
) -> ScheduleTerms:
    """Return what time and pods cost: pods at the price of the day on which they are delivered."""
    catalog, start, end_day = load_catalog(), first_midnight(scenario), quarters[-1].to_day
    fresh = BookValue(money=scenario.money, calendar=Calendar.of(start), from_s=0, origin_s=0, age_years=0.0)

    def present(day: float) -> float:
        return float((1 + question.discount_rate) ** (-day * DAY_S / YEAR_S))

    paid, sold = [], []
    for quarter in quarters:
        stock = stock_of(scenario, catalog, start + timedelta(quarter.from_day))
        price = next(each for each in stock.pools if each.name == pool).capital_usd_per_pod
        paid.append(price * prices.pods)
        sold.append(paid[-1] * fresh.left((end_day - quarter.from_day) * DAY_S) * question.resale_share)
    return ScheduleTerms(
        seconds=tuple((each.to_day - each.from_day) * DAY_S for each in quarters),
        discounts=tuple(present((each.from_day + each.to_day) / 2) for each in quarters),
        pod_usd=tuple(
            price * present(quarter.from_day) - left * present(end_day)
            for quarter, price, left in zip(quarters, paid, sold, strict=True)
        ),
        paid_usd=tuple(paid),
        sold_usd=tuple(sold),
        prices=prices,
    )
