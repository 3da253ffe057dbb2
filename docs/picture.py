"""Draw a finished run: owned devices in use, rented devices and the queue over time.

python docs/picture.py runs/demo docs/demo.png
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from scheduler.run import Run, open_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"fsd": "#0072B2", "optimus": "#E69F00", "tenant": "#009E73", "other": "#CC79A7"}
"""By workload; of Okabe and Ito's palette, which colour-blind readers can tell apart."""

STEP_S = 7_200
"""The curves are means over two hours, so that areas stay true."""

Array = np.ndarray[Any, Any]


def main() -> None:
    """Read the run and write the picture."""
    folder, out = sys.argv[1:]
    draw(open_run(folder)).savefig(Path(out), dpi=200, pil_kwargs={"optimize": True})


def draw(run: Run) -> Figure:
    """Return three panels over one axis of dates; the devices are stacked by workload."""
    mpl.use("agg")
    from matplotlib import pyplot as plt

    mpl.rcParams |= {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}
    mpl.rcParams |= {"axes.xmargin": 0, "date.autoformatter.day": "%d %b"}
    figure, (owned, rented, queue) = plt.subplots(
        3, sharex=True, figsize=(8, 4.6), layout="constrained", height_ratios=(2, 1, 1)
    )
    edges = np.append(np.arange(0, run.end_s, STEP_S), run.end_s)
    start = np.datetime64(run.description["trace"]["epoch"].removesuffix("+00:00"), "s")
    dates = start + edges
    attempts = run.attempts.merge(run.jobs[["job_id", "workload"]], on="job_id")

    _stack(owned, dates, edges, attempts[~attempts.rented])
    capacity = sum(run.pools.values())
    owned.axhline(capacity, color="black", linewidth=0.8, linestyle="--")
    owned.set_ylim(0, 1.12 * capacity)
    owned.set_title(f"Owned devices in use; dashed: the {capacity:,} there are", loc="left", fontsize=8)
    owned.legend(loc="upper right", ncols=len(COLOURS), frameon=False, borderaxespad=0)

    _stack(rented, dates, edges, attempts[attempts.rented])
    rented.set_title("Rented devices", loc="left", fontsize=8)

    waiting = _means(run.states.time_s.to_numpy(), run.states.queued_devices.to_numpy(), edges)
    queue.fill_between(dates, waiting, color="#777777", linewidth=0, step="post")
    queue.set_title("Devices that waiting jobs ask for", loc="left", fontsize=8)
    queue.set_xlabel(f"{start.item().year}, UTC")
    _scale(figure)
    return figure


def _scale(figure: Figure) -> None:
    for axes in figure.axes:
        axes.set_ylim(bottom=0)
        axes.set_ylabel("devices")
        axes.yaxis.set_major_formatter("{x:,.0f}")
    figure.align_ylabels()


def _stack(axes: Axes, dates: Array, edges: Array, attempts: pd.DataFrame) -> None:
    groups = {name: attempts[attempts.workload == name] for name in COLOURS}
    shown = {name: group for name, group in groups.items() if len(group)}
    levels = [_held(group, edges) for group in shown.values()]
    colours = [COLOURS[name] for name in shown]
    if shown:
        axes.stackplot(dates, *levels, labels=list(shown), colors=colours, linewidth=0, step="post")


def _held(attempts: pd.DataFrame, edges: Array) -> Array:
    """Return the devices that the attempts hold in each step, the last one twice."""
    time = np.concatenate([attempts.alloc_s, attempts.end_s])
    change = np.concatenate([attempts.devices, -attempts.devices])
    order = np.argsort(time, kind="stable")
    return _means(time[order], np.cumsum(change[order]), edges)


def _means(time: Array, level: Array, edges: Array) -> Array:
    """Return the mean in each step, the last one twice, of a level that is 0 before its first instant."""
    knots = np.concatenate([[0], time, [edges[-1]]])
    area = np.concatenate([[0, 0], np.cumsum(np.diff(knots[1:]) * level)])
    means = np.diff(np.interp(edges, knots, area)) / np.diff(edges)
    return np.append(means, means[-1])


if __name__ == "__main__":
    main()
