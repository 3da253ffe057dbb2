"""Seconds in an hour and a day, and durations and moments as users write them."""

from datetime import UTC, datetime
from math import inf

HOUR_S = 3_600
DAY_S = 86_400
WEEK_S = 7 * DAY_S
YEAR_S = 31_557_600
"""365.25 days."""

UNITS_S = {"s": 1, "m": 60, "h": HOUR_S, "d": DAY_S, "y": YEAR_S}


class DurationError(ValueError):
    """A duration that is none; says what is allowed."""


def parse_seconds(text: str) -> float:
    """Return a duration, as 90, 30m, 4h or 5y, in seconds; a bare number is seconds. Raises DurationError."""
    unit_s = UNITS_S.get(text[-1:])
    try:
        seconds = float(text[:-1]) * unit_s if unit_s else float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < inf:
        raise DurationError(f'duration "{text}": must be 0 or more seconds, or a number with s, m, h, d or y')
    return seconds


class MomentError(ValueError):
    """A moment that is none; says what is allowed."""


def parse_moment(text: str, epoch: datetime) -> int:
    """Return the second of an epoch at which a moment lies; one before the epoch is negative.

    It is a date as 2026-01-05 or 2026-01-05T06:00, in UTC where it names no zone, or a duration from the
    epoch, with its unit, as 36h or 7d. Raises MomentError.
    """
    if text[-1:] in UNITS_S:
        try:
            return round(parse_seconds(text))
        except DurationError:
            pass
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise MomentError(
            f'"{text}": must be a date, as 2026-01-05T06:00, or a duration from the epoch, as 36h or 7d'
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - epoch).total_seconds())
