"""Part files, each whole or absent, and columns for them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from traces.arrays import Ints
from traces.parquet import write_batches

NO_POD = -1


class PartFiles:
    """The logs of a run, folders of part files under `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = dict.fromkeys(("jobs", "attempts", "states"), 0)

    def write(self, log: str, columns_schema: pa.Schema, columns: Mapping[str, Any]) -> None:
        """Write the next part of a log; one without rows only where it is the first."""
        table = pa.table({name: columns[name] for name in columns_schema.names}).cast(columns_schema)
        part = self._folder / f"{log}.parquet" / f"part-{self._written[log]:05d}.parquet"
        if table.num_rows or not self._written[log]:
            part.parent.mkdir(exist_ok=True)
            write_batches(part, columns_schema, [table.unify_dictionaries()])
            self._written[log] += 1


def unpacked(rows: bytearray | array[int], width: int) -> list[Ints]:
    """Return packed rows as one contiguous array a column."""
    return list(np.frombuffer(rows, np.int64).reshape(-1, width).T.copy())


def pods_of(pod: Ints, spans: dict[int, list[int]]) -> pa.Array:
    """Return the pods of each attempt as a list: one, none, or those of the few that span several."""
    lengths = np.where(pod == NO_POD, 0, 1)
    lengths[list(spans)] = [len(pods) for pods in spans.values()]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.repeat(pod, lengths)
    for row, pods in spans.items():
        values[offsets[row] : offsets[row + 1]] = pods
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, pa.int32()))
