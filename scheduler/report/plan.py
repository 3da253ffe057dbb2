"""A plan as a planner reads it: the answer, the frontier, and what would move it."""

from __future__ import annotations

from math import comb, inf
from textwrap import fill

from scheduler.report.log_draws import draw_lines
from scheduler.report.plan_tables import (
    demand_cells,
    frontier_cells,
    percentile,
    plan_name,
    price_cells,
    thousands,
    waited,
)
from scheduler.run.groups import named
from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, Target, mean_interval
from scheduler.study.plan.plan import Plan, Regret, WiderQuotas
from scheduler.study.plan.quotas import QUOTA_FACTOR
from traces.confidence import LEVEL
from traces.numbers import count, percent, shortest
from traces.tables import table
from traces.times import HOUR_S

OTHERWISE = (
    "`exaburst economics` may answer otherwise: there a PFLOP-day of a pod that is used so much, at every",
    "reading of its price, stands beside one of rent; here pods come whole, idle between peaks, hold what",
    "may not leave, and cost what the scenario says",
)
_WIDTH = 100
FEW_SEEDS = 10
"""Of fewer seeds too few resamples differ to say how surely a target is met."""
FEW_LATE = 5
"""Where fewer jobs than this may be late, the percentile rests on very few."""


def render(plan: Plan) -> str:
    """Return the plan as text for a terminal."""
    parts = ["\n".join(question_lines(plan)), _answer(plan), _frontier(plan)]
    if plan.best is not None:
        parts += [_demands(plan), _prices(plan)]
    return "\n\n".join([*parts, _runs(plan)])


def question_lines(plan: Plan) -> list[str]:
    """Say what was asked for, and what was tried."""
    target = plan.target
    share, stranded = percent(target.share, 0), percent(target.stranded)
    steps = f" in steps of {plan.step}" if plan.step > 1 else ""
    tried = f"tried:  {plan.step} to {plan.most} pods{steps}; bursting {', '.join(plan.bursts)};"
    return [
        f"{plan.scenario}: how many pods of {plan.pool} to own, and when to burst?",
        f"target: {share} of {named(target.group)} wait at most {waited(target.limit_s)}, "
        "the waits of the jobs they come after included;",
        f"        no job is rejected; at most {stranded} of the compute asked for is stranded",
        fill(tried, _WIDTH, subsequent_indent=8 * " ", break_on_hyphens=False),
        *(f"        {line}" for line in _replications(plan)),
    ]


def _replications(plan: Plan) -> list[str]:
    """Say what all plans were run on, and what its intervals know of."""
    if plan.log is not None:
        return draw_lines(plan.log, plan.seeds, plan.days)
    return [f"{len(plan.seeds)} common seeds from {plan.seeds[0]} on, {shortest(plan.days)} days each"]


def _answer(plan: Plan) -> str:
    best = plan.best
    if best is None:
        none = f"no plan of up to {plan.most} pods meets the target; --max-pods looks further"
        return "\n".join([none, *quota_lines(plan)])
    lines = [f"cheapest plan that meets it: {plan_name(best)}", *_said(best, plan.target)]
    lines += target_price_lines(plan, best)
    if plan.surest is None:
        lines.append(
            f"no plan up to {plan.most} pods was found to meet it in {percent(LEVEL, 0)} of resamples"
        )
    elif plan.surest.candidate != best.candidate:
        lines += [f"to meet it in {percent(LEVEL, 0)} of resamples: {plan_name(plan.surest)}"]
        lines += _said(plan.surest, plan.target)
    lines += few_seeds_lines(len(best.samples), of_log=plan.log is not None)
    jobs = len(best.wait_s)
    late = int((1 - plan.target.share) * jobs + 1e-9)
    if late < FEW_LATE:
        lines.append(
            f"{jobs} jobs of that kind in all seeds, so {late} of them may be late: few; "
            f"{'more seeds help' if plan.log is None else 'a longer log helps'}"
        )
    return "\n".join([*lines, *quota_lines(plan), *OTHERWISE])


def few_seeds_lines(seeds: int, *, of_log: bool) -> list[str]:
    """Warn where "in ... of resamples" rests on few seeds."""
    if seeds >= FEW_SEEDS:
        return []
    have = "are the draws counted" if of_log else f"have {count(comb(2 * seeds - 1, seeds))} different ones"
    return [f'"of resamples": {seeds} seeds {have}, too few to be sure; --seeds {FEW_SEEDS} or more say more']


def target_price_lines(plan: Plan, best: Evaluation) -> list[str]:
    """Say what another hour of wait would save."""
    dearer = [one for one in plan.front if one.wait_at(plan.target.share) > best.wait_at(plan.target.share)]
    if not dearer or (price := marginal(best, dearer[-1], plan.target)) is None:
        return []
    return [
        f"  the target's marginal price: USD {thousands(price)} k per 28 days for an hour less of wait, "
        f"beside {plan_name(dearer[-1])}"
    ]


