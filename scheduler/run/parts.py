"""The logs of a run as they lie on the disk: folders of part files, of which run.json keeps the digests."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from traces.errors import cannot_read
from traces.files import open_file, to_disk
from traces.parquet import Limits, columns_and_rows, read_columns, row_count, write_batches

LOGS = ("jobs", "attempts", "states", "spend")
EVERY_LOG = (*LOGS, "admissions", "patience", "assets", "sales", "loop", "loop_hours", "edge")
"""The last are there only where there are queues, where patience is asked again, where pods come and go, and
where there is a market, a loop or an edge."""
DEMAND = "trace.parquet"
"""The jobs of a run that generated them."""
WAITS_KEPT = "waits.parquet"
"""What its jobs waited for, where somebody has asked."""


class DamagedLogError(ValueError):
    """A log that is not what the run wrote; says which part, and what is wrong with it."""


class Part(Struct, frozen=True):
    """A part file of a log, as it was written."""

    name: str
    rows: int
    sha256: str


def sealed_parts(folder: Path) -> dict[str, list[Part]]:
    """Return the parts of each log of a run that has just ended, once they are on the disk."""
    return {log: [_sealed(path) for path in part_paths(folder, log)] for log in EVERY_LOG}


def _sealed(path: Path) -> Part:
    with open_file(path) as file:
        to_disk(file, path)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(path.name, row_count(file), sha256)


def sealed_demand(folder: Path) -> Part | None:
    """Return the generated jobs beside the logs, once they are on the disk; None where there are none."""
    path = folder / DEMAND
    return _sealed(path) if path.exists() else None


def part_paths(folder: Path, log: str) -> list[Path]:
    """Return the part files of a log, in order."""
    return sorted((folder / f"{log}.parquet").glob("[!.]*"))


def check_parts(folder: Path, parts: Mapping[str, Sequence[Part]], demand: Part | None) -> None:
    """Check that the files of a run are just those that it wrote, to the bit.

    Raises DamagedLogError where one is missing, changed, or of another run.
    """
    for log in EVERY_LOG:
        within = folder / f"{log}.parquet"
        found = [path.name for path in within.iterdir()] if within.is_dir() else []
        _check_names(f"{folder}: {within.name}", parts[log], found)
        for part in parts[log]:
            _check_content(f"{folder}: {within.name}: {part.name}", within / part.name, part)
    found = [DEMAND] if os.path.lexists(folder / DEMAND) else []
    _check_names(f"{folder}", [demand] if demand else [], found)
    if demand:
        _check_content(f"{folder}: {DEMAND}", folder / DEMAND, demand)


def _check_names(where: str, parts: Sequence[Part], found: Sequence[str]) -> None:
    names = [part.name for part in parts]
    for name in sorted({*names} ^ {*found}):
        what = "is missing" if name in names else "is no part of this run"
        raise DamagedLogError(f"{where}: {name} {what}")


def _check_content(where: str, path: Path, part: Part) -> None:
    try:
        sha256 = _sha256(path)
    except OSError as error:
        raise DamagedLogError(cannot_read(where, error)) from None
    if sha256 != part.sha256:
        raise DamagedLogError(f"{where} is not as the run wrote it: its SHA-256 is another")


def write_log(folder: Path, log: str, table: pa.Table) -> None:
    """Write a log as its one part, with the schema of the table."""
    path = folder / f"{log}.parquet" / "part-00000.parquet"
    path.parent.mkdir(exist_ok=True)
    write_batches(path, table.schema, [table])


_known: dict[tuple[int, int, int, int], str] = {}
"""Digests of files by device, number, size and the last change."""
_RECENT_NS = 2_000_000_000
"""A file that was changed so lately may be changed again, and its time not tell."""


def _sha256(path: Path) -> str:
    """Return the digest of a file, which is not read again while nobody has written to it."""
    with open_file(path) as file:
        stat = os.fstat(file.fileno())
        key = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_ctime_ns)
        if key in _known:
            return _known[key]
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - stat.st_ctime_ns > _RECENT_NS:
            _known[key] = sha256
        return sha256


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


def check_columns(folder: Path, log: str, parts: Sequence[Part], schema: pa.Schema) -> None:
    """Check that a log has parts, of so many rows as is said, with the columns that a run writes.

    Raises DamagedLogError.
    """
    where = f"{folder}: {log}.parquet"
    if not parts:
        raise DamagedLogError(f"{where}: has no parts")
    for part in parts:
        with open_file(folder / f"{log}.parquet" / part.name) as file:
            try:
                found, rows = columns_and_rows(file)
            except ValueError as error:
                raise DamagedLogError(f"{where}: {part.name}: {error}") from None
        if not found.equals(schema) or rows != part.rows:
            raise DamagedLogError(f"{where}: {part.name} has other columns or rows than a run writes")


def verified_log(
    folder: Path,
    log: str,
    parts: Sequence[Part],
    columns: Sequence[str] | None = None,
    limits: Limits | None = None,
) -> pa.Table:
    """Return columns of a log, all by default, that has just the parts that the run wrote.

    With limits there are at least the rows within them.

    Raises DamagedLogError where a part is missing or changed.
    """
    where = f"{folder}: {log}.parquet"
    return pa.concat_tables(
        [
            _verified(f"{where}: {part.name}", folder / f"{log}.parquet" / part.name, part, columns, limits)
            for part in parts
        ]
    )


def _verified(
    where: str, path: Path, part: Part, columns: Sequence[str] | None, limits: Limits | None
) -> pa.Table:
    _check_content(where, path, part)
    try:
        with open_file(path) as file:
            return read_columns(file, columns, limits)
    except ValueError as error:
        raise DamagedLogError(f"{where}: {error}") from None
