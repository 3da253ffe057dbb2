"""The answer beside other schedules on seeds that the search has not seen.

Of many schedules the search takes the cheapest on its own seeds, which flatters that one there. So the answer
is held against numbers of pods that stay the same from the start, and against schedules drawn at random, from
all and from those that are within a pod of it, on other seeds, the same for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from scheduler.study.plan.candidates import mean_interval
from scheduler.study.roadmap.judge import Judge, cheapest_fixed, sure
from scheduler.study.roadmap.numbers import Look
from scheduler.study.roadmap.schedules import ScheduleOutcome
from scheduler.study.roadmap.search import Task

DRAWN = 200
"""Schedules drawn at random, of each sort."""
NEAR = 1
"""Pods by which those near the answer differ from it in a quarter, at most."""


class DrawnSchedules(NamedTuple):
    """Schedules drawn at random from those that are so many pods off at most; None: from all."""

    spread: int | None
    number: int
    rivals: tuple[ScheduleOutcome, ...]
    """Those that meet the target there, from the cheapest on; costs may be bounds."""

    def cheaper(self, answer: ScheduleOutcome) -> list[ScheduleOutcome]:
        """Return the rivals that meet the target for less than the answer."""
        return [each for each in self.rivals if each.mean_usd < answer.mean_usd]

    def surely_cheaper(self, answer: ScheduleOutcome) -> int:
        """Return how many of these are cheaper with all of their interval."""
        return sum(mean_interval(each.more_usd(answer))[1] < 0 for each in self.cheaper(answer))

    def surely_dearer(self, answer: ScheduleOutcome) -> int:
        """Return how many rivals cost more than the answer with all of their interval."""
        return sum(mean_interval(each.more_usd(answer))[0] > 0 for each in self.rivals)


class HeldOut(NamedTuple):
    """What became of the answer, and of its rivals, on seeds of their own."""

    seeds: range
    answer: ScheduleOutcome
    fixed: ScheduleOutcome | None
    """The cheapest that has all its pods from the start and meets the target there."""
    drawn: tuple[DrawnSchedules, ...]


def held_out(look: Look, seeds: range, best: ScheduleOutcome, task: Task) -> HeldOut:
    """Hold the answer against its rivals on other seeds, which `look` runs; raises FailedRunError."""
    pods = best.schedule.pods
    judge = Judge(look, best.schedule.burst, task, len(seeds))
    answer = judge.run(pods)
    judge.look_below(pods)
    drawn = []
    for spread in (None, NEAR):
        others = draw_schedules(pods, task, DRAWN, spread)
        found = [each for other in others if (each := sure(judge, judge.judged(other), answer))]
        found.sort(key=lambda each: each.mean_usd)
        drawn.append(DrawnSchedules(spread, len(others), tuple(found)))
    return HeldOut(seeds, answer, cheapest_fixed(judge, len(pods), answer), tuple(drawn))


def draw_schedules(
    pods: Sequence[int], task: Task, count: int, spread: int | None = NEAR
) -> list[tuple[int, ...]]:
    """Return at most so many schedules other than `pods`, drawn alike likely from all within `spread` of it.

    Without one, from all there are. Pods are never fewer than before. None is drawn twice, and all are taken
    where there are no more.
    """
    far = task.most if spread is None else spread
    near = [range(max(task.present, number - far), min(task.most, number + far) + 1) for number in pods]

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
