"""How this project writes Parquet: documented columns, zstd, delta encodings, whole files only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from traces.errors import cannot_read, first_line, short_of_memory
from traces.files import open_file, written_whole

ROW_GROUP = 131_072
Limits = Mapping[str, tuple[int, int]]
"""The least and the most that is asked for of columns of integers."""

COLUMNS = "exaburst.columns"
"""Key of the file metadata that repeats what each column says of itself, as JSON, for all readers.

Arrow keeps the metadata of fields in an encoding of its own, which DuckDB and polars do not show.
"""


def documented(name: str, kind: pa.DataType, unit: str, meaning: str, *, nullable: bool = False) -> pa.Field:
    """Return a field that carries its unit ("" where it has none) and its meaning as metadata."""
    return pa.field(name, kind, nullable, {"unit": unit, "meaning": meaning})


def write_batches(path: Path, schema: pa.Schema, batches: Iterable[pa.Table | pa.RecordBatch]) -> None:
    """Write `batches` to one Parquet file, which appears under `path` only once it is whole.

    Equal batches give equal bytes. Raises OSError as `written_whole` does.
    """
    with written_whole(path) as file, pq.ParquetWriter(file, schema, **_encodings(schema)) as writer:
        for batch in batches:
            write = writer.write_table if isinstance(batch, pa.Table) else writer.write_batch
            write(batch, row_group_size=ROW_GROUP)
        writer.add_key_value_metadata({COLUMNS: json.dumps(_said(schema))})


def _said(schema: pa.Schema) -> dict[str, dict[str, str]]:
    """Unit and meaning of each column that has them."""
    return {
        field.name: {key.decode(): value.decode() for key, value in field.metadata.items()}
        for field in schema
        if field.metadata
    }


def _encodings(schema: pa.Schema) -> dict[str, object]:
    """Delta encoding for integers, which are mostly sorted or small; dictionaries stay dictionaries.

    Statistics are of integers alone, as readers look for instants and ids.
    """
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    wide = [field.name for field in schema if field.type in (pa.int32(), pa.int64())]
    return {
        "compression": "zstd",
        "use_dictionary": words,
        "column_encoding": dict.fromkeys(wide, "DELTA_BINARY_PACKED"),
        "write_statistics": wide,
        "write_page_checksum": True,
    }


def read_whole(path: Path | str) -> pa.Table:
    """Return the table of a file with its checksums verified; raises ValueError where it is none."""
    try:
        with open_file(path) as file:
            return read_columns(file)
    except OSError as error:
        raise ValueError(cannot_read(path, error)) from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_columns(
    file: BinaryIO | pa.Buffer, columns: Sequence[str] | None = None, limits: Limits | None = None
) -> pa.Table:
    """Return columns of a Parquet file, all by default, with its checksums verified; raises ValueError.

    Groups of rows none of which can be within the limits are not read; others come whole.
    """
    with _opened(file) as parquet:
        if limits is None:
            return parquet.read(columns, use_threads=False)
        return parquet.read_row_groups(_within(parquet, limits), columns, use_threads=False)


def read_group(file: BinaryIO | pa.Buffer, group: int) -> pa.Table:
    """Return a group of rows of a Parquet file, with its checksums verified; raises ValueError."""
    with _opened(file) as parquet:
        return parquet.read_row_group(group, use_threads=False)


@contextmanager
def _opened(file: BinaryIO | pa.Buffer) -> Iterator[pq.ParquetFile]:
    """Give a Parquet file to be read with its checksums verified; raises ValueError where that fails.

    It is to be read without threads: one that lets go of Python's memory as the process ends aborts it
    (apache/arrow#50482).
    """
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            yield parquet
    except (pa.ArrowException, OSError, ValueError) as error:
        if short_of_memory(error):  # which says nothing of the file
            raise
        raise ValueError(f"not a readable Parquet file: {first_line(error)}") from None


def _within(parquet: pq.ParquetFile, limits: Limits) -> list[int]:
    """Return the groups of rows of a file that may hold rows within limits, by their statistics."""
    places = {parquet.metadata.schema.column(at).path: at for at in range(parquet.metadata.num_columns)}

    def may_hold(group: int) -> bool:
        for name, (least, most) in limits.items():
            told = parquet.metadata.row_group(group).column(places[name]).statistics
            if told is not None and told.has_min_max and (told.max < least or told.min > most):
                return False
        return True

    return [group for group in range(parquet.num_row_groups) if may_hold(group)]


def columns_and_rows(file: BinaryIO | pa.Buffer) -> tuple[pa.Schema, int]:
    """Return the columns and the number of rows of a Parquet file; raises ValueError where it is none."""
    try:
        with pq.ParquetFile(file) as parquet:
            return parquet.schema_arrow, int(parquet.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"not a readable Parquet file: {first_line(error)}") from None


def rows_of_groups(file: BinaryIO | pa.Buffer) -> list[int]:
    """Return how many rows each group of rows of a Parquet file has."""
    with _opened(file) as parquet:
        return [parquet.metadata.row_group(at).num_rows for at in range(parquet.num_row_groups)]


def row_count(file: BinaryIO) -> int:
    """Return how many rows a Parquet file has."""
    return int(pq.read_metadata(file).num_rows)


def read_metadata(path: Path | str) -> dict[bytes, bytes]:
    """Return the key-value metadata of a Parquet file; nothing where it is none."""
    try:
        with open_file(path) as file:
            return pq.read_metadata(file).metadata or {}
    except (pa.ArrowException, OSError, ValueError):
        return {}
