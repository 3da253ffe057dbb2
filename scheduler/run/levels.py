"""Logs as levels over time: how many devices were held, in each step, by whom and on which pod.

A level is a step function, as in states.parquet, and what is given for a step of time is its mean there:
areas stay true however wide the steps are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scheduler.run.directory import Run
from traces.arrays import Array
from traces.step_function import by_cell, from_changes, means
from traces.times import HOUR_S

if TYPE_CHECKING:
    import pandas as pd


DAY_H = 24


def dates(run: Run, time_s: Array) -> Array:
    """Return instants of a run as dates, UTC."""
    epoch = np.datetime64(run.description["trace"]["epoch"].removesuffix("+00:00"), "s")
    return np.asarray(epoch + np.asarray(time_s, np.int64))


def steps(end_s: int, step_s: int) -> Array:
    """Return the edges of steps of equal width from 0 to `end_s`; the last one may be narrower."""
    return np.append(np.arange(0, end_s, step_s), end_s)


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

    start = pd.Timestamp(dates(run, np.zeros(1))[0])
    into_s = start.minute * 60 + start.second
    edges = np.unique(np.clip(np.arange(-into_s, run.end_s + HOUR_S, HOUR_S), 0, run.end_s))
    area = by_cell(run.states.time_s.to_numpy(), run.states[column].to_numpy(), edges)
    hours = pd.DatetimeIndex(dates(run, edges[:-1]))
    cell = np.asarray(hours.day_of_week * DAY_H + hours.hour)
    total = np.bincount(cell, np.diff(edges), minlength=7 * DAY_H)
    sums = np.bincount(cell, area, minlength=7 * DAY_H)
    grid = np.divide(sums, total, out=np.full(7 * DAY_H, np.nan), where=total > 0)
    return np.asarray(grid.reshape(7, DAY_H))
