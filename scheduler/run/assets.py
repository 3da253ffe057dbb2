"""assets.parquet: a row for each batch of pods and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import pyarrow as pa

from traces.arrays import WORD
from traces.parquet import documented

EVENTS = ("ordered", "delivered", "retired", "closed", "sold")
"""In the order of a batch's life; it is retired, or closed with its pool."""

ASSETS = pa.schema(
    [
        documented("time_s", pa.int64(), "s", "from the epoch"),
        documented("date", pa.timestamp("ms", tz="UTC"), "", "the same as a date"),
        documented("pool", WORD, "", "whose pods they are"),
        documented("batch", pa.int32(), "", "number of the batch in its pool, from 0"),
        documented("event", WORD, "", "ordered, delivered, retired, closed or sold"),
        documented("pods", pa.int64(), "pod", "how many"),
        documented("usd", pa.float64(), "USD", "what is paid then; negative where they are sold"),
        documented("book_usd", pa.float64(), "USD", "book value of the pods as it happens"),
    ]
)


class AssetEvent(NamedTuple):
    """What becomes of a batch at a second."""

    time_s: int
    pool: str
    batch: int
    event: str
    pods: int
    usd: float
    book_usd: float


def assets_table(events: Iterable[AssetEvent], epoch: datetime) -> pa.Table:
    """Return events by time, then pool and batch in their own order."""
    rows = sorted(events, key=lambda event: (event.time_s, EVENTS.index(event.event)))
    columns = {name: [getattr(row, name) for row in rows] for name in AssetEvent._fields}
    columns["date"] = [epoch + timedelta(seconds=row.time_s) for row in rows]
    return pa.table({name: columns[name] for name in ASSETS.names}, schema=ASSETS)
