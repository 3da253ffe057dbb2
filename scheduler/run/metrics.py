"""The formulas of the figures of a run: pure functions of logged columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traces.arrays import Array, Ints
from traces.step_function import by_cell
from traces.trace import Predecessors

SLOWDOWN_FLOOR_S = 10
"""Runs shorter than this count as this long, so that they do not dominate the bounded slowdown."""


def device_seconds(time_s: Array, level: Array, end_s: int, start_s: int = 0) -> int:
    """Return the exact integral of a step function of states.parquet, from `start_s` to `end_s`."""
    return int(by_cell(time_s, level, np.array([start_s, end_s]))[0])


def utilization(busy_device_s: int, owned_device_s: int) -> float:
    """Return busy device-seconds over those that there are; 0 where there are none."""
    return busy_device_s / owned_device_s if owned_device_s else 0.0


def bounded_slowdown(wait_s: Array, run_s: Array) -> Array:
    """Return max(1, (wait + run) / max(run, 10 s)) of each job (Feitelson, JSSPP 2001).

    Of an interrupted job, run is what it would have taken undisturbed, and all the rest of its time is wait.
    """
    return np.maximum(1.0, (wait_s + run_s) / np.maximum(run_s, SLOWDOWN_FLOOR_S))


def mean(values: Array) -> float:
    """Return the mean; NaN where there are no values."""
    return float(values.mean()) if len(values) else float("nan")


def percentiles(values: Array, at: Sequence[float] = (50, 95, 99)) -> list[float]:
    """Return percentiles by linear interpolation; NaN where there are no values.

    They are those of `np.percentile` to the bit, which takes as long as all else for the few jobs of a kind.
    """
    if not len(values):
        return [float("nan")] * len(at)
    places = [percent / 100 * (len(values) - 1) for percent in at]
    lower = [int(place) for place in places]
    upper = [min(place + 1, len(values) - 1) for place in lower]
    ranked = np.partition(values, sorted({*lower, *upper}))
    pairs = zip(places, ranked[lower].tolist(), ranked[upper].tolist(), strict=True)
    return [_between(low, high, place % 1) for place, low, high in pairs]


def _between(low: float, high: float, share: float) -> float:
    """Return the value that so much of the way lies between two, reckoned from the nearer one."""
    return high - (high - low) * (1 - share) if share >= 0.5 else low + (high - low) * share


def weighted_percentiles(values: Array, weights: Ints, at: Sequence[int]) -> list[float]:
    """Return for each of `at`, in percent, the lower weighted percentile; NaN where there is no weight.

    That is the smallest value such that those up to it hold at least so much of the weight. Weights are whole
    numbers, none below 0, so that it is exact; their sum is below 2^63.
    """
    order = np.argsort(values, kind="stable")
    held = np.cumsum(weights[order])
    total = int(held[-1]) if len(held) else 0
    if not total:
        return [float("nan")] * len(at)
    return [float(values[order[np.searchsorted(held, -(-percent * total // 100))]]) for percent in at]


def missed(end_s: Array, deadline_s: Array, until_s: int) -> Array:
    """Say of each job with a deadline whether it missed it; NaN ends are jobs that have not finished.

    Such a job has missed a deadline that lies within the run, and one later than that not yet.
    """
    return np.where(np.isnan(end_s), deadline_s <= until_s, end_s > deadline_s)


def chained(own: Array, after: Predecessors) -> Array:
    """Return each job's `own` value plus those of the jobs before it in its chain.

    Of several chains that end in a job, the one with the largest sum counts.
    """
    follows = np.flatnonzero(after.counts())
    starts = after.offsets[follows]
    total, last = own.copy(), None
    while last is None or not np.array_equal(total, last):  # once for each link of the longest chain
        last = total.copy()
        if len(follows):
            total[follows] = own[follows] + np.maximum.reduceat(last[after.rows], starts)
    return total
