"""The weather of a scenario, drawn ahead: from its seed and time alone, never from what a policy does."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock
from scheduler.weather.intervals import Intervals, table_of
from scheduler.weather.offer_weather import offer_weather
from scheduler.weather.pool_weather import pool_weather
from scheduler.weather.table import Weather
from scheduler.weather.table_rules import LATEST_S, WeatherError


def draw_weather(scenario: Scenario, stock: Stock, until_s: int, midnight_s: int = 0) -> Weather:
    """Draw the weather of what a run owns and rents, so many seconds from its start on.

    The run starts `midnight_s` after midnight (UTC). What one pod or offer meets does not depend on which
    others there are, nor on `until_s`. Raises RecordingError, and WeatherError for maintenance of pods that
    are not there and for weather too long or of too many rows.
    """
    if until_s > LATEST_S:
        raise WeatherError(f"weather of {until_s:,} s: must be at most {LATEST_S:,}, by a shorter horizon")
    devices = {pool.name: pool.pods * pool.pod_devices for pool in stock.pools}
    devices |= {offer.name: offer.most_devices for offer in stock.offers}
    table = table_of(_intervals(scenario, stock, until_s, midnight_s), until_s, list(devices))
    return Weather(table, until_s, scenario.seed, scenario.name, devices)


def _intervals(scenario: Scenario, stock: Stock, until_s: int, midnight_s: int) -> Iterator[Intervals]:
    pools = {spec.name: spec for spec in scenario.pools}
    offers = {spec.name: spec for spec in scenario.offers}
    for pool in stock.pools:
        yield from pool_weather(pools[pool.name], pool, scenario.seed, until_s)
    for offer in stock.offers:
        yield from offer_weather(offers[offer.name], offer, scenario.seed, until_s, midnight_s)
