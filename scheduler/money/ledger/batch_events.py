"""What becomes of each batch of pods in a run, with what is paid then, into assets.parquet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from scheduler.money.ledger.holdings import Holding, holdings
from scheduler.money.ledger.rates import Owning
from scheduler.run.assets import AssetEvent, assets_table
from scheduler.run.parts import write_log
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import Stock


def write_assets(folder: Path, stock: Stock, owning: Owning, end_s: int, epoch: datetime) -> None:
    """Write what becomes of all batches up to `end_s`, where pods come and go at all."""
    if any(pool.batches for pool in stock.pools):
        write_log(folder, "assets", assets_table(batch_events(stock, owning, end_s), epoch))


def batch_events(stock: Stock, owning: Owning, end_s: int) -> list[AssetEvent]:
    """Return what becomes of all batches up to `end_s`."""
    return [event for pool in stock.pools if pool.batches for event in _of_pool(pool, owning, end_s)]


def _of_pool(pool: PoolStock, owning: Owning, end_s: int) -> Iterator[AssetEvent]:
    held = {each.batch: each for each in holdings(pool, owning, end_s)}
    for number, batch in enumerate(pool.batches):
        price_usd = batch.pods * batch.usd_per_pod
        if batch.ordered_s is not None and batch.ordered_s < end_s:
            yield AssetEvent(batch.ordered_s, pool.name, number, "ordered", batch.pods, 0.0, 0.0)
        if batch.delivered_s is not None and batch in held:
            yield AssetEvent(
                batch.delivered_s, pool.name, number, "delivered", batch.pods, price_usd, price_usd
            )
        if batch in held and held[batch].leaves:
            yield from _leaving(pool, number, held[batch])


def _leaving(pool: PoolStock, number: int, held: Holding) -> Iterator[AssetEvent]:
    batch, at_s = held.batch, held.to_s
    kw = batch.pods * pool.pod_devices * pool.busy_kw
    paid_usd, sold_usd = kw * batch.decommission_usd_per_kw, batch.pods * batch.resale_usd_per_pod
    event = "closed" if batch.closed else "retired"
    yield AssetEvent(at_s, pool.name, number, event, batch.pods, paid_usd, held.book_usd)
    if sold_usd:
        yield AssetEvent(at_s, pool.name, number, "sold", batch.pods, -sold_usd, 0.0)
