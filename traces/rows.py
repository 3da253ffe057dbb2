"""The jobs of a run by row, as its log and its prices look them up: a trace, or one that grows."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from traces.arrays import Array, Ints


class JobRows(Protocol):
    """Columns of a trace; what `numpy` returns may be longer than there are rows, and fills as they come."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def numpy(self, name: str) -> Array:
        """Return a numeric column, one value a row."""

    def words(self, name: str) -> list[str]:
        """Return the words that a column may hold."""

    def take(self, name: str, rows: Ints) -> pa.ChunkedArray:
        """Return a column of some rows."""
