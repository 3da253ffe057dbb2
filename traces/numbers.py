"""How numbers are written for a reader, each way once: in tables, in prose and beside pictures.

Thousands have commas, unless an argument says otherwise. What is not known (None or NaN) is a dash.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import isnan

from traces.times import DAY_S, HOUR_S

TICK = "{x:,.12g}"
"""The format of the ticks of an axis: no exponents."""


def decimal(value: float | None, places: int = 2, *, signed: bool = False, commas: bool = True) -> str:
    """Return a number with so many decimals, with its sign if `signed`."""
    if value is None or isnan(value):
        return "-"
    return f"{value:{'+' if signed else ''}{',' if commas else ''}.{places}f}"


def count(value: float | None) -> str:
    """Return a number without decimals."""
    return decimal(value, 0)


def plural(number: float, noun: str) -> str:
    """Return so many of something, with an s for any number but one."""
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def count_of(part: float, whole: float) -> str:
    """Return how many of how many."""
    return f"{count(part)} of {count(whole)}"


def ratio(value: float | None) -> str:
    """Return a number with two decimals and no commas."""
    return decimal(value, commas=False)


def percent(share: float | None, places: int = 1, *, signed: bool = False) -> str:
    """Return a share, 0 to 1, as a percentage."""
    if share is None or isnan(share):
        return "-"
    return f"{share:{'+' if signed else ''}.{places}%}"


def share_of(part: float, whole: float) -> str:
    """Return a part as a percentage of the whole; a dash where there is no whole."""
    return percent(part / whole) if whole else "-"


def significant(value: float, digits: int = 3) -> str:
    """Return a number rounded to so many significant digits; an exponent only below 0.0001 and from 1e15."""
    return "-" if isnan(value) else f"{float(f'{value:.{digits}g}'):,.15g}"


def significant_percent(share: float) -> str:
    """Return a share as a percentage of two significant digits."""
    return f"{significant(100 * share, 2)}%"


def shortest(value: float, digits: int = 6, *, signed: bool = False) -> str:
    """Return a number in at most so many digits, with an exponent where there are more before the point."""
    return "-" if isnan(value) else f"{value:{'+' if signed else ''},.{digits}g}"


def error(value: float) -> str:
    """Return a difference that should be 0 by its size: one digit and an exponent."""
    return f"{value:.0e}"


def between(low: float, high: float, write: Callable[[float], str]) -> str:
    """Return a range, or one number where both ends read the same."""
    ends = write(low), write(high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def difference(value: float, write: Callable[[float], str]) -> str:
    """Return a difference with its sign, and no sign where none is to be seen."""
    written = write(abs(value))
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return written if written == write(0) else sign + written


def money(total: float) -> Callable[[float], str]:
    """Return what writes the parts of a sum: in whole dollars, or in cents where there are few of them."""
    return count if abs(total) >= 1_000 else decimal


def rounded_usd(usd: float) -> str:
    """Return dollars in three significant digits, with B for billions and M for millions."""
    if usd < 0:
        return "-" + rounded_usd(-usd)
    for size, letter in ((1e9, "B"), (1e6, "M")):
        if usd >= size:
            return significant(usd / size) + letter
    return decimal(usd) if usd < 10 else significant(usd)


def hours(seconds: float | None, places: int = 0, *, commas: bool = True) -> str:
    """Return seconds, or device-seconds, as hours, without the unit."""
    return "-" if seconds is None else decimal(seconds / HOUR_S, places, commas=commas)


def duration(seconds: float) -> str:
    """Return seconds below two minutes, then minutes, then hours."""
    if isnan(seconds):
        return "-"
    if seconds < 120:
        return f"{count(seconds)} s"
    return f"{count(seconds / 60)} min" if seconds < 2 * HOUR_S else f"{hours(seconds, 1, commas=False)} h"


def days(seconds: float) -> str:
    """Return seconds as days, or as hours below one day, in three significant digits."""
    length = seconds / DAY_S
    if length < 1:
        return f"{significant(seconds / HOUR_S)} h"
    return f"{significant(length)} day{'s' * (length != 1)}"


def minute(instant: datetime) -> str:
    """Return a date with its minute."""
    return f"{instant:%Y-%m-%d %H:%M}"


def second(instant: datetime) -> str:
    """Return a date with its second."""
    return f"{instant:%Y-%m-%d %H:%M:%S}"
