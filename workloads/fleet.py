"""From cars, robots and tenants to compute: how much training a fleet asks for.

The chain for cars is cars x miles x clips x PFLOP per clip; a pass over a clip costs 6 N D operations
(Kaplan et al. 2020, "Scaling laws for neural language models", for N parameters and D tokens). The chain
for robots is robots x tasks, scaled to what `article-34` says that 50,000 robots need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from traces.arrays import Floats
from traces.times import HOUR_S
from workloads.parameters import Parameter, check_parameters

DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How fleets turn into compute; raises DemandError for a figure out of its bounds."""

    miles_per_car_day: Annotated[float, Parameter("mile/day", "driven by one car", low=0, high=1e4)] = 35.0
    clips_per_mile: Annotated[
        float, Parameter("clip/mile", "uploaded and kept after curation", low=0, high=1e4)
    ] = 0.005
    tokens_per_clip: Annotated[
        float, Parameter("token", "a clip of all cameras, as the network sees it", low=0, high=1e9)
    ] = 150_000.0
    network_parameters: Annotated[
        float, Parameter("parameter", "weights of the driving network", low=0, high=1e13)
    ] = 2.0e9
    training_passes: Annotated[
        float,
        Parameter("pass/clip", "times a clip is used, over all FSD kinds of job together", low=0, high=1e6),
    ] = 65.0
    pflop_per_robot_task_day: Annotated[
        float,
        Parameter(
            "PFLOP",
            "training asked for by one robot that learns one task for one day",
            "article-34: 5 to 10 ExaPODs for 50,000 robots; here 7.5 of 120 tiles, at 50 tasks",
            0,
            1e9,
        ),
    ] = 100.0
    device_h_per_tenant_day: Annotated[
        float, Parameter("device-hour/day", "bought by one outside tenant", low=0, high=1e9)
    ] = 130.0

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def pflop_per_clip(self) -> float:
        """Operations spent on one clip over all its passes, in PFLOP: 6 N D a pass."""
        return 6 * self.network_parameters * self.tokens_per_clip * 1e-15 * self.training_passes

    @property
    def pflop_per_car_day(self) -> float:
        """FSD training asked for by one car on one day, in PFLOP."""
        return self.miles_per_car_day * self.clips_per_mile * self.pflop_per_clip

    @property
    def device_s_per_tenant_day(self) -> float:
        """Device-seconds bought by one tenant on one day."""
        return self.device_h_per_tenant_day * HOUR_S


def deployed(start: float, added_per_year: float, days: int) -> Floats:
    """Return how many units are out in each hour of `days`: `start` and a steady rate of deployment."""
    hours = np.arange(days * 24) + 0.5
    return start + added_per_year * hours / (24 * DAYS_PER_YEAR)
