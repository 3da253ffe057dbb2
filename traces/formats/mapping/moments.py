"""Dates and times as logs write them, in the zone of their site, as seconds from 1970 in UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools, Floats
from traces.formats.reader import LATEST_UNIX_S

_LOCAL = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"
_ZONED = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$"
_WRITTEN = (
    *("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"),
    *("%b %d %H:%M:%S %Y", "%b %d %H:%M %Y", "%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S %Z"),
)
"""Beside ISO 8601; what could be read in two ways, as 03/01/2026, only where a mapping gives its format."""
_STEP_S = 900
"""No zone has changed its offset within a quarter of an hour since 1972."""


class Moments(NamedTuple):
    """Seconds from 1970, NaN for no moment."""

    second: Floats
    later_s: Floats
    """How much later a local time may be that stands twice, as clocks went back; else 0."""
    skipped: Bools
    """Local times that clocks going forward left out."""


def as_moments(
    text: pa.StringArray, zone: tzinfo, formats: Sequence[str] = (), year: int | None = None
) -> Moments:
    """Return texts as moments, in `zone` where they name none; of two such moments the earlier.

    Beside ISO 8601 they may be in `formats`; those without a year are in `year`, if it is known.
    """
    given = pc.not_equal(text, "")
    local = _cast(text, given, pa.timestamp("us"))  # quick where all are alike
    zoned = np.full(len(text), np.nan)
    if np.isnan(local[given.to_numpy(zero_copy_only=False)]).any():
        local = _cast(text, pc.match_substring_regex(text, _LOCAL), pa.timestamp("us"))
        zoned = _cast(text, pc.match_substring_regex(text, _ZONED), pa.timestamp("us", "UTC"))
    others = np.isnan(local) & np.isnan(zoned) & given.to_numpy(zero_copy_only=False)
    if others.any():
        encoded = text.filter(pa.array(others)).dictionary_encode()
        pairs = np.array(
            [_written(word, formats, year) for word in encoded.dictionary.to_pylist()], np.float64
        )
        local[others], zoned[others] = pairs.reshape(-1, 2)[np.asarray(encoded.indices)].T
    second, later_s, skipped = _in_utc(local, zone)
    second = np.where(np.isnan(local), zoned, second)
    second[~((second >= 0) & (second < LATEST_UNIX_S))] = np.nan
    return Moments(second, later_s, skipped)


def _cast(text: pa.StringArray, fits: pa.BooleanArray, kind: pa.DataType) -> Floats:
    """Return the texts that fit as seconds, NaN for all where one is none."""
    try:
        values = pc.if_else(fits, text, None).cast(kind).cast(pa.int64())
    except pa.ArrowInvalid:  # as 2017-02-31
        return np.full(len(text), np.nan)
    return np.array(values.cast(pa.float64()).fill_null(np.nan)) / 1e6


def _written(word: str, formats: Sequence[str], year: int | None) -> tuple[float, float]:
    """Return (local second, NaN) or (NaN, second in UTC) of a moment; two NaN where it is none."""
    moment = _parsed(word, (*formats, *_WRITTEN))
    if moment is None and year is not None:
        moment = _parsed(f"{word} {year}", _WRITTEN)
    if moment is None:
        return math.nan, math.nan
    try:
        second = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (OverflowError, ValueError):
        return math.nan, math.nan
    return (math.nan, second) if moment.tzinfo else (second, math.nan)


def _parsed(word: str, formats: Sequence[str]) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(word)
    for form in formats:
        with suppress(ValueError):
            return datetime.strptime(word, form)
    return None


def _in_utc(local: Floats, zone: tzinfo) -> tuple[Floats, Floats, Bools]:
    known = np.where((local >= 0) & (local < LATEST_UNIX_S), local, 0)
    steps, place = np.unique(np.floor(known / _STEP_S).astype(np.int64), return_inverse=True)
    first, second = (_offsets(steps, zone, fold)[place] for fold in (0, 1))
    return local - first, np.maximum(first - second, 0), (second > first) & ~np.isnan(local)


def _offsets(steps: np.ndarray[tuple[int], np.dtype[np.int64]], zone: tzinfo, fold: int) -> Floats:
    """Return the offset from UTC, in seconds, at each quarter of an hour of local time."""
    start = datetime(1970, 1, 1)
    offsets = [
        zone.utcoffset((start + timedelta(seconds=step * _STEP_S)).replace(fold=fold))
        for step in steps.tolist()
    ]
    return np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])
