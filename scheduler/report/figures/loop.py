"""What a loop did: its campaigns from data to road, and what the fleet drove with meanwhile."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scheduler.report.colours import BLACK, BLUE, GREEN, ORANGE, VERMILION
from scheduler.report.figures.style import from_zero, legend_above, panels
from traces.arrays import Array
from traces.times import DAY_S

_STAGES = {
    "training, its wait included": ("cut_s", "trained_s", BLUE),
    "evaluation": ("trained_s", "gated_s", ORANGE),
    "roll-out": ("shipped_s", "everywhere_s", GREEN),
}
"""Stages of a campaign: from which instant to which, and a colour."""
_LOOPS = (BLUE, VERMILION, GREEN, ORANGE)
"""Colours of loops, which begin anew where there are more."""


def campaigns(rows: pd.DataFrame, dates: pd.DataFrame) -> Figure:
    """Draw each campaign of a loop as a line of stages; `dates` has the instants of `rows` as dates.

    Where a campaign was not shipped, its line ends at what it came to, with its fate beside it.
    """
    figure, axes = panels(height=0.9 + 0.22 * len(rows))
    each = axes[0, 0]
    for label, (begins, ends, colour) in _STAGES.items():
        known = rows[begins].notna() & rows[ends].notna()
        length = dates.loc[known, ends] - dates.loc[known, begins]
        each.barh(
            rows.loc[known, "campaign"], length, left=dates.loc[known, begins], color=colour, label=label
        )
    for at in rows.index[rows.everywhere_s.isna()]:
        last = dates.loc[at, ["cut_s", "trained_s", "gated_s", "shipped_s"]].dropna().max()
        each.annotate(f" {rows.fate[at]}", (last, rows.campaign[at]), va="center", fontsize=8)
    each.plot(dates.cut_s, rows.campaign, "|", color=BLACK, label="its data are cut off")
    each.set_ylabel("campaign")
    each.set_ylim(rows.campaign.max() + 0.6, -0.6)
    each.yaxis.set_major_locator(MaxNLocator(integer=True))
    each.set_xlabel("UTC")
    legend_above(each)
    return figure


def on_the_road(dates: Array, hours: pd.DataFrame) -> Figure:
    """Draw interventions by mile over the fleet, and the age of the data that it drives with, in days."""
    figure, axes = panels(2, height=3.6, sharex=True)
    above, below = axes[:, 0]
    above.plot(dates, hours.interventions_per_mile, color=VERMILION)
    above.set_ylabel("interventions / mile")
    below.plot(dates, hours.age_s / DAY_S, color=BLUE)
    below.set_ylabel("age of data, days")
    below.set_xlabel("UTC")
    from_zero(above, below)
    figure.align_ylabels()
    return figure


def latency(waits_h: dict[str, Array]) -> Figure:
    """Draw, by loop, the share of releases that were everywhere within so many hours of their data."""
    figure, axes = panels(height=2.4)
    each = axes[0, 0]
    for (name, hours), colour in zip(waits_h.items(), cycle(_LOOPS)):
        ordered = np.sort(hours)
        each.step(
            ordered,
            np.arange(1, len(ordered) + 1) / max(1, len(ordered)),
            "-",
            where="post",
            color=colour,
            label=name,
        )
    each.set_xlabel("hours from data to all of the fleet")
    each.set_xlim(left=0)
    each.set_ylabel("share of releases")
    from_zero(each)
    legend_above(each)
    return figure
