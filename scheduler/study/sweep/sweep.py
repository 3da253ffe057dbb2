"""Running a study: every cell once, and results.parquet of those that are done, whatever happens."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from scheduler.run.figures import Metrics
from scheduler.study.cells.runner import StudyProgress, read_result, run_cells
from scheduler.study.cells.workers import Workers
from scheduler.study.sweep.results import RESULTS_FILE, results, write_results
from scheduler.study.sweep.study_cells import Study
from traces.files import held


class StudyTally(NamedTuple):
    """How a study went."""

    computed: int
    reused: int
    failures: dict[str, list[str]]
    """Why cells failed, and the places of those that did."""


def run_study(
    study: Study, folder: Path, workers: Workers, progress: StudyProgress | None = None, *, keep: bool = False
) -> StudyTally:
    """Compute the cells of a study that `folder` does not hold yet, and write its results.parquet.

    The table has the finished cells, also where others failed or the study was stopped; while it runs, and
    after a kill, there is none. Raises OSError where `folder` cannot be written, or another process does.
    """
    with held(folder):
        return _run(study, folder, workers, progress, keep=keep)


def _run(
    study: Study, folder: Path, workers: Workers, progress: StudyProgress | None, *, keep: bool
) -> StudyTally:
    (folder / RESULTS_FILE).unlink(missing_ok=True)
    metrics: dict[str, Metrics] = {}
    counts: Counter[str] = Counter()
    failures: dict[str, list[str]] = {}
    try:
        for outcome in run_cells(study.cells, folder, workers, keep=keep):
            if outcome.metrics is None:
                failures.setdefault(outcome.failure or "", []).append(outcome.cell.place)
                counts["failed"] += 1
            else:
                metrics[outcome.cell.place] = outcome.metrics
                counts["reused" if outcome.reused else "computed"] += 1
            if progress is not None:
                _report(study, counts, progress)
    except KeyboardInterrupt:  # it may have come between keeping a result and hearing of it
        kept = {cell.place: read_result(folder, cell) for cell in study.cells if cell.place not in metrics}
        metrics |= {place: figures for place, figures in kept.items() if figures is not None}
        raise
    finally:
        write_results(folder, results(study, metrics))
    return StudyTally(counts["computed"], counts["reused"], failures)


def _report(study: Study, counts: Counter[str], progress: StudyProgress) -> None:
    """Say how many are done of those that take time."""
    note = f"{counts['failed']} failed" if counts["failed"] else ""
    left = len(study.cells) - counts["reused"]
    progress(study.name, counts["computed"] + counts["failed"], left, note)
