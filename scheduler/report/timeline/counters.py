"""What a timeline counts: levels over time, as the run logged them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.run.directory import Run
from scheduler.run.spend import sums
from traces.arrays import Array, Ints
from traces.times import HOUR_S


class Counter(NamedTuple):
    """A step function: `value[i]` holds from `time_s[i]` on."""

    name: str
    unit: str
    time_s: Ints
    value: Array


def counters(run: Run) -> list[Counter]:
    """Return the queue, the devices held and out of service, and the mean spend and power of each period.

    Spend and power are those of the ledger, whose charge periods are hours or days; revenue is left out, and
    offers draw no power of one's own.
    """
    states = run.table("states")
    time_s = states.column("time_s").to_numpy()
    units = {"queued_jobs": "jobs"}
    levels = [
        Counter(name.replace("_", " ", 1), units.get(name, "devices"), time_s, states.column(name).to_numpy())
        for name in sorted(states.column_names, key=lambda name: not name.startswith("queued"))
        if name != "time_s"
    ]
    return [_changes(level) for level in levels] + _of_periods(run)


def _changes(level: Counter) -> Counter:
    """Leave out the instants at which it stays as it is."""
    changes = np.append(True, np.diff(level.value) != 0)[: len(level.value)]
    return level._replace(time_s=level.time_s[changes], value=level.value[changes])


def _of_periods(run: Run) -> list[Counter]:
    spend = run.table("spend", ["period_s", "line", "quantity", "usd"])
    starts = np.unique(spend.column("period_s").to_numpy())
    hours = np.diff(np.append(starts, run.end_s)) / HOUR_S
    usd, kwh = np.zeros(len(starts)), np.zeros(len(starts))
    for row in sums(spend, ["period_s", "line"], ["quantity", "usd"]):
        at = np.searchsorted(starts, row["period_s"])
        usd[at] += row["usd"] * (row["line"] != "revenue")
        kwh[at] += row["quantity"] * (row["line"] == "energy")
    found = hours > 0
    return [
        Counter("spend", "USD/h", starts[found], usd[found] / hours[found]),
        Counter("power", "kW", starts[found], kwh[found] / hours[found]),
    ]
