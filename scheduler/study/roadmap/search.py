"""The cheapest schedule that meets the target in every quarter, by steepest descent over all at once.

Each round looks at the pods of the best schedule yet and at one fewer in each quarter, and takes the best
among all schedules by dynamic programming; numbers not looked at cost the least that they may (`numbers.py`),
so they are looked at where that would win. It ends where the best schedule is the one it set out from. If
running costs are convex in pods and a target once met stays met, the cost is L-natural-convex, and no
schedule at all is cheaper then (Murota, "Discrete Convex Analysis", SIAM 2003, theorem 7.14).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

from scheduler.study.plan.candidates import Target, mean_interval
from scheduler.study.roadmap.commitments import Contract, cheapest_terms
from scheduler.study.roadmap.numbers import KnownNumbers, Look, until_decided
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome, ScheduleTerms


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
    look: Look, starts: Mapping[str, Sequence[int]], task: Task, rounds: Sequence[int]
) -> ScheduleOutcome | None:
    """Return the cheapest schedule with one of these policies; None where a quarter never meets the target.

    Each policy comes with the pods from which its search sets out. `rounds` are the numbers of seeds,
    ascending.
    """
    best, running = None, dict(starts)
    for seeds in rounds:
        outcomes = []
        for burst, start in running.items():
            outcome = descend(look, burst, task, seeds, start)
            outcomes += [outcome] if outcome else []
        if not outcomes:
            return None
        outcomes.sort(key=lambda each: each.mean_usd)
        best, pods = outcomes[0], {each.schedule.burst: each.schedule.pods for each in outcomes}
        running = {burst: pods[burst] for burst in still_running(outcomes)}
    return best


def still_running(outcomes: Sequence[ScheduleOutcome]) -> list[str]:
    """Return the policy of the first outcome, and of some others that are not dearer than it for sure."""
    best = outcomes[0]
    rivals = [each for each in outcomes[1:] if mean_interval(each.npv_usd() - best.npv_usd())[0] <= 0]
    return [best.schedule.burst, *(each.schedule.burst for each in rivals[:RIVALS_KEPT])]


def descend(look: Look, burst: str, task: Task, seeds: int, start: Sequence[int]) -> ScheduleOutcome | None:
    """Return the cheapest schedule of a policy, on so many seeds; None where there is none."""
    known = KnownNumbers(task.target)
    return descend_on(known, look, burst, task, seeds, start)


def descend_on(
    known: KnownNumbers, look: Look, burst: str, task: Task, seeds: int, start: Sequence[int]
) -> ScheduleOutcome | None:
    """Do so from what is known already, and note what is seen."""
    around = tuple(min(max(count, task.present), task.most) for count in start)
    decided = until_decided(look, task.target)
    while True:
        wanted = list(_wanted(known, around, task))
        known.add(wanted, decided(wanted, burst, seeds))
        best = cheapest(known, task)
        if best is None:
            return None
        if best == around and not wanted:
            evaluations = tuple(known.by_quarter[quarter][count] for quarter, count in enumerate(best))
            return ScheduleOutcome(Schedule(best, burst), evaluations, task.terms, task.present)
        around = best


def _wanted(known: KnownNumbers, around: Sequence[int], task: Task) -> Iterator[tuple[int, int]]:
    """Yield the numbers to look at: those of a schedule, and one fewer unless they are known to miss."""
    for quarter, count in enumerate(around):
        if known.misses(quarter, count):
            continue
        looked_at, fewer = known.by_quarter[quarter], count - 1
        if count not in looked_at:
            yield quarter, known.next_look(quarter, count, task.most)
        elif fewer >= task.present and fewer not in looked_at and not known.misses(quarter, fewer):
            yield quarter, fewer


def cheapest(known: KnownNumbers, task: Task) -> tuple[int, ...] | None:
    """Return the cheapest schedule of numbers that may meet the target; of equals, fewer pods.

    A number that was not looked at costs the least that it may.
    """
    paths: dict[int, tuple[float, tuple[int, ...]]] = {task.present: (0.0, ())}
    for quarter, pod_usd in enumerate(task.terms.pod_usd):
        following = {}
        for pods in range(task.present, task.most + 1):
            before = [
                (usd + (pods - fewer) * pod_usd, path)
                for fewer, (usd, path) in paths.items()
                if fewer <= pods
            ]
            evaluation = None if known.misses(quarter, pods) else known.least(quarter, pods)
            if before and evaluation is not None:
                usd, path = min(before)
                usd += float(task.terms.running_usd(quarter, evaluation).mean())
                following[pods] = (usd, (*path, pods))
        paths = following
    return min(paths.values(), default=(inf, None))[1]


COMMITTING_ROUNDS = 4
"""Commitments and pods are chosen in turn, at most so often: neither turn is dearer than the one before."""


def with_commitments(
    look: Look, best: ScheduleOutcome, task: Task, contracts: Sequence[Contract], seeds: int
) -> ScheduleOutcome:
    """Return the cheapest schedule found with commitments, from the cheapest without and with its policy."""
    for _ in range(COMMITTING_ROUNDS):
        terms = task.terms
        chosen = cheapest_terms(contracts, best.quarters, terms.seconds, terms.discounts)
        if chosen == best.terms.commitments:
            break
        task = task._replace(terms=replace(terms, commitments=chosen))
        found = descend(look, best.schedule.burst, task, seeds, best.schedule.pods)
        assert found is not None, "the schedule before meets the target"
        best = found
    return best
