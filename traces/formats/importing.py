"""From a file in a foreign format to a trace, and what became of each of its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from traces.files import open_file
from traces.formats import CODED, FORMATS, MAPPED
from traces.formats.job_ids import with_ids
from traces.formats.mapping.mapped import read_mapped
from traces.formats.mapping.spec import Changes, MappingError, preset
from traces.formats.reader import ImportReport, Jobs, RowTally, replaced
from traces.formats.text_table import found_rows
from traces.schema import DEFAULTS, TRACE_SCHEMA
from traces.trace import ANY_DEVICE, Trace, TraceError
from traces.validate import LIMITS

_RECORDED = ("recorded_start_s", "recorded_end_s")
_FEW, _NEARLY_ALL = 3, 0.9
"""So many jobs, and such a share of them, make a pattern."""

Reader = Callable[..., Jobs]
"""Called with the file and the tally to keep; some take options of their own."""


@dataclass(frozen=True)
class Imported:
    """A trace, and what became of each row of the file it came from."""

    trace: Trace
    report: ImportReport


NO_CHANGES = Changes()


def import_trace(
    format_name: str,
    path: Path | str,
    *,
    device: str = ANY_DEVICE,
    changes: Changes = NO_CHANGES,
    **options: Any,
) -> Imported:
    """Read a file of one of `FORMATS`, compressed or not; `device` is what one device of the file stands for.

    `changes` go over the mapping, where the format is read by one; raises MappingError where they cannot be.

    Jobs are sorted by submission, ties in the file's order. Job ids are kept where they are unique numbers,
    0 or more, else they become names, and the jobs are numbered in order. `options` go to the reader
    (gavel: `steps_per_s`). Rows that cannot be used are skipped and reported; raises TraceError, naming file
    and line, where no row can be used, and where the rows together break a rule of a trace.
    """
    if format_name not in FORMATS:
        raise TraceError(f'format "{format_name}": unknown; allowed are {", ".join(FORMATS)}')
    path, tally = Path(path), RowTally()
    try:
        jobs = _jobs(format_name, path, tally, changes, options)
        if not jobs.table.num_rows:
            raise _nothing_usable(tally)
        columns = _columns(jobs.table, tally)
        report = ImportReport(
            format_name,
            path.name,
            _sha256(path),
            tally.rows,
            jobs.table.num_rows,
            tally.skipped,
            tally.noted,
            jobs.assumed,
            changes.described(),
        )
        trace = Trace.from_columns(columns, epoch=jobs.epoch, reference_device=device, source=report.source())
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from None
    return Imported(trace, report)


def _jobs(name: str, path: Path, tally: RowTally, changes: Changes, options: dict[str, Any]) -> Jobs:
    if name not in MAPPED:
        if changes:
            raise MappingError(f"{name}: its columns are fixed; a mapping is for {', '.join(MAPPED)}")
    elif name in CODED:
        options = options | {"changes": changes}
    else:
        return read_mapped(path, tally, changes.over(preset(name)))
    read: Reader = import_module(f"traces.formats.{CODED[name]}").read
    return read(path, tally, **options)


def _nothing_usable(tally: RowTally) -> TraceError:
    if not tally.skipped:
        return TraceError("line 1: no rows")
    reason, found = next(iter(tally.skipped.items()))
    every = [f"; skipped {each.rows:,}: {why}" for why, each in tally.skipped.items()]
    counts = "".join(every) if len(every) > 1 else ""
    return TraceError(f"{found}: {reason}; none of {tally.rows:,} rows can be used{counts}")


def _columns(table: pa.Table, tally: RowTally) -> dict[str, Any]:
    """Sort the jobs by submission and give every column its type."""
    submit = np.rint(table.column("submit_s").to_numpy())
    earlier = np.flatnonzero(np.diff(submit) < 0) + 1
    if len(earlier):
        line = table.column("line")[int(earlier[0])].as_py()
        tally.note("submitted before the row above: sorted", len(earlier), line)
        table = table.take(pa.array(np.argsort(submit, kind="stable")))
    _note_doubts(table, tally)
    table = with_ids(_with_possible_ends(table, tally), tally)
    return {name: _column(table.column(name), name) for name in table.column_names if name != "line"}


def _with_possible_ends(table: pa.Table, tally: RowTally) -> pa.Table:
    """Let jobs with an end before their start end after their run time, as a record must be possible."""
    if not {*_RECORDED} <= {*table.column_names}:
        return table
    start, end = (table.column(name).to_numpy() for name in _RECORDED)
    early = np.rint(end) < np.rint(start)
    reason = "recorded_end_s: before recorded_start_s: the start and the run time taken"
    found_rows(tally.note, reason, early, table.column("line").to_numpy())
    ran = np.minimum(start + table.column("runtime_s").to_numpy(), LIMITS["recorded_end_s"][1])
    return replaced(table, "recorded_end_s", np.where(early, ran, end))


def _note_doubts(table: pa.Table, tally: RowTally) -> None:
    """Say what is allowed, but hardly meant."""
    line = table.column("line").to_numpy()
    runtime = table.column("runtime_s").to_numpy()
    if "estimate_s" in table.column_names:
        over = runtime > table.column("estimate_s").to_numpy()
        over &= over.sum() >= max(_FEW, _NEARLY_ALL * len(over))
        reason = "ran past the time requested, as nearly all: is that in minutes?"
        found_rows(tally.note, reason, over, line)
    for later, earlier, so in (
        ("deadline_s", "submit_s", ", so missed from the start; it counts from the epoch"),
        ("recorded_start_s", "submit_s", ""),
    ):
        if {later, earlier} <= {*table.column_names}:
            early = table.column(later).to_numpy() < table.column(earlier).to_numpy()
            found_rows(tally.note, f"{later}: before {earlier}{so}", early, line)


def _column(column: pa.ChunkedArray, name: str) -> Any:
    kind = TRACE_SCHEMA.field(name).type
    if not pa.types.is_floating(column.type):
        return column
    values = column.to_numpy()
    if pa.types.is_integer(kind):
        values = np.rint(values)
    array = pa.array(values, from_pandas=True).cast(kind)
    return array.fill_null(DEFAULTS[name]) if name in DEFAULTS else array


def _sha256(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
