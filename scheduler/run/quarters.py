"""A long run by quarters of the calendar: capacity, demand, waits and money, computed from its logs.

Of a quarter there are the jobs submitted in it, what was held and charged in it, and the releases and sales
that fall in it. Who had not started by the end counts with its wait so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.catalog import load_catalog
from scheduler.run.assets import ASSETS
from scheduler.run.directory import Run
from traces.arrays import Array, Bools, filtered, is_word
from traces.dated import months_later
from traces.step_function import over
from traces.times import DAY_S, HOUR_S, YEAR_S
from traces.trace import NO_VALUE

QuarterRow = dict[str, Any]
QUARTERS_FILE = "quarters.parquet"
_OWN_LINES = ("capital", "write_off", "resale", "decommission", "revenue")
"""Of the ledger: what is no running cost. Pods are paid on delivery."""
_LEAVES = ("retired", "closed")
_LEVELS = ("devices:", "pflops:")
_SUMS = ("rented_device_h:", "releases:")
RATES = (
    *("asked_device_h", "owned_device_h", "held_device_h", "rented_device_h", "jobs", "rejected"),
    *("rent_usd", "energy_usd", "operations_usd", "other_usd", "revenue_usd"),
)
"""What a month that stands for its quarter is multiplied for."""


class CalendarQuarter(NamedTuple):
    """A quarter of a calendar year, or what of it lies in a run."""

    name: str
    since: datetime
    until: datetime

    @property
    def days(self) -> float:
        """Its length."""
        return (self.until - self.since).total_seconds() / DAY_S


def calendar_quarters(start: datetime, end: datetime) -> list[CalendarQuarter]:
    """Return the quarters between two instants, UTC; the first and the last may be cut."""
    quarters, since = list[CalendarQuarter](), start.astimezone(UTC)
    while since < end:
        first = since.replace(month=since.month - (since.month - 1) % 3, day=1, hour=0, minute=0, second=0)
        until = min(months_later(first, 3), end)
        quarters.append(CalendarQuarter(f"{since.year}Q{(since.month + 2) // 3}", since, until))
        since = until
    return quarters


def quarters_of_run(run: Run) -> list[CalendarQuarter]:
    """Return the quarters in which a run lies."""
    return calendar_quarters(instant(run, run.start_s), instant(run, run.end_s))


def instant(run: Run, second: int) -> datetime:
    """Return a second of a run as a date, UTC."""
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"]).astimezone(UTC)
    return epoch + timedelta(seconds=second)


def measured(run: Run, edges_s: Sequence[int], peaks: Mapping[str, float]) -> list[QuarterRow]:
    """Return the figures of a run between seconds, a row a span.

    `peaks` are PFLOPS of a device of each pool, by which utilization weighs them.
    """
    edges = np.asarray(edges_s, np.int64)
    parts = _jobs(run, edges), _devices(run, edges, peaks), _spend(run, edges), _releases(run, edges)
    return [jobs | devices | spend | releases for jobs, devices, spend, releases in zip(*parts, strict=True)]


def peaks_of(run: Run) -> dict[str, float]:
    """Return the PFLOPS of a device of each pool at its peak, 1 where the catalog does not know it."""
    devices = load_catalog().devices
    peaks = {}
    for pool in run.description["pools"]:
        device = devices.get(pool["device"])
        peaks[pool["name"]] = float(device.peak_pflops) if device else 1.0
    return peaks


def weighted(row: QuarterRow, weight: float) -> QuarterRow:
    """Return the figures of a month for a quarter that is so many times as long."""
    return {
        name: value * weight if name in RATES or name.startswith(_SUMS) else value
        for name, value in row.items()
    }


def capital(events: pa.Table, epoch: datetime, quarters: Sequence[CalendarQuarter]) -> list[QuarterRow]:
    """Return what pods cost and bring as they come and go in each quarter, by `assets.parquet`."""
    at_s = events.column("time_s").to_numpy()
    event = events.column("event")
    delivered, resold, gone = (is_word(event, *each) for each in (["delivered"], ["sold"], _LEAVES))
    usd, book_usd = (events.column(name).to_numpy() for name in ("usd", "book_usd"))
    rows = list[QuarterRow]()
    for quarter in quarters:
        since_s, until_s = ((each - epoch).total_seconds() for each in (quarter.since, quarter.until))
        now = (at_s >= since_s) & (at_s < until_s)
        left = now & gone
        rows.append(
            {
                "purchases_usd": float(usd[now & delivered].sum()),
                "decommission_usd": float(usd[left].sum()),
                "resale_usd": 0.0 - float(usd[now & resold].sum()),
                "write_off_usd": float(book_usd[left].sum()),
            }
        )
    return rows


def with_cash(
    rows: Sequence[QuarterRow], quarters: Sequence[CalendarQuarter], rate: float
) -> list[QuarterRow]:
    """Return rows by quarter with what is paid, and that of all quarters so far at a discount rate a year."""
    whole, npv_usd, start = list[QuarterRow](), 0.0, quarters[0].since
    for row, quarter in zip(rows, quarters, strict=True):
        earned = row["revenue_usd"] + row["resale_usd"]
        spent = sum(row[f"{name}_usd"] for name in ("rent", "energy", "operations", "other"))
        cash_usd = earned - spent - row["purchases_usd"] - row["decommission_usd"]
        middle_s = (quarter.since - start).total_seconds() + quarter.days * DAY_S / 2
        npv_usd += cash_usd * (1 + rate) ** (-middle_s / YEAR_S)
        dates = {"quarter": quarter.name, "since": quarter.since, "until": quarter.until}
        whole.append(dates | row | {"cash_usd": cash_usd, "npv_usd": npv_usd})
    return whole


def rows_of_run(run: Run, peaks: Mapping[str, float], rate: float) -> list[QuarterRow]:
    """Return a run by quarters, with its cash at a discount rate a year; `peaks` as for `measured`."""
    quarters, epoch = quarters_of_run(run), instant(run, 0)
    edges_s = [round((each.since - epoch).total_seconds()) for each in quarters]
    rows = measured(run, [*edges_s, run.end_s], peaks)
    events = run.table("assets") if run.coming else ASSETS.empty_table()
    paid = capital(events, epoch, quarters)
    return with_cash([row | of for row, of in zip(rows, paid, strict=True)], quarters, rate)


def quarters_table(rows: Sequence[QuarterRow]) -> pa.Table:
    """Return rows as a table; what a quarter has nothing of is 0, what is not known null."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    absent = {name: 0 if name.startswith(_LEVELS + _SUMS) else None for name in names}
    return pa.Table.from_pylist([absent | row for row in rows])


