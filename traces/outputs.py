"""What a user names for an output may replace a file of its own kind, and never a part of a finished run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from traces.files import PathError, file_behind, open_file, run_around
from traces.parquet import COLUMNS, columns_and_rows, read_metadata

_TELLING = 3
"""So many columns, the first ones, tell the tables of this project from each other."""


def check_output(path: Path | None, names: Sequence[str], *, as_csv: bool = False) -> None:
    """Check that a Parquet or a CSV table with these columns may go to `path`, which may be absent or empty.

    Raises PathError where it is another kind of file, or lies in a finished run; and OSError.
    """
    if path is None:
        return
    names, target = list(names[:_TELLING]), _outside_runs(path)
    if _holds_something(target) and _columns(target, as_csv)[: len(names)] != names:
        raise _of_another_kind(path, f"a table of {', '.join(names)}, ...")


def check_document(path: Path, beginning: bytes, kind: str) -> None:
    """Check that a file that begins in one way only may go to `path`; `kind` says what such a file is.

    Raises as `check_output` does.
    """
    target = _outside_runs(path)
    if _holds_something(target):
        with open_file(target) as file:
            if file.read(len(beginning)) != beginning:
                raise _of_another_kind(path, kind)


def check_outside(path: Path) -> None:
    """Check that a path, of a file or a folder, does not lie in a finished run; raises PathError."""
    if (run := run_around(path)) is not None:
        raise PathError(f"{path}: {run.name} is a finished run, which stays as it is; choose another name")


def check_ours(path: Path) -> None:
    """Check that a Parquet file of this program may be replaced where it stands; raises PathError."""
    target = file_behind(path)
    if target.exists() and COLUMNS.encode() not in read_metadata(target):
        raise PathError(f"{path}: is already there, and not of this program; choose another folder")


def _outside_runs(path: Path) -> Path:
    check_outside(path)  # first: a log may be a folder
    return file_behind(path)


def _holds_something(target: Path) -> bool:
    return target.exists() and target.stat().st_size > 0


def _of_another_kind(path: Path, kind: str) -> PathError:
    return PathError(f"{path}: is already there, and is not {kind}; choose another name")


def _columns(path: Path, as_csv: bool) -> list[str]:
    """Return the columns of a Parquet or a CSV file; none where it is no Parquet."""
    with open_file(path) as file:
        if as_csv:
            return file.readline(100_000).decode(errors="replace").strip().split(",")
        try:
            return list(columns_and_rows(file)[0].names)
        except ValueError:
            return []
