"""What a step is worth: less for what it costs, by metrics that are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from traces.errors import nearest


class RewardError(ValueError):
    """A reward that is none."""


class StepCosts(NamedTuple):
    """What a step came to, from its decision to the next."""

    device_h_waited: float
    """Hours that jobs waited, by the reference devices that they ask for."""
    job_h_waited: float
    usd_rented: float
    """What the job that it bursts will add to the bill by its estimate, at the price of then."""


def weights_of(reward: str | Mapping[str, float]) -> tuple[float, ...]:
    """Return the weight of each metric; raises RewardError for one that is not there."""
    weights = {reward: 1.0} if isinstance(reward, str) else dict(reward)
    for name in weights:
        if name not in StepCosts._fields:
            hint = nearest(name, StepCosts._fields)
            raise RewardError(f'reward "{name}": unknown{hint} (allowed: {", ".join(StepCosts._fields)})')
    return tuple(weights.get(name, 0.0) for name in StepCosts._fields)
