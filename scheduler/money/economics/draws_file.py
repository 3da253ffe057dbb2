"""The draws of build or buy as Parquet: one row a draw, its reading, the inputs, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from scheduler.money.economics.comparison import Comparison
from scheduler.money.economics.model import Outcome
from traces.arrays import WORD, word_column
from traces.parquet import documented, write_batches

FIRST_COLUMNS = ("reading",)
"""What the file begins with, whatever was asked."""


def write_draws(path: Path, found: Comparison, about: Mapping[str, str]) -> None:
    """Write draws and results, columns with unit and meaning; `about` becomes the file's metadata."""
    inputs = found.answers[0].inputs
    columns = [documented(FIRST_COLUMNS[0], WORD, "", "what the pod makes and costs, and by whose word")]
    columns += [documented(name, pa.float64(), each.unit, each.meaning) for name, each in inputs.items()]
    columns += [
        documented(each.name, pa.float64(), each.metadata["unit"], each.metadata["meaning"], nullable=True)
        for each in fields(Outcome)
    ]
    values = [np.asarray(getattr(found.draws, name), np.float64) for name in inputs]
    values += [np.asarray(getattr(found.result, each.name), np.float64) for each in fields(Outcome)]
    schema = pa.schema(columns, dict(about))
    readings = word_column(found.which, [each.reading.key for each in found.answers])
    rows = pa.table([readings, *(pa.array(each, mask=np.isnan(each)) for each in values)], schema=schema)
    write_batches(path, schema, [rows])
