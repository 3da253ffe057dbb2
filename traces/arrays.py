"""Types of arrays, and columns of words and of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

WORD = pa.dictionary(pa.int32(), pa.string())
"""The type of a column of words."""


def repeated(rows: Ints, values: Ints) -> Bools:
    """Say which pairs (row, value) stand there before."""
    again = np.ones(len(rows), bool)
    again[np.unique(np.stack([rows, values]), axis=1, return_index=True)[1]] = False
    return again


def lists_of(rows: Ints, values: Array, size: int) -> pa.ListArray:
    """Return the values of each of so many rows as a list, null where it has none; rows ascend."""
    lengths = np.bincount(rows, minlength=size)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(values), mask=pa.array(lengths == 0))


def word_column(codes: Array, words: Sequence[str], mask: Bools | None = None) -> pa.DictionaryArray:
    """Return the column of `words[codes]`; null where masked."""
    places = pa.array(codes.astype(np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(places, pa.array(words, pa.string()))


def is_word(column: pa.ChunkedArray, *words: str) -> Bools:
    """Say of each row of a column of words whether its word is one of these; null is none."""
    found = []
    for chunk in _in_codes(column):
        known, codes = chunk.dictionary.to_pylist(), chunk.indices
        wanted = np.array([*(word in words for word in known), False])
        found.append(wanted[(codes.fill_null(len(known)) if codes.null_count else codes).to_numpy()])
    return np.concatenate([np.zeros(0, bool), *found])


def words_of(column: pa.ChunkedArray) -> list[str]:
    """Return the words that stand in a column, sorted; null is none."""
    return sorted(word_counts(column))


def word_counts(column: pa.ChunkedArray) -> Counter[str]:
    """Return how often each word stands in a column that has it; null is none."""
    counts = Counter[str]()
    for chunk in _in_codes(column):
        codes, known = chunk.indices.drop_null().to_numpy(), chunk.dictionary.to_pylist()
        counts.update({known[code]: times for code, times in enumerate(np.bincount(codes).tolist()) if times})
    return counts


def _in_codes(column: pa.ChunkedArray) -> list[pa.DictionaryArray]:
    chunks: list[pa.DictionaryArray] = (column if column.type == WORD else column.cast(WORD)).chunks
    return chunks


def filtered(table: pa.Table, keep: Bools) -> pa.Table:
    """Return some rows of a table; the table itself where that is all of them."""
    return table if keep.all() else table.filter(pa.array(keep))


def with_columns(table: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """Return a table with other values in some columns, each at its place and of its type."""
    for name, values in columns.items():
        at = table.column_names.index(name)
        table = table.set_column(at, table.schema.field(at), values)
    return table


class UnknownIdError(ValueError):
    """An id that is not among those there are; names it."""


def rows_of(ids: Ints, wanted: Ints) -> Ints:
    """Return the row of each wanted id among `ids`, which differ; none is below 0. Raises UnknownIdError."""
    counted = len(wanted) and int(wanted.min()) >= 0 and int(wanted.max()) < len(ids)
    if counted and bool((ids[wanted] == wanted).all()):
        return wanted  # ids mostly count from 0
    most = int(ids.max(initial=-1))
    if most < 4 * len(ids) + 1_000:
        row = np.zeros(most + 2, np.int64)  # the last is that of all larger ids
        row[ids] = np.arange(len(ids))
        rows = row[np.clip(wanted, 0, most + 1)]
    else:
        order = np.argsort(ids)
        rows = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    known = ids[rows] == wanted if len(ids) else np.zeros(len(wanted), bool)
    if not known.all():
        raise UnknownIdError(f"job_id {wanted[~known][0]}: is named in a log, and is no job of the run")
    return np.asarray(rows)


def sorted_by(table: pa.Table, column: str) -> pa.Table:
    """Return the rows in order of a column of numbers; of equal ones the first stays first."""
    return table.take(pa.array(np.argsort(table.column(column).to_numpy(), kind="stable")))


def combinations(columns: Sequence[pa.ChunkedArray]) -> tuple[Ints, Ints]:
    """Number the combinations of words in columns, one or more of equal length, as they first appear.

    Returns the first row of each combination, and the number of that of each row. Null is a word of its own.
    """
    number = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        words = column.cast("string").combine_chunks().dictionary_encode()
        code = words.indices.fill_null(len(words.dictionary)).to_numpy()
        pairs = pa.array(number * (len(words.dictionary) + 1) + code).dictionary_encode()
        number = pairs.indices.to_numpy().astype(np.int64)
    return np.unique(number, return_index=True)[1], number


def first_seen(codes: Array, words: list[str]) -> tuple[Array, list[str]]:
    """Number words by first appearance, so that an encoding's own order does not show; null is -1."""
    has_word = np.flatnonzero(codes != -1)
    first = np.full(len(words), len(codes))
    # Of several values for one place the last is kept: written backwards, the first.
    first[codes[has_word[::-1]]] = has_word[::-1]
    order = np.argsort(first, kind="stable")[: int((first < len(codes)).sum())]
    renumber = np.full(len(words) + 1, -1, np.int32)  # that of null, -1, is the last
    renumber[order] = np.arange(len(order), dtype=np.int32)
    return renumber[codes], [words[code] for code in order]
