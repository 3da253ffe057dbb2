"""A year of hourly values from a CSV file: what electricity costs, or gives off, hour by hour.

The year repeats for ever by hour of the year, and 29 February is as the 28th.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from math import isfinite, nan
from pathlib import Path

import numpy as np

from scheduler.scenario import SeriesFile
from scheduler.stock.price_series import HIGHEST, PriceError
from traces.arrays import Floats
from traces.errors import cannot_read, first_line
from traces.files import read_bytes
from traces.times import HOUR_S

YEAR_HOURS = 8_760
TIME = "hour_utc"
UNITS = {"_per_mwh": 1_000, "_per_kwh": 1}
"""What the name of a column of values may end in, and how many kWh that is."""
LARGEST_BYTES = 1 << 25


def read_hours(file: SeriesFile) -> tuple[float, ...]:
    """Return the values per kWh of the 8,760 hours of a year, from 1 January, 00:00 UTC on.

    The file, which may be compressed by gzip, has a row an hour, in order, that begins in it: 8,760 of them,
    or 8,784 in a leap year, whose 29 February counts only where the file has no such hour of the 28th. They
    may begin at any hour. Raises PriceError, also for a blank or a missing hour, unless the file is to be
    filled.
    """
    path = file.csv
    unit_kwh = next((kwh for ending, kwh in UNITS.items() if file.column.endswith(ending)), None)
    if unit_kwh is None:
        raise PriceError(f'{path}: column "{file.column}": its name must end in {" or ".join(UNITS)}')
    try:
        rows = csv.DictReader(StringIO(_text(path), newline=""))
        values = _year([*_rows(rows, path, file.column)], file)
    except OSError as error:
        raise PriceError(cannot_read(path, error)) from None
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
        raise PriceError(f"{path}: not CSV: {first_line(error)}") from None
    return tuple((values * (file.factor / unit_kwh)).tolist())


def _text(path: Path | str) -> str:
    packed = read_bytes(path, LARGEST_BYTES)
    if packed[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=BytesIO(packed)) as file:
            packed = file.read(LARGEST_BYTES)
    return packed.decode("utf-8-sig")


def _rows(rows: csv.DictReader[str], path: str, column: str) -> Iterator[tuple[datetime, float]]:
    """Yield the hour and the value of each row, NaN where it is blank."""
    columns = rows.fieldnames or []
    if TIME not in columns or column not in columns:
        missing = TIME if TIME not in columns else column
        raise PriceError(f'{path}: line 1: no column "{missing}"')
    for row in rows:
        try:
            yield _hour(row[TIME]), _value(row[column], column)
        except ValueError as error:
            raise PriceError(f"{path}: line {rows.line_num}: {error}") from None


def _hour(text: str | None) -> datetime:
    try:
        hour = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise ValueError(f"{TIME}: must be ISO 8601, as 2022-01-01T06:00Z") from None
    hour = hour.astimezone(UTC) if hour.tzinfo else hour.replace(tzinfo=UTC)
    if hour.minute or hour.second or hour.microsecond:
        raise ValueError(f"{TIME}: must be a full hour")
    return hour


def _value(text: str | None, column: str) -> float:
    if not (text or "").strip():
        return nan
    try:
        value = float(text or "")
    except ValueError:
        value = nan
    if not isfinite(value) or abs(value) > HIGHEST:
        raise ValueError(f"{column}: must be a number")
    return value


def _year(rows: list[tuple[datetime, float]], file: SeriesFile) -> Floats:
    """Return the values by hour of the year."""
    path, column = file.csv, file.column
    if not rows:
        raise PriceError(f"{path}: no rows")
    first, last = rows[0][0], rows[0][0] - timedelta(hours=1)
    known = np.full(YEAR_HOURS + 24, nan)
    for hour, value in rows:
        if hour <= last:
            raise PriceError(f"{path}: {hour:%Y-%m-%dT%H:%M}Z: must be later than the row before")
        at = int((hour - first).total_seconds()) // HOUR_S
        if at >= len(known):
            raise PriceError(f"{path}: {hour:%Y-%m-%dT%H:%M}Z: is more than a year after the first row")
        known[at], last = value, hour
    length = int((_a_year_on(first) - first).total_seconds()) // HOUR_S
    if not np.isnan(known[length:]).all():
        raise PriceError(f"{path}: must have a year of hours, {length:,}")
    return _by_hour_of_year(first, _filled(first, known[:length], path, column, file.fill))


def _a_year_on(first: datetime) -> datetime:
    return first.replace(year=first.year + 1, day=28 if (first.month, first.day) == (2, 29) else first.day)


def _filled(first: datetime, known: Floats, path: str, column: str, fill: str | None) -> Floats:
    """Return the values with that of the hour before in place of each that is missing."""
    blank = np.isnan(known)
    if not blank.any():
        return known
    if fill is None or blank[0]:
        hour = first + timedelta(hours=int(np.flatnonzero(blank)[0]))
        allowed = "" if fill else '; fill = "previous" takes that of the hour before'
        raise PriceError(f"{path}: {column}: no value for {hour:%Y-%m-%dT%H:%M}Z{allowed}")
    return known[np.maximum.accumulate(np.where(blank, 0, np.arange(len(known))))]


def _by_hour_of_year(first: datetime, values: Floats) -> Floats:
    """Put the values in order of the year; those of 29 February count where the 28th has none."""
    ordered = np.full(YEAR_HOURS, nan)
    for at, value in enumerate(values):
        hour = first + timedelta(hours=at)
        place = hour_of_year(hour)
        if (hour.month, hour.day) != (2, 29) or np.isnan(ordered[place]):
            ordered[place] = value
    return ordered


def hour_of_year(hour: datetime) -> int:
    """Return the number of an hour in a year of 365 days; 29 February is as the 28th."""
    day = 28 if (hour.month, hour.day) == (2, 29) else hour.day
    return int((datetime(2001, hour.month, day) - datetime(2001, 1, 1)).days) * 24 + hour.hour