def _within(at_s: Array, edges: Array) -> list[Bools]:
    return [np.asarray((at_s >= first) & (at_s < last)) for first, last in pairwise(edges)]


def _jobs(run: Run, edges: Array) -> list[QuarterRow]:
    jobs = run.table("jobs", ["submit_s", "gang", "runtime_s", "ready_s", "wait_s", "state", "kind"])
    jobs = jobs.filter(pc.invert(pc.starts_with(jobs.column("kind").cast("string"), "market.")))
    submit_s, gang, runtime_s, ready_s = (
        jobs.column(name).to_numpy().astype(np.int64) for name in ("submit_s", "gang", "runtime_s", "ready_s")
    )
    rejected = is_word(jobs.column("state"), "rejected")
    wait_s = pc.fill_null(jobs.column("wait_s"), NO_VALUE).to_numpy()
    so_far_s = np.where(wait_s == NO_VALUE, np.maximum(0, run.end_s - ready_s), wait_s)
    rows = list[QuarterRow]()
    for now in _within(submit_s, edges):
        waits = so_far_s[now & ~rejected]
        p50, p95 = np.percentile(waits, [50, 95]).tolist() if len(waits) else (None, None)
        asked_h = float((gang[now] * runtime_s[now]).sum()) / HOUR_S
        counts = {"jobs": int(now.sum()), "rejected": int((now & rejected).sum())}
        rows.append(counts | {"asked_device_h": asked_h, "wait_p50_s": p50, "wait_p95_s": p95})
    return rows


