"""The weather as a planner reads it: what goes wrong, how often and how long, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scheduler.report.table import table
from scheduler.weather import Weather
from scheduler.weather.availability import Happening, availability, factors, happenings
from traces.times import DAY_S, HOUR_S


def render(weather: Weather, assumed: Mapping[str, str] | None) -> str:
    """Return the weather as text for a terminal; `assumed` figures by place, None where nobody knows."""
    found = list(happenings(weather))
    head = f"{weather.scenario}: weather of {weather.until_s / DAY_S:,.1f} days, seed {weather.seed}"
    return "\n\n".join(
        [f"{head}; afterwards it is fair", _found(found), _left(weather, found), _sure(assumed)]
    )


def _found(found: Iterable[Happening]) -> str:
    rows = [
        [
            one.where,
            one.what,
            f"{one.times:,}",
            f"{one.length_s / one.times / HOUR_S:,.2f}",
            f"{one.device_s / HOUR_S:,.0f}" if one.device_s else "-",
        ]
        for one in found
    ]
    header = ["where", "what", "times", "mean h", "device-hours out"]
    return table(header, rows, numbers=(2, 3, 4)) if rows else "nothing goes wrong"


def _left(weather: Weather, found: Iterable[Happening]) -> str:
    spent_s = {(one.where, one.what): one.length_s for one in found}
    rows = []
    for where, devices in weather.devices.items():
        shares = [spent_s.get((where, what)) for what in ("refused", "slow_boot", "failed_boot")]
        price = factors(weather, where)
        rows.append(
            [
                where,
                f"{devices:,}",
                f"{availability(weather, where):.2%}",
                *("-" if share is None else f"{share / weather.until_s:.1%}" for share in shares),
                "-" if price is None else " / ".join(f"{factor:.2f}" for factor in price),
            ]
        )
    header = [
        "where",
        "devices",
        "in service",
        "refused",
        "boots slow",
        "boots fail",
        "price min / mean / max",
    ]
    return (
        f"{table(header, rows, numbers=(1, 2, 3, 4, 5, 6))}\n"
        "in service: share of device-time; refused and boots: share of the time; price: times the price"
    )


def _sure(assumed: Mapping[str, str] | None) -> str:
    if assumed is None:
        return "read from a file: which of its figures are assumed, the scenario it was drawn for says"
    said = [f"assumed: {where}: {figures}" for where, figures in assumed.items()]
    return "\n".join([*said, "rates that the scenario gives itself are as sure as whoever gave them"])
