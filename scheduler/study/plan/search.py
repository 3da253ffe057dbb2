"""How many pods to own, and when to burst: a search that spends its runs where they decide.

Waits fall and sunk cost rises with every pod. So the smallest number of pods that meets the target is
bracketed for each policy, on few seeds; more pods are looked at only while their sunk cost alone is below
the cheapest plan known. Seeds then double while policies that can no longer win drop out: successive
halving (Jamieson & Talwalkar, AISTATS 2016), dropping by paired differences over common seeds, as in racing
(Birattari et al., "F-Race", GECCO 2002). Nothing here knows how a candidate is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from scheduler.study.plan.candidates import Candidate, Evaluation, Goal, mean_interval

Evaluate = Callable[[Candidate, int], Evaluation]
"""(candidate, number of seeds) -> its evaluation on the first so many seeds."""

HOPELESS = 0.05
"""Below this confidence that it meets the target, a candidate of few seeds is not worth more of them."""

INDIFFERENT = 0.001
"""Costs that differ by less than this share count as equal: no run is spent on telling them apart."""


@dataclass(frozen=True)
class SearchResult:
    """The cheapest plan that meets the target, and the policies that were still in the running."""

    best: Evaluation | None
    bursts: tuple[str, ...]


def levels(seeds: int) -> list[int]:
    """Return the numbers of seeds of the rounds: a quarter, a half, and all of them; at least 2."""
    return sorted({max(2, -(-seeds // 4)), max(2, -(-seeds // 2)), seeds})


def search(
    evaluate: Evaluate, bursts: Sequence[str], goal: Goal, rounds: Sequence[int], guess: int
) -> SearchResult:
    """Return the plan that the goal asks for, with one of these policies.

    `rounds` are the numbers of seeds, ascending; `guess` is where the search for the pods begins.
    """
    running, best = list(bursts), None
    for seeds in rounds:
        this = _Round(evaluate, seeds, goal)
        best = None
        for burst in running:
            best = this.cheaper(best, burst, guess)
            guess = best.candidate.pods if best else guess
        running = this.still_running(best)
        if not running:
            break
    return SearchResult(best, tuple(running))


def frontier(evaluations: Iterable[Evaluation], goal: Goal) -> list[Evaluation]:
    """Return the Pareto frontier of cost and wait, by ascending cost."""
    ranked = sorted(
        evaluations,
        key=lambda each: (each.mean_usd(goal.prices), each.wait_at(goal.target.share), each.candidate),
    )
    front: list[Evaluation] = []
    for evaluation in ranked:
        if not front or evaluation.wait_at(goal.target.share) < front[-1].wait_at(goal.target.share):
            front.append(evaluation)
    return front


def smallest_number(meets: Callable[[int], bool], most: int, guess: int) -> int | None:
    """Return the smallest number from 1 to `most` that meets a condition which then holds for all larger.

    It strides out from `guess` with a doubling step, and bisects the bracket so found. None: not one meets.
    """
    low, high, step = 0, most + 1, 1  # low fails and high meets, as far as is known
    at = min(max(1, guess), most)
    while high - low > 1:
        if meets(at):
            high = at
        else:
            low = at
        if low == 0:
            at = max(1, high - step)
        elif high > most:
            at = min(most, low + step)
        else:
            at = (low + high) // 2
        step *= 2
    return high if high <= most else None


def affordable(goal: Goal, best: Evaluation | None) -> int:
    """Return the largest number of pods whose sunk cost alone is below the cost of `best`."""
    a_pod = best.floor_usd(goal.prices, 1) if best else 0.0
    if best is None or a_pod <= 0:
        return goal.most
    return min(goal.most, ceil(best.mean_usd(goal.prices) / a_pod) - 1)


@dataclass
class _Round:
    """A search on so many seeds."""

    evaluate: Evaluate
    seeds: int
    goal: Goal
    tried: list[Evaluation] = field(default_factory=list)

    def look(self, pods: int, burst: str) -> Evaluation:
        self.tried.append(self.evaluate(Candidate(pods, burst), self.seeds))
        return self.tried[-1]

    def cheaper(self, best: Evaluation | None, burst: str, guess: int) -> Evaluation | None:
        """Return the cheaper of `best` and the cheapest plan of a policy that meets the target."""
        target, step = self.goal.target, self.goal.step
        most, guess = affordable(self.goal, best) // step, round(guess / step)
        steps = smallest_number(lambda steps: self.look(steps * step, burst).meets(target), most, guess)
        while steps is not None and steps * step <= affordable(self.goal, best):
            plan = self.look(steps * step, burst)
            if plan.meets(target) and (best is None or self._usd(plan) < self._usd(best)):
                best = plan
            steps += 1
        return best

    def still_running(self, best: Evaluation | None) -> list[str]:
        """Return the policies that may yet win, the best one's first.

        That takes a candidate that may meet the target (`HOPELESS`), is not dearer than the best for sure
        (the interval of the paired differences begins at 0 or below), and than which none of a policy
        already chosen is as good.
        """
        chosen = [best.candidate.burst] if best else []
        for plan in self.tried:
            if plan.candidate.burst not in chosen and self._may_win(plan, best):
                rivals = (rival for rival in self.tried if rival.candidate.burst in chosen)
                if not any(self._as_good(rival, plan) for rival in rivals):
                    chosen.append(plan.candidate.burst)
        return chosen

    def _may_win(self, plan: Evaluation, best: Evaluation | None) -> bool:
        if best is not None and mean_interval(plan.usd(self.goal.prices) - best.usd(self.goal.prices))[0] > 0:
            return False
        return plan.confidence(self.goal.target) >= HOPELESS

    def _as_good(self, plan: Evaluation, other: Evaluation) -> bool:
        """Say whether one serves as well in all respects as another on these seeds, and costs no more."""
        served = zip(plan.shortfall(self.goal.target), other.shortfall(self.goal.target), strict=True)
        return self._usd(plan) <= self._usd(other) * (1 + INDIFFERENT) and all(a <= b for a, b in served)

    def _usd(self, plan: Evaluation) -> float:
        return plan.mean_usd(self.goal.prices)
