"""The screening curve: which pods pay without queueing, by the share of time in which they have work.

The k-th unit is owned exactly while the share of time in which the load is above k - 1 units is at least its
fixed cost over what an hour of rent costs more than an hour of its own use. This is the newsvendor's critical
ratio; the curve is Turvey's (Optimal Pricing and Investment in Electricity Supply, 1968).
"""

from __future__ import annotations

import numpy as np

from traces.arrays import Array, Floats
from traces.step_function import from_changes
from traces.trace import Trace


def load_curve(trace: Trace, from_s: int, to_s: int) -> tuple[Floats, Floats]:
    """Return levels of devices at work and their durations, were every job to start as it is submitted."""
    submit, run, gang = (trace.numpy(name).astype(np.int64) for name in ("submit_s", "runtime_s", "gang"))
    start_s, end_s = np.clip(submit, from_s, to_s), np.clip(submit + run, from_s, to_s)
    time_s, level = from_changes(np.concatenate([start_s, end_s, [to_s]]), np.concatenate([gang, -gang, [0]]))
    return np.asarray(level[:-1], np.float64), np.asarray(np.diff(time_s), np.float64)


def busy_share(level: Array, length_s: Array, unit: float, number: int) -> float:
    """Return the share of time in which the unit of that number, from 1, works, by the load alone."""
    used = np.clip(level - unit * (number - 1), 0, unit) / unit
    total = float(np.sum(length_s))
    return float(np.dot(used, length_s)) / total if total else 0.0


def screened(level: Array, length_s: Array, unit: float, least_share: float, most: int) -> int:
    """Return how many units pay, of at most `most`: those busy for at least that share of time."""
    number = 0
    while number < most and busy_share(level, length_s, unit, number + 1) >= least_share:
        number += 1
    return number
