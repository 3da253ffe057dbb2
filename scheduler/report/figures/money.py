"""Where the money went, who bears it, and what owning and renting cost at what utilization."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scheduler.report.colours import (
    BEARER_COLOURS,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    LINE_COLOURS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
)
from scheduler.report.figures.style import from_zero, legend_above, panels, stack
from traces.arrays import Array
from traces.numbers import TICK, count, decimal, percent


def lines(parts: Mapping[str, pd.DataFrame]) -> Figure:
    """USD by line (rows) and who bears it (columns): a panel for each part, with a scale of its own."""
    heights = [max(len(part), 1) for part in parts.values()]
    figure, axes = panels(len(parts), height=0.8 * len(parts) + 0.3 * sum(heights), height_ratios=heights)
    for each, (name, part) in zip(axes[:, 0], parts.items(), strict=True):
        rows, left = np.arange(len(part))[::-1], np.zeros(len(part))
        for bearer, colour in BEARER_COLOURS.items():
            if bearer in part:
                each.barh(rows, part[bearer], left=left, color=colour, label=bearer.replace("_", " "))
                left += part[bearer].to_numpy()
        for row, usd in zip(rows, left, strict=True):
            each.annotate(f" {count(usd)}", (usd, row), va="center", fontsize=8)
        each.set_yticks(rows, part.index)
        each.set_xlim(0, 1.15 * max(left.max(initial=0), 1))
        each.set_title(name)
        _usd(each)
        legend_above(each)
    axes[-1, 0].set_xlabel("USD over the run")
    return figure


def over_time(dates: Array, parts: Mapping[str, pd.DataFrame], step: str) -> Figure:
    """USD in each step (rows) by line or bearer (columns), stacked: a panel and scale for each part."""
    figure, axes = panels(len(parts), height=0.5 + 1.7 * len(parts), sharex=True)
    for each, (name, part) in zip(axes[:, 0], parts.items(), strict=True):
        stack(each, dates, part, LINE_COLOURS | BEARER_COLOURS)
        each.set_title(name)
        each.set_ylabel(f"USD a {step}")
        from_zero(each)
    axes[-1, 0].set_xlabel("UTC")
    figure.align_ylabels()
    return figure


def showback(usd: pd.DataFrame) -> Figure:
    """USD charged to jobs by their kind (rows), on `owned` and on `rented` devices, each with its scale."""
    figure, axes = panels(1, 2, height=0.8 + 0.24 * len(usd), sharey=True, width_ratios=(3, 2))
    ranked = usd.loc[usd.sum(axis=1).sort_values().index]
    for each, column, colour in zip(axes[0], ("owned", "rented"), (BLUE, VERMILION), strict=True):
        each.barh(ranked.index, ranked[column], color=colour)
        each.set_title(f"on {column} devices")
        each.set_xlabel("USD over the run")
        _usd(each)
    return figure


def breakeven(
    utilization: Array,
    owned: Mapping[str, Array],
    at: Mapping[str, float],
    rented: Mapping[str, float],
    unit: str,
) -> Figure:
    """USD per unit of work against utilization: a curve a pool, with a dot `at` its own; a line an offer."""
    figure, ((axes,),) = panels(height=3.2)
    for (name, curve), colour in zip(owned.items(), cycle((BLUE, GREEN, PURPLE, BLACK)), strict=False):
        axes.plot(utilization * 100, curve, color=colour)
        own = float(np.interp(at[name], utilization, curve))
        axes.plot(at[name] * 100, own, "o", color=colour)
        said = f"{name} at its {percent(at[name], 0)}: {decimal(own)}"
        axes.annotate(said, (at[name] * 100, own), (0, 12), textcoords="offset points", color=colour)
    for (name, usd), colour in zip(rented.items(), cycle((VERMILION, ORANGE, SKY, GREY)), strict=False):
        axes.axhline(usd, color=colour, linestyle="--", linewidth=1.2)
        said, left = f"{name}: {decimal(usd)}", utilization[0] * 100
        axes.annotate(said, (left, usd), (4, 3), textcoords="offset points", color=colour)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(TICK)
    axes.set_xlim(utilization[0] * 100, 100)
    axes.set_xlabel("utilization, % of owned device-hours held")
    axes.set_ylabel(unit)
    return figure


def lifetime(utilization: Array, bands: Mapping[str, Array], at: float, unit: str) -> Figure:
    """Cost against utilization: low, median and high (3, utilizations) of each; a line at the run's own."""
    figure, ((axes,),) = panels(height=3.2)
    for (name, (low, mid, high)), colour in zip(bands.items(), (BLUE, VERMILION), strict=True):
        axes.fill_between(utilization * 100, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(utilization * 100, mid, color=colour, label=name)
    axes.axvline(at * 100, color=BLACK, linestyle="--", linewidth=1)
    axes.annotate(
        f"this run: {percent(at, 0)}",
        (at * 100, 1),
        (-4, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right",
        va="top",
    )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(TICK)
    axes.set_xlim(utilization[0] * 100, 100)
    axes.set_xlabel("utilization over the life of a pod, %")
    axes.set_ylabel(unit)
    legend_above(axes)
    return figure


def _usd(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(TICK)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.03)
    axes.locator_params(axis="x", nbins=4)
