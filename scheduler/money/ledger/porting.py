"""What it costs to port kinds of jobs to devices: once each, as the first of them starts there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from scheduler.run.parts import written_parts
from scheduler.scenario import PortSpec
from scheduler.stock.stock import Stock
from traces.arrays import rows_of


class Ported(NamedTuple):
    """A kind of job has been ported: charged where and when the first of them starts."""

    resource: str
    at_s: int
    usd: float


def ported(folder: Path, stock: Stock, specs: Sequence[PortSpec]) -> list[Ported]:
    """Return what was ported in a run, by its attempts, and costs something."""
    ports = [port for port in specs if port.port_usd]
    if not ports:
        return []
    jobs = pa.concat_tables([*written_parts(folder, "jobs", ["job_id", "kind"])])
    attempts = pa.concat_tables([*written_parts(folder, "attempts", ["job_id", "where", "alloc_s"])])
    row = rows_of(jobs.column("job_id").to_numpy(), attempts.column("job_id").to_numpy())
    kinds = jobs.column("kind").cast("string").take(pa.array(row)).to_pylist()
    devices = {pool.name: pool.device for pool in stock.pools}
    devices |= {offer.name: offer.device for offer in stock.offers}
    first: dict[tuple[str, str], tuple[int, str]] = {}
    where, alloc_s = (attempts.column(name).to_pylist() for name in ("where", "alloc_s"))
    for kind, place, second in zip(kinds, where, alloc_s, strict=True):
        key = kind, devices[place]
        first[key] = min(first.get(key, (second, place)), (second, place))
    started = ((first.get((port.kind, port.device)), port.port_usd) for port in ports)
    return [Ported(found[1], found[0], usd) for found, usd in started if found is not None]
