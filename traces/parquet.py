"""How this project writes Parquet: documented columns, zstd, delta encodings, whole files only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from traces.errors import first_line

ROW_GROUP = 131_072
COLUMNS = "exaburst.columns"
"""Key of the file metadata that repeats what each column says of itself, as JSON, for all readers.

Arrow keeps the metadata of fields in an encoding of its own, which DuckDB and polars do not show.
"""


def documented(name: str, kind: pa.DataType, unit: str, meaning: str, *, nullable: bool = False) -> pa.Field:
    """Return a field that carries its unit ("" where it has none) and its meaning as metadata."""
    return pa.field(name, kind, nullable, {"unit": unit, "meaning": meaning})


def write_batches(path: Path, schema: pa.Schema, batches: Iterable[pa.Table | pa.RecordBatch]) -> None:
    """Write `batches` to one Parquet file, which appears under `path` only once it is whole.

    Equal batches give equal bytes. Raises OSError, leaving nothing behind, where the folder cannot be
    written or the disk is full.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with pq.ParquetWriter(part, schema, **_encodings(schema)) as writer:
            for batch in batches:
                write = writer.write_table if isinstance(batch, pa.Table) else writer.write_batch
                write(batch, row_group_size=ROW_GROUP)
            writer.add_key_value_metadata({COLUMNS: json.dumps(_said(schema))})
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _said(schema: pa.Schema) -> dict[str, dict[str, str]]:
    """Unit and meaning of each column that has them."""
    return {
        field.name: {key.decode(): value.decode() for key, value in field.metadata.items()}
        for field in schema
        if field.metadata
    }


def _encodings(schema: pa.Schema) -> dict[str, object]:
    """Delta encoding for integers, which are mostly sorted or small; dictionaries stay dictionaries."""
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    wide = [field.name for field in schema if field.type in (pa.int32(), pa.int64())]
    return {
        "compression": "zstd",
        "use_dictionary": words,
        "column_encoding": dict.fromkeys(wide, "DELTA_BINARY_PACKED"),
        "write_statistics": True,
        "write_page_checksum": True,
    }


def read_whole(path: Path | str) -> pa.Table:
    """Return the table of a file with its checksums verified; raises ValueError where it is none."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable Parquet file: {first_line(error)}") from None
