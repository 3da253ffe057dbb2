"""What commands that make many runs have in common: a place for them, workers, and how they draw from a log.

It costs to import, so a command imports it once it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from scheduler.catalog.reading import own_files
from scheduler.cli.terminal import progress_bar
from scheduler.study.cells.cell import Cell
from scheduler.study.cells.log import LogWish
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers, processes
from scheduler.study.sweep.results import RESULTS_FILE
from scheduler.study.sweep.study_file import StudyError
from traces.files import FINISHED, PathError, held
from traces.outputs import check_ours, check_outside


def log_wish(trace: Path | None, draws: dict[str, Any]) -> LogWish | None:
    """Return how replications are to be drawn from a log; None without one, of which nothing may be said."""
    if trace is None and draws:
        raise click.UsageError(f"--{next(iter(draws))} is for a log: give --trace as well")
    return None if trace is None else LogWish(**draws)


def check_room(out: Path, file: str) -> None:
    """Check that many runs, and a file of what comes of them, may go to a folder; raises PathError."""
    check_outside(out)
    if (out / FINISHED).exists():
        raise PathError(f"{out}: holds a finished run, which stays as it is; choose another folder")
    check_ours(out / file)


def crew(
    workers: int | None, address: str | None, folder: Path, cells: Iterable[Cell] = ()
) -> AbstractContextManager[Workers]:
    """Return local processes, or where an address is given those of a Dask cluster.

    `folder` is where results go, `cells` those whose trace files the cluster is to have. Raises
    UsageError, StudyError.
    """
    if address is None:
        return processes(workers)
    for option, given in (("--workers counts", workers), ("--catalog is read by", own_files())):
        if given:
            raise click.UsageError(f"{option} local processes: give it or --dask, not both")
    try:
        from scheduler.study.cells.dask import cluster
    except ModuleNotFoundError:
        raise StudyError('--dask needs Dask: pip install "exaburst[dask]"') from None
    return cluster(address, folder, cells)


@contextmanager
def workplace(
    out: Path | None, workers: AbstractContextManager[Workers], **look: Any
) -> Iterator[tuple[Path, Workers, StudyProgress]]:
    """Give many runs a folder, made if absent and without `out` a passing one, workers, and a bar.

    `look` is that of the bar.
    """
    if out is not None:
        check_room(out, RESULTS_FILE)
    with (
        nullcontext(str(out)) if out else TemporaryDirectory(prefix="exaburst-") as folder,
        held(Path(folder)),
        workers as crew,
        progress_bar(**look) as progress,
    ):
        yield Path(folder), crew, progress
