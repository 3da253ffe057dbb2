"""What a trace asks for: arrivals, sizes, run times, and what may leave; beside published figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scheduler.report.colours import BLACK, BLUE, GREY, ORANGE, VERMILION, workload_colours
from scheduler.report.figures.style import WEEKDAYS, from_zero, legend_above, panels, stack
from traces.arrays import Array
from traces.numbers import TICK
from traces.times import HOUR_S


def arrivals(dates: Array, workload: pd.Series[str]) -> Figure:
    """Jobs by the hour of their submission, stacked by workload."""
    at = pd.DatetimeIndex(dates).floor("h")
    counts = pd.crosstab(at, np.asarray(workload, str))
    counts = counts.reindex(pd.date_range(at.min(), at.max(), freq="h"), fill_value=0)
    edges = counts.index.append(pd.DatetimeIndex([counts.index[-1] + pd.Timedelta(1, "h")]))
    figure, ((axes,),) = panels(height=2.4)
    stack(axes, np.asarray(edges), counts, workload_colours(counts.columns))
    axes.set_title("Jobs submitted in each hour")
    axes.set_ylabel("jobs an hour")
    axes.set_xlabel("UTC")
    from_zero(axes)
    return figure


def week(jobs: Array, published: Array, source: str) -> Figure:
    """Jobs by hour of the week, 168 values from Monday 00:00, over their mean; beside published ones."""
    figure, ((axes,),) = panels(height=2.4)
    hours = np.arange(len(jobs) + 1)
    for values, label, colour in ((published, source, GREY), (jobs, "this trace", BLUE)):
        relative = values / np.nanmean(values)
        axes.stairs(relative, hours, label=label, color=colour, linewidth=1.4)
    axes.set_title("Jobs by hour of the week")
    axes.set_ylabel("over the mean hour")
    axes.set_xlabel("UTC; the published hours are local")
    axes.set_xticks(np.arange(0, 168, 24), WEEKDAYS, ha="left")
    axes.set_xlim(0, 168)
    from_zero(axes)
    legend_above(axes)
    return figure


def shares(figures: pd.DataFrame) -> Figure:
    """Figures that are shares, a row each: `name`, and its values `here` and `published`, 0 to 1."""
    figure, ((axes,),) = panels(height=0.6 + 0.3 * len(figures))
    rows = np.arange(len(figures))[::-1]
    axes.hlines(rows, figures.here * 100, figures.published * 100, color=GREY, linewidth=1)
    axes.plot(figures.published * 100, rows, "o", color=GREY, label="published", clip_on=False)
    axes.plot(figures.here * 100, rows, "D", color=BLUE, label="this trace", clip_on=False)
    axes.set_yticks(rows, figures["name"])
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    legend_above(axes)
    return figure


def run_times(runtime_s: Array, workload: pd.Series[str], fit: Array, fit_s: Array, source: str) -> Figure:
    """Share of jobs that run no longer than so many hours, by workload; beside a published fit."""
    figure, ((axes,),) = panels(height=2.8)
    axes.plot(fit_s / HOUR_S, fit * 100, color=BLACK, linestyle="--", linewidth=1.2, label=source)
    words = np.asarray(workload, str)
    for word, colour in workload_colours(words).items():
        hours = np.sort(runtime_s[words == word]) / HOUR_S
        if len(hours):
            share = np.arange(1, len(hours) + 1) / len(hours) * 100
            axes.step(hours, share, where="post", color=colour, label=word, linewidth=1.4)
    axes.set_xscale("log")
    axes.set_xlim(fit_s[0] / HOUR_S, fit_s[-1] / HOUR_S)
    axes.set_xticks([1 / 60, 1, 24, 168], ["1 min", "1 h", "1 day", "1 week"])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 100)
    axes.set_title("Jobs that run no longer than this")
    axes.set_ylabel("% of jobs")
    axes.set_xlabel("run time on the reference device")
    axes.legend(loc="lower right")
    return figure


def concentration(work: Array, published: Mapping[float, float], source: str) -> Figure:
    """Share of all device-time that the largest jobs have; `published` shares by share of the jobs."""
    figure, ((axes,),) = panels(height=2.6)
    ranked = np.sort(work)[::-1]
    jobs = np.arange(1, len(ranked) + 1) / len(ranked) * 100
    axes.plot(jobs, np.cumsum(ranked) / ranked.sum() * 100, color=BLUE, label="this trace")
    points = {part * 100: share * 100 for part, share in published.items()}
    axes.plot(list(points), list(points.values()), "D", color=VERMILION, label=source)
    axes.set_xscale("log")
    axes.set_xlim(max(jobs[0], 0.01), 100)
    axes.xaxis.set_major_formatter(TICK)
    axes.set_ylim(0, 100)
    axes.set_title("Device-time of the largest jobs")
    axes.set_ylabel("% of device-time")
    axes.set_xlabel("largest jobs, % of all")
    axes.legend(loc="lower right")
    return figure


def residency(device_h: pd.DataFrame) -> Figure:
    """Device-hours asked for by kind (rows): of residency `owned`, and of `any`."""
    figure, ((axes,),) = panels(height=0.7 + 0.24 * len(device_h))
    ranked = device_h.loc[device_h.sum(axis=1).sort_values().index] / 1e3
    axes.barh(ranked.index, ranked.owned, color=BLUE, label="may not leave")
    axes.barh(ranked.index, ranked["any"], left=ranked.owned, color=ORANGE, label="may burst")
    axes.set_xlabel("thousand device-hours asked for")
    axes.margins(x=0.03)
    axes.xaxis.set_major_formatter(TICK)
    axes.tick_params(axis="y", length=0)
    legend_above(axes)
    return figure
