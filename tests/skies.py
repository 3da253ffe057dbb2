"""Weather for tests: drawn, made by hand, and looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace as replaced

from scheduler.catalog import Catalog
from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock, stock_of
from scheduler.weather import WEATHER, Weather, draw_weather
from scheduler.weather.table_rules import OWNED
from tests import build
from tests.build import offer, pool, scenario
from traces.arrays import Array

Row = dict[str, Any]

HOUR_S = 3_600
DAY_S = 86_400
CATALOG = replaced(
    build.CATALOG,
    offers={
        **build.CATALOG.offers,
        "cheap": replaced(build.CATALOG.offer("plain"), key="cheap", spot_usd_per_device_h=1.2),
    },
)
"""The catalog of the other tests, with an offer that has a spot price."""


def stock_for(of: Scenario, catalog: Catalog = CATALOG) -> Stock:
    return stock_of(of, catalog)


def drawn(of: Scenario, until_s: int, midnight_s: int = 0) -> Weather:
    return draw_weather(of, stock_for(of), until_s, midnight_s)


def of_sort(weather: Weather, what: str) -> pa.Table:
    return weather.table.filter(pc.equal(weather.table.column("what").cast(pa.string()), what))


def rows(weather: Weather, what: str) -> list[Row]:
    found: list[Row] = of_sort(weather, what).to_pylist()
    return found


def spells(weather: Weather, what: str) -> tuple[Array, Array]:
    """When rows of a sort begin and end."""
    found = of_sort(weather, what)
    return found.column("from_s").to_numpy(), found.column("to_s").to_numpy()


def storm(**more: Any) -> Scenario:
    """Some of all weather."""
    failures = [
        {"mtbf_h": 50, "repair_h": 5},
        {"of": "cabinet", "devices": 3, "mtbf_h": 90, "repair_h": 1},
        {"of": "pod", "mtbf_h": 99, "repair_h": 9},
    ]
    rented: Row = {
        "reclaim": {"up_h": 3, "up_sigma": 1.5},
        "shortages": [{"from_h": 1, "to_h": 5, "quota": 8}],
        "refusals": {"probability": 0.1},
        "boots": {"slow_probability": 0.1, "fail_probability": 0.1},
        "drift": {"volatility": 0.3, "spikes_per_day": 1},
    }
    window = {"from_h": 20, "to_h": 22, "every_h": 30, "drain_h": 1}
    offers = [offer("cloud", 40, key="nodes", **rented), offer("other", 10, **rented)]
    return scenario([pool(8, 3, failures=failures, maintenance=[window])], offers, **more)


def line(where: str, what: str, from_s: int, to_s: int, first: int = 0, devices: int = 1, **more: Any) -> Row:
    """A row of the table, without notice and ending as expected; `more` are other columns."""
    row = {"from_s": from_s, "to_s": to_s, "where": where, "what": what, "first": first, "devices": devices}
    pod = 0 if what in OWNED else None
    return row | {"pod": pod, "notice_s": 0, "expected_s": to_s, "value": None} | more


def price(where: str, from_s: int, to_s: int, factor: float) -> Row:
    return line(where, "price", from_s, to_s, devices=0, value=factor)


def by_hand(of: Scenario, lines: Sequence[Row], until_s: int = 10_000) -> Weather:
    calm = drawn(of, until_s)
    table = pa.Table.from_pylist([{name: row[name] for name in WEATHER.names} for row in lines], WEATHER)
    return replace(calm, table=table)


def recording(folder: Path, data: Sequence[int], gap_s: int = 10) -> str:
    path = folder / "recording.json"
    path.write_text(json.dumps({"metadata": {"gap_seconds": gap_s}, "data": list(data)}))
    return str(path)


def down_s(weather: Weather, units: int) -> Array:
    """Seconds in which each device, or node of one, is down."""
    from_s, to_s, first = (weather.table.column(name).to_numpy() for name in ("from_s", "to_s", "first"))
    return np.bincount(first, to_s - from_s, units)
