"""What a run did: devices over time, pods, the hours of the week, waits, and the largest gangs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scheduler.report.colours import BLACK, GREY, PALETTE, workload_colours
from scheduler.report.figures.style import WEEKDAYS, from_zero, panels, stack
from scheduler.run.capacity import owned_levels
from scheduler.run.directory import Run
from scheduler.run.levels import dates, held_by
from traces.arrays import Array
from traces.numbers import TICK, count
from traces.step_function import means
from traces.times import HOUR_S


def over_time(run: Run, edges: Array) -> Figure:
    """Means between edges: owned devices by workload, rented ones by offer, and what waiting jobs ask for."""
    attempts = run.attempts.merge(run.jobs[["job_id", "workload"]], on="job_id")
    owned = held_by(attempts[~attempts.rented], "workload", edges)
    rented = held_by(attempts[attempts.rented], "where", edges)
    queued = means(run.states.time_s.to_numpy(), run.states.queued_devices.to_numpy(), edges)
    (since_s, devices), x = owned_levels(run), dates(run, edges)
    most = int(devices.max(initial=0))
    figure, axes = panels(3, height=4.8, sharex=True, height_ratios=(2, 1, 1))
    top, middle, bottom = axes[:, 0]
    stack(top, x, owned, workload_colours(owned.columns))
    top.stairs(
        devices,
        dates(run, np.append(since_s, run.end_s)),
        baseline=None,
        color=BLACK,
        linewidth=0.8,
        linestyle="--",
    )
    there = f"the {count(most)} there are" if len(devices) == 1 else f"those there are, up to {count(most)}"
    top.set_title(f"Owned devices held; dashed: {there}")
    stack(middle, x, rented, dict(zip(run.offers, cycle(PALETTE[4:]), strict=False)))
    middle.set_title("Rented devices held, booting included")
    bottom.stairs(queued, x, color=GREY, fill=True)
    bottom.set_title("Reference devices that waiting jobs ask for")
    bottom.set_xlabel(f"{x[0].item().year}, UTC")
    for each in axes[:, 0]:
        each.set_ylabel("devices")
    from_zero(top, middle, bottom)
    figure.align_ylabels()
    return figure


def exact(dates: Array, levels: Mapping[str, Array], title: str) -> Figure:
    """Step functions as logged, a panel each: `dates[i]` to `dates[i + 1]` is at `level[i]`."""
    figure, axes = panels(len(levels), height=0.6 + 1.1 * len(levels), sharex=True)
    for each, (name, level), colour in zip(axes[:, 0], levels.items(), cycle(PALETTE), strict=False):
        each.stairs(level, dates, color=colour, fill=True, alpha=0.35, linewidth=0)
        each.stairs(level, dates, color=colour, linewidth=0.8, baseline=None)
        each.set_title(name)
        each.set_ylabel("devices")
        from_zero(each)
    axes[-1, 0].set_xlabel(title)
    figure.align_ylabels()
    return figure


def pods(dates: Array, held: Array, pod_devices: int, pool: str) -> Figure:
    """Devices held on each pod (rows of `held`) in steps between `dates`, as a share of the pod."""
    figure, ((axes,),) = panels(height=0.9 + 0.26 * len(held))
    rows = np.arange(len(held) + 1) - 0.5
    mesh = axes.pcolormesh(dates, rows, held / pod_devices * 100, vmin=0, vmax=100, rasterized=True)
    axes.set_yticks(range(len(held)))
    axes.invert_yaxis()
    axes.set_ylabel(f"pod of {pool}")
    axes.set_xlabel("UTC")
    axes.tick_params(length=0, axis="y")
    figure.colorbar(mesh, ax=axes, label="% of devices held", aspect=12)
    return figure


def hours_of_week(grids: Mapping[str, Array], unit: Mapping[str, str]) -> Figure:
    """Means by weekday and hour, (7, 24) each, side by side; a scale of its own for each."""
    figure, axes = panels(1, len(grids), height=2.5, sharey=True)
    for each, (name, grid) in zip(axes[0], grids.items(), strict=True):
        mesh = each.pcolormesh(np.arange(25), np.arange(8) - 0.5, grid, rasterized=True)
        each.set_title(name)
        each.set_xticks(range(0, 25, 6))
        each.set_xlabel("hour of the day, UTC")
        each.tick_params(length=0, axis="y")
        figure.colorbar(mesh, ax=each, label=unit[name], format="{x:,g}")
    axes[0, 0].set_yticks(range(7), WEEKDAYS)
    axes[0, 0].invert_yaxis()
    return figure


def waits(wait_s: Array, workload: pd.Series[str]) -> Figure:
    """Share of the jobs that waited longer than so many hours, by workload; both axes logarithmic."""
    figure, ((axes,),) = panels(height=2.8)
    words = np.asarray(workload, str)
    for word, colour in workload_colours(words).items():
        hours = np.sort(wait_s[words == word]) / HOUR_S
        if len(hours):
            longer = 100 * (1 - np.arange(1, len(hours) + 1) / len(hours))
            axes.step(hours, longer, where="post", color=colour, label=word, linewidth=1.4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1 / 60, max(24.0, float(wait_s.max(initial=0)) / HOUR_S))
    axes.set_xticks([1 / 60, 1 / 6, 1, 4, 24, 96], ["1 min", "10 min", "1 h", "4 h", "1 day", "4 days"])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0.01, 100)
    axes.yaxis.set_major_formatter(TICK)
    axes.set_title("Jobs that waited longer than this")
    axes.set_ylabel("% of jobs that started")
    axes.set_xlabel("wait")
    axes.legend(loc="lower left")
    return figure


def gantt(jobs: pd.DataFrame) -> Figure:
    """A row a job: a line while it waits, from `ready` to `start`, and a bar while it runs, to `end`.

    Columns: `label`, `workload`, `rented`, and `ready`, `start` and `end` as dates.
    """
    figure, ((axes,),) = panels(height=0.9 + 0.19 * len(jobs))
    rows = np.arange(len(jobs))
    shown = {str(word) for word in jobs.workload}
    colour_of = workload_colours(shown)
    colours: list[Any] = [colour_of[str(word)] for word in jobs.workload]
    axes.hlines(rows, jobs.ready, jobs.start, color=BLACK, linewidth=1)
    axes.plot(jobs.ready, rows, "|", color=BLACK, markersize=6)
    bars = axes.barh(rows, jobs.end - jobs.start, left=jobs.start, color=colours, height=0.72)
    for bar, rented in zip(bars, jobs.rented, strict=True):
        bar.set(hatch="////" if rented else "", edgecolor="white", linewidth=0)
    axes.set_yticks(rows, jobs.label, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(jobs) - 0.4, -0.6)
    axes.set_xlabel("UTC")
    keys = [Patch(color=colour, label=word) for word, colour in colour_of.items() if word in shown]
    if jobs.rented.any():
        keys.append(Patch(facecolor=GREY, edgecolor="white", hatch="////", label="rented"))
    axes.legend(handles=keys, loc="lower right", bbox_to_anchor=(1, 1), ncols=5, borderaxespad=0.2)
    axes.set_title("Line: waits; bar: runs")
    return figure
