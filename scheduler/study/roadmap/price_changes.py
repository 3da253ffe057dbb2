"""What would be bought if prices were others than the scenario's; demand and service stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scheduler.study.plan.candidates import PriceFactors
from scheduler.study.roadmap.numbers import Look
from scheduler.study.roadmap.question import RoadmapQuestion
from scheduler.study.roadmap.schedules import ScheduleOutcome, ScheduleTerms
from scheduler.study.roadmap.search import Task, descend

HIGH_RATE = 0.15


class PriceChange(NamedTuple):
    """Prices by their name, what a schedule costs then, and which would be the cheapest."""

    name: str
    answer: ScheduleOutcome
    best: ScheduleOutcome | None

    @property
    def regret_usd(self) -> float | None:
        """What the answer costs more than the cheapest of these prices; None where there is none."""
        return None if self.best is None else self.answer.mean_usd - self.best.mean_usd


def under_other_prices(
    look: Look,
    best: ScheduleOutcome,
    task: Task,
    question: RoadmapQuestion,
    terms: Callable[[RoadmapQuestion, PriceFactors], ScheduleTerms],
    seeds: int,
) -> tuple[PriceChange, ...]:
    """Search anew under each change of prices, with the answer's policy, on so many seeds.

    `terms` says what time and pods cost then. Raises FailedRunError.
    """
    as_given = PriceFactors()
    changes = [
        ("rent at half", question, PriceFactors(rent=0.5)),
        ("rent at twice", question, PriceFactors(rent=2.0)),
        ("pods at half", question, PriceFactors(pods=0.5)),
        ("pods at twice", question, PriceFactors(pods=2.0)),
        ("nothing back at the end", question._replace(resale_share=0.0), as_given),
        (f"discounted at {HIGH_RATE:.0%}", question._replace(discount_rate=HIGH_RATE), as_given),
    ]
    evaluations = tuple(look(list(enumerate(best.schedule.pods)), best.schedule.burst, seeds))
    found = []
    for name, asked, factors in changes:
        other = task._replace(terms=terms(asked, factors))
        answer = ScheduleOutcome(best.schedule, evaluations, other.terms, best.present)
        cheapest = descend(look, best.schedule.burst, other, seeds, best.schedule.pods)
        found.append(PriceChange(name, answer, cheapest))
    return tuple(found)
