"""Which days stand for a quarter, and the scenario and the demand of these days.

A quarter is measured over a month in its middle, after a stretch in which the queues fill: a warm-up from an
empty cluster, not the jobs of the quarter before. So a quarter does not know how many pods the one before
had, and a run of it serves every schedule that has so many pods then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import fsum
from typing import Any, NamedTuple

from msgspec.structs import replace

from scheduler.scenario import Scenario
from scheduler.scenario.assets import PurchaseSpec
from scheduler.study.reference import reference_of
from traces.dated import Points
from traces.times import DAY_S
from workloads import Demand, demand_of
from workloads.fleet import DAYS_PER_YEAR

QUARTER_DAYS = DAYS_PER_YEAR / 4


class Quarter(NamedTuple):
    """A part of the horizon, in days from the start, and the days by which it is measured."""

    name: str
    from_day: int
    to_day: int
    month_day: int
    month_days: int


def quarters_of(start: date, days: int, month_days: int) -> list[Quarter]:
    """Return the quarters of a horizon, alike long to the day; one where it is shorter than that.

    Months begin on the Monday nearest to the middle of the quarter, as releases fall on Mondays.
    """
    count = max(1, round(days / QUARTER_DAYS))
    edges = [round(at * days / count) for at in range(count + 1)]
    quarters = []
    for at, (first, last) in enumerate(pairwise(edges)):
        length = min(month_days, last - first)
        middle = first + (last - first - length) // 2
        monday = middle + days_to_monday(start + timedelta(middle))
        month = monday if first <= monday <= last - length else middle
        quarters.append(Quarter(f"Q{at + 1}", first, last, month, length))
    return quarters


def days_to_monday(day: date) -> int:
    """Return the days to the nearest Monday, from -3 to 3."""
    return (3 - day.weekday()) % 7 - 3


def first_midnight(scenario: Scenario) -> datetime:
    """Return when the first day of a scenario's demand begins, UTC."""
    return demand_of(scenario.demand).epoch.replace(hour=0, minute=0, second=0, microsecond=0)


def pod_on(day: int) -> PurchaseSpec:
    """Return the purchase of a pod on a day: a pool has pods, now or later."""
    return PurchaseSpec(ordered=f"{day}d" if day else "0s", lead="0s", pods=1)


def month_of_quarter(
    scenario: Scenario, pool: str, quarter: Quarter, pods: int, warm_up_days: int
) -> Scenario:
    """Return the scenario of the days that stand for a quarter, with so many pods from their start on."""
    days = warm_up_days + quarter.month_days
    demand = demand_from(scenario.demand, quarter.month_day - warm_up_days, days)
    pools = (
        replace(each, pods=pods, purchases=() if pods else (pod_on(days + 1),)) if each.name == pool else each
        for each in scenario.pools
    )
    return replace(scenario, start="0s", horizon_h=24.0 * days, demand=demand, pools=tuple(pools))


def demand_from(arguments: Mapping[str, Any], day: int, days: int) -> dict[str, Any]:
    """Return the demand of so many days from a day on: its fleets and gangs have grown until then.

    A given `load` is that of all the horizon without its story, so that these days ask for their part.
    """
    whole = demand_of(arguments)
    part = {
        **arguments,
        "start": (whole.epoch.date() + timedelta(day)).isoformat(),
        "days": days,
        "cars": _path(whole.cars, whole.car_growth, whole),
        "robots": _path(whole.robots, whole.robot_growth, whole),
    }
    if "story" in arguments:
        part["story"] = _story_within(arguments["story"], part["start"], days)
    if whole.gang_growth:
        part["gang_years"] = max(0.0, whole.gang_years + day / DAYS_PER_YEAR)
    if whole.load is not None:
        natural = {**arguments, "load": None, "story": {}}
        grown = _mean_load({**part, "load": None}) / _mean_load(natural)
        part["load"] = whole.load * grown
    return part


def _story_within(story: Mapping[str, Any], start: str, days: int) -> dict[str, Any]:
    """Return what of a story touches so many days; before it begins, jobs are those without it."""
    end = (date.fromisoformat(start) + timedelta(days)).isoformat()
    told = dict(story)
    if str(told.get("plateau", "")) >= end:
        del told["plateau"]
    surges = [
        each for each in told.pop("surges", ()) if str(each["since"]) < end and str(each["until"]) > start
    ]
    return told | {"surges": surges} if surges else told


def _path(figure: float | Points, added_per_year: float, whole: Demand) -> float | Points:
    """Return a fleet as dated points, which do not depend on where a demand starts."""
    if isinstance(figure, tuple) or not added_per_year:
        return figure
    start = whole.epoch.date()
    end = start + timedelta(whole.days)
    grown = figure + added_per_year * whole.days / DAYS_PER_YEAR
    return ((start.isoformat(), figure), (end.isoformat(), grown))


def _mean_load(arguments: Mapping[str, Any]) -> float:
    demand = demand_of(arguments)
    return fsum(demand.budgets(reference_of()).values()) / (demand.days * DAY_S)
