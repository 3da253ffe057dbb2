"""Policies of a study side by side: the frontier of spend against wait, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scheduler.report.colours import BLACK, BLUE, GREY, PALETTE
from scheduler.report.figures.style import legend_above, panels
from scheduler.study.compare.differences import Difference
from traces.arrays import Array
from traces.numbers import TICK, shortest

MARKERS = "osD^v"
"""After each round of colours the next shape."""


SURE = 0.05
"""Highest p, adjusted for all differences, at which one is taken for real."""


def unbeaten(points: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Return the rows that no other one beats, less in `x` or `y` and no more in the other, by `x`."""
    ranked = points.sort_values([x, y]).drop_duplicates([x, y])
    least = ranked[y].cummin().shift()
    return ranked[least.isna() | (ranked[y] < least)]


def frontier(
    results: pd.DataFrame, x: str, y: str, bounds: frozenset[str], labels: Mapping[str, str]
) -> Figure:
    """A small dot a run, a large one the mean of a policy; hollow ones are bounds.

    `results` has a row a run, with `policy` and the columns `x` and `y`; less of either is better. The line
    joins the policies, bounds aside, that no other one beats in both.
    """
    figure, ((axes,),) = panels(height=3.6)
    mean = results.groupby("policy", observed=True, sort=False)[[x, y]].mean()
    for at, (policy, point) in enumerate(mean.iterrows()):
        runs, colour = results[results.policy == policy], PALETTE[at % len(PALETTE)]
        face = "none" if policy in bounds else colour
        axes.plot(runs[x], runs[y], ".", color=colour, alpha=0.35, markersize=4, clip_on=False)
        shape = MARKERS[at // len(PALETTE) % len(MARKERS)]
        mark = {"marker": shape, "color": colour, "markerfacecolor": face}
        axes.plot(point[x], point[y], linestyle="none", markersize=7, label=policy, **mark)
    best = unbeaten(mean[~mean.index.isin(bounds)], x, y)
    axes.plot(best[x], best[y], drawstyle="steps-post", color=GREY, linewidth=1, zorder=0)
    axes.margins(0.06)
    axes.set_xlabel(labels[x])
    axes.set_ylabel(labels[y])
    axes.xaxis.set_major_formatter(TICK)
    axes.yaxis.set_major_formatter(TICK)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def differences(
    found: Sequence[Difference], baseline: str, scale: Mapping[str, float], labels: Mapping[str, str]
) -> Figure:
    """A panel a metric, a row a policy: mean paired difference to the baseline with its t interval.

    Filled where it still stands, with all differences judged at once. `scale` is what figures are divided by,
    to be in the units of the labels.
    """
    policies = list(dict.fromkeys(one.policy for one in found))
    figure, axes = panels(1, len(labels), height=1.0 + 0.3 * len(policies), sharey=True)
    for each, (metric, label) in zip(axes[0], labels.items(), strict=True):
        each.axvline(0, color=BLACK, linewidth=0.8)
        for one in (one for one in found if one.metric == metric):
            row, unit = policies.index(one.policy), scale[metric]
            each.hlines(row, one.t.low / unit, one.t.high / unit, color=BLUE, linewidth=1.6)
            face = BLUE if one.adjusted_p < SURE else "white"
            each.plot(one.difference / unit, row, "o", color=BLUE, markerfacecolor=face)
        each.set_xlabel(label, fontsize=8)
        each.xaxis.set_major_formatter(lambda x, _: shortest(x, 12, signed=True) if x else "0")
        each.locator_params(axis="x", nbins=3)
        each.margins(0.08, 0.12)
        each.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(policies)), policies)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_title(f"less or more than {baseline}")
    return figure


def seeds(values: pd.DataFrame, label: str) -> Figure:
    """A line a seed over the policies (columns): parallel lines are what common random numbers buy."""
    figure, ((axes,),) = panels(height=2.8)
    places: Array = np.arange(values.shape[1])
    axes.plot(places, values.T.to_numpy(), color=GREY, linewidth=0.8, marker=".", markersize=4)
    axes.plot(places, values.mean(), "o", color=PALETTE[0], markersize=7, label="mean")
    axes.set_xticks(places, values.columns, rotation=20, ha="right")
    axes.set_xlim(-0.3, len(places) - 0.7)
    axes.set_ylabel(label)
    axes.yaxis.set_major_formatter(TICK)
    axes.set_ylim(bottom=0)
    legend_above(axes)
    return figure
