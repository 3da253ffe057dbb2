"""Columns of words and of ids: found by their codes and places, as plain lists find them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from traces.arrays import WORD, UnknownIdError, filtered, is_word, rows_of, word_counts, words_of

WORDS = st.lists(st.sampled_from(["a", "b", "c", None]))


@given(st.lists(WORDS, min_size=1))
def test_words_are_found_in_parts_of_different_dictionaries(parts: list[list[str | None]]) -> None:
    column = pa.chunked_array([pa.array(part, pa.string()).dictionary_encode() for part in parts], WORD)
    plain = [word for part in parts for word in part]
    assert is_word(column, "b", "z").tolist() == [word == "b" for word in plain]
    assert words_of(column) == sorted({word for word in plain if word})
    assert word_counts(column) == Counter(word for word in plain if word)


def test_a_word_that_no_row_has_is_none_of_the_column() -> None:
    column = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode().take(pa.array([1, 1]))])
    assert words_of(column) == ["b"]


@given(st.lists(st.integers(0, 50) | st.integers(0, 2**53), unique=True, min_size=1), st.data())
def test_each_id_is_found_in_its_row(ids: list[int], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.sampled_from(ids)))
    found = rows_of(np.array(ids), np.array(wanted, np.int64))
    assert found.tolist() == [ids.index(one) for one in wanted]


@given(st.lists(st.integers(0, 50) | st.integers(0, 2**53), unique=True), st.integers(-1, 2**62))
def test_an_id_that_is_not_there_is_named(ids: list[int], other: int) -> None:
    assume(other not in ids)
    with pytest.raises(UnknownIdError, match=f"job_id {other}: "):
        rows_of(np.array(ids, np.int64), np.array([*ids, other]))


def test_all_rows_are_the_table_itself() -> None:
    table = pa.table({"at": [1, 2, 3]})
    assert filtered(table, np.ones(3, bool)) is table
    assert filtered(table, np.array([True, False, True])).column("at").to_pylist() == [1, 3]
