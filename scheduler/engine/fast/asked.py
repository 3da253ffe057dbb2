"""What the compiled loop has to know beforehand of jobs: asked of the policy and of what gangs take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

import numpy as np

from scheduler.engine.fast.memory import NEVER_BURSTS
from scheduler.engine.jobs import JOBS_AT_ONCE, Fit, Job, Shape, of_rows, shapes_by_row
from scheduler.engine.need import Need, whole_s
from scheduler.policy import Policy
from traces.arrays import Array, Ints
from traces.trace import Trace

_NO_LINE = -1


class AllJobs(NamedTuple):
    """All jobs at once, for policies that only reckon with these."""

    submit_s: Ints
    estimate_s: Ints
    gang: Ints
    priority: Ints

    @property
    def done_s(self) -> int:
        """Nobody has been interrupted."""
        return 0


def columns_of(trace: Trace) -> AllJobs:
    """Return the jobs of a trace at once."""
    return AllJobs(*[integers(trace, name) for name in AllJobs._fields])


def longest_patience_s(trace: Trace, policy: Policy) -> float:
    """Return how long any job is patient at most, of those that are not for ever."""
    patience: Any = policy.patience
    values = np.asarray(patience(columns_of(trace), None), float)
    return float(np.max(values, where=values < inf, initial=0.0))


class AskedJobs:
    """A trace, and what its jobs take.

    `by_column` is what the columns have to hold for the order to be asked for all jobs at once, None where
    it cannot be.
    """

    def __init__(self, trace: Trace, fit: Fit, policy: Policy, *, by_column: type | None) -> None:
        self.trace, self._policy, self._fit = trace, policy, fit
        self.shape_of, shapes = shapes_by_row(trace, fit)
        self.shapes = [shape if policy.first is None else _admitted(shape) for shape in shapes]
        self._columns = columns_of(trace)
        self.by_rank = self._by_rank(by_column)

    @cached_property
    def some(self) -> Callable[[Ints], list[Job]]:
        """Gives the jobs of some rows of the trace."""
        return of_rows(self.trace, self._fit)

    def forget_columns(self) -> None:
        """Keep only what is asked for while the lane runs."""
        del self._columns, self.by_rank

    def _by_rank(self, by_column: type | None) -> Ints:
        """Return all jobs in order."""
        order: Any = self._policy.order
        if by_column is not None:
            keys = self._keys(by_column)
        else:
            rows = np.arange(len(self.trace))
            blocks = (self.some(rows[at : at + JOBS_AT_ONCE]) for at in range(0, len(rows), JOBS_AT_ONCE))
            keys = np.array([order(job, None) for block in blocks for job in block], float)
        ids = self.trace.numpy("job_id")
        if (keys[1:] >= keys[:-1]).all() and (ids[1:] > ids[:-1]).all():
            return np.arange(len(ids))
        return np.lexsort((ids, keys))

    def _keys(self, by_column: type) -> Array:
        """Return the key of each job, asked for many at a time: integers that are objects take much room."""
        order: Any = self._policy.order
        kind = float if by_column is object else None
        keys = []
        for at in range(0, max(len(self.trace), 1), JOBS_AT_ONCE):
            block = slice(at, at + JOBS_AT_ONCE)
            some: list[Any] = [column[block].astype(by_column, copy=False) for column in self._columns]
            keys.append(np.asarray(order(AllJobs(*some), None), kind))
        return np.concatenate(keys)

    def patience_s(self) -> Ints:
        """Return how many whole seconds each job is patient."""
        patience: Any = self._policy.patience
        values, of_job = _distinct(patience(self._columns, None), len(self.trace))
        whole = [NEVER_BURSTS if value == inf else whole_s(value) if value > 0 else 0 for value in values]
        return np.array(whole, np.int64)[of_job]

    def offers(self, offers: int, first_offer: int) -> tuple[Ints, Ints]:
        """Return the seconds to begin on each offer by case, and the case of each job."""
        input_tb, of_job = _distinct(self.trace.numpy("input_tb"), len(self.trace))
        ready_s = np.zeros((offers, len(input_tb)), np.int64)
        for rental in {need.column: need for shape in self.shapes for need in shape.rented}.values():
            ready_s[rental.column - 1 - first_offer] = rental.all_ready_s(np.array(input_tb))
        return ready_s, of_job


def _distinct(values: Any, count: int) -> tuple[list[float], Ints]:
    """Return the distinct ones of a value a job, or of one for all, and which of them is each job's."""
    column = np.broadcast_to(np.asarray(values, float), count)
    if not count or (column == column[0]).all():
        return column[:1].tolist() or [0.0], np.broadcast_to(np.int64(0), count)
    distinct, of_job = np.unique(column, return_inverse=True)
    return distinct.tolist(), of_job


def _admitted(shape: Shape) -> Shape:
    """Where all that may are to rent at once."""
    return shape.elsewhere() if shape.owned and shape.rented else shape


def integers(trace: Trace, name: str) -> Ints:
    """Return a column of the trace as the compiled loop reads it."""
    return np.ascontiguousarray(trace.numpy(name), np.int64)


class Taken(NamedTuple):
    """The lines of one side."""

    line_of: Ints
    """By shape; less than 0 where it takes nothing."""
    needs: list[Sequence[Need]]
    """By line."""


def lines_of(sides: Sequence[Sequence[Need]]) -> Taken:
    """Put shapes that take the same in one line."""
    known: dict[tuple[object, ...], int] = {}
    lines, taken = np.full(len(sides), _NO_LINE), []
    for number, needs in enumerate(sides):
        key = tuple((need.column, need.devices, need.used, need.factor) for need in needs)
        if needs and key not in known:
            known[key] = len(known)
            taken.append(needs)
        lines[number] = known.get(key, _NO_LINE)
    return Taken(lines, taken)
