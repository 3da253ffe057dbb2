"""Candidates become cells, and the figures of cells become evaluations.

Every candidate and demand meets the same seeds (see `scheduler.study.cells.cell`). The figures of a cell do
not depend on the target, but for the kind whose waits are kept, so another limit uses the same runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scheduler.run.figures import Metrics
from scheduler.scenario import Scenario
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.figures import KnownFigures
from scheduler.study.cells.log import LogDraws
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.plan.candidates import PERIOD_S, Candidate, Evaluation, Sample, Target
from scheduler.study.plan.search import Evaluate

TODAY = "today"
"""What the question itself is called among its variations."""


@dataclass
class Bench:
    """Evaluates candidates by simulation, each run once."""

    scenario: Scenario
    pool: str
    target: Target
    folder: Path
    workers: Workers
    progress: StudyProgress
    keep: bool = False
    log: LogDraws | None = None
    """What seeds draw their jobs from; without it they generate the scenario's demand."""
    evaluations: dict[str, dict[Candidate, Evaluation]] = field(default_factory=dict)
    """Under each variation, every candidate looked at, on the most seeds on which it was."""

    def __post_init__(self) -> None:
        self.runs = KnownFigures(self.folder, self.workers, self.progress, self.keep)

    def evaluator(self, what: str, log: LogDraws | None = None, **changes: Any) -> Evaluate:
        """Return what evaluates candidates under changed keys of the scenario, or other draws of the log.

        `what` names the variation, `TODAY` the scenario as it is; the progress shows it.
        """
        return partial(self._evaluate, what, replace(self.scenario, **changes), log or self.log)

    def _evaluate(
        self, what: str, scenario: Scenario, log: LogDraws | None, candidate: Candidate, seeds: int
    ) -> Evaluation:
        """Run what is not known of a candidate on the first seeds; raises FailedRunError where one fails."""
        pools = (
            replace(pool, pods=candidate.pods) if pool.name == self.pool else pool for pool in scenario.pools
        )
        asked = with_policy(replace(scenario, pools=tuple(pools)), parse_policy(candidate.burst))
        cells = [self._cell(asked, scenario.seed + at, log) for at in range(seeds)]
        samples = tuple(map(self._sample, self.runs.of(what, cells)))
        evaluation = Evaluation(candidate, samples, log and log.drawn)
        seen = self.evaluations.setdefault(what, {})
        if candidate not in seen or len(seen[candidate].samples) < seeds:
            seen[candidate] = evaluation
        return evaluation

    def _cell(self, scenario: Scenario, seed: int, log: LogDraws | None) -> Cell:
        waits_of = (self.target.group,)
        if log is None:
            return cell_of(scenario, seed, waits_of=waits_of)
        return log.cell(scenario, seed, waits_of=waits_of)

    def _sample(self, metrics: Metrics) -> Sample:
        group, scale = self.target.group, PERIOD_S / metrics["length_s"]
        unmet = (inf if wait is None else wait for wait in metrics.get(f"waiting_s:{group}", ()))
        return Sample(
            usd=metrics["usd_total"] * scale,
            sunk_usd=metrics[f"usd_sunk:{self.pool}"] * scale,
            rent_usd=metrics["usd_rent"] * scale,
            revenue_usd=metrics["revenue_usd"] * scale,
            wait_s=[
                *metrics.get(f"waits_s:{group}", ()),
                *(wait for wait in unmet if wait > self.target.limit_s),
            ],
            asked_device_h=metrics["asked_device_h"],
            stranded_device_h=metrics["stranded_device_h"],
            rejected=metrics["rejected"],
        )
