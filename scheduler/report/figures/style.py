"""How all pictures look: few lines, units on every axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from traces.arrays import Array
from traces.numbers import TICK

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_SETTINGS: dict[str, Any] = {
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.xmargin": 0,
    "legend.frameon": False,
    "date.autoformatter.day": "%d %b",
    "date.autoformatter.hour": "%H:%M\n%d %b",
    "image.cmap": "cividis",
}


def panels(rows: int = 1, columns: int = 1, *, height: float = 3.0, **more: Any) -> tuple[Figure, Array]:
    """Return a figure of the common width (8 in) and the array (rows, columns) of its axes."""
    plt.style.use(_SETTINGS)
    return plt.subplots(rows, columns, figsize=(8, height), squeeze=False, **more)


def from_zero(*axes: Axes) -> None:
    """Start the vertical axes at 0, with commas in large numbers."""
    for each in axes:
        each.set_ylim(bottom=0)
        each.yaxis.set_major_formatter(TICK)


def stack(axes: Axes, x: Array, parts: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Stack the columns that have some, in the order of the colours, with a legend above.

    Each is a step function: a row is the step from one of the edges `x` to the next.
    """
    shown = [name for name in colours if name in parts and parts[name].any()]
    if shown:
        levels = parts[shown].to_numpy().T
        stepped = np.column_stack([levels, levels[:, -1]])
        axes.stackplot(
            x, stepped, labels=shown, colors=[colours[name] for name in shown], linewidth=0, step="post"
        )
        legend_above(axes)


def legend_above(axes: Axes, columns: int = 6) -> None:
    """Put the legend above the picture, at its right."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=columns,
        borderaxespad=0.2,
        columnspacing=1.2,
        handlelength=1,
    )
