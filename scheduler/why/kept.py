"""What a run waited for, kept in its folder as waits.parquet once somebody has asked.

The sums stand in the file's metadata, so that to tell them again no span is read.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
import pyarrow as pa

from scheduler.run.directory import Run
from scheduler.run.parts import WAITS_KEPT
from scheduler.why.causes import WAITS
from scheduler.why.run_figures import RunFigures
from traces.files import FINISHED, read_bytes
from traces.parquet import read_metadata, read_whole, write_batches

_OF = "exaburst.waits_of"
"""Key of the file metadata that says which run they are of, and what they come to."""


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exaburst: str
    run: str
    """SHA-256 of the run's run.json, which has those of its logs."""
    sha256: str
    """Of the figures."""
    jobs: str | None
    """Of the file that held the jobs of the run, and no others, if it was not in the run."""
    figures: msgspec.Raw


def keep(run: Run, waits: pa.Table, figures: RunFigures, jobs: str | None = None) -> None:
    """Keep a table as in `WAITS` in the folder of a run; raises OSError where it cannot be written.

    `jobs` is the SHA-256 of the file that was found to hold the jobs of the run.
    """
    kept = _sealed(run, msgspec.json.encode(figures), jobs)
    schema = WAITS.with_metadata({_OF: msgspec.json.encode(kept)})
    write_batches(_path(run), schema, [waits.cast(schema)])


def kept_figures(run: Run) -> RunFigures | None:
    """Return what a run waited for in all; None where it is not kept, or is another run's or version's."""
    with suppress(ValueError):
        kept = _kept(run)
        return None if kept is None else msgspec.json.decode(kept.figures, type=RunFigures)
    return None


def kept_jobs(run: Run) -> str | None:
    """Return the SHA-256 of the file that held the jobs of a run, if that is kept."""
    kept = _kept(run)
    return None if kept is None else kept.jobs


def kept_waits(run: Run) -> pa.Table | None:
    """Return the table kept in the folder of a run; None also where it is damaged."""
    with suppress(OSError, ValueError):
        if kept_figures(run) is not None:
            return read_whole(_path(run))
    return None


def _kept(run: Run) -> _Kept | None:
    with suppress(OSError, ValueError):
        kept = msgspec.json.decode(read_metadata(_path(run)).get(_OF.encode(), b""), type=_Kept)
        if kept == _sealed(run, bytes(kept.figures), kept.jobs):
            return kept
    return None


def _path(run: Run) -> Path:
    return run.folder / WAITS_KEPT


def _sealed(run: Run, figures: bytes, jobs: str | None) -> _Kept:
    from scheduler import __version__

    described = read_bytes(run.folder / FINISHED)
    return _Kept(__version__, _digest(described), _digest(figures), jobs, msgspec.Raw(figures))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
