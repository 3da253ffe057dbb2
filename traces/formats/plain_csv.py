"""Reader of plain CSV whose header names columns of a trace."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Bools, Floats
from traces.errors import ALIKE, nearest
from traces.formats.job_ids import are_whole
from traces.formats.reader import Jobs, RowTally, replaced
from traces.formats.text_table import TextRows, as_numbers, read_rows
from traces.schema import DEFAULTS, REQUIRED, TRACE_SCHEMA, TraceError, check_names, quoted
from traces.validate import IS_PLACES, LIMITS, PLACES, PLACES_ALLOWED, WORDS

_BETWEEN_JOBS = " ;,"
"""What may stand between the jobs that a job comes after."""
_AS_LIST = r"^\[(.*)\]$"
"""How pandas writes several."""
_MISSPELT = 0.75
"""How alike, of 1, a column that is left out must be to one of a trace to be asked about."""


def read(path: Path, tally: RowTally) -> Jobs:
    """Read one job a row, between commas, semicolons, tabs or bars; empty is what an absent column would be.

    Columns that a trace does not have are left out, and noted.
    """
    tables = [_jobs(rows, tally) for rows in read_rows(path, tally, separator=",;\t|")]
    table = pa.concat_tables(tables)
    return Jobs(_with_numbers(table, tally), None, ("epoch: 1970, as CSV names none",))


def _with_numbers(table: pa.Table, tally: RowTally) -> pa.Table:
    """Return the jobs with ids, and what refers to them, as numbers, unless some id is none."""
    if "job_id" in table.column_names:
        text = table.column("job_id").combine_chunks()
        given = pc.not_equal(text, "")
        table = _without(table, given, tally)
        if pc.any(pc.and_not(given, are_whole(text))).as_py():
            return table
        table = replaced(table, "job_id", as_numbers(table.column("job_id")))
    if "after" in table.column_names:
        lists = table.column("after").combine_chunks()
        after = pa.ListArray.from_arrays(lists.offsets, pa.array(as_numbers(lists.values)))
        table = replaced(table, "after", after)
    return table


def _without(table: pa.Table, given: pa.BooleanArray, tally: RowTally) -> pa.Table:
    """Leave out the rows that give no id."""
    none = ~given.to_numpy(zero_copy_only=False)
    if none.any():
        tally.skip("job_id: none", int(none.sum()), table.column("line")[int(none.argmax())].as_py())
    return table.filter(given)


def _jobs(rows: TextRows, tally: RowTally) -> pa.Table:
    _check_columns(rows, tally)
    columns: dict[str, Any] = {}
    for field in TRACE_SCHEMA:
        if field.name in rows.names:
            columns[field.name] = _cells(rows, field)
    if "estimate_s" in columns:
        asked, runtime = columns["estimate_s"], columns["runtime_s"]
        columns["estimate_s"] = np.where(np.isnan(asked), runtime, asked)
    return rows.kept(**columns)


def _check_columns(rows: TextRows, tally: RowTally) -> None:
    """Raise TraceError where a column that a trace needs is missing; note those that it does not have."""
    others = [name for name in rows.names if name not in TRACE_SCHEMA.names]
    missing = next((name for name in REQUIRED if name not in rows.names), None)
    if missing and (alike := get_close_matches(missing, others, 1, ALIKE)):
        raise TraceError(f'line 1: column "{missing}": missing; is it {quoted(alike[0])}?')
    check_names([name for name in rows.names if name in TRACE_SCHEMA.names])
    for at, name in enumerate(rows.names):
        if name in others:
            called = f"column {quoted(name)}" if name else f"column {at + 1}, without a name"
            hint = nearest(name, TRACE_SCHEMA.names, _MISSPELT)
            tally.note(f"{called}: not one of a trace, left out{hint}", len(rows), 1)


def _cells(rows: TextRows, field: pa.Field) -> Any:
    if field.name == "job_id":
        return rows.words(field.name)
    if field.name == "after":
        text = pc.replace_substring_regex(
            rows.words(field.name), r"^\[(.*)\]$", r"\1"
        )  # as pandas writes lists
        text = pc.utf8_trim(text, _BETWEEN_JOBS)
        lists = pc.split_pattern_regex(text, f"[{_BETWEEN_JOBS}]+")
        return pc.if_else(pc.equal(text, ""), pa.scalar([], lists.type), lists)
    if field.type in (WORD, pa.string()):
        return _words(rows, field.name)
    return _numbers(rows, field)


def _words(rows: TextRows, name: str) -> pa.StringArray:
    text = rows.words(name)
    given = pc.not_equal(text, "")
    if name in WORDS:
        known = pc.is_in(text, pa.array(WORDS[name]))
        rows.skip(_but_not(given, known), f"{name}: not one of {', '.join(WORDS[name])}", text)
    if name in PLACES:
        places = pc.match_substring_regex(text, IS_PLACES)
        rows.skip(_but_not(given, places), f"{name}: not {PLACES_ALLOWED}", text)
    return pc.if_else(given, text, pa.scalar(DEFAULTS.get(name), pa.string()))


def _but_not(given: pa.BooleanArray, known: pa.BooleanArray) -> Bools:
    return np.asarray(pc.and_not(given, known).to_numpy(zero_copy_only=False))


def _numbers(rows: TextRows, field: pa.Field) -> Floats:
    name = field.name
    values = rows.numbers(name, optional=name not in REQUIRED)
    given = np.where(np.isnan(values), LIMITS[name][1], values)
    if pa.types.is_integer(field.type):
        rows.skip(given != np.rint(given), f"{name}: not a whole number", rows.words(name))
    rows.limit(given, name, name)
    return values
