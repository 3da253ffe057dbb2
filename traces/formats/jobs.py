"""What a reader hands over: the jobs of a file, in the file's order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from traces.arrays import Floats, word_column

NO_ESTIMATE = "run time asked for: the file has none, so the run time itself"


@dataclass(frozen=True)
class Jobs:
    """Columns of a trace (numbers still as float64, NaN for none) and the `line` of each job."""

    table: pa.Table
    epoch: datetime | None
    assumed: tuple[str, ...]


def numbered(what: str, numbers: Floats, unknown: str) -> pa.DictionaryArray:
    """Return words such as "user 12" for numbers, `unknown` for negative ones."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    words = [f"{what} {number:.17g}" if number >= 0 else unknown for number in distinct.tolist()]
    return word_column(codes, words)


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    """Return `table` with one column's values replaced."""
    return table.set_column(table.column_names.index(name), name, values)
