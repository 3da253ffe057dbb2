"""What of the weather, and of the terms of offers, befalls pools and offers in a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from scheduler.engine.storm.outages import Outage, OutageTable
from scheduler.replay.setup import Setup
from scheduler.stock.batches import FOR_EVER_S
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import OfferStock
from scheduler.weather.table import Weather
from traces.arrays import Array, filtered, is_word

BLOCK_NOTICE_S = 1_800
"""Instances of a block are stopped from 30 minutes before its end (AWS, vendor documents)."""
FOR_GOOD_S = 2**40


def outages_of(setup: Setup) -> OutageTable:
    """Return the rows of the weather for the engine, which are all but prices, in seconds of the trace.

    Pods have no weather while they are not there; offers are also away between their blocks, which comes
    first.
    """
    away = [row for at, offer in enumerate(setup.stock.offers) for row in _between_blocks(setup, at, offer)]
    outages = OutageTable.of(away)
    if setup.weather is None:
        return outages
    met = _met(setup.weather, setup.stock.names, setup.start_s)
    for at, pool in enumerate(setup.stock.pools):
        if pool.batches:
            met = _while_there(met, at, pod_spans(pool, setup.start_s))
    return outages.then(met)


def _met(weather: Weather, names: Sequence[str], start_s: int) -> OutageTable:
    table = filtered(weather.table, ~is_word(weather.table.column("what"), "price"))
    number = {name: at for at, name in enumerate(names)}

    def column(name: str) -> Array:
        values = table.column(name)
        filled: Array = values.fill_null(0).to_numpy()
        return filled

    what, where = (table.column(name).cast("string").to_numpy() for name in ("what", "where"))
    seconds = {name: start_s + column(name) for name in ("from_s", "to_s", "expected_s")}
    return OutageTable(
        **seconds,
        **{name: column(name).astype(np.int64) for name in ("pod", "first", "devices", "notice_s")},
        resource=np.array([number[name] for name in where], np.int64),
        what=what,
        value=column("value"),
    )


def pod_spans(pool: PoolStock, start_s: int) -> list[tuple[int, int]]:
    """Return by pod from when until when it is there."""
    return [batch.span(start_s, FOR_EVER_S) for batch in pool.batches for _ in range(batch.pods)]


def _while_there(outages: OutageTable, resource: int, spans: list[tuple[int, int]]) -> OutageTable:
    """Return what of the outages befalls the pods of a pool while they are there; those of others as well."""
    ours = np.flatnonzero(outages.resource == resource)
    came_s, left_s = np.array(spans, np.int64).reshape(-1, 2)[outages.pod[ours]].T
    from_s, to_s, notice_s = outages.from_s.copy(), outages.to_s.copy(), outages.notice_s.copy()
    from_s[ours], to_s[ours] = np.maximum(from_s[ours], came_s), np.minimum(to_s[ours], left_s)
    notice_s[ours] = np.minimum(notice_s[ours], from_s[ours] - came_s)
    cut = outages._replace(from_s=from_s, to_s=to_s, notice_s=notice_s)
    return cut.where((from_s < to_s) | (outages.resource != resource))


def _between_blocks(setup: Setup, at: int, offer: OfferStock) -> Iterator[Outage]:
    """Yield when an offer is away: before its first block, between them, and after the last one for good."""
    blocks, resource = offer.blocks, len(setup.stock.pools) + at
    ends = [setup.start_s, *(max(setup.start_s, block.to_s or 0) for block in blocks)]
    begins = [*(block.from_s or 0 for block in blocks), FOR_GOOD_S]
    for end_s, begin_s in zip(ends, begins, strict=True) if blocks else ():
        if end_s < begin_s:
            what, notice_s = ("reclaim", BLOCK_NOTICE_S) if end_s > setup.start_s else ("shortage", 0)
            yield Outage(end_s, begin_s, resource, 0, 0, offer.most_devices, what, notice_s, begin_s, 0.0)
