"""A plan: the search led on by simulation, then the same question under other demands and other prices."""

from __future__ import annotations

from math import ceil, inf, sqrt
from typing import NamedTuple

from msgspec.structs import replace

from scheduler.catalog.catalog import nearest
from scheduler.policy import SEAMS, resolve
from scheduler.scenario import Scenario
from scheduler.study.plan.candidates import Candidate, Evaluation, PlanError, Prices, Target
from scheduler.study.plan.demands import LATE_RAMP, YEAR_ON, Story, stories
from scheduler.study.plan.evaluations import Bench
from scheduler.study.plan.search import Elsewhere, Evaluate, Found, Plan, Regret, frontier, levels, search
from traces.confidence import LEVEL
from workloads import demand_of
from workloads.generate import all_kinds

PATIENCES = ("never", "after:12h", "after:4h", "after:1h", "at_once")
"""Tried unless others are asked for."""
PRICES = (
    ("rent x 0.5", Prices(rent=0.5)),
    ("rent x 3", Prices(rent=3.0)),
    ("rent x 5", Prices(rent=5.0)),
    ("pods x 0.75", Prices(pods=0.75)),
    ("pods x 1.25", Prices(pods=1.25)),
)
"""article-34: a shortage made rent 3 to 5 times as dear; a pod costs $300M to $500M, about 400."""
IN_RUNNING = 2
"""Patiences that are tried under other demands: of those still in the running, the first ones."""
BESIDE = 3
"""Pods less than the best plan's that the frontier looks at."""


class Question(NamedTuple):
    """What is asked: which of these patiences, up to how many pods, over how many seeds."""

    patiences: tuple[str, ...]
    most: int
    seeds: int
    present: int
    """Pods in the scenario, from where the search sets out."""


def question(
    scenario: Scenario, pool: str | None, patiences: tuple[str, ...], most: int | None, seeds: int, kind: str
) -> tuple[Scenario, str, Question]:
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
    for patience in patiences:
        resolve("patience", patience)
    demand = demand_of(scenario.demand)
    kinds = {one.name for one in all_kinds(demand) if demand.budgets()[one.workload] > 0}
    if kind not in kinds:
        raise PlanError(f'--target: the demand has no kind "{kind}"{nearest(kind, sorted(kinds))}')
    if scenario.horizon_h is None:
        scenario = replace(scenario, horizon_h=demand.days * 24.0)
    return scenario, pool, Question(tuple(dict.fromkeys(patiences)), most, seeds, pods[pool])


def make_plan(bench: Bench, asked: Question) -> Plan:
    """Search for the cheapest plan, and for what it would be under other demands and prices.

    Raises PlanError where a run fails.
    """
    scenario, target = bench.scenario, bench.target
    told = stories(scenario.demand)
    today = bench.evaluator("today", scenario.demand)
    found = search(today, asked.patiences, asked.most, target, levels(asked.seeds), guess=asked.present)
    best, unpriced = found.best, _unpriced(scenario, asked.patiences)
    surest, demands, regrets, prices = None, [], [], []
    if best is not None:
        surest = _beside(best.candidate, today, target, asked)
        demands = [_under(story, bench, best, found.patiences, asked) for story in told]
        regrets = _regrets(bench, best.candidate, told, demands)
        priced = PRICES if not unpriced else ()
        prices = [_priced(name, factors, today, best, target, asked) for name, factors in priced]
    return Plan(
        scenario=scenario.name,
        pool=bench.pool,
        days=(scenario.horizon_h or 0.0) / 24,
        most=asked.most,
        patiences=asked.patiences,
        seeds=range(scenario.seed, scenario.seed + asked.seeds),
        target=target,
        best=best,
        surest=surest,
        front=tuple(frontier(_deepest(bench), target)),
        demands=tuple(demands),
        regrets=tuple(regrets),
        prices=tuple(prices),
        unpriced=unpriced,
        runs=bench.computed,
        reused=bench.reused,
        grid=_grid(found, told, asked),
    )


