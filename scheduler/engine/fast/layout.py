"""How tables and lists are put behind each other in the memory of a lane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.engine.fast.memory import BRANCHES, RUN_SIZE
from traces.arrays import Array, Ints

_ROWS_AT_ONCE = 4_096


class Looked(NamedTuple):
    """A column of which only the distinct values are there, and for each row which of them is its own."""

    values: Ints
    of_row: Array

    def __getitem__(self, some: slice) -> Ints:  # type: ignore[override]
        return self.values[self.of_row[some]]


class RecordColumns:
    """A table of records that is held by column, as most of its columns are there already, until it is laid.

    What has no column is 0.
    """

    def __init__(self, count: int, width: int) -> None:
        self.shape = count, width
        self._columns: dict[int, Array | Looked] = {}

    def __setitem__(self, column: int, values: Array | Looked) -> None:
        self._columns[column] = values

    def lay(self, table: Ints) -> None:
        """Fill the table, some rows at a time, as each row is reached once then; the columns are gone."""
        for at in range(0, len(table), _ROWS_AT_ONCE):
            some = slice(at, at + _ROWS_AT_ONCE)
            for column, values in self._columns.items():
                table[some, column] = values[some]
        self._columns.clear()


class Layout:
    """Blocks one after another, the run's own record first; at the end they are one array."""

    def __init__(self) -> None:
        self.run = np.zeros(RUN_SIZE, np.int64)
        self._blocks, self._size = [(0, self.run)], RUN_SIZE
        self._columns: list[tuple[int, RecordColumns]] = []
        self._pointers: list[tuple[int, Ints, int, int]] = []

    def put(self, block: Ints) -> int:
        """Put a block behind the others; return where it begins. It may be filled later."""
        self._blocks.append((self._size, block.reshape(-1)))
        return self.room(block.size)

    def pointers(self, rows: Ints, first: int, width: int) -> int:
        """Put where records of some rows begin, of a table that begins at `first`; return where that stands.

        They are worked out in their place, as there may be one for each job.
        """
        self._pointers.append((self.room(rows.size), rows, first, width))
        return self._pointers[-1][0]

    def room(self, size: int) -> int:
        """Leave room for so many integers, 0 at first; return where it begins."""
        self._size += size
        return self._size - size

    def table(self, count: int, width: int) -> tuple[Ints, int]:
        """Return a new table of records, to be filled, and where it begins."""
        table = np.zeros((count, width), np.int64)
        return table, self.put(table)

    def columns(self, count: int, width: int) -> tuple[RecordColumns, int]:
        """Return a new table of many records, to be filled by column, and where it begins."""
        columns = RecordColumns(count, width)
        self._columns.append((self.room(count * width), columns))
        return columns, self._columns[-1][0]

    def memory(self) -> Ints:
        """Return the whole; its parts are gone then, as both together would be the most that a run holds."""
        whole = np.zeros(self._size, np.int64)  # pages that nobody writes to cost nothing
        while self._blocks:
            begin, block = self._blocks.pop()
            whole[begin : begin + block.size] = block
        while self._pointers:
            begin, rows, first, width = self._pointers.pop()
            np.multiply(rows, width, out=whole[begin : begin + rows.size])
            whole[begin : begin + rows.size] += first
        for begin, columns in self._columns:
            count, width = columns.shape
            columns.lay(whole[begin : begin + count * width].reshape(columns.shape))
        return whole


def level_lengths(leaves: int) -> list[int]:
    """Return the lengths of the levels of a tree, each but the root's filled up to whole nodes."""
    lengths = []
    while leaves > 1:
        lengths.append(leaves + -leaves % BRANCHES)
        leaves = lengths[-1] // BRANCHES
    return [*lengths, 1]
