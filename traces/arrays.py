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


def word_column(
    codes: Array | Sequence[int], words: Sequence[str] | pa.Array, mask: Bools | None = None
) -> pa.DictionaryArray:
    """Return the column of `words[codes]`; null where masked."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.asarray(codes, np.int32), mask=mask), pa.array(words, pa.string())
    )
