"""How evenly those who share a cluster were served: what each had beside what was due to it.

Due is the max-min fair division of what all had together: by shares, and to nobody more than it asked for
(Bertsekas & Gallager, "Data Networks", 1992, 6.5.2). Where all that was asked for is done, all is as due.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.run.directory import Run
from scheduler.run.groups import words_in
from scheduler.run.job_figures import ready_jobs, reference_work_s, slowdown
from traces.arrays import Floats, filtered
from traces.times import HOUR_S


class Served(NamedTuple):
    """What some jobs asked for, had and should have had, in hours of reference devices."""

    share: float
    """Weight among the others."""
    asked_h: float
    had_h: float
    due_h: float
    slowdown: float
    """Mean bounded slowdown of its jobs that finished; NaN where none did."""


def served(run: Run, jobs: pa.Table, by: str) -> dict[str, Served]:
    """Return how each word of a column was served, from some of the `worked_jobs` of a run.

    Owners have the `shares` of the scenario; others, and all words of other columns, are alike.
    Jobs that were turned away, or were not ready before the end, asked for nothing.
    """
    shares = run.description["scenario"]["shares"] if by == "owner" else {}
    ready = {name: ready_jobs(filtered(jobs, rows)) for name, rows in words_in(jobs, by).items()}
    asked_h = np.array([reference_work_s(group).sum() / HOUR_S for group in ready.values()])
    had_h = np.array([group.column("done_s").to_numpy().sum() / HOUR_S for group in ready.values()])
    share = np.array([float(shares.get(name, 1.0)) for name in ready])
    slow = (slowdown(group)["slowdown_mean"] for group in ready.values())
    rows = zip(share, asked_h, had_h, max_min(had_h.sum(), share, asked_h), slow, strict=True)
    return {name: Served(*map(float, row)) for name, row in zip(ready, rows, strict=True)}


def fairness(groups: Mapping[str, Served]) -> dict[str, float]:
    """Return Jain's index of what groups had for what was due, and of their speed, and the share error.

    Speed is 1 over the mean bounded slowdown. NaN where there is nothing to divide.
    """
    had, due, slow = (
        np.array([getattr(group, name) for group in groups.values()])
        for name in ("had_h", "due_h", "slowdown")
    )
    return {
        "jain_due": jain_index(had[due > 0] / due[due > 0]),
        "jain_speed": jain_index(1 / slow[~np.isnan(slow)]),
        "share_error": share_error(had, due),
    }


def jain_index(values: Floats) -> float:
    """Return Jain's index: 1 where all have alike, 1/n where one of n has all; NaN where nobody has any.

    Jain, Chiu & Hawe, "A Quantitative Measure of Fairness", DEC-TR-301, 1984.
    """
    squares = float(np.dot(values, values))
    return float(values.sum()) ** 2 / (len(values) * squares) if squares else float("nan")


def share_error(had: Floats, due: Floats) -> float:
    """Return the share of all that was had by others than it was due to, from 0 to 1; NaN of nothing."""
    total = float(had.sum())
    return float(np.abs(had - due).sum()) / (2 * total) if total else float("nan")


def max_min(total: float, share: Floats, most: Floats) -> Floats:
    """Divide a total by shares such that nobody has more than its most, and what is left goes to the rest."""
    due, open_ = np.zeros(len(share)), np.ones(len(share), bool)
    for at in np.argsort(most / share, kind="stable"):
        level = (total - due.sum()) / share[open_].sum()
        due[at] = min(most[at], share[at] * level)
        open_[at] = False
    return due
