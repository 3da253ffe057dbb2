"""The rules of a trace, checked column by column; a broken one is named with its first row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Array, repeated
from traces.circles import in_circles
from traces.schema import (
    ANY_DEVICE,
    EXACT,
    MAX_GANG,
    MAX_SECONDS,
    REFERENCE_PFLOPS,
    RESIDENCIES,
    SCHEMA_VERSION,
    SOURCE_OUTCOMES,
    TRACE_SCHEMA,
    TraceError,
    check_names,
    complete,
    metadata,
    quoted,
)

LIMITS: dict[str, tuple[int, int]] = {
    "job_id": (0, EXACT),
    "submit_s": (0, MAX_SECONDS),
    "runtime_s": (1, MAX_SECONDS),
    "gang": (1, MAX_GANG),
    "estimate_s": (1, MAX_SECONDS),
    "priority": (-(2**31), 2**31 - 1),
    "deadline_s": (0, MAX_SECONDS),
    "input_tb": (0, EXACT),
    "output_tb": (0, EXACT),
    "checkpoint_s": (1, MAX_SECONDS),
    "after_lag_s": (0, MAX_SECONDS),
    "recorded_start_s": (0, MAX_SECONDS),
    "recorded_end_s": (0, MAX_SECONDS),
}
"""The smallest and the largest value allowed in a column of numbers."""
WORDS = {"residency": RESIDENCIES, "outcome": SOURCE_OUTCOMES}
"""The words allowed in a column."""
PLACES = ("requires", "excludes")
"""Columns of places: devices, and pools or offers by name."""
_PLACE = r"(device|pool):[^\s,:]+"
IS_PLACES = rf"^{_PLACE}(,{_PLACE})*$"
"""What the text of such a column looks like."""
_FEW = 5
"""So many values of a list are shown."""
PLACES_ALLOWED = "device:NAME or pool:NAME, several with commas between them"


def conform(table: pa.Table) -> pa.Table:
    """Return a table read from anywhere with the schema's columns, types and metadata.

    A table without any `exaburst.` metadata is somebody else's: it starts at the Unix epoch, on any
    device, its source unknown. Raises TraceError naming the column or the key.
    """
    keys = metadata(None, ANY_DEVICE, {})
    found = {
        key.decode(): value.decode("utf-8", "replace")
        for key, value in (table.schema.metadata or {}).items()
        if key.decode("utf-8", "replace") in keys
    }
    if found:
        _check_metadata(found, list(keys))
    check_names(table.column_names)
    columns = complete(dict(zip(table.column_names, table.columns, strict=True)))
    return columns.replace_schema_metadata(found or keys)


def _check_metadata(found: Mapping[str, str], keys: Sequence[str]) -> None:
    for key in keys:
        if key not in found:
            raise TraceError(f"metadata {key}: missing; a trace has {', '.join(keys)}")
    if (version := found["exaburst.schema"]) != SCHEMA_VERSION:
        raise TraceError(
            f'metadata exaburst.schema: {quoted(version)}; allowed is "{SCHEMA_VERSION}": make the trace anew'
        )
    if not _is_moment(epoch := found["exaburst.epoch"]):
        raise TraceError(
            f"metadata exaburst.epoch: {quoted(epoch)}; allowed is a moment with its zone, as ISO 8601"
        )
    if not _is_object(source := found["exaburst.source"]):
        raise TraceError(f"metadata exaburst.source: {quoted(source)}; allowed is a JSON object")
    if not _are_rates(rates := json.loads(source).get(REFERENCE_PFLOPS, {})):
        shown = quoted(json.dumps(rates))
        raise TraceError(
            f"metadata exaburst.source: {REFERENCE_PFLOPS} is {shown}; allowed are numbers above 0 by kind"
        )


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _are_rates(rates: object) -> bool:
    return isinstance(rates, dict) and all(
        isinstance(rate, int | float) and not isinstance(rate, bool) and rate > 0 for rate in rates.values()
    )


def validate(table: pa.Table) -> None:
    """Check every rule of a table in the schema's types; raise TraceError naming the first row at fault.

    Rows are named by their number from 0 and by job_id. A trace's device-seconds stay at or below 2^53,
    so that every sum over its jobs is exact, in int64 and in float64.
    """
    for field in TRACE_SCHEMA:
        if not field.nullable and table.column(field.name).null_count:
            missing = table.column(field.name).is_null().to_numpy()
            raise _broken(table, missing, field.name, "a value in every row")
    for name, (low, high) in LIMITS.items():
        _check_limits(table, name, low, high)
    for name, words in WORDS.items():
        _check_words(table, name, words)
    for name in PLACES:
        _check_places(table, name)
    _check_order(table)
    _check_sum(table)
    _check_after(table)


def _check_limits(table: pa.Table, name: str, low: int, high: int) -> None:
    column = table.column(name)
    ends = pc.min_max(column)
    smallest, largest = ends["min"].as_py(), ends["max"].as_py()
    if smallest is None or (low <= smallest and largest <= high and not _has_nan(column)):
        return
    within = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
    raise _broken(table, ~within.fill_null(True).to_numpy(), name, f"{low:,} to {high:,}")


def _has_nan(column: pa.ChunkedArray) -> bool:
    """NaN is left out of Arrow's extremes."""
    return pa.types.is_floating(column.type) and bool(pc.any(pc.is_nan(column)).as_py())


