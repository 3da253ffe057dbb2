"""Two runs of the same jobs side by side, as one in bad weather and one in fair."""

from __future__ import annotations

from scheduler.run.directory import Run
from scheduler.run.figures import main_figures
from traces.numbers import count, decimal, difference, duration, percent
from traces.tables import TableCells

_SHOWN = (
    ("jobs finished", "finished", count),
    ("jobs killed", "killed", count),
    ("wait p50", "wait_p50_s", duration),
    ("wait p95", "wait_p95_s", duration),
    ("half of the work waited", "waited_by_work_p50_s", duration),
    ("nine tenths of it", "waited_by_work_p90_s", duration),
    ("slowdown mean", "slowdown_mean", decimal),
    ("utilization", "utilization", percent),
    ("goodput", "goodput", percent),
    ("burst device-hours", "burst_device_h", count),
    ("deadlines missed", "missed", count),
    ("campaigns late", "campaigns_late", count),
    ("USD", "usd_total", count),
    ("USD rented", "usd_rented", count),
    ("USD per kept device-hour", "usd_per_kept_device_h", decimal),
)
"""Head, figure of `scheduler.run.figures`, and how it is written."""


def beside(run: Run, other: Run) -> str:
    """Render the figures `held_beside` each other."""
    return held_beside(run, other).text()


def held_beside(run: Run, other: Run) -> TableCells:
    """Return the figures of a run, those of another, and what the run has more."""
    ours, theirs = main_figures(run), main_figures(other)
    rows = [
        [head, write(ours[name]), write(theirs[name]), difference(ours[name] - theirs[name], write)]
        for head, name, write in _SHOWN
    ]
    one, two = names_apart(run, other)
    header = [f"beside {two}", one, two, "difference"]
    return TableCells(header, rows, (1, 2, 3))


def names_apart(run: Run, other: Run) -> tuple[str, str]:
    """Return the names of two runs' folders, with as much of the path as tells them apart."""
    paths = [each.folder.resolve().parts for each in (run, other)]
    for length in range(1, max(map(len, paths))):
        one, two = ("/".join(path[-length:]) for path in paths)
        if one != two:
            return one, two
    return run.folder.name, other.folder.name
