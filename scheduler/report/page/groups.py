"""Who jobs are told apart by on a page: workload and owner, and the steps of time that are added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.run.directory import Run
from scheduler.run.levels import steps
from traces.arrays import Array, Ints, combinations, rows_of, sorted_by
from traces.times import DAY_S, HOUR_S

MOST_STEPS = 120
MOST_OWNERS = 60
_OTHERS = "(other owners)"
_STEPS_S = (60, 300, 900, HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, DAY_S, 7 * DAY_S)


class Groups(NamedTuple):
    """Each job's group by its id, and what a group is: a workload and an owner."""

    job_id: Ints
    group: Ints
    workload: list[str]
    owner: list[str]

    def of(self, job_id: Array) -> Ints:
        """Return the groups of jobs."""
        return self.group[rows_of(self.job_id, job_id)]


def groups(run: Run) -> Groups:
    """Group the jobs of a run; owners beyond the `MOST_OWNERS` with the most jobs are put together."""
    jobs = sorted_by(run.table("jobs", ["job_id", "workload", "owner"]), "job_id")
    owner = jobs.column("owner").cast(pa.string()).to_numpy()
    names, counts = np.unique(owner.astype(str), return_counts=True)
    if len(names) > MOST_OWNERS:
        kept = names[np.argsort(-counts, kind="stable")[:MOST_OWNERS]]
        owner = np.where(np.isin(owner.astype(str), kept), owner, _OTHERS)
    workload = jobs.column("workload").cast(pa.string())
    first, group = combinations([workload, pa.chunked_array([pa.array(owner, pa.string())])])
    words = workload.take(pa.array(first)).to_pylist()
    return Groups(jobs.column("job_id").to_numpy(), group, words, owner[first].tolist())


def time_steps(run: Run) -> Array:
    """Return the edges of at most `MOST_STEPS` steps of a round width."""
    length_s = max(1, run.length_s)
    wide = (step_s for step_s in _STEPS_S if length_s <= step_s * MOST_STEPS)
    return steps(run.start_s, run.start_s + length_s, next(wide, -(-length_s // MOST_STEPS)))


def step_of(edges: Array, time_s: Array) -> Ints:
    """Return the step in which instants lie; what lies outside counts to the first or the last."""
    return np.clip(np.searchsorted(edges, time_s, "right") - 1, 0, len(edges) - 2)


def numbered(words: Sequence[str], values: pa.ChunkedArray) -> Ints:
    """Return the place of each value among words."""
    place = {word: at for at, word in enumerate(words)}
    return np.array([place[value] for value in values.cast(pa.string()).to_pylist()], np.int64)