def _check_words(table: pa.Table, name: str, words: Sequence[str]) -> None:
    column = table.column(name)
    if all(set(chunk.dictionary.to_pylist()) <= set(words) for chunk in column.chunks):
        return
    known = pc.is_in(column.cast(pa.string()), pa.array(words)).to_numpy() | column.is_null().to_numpy()
    if not known.all():
        raise _broken(table, ~known, name, ", ".join(words))


def _check_places(table: pa.Table, name: str) -> None:
    column = table.column(name)
    if column.null_count < len(column):
        wrong = ~pc.match_substring_regex(column.cast(pa.string()), IS_PLACES).fill_null(True).to_numpy()
        if wrong.any():
            raise _broken(table, wrong, name, PLACES_ALLOWED)


def _check_order(table: pa.Table) -> None:
    submit, ids = (table.column(name).to_numpy() for name in ("submit_s", "job_id"))
    earlier = np.diff(submit, prepend=0) < 0
    if earlier.any():
        row = int(earlier.argmax())
        raise _broken(table, earlier, "submit_s", f"{submit[row - 1]:,} or more, as rows ascend in it")
    if (np.diff(ids) > 0).all():
        return
    repeated = np.ones(len(ids), bool)
    repeated[np.unique(ids, return_index=True)[1]] = False
    if repeated.any():
        raise _broken(table, repeated, "job_id", "a number that no row before it has")


def _check_sum(table: pa.Table) -> None:
    gang, runtime = (table.column(name).to_numpy() for name in ("gang", "runtime_s"))
    total = float(np.dot(gang.astype(np.float64), runtime.astype(np.float64)))
    if total > EXACT:
        raise TraceError(
            f"gang x runtime_s over all rows: {total:.4g} device-seconds; allowed is up to {EXACT:,}, "
            f"where sums are still exact"
        )


def _check_after(table: pa.Table) -> None:
    lists = table.column("after").combine_chunks()
    if lists.null_count == len(lists):
        return
    ids, after = table.column("job_id").combine_chunks(), lists.flatten()
    rows = pc.list_parent_indices(lists).to_numpy()
    found = _places(ids, after)
    at_fault = np.zeros(len(ids), bool)
    at_fault[rows[(found < 0) | (found == rows)]] = True
    if at_fault.any():
        raise _broken(table, at_fault, "after", "the job_ids of other jobs, or none")
    if (np.diff(rows) > 0).all() and (found < rows).all():
        return  # each after one job, which stands before it
    at_fault[rows[repeated(rows, found)]] = True
    if at_fault.any():
        raise _broken(table, at_fault, "after", "each job once")
    at_fault[rows[in_circles(rows, found, len(ids))]] = True
    if at_fault.any():
        raise _broken(table, at_fault, "after", "no cycle: here the job waits, in the end, for itself")


def _places(ids: pa.Array, wanted: pa.Array) -> Array:
    """Return the row of each wanted job, -1 where there is none."""
    known = ids.to_numpy()
    if wanted.null_count or not (np.diff(known) > 0).all():
        return np.asarray(pc.index_in(wanted, value_set=ids).fill_null(-1).to_numpy())
    numbers = wanted.to_numpy()  # where ids ascend, without a table of all of them
    row = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.where(known[row] == numbers, row, -1)


def _broken(table: pa.Table, at_fault: Array, name: str, allowed: str) -> TraceError:
    row = int(np.argmax(at_fault))
    job, called, value = (table.column(column)[row].as_py() for column in ("job_id", "name", name))
    shown = f", {quoted(called)}" if called else ""
    return TraceError(f"row {row} (job_id {job}{shown}): {name} is {_shown(value)}; allowed is {allowed}")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value[:_FEW])) + (", ..." if len(value) > _FEW else "") + "]"
    return "null" if value is None else quoted(value) if isinstance(value, str) else f"{value:,}"
