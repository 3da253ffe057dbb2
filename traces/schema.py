"""What a trace file holds: columns, types, units, defaults, limits and metadata, each defined once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from traces.arrays import WORD, word_column
from traces.errors import first_line
from traces.parquet import ROW_GROUP, documented

SCHEMA_VERSION = "2"
ANY_DEVICE = "any"
"""The reference device of a trace that does not say which: one unit is one device of whatever pool."""

REFERENCE_PFLOPS = "reference_pflops"
"""Key of a trace's source: what the reference device was taken to deliver, in PFLOPS by kind of job."""

RESAMPLED = "resampled"
"""Key of the source of a trace whose jobs are those of blocks of another one, drawn from `start_s` on."""

RESIDENCIES = ("owned", "any")
SOURCE_OUTCOMES = ("completed", "failed", "cancelled", "timeout", "preempted")
"""How a job may have ended where it was recorded."""

MAX_SECONDS = 10**11
"""The largest time, about 3,000 years."""
MAX_GANG = 10**7
"""The most devices of one job; with `MAX_SECONDS`, one job's device-seconds fit int64."""
EXACT = 2**53
"""Integers up to here are exact in float64: the limit of job ids and of a trace's device-seconds in all."""

TRACE_SCHEMA = pa.schema(
    [
        documented("job_id", pa.int64(), "", "unique, 0 or more"),
        documented("name", pa.string(), "", "the id as its source wrote it", nullable=True),
        documented("submit_s", pa.int64(), "s", "submission, from the epoch"),
        documented("runtime_s", pa.int64(), "s", "run time on `gang` reference devices, uninterrupted"),
        documented("gang", pa.int32(), "device", "reference devices, all at once"),
        documented("estimate_s", pa.int64(), "s", "run time asked for: what schedulers see"),
        documented("workload", WORD, "", "whose work it is, e.g. fsd"),
        documented("kind", WORD, "", "sort of job, e.g. fsd.retrain"),
        documented("owner", WORD, "", "who asked"),
        documented("queue", WORD, "", "where it was submitted"),
        documented("priority", pa.int32(), "", "higher first"),
        documented("residency", WORD, "", "owned: the data may not leave; or any"),
        documented("requires", WORD, "", "device:NAME or pool:NAME, comma: one of these", nullable=True),
        documented("excludes", WORD, "", "device:NAME or pool:NAME, comma: none of these", nullable=True),
        documented("deadline_s", pa.int64(), "s", "latest wished end, from the epoch", nullable=True),
        documented("input_tb", pa.float64(), "TB", "moved in when the job runs off-site"),
        documented("output_tb", pa.float64(), "TB", "moved out when the job runs off-site"),
        documented("checkpoint_s", pa.int64(), "s", "run time between checkpoints", nullable=True),
        documented("after", pa.list_(pa.int64()), "", "job_ids that must finish first", nullable=True),
        documented("after_lag_s", pa.int64(), "s", "from their last end to being ready", nullable=True),
        documented("outcome", WORD, "", "how it ended at its source", nullable=True),
        documented("recorded_start_s", pa.int64(), "s", "start at its source, from the epoch", nullable=True),
        documented("recorded_end_s", pa.int64(), "s", "end at its source, from the epoch", nullable=True),
        documented("recorded_where", WORD, "", "where it ran at its source", nullable=True),
    ]
)

REQUIRED = ("submit_s", "runtime_s", "gang")
DEFAULTS: dict[str, object] = {
    "workload": "other",
    "kind": "other",
    "owner": "unknown",
    "queue": "unknown",
    "priority": 0,
    "residency": "any",
    "input_tb": 0.0,
    "output_tb": 0.0,
}
"""What an absent column holds, others null; `job_id` counts from 0, and `estimate_s` is `runtime_s`."""


class TraceError(ValueError):
    """A trace that breaks a rule; says the file, the row or column, the value and what is allowed."""


