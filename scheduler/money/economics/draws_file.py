"""The draws of build or buy as Parquet: one row a draw, the inputs and then what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from scheduler.money.economics.inputs import Input
from scheduler.money.economics.model import Case, Outcome
from traces.parquet import documented, write_batches


def write_draws(
    path: Path, inputs: Mapping[str, Input], draws: Case, result: Outcome, about: Mapping[str, str]
) -> None:
    """Write draws and results, columns with unit and meaning; `about` becomes the file's metadata."""
    columns = [documented(name, pa.float64(), each.unit, each.meaning) for name, each in inputs.items()]
    columns += [
        documented(each.name, pa.float64(), each.metadata["unit"], each.metadata["meaning"], nullable=True)
        for each in fields(Outcome)
    ]
    values = [np.asarray(getattr(draws, name), np.float64) for name in inputs]
    values += [np.asarray(getattr(result, each.name), np.float64) for each in fields(Outcome)]
    schema = pa.schema(columns, dict(about))
    rows = pa.table([pa.array(each, mask=np.isnan(each)) for each in values], schema=schema)
    write_batches(path, schema, [rows])
