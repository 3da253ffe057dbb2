"""Reader of plain CSV whose header names columns of a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Floats
from traces.formats.reader import Jobs, RowTally
from traces.formats.text_table import TextRows, read_rows
from traces.schema import DEFAULTS, REQUIRED, TRACE_SCHEMA, check_names
from traces.validate import LIMITS, WORDS


def read(path: Path, tally: RowTally) -> Jobs:
    """Read one job a line; an empty cell is what the absent column would be."""
    tables = [_jobs(rows) for rows in read_rows(path, tally, separator=",")]
    return Jobs(pa.concat_tables(tables), None, ("epoch: 1970, as CSV names none",))


def _jobs(rows: TextRows) -> pa.Table:
    check_names(rows.names)
    columns: dict[str, Any] = {}
    for field in TRACE_SCHEMA:
        if field.name in rows.names:
            columns[field.name] = _words(rows, field) if field.type == WORD else _numbers(rows, field)
    if "estimate_s" in columns:
        asked, runtime = columns["estimate_s"], columns["runtime_s"]
        columns["estimate_s"] = np.where(np.isnan(asked), runtime, asked)
    return rows.kept(**columns)


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
