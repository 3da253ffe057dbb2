"""A roadmap: the cheapest schedule, and all that it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from scheduler.study.plan.candidates import Evaluation, Target
from scheduler.study.roadmap.coarse import CoarseSearch
from scheduler.study.roadmap.generations import GenerationOutcome
from scheduler.study.roadmap.held_out import HeldOut
from scheduler.study.roadmap.judge import Judged
from scheduler.study.roadmap.price_changes import PriceChange
from scheduler.study.roadmap.quarters import Quarter
from scheduler.study.roadmap.question import RoadmapQuestion
from scheduler.study.roadmap.schedules import Neighbour, Schedule, ScheduleOutcome
from traces.arrays import Floats
from traces.times import HOUR_S


class Beside(NamedTuple):
    """A schedule one step away, over the same seeds or the first of them."""

    neighbour: Neighbour
    outcome: ScheduleOutcome


class StoryOutcome(NamedTuple):
    """What some schedules come to under a story, and the cheapest there, if one meets the target."""

    name: str
    meaning: str
    best: ScheduleOutcome | None
    schedules: tuple[Judged, ...]
    """In the order of the roadmap's `planned`."""

    def regret_usd(self, at: int) -> float | None:
        """Return what a schedule costs more than the cheapest there, or at least; None where nobody knows."""
        outcome = self.schedules[at].outcome
        return None if self.best is None or outcome is None else outcome.mean_usd - self.best.mean_usd


class RunsMade(NamedTuple):
    """What the answer rests on: months run, and what was said of others without running them."""

    computed: int
    reused: int
    numbers: int
    """Numbers of pods in a quarter, each under a policy, a demand and some seeds, that were looked at."""
    decided: int
    """Those of them of which the first seed alone shows that they miss the target."""


class FullQuarter(NamedTuple):
    """A quarter of the full run: running cost in present dollars by seed, and its evaluation."""

    usd: Floats
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class Roadmap:
    """All that a search for a roadmap has found."""

    scenario: str
    pool: str
    start: date
    quarters: tuple[Quarter, ...]
    warm_up_days: int
    question: RoadmapQuestion
    seeds: range
    target: Target
    generations: tuple[GenerationOutcome, ...]
    """All that were tried, the pool's own first; `pool` names that of the answer."""
    policies: CoarseSearch
    """How policies were compared before quarters were searched."""
    screening: tuple[int, ...]
    """Pods that pay in each quarter if nothing queues, as the load alone has it."""
    best: ScheduleOutcome | None
    neighbours: tuple[Beside, ...]
    waiting: ScheduleOutcome | None
    """Every purchase a quarter later."""
    fixed: ScheduleOutcome | None
    """The cheapest that buys all its pods at the start, of those that meet the target."""
    planned: tuple[tuple[str, Schedule], ...]
    """Schedules that stories are held against: the answer, and the cheapest of other stories."""
    stories: tuple[StoryOutcome, ...]
    prices: tuple[PriceChange, ...]
    held_out: HeldOut | None
    """None where it was not asked for."""
    full: tuple[FullQuarter, ...]
    runs: RunsMade

    def by_year(self) -> list[tuple[int, Floats]]:
        """Return calendar years, each with the present dollars of the quarters that begin in it, by seed."""
        if self.best is None:
            return []
        usd, years = self.best.by_quarter(), [self.starts(at).year for at in range(len(self.quarters))]
        return [(year, usd[np.array(years) == year].sum(axis=0)) for year in sorted(set(years))]

    def cash_by_year(self) -> dict[int, tuple[float, float]]:
        """Return calendar years, each with what is paid for pods and for running and renting in its quarters.

        Neither is discounted.
        """
        years: dict[int, tuple[float, float]] = {}
        if self.best is None:
            return years
        terms, bought = self.best.terms, self.best.schedule.bought(self.best.present)
        for at, evaluation in enumerate(self.best.quarters):
            pods, running = years.get(year := self.starts(at).year, (0.0, 0.0))
            pods += bought[at] * terms.paid_usd[at]
            years[year] = pods, running + float(terms.cash_usd(at, evaluation).mean())
        return years

    def starts(self, quarter: int) -> date:
        """Return the day on which a quarter begins."""
        return date.fromordinal(self.start.toordinal() + self.quarters[quarter].from_day)

    def hour_usd(self) -> tuple[float, Beside] | None:
        """Return what an hour less of the longest wait costs, and the cheaper neighbour that waits longer."""
        if self.best is None:
            return None
        priced = []
        wait_s = self.best.worst_wait_s(self.target)
        for each in self.neighbours:
            more_h = (each.outcome.worst_wait_s(self.target) - wait_s) / HOUR_S
            saved = self.best.mean_usd - each.outcome.mean_usd
            if 0 < more_h < np.inf and saved > 0:
                priced.append((saved / more_h, each))
        return max(priced, key=lambda pair: pair[0], default=None)
