"""The Trace: one row a job, ascending in submission, with units and provenance in its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Array, Ints
from traces.columns import NO_VALUE, codes, lists, numbers, values
from traces.parquet import ROW_GROUP, read_whole, write_batches
from traces.schema import (
    ANY_DEVICE,
    REFERENCE_PFLOPS,
    RESAMPLED,
    RESIDENCIES,
    TRACE_SCHEMA,
    TraceError,
    complete,
    metadata,
)
from traces.times import DAY_S, HOUR_S
from traces.validate import conform, validate

__all__ = ["ANY_DEVICE", "NO_VALUE", "RESIDENCIES", "TRACE_SCHEMA", "Trace", "TraceError"]

OPENS = "opens_s"
"""Key of the source of a trace that opens warm."""


class Predecessors(NamedTuple):
    """What jobs come after, by row: those of row i are `rows[offsets[i] : offsets[i + 1]]`."""

    offsets: Ints
    """One more than there are jobs, ascending from 0."""
    rows: Ints

    def counts(self) -> Ints:
        """Return how many each job has."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class Trace:
    """A validated, immutable table of jobs (columns as in `TRACE_SCHEMA`).

    Build it with `from_columns` or `read`; both raise TraceError on broken rows.
    """

    table: pa.Table

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Any],
        *,
        epoch: datetime | None = None,
        reference_device: str = ANY_DEVICE,
        source: Mapping[str, object] | None = None,
    ) -> Trace:
        """Validate `columns` (arrays or Arrow arrays of one length; absent ones take their default).

        `estimate_s` is `runtime_s` where absent, `job_id` counts from 0. Rows must ascend in `submit_s`.
        `epoch` is the instant of second 0 (the Unix epoch where absent), `source` says where the jobs
        came from: the generator with its parameters and seed, or the file with its SHA-256.
        """
        table = complete(columns)
        validate(table)
        return cls(table.replace_schema_metadata(metadata(epoch, reference_device, source or {})))

    @classmethod
    def read(cls, path: Path | str, *, sealed: bool = False) -> Trace:
        """Read and validate a trace; raises TraceError naming the file for anything that is not one.

        A sealed one is known to be as `write` left it, to the bit: its rows are not validated again.
        """
        try:
            table = conform(read_whole(path))
            if not sealed:
                validate(table)
        except TraceError as error:
            raise TraceError(f"{path}: {error}") from None
        except ValueError as error:
            raise TraceError(str(error)) from None
        return cls(table)

    def from_source(self, source: Mapping[str, object]) -> Trace:
        """Return the trace with another account of where its jobs came from."""
        known = self.table.schema.metadata | {b"exaburst.source": json.dumps(source, sort_keys=True).encode()}
        return Trace(self.table.replace_schema_metadata(known))

    def write(self, path: Path | str) -> None:
        """Write the trace as Parquet; the file appears only once it is whole."""
        write_batches(Path(path), self.table.schema, self.table.to_batches(max_chunksize=ROW_GROUP))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column, one value a job."""
        return self.table.column(name)

    def rows(self, rows: Ints, names: Sequence[str] = TRACE_SCHEMA.names) -> pa.Table:
        """Return some rows, of all columns or of some."""
        return self.table.select(list(names)).take(pa.array(rows))

    def numpy(self, name: str) -> Array:
        """Return a numeric column, one value a job; null becomes `NO_VALUE`."""
        return numbers(self.column(name))

    def codes(self, name: str) -> tuple[Array, list[str]]:
        """Return a dictionary column as int32 codes, one a job, and the words they stand for.

        Null becomes `NO_VALUE`.
        """
        return codes(self.column(name))

    def words(self, name: str) -> list[str]:
        """Return the words that a dictionary column holds."""
        return self.codes(name)[1]

    def take(self, name: str, rows: Ints) -> pa.ChunkedArray:
        """Return a column of some rows."""
        whole = self._whole.get(name)
        if whole is None:
            whole = self._whole[name] = pa.table([self.column(name)], [name]).combine_chunks().column(0)
        return whole.take(pa.array(rows))

    @cached_property
    def _whole(self) -> dict[str, pa.ChunkedArray]:
        """Columns that have been taken of, in one piece."""
        return {}

    @cached_property
    def after(self) -> Predecessors:
        """The jobs that each comes after."""
        offsets, after = lists(self.column("after"))
        ids = self.column("job_id").combine_chunks()
        rows = pc.index_in(pa.array(after), value_set=ids) if len(after) else pa.array([], pa.int64())
        return Predecessors(offsets, rows.to_numpy().astype(np.int64))

    @property
    def epoch(self) -> datetime:
        """The instant of second 0, in UTC."""
        return self.epoch_in_its_zone.astimezone(UTC)

    @property
    def epoch_in_its_zone(self) -> datetime:
        """The epoch in the zone in which it is given."""
        return datetime.fromisoformat(self._meta("epoch"))

    @property
    def past_midnight_s(self) -> int:
        """The time of day of the epoch, in its zone."""
        local = self.epoch_in_its_zone
        return local.hour * HOUR_S + local.minute * 60 + local.second

    @property
    def offset_s(self) -> int:
        """How far the zone in which the epoch is given is east of UTC."""
        offset = self.epoch_in_its_zone.utcoffset()
        return round(offset.total_seconds()) if offset else 0

    def instant(self, second: int) -> datetime:
        """Return the instant of a second, in UTC."""
        return self.epoch + timedelta(seconds=second)

    @property
    def first_submit_s(self) -> int:
        """The first submission, in seconds from the epoch; 0 where there is none."""
        return int(self.numpy("submit_s")[0]) if len(self) else 0

    @property
    def first_midnight_s(self) -> int:
        """The last midnight at or before the first submission, but not before second 0.

        Midnight is that of the epoch's zone, at its offset then. Generated demand begins with its first day,
        jobs or not; a replication of a log with its first block; the trace of a live run where that began.
        """
        if begun := self.source.get("live") or self.source.get(RESAMPLED):
            return int(begun["start_s"])
        if self.generated:
            return 0
        return max(0, self.first_submit_s - (self.first_submit_s + self.past_midnight_s) % DAY_S)

    @property
    def last_submit_s(self) -> int:
        """The last submission, in seconds from the epoch; 0 where there is none."""
        return int(self.numpy("submit_s")[-1]) if len(self) else 0

    @property
    def generated(self) -> bool:
        """Whether its jobs are those of a demand, whose calendar begins at second 0."""
        return "demand" in self.source

    @property
    def reference_device(self) -> str:
        """The device that `gang` and `runtime_s` speak of, or `ANY_DEVICE`."""
        return self._meta("reference_device")

    @property
    def source(self) -> dict[str, Any]:
        """Where the jobs came from."""
        return dict(json.loads(self._meta("source")))

    @property
    def opens_s(self) -> int | None:
        """The second at which it opens, with jobs that run and wait by then; None: nobody does."""
        return self.source.get(OPENS)

    @property
    def reference_pflops(self) -> dict[str, float]:
        """What the reference device delivers by kind of job; empty where the source does not say."""
        return dict(self.source.get(REFERENCE_PFLOPS, {}))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the reference device, the epoch in its zone and every column's values.

        The same jobs give the same digest whatever file or encoding they came in.
        """
        digest = hashlib.sha256(
            json.dumps([self.reference_device, self.epoch_in_its_zone.isoformat()]).encode()
        )
        for field in TRACE_SCHEMA:
            for part in values(self.column(field.name), field.type):
                digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
        return digest.hexdigest()

    def _meta(self, key: str) -> str:
        return str(self._metadata[f"exaburst.{key}".encode()].decode())

    @property
    def _metadata(self) -> dict[bytes, bytes]:
        return dict(self.table.schema.metadata)
