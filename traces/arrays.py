"""Types of arrays, and columns of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

WORD = pa.dictionary(pa.int32(), pa.string())
"""The type of a column of words."""


def word_column(codes: Array, words: Sequence[str], mask: Bools | None = None) -> pa.DictionaryArray:
    """Return the column of `words[codes]`; null where masked."""
    places = pa.array(codes.astype(np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(places, pa.array(words, pa.string()))
