"""What a run waited for: by cause and workload, the worst jobs, and what was free meanwhile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.run.capacity import owned_levels
from scheduler.run.directory import Run
from scheduler.why.about import labels
from scheduler.why.causes import Cause
from scheduler.why.spans import Waits
from traces.arrays import Ints
from traces.step_function import by_cell, row_at
from traces.times import DAY_S, HOUR_S
from traces.trace import Trace

_STEPS_S = (HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S, 28 * DAY_S, 364 * DAY_S)
_MOST_STEPS = 14


class Worst(NamedTuple):
    """A job that waited much."""

    job: str
    workload: str
    gang: int
    waited_s: int
    causes: dict[Cause, int]
    """Seconds by cause, the longest first."""


class StrandedStep(NamedTuple):
    """What was free in a step of time while somebody waited."""

    from_s: int
    to_s: int
    waited_s: int
    """Seconds in which somebody waited for devices."""
    free_device_s: int
    """Devices in service and free in those seconds."""


class RunFigures(NamedTuple):
    """What a run waited for, in all; each as the function of its name says."""

    by_cause: dict[Cause, dict[str, int]]
    patient_device_s: int
    on_pods: dict[Cause, int]
    worst: list[Worst]
    stranded_capacity: list[StrandedStep]

    @classmethod
    def of(cls, run: Run, trace: Trace, waits: Waits) -> RunFigures:
        """Work them out."""
        return cls(
            by_cause(waits, trace),
            patient_device_s(waits, trace),
            on_pods(waits, trace),
            worst(waits, trace),
            stranded_capacity(run),
        )


def device_seconds_waited(waits: Waits, trace: Trace) -> Ints:
    """Return reference devices that each span's job asks for x its seconds."""
    gang = trace.rows(waits.row, ["gang"]).column("gang").to_numpy().astype(np.int64)
    return np.asarray(gang * (waits.to_s - waits.from_s))


def by_cause(waits: Waits, trace: Trace) -> dict[Cause, dict[str, int]]:
    """Return device-seconds of waiting by cause, in their order, and workload; none where there were none."""
    codes, words = trace.codes("workload")
    sums = np.zeros((len(Cause), len(words)), np.int64)
    np.add.at(sums, (waits.cause, codes[waits.row]), device_seconds_waited(waits, trace))
    known = [at for at in np.argsort(words) if sums[:, at].any()]
    return {cause: {words[at]: int(sums[cause, at]) for at in known} for cause in Cause if sums[cause].any()}


def patient_device_s(waits: Waits, trace: Trace) -> int:
    """Return the device-seconds in which those waited who may leave and whose patience was not over."""
    return int(device_seconds_waited(waits, trace)[waits.patient].sum())


def on_pods(waits: Waits, trace: Trace) -> dict[Cause, int]:
    """Return the device-seconds of what is about offers, by what was lacked on pods, the most first."""
    some = (waits.on_pods >= 0) & (waits.on_pods != waits.cause)
    return seconds_by_cause(waits.on_pods[some], device_seconds_waited(waits, trace)[some])


def worst(waits: Waits, trace: Trace, most: int = 10) -> list[Worst]:
    """Return the jobs that waited the most device-seconds once they were ready; of equal ones the first."""
    counts = waits.cause != Cause.DEPENDENCY
    waited = np.zeros(len(trace), np.int64)
    np.add.at(waited, waits.row[counts], device_seconds_waited(waits, trace)[counts])
    rows = np.argsort(-waited, kind="stable")[:most]
    rows = rows[waited[rows] > 0]
    workload, words = trace.codes("workload")
    return [
        Worst(label, words[workload[row]], gang, int(waited[row]) // gang, _causes(waits, row))
        for row, label in zip(rows.tolist(), labels(trace, rows), strict=True)
        for gang in [int(trace.numpy("gang")[row])]
    ]


def seconds_by_cause(cause: Ints, seconds: Ints) -> dict[Cause, int]:
    """Return seconds by cause, the most first; of equal ones in their order."""
    sums = np.bincount(cause, seconds, minlength=len(Cause)).astype(np.int64)
    return {Cause(at): int(sums[at]) for at in np.argsort(-sums, kind="stable") if sums[at]}


def _causes(waits: Waits, row: int) -> dict[Cause, int]:
    theirs = slice(*np.searchsorted(waits.row, [row, row + 1]))
    cause, seconds = waits.cause[theirs], (waits.to_s - waits.from_s)[theirs]
    ready = cause != Cause.DEPENDENCY
    return seconds_by_cause(cause[ready], seconds[ready])


def stranded_capacity(run: Run) -> list[StrandedStep]:
    """Return what was free of all pools while somebody waited, in steps of equal width, at most 14."""
    states = run.table("states")
    level = {name: states.column(name).to_numpy() for name in states.column_names}
    waits = level["queued_jobs"] > 0
    taken = sum(level[f"{what}_{pool}"] for pool in run.pools for what in ("busy", "down"))
    since_s, owned = owned_levels(run)
    free = waits * (owned[row_at(since_s, level["time_s"])] - np.asarray(taken))
    wide_enough = (step for step in _STEPS_S if run.length_s <= step * _MOST_STEPS)
    step_s = next(wide_enough, -(-run.length_s // _MOST_STEPS))
    edges = np.append(np.arange(run.start_s, run.end_s, step_s), run.end_s)
    time_s = level["time_s"]
    columns = (
        edges[:-1],
        edges[1:],
        by_cell(time_s, waits.astype(np.int64), edges),
        by_cell(time_s, free, edges),
    )
    return [StrandedStep(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
