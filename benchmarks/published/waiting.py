"""A waiting budget shared out in four ways, and what it saves beside not waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from benchmarks.published.runs import Figures
from benchmarks.published.tables import interval
from traces.arrays import Array
from traces.trace import Trace

C = TypeVar("C")

AT_ONCE = "at_once"
NAMES = {
    "after": "constant-wait",
    "per_runtime": "runtime-wait",
    "per_gang": "resource-wait",
    "per_work": "compute-wait",
}
"""Our name of each way to wait, and Starburst's."""


def patiences(trace: Trace, budget: float) -> dict[str, str]:
    """Return the four ways to wait `budget` percent of the mean run time, on average over the jobs.

    Only jobs that may leave the site count: the others are never asked.
    """
    codes, words = trace.codes("residency")
    free = np.array([word == "any" for word in words])[codes]
    runtime_s = trace.numpy("runtime_s")[free].astype(np.float64)
    gang = trace.numpy("gang")[free].astype(np.float64)
    wait_s = budget / 100 * runtime_s.mean()
    waits_for = {
        "after": 1.0,
        "per_runtime": runtime_s.mean(),
        "per_gang": gang.mean(),
        "per_work": (gang * runtime_s).mean(),
    }
    return {way: f"{way}:{wait_s / waits_for[way]:.9f}" for way in NAMES}


def beside(figures: Mapping[tuple[C, int], Figures], case: C, base: C, figure: str) -> Array:
    """Return a case's figure over that of another case with the same jobs, one for each seed."""
    seeds = sorted({seed for _case, seed in figures})
    return np.array(
        [getattr(figures[case, seed], figure) / getattr(figures[base, seed], figure) for seed in seeds]
    )


def trade(figures: Mapping[tuple[C, int], Figures], case: C, base: C, rent: str) -> str:
    """Render the rent saved and the completion time lost beside another case, in percent."""
    saved = 100 * (1 - beside(figures, case, base, rent))
    slower = 100 * (beside(figures, case, base, "turnaround_s") - 1)
    return f"{interval(saved, '.0f')}, {interval(slower, '+.1f')}"
