"""The ledger: what the logged attempts, and the hours in which nothing ran, cost.

Owned pods cost capital, straight line over their life, and energy; both are charged to the job that holds
the devices, or else to `idle`. Rented devices cost their price for as long as they are billed: the work is
charged to the job, the rest to `boot` and `minimum`. So jobs, idle, boot and minimum add up to what the
pools and offers cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scheduler.resources import OfferResource, PoolResource, Resources
from scheduler.scenario import MoneySpec
from scheduler.schema import SPEND
from traces.parquet import write_batches

HOUR_S = 3_600
YEAR_S = 31_557_600
"""A Julian year."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Prices:
    """Rates in USD per device-second, and the billing rules, of the pools and offers of a run."""

    pools: tuple[PoolResource, ...]
    offers: tuple[OfferResource, ...]
    capital: Floats
    busy_energy: Floats
    idle_energy: Floats
    rent: Floats

    @classmethod
    def of(cls, stock: Resources, money: MoneySpec) -> Prices:
        """Derive the rates: capital / (devices x life); kW x PUE x price; price an hour / 3,600."""
        life_s = money.life_years * YEAR_S
        usd_per_kw_s = money.pue * money.usd_per_kwh / HOUR_S
        return cls(
            pools=stock.pools,
            offers=stock.offers,
            capital=np.array(
                [pool.capital_usd_per_pod / (pool.pod_devices * life_s) for pool in stock.pools]
            ),
            busy_energy=np.array([pool.busy_kw * usd_per_kw_s for pool in stock.pools]),
            idle_energy=np.array([pool.idle_kw * usd_per_kw_s for pool in stock.pools]),
            rent=np.array([offer.usd_per_device_h / HOUR_S for offer in stock.offers]),
        )

    def of_jobs(self, resource: Ints, devices: Ints, held_s: Ints, work_s: Ints) -> Floats:
        """Return what attempts cost their jobs: owned devices while held, rented ones while at work."""
        rate = np.concatenate([self.capital + self.busy_energy, self.rent])[resource]
        seconds = np.where(resource < len(self.pools), held_s, work_s)
        return np.asarray(rate * devices * seconds, np.float64)


def write_ledger(folder: Path, prices: Prices, pods: Mapping[str, int], end_s: int) -> None:
    """Price a run's attempts.parquet into spend.parquet; `pods` counts each pool's, `end_s` is its length."""
    out = folder / "spend.parquet"
    out.mkdir(exist_ok=True)
    write_batches(out / "part-00000.parquet", SPEND, _ledger(folder, prices, pods, end_s))


def _ledger(folder: Path, prices: Prices, pods: Mapping[str, int], end_s: int) -> Iterator[pa.Table]:
    busy = np.zeros(len(prices.pools), np.int64)
    for part in sorted((folder / "attempts.parquet").glob("part-*.parquet")):
        attempts = pq.read_table(part, columns=["job_id", "where", "devices", "alloc_s", "start_s", "end_s"])
        codes, names = _codes(attempts)
        device_s = _ints(attempts, "devices") * (_ints(attempts, "end_s") - _ints(attempts, "alloc_s"))
        for at, pool in enumerate(prices.pools):
            busy[at] += int(np.sum(device_s, where=codes == names[pool.name]))
        for offer, rate in zip(prices.offers, prices.rent, strict=True):
            yield _rented(attempts.filter(pa.array(codes == names[offer.name])), offer, float(rate))
    for at, pool in enumerate(prices.pools):
        idle = pods[pool.name] * pool.pod_devices * end_s - int(busy[at])
        yield _owned(pool.name, int(busy[at]), idle, prices, at)


def _codes(attempts: pa.Table) -> tuple[Ints, dict[str, int]]:
    """Return each attempt's resource as a code, and the code of each name; -1 for names not met."""
    where = attempts.column("where").unify_dictionaries()
    words = where.chunk(0).dictionary.to_pylist() if where.num_chunks else []
    codes = [np.asarray(chunk.indices, np.int64) for chunk in where.chunks]
    return np.concatenate([*codes, np.empty(0, np.int64)]), defaultdict(
        lambda: -1, zip(words, range(len(words)), strict=True)
    )


def _ints(table: pa.Table, name: str) -> Ints:
    return np.asarray(table.column(name).to_numpy(), np.int64)


def _rented(attempts: pa.Table, offer: OfferResource, rate: float) -> pa.Table:
    """One row an attempt and line: work, boot (and staging), and what billing rounds up."""
    alloc, end = _ints(attempts, "alloc_s"), _ints(attempts, "end_s")
    start = np.asarray(pc.coalesce(attempts.column("start_s"), attempts.column("end_s")), np.int64)
    steps = -(-(end - alloc) // offer.billing_step_s) * offer.billing_step_s
    seconds = {
        "on_demand": end - start,
        "boot": start - alloc,
        "minimum": np.maximum(steps, offer.minimum_s) - (end - alloc),
    }
    lines = []
    for line, billed in seconds.items():
        some = billed > 0
        device_s = (billed * _ints(attempts, "devices"))[some]
        job_ids = attempts.column("job_id").filter(pa.array(some))
        lines.append(_rows(offer.name, line, job_ids, device_s, rate))
    return pa.concat_tables(lines)


def _owned(name: str, busy: int, idle: int, prices: Prices, at: int) -> pa.Table:
    """Four rows a pool: capital and energy of the hours that jobs held, and of the idle ones."""
    lines = (
        ("capital", busy, prices.capital[at]),
        ("energy", busy, prices.busy_energy[at]),
        ("idle_capital", idle, prices.capital[at]),
        ("idle_energy", idle, prices.idle_energy[at]),
    )
    nobody = pa.nulls(1, pa.int64())
    return pa.concat_tables(
        _rows(name, line, nobody, np.array([device_s]), float(rate)) for line, device_s, rate in lines
    )


def _rows(name: str, line: str, job_ids: pa.Array, device_s: Ints, rate: float) -> pa.Table:
    word = np.zeros(len(device_s), np.int32)
    return pa.table(
        {
            "resource": pa.DictionaryArray.from_arrays(word, pa.array([name])),
            "line": pa.DictionaryArray.from_arrays(word, pa.array([line])),
            "job_id": job_ids,
            "device_h": device_s / HOUR_S,
            "usd": device_s * rate,
        },
        schema=SPEND,
    )
