"""Computing many cells on any `concurrent.futures.Executor`, and keeping their results.

A result is one small file in the cell's place, written aside and renamed: what is done stays done when a
study is stopped, and is done again only where an input has changed or the file is damaged.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import NamedTuple, Protocol

from scheduler.run.clearing import clear
from scheduler.run.directory import RunError, open_run
from scheduler.run.figures import Metrics
from scheduler.study.cells.cell import Cell, digest
from scheduler.study.cells.compute import KNOWN, RESULT, Parcel
from scheduler.study.cells.workers import Workers
from traces.files import read_bytes, written_whole

DIED = "its worker process died"
CHECK_S = 2
"""How long nothing need come back before the workers are asked whether anything will."""


class FailedRunError(RuntimeError):
    """A run failed where none may; says which, and why."""


class CellOutcome(NamedTuple):
    """What became of a cell: its figures, or the reason why there are none."""

    cell: Cell
    metrics: Metrics | None
    failure: str | None = None
    reused: bool = False


class StudyProgress(Protocol):
    """Hears how far the runs of a study are."""

    def __call__(self, what: str, done: int, total: int | None = None, note: str = "", /) -> None:
        """Hear what is computed, how many are done, of how many if that is known, and what else to say."""


def run_cells(
    cells: Iterable[Cell], folder: Path, workers: Workers, *, keep: bool = False
) -> Iterator[CellOutcome]:
    """Yield what becomes of each cell as soon as it is known; of cells with the same place only one.

    Results that `folder` holds already come first. A cell that raises, or whose worker dies, is a failure
    and stops no other. What has been yielded is kept, so stopping loses at most the cells being computed.
    `keep` keeps the run directories, each in its cell's place. Raises OSError where `folder` cannot be
    written or all workers are lost.
    """
    waiting: deque[Cell] = deque()
    for cell in {cell.place: cell for cell in cells}.values():
        metrics = read_result(folder, cell)
        if metrics is None or (keep and not _is_whole(folder / cell.place)):
            waiting.append(cell)
        else:
            yield CellOutcome(cell, metrics, reused=True)
    suspects = []
    for outcome in _computed(waiting, folder, workers, workers.room, keep=keep):
        if outcome.failure == DIED:
            suspects.append(outcome.cell)
        else:
            yield outcome
    for cell in suspects:  # alone, the culprit gives itself away
        yield from _computed(deque([cell]), folder, workers, 1, keep=keep)


def _is_whole(run: Path) -> bool:
    """Whether a run was kept, and is as it was written."""
    try:
        open_run(run)
    except RunError:
        return False
    return True


def _computed(
    waiting: deque[Cell], folder: Path, workers: Workers, room: int, *, keep: bool
) -> Iterator[CellOutcome]:
    """Compute the cells, at most `room` handed out at once; all that are lost with a worker have DIED."""
    flying: dict[Future[Metrics | Parcel], Cell] = {}
    while waiting or flying:
        while waiting and len(flying) < room:
            try:
                flying[workers.submit(waiting[0], folder, keep=keep)] = waiting[0]
            except BrokenExecutor:
                break
            waiting.popleft()
        done = wait(flying, CHECK_S, FIRST_COMPLETED).done
        workers.check()
        if not flying or any(_broken(future) for future in done):
            workers.stop()
            done = wait(flying).done
        for future in done:
            yield _landed(flying.pop(future), future, folder, keep=keep)


def _broken(future: Future[Metrics | Parcel]) -> bool:
    return not future.cancelled() and isinstance(future.exception(), BrokenExecutor)


def _landed(cell: Cell, future: Future[Metrics | Parcel], folder: Path, *, keep: bool) -> CellOutcome:
    """Keep what a worker found."""
    if future.cancelled() or _broken(future):
        return CellOutcome(cell, None, DIED)
    try:
        result = future.result()
        metrics = result.metrics if isinstance(result, Parcel) else result
        place = folder / cell.place
        if isinstance(result, Parcel) or not keep:
            clear(place, overwrite=True, known=KNOWN)  # of another run that was there
        if isinstance(result, Parcel):
            result.unpack(place)
    except Exception as error:
        name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        return CellOutcome(cell, None, f"{name}{error}")
    write_result(folder, cell, metrics)
    return CellOutcome(cell, metrics)


def read_result(folder: Path, cell: Cell) -> Metrics | None:
    """Return the figures kept of a cell; None where there are none, or the file is damaged."""
    try:
        stored = json.loads(read_bytes(folder / cell.place / RESULT))
        whole = stored["key"] == cell.key and stored["sha256"] == digest(stored["metrics"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(stored["metrics"]) if whole else None


def write_result(folder: Path, cell: Cell, metrics: Metrics) -> None:
    """Keep the figures of a cell; the file appears only once it is whole."""
    file = folder / cell.place / RESULT
    file.parent.mkdir(parents=True, exist_ok=True)
    stored = {"key": cell.key, "seed": cell.seed, "sha256": digest(metrics), "metrics": metrics}
    with written_whole(file) as out:
        out.write(f"{json.dumps(stored, indent=1)}\n".encode())
