"""What was left of the power of a site under its cap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scheduler.engine.owned.pools import Pool
from scheduler.engine.owned.power import Power
from scheduler.why.held import Holdings
from scheduler.why.step_function import StepFunction, instants


def power_left(power: Power, pools: Sequence[Pool], held: Holdings) -> StepFunction:
    """Return the units that gangs could have drawn over time; `pools` are those of the run.

    A curtailment counts from when it is known, as whoever starts then has to keep to it.
    """
    drawn = [
        (held.at(pool.index).held(), pool.power.by_device)
        for pool in pools
        if pool.power is not None and pool.power.power is power
    ]
    known = [
        StepFunction.of(0, np.array([each.known_s, each.to_s]), np.array([each.less, -each.less]))
        for each in power.curtailments
    ]
    time_s = instants([*(level for level, _ in drawn), *known])
    left = np.full(len(time_s), power.most)
    for level, units in drawn:
        left = left - level.at(time_s) * units
    less = np.max([level.at(time_s) for level in known], axis=0, initial=0)
    return StepFunction(time_s, left - less).shortest()
