"""Prices that change during a run: a CSV file of them, and surges, as steps from the start of the run on."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scheduler.catalog import Figure
from traces.dated import Points, seconds_to
from traces.errors import cannot_read, first_line
from traces.exact import as_decimal
from traces.files import read_text
from traces.interpolation import log_interpolated
from traces.times import DAY_S, HOUR_S

Step = tuple[int, float]
"""(second of the run, USD/device-hour from there on)."""

TIMES = ("time_h", "time")
PRICE = "usd_per_device_h"
HIGHEST = 1e12


class PriceError(ValueError):
    """A price file that breaks a rule; names the file, the row and the column.

    It never quotes what the file holds: a scenario may name any file.
    """


class Surge(NamedTuple):
    """From one second to another, prices are `factor` times as high."""

    from_s: int
    to_s: int
    factor: float


def read_series(path: Path | str, start: datetime) -> list[Step]:
    """Read a price series: a time that ascends and a price that holds from there until the next.

    The columns are `usd_per_device_h` and either `time_h`, hours from the start of the run, or `time`, ISO
    8601 (in UTC where it names no zone). Times are rounded to the second. Raises PriceError.
    """
    try:
        rows = csv.DictReader(StringIO(read_text(path), newline=""))
        steps = list(_steps(rows, path, start))
    except OSError as error:
        raise PriceError(cannot_read(path, error)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise PriceError(f"{path}: not CSV: {first_line(error)}") from None
    if not steps:
        raise PriceError(f"{path}: no rows")
    return steps


def _steps(rows: csv.DictReader[str], path: Path | str, start: datetime) -> Iterator[Step]:
    columns = rows.fieldnames or []
    if sorted(columns) not in [sorted((time, PRICE)) for time in TIMES]:
        needed = f"must be {PRICE} and one of {', '.join(TIMES)}"
        raise PriceError(f"{path}: line 1: the columns {needed}")
    time = next(name for name in columns if name != PRICE)
    last_s = None
    for row in rows:
        try:
            step = _step(row, time, start, last_s)
        except ValueError as error:
            raise PriceError(f"{path}: line {rows.line_num}: {error}") from None
        last_s = step[0]
        yield step


def _step(row: dict[str, str], time: str, start: datetime, last_s: int | None) -> Step:
    """Read a row, which must be later than the one before it."""
    if None in row or None in row.values():
        raise ValueError("must have two values")
    second = _second(time, row[time], start)
    if last_s is not None and second <= last_s:
        raise ValueError(f"{time}: must be at least a second later than the row before")
    return second, _price(row[PRICE])


def _second(column: str, text: str, start: datetime) -> int:
    if column == "time_h":
        return round(_number(column, text) * HOUR_S)
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{column}: must be ISO 8601, as 2026-01-05T06:00") from None
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round((time - start).total_seconds())


def _price(text: str) -> float:
    price = _number(PRICE, text)
    if not 0 <= price <= HIGHEST:
        raise ValueError(f"{PRICE}: must be from 0 to {HIGHEST:g}")
    return price


def _number(column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{column}: must be a number")
    return number


def dated_steps(points: Points, start: datetime) -> list[Step]:
    """Return the prices of a path from second 0 on: each day of UTC has that of its midnight."""
    first_s, last_s = (seconds_to(points[at][0], start) for at in (0, -1))
    midnight_s = -(start.hour * HOUR_S + start.minute * 60 + start.second)
    from_s = max(midnight_s + DAY_S, first_s)
    at_s = np.concatenate([[0], np.arange(from_s, last_s + 1, DAY_S)])
    return list(zip(at_s.tolist(), log_interpolated(points, start, at_s).tolist(), strict=True))


def value_at(figure: Figure, instant: datetime) -> float:
    """Return what a figure of the catalog is at an instant."""
    if not figure.points:
        return figure.value
    return float(log_interpolated(figure.points, instant, np.zeros(1))[0])


def from_start(base: float, series: Sequence[Step], surges: Iterable[Surge]) -> tuple[Step, ...]:
    """Return the prices from second 0 on: `base` until the series begins, all of it times the surges."""
    starts, prices = [second for second, _ in series], [base, *(price for _, price in series)]
    factors = _factors(surges)
    began = [second for second, _ in factors]
    changes = {0, *starts, *began}
    steps: list[Step] = []
    for second in sorted(change for change in changes if change >= 0):
        at = bisect_right(began, second)
        factor = factors[at - 1][1] if at else 1.0
        price = float(as_decimal(factor) * as_decimal(prices[bisect_right(starts, second)]))
        if not steps or price != steps[-1][1]:
            steps.append((second, price))
    return tuple(steps)


def _factors(surges: Iterable[Surge]) -> list[Step]:
    """Return the factor from each second on at which it changes; of surges that touch, the later one's."""
    factors: dict[int, float] = {}
    for surge in sorted(surges):
        factors |= {surge.from_s: surge.factor, surge.to_s: 1.0}
    return sorted(factors.items())
