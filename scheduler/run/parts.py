"""The logs of a run as they lie on the disk: folders of part files, of which run.json keeps the digests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from traces.errors import cannot_read
from traces.files import open_file, read_bytes
from traces.parquet import read_columns, row_count

LOGS = ("jobs", "attempts", "states", "spend")


class DamagedLogError(ValueError):
    """A log that is not what the run wrote; says which part, and what is wrong with it."""


class Part(Struct, frozen=True):
    """A part file of a log, as it was written."""

    name: str
    rows: int
    sha256: str


def sealed_parts(folder: Path) -> dict[str, list[Part]]:
    """Return the parts of each log of a run that has just ended, once they are on the disk."""
    return {log: [_sealed(path) for path in part_paths(folder, log)] for log in LOGS}


def _sealed(path: Path) -> Part:
    with open_file(path) as file:
        os.fsync(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(path.name, row_count(file), sha256)


def part_paths(folder: Path, log: str) -> list[Path]:
    """Return the part files of a log, in order."""
    return sorted((folder / f"{log}.parquet").glob("[!.]*"))


def written_parts(folder: Path, log: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield columns, all by default, of the parts that a run has written so far.

    Raises DamagedLogError and OSError.
    """
    for path in part_paths(folder, log):
        with open_file(path) as file:
            try:
                yield read_columns(file, columns)
            except ValueError as error:
                raise DamagedLogError(f"{path}: {error}") from None


def verified_log(
    folder: Path, log: str, parts: Mapping[str, Sequence[Part]], columns: Sequence[str] | None = None
) -> pa.Table:
    """Return columns of a log, all by default, that has just the parts that the run wrote.

    Raises DamagedLogError where a part is missing, changed, or of another run.
    """
    names = [part.name for part in parts.get(log, ())]
    found = [path.name for path in part_paths(folder, log)]
    for name in sorted({*names} ^ {*found}):
        what = "is missing" if name in names else "is no part of this run"
        raise DamagedLogError(f"{folder}: {log}.parquet: {name} {what}")
    return pa.concat_tables(
        [_verified(folder / f"{log}.parquet" / part.name, part, columns) for part in parts[log]]
    )


def _verified(path: Path, part: Part, columns: Sequence[str] | None) -> pa.Table:
    where = f"{path.parent.parent}: {path.parent.name}: {path.name}"
    try:
        content = read_bytes(path)
    except OSError as error:
        raise DamagedLogError(cannot_read(where, error)) from None
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise DamagedLogError(f"{where} is not as the run wrote it: its SHA-256 is another")
    try:
        return read_columns(pa.py_buffer(content), columns)
    except ValueError as error:
        raise DamagedLogError(f"{where}: {error}") from None
