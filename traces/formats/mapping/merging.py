"""Rows that are parts of one job: attempts, one after the other, and components, side by side."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Array, Bools, Ints
from traces.formats.reader import RowTally, replaced
from traces.formats.text_table import found_rows

_FIRST, _LAST = ("submit_s", "recorded_start_s"), ("recorded_end_s",)


def merged(table: pa.Table, parts: str, tally: RowTally) -> pa.Table:
    """Return one row a job.

    Rows of one `job_id` are attempts: their run times are added up, the last says how large the job is and
    how it ended. Ids that are the same without what is like `parts` are components: their gangs are added up,
    and the longest is the run time. A job is submitted and starts with its first row, and ends with its last.
    """
    ids = table.column("job_id").combine_chunks()
    job = np.asarray(ids.dictionary_encode().indices)
    if len(np.unique(job)) < len(job):
        table = _attempts(table, job, tally)
        ids = table.column("job_id").combine_chunks()
    if not parts:
        return table
    whole = pc.replace_substring_regex(ids, parts, "")
    table = replaced(table, "job_id", whole)
    job = np.asarray(whole.dictionary_encode().indices)
    return _components(table, job, tally) if len(np.unique(job)) < len(job) else table


def _attempts(table: pa.Table, job: Ints, tally: RowTally) -> pa.Table:
    name = "recorded_start_s" if "recorded_start_s" in table.column_names else "submit_s"
    order = np.lexsort((table.column(name).to_numpy(), job))
    reason = "another attempt of a job: added to its first line"
    table, jobs, starts = _sorted(table, order, job, reason, tally)
    ends = np.append(starts[1:], len(jobs)) - 1
    columns = _bounds(table, starts)
    columns["runtime_s"] = np.add.reduceat(table.column("runtime_s").to_numpy(), starts)
    return _in_file_order(table.take(pa.array(ends)), columns | {"line": _lines(table)[starts]})


def _components(table: pa.Table, job: Ints, tally: RowTally) -> pa.Table:
    order = np.argsort(job, kind="stable")
    reason = "another component of a job: added to its first line"
    table, _, starts = _sorted(table, order, job, reason, tally)
    columns = _bounds(table, starts)
    columns["runtime_s"] = np.maximum.reduceat(table.column("runtime_s").to_numpy(), starts)
    columns["gang"] = np.add.reduceat(table.column("gang").to_numpy(), starts)
    if "recorded_where" in table.column_names:
        table = replaced(table, "recorded_where", _everywhere(table, starts))
    return _in_file_order(table.take(pa.array(starts)), columns)


def _everywhere(table: pa.Table, starts: Ints) -> pa.Array:
    """Return where jobs ran, in the row in which each begins: wherever one of its components did."""
    where = table.column("recorded_where").to_pylist()
    ends = np.append(starts[1:], len(where))
    for first in starts[ends - starts > 1].tolist():
        last = ends[np.searchsorted(starts, first)]
        places = dict.fromkeys(place for place in where[first:last] if place)
        where[first] = ",".join(places) or None
    return pa.array(where, pa.string())


def _sorted(
    table: pa.Table, order: Ints, job: Ints, reason: str, tally: RowTally
) -> tuple[pa.Table, Ints, Ints]:
    """Return the rows in an order, their jobs, and where each job begins; count the other rows of each."""
    jobs, table = job[order], table.take(pa.array(order))
    first = np.append(True, np.diff(jobs) != 0)
    more: Bools = ~first
    found_rows(tally.skip, reason, more, _lines(table))
    return table, jobs, np.flatnonzero(first)


def _bounds(table: pa.Table, starts: Ints) -> dict[str, Array]:
    """Return the first of times that begin, and the last of those that end."""
    bounds: dict[str, Array] = {}
    for names, extreme in ((_FIRST, np.fmin), (_LAST, np.fmax)):
        for name in names:
            if name in table.column_names:
                bounds[name] = extreme.reduceat(table.column(name).to_numpy(), starts)
    return bounds


def _in_file_order(table: pa.Table, columns: dict[str, Array]) -> pa.Table:
    for name, values in columns.items():
        table = replaced(table, name, values)
    return table.take(pa.array(np.argsort(_lines(table), kind="stable")))


def _lines(table: pa.Table) -> Ints:
    return np.asarray(table.column("line").to_numpy())
