"""A plan: the search led on by simulation, then the same question under other demands and other prices."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, sqrt
from typing import NamedTuple

from msgspec.structs import replace

from scheduler.policy import SEAMS, resolve
from scheduler.policy.first import OWNED, RENTED
from scheduler.scenario import Scenario
from scheduler.study.cells.policy_names import parse_policy
from scheduler.study.plan.candidates import Candidate, Evaluation, Goal, PlanError, PriceFactors, Target
from scheduler.study.plan.evaluations import Bench
from scheduler.study.plan.outlooks import LATE_RAMP, YEAR_ON, Outlook, demand_outlooks
from scheduler.study.plan.plan import Elsewhere, Plan, Regret
from scheduler.study.plan.search import Evaluate, SearchResult, frontier, levels, search
from scheduler.study.reference import reference_of
from traces.confidence import LEVEL
from traces.errors import nearest
from workloads import demand_of

DEFAULT_FIRSTS = ("owned", "rented", "reserve:0.2")
DEFAULT_PATIENCES = ("never", "after:12h", "after:4h", "after:1h", "at_once")
"""Tried unless others are asked for."""
PRICES = (
    ("rent x 0.5", PriceFactors(rent=0.5)),
    ("rent x 3", PriceFactors(rent=3.0)),
    ("rent x 5", PriceFactors(rent=5.0)),
    ("pods x 0.75", PriceFactors(pods=0.75)),
    ("pods x 1.25", PriceFactors(pods=1.25)),
)
"""article-34: a shortage made rent 3 to 5 times as dear; a pod costs $300M to $500M, about 400."""
IN_RUNNING = 2
"""Policies that are tried under other demands: of those still in the running, the first ones."""
BESIDE = 3
"""Pods less than the best plan's that the frontier looks at."""


class PlanQuestion(NamedTuple):
    """What is asked: which of these policies, up to how many pods, over how many seeds."""

    bursts: tuple[str, ...]
    most: int
    seeds: int
    present: int
    """Pods in the scenario, from where the search sets out."""


def burst_policies(firsts: Sequence[str], patiences: Sequence[str]) -> tuple[str, ...]:
    """Return the compact names of all that is to be tried; raises PolicyError.

    Owned first goes without saying, and whoever goes to rented devices first has no patience.
    """
    for seam, specs in (("first", firsts), ("patience", patiences)):
        for spec in specs:
            resolve(seam, spec)
    found: list[str] = []
    for first in firsts:
        if first == RENTED:
            found.append(first)
        else:
            found += patiences if first == OWNED else [f"{first}+{patience}" for patience in patiences]
    return tuple(dict.fromkeys(found))


def plan_question(
    scenario: Scenario, pool: str | None, bursts: tuple[str, ...], most: int | None, seeds: int, kind: str
) -> tuple[Scenario, str, PlanQuestion]:
    """Return the scenario to run, its pool and the question, all checked; raises PlanError, PolicyError.

    Without `pool` it is the only one; without `most` twice its pods. A scenario without a horizon gets one
    at the end of its demand, so that a cost is that of the same days under every plan.
    """
    pods = {spec.name: spec.pods for spec in scenario.pools}
    if scenario.trace is not None:
        raise PlanError("a plan needs [demand] to draw common seeds from; a trace is one sample only")
    if scenario.bound not in ("none", "owned_only"):
        raise PlanError(
            f'bound "{scenario.bound}": a plan counts the pods itself (allowed: none, owned_only)'
        )
    if not pods or (pool is not None and pool not in pods):
        raise PlanError(
            f'no pool "{pool or ""}" in the scenario (allowed: {", ".join(pods) or "none there"})'
        )
    if pool is None and len(pods) > 1:
        raise PlanError(f"--pool: which one? The scenario has {', '.join(pods)}")
    if seeds < 2:
        raise PlanError(f"--seeds {seeds}: an interval takes 2 or more")
    pool = pool or next(iter(pods))
    most = most or 2 * pods[pool]
    demand = demand_of(scenario.demand)
    kinds = {name for name, budget_s in demand.budgets(reference_of()).items() if budget_s > 0}
    if kind not in kinds:
        raise PlanError(f'--target: the demand has no kind "{kind}"{nearest(kind, sorted(kinds))}')
    if scenario.horizon_h is None:
        scenario = replace(scenario, horizon_h=demand.days * 24.0)
    return scenario, pool, PlanQuestion(bursts, most, seeds, pods[pool])