def _devices(run: Run, edges: Array, peaks: Mapping[str, float]) -> list[QuarterRow]:
    states = run.table("states")
    time_s = states.column("time_s").to_numpy()

    def hours(column: str) -> Array:
        level = states.column(column).to_numpy().astype(np.float64)
        return np.asarray(over(time_s, level, edges[:-1], edges[1:]) / HOUR_S)

    length_h = np.diff(edges) / HOUR_S
    owned_h = {
        name: hours(f"owned_{name}") if name in run.coming else devices * length_h
        for name, devices in run.pools.items()
    }
    held_h = {name: hours(f"busy_{name}") for name in run.pools}
    rented_h = {name: hours(f"rented_{name}") for name in run.offers}
    rows = list[QuarterRow]()
    for at, span_h in enumerate(length_h):
        there, used = (sum(each[name][at] * peaks[name] for name in run.pools) for each in (owned_h, held_h))
        row: QuarterRow = {f"devices:{name}": float(owned_h[name][at] / span_h) for name in run.pools}
        row |= {f"pflops:{name}": float(owned_h[name][at] * peaks[name] / span_h) for name in run.pools}
        row |= {f"rented_device_h:{name}": float(rented_h[name][at]) for name in run.offers}
        row |= {
            "owned_device_h": float(sum(each[at] for each in owned_h.values())),
            "held_device_h": float(sum(each[at] for each in held_h.values())),
            "rented_device_h": float(sum(each[at] for each in rented_h.values())),
            "owned_pflops": float(there / span_h),
            "utilization": float(used / there) if there else None,
        }
        rows.append(row)
    return rows


def _spend(run: Run, edges: Array) -> list[QuarterRow]:
    spend = run.table("spend", ["period_s", "resource", "line", "usd"])
    period_s, usd = spend.column("period_s").to_numpy(), spend.column("usd").to_numpy()
    line, rented = spend.column("line"), is_word(spend.column("resource"), *run.offers)
    revenue, energy, operations = (is_word(line, name) for name in ("revenue", "energy", "operations"))
    apart = is_word(line, *_OWN_LINES)
    rows = list[QuarterRow]()
    for now in _within(period_s, edges):
        other = now & ~(rented | energy | operations | apart)
        rows.append(
            {
                "rent_usd": float(usd[now & rented & ~revenue].sum()),
                "energy_usd": float(usd[now & energy].sum()),
                "operations_usd": float(usd[now & operations].sum()),
                "other_usd": float(usd[other].sum()),
                "revenue_usd": 0.0 - float(usd[now & revenue].sum()),
            }
        )
    return rows


def _releases(run: Run, edges: Array) -> list[QuarterRow]:
    rows = [dict[str, Any]() for _ in edges[1:]]
    if not run.has("loop"):
        return rows
    loop, hours = run.table("loop"), run.table("loop_hours")
    of_release, of_hour = (table.column("loop") for table in (loop, hours))
    for name in pc.unique(of_hour.cast("string")).to_pylist():
        theirs = filtered(loop, is_word(of_release, name))
        shipped_s = pc.fill_null(theirs.column("shipped_s"), NO_VALUE).to_numpy()
        road = filtered(hours, is_word(of_hour, name))
        per_mile, at_s = (road.column(column).to_numpy() for column in ("interventions_per_mile", "time_s"))
        spans = zip(rows, _within(shipped_s, edges), _within(at_s, edges), strict=True)
        for row, shipped, driven in spans:
            row[f"releases:{name}"] = int(shipped.sum())
            mean = float(per_mile[driven].mean()) if driven.any() else None
            row[f"interventions_per_mile:{name}"] = mean
    return rows
