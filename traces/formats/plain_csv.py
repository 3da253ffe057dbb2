"""Reader of plain CSV whose header names columns of a trace."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Floats
from traces.errors import ALIKE, nearest
from traces.formats.reader import Jobs, RowTally
from traces.formats.text_table import TextRows, read_rows
from traces.schema import DEFAULTS, REQUIRED, TRACE_SCHEMA, TraceError, check_names, quoted
from traces.validate import LIMITS, WORDS

_MISSPELT = 0.75
"""How alike, of 1, a column that is left out must be to one of a trace to be asked about."""


def read(path: Path, tally: RowTally) -> Jobs:
    """Read one job a row, between commas, semicolons, tabs or bars; empty is what an absent column would be.

    Columns that a trace does not have are left out, and noted.
    """
    tables = [_jobs(rows, tally) for rows in read_rows(path, tally, separator=",;\t|")]
    return Jobs(pa.concat_tables(tables), None, ("epoch: 1970, as CSV names none",))


def _jobs(rows: TextRows, tally: RowTally) -> pa.Table:
    _check_columns(rows, tally)
    columns: dict[str, Any] = {}
    for field in TRACE_SCHEMA:
        if field.name in rows.names:
            columns[field.name] = _words(rows, field) if field.type == WORD else _numbers(rows, field)
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


def _words(rows: TextRows, field: pa.Field) -> pa.StringArray:
    text = rows.words(field.name)
    words = pc.if_else(pc.equal(text, ""), DEFAULTS[field.name], text)
    if field.name in WORDS:
        known = pc.is_in(words, pa.array(WORDS[field.name])).to_numpy(zero_copy_only=False)
        rows.skip(~known, f"{field.name}: not one of {', '.join(WORDS[field.name])}", text)
    return words


def _numbers(rows: TextRows, field: pa.Field) -> Floats:
    name = field.name
    values = rows.numbers(name, optional=name not in (*REQUIRED, "job_id"))
    given = np.where(np.isnan(values), LIMITS[name][1], values)
    if pa.types.is_integer(field.type):
        rows.skip(given != np.rint(given), f"{name}: not a whole number", rows.words(name))
    rows.limit(given, name, name)
    return values
