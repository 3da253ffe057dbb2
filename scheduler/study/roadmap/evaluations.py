"""Months become cells, and the figures of cells become evaluations of a number of pods in a quarter.

Every number of pods, policy and story meets the same seeds. Cells are handed out together for all quarters
that are looked at, so workers are busy though the search goes step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_fields
from functools import cache, partial
from math import inf
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scheduler.run.figures import Metrics
from scheduler.scenario import Scenario
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.cells.figures import KnownFigures
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.plan.candidates import PERIOD_S, Candidate, Evaluation, Sample, Target
from scheduler.study.roadmap.numbers import Look, PodNumbers
from scheduler.study.roadmap.quarters import Quarter, month_of_quarter
from traces.times import DAY_S
from traces.trace import Trace

CellsOf = Callable[[int, int, str, int], list[Cell]]
"""(quarter, pods, when jobs burst, number of seeds) -> the cells to run."""


@dataclass
class MonthBench:
    """Evaluates numbers of pods in quarters by simulation, each run once."""

    scenario: Scenario
    pool: str
    quarters: tuple[Quarter, ...]
    warm_up_days: int
    target: Target
    folder: Path
    workers: Workers
    progress: StudyProgress
    rent_levels: bool = False
    """Whether runs say what commitments to devices would spare."""
    study_jobs: int = 0
    """About how many jobs all runs have together, for whoever decides whether to compile."""

    def __post_init__(self) -> None:
        self.looked_at: dict[tuple[str, int, int, str], int] = {}
        self.runs = KnownFigures(self.folder, self.workers, self.progress)

    def looker(self, story: str, arguments: Mapping[str, Any], *, skipped: int = 0) -> Look:
        """Return what looks at numbers of pods under the demand of a story, which the progress shows.

        It takes the seeds after the first `skipped` ones.
        """
        scenario = replace(self.scenario, demand=dict(arguments), seed=self.scenario.seed + skipped)
        return partial(self._look, story, cache(partial(self._cells, scenario)))

    def jobs(self, quarter: int) -> Trace:
        """Return the jobs of a quarter's days for the first seed, kept for the runs that meet them."""
        cell = self._cells(self.scenario, quarter, 1, self.scenario.policy.patience, 1)[0]
        return jobs_of_cell(cell, self.folder)

    def _look(
        self, story: str, cells_of: CellsOf, numbers: PodNumbers, burst: str, seeds: int
    ) -> list[Evaluation]:
        """Evaluate numbers of pods in quarters, on the first seeds; raises FailedRunError."""
        for quarter, pods in numbers:
            looked = story, quarter, pods, burst
            self.looked_at[looked] = max(seeds, self.looked_at.get(looked, 0))
        cells = [cells_of(quarter, pods, burst, seeds) for quarter, pods in numbers]
        self.runs.of(story, in_turn_by_jobs(each for of_one in cells for each in of_one))  # for busy workers
        return [
            Evaluation(Candidate(pods, burst), tuple(map(self._sample, of_one, self.runs.of(story, of_one))))
            for (_, pods), of_one in zip(numbers, cells, strict=True)
        ]

    def _cells(self, scenario: Scenario, quarter: int, pods: int, burst: str, seeds: int) -> list[Cell]:
        """Return the cells of a number of pods in a quarter, on the first seeds; each takes some 10 ms."""
        month = self.quarters[quarter]
        asked = month_of_quarter(scenario, self.pool, month, pods, self.warm_up_days)
        window = (self.warm_up_days * DAY_S, (self.warm_up_days + month.month_days) * DAY_S)
        asked = with_policy(asked, parse_policy(burst))
        waits_of, first = (self.target.group,), scenario.seed
        made = [cell_of(asked, first + at, waits_of=waits_of, windows=(window,)) for at in range(seeds)]
        jobs, levels = self.study_jobs, self.rent_levels
        return [with_fields(cell, study_jobs=jobs, rent_levels=levels) for cell in made]

    def _sample(self, cell: Cell, figures: Metrics) -> Sample:
        (window,), (metrics,) = cell.windows, figures["windows"]
        return sample_of(metrics, self.target, window)


def in_turn_by_jobs(cells: Iterable[Cell]) -> list[Cell]:
    """Return cells in their order, but those that share jobs one after another: a worker has them at hand."""
    turns: dict[str, list[Cell]] = {}
    for cell in cells:
        turns.setdefault(cell.jobs_key, []).append(cell)
    return [cell for sharing in turns.values() for cell in sharing]


def sample_of(metrics: Metrics, target: Target, window: tuple[int, int]) -> Sample:
    """Return the figures of a window, without capital: what is bought is paid as it is delivered."""
    group, scale = target.group, PERIOD_S / (window[1] - window[0])
    capital_usd = metrics.get("usd:capital", 0.0)
    unmet = (inf if wait is None else wait for wait in metrics.get(f"waiting_s:{group}", ()))
    return Sample(
        usd=(metrics["usd_total"] - capital_usd) * scale,
        owned_usd=(metrics["usd_owned"] - capital_usd) * scale,
        sunk_usd=metrics.get("usd:operations", 0.0) * scale,
        rent_usd=metrics["usd_rent"] * scale,
        revenue_usd=metrics["revenue_usd"] * scale,
        wait_s=[*metrics.get(f"waits_s:{group}", ()), *(wait for wait in unmet if wait > target.limit_s)],
        asked_device_h=metrics["asked_device_h"],
        stranded_device_h=metrics["stranded_device_h"],
        rejected=metrics["rejected"],
        rent_levels={
            offer: [(devices, usd * scale) for devices, usd in levels]
            for offer, levels in metrics.get("rent_levels", {}).items()
        },
    )
