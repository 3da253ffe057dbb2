"""The jobs of a run as they stand at an instant, for another run to begin with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import Bools, Ints, is_word, rows_of, sorted_by, word_column
from traces.record import Record
from traces.trace import NO_VALUE, Trace
from traces.warm import opened, place_of

_JOBS = ["job_id", "state", "end_s", "ready_s"]
_ENDS = ("finished", "killed", "rejected")
_ATTEMPTS = ["job_id", "where", "pods", "alloc_s", "end_s", "kept_s"]


def warm_from(run: Run, trace: Trace, at_s: int | None = None) -> Trace:
    """Return a trace that opens as a run over `trace` stood at a second, by default at its end.

    It has the jobs that ran and waited then, and those that came from then on. Who ran holds the same
    devices; who was interrupted before has what was left of its run time. Raises TraceError where nothing
    is left.
    """
    at_s = run.end_s if at_s is None else at_s
    ids = trace.numpy("job_id")
    attempts = sorted_by(run.table("attempts", _ATTEMPTS), "alloc_s")
    attempts = attempts.filter(pc.less(attempts.column("alloc_s"), at_s))
    row = rows_of(ids, attempts.column("job_id").to_numpy())
    end_s = attempts.column("end_s").to_numpy()
    ended = Departed.of(run, trace, at_s)
    runs = np.flatnonzero((end_s >= at_s) & ~ended.gone[row])
    done_s = np.bincount(row, attempts.column("kept_s").to_numpy() * (end_s < at_s), len(trace)).astype(
        np.int64
    )
    columns = _recorded(trace, attempts.take(pa.array(runs)), row[runs])
    for name in ("runtime_s", "estimate_s"):
        columns[name] = pa.array(np.maximum(1, trace.numpy(name) - done_s))
    return opened(trace, at_s, ended.gone, ended.ready_s, columns)


class Departed(NamedTuple):
    """By row of the trace: who is gone at a second, and from when on the others could start."""

    gone: Bools
    ready_s: Ints

    @classmethod
    def of(cls, run: Run, trace: Trace, at_s: int) -> Departed:
        """Read it from a run; who ends at the very second is gone only where the run ends there too."""
        jobs = run.table("jobs", _JOBS)
        jobs = jobs.take(
            pa.array(np.argsort(rows_of(trace.numpy("job_id"), jobs.column("job_id").to_numpy())))
        )
        end_s = pc.fill_null(jobs.column("end_s"), NO_VALUE).to_numpy()
        finished, killed, rejected = (is_word(jobs.column("state"), word) for word in _ENDS)
        over = (finished | killed) & (end_s < at_s + (at_s == run.end_s))
        turned_away = rejected & (trace.numpy("submit_s") < at_s) & (trace.after.counts() == 0)
        lost = _with_followers(trace, (over & killed) | turned_away)
        ends_s = np.where(finished, end_s, NO_VALUE)
        return cls(over | lost, Record(trace.numpy("gang"), ends_s, ends_s).ready_s(trace))


def _with_followers(trace: Trace, lost: Bools) -> Bools:
    """Add all who come, one after another, after those who are lost."""
    follower, before = np.repeat(np.arange(len(trace)), trace.after.counts()), 0
    while before < (before := int(lost.sum())):
        lost[follower[lost[trace.after.rows]]] = True
    return lost


def _recorded(trace: Trace, attempts: pa.Table, row: Ints) -> dict[str, Any]:
    """Return the recorded columns of a trace of which these attempts run, and nothing else is known."""
    start_s, code = np.full((2, len(trace)), NO_VALUE)
    start_s[row] = attempts.column("alloc_s").to_numpy()
    where, pods = attempts.column("where").to_pylist(), attempts.column("pods").to_pylist()
    places = [place_of(name, tuple(held)) for name, held in zip(where, pods, strict=True)]
    names = [*dict.fromkeys(places)]
    numbers = {name: at for at, name in enumerate(names)}
    code[row] = [numbers[place] for place in places]
    return {
        "recorded_start_s": pa.array(start_s, mask=start_s == NO_VALUE),
        "recorded_end_s": pa.nulls(len(trace), pa.int64()),
        "recorded_where": word_column(np.maximum(code, 0), names, code == NO_VALUE),
    }
