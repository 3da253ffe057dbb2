"""Job ids as their source wrote them, and the jobs that others come after by those ids.

Readers hand `job_id` as numbers or as text, or not at all, and `after` as lists of the same.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Ints, lists_of, repeated
from traces.formats.reader import RowTally
from traces.schema import TraceError, quoted


def with_ids(table: pa.Table, tally: RowTally) -> pa.Table:
    """Return jobs, in their final order, with the `job_id`, `name` and `after` of a trace.

    Ids that are text, or numbers that no trace can have, become names, and their jobs are numbered in order.
    What a job comes after is cleared where it is no job of the table. Raises TraceError where a text stands
    for two jobs, so that `after` is ambiguous.
    """
    ids = table.column("job_id").combine_chunks() if "job_id" in table.column_names else None
    followed = "after" in table.column_names and len(pc.list_flatten(table.column("after"))) > 0
    renumbered = ids is not None and (pa.types.is_string(ids.type) or not (followed or _usable(ids)))
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
        ids = pa.array(np.arange(len(table)), after.type)
    elif pa.types.is_string(ids.type):
        _check_unique(ids, line)
    found = pc.index_in(after, value_set=ids)
    known = found.is_valid().to_numpy(zero_copy_only=False)
    twice = known & repeated(rows, found.fill_null(-1).to_numpy())
    for reason, wrong in {
        "after: names no job of the file, or one that was skipped: cleared": ~known,
        "after: names a job again: once taken": twice,
    }.items():
        if wrong.any():
            first = int(wrong.argmax())
            value = after[first].as_py()
            text = value if isinstance(value, str) else f"{value:.0f}"
            tally.note(reason, len(np.unique(rows[wrong])), int(line[rows[first]]), text)
    keep = known & ~twice
    return rows[keep], found.filter(pa.array(keep)).to_numpy()


def _check_unique(ids: pa.Array, line: Ints) -> None:
    again = np.ones(len(ids), bool)
    again[np.unique(np.asarray(ids.dictionary_encode().indices), return_index=True)[1]] = False
    if again.any():
        row = int(again.argmax())
        raise TraceError(
            f"line {line[row]}: job_id is {quoted(ids[row].as_py())}; allowed is an id that no job before it "
            "has, as `after` names jobs"
        )
