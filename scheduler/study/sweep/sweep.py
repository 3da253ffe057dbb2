"""Running a study: every cell once, and results.parquet of those that are done, whatever happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scheduler.run.figures import Metrics
from scheduler.study.cells.runner import Outcome, read_result, run_cells
from scheduler.study.cells.workers import Workers
from scheduler.study.sweep.layout import Study
from scheduler.study.sweep.results import FILE, results, write_results

Progress = Callable[[Outcome], None]
"""Hears what became of each cell."""


class Tally(NamedTuple):
    """How a study went."""

    computed: int
    reused: int
    failures: dict[str, list[str]]
    """Why cells failed, and the places of those that did."""


def run_study(
    study: Study, folder: Path, workers: Workers, *, keep: bool = False, progress: Progress | None = None
) -> Tally:
    """Compute the cells of a study that `folder` does not hold yet, and write its results.parquet.

    The table has the finished cells, also where others failed or the study was stopped; while it runs, and
    after a kill, there is none. Raises OSError where `folder` cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).unlink(missing_ok=True)
    metrics: dict[str, Metrics] = {}
    counts: Counter[str] = Counter()
    failures: dict[str, list[str]] = {}
    try:
        for outcome in run_cells(study.cells, folder, workers, keep=keep):
            if outcome.metrics is None:
                failures.setdefault(outcome.failure or "", []).append(outcome.cell.place)
            else:
                metrics[outcome.cell.place] = outcome.metrics
                counts["reused" if outcome.reused else "computed"] += 1
            if progress is not None:
                progress(outcome)
    except KeyboardInterrupt:  # it may have come between keeping a result and hearing of it
        found = {cell.place: read_result(folder, cell) for cell in study.cells if cell.place not in metrics}
        metrics |= {place: kept for place, kept in found.items() if kept is not None}
        raise
    finally:
        write_results(folder, results(study, metrics))
    return Tally(counts["computed"], counts["reused"], failures)
