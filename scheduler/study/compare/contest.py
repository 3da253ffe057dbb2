"""Where policies meet: each on the same jobs, and beside what no schedule goes below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduler.run.figures import Metrics
from scheduler.run.groups import columns_of
from scheduler.scenario import Scenario, parse_scenario
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.cells.log import LogDraws
from scheduler.study.cells.runner import FailedRunError, StudyProgress, run_cells
from scheduler.study.cells.workers import Workers
from scheduler.study.compare.bounds import Relaxation, relax
from scheduler.study.compare.differences import CompareError
from scheduler.study.compare.windows import COOLDOWN_S, Window
from traces.errors import nearest

ALSO = ("jobs", "rejected", "stranded_jobs", "waited_mean_s", "usd_avoidable", "end_s")
"""Figures that are needed whatever is asked for."""

MOST_WORDS = 12
"""So many words of a column are compared where none is named."""

NO_BOUND = {"least_usd_avoidable": None, "least_waited_mean_s": None}

ContestRow = dict[str, Any]
"""`policy`, `seed` and figures."""


@dataclass
class Arena:
    """Computes what is asked, each run once."""

    windows: tuple[Window, ...]
    jobs: Path | LogDraws | None
    """One trace, whose windows are the replications; else seeds are, of draws of a log or of the demand."""
    metrics: tuple[str, ...]
    """`FIGURE@COLUMN` becomes one metric for each word of the column once runs show which there are."""
    folder: Path
    workers: Workers
    progress: StudyProgress
    _known: dict[str, list[Metrics]] = field(default_factory=dict)

    def rows(self, named: Mapping[str, Scenario], count: int) -> list[ContestRow]:
        """Run the policies on so many seeds; raises CompareError for no such metric, FailedRunError."""
        cells = {name: self._cells(scenario, count) for name, scenario in named.items()}
        self._run({cell.key: (name, cell) for name, own in cells.items() for cell in own})
        wanted = dict.fromkeys((*ALSO, *self.metrics))
        return [
            {"policy": name, "seed": seed}
            # a ledger without a line has spent nothing on it
            | {metric: figures.get(metric, 0.0 if metric.startswith("usd:") else None) for metric in wanted}
            for name, own in cells.items()
            for seed, _, _, figures in self._replications(own)
        ]

    def beside_least(self, rows: list[ContestRow], named: Mapping[str, Scenario]) -> list[ContestRow]:
        """Add to the rows of policies `least_usd_avoidable` and `least_waited_mean_s`.

        The one is the least that a schedule spends whose jobs wait no longer, the other the least mean wait
        of one that spends no more: lower bounds, those of `scheduler.study.compare.bounds`.
        """
        of_seed: dict[int, list[ContestRow]] = {}
        for row in rows:
            if row["policy"] in named:
                of_seed.setdefault(row["seed"], []).append(row)
        cells = self._cells(next(iter(named.values())), len(of_seed))
        added: dict[tuple[str, int], ContestRow] = {}
        with self.workers.start() as executor:
            tasks = {
                seed: executor.submit(least_of, cell, self.folder, part, of_seed[seed])
                for seed, cell, part, _ in self._replications(cells)
            }
            for done, (seed, task) in enumerate(tasks.items(), 1):
                added |= {(policy, seed): least for policy, least in task.result().items()}
                self.progress("lower bounds", done, len(tasks))
        return [row | added.get((row["policy"], row["seed"]), NO_BOUND) for row in rows]

    def _cells(self, scenario: Scenario, count: int) -> list[Cell]:
        """Return a cell a seed, from the scenario's on; of a trace, the one."""
        jobs, by, seeds = self.jobs, columns_of(self.metrics), range(scenario.seed, scenario.seed + count)
        if isinstance(jobs, LogDraws):
            return [jobs.cell(scenario, seed, windows=self.windows, by=by) for seed in seeds]
        return [
            cell_of(scenario, seed, jobs, windows=self.windows, by=by)
            for seed in (seeds if jobs is None else seeds[:1])
        ]

    def _run(self, cells: Mapping[str, tuple[str, Cell]]) -> None:
        """Run the cells that are not known yet."""
        new = {key: cell for key, (_, cell) in cells.items() if key not in self._known}
        for done, outcome in enumerate(run_cells(new.values(), self.folder, self.workers), 1):
            key = outcome.cell.key
            if outcome.metrics is None:
                raise FailedRunError(f"{cells[key][0]}, seed {outcome.cell.seed}: {outcome.failure}")
            self._known[key] = outcome.metrics["windows"]
            for metric in self.metrics:
                if isinstance(self._known[key][0].get(metric), list):
                    raise CompareError(f'metric "{metric}": is a list, not a number')
            self.progress("runs", done, len(new))
        known = {name for windows in self._known.values() for figures in windows for name in figures}
        words = [(metric, word) for metric in self.metrics for word in self._words(metric, known)]
        for metric, word in words:
            if word not in known:
                raise CompareError(f'metric "{metric}": unknown{nearest(metric, known)}')
        self.metrics = tuple(word for _, word in words)

    def _words(self, metric: str, known: set[str]) -> list[str]:
        """Return a metric, or of one by a column those of its `MOST_WORDS` words with the most jobs."""
        figure, at, column = metric.partition("@")
        if metric in known or not at or "=" in column:
            return [metric]
        jobs: Counter[str] = Counter()
        for windows in self._known.values():
            for name in (name for name in windows[0] if name.startswith(f"jobs@{column}=")):
                jobs[name.partition("@")[2]] += sum(figures.get(name) or 0 for figures in windows)
        most = sorted(jobs, key=lambda group: (-jobs[group], group))[:MOST_WORDS]
        return [f"{figure}@{group}" for group in sorted(most)] or [metric]

    def _replications(self, cells: Sequence[Cell]) -> Iterator[tuple[int, Cell, Window, Metrics]]:
        """Yield each seed, or each week of the one trace, counted from 1: its cell, window and figures."""
        for cell in cells:
            for at, (part, figures) in enumerate(zip(self.windows, self._known[cell.key], strict=True)):
                yield (at + 1 if isinstance(self.jobs, Path) else cell.seed), cell, part, figures


def least_of(cell: Cell, folder: Path, part: Window, rows: list[ContestRow]) -> dict[str, ContestRow]:
    """Return the lower bounds beside the rows of one replication, by policy."""
    until_s = min(part.to_s + COOLDOWN_S, *(row["end_s"] for row in rows))
    window = part.from_s, max(part.from_s, min(part.to_s, until_s))
    program = relax(parse_scenario(cell.scenario), jobs_of_cell(cell, folder), window, until_s)
    return {row["policy"]: _least(program, row) for row in rows}


def _least(program: Relaxation, row: ContestRow) -> ContestRow:
    jobs = row["jobs"] - row["rejected"]
    usd = program.least_usd((row["waited_mean_s"] or 0.0) * jobs)
    wait_s = program.least_wait_s(row["usd_avoidable"])
    return {"least_usd_avoidable": usd, "least_waited_mean_s": wait_s / max(1, jobs)}
