"""The tables of a page: the figures of all of a run, as its summary and its ledger have them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from scheduler.report.executions import plain
from scheduler.run.directory import Run
from scheduler.run.levels import DeviceLevels
from scheduler.run.spend import spend_figures
from scheduler.why.causes import MEANINGS, Cause
from traces.arrays import combinations
from traces.numbers import (
    count,
    count_of,
    difference,
    duration,
    hours,
    minute,
    percent,
    rounded_usd,
    share_of,
)
from traces.tables import TableCells
from traces.times import HOUR_S

MOST_BURSTS = 20


def cards(levels: DeviceLevels, together: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return what a run came to in a few figures: what each is, and how it reads."""
    run, spend = levels.run, spend_figures(levels.run)
    found = [
        ("of the owned devices busy", percent(levels.utilization(), 0) if run.pools else ""),
        ("half of the work waited so long or longer", duration(together["waited_by_work_p50_s"])),
        ("a tenth of the work waited so long or longer", duration(together["waited_by_work_p90_s"])),
        ("deadlines missed", count_of(together["missed"], together["deadlines"])),
        ("jobs worked on rented devices", count(together["bursting_jobs"])),
        ("USD spent", rounded_usd(spend["usd_total"])),
        ("of it for rent", share_of(spend["usd_rent"], spend["usd_total"])),
    ]
    return [(what, value) for what, value in found if value]


def causes(sums: Mapping[Cause, Mapping[str, int]]) -> TableCells:
    """Return the device-hours of waiting by cause and workload, and what each cause means."""
    waited = {cause: row for cause, row in sums.items() if cause != Cause.DEPENDENCY}
    names = sorted({name for row in sums.values() for name in row})
    total = sum(sum(row.values()) for row in waited.values())
    rows = [
        [
            cause.word,
            *(hours(row.get(name, 0)) for name in names),
            hours(sum(row.values())),
            share_of(sum(row.values()), total),
            MEANINGS[cause],
        ]
        for cause, row in waited.items()
    ]
    header = ["cause", *names, "all", "share", "meaning"]
    return TableCells(header, rows, range(1, len(names) + 3))


def causes_beside(
    ours: Mapping[Cause, Mapping[str, int]], theirs: Mapping[Cause, Mapping[str, int]], names: tuple[str, str]
) -> TableCells:
    """Return the device-hours of waiting of two runs by cause, and what the first has more."""
    one, two = names
    both = [cause for cause in Cause if cause != Cause.DEPENDENCY and (cause in ours or cause in theirs)]
    waited = [[sum(sums.get(cause, {}).values()) for sums in (ours, theirs)] for cause in both]
    heads = [cause.word for cause in both]
    if both:
        waited.append([sum(column) for column in zip(*waited, strict=True)])
        heads.append("all")
    rows = [
        [head, hours(mine), hours(other), difference(mine - other, hours)]
        for head, (mine, other) in zip(heads, waited, strict=True)
    ]
    return TableCells(["device-hours waited", one, two, "difference"], rows, (1, 2, 3))


def bursts(run: Run, attempts: pa.Table) -> TableCells:
    """Return the jobs that were charged most for rented devices."""
    where = attempts.column("where").cast(pa.string()).to_numpy()
    ours = attempts.filter(pa.array(np.isin(where, run.offers)))
    first, number = combinations([ours.column("job_id")])
    held = {name: ours.column(name).to_numpy() for name in ("alloc_s", "end_s", "devices", "spend_usd")}
    held_s = (held["end_s"] - held["alloc_s"]) * held["devices"].astype(np.int64)
    device_h, usd = (np.bincount(number, column, len(first)) for column in (held_s, held["spend_usd"]))
    most = np.argsort(-usd, kind="stable")[:MOST_BURSTS]
    told = plain(ours.take(pa.array(first[most])), ["label", "kind", "owner", "gang", "where", "alloc_s"])
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    told["gang"] = [count(gang) for gang in told["gang"]]
    told["alloc_s"] = [minute(epoch + timedelta(seconds=second)) for second in told["alloc_s"]]
    told["held"] = [count(each / HOUR_S) for each in device_h[most]]
    told["usd"] = [count(each) for each in usd[most]]
    header = ["job", "kind", "owner", "gang", "rented of", "first rented", "device-h held", "USD"]
    return TableCells(header, [[*row] for row in zip(*told.values(), strict=True)], (3, 6, 7))