def quota_lines(plan: Plan) -> list[str]:
    """Say which quotas of offers hold a cheaper plan back, and which plan that is."""
    if plan.quotas is None:
        return []
    cheaper = "no cheaper plan" if plan.best is not None else "no plan either"
    none = f"no quota of an offer was found to bind: with {QUOTA_FACTOR} times as much {cheaper} meets "
    none += "the target"
    return [line for wider in plan.quotas for line in _binding(wider)] or [none]


def _binding(wider: WiderQuotas) -> list[str]:
    cheapest, names = wider.plan, " and ".join(wider.offers)
    binds = f"quota of {names} binds" if len(wider.offers) == 1 else f"quotas of {names} bind together"
    cost = f"  USD {thousands(cheapest.mean_usd(AS_GIVEN))} k per 28 days"
    cost += f", of which rent {thousands(cheapest.mean_rent_usd)}"
    if wider.today is not None:
        less = wider.today.usd(AS_GIVEN) - cheapest.usd(AS_GIVEN)
        low, high = mean_interval(less, cheapest.drawn)
        cost += f"; {thousands(float(less.mean()))} k less than today ({thousands(low)} to {thousands(high)})"
    plan = f"the {binds}: with {QUOTA_FACTOR} times as much the cheapest plan would be {plan_name(cheapest)}"
    return [plan, f"{cost}, on {len(cheapest.samples)} seeds"]


def marginal(best: Evaluation, cheaper: Evaluation, target: Target) -> float | None:
    """Return USD per 28 days for each hour of wait between two plans; None where one never starts."""
    hours_of = (cheaper.wait_at(target.share) - best.wait_at(target.share)) / HOUR_S
    usd = best.mean_usd(AS_GIVEN) - cheaper.mean_usd(AS_GIVEN)
    return None if hours_of in (0, inf) else usd / hours_of


def _said(one: Evaluation, target: Target) -> list[str]:
    """Cost and service of a candidate, each with its interval."""
    low, high = one.usd_interval()
    quick, slow = one.wait_interval(target.share)
    stranded, sure = percent(one.stranded), percent(one.confidence(target), 0)
    usd, sunk, rent = one.mean_usd(AS_GIVEN), _mean(one, "sunk_usd"), one.mean_rent_usd
    lines = [
        f"  USD {thousands(usd)} k per 28 days ({thousands(low)} to {thousands(high)}): "
        f"pods {thousands(sunk)}, rent {thousands(rent)}, energy and other {thousands(usd - sunk - rent)}",
        f"  {percentile(target)} {waited(one.wait_at(target.share))} ({waited(quick)} to {waited(slow)}), "
        f"stranded {stranded}: meets the target in {sure} of resamples",
    ]
    if _mean(one, "revenue_usd"):
        lines.append(f"  revenue of USD {thousands(_mean(one, 'revenue_usd'))} k is not set against it")
    return lines


def _frontier(plan: Plan) -> str:
    cells = frontier_cells(plan)
    seeds = len(plan.front[0].samples) if plan.front else 0
    of = "the demand" if plan.log is None else "the log"
    title = f"frontier of cost against wait, of the plans run on {seeds} seeds; intervals are of the draws of"
    title += f"\n{of} alone, at these prices:"
    return f"{title}\n{table(*cells)}"


def _demands(plan: Plan) -> str:
    few = len(plan.demands[0].today.samples)
    tried = " and ".join(plan.elsewhere)
    title = f"if the demand is another ({few} seeds, today's {len(plan.seeds)}; bursting {tried}):"
    return "\n".join([title, table(*demand_cells(plan)), *regret_lines(plan)])


def regret_lines(plan: Plan) -> list[str]:
    """Say what the plan for a year's growth would have cost, had that not come; none where there is none."""
    if not plan.regrets:
        return []
    pods = plan_name(plan.regrets[0].planned)
    return [
        f"owning {pods}, as for a year's growth, if",
        *(_regret(one, plan.target) for one in plan.regrets),
    ]


def _regret(one: Regret, target: Target) -> str:
    more = one.planned.mean_usd(AS_GIVEN) - one.best.mean_usd(AS_GIVEN)
    beside = f"{thousands(abs(more))} k {'more' if more >= 0 else 'less'} than {plan_name(one.best)}"
    if one.planned.candidate == one.best.candidate:
        beside = "the cheapest there too"
    usd = thousands(one.planned.mean_usd(AS_GIVEN))
    return f"  {one.came}: USD {usd} k per 28 days, {beside}; {_meets(one.planned, target)}"


def _prices(plan: Plan) -> str:
    if plan.unpriced:
        return f"other prices are not shown: {plan.unpriced}"
    return f"if prices are others (the same runs, priced anew):\n{table(*price_cells(plan))}"


def _runs(plan: Plan) -> str:
    made = plan.runs + plan.reused
    return (
        f"runs: {count(made)} ({count(plan.runs)} computed, {count(plan.reused)} reused) "
        f"instead of {count(plan.grid)} for every combination: {percent(1 - made / plan.grid, 0)} saved"
    )


def _meets(one: Evaluation, target: Target) -> str:
    return "meets the target" if one.meets(target) else "misses the target"


def _mean(one: Evaluation, name: str) -> float:
    total: float = sum(getattr(sample, name) for sample in one.samples)
    return total / len(one.samples)
