"""What the columns of a trace hold, as numpy: numbers, words, lists; and what a digest of them sees."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Array, Ints, first_seen

NO_VALUE = -1
"""Stands for null in a column of integers (all valid integers there are 0 or more)."""


def numbers(column: pa.ChunkedArray) -> Array:
    """Return a column of numbers; null becomes `NO_VALUE`."""
    return np.asarray((column.fill_null(NO_VALUE) if column.null_count else column).to_numpy())


def codes(column: pa.ChunkedArray) -> tuple[Array, list[str]]:
    """Return a column of words as int32 codes and the words they stand for; null becomes `NO_VALUE`."""
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], WORD)
    return np.asarray(column.indices.fill_null(NO_VALUE)), column.dictionary.to_pylist()


def lists(column: pa.ChunkedArray) -> tuple[Ints, Ints]:
    """Return a column of lists as offsets and values; null is an empty list."""
    lengths = pc.list_value_length(column).fill_null(0).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), pc.list_flatten(column).to_numpy()


def values(column: pa.ChunkedArray, kind: pa.DataType) -> Iterator[Array | bytes]:
    """Yield what a column of a type holds, so that other values never look the same."""
    if kind == WORD:
        seen, words = first_seen(*codes(column))
        yield from (json.dumps(words).encode(), seen)
    elif kind == pa.string():
        yield pc.binary_length(column).fill_null(NO_VALUE).to_numpy()
        yield "".join(column.drop_null().to_pylist()).encode()
    elif pa.types.is_list(kind):
        yield from lists(column)
    else:
        # Adding 0 turns -0.0, which equals 0.0, into it.
        yield numbers(column) + kind.to_pandas_dtype()(0)
