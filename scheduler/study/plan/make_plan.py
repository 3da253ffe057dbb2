"""A plan: the search led on by simulation, then the same question under other quotas, demands and prices."""

from __future__ import annotations

from math import inf

from scheduler.study.plan.candidates import Candidate, Evaluation, Goal, Target
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.outlooks import Outlook, demand_outlooks, log_outlooks
from scheduler.study.plan.plan import Plan
from scheduler.study.plan.question import PlanQuestion
from scheduler.study.plan.quotas import larger_together, wider_quotas
from scheduler.study.plan.search import Evaluate, frontier, levels, search
from scheduler.study.plan.variations import (
    PRICES,
    most_pods,
    policies_elsewhere,
    regrets_of,
    under_demand,
    under_prices,
    unpriced,
)
from traces.confidence import LEVEL

BESIDE = 3
"""Steps less than the best plan's pods that the frontier looks at."""


def make_plan(bench: Bench, question: PlanQuestion) -> Plan:
    """Search for the cheapest plan, and for what it would be under other quotas, demands and prices.

    Raises FailedRunError where a run fails.
    """
    scenario, target, outlooks = bench.scenario, bench.target, _outlooks(bench)
    today, goal = bench.evaluator(TODAY), Goal(target, question.most, step=question.step)
    result = search(today, question.bursts, goal, levels(question.seeds), question.present)
    best, unlike = result.best, unpriced(scenario, question.bursts)
    elsewhere = policies_elsewhere(bench, result.bursts)
    surest, demands, regrets, prices = None, [], [], []
    if best is not None:
        surest = _beside(best.candidate, today, target, question)
        demands = [under_demand(outlook, bench, best, elsewhere, question) for outlook in outlooks]
        regrets = regrets_of(bench, best.candidate, outlooks, demands)
        prices = [under_prices(*price, today, best, target, question) for price in PRICES if not unlike]
    return Plan(
        scenario=scenario.name,
        pool=bench.pool,
        days=(scenario.horizon_h or 0.0) / 24,
        most=question.most,
        step=question.step,
        bursts=question.bursts,
        seeds=range(scenario.seed, scenario.seed + question.seeds),
        target=target,
        log=bench.log,
        best=best,
        surest=surest,
        quotas=wider_quotas(bench, best, elsewhere, question),
        front=tuple(frontier(_deepest(bench), goal)),
        tried=tuple(sorted(bench.evaluations[TODAY].values(), key=lambda one: one.candidate)),
        elsewhere=elsewhere,
        demands=tuple(demands),
        regrets=tuple(regrets),
        prices=tuple(prices),
        unpriced=unlike,
        runs=bench.runs.computed,
        reused=bench.runs.reused,
        grid=_grid(bench, elsewhere if best is not None else (), outlooks, question),
    )


def _outlooks(bench: Bench) -> list[Outlook]:
    return demand_outlooks(bench.scenario.demand) if bench.log is None else log_outlooks(bench.log)


def _deepest(bench: Bench) -> list[Evaluation]:
    """Return the candidates that were looked at on the most seeds, and so on the same ones."""
    known = bench.evaluations[TODAY].values()
    most = max(len(evaluation.samples) for evaluation in known)
    return [evaluation for evaluation in known if len(evaluation.samples) == most]


def _grid(bench: Bench, elsewhere: tuple[str, ...], outlooks: list[Outlook], question: PlanQuestion) -> int:
    """Return how many runs every combination would have taken, of all that was asked."""
    few, step = levels(question.seeds)[0], question.step
    plans = len(question.bursts) * (question.most // step)
    runs = plans * (question.seeds + len(larger_together(bench.scenario)) * few)
    return runs + sum(len(elsewhere) * (most_pods(outlook, question) // step) * few for outlook in outlooks)


def _beside(best: Candidate, today: Evaluate, target: Target, question: PlanQuestion) -> Evaluation | None:
    """Look at fewer and more pods than the best plan's, on all seeds, for the frontier.

    Returns the cheapest of these that meets the target with a confidence of `LEVEL`.
    """
    step = question.step
    for pods in range(best.pods - step, max(0, best.pods - step - BESIDE * step), -step):
        if today(Candidate(pods, best.burst), question.seeds).wait_at(target.share) == inf:
            break
    for pods in range(best.pods, question.most + 1, step):
        evaluation = today(Candidate(pods, best.burst), question.seeds)
        if evaluation.confidence(target) >= LEVEL:
            return evaluation
    return None
