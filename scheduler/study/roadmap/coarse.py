"""A horizon of fewer quarters, on which policies are compared before the search looks at all quarters.

Quarters that follow each other are taken together, with the demand of the one in their middle and as many
pods in all of them. A policy that is dearer there for sure is not searched by quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from scheduler.study.plan.candidates import Evaluation, mean_interval
from scheduler.study.roadmap.numbers import Look, PodNumbers
from scheduler.study.roadmap.schedules import ScheduleTerms
from scheduler.study.roadmap.search import Task, descend, still_running

GROUPS = 5
"""Parts of the horizon on which policies are compared; a shorter one is compared by quarter."""


class PolicyScreening(NamedTuple):
    """A policy on the coarse horizon: when jobs burst, what it costs there, and beside the cheapest."""

    burst: str
    usd: float | None
    """None: no schedule met the target."""
    more_usd: tuple[float, float]
    """Interval of what it costs more than the cheapest."""


class CoarseSearch(NamedTuple):
    """Which policies to search by quarter, from which pods on, and how they were chosen."""

    quarters: tuple[int, ...]
    """Those that were run; none where policies were not compared."""
    starts: dict[str, tuple[int, ...]]
    """Policies that stay in the running, each with the pods to set out from by quarter."""
    policies: tuple[PolicyScreening, ...]


def compared(look: Look, bursts: Sequence[str], task: Task, seeds: int, start: Sequence[int]) -> CoarseSearch:
    """Compare policies on parts of the horizon, on so many seeds; raises FailedRunError.

    All stay in the running on a short horizon, or where none of them meets the target.
    """
    groups = _groups(len(start))
    if len(groups) == len(start):
        return CoarseSearch((), dict.fromkeys(bursts, tuple(start)), ())
    middles = tuple((first + last) // 2 for first, last in groups)
    coarse = task._replace(terms=_terms(task.terms, groups))
    outcomes, at = [], [start[middle] for middle in middles]
    for burst in bursts:
        outcome = descend(_looking_at(look, middles), burst, coarse, seeds, at)
        if outcome is not None:
            outcomes.append(outcome)
            at = list(outcome.schedule.pods)
    if not outcomes:
        return CoarseSearch(middles, dict.fromkeys(bursts, tuple(start)), ())
    outcomes.sort(key=lambda each: each.mean_usd)
    by_burst, best = {each.schedule.burst: each for each in outcomes}, outcomes[0]
    policies = [
        PolicyScreening(burst, each.mean_usd, mean_interval(each.npv_usd() - best.npv_usd()))
        if (each := by_burst.get(burst))
        else PolicyScreening(burst, None, (0.0, 0.0))
        for burst in bursts
    ]
    starts = {
        burst: _by_quarter(by_burst[burst].schedule.pods, middles, len(start))
        for burst in still_running(outcomes)
    }
    return CoarseSearch(middles, starts, tuple(policies))


def _groups(quarters: int) -> list[tuple[int, int]]:
    """Return the first and the last quarter of each part."""
    count = min(GROUPS, quarters)
    edges = [round(at * quarters / count) for at in range(count + 1)]
    return [(first, end - 1) for first, end in pairwise(edges)]


def _terms(terms: ScheduleTerms, groups: Sequence[tuple[int, int]]) -> ScheduleTerms:
    """Return what time and pods cost by parts: what is bought comes as a part begins."""
    seconds = [terms.seconds[first : last + 1] for first, last in groups]
    discounts = [terms.discounts[first : last + 1] for first, last in groups]
    firsts = [first for first, _ in groups]
    return ScheduleTerms(
        seconds=tuple(map(sum, seconds)),
        discounts=tuple(
            float(np.average(worth, weights=long)) for worth, long in zip(discounts, seconds, strict=True)
        ),
        pod_usd=tuple(terms.pod_usd[at] for at in firsts),
        paid_usd=tuple(terms.paid_usd[at] for at in firsts),
        sold_usd=tuple(terms.sold_usd[at] for at in firsts),
        prices=terms.prices,
    )


def _looking_at(look: Look, middles: Sequence[int]) -> Look:
    def looked(numbers: PodNumbers, burst: str, seeds: int) -> list[Evaluation]:
        return look([(middles[part], pods) for part, pods in numbers], burst, seeds)

    return looked


def _by_quarter(pods: Sequence[int], middles: Sequence[int], quarters: int) -> tuple[int, ...]:
    """Return pods by quarter, between the parts' middles as on a straight line."""
    between = np.interp(range(quarters), middles, pods)
    return tuple(int(count) for count in np.rint(between))
