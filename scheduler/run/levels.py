"""Logs as levels over time: how many devices were held, in each step, by whom and on which pod.

A level is a step function, as in states.parquet, and what is given for a step of time is its mean there:
areas stay true however wide the steps are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scheduler.run.capacity import owned_device_s
from scheduler.run.directory import Run
from scheduler.run.metrics import device_seconds, utilization
from traces.arrays import Array
from traces.step_function import by_cell, from_changes, means
from traces.times import HOUR_S

if TYPE_CHECKING:
    import pandas as pd


DAY_H = 24


class DeviceLevels:
    """Devices held and out of service in a part of a run, in device-seconds, exactly; by default in all.

    Only the sums are kept: the levels of a million jobs are 80 MB.
    """

    def __init__(self, run: Run, window: tuple[int, int] | None = None) -> None:
        self.run = run
        self.start_s, self.end_s = window or (run.start_s, run.end_s)
        held = [f"busy_{pool}" for pool in run.pools] + [f"rented_{offer}" for offer in run.offers]
        columns = [*held, *(f"down_{pool}" for pool in run.pools)]
        states = run.table("states", ["time_s", *columns])
        time_s = states.column("time_s").to_numpy()
        self._area: dict[str, int] = {}
        self._most: dict[str, int] = {}
        for column in columns:
            level = states.column(column).to_numpy()
            self._area[column] = device_seconds(time_s, level, self.end_s, self.start_s)
            self._most[column] = int(level.max(initial=0))

    def held_s(self, name: str) -> int:
        """Return what was held of a pool or an offer, booting included."""
        return self._area[f"{'busy' if name in self.run.pools else 'rented'}_{name}"]

    def down_s(self, pool: str) -> int:
        """Return what was out of service of a pool."""
        return self._area[f"down_{pool}"]

    def most_rented(self, offer: str) -> int:
        """Return the most devices of an offer that were held at once, in all of the run."""
        return self._most[f"rented_{offer}"]

    def utilization(self, *pools: str) -> float:
        """Return the share held of what there is of some pools together, by default of all."""
        pools = pools or tuple(self.run.pools)
        return self.share(sum(map(self.held_s, pools)), *pools)

    def share(self, device_s: int, *pools: str) -> float:
        """Return device-seconds as a share of those that there are of some pools, by default of all."""
        if not (pools or self.run.pools):
            return 0.0
        return utilization(device_s, owned_device_s(self.run, *pools, window=(self.start_s, self.end_s)))


def dates(run: Run, time_s: Array) -> Array:
    """Return instants of a run as dates, UTC."""
    epoch = np.datetime64(run.description["trace"]["epoch"].removesuffix("+00:00"), "s")
    return np.asarray(epoch + np.asarray(time_s, np.int64))


def steps(start_s: int, end_s: int, step_s: int) -> Array:
    """Return the edges of steps of equal width from `start_s` to `end_s`; the last one may be narrower."""
    return np.append(np.arange(start_s, end_s, step_s), end_s)


def held(attempts: pd.DataFrame, edges: Array) -> Array:
    """Return the mean devices that attempts hold between edges; booting is holding."""
    time_s = np.concatenate([attempts.alloc_s, attempts.end_s])
    change = np.concatenate([attempts.devices, -attempts.devices])
    return means(*from_changes(time_s, change), edges)


def held_by(attempts: pd.DataFrame, column: str, edges: Array) -> pd.DataFrame:
    """Return the mean devices held between edges by a column's value: a row a step, a column a value."""
    import pandas as pd

    groups = attempts.groupby(column, observed=True)
    return pd.DataFrame({name: held(group, edges) for name, group in groups}, index=edges[:-1])


def pods_held(attempts: pd.DataFrame, pool: dict[str, Any], edges: Array) -> Array:
    """Return the mean devices held on each pod of a pool of run.json between edges: (pods, steps).

    A gang fills the pods that it holds in their order; the last one takes the rest.
    """
    ours = attempts.loc[attempts["where"] == pool["name"], ["pods", "devices", "alloc_s", "end_s"]]
    parts = (
        ours.assign(part=ours.pods.map(lambda pods: range(len(pods)))).explode(["pods", "part"])
        if len(ours)
        else ours
    )
    size = pool["pod_devices"]
    if len(parts):
        parts = parts.assign(devices=(parts.devices - parts.part.astype(int) * size).clip(upper=size))
    return np.array([held(parts[parts.pods == pod], edges) for pod in range(pool["pods"])])


def by_hour_of_week(run: Run, column: str) -> Array:
    """Return the mean of a column of states.parquet by weekday, from Monday, and hour, UTC: (7, 24).

    NaN where the run has no such hour. An hour that the run cuts short counts for what there is of it.
    """
    import pandas as pd

    start = pd.Timestamp(dates(run, np.array([run.start_s]))[0])
    first_s = run.start_s - start.minute * 60 - start.second
    edges = np.unique(np.clip(np.arange(first_s, run.end_s + HOUR_S, HOUR_S), run.start_s, run.end_s))
    area = by_cell(run.states.time_s.to_numpy(), run.states[column].to_numpy(), edges)
    hours = pd.DatetimeIndex(dates(run, edges[:-1]))
    cell = np.asarray(hours.day_of_week * DAY_H + hours.hour)
    total = np.bincount(cell, np.diff(edges), minlength=7 * DAY_H)
    sums = np.bincount(cell, area, minlength=7 * DAY_H)
    grid = np.divide(sums, total, out=np.full(7 * DAY_H, np.nan), where=total > 0)
    return np.asarray(grid.reshape(7, DAY_H))
