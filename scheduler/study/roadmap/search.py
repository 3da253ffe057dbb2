"""The cheapest schedule that meets the target in every quarter, by steepest descent over all of them at once.

Each round looks at one pod fewer and one more in each quarter, and takes the best schedule among all that the
numbers looked at allow, by dynamic programming. It ends where that is the one it set out from. If running
costs are convex in pods and a target once met stays met, the cost is L-natural-convex, and no schedule at all
is cheaper then (Murota, "Discrete Convex Analysis", SIAM 2003, theorem 7.14); else none that is made of the
numbers looked at. Nothing here knows how a quarter is evaluated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from scheduler.study.plan.candidates import Evaluation, Target, mean_interval
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome, ScheduleTerms

PodNumbers = Sequence[tuple[int, int]]
"""Quarters, each with a number of pods."""
Look = Callable[[PodNumbers, str, int], list[Evaluation]]
"""(quarters and pods, when jobs burst, number of seeds) -> the evaluation of each."""


class Task(NamedTuple):
    """What is asked of a search: a target to meet, for what a schedule costs, with so many pods at most."""

    target: Target
    terms: ScheduleTerms
    present: int
    """Pods that are there at the start, and stay."""
    most: int


RIVALS_KEPT = 2
"""Policies beside the best that are given more seeds, unless they are dearer for sure."""


def search(
    look: Look, bursts: Sequence[str], task: Task, rounds: Sequence[int], start: Sequence[int]
) -> ScheduleOutcome | None:
    """Return the cheapest schedule with one of these policies; None where a quarter never meets the target.

    `rounds` are the numbers of seeds, ascending; `start` are the pods from which the search sets out.
    """
    best, running = None, list(bursts)
    for seeds in rounds:
        outcomes = []
        for burst in running:
            outcome = descend(look, burst, task, seeds, start)
            outcomes += [outcome] if outcome else []
        if not outcomes:
            return None
        outcomes.sort(key=lambda each: each.mean_usd)
        best = outcomes[0]
        start = best.schedule.pods
        rivals = [each for each in outcomes[1:] if mean_interval(each.npv_usd() - best.npv_usd())[0] <= 0]
        running = [best.schedule.burst, *(each.schedule.burst for each in rivals[:RIVALS_KEPT])]
    return best


def descend(look: Look, burst: str, task: Task, seeds: int, start: Sequence[int]) -> ScheduleOutcome | None:
    """Return the cheapest schedule of a policy, on so many seeds; None where there is none."""
    known: dict[int, dict[int, Evaluation]] = defaultdict(dict)
    around = tuple(min(max(count, task.present), task.most) for count in start)
    while True:
        wanted = [
            (quarter, pods)
            for quarter, count in enumerate(around)
            for pods in (count - 1, count, count + 1)
            if task.present <= pods <= task.most and pods not in known[quarter]
        ]
        for (quarter, pods), evaluation in zip(wanted, look(wanted, burst, seeds), strict=True):
            known[quarter][pods] = evaluation
        best = cheapest(known, task)
        if best is None:
            further = _further(known, around, task)
            if further == around:
                return None
            around = further
        elif best == around or not wanted:
            evaluations = tuple(known[quarter][count] for quarter, count in enumerate(best))
            return ScheduleOutcome(Schedule(best, burst), evaluations, task.terms, task.present)
        else:
            around = best


def _further(
    known: Mapping[int, Mapping[int, Evaluation]], around: tuple[int, ...], task: Task
) -> tuple[int, ...]:
    """Return where to look next: further up in each quarter in which no number meets the target yet."""
    least, further = task.present, []
    for quarter in range(len(around)):
        meeting = [pods for pods, each in known[quarter].items() if pods >= least and each.meets(task.target)]
        least = min(meeting, default=min(task.most, max(least, *known[quarter]) + 1))
        further.append(least)
    return tuple(further)


def cheapest(known: Mapping[int, Mapping[int, Evaluation]], task: Task) -> tuple[int, ...] | None:
    """Return the cheapest schedule of numbers that are known to meet the target; of equals, fewer pods."""
    paths: dict[int, tuple[float, tuple[int, ...]]] = {task.present: (0.0, ())}
    for quarter, pod_usd in enumerate(task.terms.pod_usd):
        following = {}
        for pods, evaluation in known[quarter].items():
            before = [
                (usd + (pods - fewer) * pod_usd, path)
                for fewer, (usd, path) in paths.items()
                if fewer <= pods
            ]
            if before and evaluation.meets(task.target):
                usd, path = min(before)
                usd += float(task.terms.running_usd(quarter, evaluation).mean())
                following[pods] = (usd, (*path, pods))
        paths = following
    return min(paths.values(), default=(inf, None))[1]
