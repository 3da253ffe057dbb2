"""Prices that wander: the factor on whatever an offer costs, drawn ahead.

Its logarithm is an Ornstein-Uhlenbeck process, sampled exactly (Gillespie, Physical Review E 54, 1996), less
half its variance, so that the mean factor is 1; spikes multiply it.
"""

from __future__ import annotations

from itertools import accumulate
from math import sqrt

import numpy as np

from scheduler.scenario import DriftSpec
from scheduler.weather.intervals import Intervals, check_size
from scheduler.weather.renewal import Law, alternate
from traces import portable
from traces.arrays import Floats, Ints
from traces.streams import Stream, streams
from traces.times import DAY_S, HOUR_S


def drift(spec: DriftSpec, name: str, seed: int, until_s: int) -> Intervals:
    """Return the factors of an offer's price from second 0 on, without gaps."""
    stream = streams(seed, "price", name)
    step_s = max(1, round(spec.step_h * HOUR_S))
    steps = -(-until_s // step_s)
    check_size(steps, name, "price")
    wandering = _wandering(spec, step_s, steps, stream)
    begins, ends = _spikes(spec, until_s, stream)
    from_s = np.unique(np.concatenate([np.arange(steps) * step_s, begins, ends[ends < until_s]]))
    in_spike = _count(begins, from_s) > _count(ends, from_s)
    factor = wandering[from_s // step_s] * np.where(in_spike, spec.spike_factor, 1.0)
    changes = np.diff(factor, prepend=-1.0) != 0
    from_s, factor = from_s[changes], factor[changes]
    to_s = np.append(from_s[1:], until_s)
    return Intervals(name, "price", from_s, to_s, to_s, value=factor)


def _wandering(spec: DriftSpec, step_s: int, steps: int, stream: Stream) -> Floats:
    """Draw the factor at each step; the process is stationary from the first on."""
    steps_back = step_s / (spec.reversion_h * HOUR_S)
    keeps = float(portable.exp(-steps_back))
    moves = spec.volatility * sqrt(-portable.expm1(-2 * steps_back))
    first, *later = portable.standard_normal(stream("drift"), steps).tolist()
    path = accumulate(later, lambda at, moved: keeps * at + moves * moved, initial=spec.volatility * first)
    return portable.exp(np.fromiter(path, np.float64, steps) - spec.volatility**2 / 2)


def _spikes(spec: DriftSpec, until_s: int, stream: Stream) -> tuple[Ints, Ints]:
    """Draw when spikes begin and end: one at a time, as if they had come for ever."""
    if not spec.spikes_per_day:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    calm, spike = Law(DAY_S / spec.spikes_per_day), Law(spec.spike_h * HOUR_S)
    spells = list(alternate(calm, spike, 1, until_s, stream, stationary=True))
    return np.concatenate([spell[1] for spell in spells]), np.concatenate([spell[2] for spell in spells])


def _count(times_s: Ints, until_s: Ints) -> Ints:
    return np.asarray(np.searchsorted(times_s, until_s, "right"))
