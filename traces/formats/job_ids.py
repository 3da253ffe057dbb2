"""Job ids as their source wrote them, and the jobs that others come after by those ids.

Readers hand `job_id` as numbers or as text, or not at all, and `after` as lists of the same, or of text.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Ints, lists_of, repeated
from traces.circles import in_circles
from traces.formats.reader import RowTally
from traces.formats.text_table import as_numbers
from traces.schema import EXACT, TraceError, quoted

_WHOLE = r"^-?(0|[1-9]\d{0,15})(\.0*)?$"
"""Pandas may have added the ".0"."""
_NEXT = str(EXACT + 1)
"""Of the whole numbers that are at most 2^53 once they are floats, the one that was another before."""


def are_whole(text: pa.StringArray) -> pa.BooleanArray:
    """Say which texts are whole numbers that can be read and written again without a change."""
    near = pa.array(np.abs(as_numbers(text)) <= EXACT)
    exact = pc.and_not(near, pc.match_substring(text, _NEXT))
    return pc.and_(exact, pc.match_substring_regex(text, _WHOLE))


def with_ids(table: pa.Table, tally: RowTally) -> pa.Table:
    """Return jobs, in their final order, with the `job_id`, `name` and `after` of a trace.

    Ids that are text, or numbers that no trace can have, become names, and their jobs are numbered in order.
    What a job comes after is cleared where it is no job of the table, the job itself, or one that comes after
    it. Raises TraceError where an id stands for two jobs, so that `after` is ambiguous.
    """
    ids = table.column("job_id").combine_chunks() if "job_id" in table.column_names else None
    followed = "after" in table.column_names and len(pc.list_flatten(table.column("after"))) > 0
    renumbered = ids is not None and (pa.types.is_string(ids.type) or not _usable(ids))
    if followed:
        rows, found = _known(table, ids, tally)
        job_ids = np.arange(len(table)) if ids is None or renumbered else ids.to_numpy().astype(np.int64)
        after = lists_of(rows, job_ids[found], len(table))
        table = table.set_column(table.column_names.index("after"), "after", after)
    elif "after" in table.column_names:
        table = table.drop_columns("after")
    return _renumbered(table, ids, tally) if ids is not None and renumbered else table


def _renumbered(table: pa.Table, ids: pa.Array, tally: RowTally) -> pa.Table:
    is_text = pa.types.is_string(ids.type)
    why = "not whole numbers" if is_text else "not unique or below 0"
    tally.note(f"job ids: {why}, so numbered in order", len(ids), table.column("line")[0].as_py())
    if "name" not in table.column_names:
        names = ids if is_text else pa.array([f"{number:.0f}" for number in ids.to_pylist()])
        table = table.append_column("name", names)
    return table.drop_columns("job_id")


def _usable(ids: pa.Array) -> bool:
    values = ids.to_numpy()
    return bool(values.min() >= 0 and len(np.unique(values)) == len(values))


def _known(table: pa.Table, ids: pa.Array | None, tally: RowTally) -> tuple[Ints, Ints]:
    """Return pairs (row, row that it comes after), each once; say which others there are."""
    line = table.column("line").to_numpy()
    lists = table.column("after").combine_chunks()
    rows, after = pc.list_parent_indices(lists).to_numpy(), lists.flatten()
    if ids is None:
        ids = pa.array(np.arange(len(table)))
    else:
        _check_unique(ids, line)
    if ids.type != after.type:
        ids = (ids.cast(pa.int64()) if pa.types.is_string(after.type) else ids).cast(after.type)
    found = pc.index_in(after, value_set=ids).fill_null(-1).to_numpy()
    known, itself = found >= 0, found == rows
    twice = known & ~itself & repeated(rows, found)
    keep = known & ~itself & ~twice
    circular = np.zeros(len(rows), bool)
    circular[keep] = in_circles(rows[keep], found[keep], len(table))
    for reason, wrong in {
        "after: names no job of the file, or one that was skipped: cleared": ~known,
        "after: names the job itself: cleared": itself,
        "after: names a job again: once taken": twice,
        "after: names a job that, in the end, comes after this one: cleared": circular,
    }.items():
        if wrong.any():
            first = int(np.flatnonzero(wrong)[line[rows[wrong]].argmin()])
            tally.note(reason, len(np.unique(rows[wrong])), int(line[rows[first]]), _text(after[first]))
    keep &= ~circular
    return rows[keep], found[keep]


def _text(scalar: pa.Scalar) -> str:
    value = scalar.as_py()
    return value if isinstance(value, str) else f"{value:.0f}"


def _check_unique(ids: pa.Array, line: Ints) -> None:
    again = np.ones(len(ids), bool)
    again[np.unique(np.asarray(ids.dictionary_encode().indices), return_index=True)[1]] = False
    if again.any():
        row = int(np.flatnonzero(again)[line[again].argmin()])
        raise TraceError(
            f"line {line[row]}: job_id is {quoted(_text(ids[row]))}; allowed is an id that no job before it "
            "has, as `after` names jobs"
        )
