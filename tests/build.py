"""Small traces, scenarios and runs for tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from scheduler.catalog import Catalog
from scheduler.catalog.models import Device, Offer
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.scenario import Scenario, parse_scenario
from traces.trace import ANY_DEVICE, Trace

_DEFAULTS = {
    "workload": "other",
    "kind": "other",
    "owner": "unknown",
    "queue": "unknown",
    "priority": 0,
    "residency": "any",
    "input_tb": 0.0,
    "output_tb": 0.0,
}
"""What the trace assumes of an absent column, for rows that leave it out where others give it; else null."""

Row = dict[str, Any]


def job(submit_s: int, runtime_s: int, gang: int, **more: Any) -> Row:
    """A row of a trace: `more` are other columns; the estimate is exact where it is not given.

    `after` may be the number of one job.
    """
    row = {"submit_s": submit_s, "runtime_s": runtime_s, "gang": gang, "estimate_s": runtime_s} | more
    if isinstance(row.get("after"), int):
        row["after"] = [row["after"]]
    return row


def trace(*rows: Row, reference_device: str = ANY_DEVICE, epoch: str = "1970-01-01") -> Trace:
    """A trace of rows made by `job`, in order of submission; job_id counts from 0."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name, _DEFAULTS.get(name)) for row in rows] for name in names}
    return Trace.from_columns(columns, reference_device=reference_device, epoch=datetime.fromisoformat(epoch))


def pool(devices: int, pods: int = 1, *, name: str = "own", device: str = "unit", **more: Any) -> Row:
    """So many pods of so many devices, which draw power but cost no capital unless `more` says so."""
    return {"name": name, "pods": pods, "device": device, "devices": devices, **more}


def offer(name: str, quota: int = 100, *, key: str = "plain", **more: Any) -> Row:
    """An offer of `CATALOG`, with its quota."""
    return {"name": name, "offer": key, "quota": quota, **more}


def scenario(
    pools: Iterable[Row] = (), offers: Iterable[Row] = (), *, policy: Row | None = None, **more: Any
) -> Scenario:
    """A scenario of pools and offers; what `policy` leaves open takes its default."""
    raw = {"name": "test", "pools": list(pools), "offers": list(offers), "policy": policy or {}, **more}
    return parse_scenario(raw)


def run(of: Scenario, over: Trace, folder: Path, catalog: Catalog | None = None) -> Run:
    """Replay the trace; offers and devices are those of `CATALOG` unless another is given."""
    return replay(Setup.of(of, over, catalog or CATALOG), folder)


def rows(of: Run, log: str, *columns: str) -> list[tuple[Any, ...]]:
    """The named columns of a log, plain values in order of job_id; None for null."""
    table = of.table(log)
    if "job_id" in table.column_names:
        table = table.sort_by("job_id")
    return list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))


def _offer(key: str, device: str = "unit", **more: Any) -> Offer:
    """By default 3.6 USD an hour, that is 0.001 USD a second, by the device, at once and to the second."""
    terms: Row = {
        "sizes": (1,),
        "usd_per_device_h": 3.6,
        "boot_s": 0,
        "billing_step_s": 1,
        "minimum_s": 0,
        "egress_usd_per_gb": 0.0,
        "staging_gbps": 8_000.0,  # 1 s a TB
    }
    return Offer(key=key, figures={}, provider="test", region="test", device=device, **terms | more)


def _device(key: str, peak_pflops: float) -> Device:
    return Device(
        key=key,
        figures={},
        name=key,
        family="test",
        peak_pflops=peak_pflops,
        memory_gb=1.0,
        busy_kw=3.6,  # 0.001 kWh a second
        idle_kw=0.36,
        mfu={"default": 0.5},
    )


CATALOG = Catalog(
    devices={key: _device(key, peak) for key, peak in {"unit": 1.0, "double": 2.0}.items()},
    pods={},
    offers={
        "plain": _offer("plain"),
        "nodes": _offer("nodes", sizes=(8,)),
        "minutes": _offer("minutes", billing_step_s=60),
        "double": _offer("double", "double"),
        "sizes": _offer("sizes", sizes=(1, 2, 8), usd_per_device_h_by_size={1: 7.2}),
    },
    sources={},
)
"""A device, one twice as fast, and offers of round terms."""
