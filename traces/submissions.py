"""When the jobs of a trace are submitted: said, and cut down to a part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import lists_of, with_columns
from traces.numbers import count_of, days, minute
from traces.schema import REFERENCE_PFLOPS, TraceError
from traces.times import DAY_S, parse_moment
from traces.trace import OPENS, Trace


def submissions(trace: Trace) -> str:
    """Say when the first and the last job are submitted."""
    if not len(trace):
        return "no job is submitted"
    first, last = (minute(trace.instant(second)) for second in (trace.first_submit_s, trace.last_submit_s))
    return f"submitted from {first} to {last} UTC"


FAR_S = 28 * DAY_S
"""An epoch so long before the first job is worth a word."""


LONELY_S = 3 * DAY_S
"""A gap so long after the first few jobs is worth a word."""
FEW_OF = 100
"""One job in so many is few."""


def about_trace(trace: Trace) -> Iterator[str]:
    """Say where the epoch is far from the jobs, or a few jobs are far before all others."""
    yield from _stragglers(trace)
    if trace.first_submit_s > FAR_S:
        yield (
            f"the first job is submitted {days(trace.first_submit_s)} after the epoch, "
            f"{minute(trace.epoch)} UTC: a run starts at the midnight before it"
        )


def _stragglers(trace: Trace) -> Iterator[str]:
    """Say how many jobs were submitted long before the others: a run would start with them, and idle."""
    gaps_s = np.diff(trace.numpy("submit_s")[: len(trace) // FEW_OF + 1])
    if trace.opens_s is None and gaps_s.max(initial=0) >= LONELY_S:
        last = int(np.flatnonzero(gaps_s >= LONELY_S)[-1]) + 1
        before = (
            f"{count_of(last, len(trace))} jobs are submitted {days(int(gaps_s[last - 1]))} or more before"
        )
        rest = minute(trace.instant(int(trace.numpy("submit_s")[last]))).replace(" ", "T")
        yield (
            f"{before} the others: a run starts with them, and pods idle until {rest} UTC; "
            f"--from {rest} leaves them out, --warm-at {rest} starts with them in line or at work"
        )


class TimeRange(NamedTuple):
    """The moments from which and before which jobs are kept, as users write them; None: all."""

    since: str | None = None
    until: str | None = None


ALL_TIME = TimeRange()


class Cut(NamedTuple):
    """A part of a trace."""

    trace: Trace
    of: int
    """Jobs before the cut."""
    freed: int
    """Jobs that followed one which was cut away, and now do not."""

    def __str__(self) -> str:
        kept = f"kept {count_of(len(self.trace), self.of)} jobs, {submissions(self.trace)}"
        do = "does" if self.freed == 1 else "do"
        freed = f"{self.freed:,} of them followed a job that was cut away, and {do} not now"
        return f"{kept}; {freed}" if self.freed else kept


def cut(trace: Trace, part: TimeRange) -> Cut:
    """Keep the jobs that are submitted in the part, with their ids, in seconds of the same epoch.

    A trace that opens warm still does, unless the part begins later. Raises MomentError for a moment that is
    none, TraceError where no job is left.
    """
    if part == ALL_TIME:
        return Cut(trace, len(trace), 0)
    low, high = (None if at is None else parse_moment(at, trace.epoch) for at in part)
    submit_s = trace.numpy("submit_s")
    first = 0 if low is None else int(np.searchsorted(submit_s, low))
    last = len(trace) if high is None else int(np.searchsorted(submit_s, high))
    if first >= last:
        asked = f"from {part.since or 'the first'} to before {part.until or 'the end'}"
        raise TraceError(f"no job is submitted {asked}: the trace's are {submissions(trace)}")
    table, freed = without_lost(trace.table.slice(first, last - first))
    done: dict[str, object] = {"part": part._asdict()}
    if trace.opens_s is not None and (low is None or low <= trace.opens_s):
        done[OPENS] = trace.opens_s
    return Cut(Trace(table).from_source(derived_source(trace, done)), len(trace), freed)


def derived_source(trace: Trace, done: Mapping[str, object]) -> dict[str, object]:
    """Return the source of a trace made of another's jobs: what was done, to which, and its rates."""
    rates = {REFERENCE_PFLOPS: trace.reference_pflops} if trace.reference_pflops else {}
    return {**done, "of": trace.source, **rates}


def without_lost(table: pa.Table) -> tuple[pa.Table, int]:
    """Let jobs follow only those that are there; return how many followed others."""
    after = table.column("after").combine_chunks()
    job = pc.list_parent_indices(after).to_numpy()
    ids = pc.list_flatten(after)
    there = pc.is_in(ids, value_set=table.column("job_id").combine_chunks()).to_numpy(zero_copy_only=False)
    kept = lists_of(job[there], ids.to_numpy()[there], len(after))
    return with_columns(table, {"after": kept}), len(np.unique(job[~there]))


def numbered_from(jobs: pa.Table, first: int) -> pa.Table:
    """Return jobs with ids by row, from a first one on; a job without a name is called as its old id."""
    old = jobs.column("job_id").combine_chunks()
    after = jobs.column("after").combine_chunks()
    rows = pc.index_in(pc.list_flatten(after), value_set=old).to_numpy()
    lists = lists_of(pc.list_parent_indices(after).to_numpy(), first + rows.astype(np.int64), len(jobs))
    names = pc.coalesce(jobs.column("name"), jobs.column("job_id").cast(pa.string()))
    changed = {"job_id": pa.array(first + np.arange(len(jobs))), "name": names, "after": lists}
    return with_columns(jobs, changed)
