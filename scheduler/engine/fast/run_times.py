"""How long jobs run, and should run, on devices that are faster or slower than the reference."""

from __future__ import annotations

import numpy as np

from scheduler.engine.fast.asked import AskedJobs, integers
from scheduler.engine.fast.layout import Layout
from scheduler.engine.need import Need
from traces.arrays import Bools, Ints

RunTimePlaces = dict[int, tuple[int, int]]
"""Where run times and estimates stand, by column of what gangs take."""


def put_run_times(layout: Layout, asked: AskedJobs) -> RunTimePlaces:
    """Put run times and estimates by row where they are not those of the trace; return where, by column.

    They are asked for once for all jobs that have the same factor there, as there are many shapes.
    """
    plain = [integers(asked.trace, name) for name in ("runtime_s", "estimate_s")]
    alike: dict[tuple[int, float], tuple[Need, Bools]] = {}
    for number, shape in enumerate(asked.shapes):
        for need in (*shape.owned, *shape.rented):
            if need.factor != 1.0:
                nobody = np.zeros(len(asked.shapes), bool)
                alike.setdefault((need.column, need.factor), (need, nobody))[1][number] = True
    found: dict[int, list[Ints]] = {}
    for need, theirs in alike.values():
        some = np.flatnonzero(theirs[asked.shape_of])
        times = found.setdefault(need.column, [column.copy() for column in plain])
        for column, reference in zip(times, plain, strict=True):
            column[some] = need.runs_s(reference[some])
    return {at: (layout.put(runs), layout.put(due)) for at, (runs, due) in found.items()}
