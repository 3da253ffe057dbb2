"""How often and how long things go wrong, what share of device-time is left, and the factors on prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scheduler.weather.table import Weather
from scheduler.weather.table_rules import NODES, OWNED, WHATS, column, is_in, values
from traces.arrays import Ints


class Happening(NamedTuple):
    """All rows of one sort at one place."""

    where: str
    what: str
    times: int
    length_s: int
    """Together."""
    device_s: int
    """Out of service, together; those out for two reasons are counted twice."""


class Factors(NamedTuple):
    """The factors on a price, from second 0 to the end of the weather; 1 where none is drawn."""

    least: float
    mean: float
    most: float


def happenings(weather: Weather) -> Iterator[Happening]:
    """Yield what happens, by place and sort; prices are no happenings."""
    table = weather.table
    length_s, devices = column(table, "to_s") - column(table, "from_s"), column(table, "devices")
    sorts = {what: is_in(table, "what", (what,)) for what in WHATS if what != "price"}
    for where in weather.devices:
        at_place = is_in(table, "where", (where,))
        for what, sort in sorts.items():
            rows = at_place & sort
            if rows.any():
                device_s = int(np.dot(length_s[rows], devices[rows]))
                yield Happening(where, what, int(rows.sum()), int(length_s[rows].sum()), device_s)


def availability(weather: Weather, where: str) -> float:
    """Return the share of device-time in which devices are in service; 1 where there are none."""
    whole = weather.devices[where] * weather.until_s
    return 1 - _down_device_s(weather, where) / whole if whole else 1.0


def factors(weather: Weather, where: str) -> Factors | None:
    """Return the factors of a price, or None where it has none."""
    table = weather.table
    rows = is_in(table, "where", (where,)) & is_in(table, "what", ("price",))
    if not rows.any():
        return None
    length_s, factor = (column(table, "to_s") - column(table, "from_s"))[rows], values(table)[rows]
    rest_s = weather.until_s - int(length_s.sum())
    mean = (float(np.dot(length_s, factor)) + rest_s) / weather.until_s
    met = np.append(factor, 1.0) if rest_s else factor
    return Factors(float(met.min()), mean, float(met.max()))


def _down_device_s(weather: Weather, where: str) -> int:
    """Device-seconds out of service, each once: the union of rectangles of time and device numbers.

    Device numbers are cut wherever a row begins or ends. In each piece, by time, a row adds what goes beyond
    the latest end so far.
    """
    table = weather.table
    rows = is_in(table, "where", (where,)) & is_in(table, "what", OWNED + NODES)
    if not rows.any():
        return 0
    from_s, to_s, first, devices, pod = (
        column(table, name)[rows] for name in ("from_s", "to_s", "first", "devices", "pod")
    )
    low = (pod + 1) * int((first + devices).max()) + first
    cuts = np.unique(np.concatenate([low, low + devices]))
    start, end = np.searchsorted(cuts, low), np.searchsorted(cuts, low + devices)
    row = np.repeat(np.arange(len(low)), end - start)
    piece = _ranges(start, end - start)
    order = np.lexsort((from_s[row], piece))
    row, piece = row[order], piece[order]
    apart = piece - piece[0]
    begins = from_s[row] + apart * weather.until_s
    ends = to_s[row] + apart * weather.until_s
    latest = np.concatenate([[0], np.maximum.accumulate(ends)[:-1]])
    added = np.maximum(0, ends - np.maximum(begins, latest))
    return int(np.dot(added, np.diff(cuts)[piece]))


def _ranges(start: Ints, lengths: Ints) -> Ints:
    """Return start, start + 1, ... for so many numbers, one range after the other."""
    return np.asarray(np.arange(lengths.sum()) + np.repeat(start - (np.cumsum(lengths) - lengths), lengths))
