"""The figures of many cells of which none may fail."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from scheduler.run.figures import Metrics
from scheduler.study.cells.cell import Cell
from scheduler.study.cells.runner import FailedRunError, StudyProgress, run_cells
from scheduler.study.cells.workers import Workers


def figures_of(
    what: str, cells: Collection[Cell], folder: Path, workers: Workers, progress: StudyProgress
) -> dict[str, Metrics]:
    """Return the figures of each cell by its key, as `folder` has them or run anew.

    `what` is computed, for the progress. Raises FailedRunError for the first that fails.
    """
    total = len({cell.key for cell in cells})
    figures: dict[str, Metrics] = {}
    for outcome in run_cells(cells, folder, workers):
        if outcome.metrics is None:
            raise FailedRunError(f"seed {outcome.cell.seed}: {outcome.failure}")
        figures[outcome.cell.key] = outcome.metrics
        progress(what, len(figures), total)
    return figures
