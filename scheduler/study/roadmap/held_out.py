"""The answer beside other schedules on seeds that the search has not seen.

Of many schedules the search takes the cheapest on its own seeds, which flatters that one there. So the answer
is held against numbers of pods that stay the same from the start, and against schedules drawn at random from
all that are within a pod of it, on other seeds, the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from scheduler.study.plan.candidates import mean_interval
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome
from scheduler.study.roadmap.search import Look, Task

DRAWN = 200
"""Schedules drawn at random."""
SPREAD = 1
"""Pods by which they differ from the answer in a quarter, at most."""


class HeldOut(NamedTuple):
    """What became of the answer, and of its rivals, on seeds of their own."""

    seeds: range
    answer: ScheduleOutcome
    fixed: ScheduleOutcome | None
    """The cheapest that has all its pods from the start and meets the target there."""
    drawn: int
    """How many other schedules were drawn."""
    rivals: tuple[ScheduleOutcome, ...]
    """Those of them that meet the target there, from the cheapest on."""

    def cheaper(self) -> list[ScheduleOutcome]:
        """Return the rivals that meet the target for less than the answer."""
        return [each for each in self.rivals if each.mean_usd < self.answer.mean_usd]

    def surely_cheaper(self) -> int:
        """Return how many of these are cheaper with all of their interval."""
        usd = self.answer.npv_usd()
        return sum(mean_interval(each.npv_usd() - usd)[1] < 0 for each in self.cheaper())


def held_out(
    look: Look,
    seeds: range,
    best: ScheduleOutcome,
    task: Task,
    cheapest_fixed: Callable[[Look, ScheduleOutcome, Task, int], ScheduleOutcome | None],
) -> HeldOut:
    """Run the answer and its rivals on other seeds, which `look` runs; raises FailedRunError."""
    burst, count = best.schedule.burst, len(seeds)
    others = draw_schedules(best.schedule.pods, task, DRAWN)
    numbers = sorted({number for pods in [best.schedule.pods, *others] for number in enumerate(pods)})
    seen = dict(zip(numbers, look(numbers, burst, count), strict=True))

    def outcome(pods: tuple[int, ...]) -> ScheduleOutcome:
        evaluations = tuple(seen[number] for number in enumerate(pods))
        return ScheduleOutcome(Schedule(pods, burst), evaluations, task.terms, task.present)

    found = [each for each in map(outcome, others) if not each.missed(task.target)]
    found.sort(key=lambda each: each.mean_usd)
    fixed = cheapest_fixed(look, best, task, count)
    return HeldOut(seeds, outcome(best.schedule.pods), fixed, len(others), tuple(found))


def draw_schedules(pods: Sequence[int], task: Task, count: int) -> list[tuple[int, ...]]:
    """Return at most so many schedules other than `pods`, drawn alike likely from all within `SPREAD` of it.

    Pods are never fewer than before. None is drawn twice, and all are taken where there are no more.
    """
    near = [range(max(task.present, number - SPREAD), min(task.most, number + SPREAD) + 1) for number in pods]

    @cache
    def ways(quarter: int, least: int) -> int:
        if quarter == len(near):
            return 1
        return sum(ways(quarter + 1, number) for number in near[quarter] if number >= least)

    total = ways(0, task.present)
    if total <= count + 1:
        turns = list(range(total))
    else:
        rng = np.random.default_rng(0)
        turns = list(dict.fromkeys(int(rng.random() * total) for _ in range(count)))

    def schedule(turn: int) -> tuple[int, ...]:
        found, least = [], task.present
        for quarter, numbers in enumerate(near):
            for number in (each for each in numbers if each >= least):
                if turn < (below := ways(quarter + 1, number)):
                    break
                turn -= below
            found.append(number)
            least = number
        return tuple(found)

    return [each for each in map(schedule, turns) if each != tuple(pods)]
