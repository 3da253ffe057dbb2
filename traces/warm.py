"""Traces that open warm: at their first instant jobs run and wait already, as in the middle of a log.

Such a trace says in its source at which second it opens. A job with a recorded start before that runs then,
where `recorded_where` says; `NAME:0,3` are pods 0 and 3 of pool NAME. Others that were submitted before wait.
A job without predecessors, as these have ended, is ready `after_lag_s` after its own submission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools, Ints, is_word, with_columns
from traces.numbers import minute
from traces.record import Record
from traces.schema import TraceError
from traces.submissions import derived_source, numbered_from, without_lost
from traces.times import DAY_S
from traces.trace import NO_VALUE, OPENS, Trace


class RunsAlready(NamedTuple):
    """A job, by row of the trace, that runs when it opens: since when it holds devices, and where.

    Where the trace does not know, the name is empty, and so are the pods.
    """

    row: int
    since_s: int
    where: str
    pods: tuple[int, ...]


def warm_at(trace: Trace, at_s: int) -> Trace:
    """Return what is left of a trace at a second: jobs that run, wait or come then, by its record.

    A job that ended at that very second still runs, one that started then still waits. Raises TraceError
    where there is no record, or nothing is left.
    """
    record, submit_s = Record.of(trace), trace.numpy("submit_s")
    ended = record.end_s != NO_VALUE
    gone = ended & (record.end_s < at_s)
    gone |= ~record.started & ~ended & is_word(trace.table.column("outcome"), "cancelled") & (submit_s < at_s)
    return opened(trace, at_s, gone, record.ready_s(trace))


def opened(
    trace: Trace, at_s: int, gone: Bools, ready_s: Ints, recorded: Mapping[str, Any] | None = None
) -> Trace:
    """Return a trace that opens at a second, without the jobs that are gone by then.

    `ready_s` says from when on a job could start, if all that it came after are gone; `recorded` are columns
    to put in place of the trace's. Raises TraceError where nothing is left.
    """
    if gone.all():
        raise TraceError(f"no job runs, waits or comes at {trace.instant(at_s):%Y-%m-%d %H:%M:%S} UTC")
    lag_s, had = ready_s - trace.numpy("submit_s"), trace.after.counts() > 0
    table, _ = without_lost(with_columns(trace.table, recorded or {}).filter(pa.array(~gone)))
    table = table.combine_chunks()
    keeps = np.asarray(table.column("after").is_valid())
    own_lag_s, lag_s, had = trace.numpy("after_lag_s")[~gone], lag_s[~gone], had[~gone]
    lag_s = np.where(keeps, own_lag_s, np.where(had & (lag_s > 0), lag_s, NO_VALUE))
    lags = pa.array(lag_s, pa.int64(), mask=lag_s == NO_VALUE)
    return Trace(with_columns(table, {"after_lag_s": lags})).from_source(derived_source(trace, {OPENS: at_s}))


def runs_already(trace: Trace) -> list[RunsAlready]:
    """Return who runs when the trace opens, in order of their starts; nobody unless it opens warm."""
    if trace.opens_s is None:
        return []
    start_s = trace.numpy("recorded_start_s")
    rows = np.flatnonzero((start_s != NO_VALUE) & (start_s < trace.opens_s))
    rows = rows[np.argsort(start_s[rows], kind="stable")]
    codes, words = trace.codes("recorded_where")
    return [
        RunsAlready(row, int(start_s[row]), *_place(words[codes[row]] if codes[row] != NO_VALUE else ""))
        for row in rows.tolist()
    ]


def place_of(name: str, pods: tuple[int, ...]) -> str:
    """Return how `recorded_where` names the pods of a pool."""
    return f"{name}:{','.join(map(str, pods))}" if pods else name


def _place(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, pods = text.rpartition(":")
    numbers = pods.split(",")
    if name and all(number.isdecimal() for number in numbers):
        return name, tuple(map(int, numbers))
    return text, ()


def carry_over(before: Trace, then: Trace, at_s: int) -> Trace:
    """Return the jobs of `then` from its second `at_s` on, opened with who runs and waits as `before` opens.

    So one month goes on from another, whenever they were. Seconds are counted from so many days before the
    epoch of `then` that nobody was submitted before that. Those who are carried over have new ids, and their
    old ones as names. Raises TraceError for jobs on other devices.
    """
    rates = then.reference_pflops
    if other := [kind for kind, rate in before.reference_pflops.items() if rates.get(kind, rate) != rate]:
        raise TraceError(f"jobs cannot be carried over from those with another rate for {', '.join(other)}")
    if before.reference_device != then.reference_device:
        devices = f"{before.reference_device} to jobs on {then.reference_device}"
        raise TraceError(f"jobs cannot be carried over from those on {devices}")
    carried = _who_is_there(before)
    shift_s = at_s - (before.opens_s or 0)
    first_s = min(pc.min(carried.column(name)).as_py() or 0 for name in ("submit_s", "recorded_start_s"))
    days_s = DAY_S * max(0, -((first_s + shift_s) // DAY_S))
    new = then.table.filter(pc.greater_equal(then.table.column("submit_s"), at_s))
    carried = numbered_from(carried, 1 + (pc.max(new.column("job_id")).as_py() or 0))
    both = pa.concat_tables([_later(carried, shift_s + days_s), _later(new, days_s)])
    source = {OPENS: at_s + days_s, "carried": len(carried), "from": before.source}
    epoch = then.epoch_in_its_zone - timedelta(seconds=days_s)
    return Trace.from_columns(
        dict(zip(both.column_names, both.columns, strict=True)),
        epoch=epoch,
        reference_device=then.reference_device,
        source=derived_source(then, source),
    )


def _who_is_there(trace: Trace) -> pa.Table:
    """Return the jobs that run or wait when a trace opens; they follow none that comes later."""
    start_s, opens_s = trace.numpy("recorded_start_s"), trace.opens_s or 0
    there = (trace.numpy("submit_s") < opens_s) | ((start_s != NO_VALUE) & (start_s < opens_s))
    return without_lost(trace.table.filter(pa.array(there)))[0]


def _later(jobs: pa.Table, seconds: int) -> pa.Table:
    """Let all happen so much later."""
    moments = ("submit_s", "deadline_s", "recorded_start_s", "recorded_end_s")
    return with_columns(jobs, {name: pc.add(jobs.column(name), seconds) for name in moments})


def about_opening(trace: Trace) -> Iterator[str]:
    """Say how many jobs run and wait when a trace opens warm."""
    if trace.opens_s is not None:
        runs = len(runs_already(trace))
        waits = len(_who_is_there(trace)) - runs
        yield (
            f"opens warm on {minute(trace.instant(trace.opens_s))} UTC: {runs:,} job{'s' * (runs != 1)} "
            f"run{'s' * (runs == 1)}, {waits:,} wait"
        )
