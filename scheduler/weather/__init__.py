"""The weather of a run: failures, maintenance, reclaims, refusals and prices, drawn ahead or read.

It is the same whatever the policy does, so that policies meet common random numbers. Read `table.py` first,
which says what an interval of weather is, then `drawing.py`; it knows nothing of jobs. Its seconds count from
the start of the run, so that it may be replayed over any trace.
"""

from __future__ import annotations

from scheduler.scenario import Scenario, run_start_s
from scheduler.stock.recordings import RecordingError
from scheduler.stock.stock import Stock
from scheduler.weather.drawing import draw_weather
from scheduler.weather.prices import with_prices
from scheduler.weather.table import WEATHER, Weather
from scheduler.weather.table_rules import WeatherError
from traces.times import DAY_S
from traces.trace import Trace

__all__ = [
    "WEATHER",
    "RecordingError",
    "Weather",
    "WeatherError",
    "draw_weather",
    "has_weather",
    "weather_of",
    "with_prices",
]

AFTER_S = 28 * DAY_S
"""Without a horizon, weather is drawn for twice the time to the last submission and so much more."""

FAIR_BOUNDS = ("rented_only", "unlimited_owned")
"""Bounds that lift limits, and with them the weather."""


def weather_of(scenario: Scenario, stock: Stock, trace: Trace) -> Weather | None:
    """Return the weather of a run, drawn or read as the scenario says; None where it is fair throughout.

    Raises WeatherError and RecordingError.
    """
    if not has_weather(scenario, stock):
        return None
    if scenario.weather is not None:
        return _read(scenario.weather, scenario, stock)
    start_s = run_start_s(scenario, trace)
    until_s = scenario.horizon_s or 2 * (trace.last_submit_s - start_s) + AFTER_S
    start = trace.instant(start_s)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return draw_weather(scenario, stock, until_s, (start - midnight).seconds)


def _read(path: str, scenario: Scenario, stock: Stock) -> Weather:
    """Read a weather file; what befalls offers is left out of a bound that has none."""
    weather = Weather.read(path)
    if scenario.bound == "owned_only":
        offers = {offer.name for offer in scenario.offers}
        weather = weather.at(*(name for name in weather.devices if name not in offers))
    try:
        weather.check(stock)
    except WeatherError as error:
        raise WeatherError(f"{path}: {error}") from None
    return weather


def has_weather(scenario: Scenario, stock: Stock) -> bool:
    """Return whether anything that the run has can go wrong, as the scenario and its bound say."""
    if scenario.fair_weather or scenario.bound in FAIR_BOUNDS:
        return False
    if scenario.weather is not None:
        return True
    pools, offers = ({part.name for part in parts} for parts in (stock.pools, stock.offers))
    return any(pool.failures or pool.maintenance for pool in scenario.pools if pool.name in pools) or any(
        offer.reclaim or offer.shortages or offer.refusals or offer.boots or offer.drift
        for offer in scenario.offers
        if offer.name in offers
    )
