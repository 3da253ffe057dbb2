"""A trace in a file that is known to be valid, of which only that is read which is asked for.

Where one job of a million is asked about, a column takes a twentieth of the time that all of them take.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from traces.arrays import Ints
from traces.parquet import columns_and_rows, read_columns, read_group, rows_of_groups
from traces.schema import TRACE_SCHEMA, typed
from traces.trace import Trace
from traces.validate import conform


class StoredTrace(Trace):
    """A trace by what a file holds that is known to be a valid one; its rows are not validated again.

    Raises ValueError for what is no Parquet. A file of somebody else's, with other types, is read whole.
    """

    def __init__(self, content: bytes) -> None:
        file = pa.py_buffer(content)
        schema, size = columns_and_rows(file)
        self._as_written = schema.equals(TRACE_SCHEMA)
        self._file, self._size, self._schema = file, size, conform(schema.empty_table()).schema
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._groups: dict[int, pa.Table] = {}

    @cached_property
    def table(self) -> pa.Table:
        """All of it."""
        return conform(read_columns(self._file))

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column, one value a job."""
        if not self._as_written:
            return super().column(name)
        if name not in self._columns:
            column = read_columns(self._file, [name]).column(0)
            self._columns[name] = typed(column, TRACE_SCHEMA.field(name))
        return self._columns[name]

    def rows(self, rows: Ints, names: Sequence[str] = TRACE_SCHEMA.names) -> pa.Table:
        """Return some rows, of all columns or of some; what is read are the groups in which they stand."""
        first = self._first_rows
        group = np.searchsorted(first, rows, "right") - 1
        wanted = np.unique(group)
        if not self._as_written or len(wanted) == len(first) - 1:
            return super().rows(rows, names)
        shift = np.zeros(len(first), np.int64)
        lengths = np.diff(first)[wanted]
        shift[wanted] = first[wanted] - np.cumsum(lengths) + lengths
        parts = [self._group(at).select(list(names)) for at in wanted.tolist()]
        whole = pa.concat_tables(parts) if parts else self._schema.empty_table().select(list(names))
        return whole.take(pa.array(rows - shift[group]))

    @cached_property
    def _first_rows(self) -> Ints:
        """The first row of each group of rows, and how many rows there are."""
        return np.cumsum([0, *rows_of_groups(self._file)])

    def _group(self, at: int) -> pa.Table:
        if at not in self._groups:
            self._groups[at] = conform(read_group(self._file, at))
        return self._groups[at]

    def __len__(self) -> int:
        return self._size

    @property
    def _metadata(self) -> dict[bytes, bytes]:
        return dict(self._schema.metadata)
