"""What the demand might come to instead: changed arguments of the generator, or other draws of a log."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, sqrt
from typing import Any, NamedTuple

from scheduler.study.cells.log import LogDraws
from scheduler.study.reference import reference_of
from traces.dated import Points, earlier
from workloads import Demand, demand_of
from workloads.fleet import DAYS_PER_YEAR


class Outlook(NamedTuple):
    """A demand for the same days, and how much compute it asks for beside the present one."""

    name: str
    meaning: str
    changes: dict[str, Any]
    """The `demand` of the scenario, or the `log` that seeds draw from, in place of today's."""
    ratio: float


YEAR_ON = "a year on"
LATE_RAMP = "late ramp"


def demand_outlooks(today: Mapping[str, Any]) -> list[Outlook]:
    """Return the demands that a plan is held against, made from the arguments of the present one.

    0.5x and 2x change all compute alike. A year on, the fleets have grown as the demand says; with a late
    ramp the robots have grown for half of that year only. Raises DemandError.
    """
    changed = [
        ("0.5x", "half the compute", scaled(today, 0.5)),
        ("2x", "twice the compute", scaled(today, 2.0)),
        (YEAR_ON, "the fleets grown for a year", grown(today, cars=1.0, robots=1.0)),
        (LATE_RAMP, "likewise, the robots for half of it", grown(today, cars=1.0, robots=0.5)),
    ]
    now = _asked(today)
    return [
        Outlook(name, meaning, {"demand": demand}, _asked(demand) / now) for name, meaning, demand in changed
    ]


def log_outlooks(log: LogDraws) -> list[Outlook]:
    """Return the draws of a log that a plan is held against: half and twice as many jobs.

    A year on there are as many as its growth says, with a late ramp as many as after half of that year; where
    none is said, neither is asked about.
    """
    growth = log.resampling.growth
    scales = [("0.5x", "half as many jobs", 0.5), ("2x", "twice as many jobs", 2.0)]
    if growth != 1:
        scales.append((YEAR_ON, f"{growth:g} times as many jobs", growth))
        scales.append((LATE_RAMP, "as many as after half of that year", sqrt(growth)))
    return [
        Outlook(name, meaning, {"log": _scaled_log(log, factor)}, factor) for name, meaning, factor in scales
    ]


def _scaled_log(log: LogDraws, factor: float) -> LogDraws:
    return log._replace(resampling=log.resampling._replace(scale=factor * log.resampling.scale))


def scaled(today: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Return a demand for so many times the compute, shared out among the same kinds alike."""
    demand = demand_of(today)
    return {**today, "load": factor * _asked(today) / (demand.devices * demand.horizon_s)}


def grown(today: Mapping[str, Any], *, cars: float, robots: float) -> dict[str, Any]:
    """Return the demand of fleets that have grown for so many years; a given `load` grows with them.

    Runs that grow larger have done so for a year.
    """
    demand = demand_of(today)
    fleets = {
        "cars": _later(demand.cars, demand.car_growth, cars),
        "robots": _later(demand.robots, demand.robot_growth, robots),
    }
    later = {**today, **fleets}
    if demand.gang_growth:
        later["gang_years"] = demand.gang_years + 1
    if demand.load is None:
        return later
    natural = {**today, "load": None}
    return {**later, "load": demand.load * _asked(natural | fleets) / _asked(natural)}


def _later(figure: float | Points, added_per_year: float, years: float) -> float | Points:
    """Return a fleet so many years on: grown at its steady rate, or further along its dated points."""
    if isinstance(figure, tuple):
        return earlier(figure, round(years * DAYS_PER_YEAR))
    return figure + years * added_per_year


def _asked(arguments: Mapping[str, Any]) -> float:
    """Device-seconds that a demand asks for."""
    demand: Demand = demand_of(arguments)
    return fsum(demand.budgets(reference_of()).values())
