"""Drawn weather on its way into the table: intervals of one sort at one place, put together and in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.weather.table import WEATHER
from scheduler.weather.table_rules import WHATS, WeatherError
from traces.arrays import Floats, Ints, word_column

MOST_ROWS = 10**7


class Intervals(NamedTuple):
    """Intervals as columns of the table; a single value stands for all of them."""

    where: str
    what: str
    from_s: Ints
    to_s: Ints
    expected_s: Ints
    pod: int | Ints = -1
    """-1: none."""
    first: int | Ints = 0
    devices: int | Ints = 0
    notice_s: int = 0
    value: float | Floats = np.nan
    """NaN: none."""


def check_size(rows: int, where: str, what: str) -> None:
    """Raise WeatherError where the weather would have more rows than anyone could use."""
    if rows > MOST_ROWS:
        raise WeatherError(
            f"{where}: {what}: the weather has more than {MOST_ROWS:,} intervals: "
            "it must be rarer or coarser, or the horizon shorter"
        )


def table_of(pieces: Iterable[Intervals], until_s: int, places: Sequence[str]) -> pa.Table:
    """Return intervals as a table, cut at `until_s`, sorted by from_s, place, pod, first device and sort."""
    drawn: list[Intervals] = []
    total = 0
    for piece in pieces:
        total += len(piece.from_s)
        check_size(total, piece.where, piece.what)
        drawn.append(piece)
    codes = {name: at for at, name in enumerate(places)}
    columns = {name: _joined(drawn, name) for name in Intervals._fields if name not in ("where", "what")}
    columns["where"] = _repeated(drawn, [codes[piece.where] for piece in drawn])
    columns["what"] = _repeated(drawn, [WHATS.index(piece.what) for piece in drawn])
    rows = np.flatnonzero(columns["from_s"] < until_s)
    keys = [columns[name][rows] for name in ("what", "first", "pod", "where", "from_s")]
    rows = rows[np.lexsort(keys)]
    return _table({name: column[rows] for name, column in columns.items()}, until_s, tuple(places))


def _table(columns: Mapping[str, Ints | Floats], until_s: int, places: tuple[str, ...]) -> pa.Table:
    pod, value = columns["pod"], columns["value"]
    plain = ("from_s", "first", "devices", "notice_s", "expected_s")
    arrays = {name: pa.array(columns[name], WEATHER.field(name).type) for name in plain}
    arrays |= {
        "to_s": pa.array(np.minimum(columns["to_s"], until_s)),
        "where": word_column(columns["where"], places),
        "what": word_column(columns["what"], WHATS),
        "pod": pa.array(pod, pa.int32(), mask=pod < 0),
        "value": pa.array(value, mask=np.isnan(value)),
    }
    return pa.table([arrays[name] for name in WEATHER.names], schema=WEATHER)


def _joined(pieces: Sequence[Intervals], name: str) -> Ints | Floats:
    kind = np.float64 if name == "value" else np.int64
    arrays = [np.broadcast_to(getattr(piece, name), len(piece.from_s)) for piece in pieces]
    return np.concatenate([np.zeros(0, kind), *arrays])


def _repeated(pieces: Sequence[Intervals], codes: Sequence[int]) -> Ints:
    return np.repeat(np.array(codes, np.int64), [len(piece.from_s) for piece in pieces])
