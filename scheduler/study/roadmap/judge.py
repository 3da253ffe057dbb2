"""What schedules come to by what is known of their numbers of pods, with as few runs as that takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scheduler.study.plan.candidates import Evaluation
from scheduler.study.roadmap.numbers import KnownNumbers, Look, until_decided
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome
from scheduler.study.roadmap.search import Task, descend_on


class Judged(NamedTuple):
    """A schedule, and what is known of it."""

    schedule: Schedule
    outcome: ScheduleOutcome | None
    """None: it misses the target, and what it costs was not worked out."""
    missed: tuple[int, ...]
    """Quarters that miss the target; where `outcome` is None, those of which it is known."""


class Judge:
    """Judges schedules with one policy under one demand, on so many seeds."""

    def __init__(self, look: Look, burst: str, task: Task, seeds: int) -> None:
        self.look, self.burst, self.task, self.seeds = look, burst, task, seeds
        self.known = KnownNumbers(task.target)

    def cheapest(self, start: Sequence[int]) -> ScheduleOutcome | None:
        """Return the cheapest schedule, searched from these pods on; raises FailedRunError."""
        return descend_on(self.known, self.look, self.burst, self.task, self.seeds, start)

    def run(self, pods: tuple[int, ...], seeds: int | None = None) -> ScheduleOutcome:
        """Return what a schedule comes to, all of it run, on fewer seeds if that is asked for."""
        numbers = list(enumerate(pods))
        evaluations = self.look(numbers, self.burst, seeds or self.seeds)
        if seeds in (None, self.seeds):
            self.known.add(numbers, evaluations)
        return self._outcome(pods, evaluations)

    def look_below(self, pods: tuple[int, ...]) -> None:
        """Look at a pod fewer in each quarter, as far as it takes to know whether that meets the target."""
        fewer = [(at, count - 1) for at, count in enumerate(pods) if count > self.task.present]
        self._decide([number for number in fewer if not self.known.misses(*number)])

    def judged(self, pods: tuple[int, ...]) -> Judged:
        """Return what a schedule comes to, at least; runs what may meet the target or not, nobody knows."""
        schedule, numbers = Schedule(pods, self.burst), list(enumerate(pods))
        if missed := self._missed(numbers):
            return Judged(schedule, None, missed)
        self._decide([number for number in numbers if not self._meets(*number)])
        if missed := self._missed(numbers):
            return Judged(schedule, None, missed)
        evaluations = [self._least(*number) for number in numbers]
        bounded = any(count not in self.known.by_quarter[quarter] for quarter, count in numbers)
        return Judged(schedule, self._outcome(pods, evaluations, bounded=bounded), ())

    def _decide(self, numbers: Sequence[tuple[int, int]]) -> None:
        self.known.add(numbers, until_decided(self.look, self.task.target)(numbers, self.burst, self.seeds))

    def _missed(self, numbers: Sequence[tuple[int, int]]) -> tuple[int, ...]:
        return tuple(quarter for quarter, count in numbers if self.known.misses(quarter, count))

    def _meets(self, quarter: int, pods: int) -> bool:
        least = self.known.least(quarter, pods)
        return least is not None and least.meets(self.task.target)

    def _least(self, quarter: int, pods: int) -> Evaluation:
        least = self.known.least(quarter, pods)
        assert least is not None
        return least

    def _outcome(
        self, pods: tuple[int, ...], evaluations: Sequence[Evaluation], *, bounded: bool = False
    ) -> ScheduleOutcome:
        schedule, terms = Schedule(pods, self.burst), self.task.terms
        return ScheduleOutcome(schedule, tuple(evaluations), terms, self.task.present, bounded)


def cheapest_fixed(judge: Judge, quarters: int, answer: ScheduleOutcome) -> ScheduleOutcome | None:
    """Return the cheapest schedule that has all its pods from the start and meets the target.

    More pods are looked at while that saves, as costs are nearly convex in them. Its cost may be a bound, but
    not where that is below the answer's.
    """
    found: ScheduleOutcome | None = None
    for pods in range(max(1, judge.task.present), judge.task.most + 1):
        fixed = sure(judge, judge.judged((pods,) * quarters), answer)
        if fixed is None:
            continue
        if found is not None and fixed.mean_usd >= found.mean_usd:
            break
        found = fixed
    return found


def sure(judge: Judge, judged: Judged, answer: ScheduleOutcome) -> ScheduleOutcome | None:
    """Return an outcome that meets the target, run where its bound does not show that the answer is cheaper.

    None where it misses the target.
    """
    outcome = judged.outcome
    if outcome is not None and outcome.bounded and outcome.mean_usd < answer.mean_usd:
        outcome = judge.run(outcome.schedule.pods)
        return None if outcome.missed(judge.task.target) else outcome
    return outcome
