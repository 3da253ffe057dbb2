"""When jobs are submitted: bursts on a weekly profile, or runs spaced over the horizon.

Real clusters are far burstier than a Poisson process with a daily profile: given the weekly profile, the
jobs of an hour are negative-binomial (Helios, SC'21: k about 1.4; variance m + m^2 / k).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from traces.arrays import Floats, Ints
from traces.times import HOUR_S

BURST_K = 1.4
"""Dispersion of a cluster's hourly counts given the weekly profile, from Helios."""

ARRAY_K = 0.45
"""Dispersion of what pipelines submit in arrays; assumed, so that all kinds together come to `BURST_K`."""

_HOURS = [0.90, 0.64, 0.46, 0.37, 0.28, 0.20, 0.19, 0.25, 0.42, 0.94, 1.60, 1.76]
_HOURS += [1.27, 1.52, 1.81, 1.96, 1.94, 1.98, 1.39, 1.50, 1.49, 1.51, 1.22, 1.05]
_DAYS = [1.02, 1.10, 1.27, 1.20, 0.95, 0.68, 0.77]


class Week(NamedTuple):
    """Relative arrivals in the 168 hours from Monday 00:00, local time."""

    name: str
    hours: Floats

    def __str__(self) -> str:
        return self.name


WORKING_WEEK = Week("Helios", np.outer(_DAYS, _HOURS).ravel())
"""What people submit (Helios, cluster Venus)."""

ROUND_THE_CLOCK = Week("even", np.ones(168))
"""What machines submit (assumed)."""


def local_hours(epoch: datetime, hours: int, time_zone: str) -> Ints:
    """Return, for each hour from `epoch` on, the hour of the local week in which it begins (0: Monday 00:00).

    Where the clock goes forward, an hour of the week is left out; where it goes back, one comes twice.
    """
    zone = ZoneInfo(time_zone)
    local = [(epoch + timedelta(hours=hour)).astimezone(zone) for hour in range(hours)]
    return np.array([at.weekday() * 24 + at.hour for at in local], np.int64)


def hourly(week: Week, hours: Ints, units: Floats) -> Floats:
    """Return the relative arrivals of each hour: the weekly profile times the units then at work.

    `hours` are hours of the week; where there are no units at all, the profile alone counts.
    """
    return week.hours[hours] * (units / units.max() if units.any() else 1.0)


def bursty(rng: np.random.Generator, weights: Floats, expected: float, k: float) -> Ints:
    """Return ascending submissions, about `expected` of them and at least one.

    The count of each hour is negative-binomial with dispersion `k` around the hour's part of `weights`;
    inside an hour submissions fall anywhere.
    """
    means = weights * (expected / weights.sum())
    counts = rng.negative_binomial(k, k / (k + means))
    if not counts.any():
        counts[np.argmax(means)] = 1
    starts = np.repeat(np.arange(len(weights)) * HOUR_S, counts)
    return np.sort(starts + rng.integers(0, HOUR_S, len(starts)))


def spaced(rng: np.random.Generator, weights: Floats, expected: float) -> Ints:
    """Return ascending submissions, each in an equal part of `weights`: `expected` rounded, at least one."""
    count = max(1, round(expected))
    mass = np.concatenate(([0.0], np.cumsum(weights)))
    marks = (np.arange(count) + rng.random(count)) * (mass[-1] / count)
    seconds = np.interp(marks, mass, np.arange(len(mass)) * float(HOUR_S))
    return np.asarray(np.minimum(seconds.astype(np.int64), len(weights) * HOUR_S - 1))
