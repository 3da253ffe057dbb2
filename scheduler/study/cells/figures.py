"""The figures of many cells of which none may fail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scheduler.run.figures import Metrics
from scheduler.study.cells.cell import Cell
from scheduler.study.cells.runner import FailedRunError, StudyProgress, run_cells
from scheduler.study.cells.workers import Workers


@dataclass
class KnownFigures:
    """Figures of cells that are asked for again and again, each run once."""

    folder: Path
    workers: Workers
    progress: StudyProgress
    keep: bool = False
    computed: int = 0
    reused: int = 0
    _known: dict[str, Metrics] = field(default_factory=dict)

    def of(self, what: str, cells: Sequence[Cell]) -> list[Metrics]:
        """Return the figures of each cell, those not known run as `what`; raises FailedRunError."""
        failures, new = [], [cell for cell in cells if cell.key not in self._known]
        for outcome in run_cells(new, self.folder, self.workers, keep=self.keep):
            if outcome.metrics is None:
                failures.append(f"seed {outcome.cell.seed}: {outcome.failure}")
                continue
            self._known[outcome.cell.key] = outcome.metrics
            self.computed += not outcome.reused
            self.reused += outcome.reused
            self.progress(what, self.computed + self.reused, None, f"{self.reused} reused")
        if failures:
            raise FailedRunError(f"{len(failures)} of {len(new)} runs failed, the first with {failures[0]}")
        return [self._known[cell.key] for cell in cells]


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
