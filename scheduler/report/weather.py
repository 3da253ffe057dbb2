"""The weather as a planner reads it: what goes wrong, how often and how long, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scheduler.weather import Weather
from scheduler.weather.availability import Happening, availability, factors, happenings
from traces.numbers import count, decimal, hours, percent, ratio
from traces.tables import table
from traces.times import DAY_S


def render(weather: Weather, assumed: Mapping[str, str] | None) -> str:
    """Return the weather as text for a terminal; `assumed` figures by place, None where nobody knows."""
    found = list(happenings(weather))
    head = f"{weather.scenario}: weather of {decimal(weather.until_s / DAY_S, 1)} days, seed {weather.seed}"
    return "\n\n".join(
        [f"{head}; afterwards it is fair", _found(found), _left(weather, found), _sure(assumed)]
    )


def _found(found: Iterable[Happening]) -> str:
    rows = []
    for one in found:
        mean_h, out_h = hours(one.length_s / one.times, 2), hours(one.device_s or None)
        rows.append([one.where, one.what, count(one.times), mean_h, out_h])
    header = ["where", "what", "times", "mean h", "device-hours out"]
    return table(header, rows, numbers=(2, 3, 4)) if rows else "nothing goes wrong"


def _left(weather: Weather, found: Iterable[Happening]) -> str:
    spent_s = {(one.where, one.what): one.length_s for one in found}
    rows = []
    for where, devices in weather.devices.items():
        lengths_s = [spent_s.get((where, what)) for what in ("refused", "slow_boot", "failed_boot")]
        shares = [percent(None if length_s is None else length_s / weather.until_s) for length_s in lengths_s]
        price = " / ".join(map(ratio, factors(weather, where) or [None]))
        rows.append([where, count(devices), percent(availability(weather, where), 2), *shares, price])
    header = ["where", "devices", "in service", "refused", "boots slow", "boots fail"]
    header.append("price min / mean / max")
    return (
        f"{table(header, rows, numbers=(1, 2, 3, 4, 5, 6))}\n"
        "in service: share of device-time; refused and boots: share of the time; price: times the price"
    )


def _sure(assumed: Mapping[str, str] | None) -> str:
    if assumed is None:
        return "read from a file: which of its figures are assumed, the scenario it was drawn for says"
    said = [f"assumed: {where}: {figures}" for where, figures in assumed.items()]
    return "\n".join([*said, "rates that the scenario gives itself are as sure as whoever gave them"])
