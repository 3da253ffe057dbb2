"""How fleets change with the years: what is known of them, hour by hour."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from traces.arrays import Floats
from traces.dated import Points
from traces.interpolation import linear
from traces.times import HOUR_S
from workloads.fleet import DAYS_PER_YEAR


class FleetPath(NamedTuple):
    """The path of a workload's fleet, and the hours from the epoch at which a story reads it."""

    epoch: datetime
    hours: Floats

    def level(self, figure: float | Points) -> float | Floats:
        """Return a number as it stands, and dated points hour by hour."""
        if not isinstance(figure, tuple):
            return figure
        return linear(figure, self.epoch, self.hours * HOUR_S)

    def units(self, figure: float | Points, added_per_year: float) -> Floats:
        """Return how many are out: by dated points, or a number at the epoch and a steady rate from there."""
        if isinstance(figure, tuple):
            return linear(figure, self.epoch, self.hours * HOUR_S)
        return figure + added_per_year * np.maximum(self.hours, 0.0) / (24 * DAYS_PER_YEAR)
