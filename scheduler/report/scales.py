"""In which unit a figure of a run is printed, and with how many decimals."""

from __future__ import annotations

from typing import NamedTuple

from scheduler.run.groups import figure_of
from traces.numbers import decimal
from traces.times import HOUR_S


class Scale(NamedTuple):
    """How values of a figure are printed: divided by `unit`, with so many decimals."""

    name: str
    unit: float
    decimals: int

    def show(self, value: float | None, *, signed: bool = False) -> str:
        """Render a value; a dash for none."""
        return decimal(None if value is None else value / self.unit, self.decimals, signed=signed)


def scale(metric: str, largest: float) -> Scale:
    """Choose the unit for a figure from its name and its largest value."""
    name = figure_of(metric)
    if name.endswith("_s"):
        if largest < 120:
            return Scale("s", 1, 1)
        return Scale("min", 60, 1) if largest < 2 * HOUR_S else Scale("h", HOUR_S, 2)
    if name.startswith(("usd", "revenue_usd")):
        return Scale("USD", 1, 0)
    if name == "utilization":
        return Scale("%", 0.01, 1)
    if name.endswith("_device_h"):
        return Scale("device-h", 1, 0)
    return Scale("", 1, 2 if largest < 100 else 1)
