"""What is known of numbers of pods in a quarter, and what follows from it for numbers that are not run.

Two laws of a quarter are taken for granted. More pods serve no worse, so where some miss the target fewer
miss it too. And more pods make what is owned no cheaper: at least their operations come on top, so they save
at most what is rented. Nothing here knows how a quarter is evaluated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from scheduler.study.plan.candidates import Candidate, Evaluation, Target

PodNumbers = Sequence[tuple[int, int]]
"""Quarters, each with a number of pods."""
Look = Callable[[PodNumbers, str, int], list[Evaluation]]
"""(quarters and pods, when jobs burst, number of seeds) -> the evaluation of each."""

MORE_ASKED = 1.25
"""A seed is taken to ask for at most so many times what those before it asked for."""


@dataclass
class KnownNumbers:
    """Numbers of pods that were looked at, by quarter, with one policy and a target."""

    target: Target
    by_quarter: dict[int, dict[int, Evaluation]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, numbers: PodNumbers, evaluations: Sequence[Evaluation]) -> None:
        """Note what was seen."""
        for (quarter, pods), evaluation in zip(numbers, evaluations, strict=True):
            self.by_quarter[quarter][pods] = evaluation

    def misses(self, quarter: int, pods: int) -> bool:
        """Say whether so many pods are known to miss the target: themselves, or more than they."""
        known = self.by_quarter[quarter]
        if pods in known:
            return not known[pods].meets(self.target)
        return any(more > pods and not each.meets(self.target) for more, each in known.items())

    def least(self, quarter: int, pods: int) -> Evaluation | None:
        """Return what so many pods come to; if they were not looked at, the least that they may cost.

        None where nothing is known of as many pods or fewer.
        """
        known = self.by_quarter[quarter]
        fewer = max((number for number in known if number <= pods), default=None)
        return None if fewer is None else at_least(known[fewer], pods)

    def next_look(self, quarter: int, pods: int, most: int) -> int:
        """Return which number to look at, to know more of so many pods that were not looked at.

        Between one that misses the target and one that meets it, that is the middle. Above all that miss it,
        it is as far up as half of what they leave undone would take, were it done at their pace.
        """
        known = self.by_quarter[quarter]
        low = max((number for number in known if number < pods), default=None)
        if low is None or known[low].meets(self.target):
            return pods
        above = [number for number in known if number > pods]
        if above:
            return (low + min(above) + 1) // 2
        left = min(known[low].stranded, 0.9)
        return min(most, max(pods, low + round(low * left / (1 - left) / 2)))


def at_least(evaluation: Evaluation, pods: int) -> Evaluation:
    """Return the least that as many pods or more come to: rent is spared, operations of a pod are not."""
    number, burst = evaluation.candidate
    share = pods / number if number else 1.0
    if pods == number:
        return evaluation
    samples = tuple(
        replace(
            sample,
            usd=sample.owned_usd + sample.sunk_usd * (share - 1),
            owned_usd=sample.owned_usd + sample.sunk_usd * (share - 1),
            sunk_usd=sample.sunk_usd * share,
            rent_usd=0.0,
            rent_levels={},
        )
        for sample in evaluation.samples
    )
    return Evaluation(Candidate(pods, burst), samples)


def surely_misses(evaluation: Evaluation, target: Target, seeds: int) -> bool:
    """Say whether so many seeds together miss the target, whatever becomes of those that are not run yet.

    Each of these is taken to ask for at most `MORE_ASKED` times the mean of those that are.
    """
    run = len(evaluation.samples)
    jobs = sum(len(sample.wait_s) for sample in evaluation.samples)
    asked = sum(sample.asked_device_h for sample in evaluation.samples)
    in_all = 1 + (seeds / run - 1) * MORE_ASKED
    late, stranded, rejected = evaluation.shortfall(target)
    too_late = jobs > 0 and late > (1 - target.share) * jobs * in_all + 1e-9
    return rejected > 0 or too_late or stranded > target.stranded * asked * in_all


def until_decided(look: Look, target: Target) -> Look:
    """Return a look that runs the first seed, and the others only where that does not decide against them."""

    def decided(numbers: PodNumbers, burst: str, seeds: int) -> list[Evaluation]:
        found = look(numbers, burst, 1)
        open_ones = [at for at, each in enumerate(found) if not surely_misses(each, target, seeds)]
        for at, whole in zip(open_ones, look([numbers[at] for at in open_ones], burst, seeds), strict=True):
            found[at] = whole
        return found

    return decided
