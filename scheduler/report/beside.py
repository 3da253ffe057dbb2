"""Two runs of the same jobs side by side, as one in bad weather and one in fair."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scheduler.report.summary import duration, late, numbers, slowdown, worked
from scheduler.run.directory import Run
from scheduler.run.goodput import Held
from scheduler.run.metrics import percentiles, utilization
from traces.arrays import Array
from traces.tables import table
from traces.times import HOUR_S

Figure = tuple[str, float, Callable[[float], str]]
"""(name, value, how it is written)."""


def beside(run: Run, other: Run) -> str:
    """Render the figures of a run, those of another, and what the run has more."""
    rows = [
        [name, write(ours), write(theirs), _signed(ours - theirs, write)]
        for (name, ours, write), (_, theirs, _) in zip(_figures(run), _figures(other), strict=True)
    ]
    header = [f"beside {other.folder.name}", run.folder.name, other.folder.name, "difference"]
    return table(header, rows, numbers=(1, 2, 3))


def _figures(run: Run) -> list[Figure]:
    held = Held(run)
    jobs = worked(run, held)
    wait_s = numbers(jobs, "wait_s")
    p50, p95, _ = percentiles(wait_s[~np.isnan(wait_s)])
    total_usd, rented_usd = _spent(run)
    kept_h = _kept_reference_h(held, jobs.column("job_id").to_numpy(), jobs.column("gang").to_numpy())
    slow = slowdown(jobs)
    devices = sum(run.pools.values())
    owned = ~held.rented
    return [
        ("jobs finished", run.description["jobs"]["finished"], _count),
        ("jobs killed", run.description["jobs"]["killed"], _count),
        ("wait p50", p50, duration),
        ("wait p95", p95, duration),
        ("slowdown mean", slow.mean() if len(slow) else np.nan, _cents),
        ("utilization", utilization(int(held.held[owned].sum()), devices, run.end_s), _share),
        ("goodput", utilization(int(held.kept[owned].sum()), devices, run.end_s), _share),
        ("burst device-hours", numbers(jobs, "burst_s").sum() / HOUR_S, _count),
        ("deadlines missed", late(jobs, run.end_s)[0], _count),
        ("USD", total_usd, _count),
        ("USD rented", rented_usd, _count),
        ("USD per kept device-hour", total_usd / kept_h if kept_h else np.nan, _cents),
    ]


def _spent(run: Run) -> tuple[float, float]:
    """Return all that was spent in USD, and what of it on offers."""
    spend = run.table("spend", ["resource", "line", "usd"])
    line, resource = (np.array(spend.column(name).to_pylist(), str) for name in ("line", "resource"))
    usd = spend.column("usd").to_numpy() * (line != "revenue")
    return float(usd.sum()), float(usd[np.isin(resource, run.offers)].sum())


def _kept_reference_h(held: Held, job_id: Array, gang: Array) -> float:
    """Return the hours of reference devices to which the work that counts comes, wherever it was done."""
    kept_s = held.kept_s * held.counts * gang[np.searchsorted(job_id, held.job_id)].astype(np.int64)
    return int(kept_s.sum()) / HOUR_S


def _signed(value: float, write: Callable[[float], str]) -> str:
    """Write a difference with its sign, and none as nothing."""
    return ("+" if value > 0 else "-" if value < 0 else "") + write(abs(value))


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _cents(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:,.2f}"


def _share(value: float) -> str:
    return f"{value:.1%}"