def make_plan(bench: Bench, question: PlanQuestion) -> Plan:
    """Search for the cheapest plan, and for what it would be under other demands and prices.

    Raises PlanError where a run fails.
    """
    scenario, target = bench.scenario, bench.target
    outlooks = demand_outlooks(scenario.demand)
    today, goal = bench.evaluator("today", scenario.demand), Goal(target, question.most)
    result = search(today, question.bursts, goal, levels(question.seeds), question.present)
    best, unpriced = result.best, _unpriced(scenario, question.bursts)
    surest, demands, regrets, prices = None, [], [], []
    if best is not None:
        surest = _beside(best.candidate, today, target, question)
        demands = [_under(outlook, bench, best, result.bursts, question) for outlook in outlooks]
        regrets = _regrets(bench, best.candidate, outlooks, demands)
        priced = PRICES if not unpriced else ()
        prices = [_priced(name, factors, today, best, target, question) for name, factors in priced]
    return Plan(
        scenario=scenario.name,
        pool=bench.pool,
        days=(scenario.horizon_h or 0.0) / 24,
        most=question.most,
        bursts=question.bursts,
        seeds=range(scenario.seed, scenario.seed + question.seeds),
        target=target,
        best=best,
        surest=surest,
        front=tuple(frontier(_deepest(bench), goal)),
        demands=tuple(demands),
        regrets=tuple(regrets),
        prices=tuple(prices),
        unpriced=unpriced,
        runs=bench.computed,
        reused=bench.reused,
        grid=_grid(result, outlooks, question),
    )


def _deepest(bench: Bench) -> list[Evaluation]:
    """Return the candidates that were looked at on the most seeds, and so on the same ones."""
    known = bench.evaluations["today"].values()
    most = max(len(evaluation.samples) for evaluation in known)
    return [evaluation for evaluation in known if len(evaluation.samples) == most]


def _grid(result: SearchResult, outlooks: list[Outlook], question: PlanQuestion) -> int:
    """Return how many runs every combination would have taken, of today and of the other demands."""
    runs = len(question.bursts) * question.most * question.seeds
    if result.best is not None:
        tried, few = len(result.bursts[:IN_RUNNING]), levels(question.seeds)[0]
        runs += sum(tried * _most(outlook, question) * few for outlook in outlooks)
    return runs


def _beside(best: Candidate, today: Evaluate, target: Target, question: PlanQuestion) -> Evaluation | None:
    """Look at fewer and more pods than the best plan's, on all seeds, for the frontier.

    Returns the cheapest of these that meets the target with a confidence of `LEVEL`.
    """
    for pods in range(best.pods - 1, max(0, best.pods - 1 - BESIDE), -1):
        if today(Candidate(pods, best.burst), question.seeds).wait_at(target.share) == inf:
            break
    for pods in range(best.pods, question.most + 1):
        evaluation = today(Candidate(pods, best.burst), question.seeds)
        if evaluation.confidence(target) >= LEVEL:
            return evaluation
    return None


def _under(
    outlook: Outlook, bench: Bench, best: Evaluation, running: tuple[str, ...], question: PlanQuestion
) -> Elsewhere:
    """Answer the question anew under another demand, on few seeds.

    The pods are looked for first between in proportion to the demand and to its root, as spare capacity
    grows (square-root staffing: Halfin & Whitt, Operations Research 1981).
    """
    evaluate, few = bench.evaluator(outlook.name, outlook.demand), levels(question.seeds)[0]
    most, plan = _most(outlook, question), best.candidate
    guess = round(plan.pods * (outlook.ratio + sqrt(outlook.ratio)) / 2)
    result = search(evaluate, running[:IN_RUNNING], Goal(bench.target, most), [few], guess)
    return Elsewhere(outlook.name, outlook.meaning, result.best, evaluate(plan, few), most)


def _regrets(
    bench: Bench, best: Candidate, outlooks: list[Outlook], demands: list[Elsewhere]
) -> list[Regret]:
    """Hold the plan made for a year's growth against a demand that stays, and one that comes late."""
    cheapest = {elsewhere.name: elsewhere.best for elsewhere in demands}
    ahead, late = cheapest[YEAR_ON], cheapest[LATE_RAMP]
    if ahead is None:
        return []
    few = len(ahead.samples)
    today = bench.evaluator("today", bench.scenario.demand)
    regrets = [Regret("plateau: demand stays", today(ahead.candidate, few), today(best, few))]
    if late is not None:
        there = next(
            bench.evaluator(outlook.name, outlook.demand) for outlook in outlooks if outlook.name == LATE_RAMP
        )
        regrets.append(Regret(LATE_RAMP, there(ahead.candidate, few), late))
    return regrets


def _priced(
    name: str, prices: PriceFactors, today: Evaluate, best: Evaluation, target: Target, question: PlanQuestion
) -> Elsewhere:
    """Answer the question anew under other prices: the same runs, priced again, and new ones if it moves."""
    rounds, guess = levels(question.seeds), best.candidate.pods
    goal = Goal(target, question.most, prices)
    result = search(today, question.bursts, goal, rounds, guess)
    return Elsewhere(name, "", result.best, best, question.most, prices)


def _unpriced(scenario: Scenario, bursts: tuple[str, ...]) -> str:
    """Say whose policy might look at prices, so that the schedule would change with them; else nothing.

    None of ours does, but for the choice among offers, which stays when all their prices change alike.
    """
    used = [("offer", scenario.policy.offer)]
    used += [choice for burst in bursts for choice in parse_policy(burst).items()]
    foreign = [f"{seam} {name}" for seam, name in used if name.partition(":")[0] not in SEAMS[seam]]
    return f"{', '.join(foreign)} may look at prices" if foreign else ""


def _most(outlook: Outlook, question: PlanQuestion) -> int:
    """Pods up to which is searched under another demand: as many times more as it is greater."""
    return ceil(question.most * max(1.0, outlook.ratio))
