"""Figures that change with the years: series of dated points, flat before the first and after the last."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from math import isfinite
from typing import Any

Points = tuple[tuple[str, float], ...]
"""(date in ISO 8601, value), the dates ascending; plain data."""


_AS = 'as ["2026-01", 5.5]'


class DatedError(ValueError):
    """A date or a series of dated points that is none; says what is allowed."""


def date_of(raw: Any) -> date:
    """Return the day that a date names: TOML's own, or text as 2026-01-05; a month, as 2026-01, is its first.

    Raises DatedError.
    """
    if isinstance(raw, date):
        return raw.date() if isinstance(raw, datetime) else raw
    try:
        return date.fromisoformat(f"{raw}-01" if isinstance(raw, str) and len(raw) == 7 else raw)
    except (TypeError, ValueError):
        raise DatedError(f"{raw!r}: must be a date, as 2026-01-05, or a month, as 2026-01") from None


def month_of(raw: Any) -> str:
    """Return the month of a date, as 2026-01; raises DatedError."""
    return date_of(raw).isoformat()[:7]


def months_later(instant: datetime, months: int) -> datetime:
    """Return the same hour and day so many months later, of a shorter month its last day."""
    year, month = divmod(12 * instant.year + instant.month - 1 + months, 12)
    day = min(instant.day, monthrange(year, month + 1)[1])
    return instant.replace(year=year, month=month + 1, day=day)


def months_between(month: str, today: date) -> int:
    """Return how many months lie between one, as 2026-01, and that of a day."""
    since = date_of(month)
    return 12 * (today.year - since.year) + today.month - since.month


def points_of(raw: Sequence[Any]) -> Points:
    """Return a series that is given as a list of [date, number]; raises DatedError."""
    points: list[tuple[str, float]] = []
    for each in raw:
        if not isinstance(each, list | tuple) or len(each) != 2 or not _is_number(each[1]):
            raise DatedError(f"{each!r}: must be a point, {_AS}")
        points.append((date_of(each[0]).isoformat(), each[1]))
    if not points:
        raise DatedError(f"no points: must have at least one, {_AS}")
    for (day, _), (following, _) in pairwise(points):
        if following <= day:
            raise DatedError(f"{following} after {day}: dates must ascend")
    return tuple(points)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def seconds_to(day: str, epoch: datetime) -> int:
    """Return the second of an epoch at which a day begins in UTC; one before the epoch is negative."""
    return round((datetime.combine(date_of(day), datetime.min.time(), UTC) - epoch).total_seconds())


def earlier(points: Points, days: int) -> Points:
    """Return a series moved so many days to the past."""
    return tuple(
        (date.fromordinal(date_of(day).toordinal() - days).isoformat(), value) for day, value in points
    )
