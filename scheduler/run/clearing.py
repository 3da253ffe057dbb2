"""Making room for a run: what stands in its folder goes only where a run has left it there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scheduler.run.directory import RunError
from scheduler.run.parts import DEMAND, EVERY_LOG, LOGS, WAITS_KEPT
from traces.files import FINISHED, LOCK, aside_of, read_text
from traces.parquet import COLUMNS, read_metadata

_PART = re.compile(r"part-\d{5,}\.parquet")


def clear(folder: Path, *, overwrite: bool, inputs: Sequence[Path] = (), known: Sequence[str] = ()) -> None:
    """Make room for a run: over a finished one only if told to, never among files that are no run's.

    `inputs` are files that the run reads; files with `known` names, and what was to become one, go whatever
    they hold. Raises RunError, with nothing removed, also where an input, or something that no run has left,
    is in the folder.
    """
    if not folder.exists():
        return
    items = [item for item in sorted(folder.iterdir()) if item.name != LOCK]
    for item in items:
        if not ((aside_of(item.name) or item.name) in known or _left_by_a_run(item)):
            raise RunError(f"{folder}: holds {item.name}, which is no part of a run; choose another folder")
    for path in inputs:
        if folder.resolve() in path.resolve().parents:
            raise RunError(f"{folder}: holds {path.name}, which is to be read; choose another folder")
    if (folder / FINISHED).exists() and not overwrite:
        raise RunError(f"{folder}: holds a finished run; choose another folder, or give --overwrite")
    (folder / FINISHED).unlink(missing_ok=True)
    for item in items:
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink(missing_ok=True)


def begin(folder: Path) -> None:
    """Leave a sign that what is in the folder from now on is a run's, should it never be finished."""
    (folder / f"{LOGS[0]}.parquet").mkdir(parents=True, exist_ok=True)


def _left_by_a_run(item: Path) -> bool:
    name = aside_of(item.name) or item.name
    if item.is_symlink():
        return False
    finished = (item.parent / FINISHED).exists()
    if name in {f"{log}.parquet" for log in EVERY_LOG}:
        return item.is_dir() and all(_is_part(path, finished) for path in item.iterdir())
    if not item.is_file():
        return False
    if name == DEMAND:
        generated = _described(item.parent / FINISHED).get("demand", True) is not None
        return generated and (item.parent / f"{LOGS[0]}.parquet").is_dir() and _is_ours(item, finished)
    if name == WAITS_KEPT:
        return (item.parent / f"{LOGS[0]}.parquet").is_dir()
    return name == FINISHED and (name != item.name or "exaburst" in _described(item))


def _is_part(path: Path, finished: bool) -> bool:
    name = aside_of(path.name) or path.name
    is_part = _PART.fullmatch(name) is not None and path.is_file() and not path.is_symlink()
    return is_part and _is_ours(path, finished)


def _is_ours(path: Path, finished: bool) -> bool:
    """Say whether a file is of this program; of a finished run, whose run.json says so, it may be damaged."""
    return finished or aside_of(path.name) is not None or COLUMNS.encode() in read_metadata(path)


def _described(file: Path) -> dict[str, Any]:
    """Return the entries of what was the run.json of this program, whatever has become of it; else none."""
    try:
        found = json.loads(read_text(file))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
