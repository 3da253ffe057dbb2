"""Months become cells, and the figures of cells become evaluations of a number of pods in a quarter.

Every number of pods, policy and story meets the same seeds. Cells are handed out together for all quarters
that are looked at, so workers are busy though the search goes step by step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scheduler.run.figures import Metrics
from scheduler.scenario import Scenario
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.cells.runner import FailedRunError, StudyProgress, run_cells
from scheduler.study.cells.workers import Workers
from scheduler.study.plan.candidates import PERIOD_S, Candidate, Evaluation, Sample, Target
from scheduler.study.roadmap.quarters import Quarter, month_of_quarter
from scheduler.study.roadmap.search import Look, PodNumbers
from traces.times import DAY_S


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
    computed: int = 0
    reused: int = 0
    _known: dict[str, Metrics] = field(default_factory=dict)

    def looker(self, story: str, arguments: Mapping[str, Any]) -> Look:
        """Return what looks at numbers of pods under the demand of a story, which the progress shows."""
        return partial(self._look, story, replace(self.scenario, demand=dict(arguments)))

    def _look(
        self, story: str, scenario: Scenario, numbers: PodNumbers, burst: str, seeds: int
    ) -> list[Evaluation]:
        """Evaluate numbers of pods in quarters, on the first seeds; raises FailedRunError."""
        cells = [
            [self._cell(scenario, quarter, pods, burst, scenario.seed + at) for at in range(seeds)]
            for quarter, pods in numbers
        ]
        self.run(story, [each for of_one in cells for each in of_one])
        return [
            Evaluation(Candidate(pods, burst), tuple(self._sample(each) for each in of_one))
            for (_, pods), of_one in zip(numbers, cells, strict=True)
        ]

    def _cell(self, scenario: Scenario, quarter: int, pods: int, burst: str, seed: int) -> Cell:
        month = self.quarters[quarter]
        asked = month_of_quarter(scenario, self.pool, month, pods, self.warm_up_days)
        window = (self.warm_up_days * DAY_S, (self.warm_up_days + month.month_days) * DAY_S)
        asked = with_policy(asked, parse_policy(burst))
        return cell_of(asked, seed, waits_of=(self.target.group,), windows=(window,))

    def run(self, what: str, cells: list[Cell]) -> list[Metrics]:
        """Run what is not known of some cells, and return the figures of each; raises FailedRunError."""
        failures = []
        for outcome in run_cells(
            [cell for cell in cells if cell.key not in self._known], self.folder, self.workers
        ):
            if outcome.metrics is None:
                failures.append(f"seed {outcome.cell.seed}: {outcome.failure}")
                continue
            self._known[outcome.cell.key] = outcome.metrics
            self.computed += not outcome.reused
            self.reused += outcome.reused
            self.progress(what, self.computed + self.reused, None, f"{self.reused} reused")
        if failures:
            raise FailedRunError(f"{len(failures)} of {len(cells)} runs failed, the first with {failures[0]}")
        return [self._known[cell.key] for cell in cells]

    def _sample(self, cell: Cell) -> Sample:
        (window,) = cell.windows
        (metrics,) = self._known[cell.key]["windows"]
        return sample_of(metrics, self.target, window)


def sample_of(metrics: Metrics, target: Target, window: tuple[int, int]) -> Sample:
    """Return the figures of a window, without capital: what is bought is paid as it is delivered."""
    group, scale = target.group, PERIOD_S / (window[1] - window[0])
    unmet = (inf if wait is None else wait for wait in metrics.get(f"waiting_s:{group}", ()))
    return Sample(
        usd=(metrics["usd_total"] - metrics.get("usd:capital", 0.0)) * scale,
        sunk_usd=0.0,
        rent_usd=metrics["usd_rent"] * scale,
        revenue_usd=metrics["revenue_usd"] * scale,
        wait_s=[*metrics.get(f"waits_s:{group}", ()), *(wait for wait in unmet if wait > target.limit_s)],
        asked_device_h=metrics["asked_device_h"],
        stranded_device_h=metrics["stranded_device_h"],
        rejected=metrics["rejected"],
    )
