"""When a run begins and how long it lasts, as a scenario says it; its generated demand follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import ceil
from typing import Any

from scheduler.scenario.base import ScenarioError
from traces.times import DAY_S, HOUR_S, UNITS_S, DurationError, parse_seconds


def with_calendar(raw: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return a scenario's plain data with dates as text, and `horizon`, a duration, as `horizon_h`.

    Where there is no trace, a `start` that is a date is that of the demand, and a `horizon` its length,
    unless the demand has its own. Raises ScenarioError.
    """
    plain, demand = {key: _dates_as_text(value) for key, value in raw.items()}, dict[str, Any]()
    if isinstance(plain.get("start"), str) and is_date(plain["start"]):
        demand["start"] = plain["start"]
    if "horizon" in raw:
        plain["horizon_h"] = _hours(plain, where)
        del plain["horizon"]
        demand["days"] = ceil(plain["horizon_h"] * HOUR_S / DAY_S)
    given = plain.get("demand", {})
    if demand and isinstance(given, Mapping) and raw.get("trace") is None:
        plain["demand"] = demand | dict(given)
    return plain


def is_date(start: str) -> bool:
    """Say whether the start of a run is a date, and no duration from the epoch."""
    return start[-1:] not in UNITS_S


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _dates_as_text(each) for key, each in value.items()}
    return [_dates_as_text(each) for each in value] if isinstance(value, list) else value


def _hours(raw: Mapping[str, Any], where: str) -> float:
    if raw.get("horizon_h") is not None:
        raise ScenarioError(f"{where}: give either horizon, a duration, or horizon_h, not both")
    try:
        seconds = parse_seconds(str(raw["horizon"])) if isinstance(raw["horizon"], str) else 0.0
    except DurationError:
        seconds = 0.0
    if seconds < 1:
        raise ScenarioError(f"{where}: horizon = {raw['horizon']!r}: must be a duration, as 28d or 5y")
    return seconds / HOUR_S
