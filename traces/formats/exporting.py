"""From a trace to a file that others read: CSV with its columns, or the Standard Workload Format.

What the format cannot hold is left out, and said.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from traces.arrays import Ints
from traces.files import written_whole
from traces.outputs import check_document, check_output
from traces.schema import DEFAULTS, TRACE_SCHEMA
from traces.times import HOUR_S
from traces.trace import ANY_DEVICE, NO_VALUE, Trace

_STATUS = {"completed": 1, "failed": 0, "timeout": 0, "cancelled": 5, "preempted": 5}
_NUMBERED = {"owner": "user", "kind": "executable", "queue": "queue", "recorded_where": "partition"}
"""Columns of words that SWF has numbers for, and what it calls them."""
_LOST = (
    *("name", "workload", "priority", "residency", "requires", "excludes", "deadline_s"),
    *("input_tb", "output_tb", "checkpoint_s"),
)
"""Columns that SWF has no field for."""


class Exported(NamedTuple):
    """What was written, and what the format could not hold, a line each."""

    jobs: int
    lost: tuple[str, ...]


def export_trace(format_name: str, trace: Trace, path: Path) -> Exported:
    """Write a trace in one of `EXPORTS`; raises PathError where another sort of file is, and OSError."""
    lost = EXPORTS[format_name](trace, path)
    if trace.reference_device != ANY_DEVICE:
        lost.append(f"the device: give it as --device {trace.reference_device} when it is read again")
    return Exported(len(trace), tuple(lost))


def _write_csv(trace: Trace, path: Path) -> list[str]:
    check_output(path, TRACE_SCHEMA.names, as_csv=True)
    after = trace.table.column("after").combine_chunks()
    texts = pa.ListArray.from_arrays(after.offsets, after.values.cast(pa.string()), mask=after.is_null())
    at = trace.table.column_names.index("after")
    table = trace.table.set_column(at, "after", pc.binary_join(texts, " "))
    _write(path, table, ",".join(table.column_names), ",")
    if not trace.epoch.timestamp():
        return []
    return [f"the epoch: give it as --epoch {trace.epoch.isoformat()} when it is read again"]


def _write_swf(trace: Trace, path: Path) -> list[str]:
    check_document(path, b";", "SWF with a header")
    comments = _header(trace)
    numbers = {}
    for name, what in _NUMBERED.items():
        codes, words = trace.codes(name)
        numbers[name] = np.where(codes == NO_VALUE, NO_VALUE, codes + 1)
        comments += [f"; {what.capitalize()}: {code} is {_line(word)}" for code, word in enumerate(words, 1)]
    fields, lost = _fields(trace, numbers)
    _write(path, pa.table(fields), "\n".join(comments), " ")
    return lost


def _header(trace: Trace) -> list[str]:
    lines = ["; Version: 2.2", f"; MaxJobs: {len(trace)}", f"; MaxRecords: {len(trace)}"]
    if (start := round(trace.epoch.timestamp())) > 0:
        lines.append(f"; UnixStartTime: {start}")
    east_h, rest = divmod(trace.offset_s, HOUR_S)
    if not rest:  # whose sign is turned around there
        lines.append(f"; TimeZoneString: Etc/GMT{-east_h:+d}")
    lines.append("; Note: a processor is a device; job numbers are the trace's, plus 1 where one is 0")
    return lines


def _fields(trace: Trace, numbers: dict[str, Ints]) -> tuple[dict[str, Ints], list[str]]:
    """Return the 18 fields, in order, and what they lose."""
    ids, submit, start = (trace.numpy(name) for name in ("job_id", "submit_s", "recorded_start_s"))
    ids = ids + int(len(ids) > 0 and ids.min() == 0)
    none = np.full(len(trace), NO_VALUE)
    offsets, rows = trace.after
    first = np.where(
        trace.after.counts() == 1, np.append(rows, 0)[np.minimum(offsets[:-1], len(rows))], NO_VALUE
    )
    before = np.where(first == NO_VALUE, NO_VALUE, ids[first])
    lag = np.where(before == NO_VALUE, NO_VALUE, np.maximum(trace.numpy("after_lag_s"), 0))
    codes, words = trace.codes("outcome")
    status = np.array([*(_STATUS[word] for word in words), NO_VALUE])[codes]
    wait = np.where((start == NO_VALUE) | (start < submit), NO_VALUE, start - submit)
    gang = trace.numpy("gang").astype(np.int64)
    columns = [
        *(ids, submit, wait, trace.numpy("runtime_s"), gang, none, none, gang, trace.numpy("estimate_s")),
        *(none, status, numbers["owner"], none, numbers["kind"], numbers["queue"], numbers["recorded_where"]),
        *(before, lag),
    ]
    several = int((trace.after.counts() > 1).sum())
    lost = [_of_jobs("after, of jobs with several", several)] if several else []
    return {str(at): column for at, column in enumerate(columns)}, [*lost, *_lost_columns(trace)]


def _lost_columns(trace: Trace) -> list[str]:
    lost = []
    for name in _LOST:
        column = trace.table.column(name)
        default = DEFAULTS.get(name)
        values = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        has = values.is_valid() if default is None else pc.not_equal(values, default)
        if count := pc.sum(has).as_py():
            lost.append(_of_jobs(name, count))
    start, end, runtime = (trace.numpy(name) for name in ("recorded_start_s", "recorded_end_s", "runtime_s"))
    other = (end != NO_VALUE) & (end != start + runtime)
    return [
        *lost,
        *(
            [_of_jobs("recorded_end_s, other than start and run time", int(other.sum()))]
            if other.any()
            else []
        ),
    ]


def _of_jobs(what: str, count: int) -> str:
    return f"{what}: left out of {count:,} job{'s' * (count != 1)}"


def _line(word: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in word)


def _write(path: Path, table: pa.Table, head: str, separator: str) -> None:
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="needed")
    with written_whole(path) as file:
        file.write(f"{head}\n".encode())
        pyarrow.csv.write_csv(table, file, options)


EXPORTS: dict[str, Callable[[Trace, Path], list[str]]] = {"csv": _write_csv, "swf": _write_swf}
"""By name, what writes it, and returns what it cannot hold."""