def _deepest(bench: Bench) -> list[Evaluation]:
    """Return the candidates that were looked at on the most seeds, and so on the same ones."""
    known = bench.evaluations["today"].values()
    most = max(len(one.samples) for one in known)
    return [one for one in known if len(one.samples) == most]


def _grid(found: Found, told: list[Story], asked: Question) -> int:
    """Return how many runs every combination would have taken, of today and of the other demands."""
    runs = len(asked.patiences) * asked.most * asked.seeds
    if found.best is not None:
        tried, few = len(found.patiences[:IN_RUNNING]), levels(asked.seeds)[0]
        runs += sum(tried * _most(story, asked) * few for story in told)
    return runs


def _beside(best: Candidate, today: Evaluate, target: Target, asked: Question) -> Evaluation | None:
    """Look at fewer and more pods than the best plan's, on all seeds, for the frontier.

    Returns the cheapest of these that meets the target with a confidence of `LEVEL`.
    """
    for pods in range(best.pods - 1, max(0, best.pods - 1 - BESIDE), -1):
        if today(Candidate(pods, best.patience), asked.seeds).wait_at(target.share) == inf:
            break
    for pods in range(best.pods, asked.most + 1):
        one = today(Candidate(pods, best.patience), asked.seeds)
        if one.confidence(target) >= LEVEL:
            return one
    return None


def _under(
    story: Story, bench: Bench, best: Evaluation, running: tuple[str, ...], asked: Question
) -> Elsewhere:
    """Answer the question anew under another demand, on few seeds.

    The pods are looked for first between in proportion to the demand and to its root, as spare capacity
    grows (square-root staffing: Halfin & Whitt, Operations Research 1981).
    """
    evaluate, few = bench.evaluator(story.name, story.demand), levels(asked.seeds)[0]
    most, here = _most(story, asked), best.candidate
    guess = round(here.pods * (story.ratio + sqrt(story.ratio)) / 2)
    found = search(evaluate, running[:IN_RUNNING], most, bench.target, [few], guess=guess)
    return Elsewhere(story.name, story.meaning, found.best, evaluate(here, few), most)


def _regrets(bench: Bench, best: Candidate, told: list[Story], demands: list[Elsewhere]) -> list[Regret]:
    """Hold the plan made for a year's growth against a demand that stays, and one that comes late."""
    cheapest = {one.name: one.best for one in demands}
    ahead, late = cheapest[YEAR_ON], cheapest[LATE_RAMP]
    if ahead is None:
        return []
    few = len(ahead.samples)
    today = bench.evaluator("today", bench.scenario.demand)
    regrets = [Regret("plateau: demand stays", today(ahead.candidate, few), today(best, few))]
    if late is not None:
        there = next(bench.evaluator(one.name, one.demand) for one in told if one.name == LATE_RAMP)
        regrets.append(Regret(LATE_RAMP, there(ahead.candidate, few), late))
    return regrets


def _priced(
    name: str, prices: Prices, today: Evaluate, best: Evaluation, target: Target, asked: Question
) -> Elsewhere:
    """Answer the question anew under other prices: the same runs, priced again, and new ones if it moves."""
    rounds, guess = levels(asked.seeds), best.candidate.pods
    found = search(today, asked.patiences, asked.most, target, rounds, guess=guess, prices=prices)
    return Elsewhere(name, "", found.best, best, asked.most, prices)


def _unpriced(scenario: Scenario, patiences: tuple[str, ...]) -> str:
    """Say whose policy might look at prices, so that the schedule would change with them; else nothing.

    None of ours does, but for the choice among offers, which stays when all their prices change alike.
    """
    used = [("patience", patience) for patience in patiences] + [("offer", scenario.policy.offer)]
    foreign = [f"{seam} {name}" for seam, name in used if name.partition(":")[0] not in SEAMS[seam]]
    return f"{', '.join(foreign)} may look at prices" if foreign else ""


def _most(story: Story, asked: Question) -> int:
    """Pods up to which is searched under another demand: as many times more as it is greater."""
    return ceil(asked.most * max(1.0, story.ratio))
