"""The spans in which jobs did not work, from the logs alone: before, between and after their attempts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from scheduler.scenario import RetrySpec
from scheduler.why.causes import Cause
from traces.arrays import Array, Bools, Ints, is_word, rows_of
from traces.parquet import Limits
from traces.trace import Trace

WAITS_FOR_DEVICES = -1
"""Stands for the cause where it is not known yet."""
_AGAIN = ("failed", "reclaimed", "preempted", "migrated")
_JOBS = ["job_id", "ready_s", "state", "reason"]
ATTEMPTS_READ = ["job_id", "attempt", "where", "rented", "pods", "devices"]
ATTEMPTS_READ += ["alloc_s", "start_s", "end_s", "outcome", "kept_s"]
"""The columns of attempts.parquet that tell who waited, and who held what."""


class Gaps(NamedTuple):
    """Spans by column, none of which is empty; `row` is the job's in the trace.

    `after` is the number of the attempt that came before, in `Logged`, or is going on; -1 for none.
    """

    row: Ints
    from_s: Ints
    to_s: Ints
    cause: Ints
    after: Ints

    def some(self, rows: Bools | Ints) -> Gaps:
        """Return those of some rows."""
        return Gaps(*(column[rows] for column in self))


def ids_of(trace: Trace, rows: Ints | None) -> Limits | None:
    """Return within which limits the ids of some rows of the trace are; None for all rows."""
    ids = None if rows is None else trace.numpy("job_id")[rows]
    return None if ids is None else {"job_id": (int(ids.min()), int(ids.max()))}


class Logged:
    """The jobs of a run by row of the trace, and their attempts in order of row and number.

    Of all jobs, of which `attempts` are all, or of some rows of the trace.
    """

    def __init__(self, run: Run, attempts: pa.Table, trace: Trace, rows: Ints | None = None) -> None:
        self.end_s = run.end_s
        ids = trace.numpy("job_id")
        self.rows = np.arange(len(trace)) if rows is None else rows
        jobs = run.table("jobs", _JOBS, ids_of(trace, rows))
        attempts = attempts.drop_columns(["pods", "devices"])
        if rows is not None:
            wanted = pa.array(ids[rows])
            jobs, attempts = (
                table.filter(pc.is_in(table.column("job_id"), wanted)) for table in (jobs, attempts)
            )
        order = _order(rows_of(ids, jobs.column("job_id").to_numpy()))
        self.jobs = jobs = jobs if order is None else jobs.take(pa.array(order))
        self.ready_s: Ints = jobs.column("ready_s").to_numpy()
        self.unfinished = is_word(jobs.column("state"), "unfinished")
        self.waits_for_others = is_word(jobs.column("reason"), "waits for another job")
        self.unsubmitted = is_word(jobs.column("reason"), "not yet submitted")
        self._attempts = attempts
        at, number = rows_of(ids, attempts.column("job_id").to_numpy()), attempts.column("attempt").to_numpy()
        most = int(number.max(initial=1))
        self._order = _order(at * most + (number - 1))
        self.row = self._in_order(at)
        self.job = self.row if rows is None else np.searchsorted(self.rows, self.row)
        self.first = np.diff(self.row, prepend=-1) != 0
        self.last = np.diff(self.row, append=-1) != 0
        self.alloc_s, self.over_s, kept_s = (self._ints(name) for name in ("alloc_s", "end_s", "kept_s"))
        started_s = pc.coalesce(attempts.column("start_s"), attempts.column("end_s"))
        self.start_s: Ints = self._in_order(started_s.to_numpy())
        done_s = np.cumsum(kept_s)
        before_s = np.where(self.first, done_s - kept_s, 0)
        self.done_s: Ints = done_s - np.maximum.accumulate(before_s) if len(done_s) else done_s
        """Reference seconds that the job had got done and kept when the attempt was over."""
        self.rented: Bools = self._in_order(attempts.column("rented").to_numpy())
        outcome = attempts.column("outcome")
        self.failed = self._in_order(is_word(outcome, "failed"))
        self.again = self._in_order(is_word(outcome, *_AGAIN))

    def _in_order(self, column: Array) -> Array:
        return column if self._order is None else column[self._order]

    def _ints(self, name: str) -> Ints:
        return self._in_order(self._attempts.column(name).to_numpy())

    def where(self, attempts: Ints) -> list[str]:
        """Return the pool or offer of some attempts."""
        rows = attempts if self._order is None else self._order[attempts]
        names = self._attempts.column("where").cast(pa.string()).take(pa.array(rows))
        words: list[str] = names.to_pylist()
        return words

    def before(self, after: Ints) -> tuple[Ints, Bools]:
        """Return what a job had done after each attempt, -1 for none, and whether that was rented."""
        return np.append(self.done_s, 0)[after], np.append(self.rented, False)[after]

    def rested_s(self, retries: RetrySpec) -> Ints:
        """Return when a job may be tried again after each attempt: at its end, or after a back-off."""
        place = np.arange(len(self.row))
        sound = np.where(self.failed, np.where(self.first, place - 1, -1), place)
        times = place - np.maximum.accumulate(sound) if len(place) else place
        doubled = retries.backoff_s << np.minimum(np.maximum(times - 1, 0), 32)
        return self.over_s + np.where(self.failed, np.minimum(retries.backoff_most_s, doubled), 0)


def gaps(logged: Logged, trace: Trace, retries: RetrySpec) -> Gaps:
    """Return the spans in which jobs did not work, in order of row and time."""
    log, rested_s = logged, logged.rested_s(retries)
    number = np.arange(len(log.row))
    since_s = np.where(log.first, log.ready_s[log.job], np.append(0, rested_s[:-1])[: len(number)])
    before = np.where(log.first, -1, number - 1)
    left = log.last & log.again & log.unfinished[log.job]
    idle = np.ones(len(log.rows), bool)
    idle[log.job] = False
    idle &= log.unfinished & ~log.unsubmitted
    waits, held = idle & ~log.waits_for_others, idle & log.waits_for_others
    submit_s = trace.numpy("submit_s")[log.rows]
    late = ~held & ~log.unsubmitted & (log.ready_s > submit_s)
    end_s = np.full(max(len(number), len(log.rows)), log.end_s)
    none = np.full(len(log.rows), -1)
    parts = [
        (log.row, since_s, log.alloc_s, WAITS_FOR_DEVICES, before),
        (log.row, log.alloc_s, log.start_s, Cause.STARTING, number),
        *_of(log.again, (log.row, log.over_s, np.minimum(rested_s, log.end_s), Cause.BACK_OFF, number)),
        *_of(left, (log.row, rested_s, end_s[: len(number)], WAITS_FOR_DEVICES, number)),
        *_of(waits, (log.rows, log.ready_s, end_s[: len(log.rows)], WAITS_FOR_DEVICES, none)),
        *_of(held, (log.rows, submit_s, end_s[: len(log.rows)], Cause.DEPENDENCY, none)),
        *_of(late, (log.rows, submit_s, log.ready_s, Cause.DEPENDENCY, none)),
    ]
    columns = [_spans(*part) for part in parts]
    found = Gaps(*(np.concatenate(column).astype(np.int64) for column in zip(*columns, strict=True)))
    return found.some(np.lexsort([found.from_s, found.row]))


def _spans(row: Ints, from_s: Ints, to_s: Ints, cause: int, after: Ints) -> tuple[Ints, ...]:
    """Return those that are not empty, by column; most jobs wait for nothing."""
    some = np.flatnonzero(from_s < to_s)
    return row[some], from_s[some], to_s[some], np.full(len(some), cause), after[some]


_Part = tuple[Ints, Ints, Ints, int, Ints]


def _of(rows: Bools, part: _Part) -> list[_Part]:
    row, from_s, to_s, cause, after = part
    return [(row[rows], from_s[rows], to_s[rows], cause, after[rows])]


def _order(keys: Ints) -> Ints | None:
    """Return in which order keys ascend, all of which differ; None where they do so already."""
    if bool((keys[1:] > keys[:-1]).all()):
        return None
    most = int(keys.max())
    if most > 4 * len(keys) + 1_000:
        return np.argsort(keys)
    place = np.full(most + 1, -1)
    place[keys] = np.arange(len(keys))
    return place[place >= 0]
