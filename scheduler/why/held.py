"""Who held what of a run, by column, whole or about a span of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.why.step_function import StepFunction
from traces.arrays import Bools, Ints


class Holdings(NamedTuple):
    """Attempts by column; `resource` is a pool or an offer, numbered in that order."""

    job_id: Ints
    resource: Ints
    devices: Ints
    alloc_s: Ints
    end_s: Ints
    pods: pa.ListArray

    @classmethod
    def of(cls, attempts: pa.Table, names: list[str]) -> Holdings:
        """Return those of attempts.parquet; `names` are those of the pools, then of the offers."""
        numbers = (attempts.column(name).to_numpy() for name in ("devices", "alloc_s", "end_s"))
        where = attempts.column("where").cast(pa.string())
        resource = pc.index_in(where, value_set=pa.array(names, pa.string())).to_numpy()
        pods = attempts.column("pods").combine_chunks()
        return cls._make([attempts.column("job_id").to_numpy(), resource, *numbers, pods])

    def some(self, rows: Bools) -> Holdings:
        """Return those of some rows; themselves where that is all of them."""
        if rows.all():
            return self
        *columns, pods = self
        return Holdings._make([*(column[rows] for column in columns), pods.filter(pa.array(rows))])

    def during(self, from_s: int, to_s: int) -> Holdings:
        """Return those that held something in a span."""
        return self.some((self.alloc_s < to_s) & (self.end_s > from_s))

    def at(self, resource: int) -> Holdings:
        """Return those of a pool or an offer."""
        return self.some(self.resource == resource)

    def held(self, keep_s: int = 0) -> StepFunction:
        """Return how many devices they hold; devices are kept for so long after a gang."""
        devices = self.devices.astype(np.int64)
        times = np.concatenate([self.alloc_s, self.end_s + keep_s])
        return StepFunction.of(0, times, np.concatenate([devices, -devices]))

    def by_pod(self, size: int) -> tuple[Ints, Ints, Ints]:
        """Return (row, pod, devices) of each pod that they hold; the last of a gang's pods gives the rest."""
        lengths = pc.list_value_length(self.pods).to_numpy(zero_copy_only=False).astype(np.int64)
        row = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        devices = np.minimum(size, self.devices[row].astype(np.int64) - place * size)
        return row, pc.list_flatten(self.pods).to_numpy().astype(np.int64), devices
