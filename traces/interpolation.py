"""What series of dated points are at some instants: flat before the first point and after the last."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from traces import portable
from traces.arrays import Floats
from traces.dated import Points, date_of, seconds_to
from traces.times import DAY_S


def linear(points: Points, epoch: datetime, at_s: Floats) -> Floats:
    """Return the values at seconds of an epoch, linear between points and flat outside."""
    days = (at_s - seconds_to(points[0][0], epoch)) / DAY_S
    return np.asarray(np.interp(days, _days(points), [value for _, value in points]))


def log_interpolated(points: Points, epoch: datetime, at_s: Floats) -> Floats:
    """Return the values, all above 0, at seconds of an epoch: in equal times they change by equal factors.

    A point, and what lies outside, has its value to the last digit.
    """
    logs = portable.log(np.array([value for _, value in points], np.float64))
    days = (at_s - seconds_to(points[0][0], epoch)) / DAY_S
    known, values = _days(points), np.array([value for _, value in points], np.float64)
    between = portable.exp(np.interp(days, known, logs))
    nearest = np.clip(np.searchsorted(known, days, side="right") - 1, 0, len(known) - 1)
    exact = (days == known[nearest]) | (days < known[0]) | (days > known[-1])
    return np.asarray(np.where(exact, values[nearest], between))


def _days(points: Points) -> Floats:
    """Days from the first point to each."""
    ordinals = np.array([date_of(day).toordinal() for day, _ in points], np.float64)
    return np.asarray(ordinals - ordinals[0])
