"""Seconds in an hour and a day, and durations as users write them."""

from math import inf

HOUR_S = 3_600
DAY_S = 86_400

UNITS_S = {"s": 1, "m": 60, "h": HOUR_S, "d": DAY_S}


class DurationError(ValueError):
    """A duration that is none; says what is allowed."""


def parse_seconds(text: str) -> float:
    """Return a duration, as 90, 30m or 4h, in seconds; a bare number is seconds. Raises DurationError."""
    unit_s = UNITS_S.get(text[-1:])
    try:
        seconds = float(text[:-1]) * unit_s if unit_s else float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < inf:
        raise DurationError(f'duration "{text}": must be 0 or more seconds, or a number with s, m, h or d')
    return seconds
