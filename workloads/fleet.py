"""From cars, robots and tenants to compute: how much training a fleet asks for.

The chain for cars is cars x miles x clips x PFLOP per clip; a pass over a clip costs 6 N D operations
(Kaplan et al. 2020, "Scaling laws for neural language models", for N parameters and D tokens). The chain
for robots is robots x tasks, scaled to what `article-34` says that 50,000 robots need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from traces.arrays import Floats
from traces.dated import Points
from traces.times import HOUR_S
from workloads.parameters import Parameter, check_parameters, take_points

DAYS_PER_YEAR = 365

LevelOf = Callable[[float | Points], float | Floats]
"""What a figure is: a number as it stands, dated points hour by hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How fleets turn into compute; raises DemandError for a figure out of its bounds."""

    miles_per_car_day: Annotated[
        float | Points, Parameter("mile/day", "driven by one car", low=0, high=1e4)
    ] = 35.0
    clips_per_mile: Annotated[
        float | Points, Parameter("clip/mile", "uploaded and kept after curation", low=0, high=1e4)
    ] = 0.005
    tokens_per_clip: Annotated[
        float | Points, Parameter("token", "a clip of all cameras, as the network sees it", low=0, high=1e9)
    ] = 150_000.0
    network_parameters: Annotated[
        float | Points, Parameter("parameter", "weights of the driving network", low=0, high=1e13)
    ] = 2.0e9
    training_passes: Annotated[
        float | Points,
        Parameter("pass/clip", "times a clip is used, over all FSD kinds of job together", low=0, high=1e6),
    ] = 65.0
    pflop_per_robot_task_day: Annotated[
        float | Points,
        Parameter(
            "PFLOP",
            "training asked for by one robot that learns one task for one day",
            "article-34: 5 to 10 ExaPODs for 50,000 robots; here 7.5 of 120 tiles, at 50 tasks",
            0,
            1e9,
        ),
    ] = 100.0
    device_h_per_tenant_day: Annotated[
        float | Points, Parameter("device-hour/day", "bought by one outside tenant", low=0, high=1e9)
    ] = 130.0

    def __post_init__(self) -> None:
        take_points(self)
        check_parameters(self)

    def pflop_per_clip(self, level: LevelOf) -> float | Floats:
        """Return the operations spent on one clip over all its passes, in PFLOP: 6 N D a pass."""
        parameters, tokens = level(self.network_parameters), level(self.tokens_per_clip)
        return 6 * parameters * tokens * 1e-15 * level(self.training_passes)

    def pflop_per_car_day(self, level: LevelOf) -> float | Floats:
        """Return the FSD training asked for by one car on one day, in PFLOP."""
        return level(self.miles_per_car_day) * level(self.clips_per_mile) * self.pflop_per_clip(level)

    def pflop_per_robot_day(self, level: LevelOf, tasks: float | Points) -> float | Floats:
        """Return the training asked for by one robot on one day, over all tasks, in PFLOP."""
        return level(self.pflop_per_robot_task_day) * level(tasks)

    def device_s_per_tenant_day(self, level: LevelOf) -> float | Floats:
        """Return the device-seconds bought by one tenant on one day."""
        return level(self.device_h_per_tenant_day) * HOUR_S
