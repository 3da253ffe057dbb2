"""The question of a plan under other demands and other prices."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

from scheduler.policy import SEAMS
from scheduler.scenario import Scenario
from scheduler.study.cells.policy_names import parse_policy
from scheduler.study.plan.candidates import AS_GIVEN, Candidate, Evaluation, Goal, PriceFactors, Target
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.outlooks import LATE_RAMP, YEAR_ON, Outlook
from scheduler.study.plan.plan import Elsewhere, Regret
from scheduler.study.plan.question import PlanQuestion
from scheduler.study.plan.search import Evaluate, levels, search

PRICES = (
    ("rent x 0.5", PriceFactors(rent=0.5)),
    ("rent x 3", PriceFactors(rent=3.0)),
    ("rent x 5", PriceFactors(rent=5.0)),
    ("pods x 0.75", PriceFactors(pods=0.75)),
    ("pods x 1.25", PriceFactors(pods=1.25)),
)
"""article-34: a shortage made rent 3 to 5 times as dear; a pod costs $300M to $500M, about 400."""
IN_RUNNING = 2
"""Policies that are tried under other demands."""


def policies_elsewhere(bench: Bench, running: Sequence[str]) -> tuple[str, ...]:
    """Return the policies to try under other demands: those in the running, then by what they cost today.

    A policy costs what its cheapest plan does that meets the target, on as many seeds as it was given.
    """
    known = (each for each in bench.evaluations[TODAY].values() if each.meets(bench.target))
    by_cost = sorted(known, key=lambda each: each.mean_usd(AS_GIVEN))
    return tuple(dict.fromkeys([*running, *(each.candidate.burst for each in by_cost)]))[:IN_RUNNING]


def under_demand(
    outlook: Outlook, bench: Bench, best: Evaluation, bursts: Sequence[str], question: PlanQuestion
) -> Elsewhere:
    """Answer the question anew under another demand, on few seeds.

    The pods are looked for first between in proportion to the demand and to its root, as spare capacity
    grows (square-root staffing: Halfin & Whitt, Operations Research 1981).
    """
    evaluate, few = bench.evaluator(outlook.name, **outlook.changes), levels(question.seeds)[0]
    most, plan = most_pods(outlook, question), best.candidate
    guess = round(plan.pods * (outlook.ratio + sqrt(outlook.ratio)) / 2)
    result = search(evaluate, bursts, Goal(bench.target, most, step=question.step), [few], guess)
    return Elsewhere(outlook.name, outlook.meaning, result.best, evaluate(plan, few), most)


def regrets_of(
    bench: Bench, best: Candidate, outlooks: list[Outlook], demands: list[Elsewhere]
) -> list[Regret]:
    """Hold the plan made for a year's growth against a demand that stays, and one that comes late."""
    cheapest = {elsewhere.name: elsewhere.best for elsewhere in demands}
    ahead, late = cheapest.get(YEAR_ON), cheapest.get(LATE_RAMP)
    if ahead is None:
        return []
    few = len(ahead.samples)
    today = bench.evaluator(TODAY)
    regrets = [Regret("plateau: demand stays", today(ahead.candidate, few), today(best, few))]
    if late is not None:
        there = next(
            bench.evaluator(outlook.name, **outlook.changes)
            for outlook in outlooks
            if outlook.name == LATE_RAMP
        )
        regrets.append(Regret(LATE_RAMP, there(ahead.candidate, few), late))
    return regrets


def under_prices(
    name: str, prices: PriceFactors, today: Evaluate, best: Evaluation, target: Target, question: PlanQuestion
) -> Elsewhere:
    """Answer the question anew under other prices: the same runs, priced again, and new ones if it moves."""
    rounds, guess = levels(question.seeds), best.candidate.pods
    goal = Goal(target, question.most, prices, question.step)
    result = search(today, question.bursts, goal, rounds, guess)
    return Elsewhere(name, "", result.best, best, question.most, prices)


def unpriced(scenario: Scenario, bursts: tuple[str, ...]) -> str:
    """Say whose policy might look at prices, so that the schedule would change with them; else nothing.

    None of ours does, but for the choice among offers, which stays when all their prices change alike.
    """
    used = [("offer", scenario.policy.offer)]
    used += [choice for burst in bursts for choice in parse_policy(burst).items()]
    foreign = [f"{seam} {name}" for seam, name in used if name.partition(":")[0] not in SEAMS[seam]]
    return f"{', '.join(foreign)} may look at prices" if foreign else ""


def most_pods(outlook: Outlook, question: PlanQuestion) -> int:
    """Pods up to which is searched under another demand: as many times more as it is greater."""
    return ceil(question.most * max(1.0, outlook.ratio))