def quoted(text: str, most: int = 40) -> str:
    """Return `text` for an error's one line: in quotes, cut short, nothing unprintable in it."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:most])
    return f'"{shown}{"..." if len(text) > most else ""}"'


def metadata(epoch: datetime | None, device: str, source: Mapping[str, object]) -> dict[str, str]:
    """Return the file metadata of a trace; no epoch is the Unix epoch, a naive one is taken as UTC.

    The zone of the epoch is kept, as its offset from UTC then: it says when days begin in this log.
    """
    epoch = epoch or datetime.fromtimestamp(0, UTC)
    epoch = epoch if epoch.tzinfo else epoch.replace(tzinfo=UTC)
    return {
        "exaburst.schema": SCHEMA_VERSION,
        "exaburst.epoch": epoch.isoformat(),
        "exaburst.reference_device": device,
        "exaburst.source": json.dumps(source, sort_keys=True),
    }


def check_names(names: Sequence[str]) -> None:
    """Raise TraceError unless `names` are columns of a trace, each once, the required ones among them."""
    for at, name in enumerate(names):
        if name not in TRACE_SCHEMA.names:
            raise TraceError(f"column {quoted(name)}: unknown; allowed are {', '.join(TRACE_SCHEMA.names)}")
        if name in names[:at]:
            raise TraceError(f'column "{name}": there twice; allowed is once')
    for name in REQUIRED:
        if name not in names:
            raise TraceError(f'column "{name}": missing; a trace has at least {", ".join(REQUIRED)}')


def complete(columns: Mapping[str, Any]) -> pa.Table:
    """Return `columns` (anything Arrow takes) in the schema's order and types, absent ones by default.

    Raises TraceError for an unknown, missing or mistyped column and for columns of unequal length.
    """
    check_names(list(columns))
    arrays = {name: _array(name, values) for name, values in columns.items()}
    rows = len(arrays["submit_s"])
    for name, array in arrays.items():
        if len(array) != rows:
            raise TraceError(f'column "{name}": {len(array)} rows; submit_s has {rows}')
    arrays.setdefault("job_id", pa.array(np.arange(rows)))
    arrays.setdefault("estimate_s", arrays["runtime_s"])
    full = [
        typed(arrays[field.name], field) if field.name in arrays else _default(field, rows)
        for field in TRACE_SCHEMA
    ]
    return pa.table(full, schema=TRACE_SCHEMA)


def _array(name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise TraceError(f'column "{name}": not a column of values: {first_line(error)}') from None


def typed(array: pa.Array | pa.ChunkedArray, field: pa.Field) -> pa.Array | pa.ChunkedArray:
    """Cast without loss; text is never taken for a number, nor a number for text."""
    wanted = type_name(field.type)
    mistyped = TraceError(f'column "{field.name}": {array.type}; allowed is {wanted}')
    if not pa.types.is_null(array.type) and not _same_sort(array.type, field.type):
        raise mistyped
    try:
        return _words(array) if field.type == WORD else array.cast(field.type)
    except pa.ArrowNotImplementedError:
        raise mistyped from None
    except pa.ArrowException as error:
        raise TraceError(f'column "{field.name}": not all of it is {wanted}: {first_line(error)}') from None


def type_name(kind: pa.DataType) -> str:
    """Return what a column's type is called: text, however it is encoded, or a number, or a list of these."""
    if pa.types.is_list(kind):
        return f"list of {type_name(kind.value_type)}"
    return "text" if kind in (WORD, pa.string()) else str(kind).replace("double", "float64")


def _same_sort(found: pa.DataType, wanted: pa.DataType) -> bool:
    if wanted in (WORD, pa.string()):
        value = found.value_type if pa.types.is_dictionary(found) else found
        return value in (pa.string(), pa.large_string(), pa.string_view())
    if pa.types.is_list(wanted):
        lists = pa.types.is_list(found) or pa.types.is_large_list(found)
        return lists and (
            pa.types.is_null(found.value_type) or _same_sort(found.value_type, wanted.value_type)
        )
    return bool(pa.types.is_integer(found) or pa.types.is_floating(found))


def _words(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Encode afresh unless every dictionary is sound: no null and no word twice in it."""
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if array.type == WORD and all(_sound(chunk.dictionary) for chunk in chunks):
        return array
    return array.cast(pa.string()).dictionary_encode()


def _sound(dictionary: pa.Array) -> bool:
    return dictionary.null_count == 0 and len(dictionary.unique()) == len(dictionary)


def _default(field: pa.Field, rows: int) -> pa.ChunkedArray:
    """Return a column of the default, all of whose chunks are the same memory."""
    chunk = _default_chunk(field, min(rows, ROW_GROUP))
    whole, rest = divmod(rows, ROW_GROUP)
    last = [chunk.slice(0, rest)] if rest or not whole else []
    return pa.chunked_array([chunk] * whole + last, field.type)


def _default_chunk(field: pa.Field, rows: int) -> pa.Array:
    value = DEFAULTS.get(field.name)
    if value is None:
        return pa.nulls(rows, field.type)
    if field.type == WORD:
        return word_column(np.zeros(rows), [str(value)])
    return pa.repeat(pa.scalar(value, field.type), rows)
