"""A plan as a planner reads it: the answer, the frontier, and what would move it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from textwrap import fill

from scheduler.run.groups import named
from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, PriceFactors, Target, mean_interval
from scheduler.study.plan.plan import Elsewhere, Plan, Regret, WiderQuotas
from scheduler.study.plan.quotas import QUOTA_FACTOR
from traces.confidence import LEVEL
from traces.numbers import count, hours, percent, shortest
from traces.tables import table
from traces.times import HOUR_S

OTHERWISE = (
    "`exaburst economics` may answer otherwise: there a PFLOP-day of a pod that is used so much, at every",
    "reading of its price, stands beside one of rent; here pods come whole, idle between peaks, hold what",
    "may not leave, and cost what the scenario says",
)
_WIDTH = 100
FEW_LATE = 5
"""Where fewer jobs than this may be late, the percentile rests on very few."""


def render(plan: Plan) -> str:
    """Return the plan as text for a terminal."""
    parts = [_question(plan), _answer(plan), _frontier(plan)]
    if plan.best is not None:
        parts += [_demands(plan), _prices(plan)]
    return "\n\n".join([*parts, _runs(plan)])


def _question(plan: Plan) -> str:
    target, seeds = plan.target, f"{len(plan.seeds)} common seeds from {plan.seeds[0]} on"
    share, stranded = percent(target.share, 0), percent(target.stranded)
    tried = f"tried:  1 to {plan.most} pods; bursting {', '.join(plan.bursts)};"
    return "\n".join(
        [
            f"{plan.scenario}: how many pods of {plan.pool} to own, and when to burst?",
            f"target: {share} of {named(target.group)} wait at most {_wait(target.limit_s)}, "
            "the waits of the jobs they come after included;",
            f"        no job is rejected; at most {stranded} of the compute asked for is stranded",
            fill(tried, _WIDTH, subsequent_indent=8 * " ", break_on_hyphens=False),
            f"        {seeds}, {shortest(plan.days)} days each",
        ]
    )


def _answer(plan: Plan) -> str:
    best = plan.best
    if best is None:
        none = f"no plan of up to {plan.most} pods meets the target; --max-pods looks further"
        return "\n".join([none, *_quotas(plan)])
    lines = [f"cheapest plan that meets it: {_named(best)}", *_said(best, plan.target)]
    lines += _price_of_target(plan, best)
    if plan.surest is None:
        lines.append(
            f"no plan up to {plan.most} pods was found to meet it in {percent(LEVEL, 0)} of resamples"
        )
    elif plan.surest.candidate != best.candidate:
        lines += [f"to meet it in {percent(LEVEL, 0)} of resamples: {_named(plan.surest)}"]
        lines += _said(plan.surest, plan.target)
    jobs = len(best.wait_s)
    late = int((1 - plan.target.share) * jobs + 1e-9)
    if late < FEW_LATE:
        lines.append(
            f"{jobs} jobs of that kind in all seeds, so {late} of them may be late: few; more seeds help"
        )
    return "\n".join([*lines, *_quotas(plan), *OTHERWISE])


def _price_of_target(plan: Plan, best: Evaluation) -> list[str]:
    """Say what another hour of wait would save."""
    dearer = [one for one in plan.front if one.wait_at(plan.target.share) > best.wait_at(plan.target.share)]
    if not dearer or (price := marginal(best, dearer[-1], plan.target)) is None:
        return []
    return [
        f"  the target's marginal price: USD {_thousands(price)} k per 28 days for an hour less of wait, "
        f"beside {_named(dearer[-1])}"
    ]


def _quotas(plan: Plan) -> list[str]:
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
    cost = f"  USD {_thousands(cheapest.mean_usd(AS_GIVEN))} k per 28 days"
    cost += f", of which rent {_thousands(cheapest.mean_rent_usd)}"
    if wider.today is not None:
        less = wider.today.usd(AS_GIVEN) - cheapest.usd(AS_GIVEN)
        low, high = mean_interval(less)
        cost += (
            f"; {_thousands(float(less.mean()))} k less than today ({_thousands(low)} to {_thousands(high)})"
        )
    plan = f"the {binds}: with {QUOTA_FACTOR} times as much the cheapest plan would be {_named(cheapest)}"
    return [plan, f"{cost}, on {len(cheapest.samples)} seeds"]


def marginal(best: Evaluation, cheaper: Evaluation, target: Target) -> float | None:
    """Return USD per 28 days for each hour of wait between two plans; None where one never starts."""
    hours_of = (cheaper.wait_at(target.share) - best.wait_at(target.share)) / HOUR_S
    usd = best.mean_usd(AS_GIVEN) - cheaper.mean_usd(AS_GIVEN)
    return None if hours_of in (0, inf) else usd / hours_of


def _said(one: Evaluation, target: Target) -> list[str]:
    """Cost and service of a candidate, each with its interval."""
    low, high = mean_interval(one.usd(AS_GIVEN))
    quick, slow = one.wait_interval(target.share)
    stranded, sure = percent(one.stranded), percent(one.confidence(target), 0)
    usd, sunk, rent = one.mean_usd(AS_GIVEN), _mean(one, "sunk_usd"), one.mean_rent_usd
    lines = [
        f"  USD {_thousands(usd)} k per 28 days ({_thousands(low)} to {_thousands(high)}): "
        f"pods {_thousands(sunk)}, rent {_thousands(rent)}, energy and other {_thousands(usd - sunk - rent)}",
        f"  {_percentile(target)} {_wait(one.wait_at(target.share))} ({_wait(quick)} to {_wait(slow)}), "
        f"stranded {stranded}: meets the target in {sure} of resamples",
    ]
    if _mean(one, "revenue_usd"):
        lines.append(f"  revenue of USD {_thousands(_mean(one, 'revenue_usd'))} k is not set against it")
    return lines


def _frontier(plan: Plan) -> str:
    share = plan.target.share
    header = ["pods", "burst", "USD k / 28 d", "95% interval", "rent", _percentile(plan.target)]
    header += ["95% interval", "stranded", "meets", "sure"]
    rows = []
    for one in plan.front:
        low, high = mean_interval(one.usd(AS_GIVEN))
        quick, slow = one.wait_interval(share)
        rows.append(
            [
                str(one.candidate.pods),
                one.candidate.burst,
                _thousands(one.mean_usd(AS_GIVEN)),
                f"{_thousands(low)} to {_thousands(high)}",
                _thousands(one.mean_rent_usd),
                _wait(one.wait_at(share)),
                f"{_wait(quick)} to {_wait(slow)}",
                percent(one.stranded),
                _met(one, plan.target),
                percent(one.confidence(plan.target), 0),
            ]
        )
    seeds = len(plan.front[0].samples) if plan.front else 0
    title = f"frontier of cost against wait, of the plans run on {seeds} seeds; intervals are of the draws of"
    title += "\nthe demand alone, at these prices:"
    return f"{title}\n{table(header, rows, numbers=(0, 2, 3, 4, 5, 6, 7, 8, 9))}"


def _demands(plan: Plan) -> str:
    few = len(plan.demands[0].today.samples)
    assert plan.best is not None
    here = Elsewhere("today", "", plan.best, plan.best, plan.most)
    rows = [[*_moved(one, plan.target), one.meaning] for one in (here, *plan.demands)]
    tried = " and ".join(plan.elsewhere)
    title = f"if the demand is another ({few} seeds, today's {len(plan.seeds)}; bursting {tried}):"
    lines = [title, _moves(["demand"], rows, plan, ["which is"])]
    if plan.regrets:
        pods = _named(plan.regrets[0].planned)
        lines += [f"owning {pods}, as for a year's growth, if"]
        lines += [_regret(one, plan.target) for one in plan.regrets]
    return "\n".join(lines)


def _regret(one: Regret, target: Target) -> str:
    more = one.planned.mean_usd(AS_GIVEN) - one.best.mean_usd(AS_GIVEN)
    beside = f"{_thousands(abs(more))} k {'more' if more >= 0 else 'less'} than {_named(one.best)}"
    if one.planned.candidate == one.best.candidate:
        beside = "the cheapest there too"
    usd = _thousands(one.planned.mean_usd(AS_GIVEN))
    return f"  {one.came}: USD {usd} k per 28 days, {beside}; {_meets(one.planned, target)}"


def _prices(plan: Plan) -> str:
    if plan.unpriced:
        return f"other prices are not shown: {plan.unpriced}"
    rows = [_moved(one, plan.target) for one in plan.prices]
    title = "if prices are others (the same runs, priced anew):"
    return f"{title}\n{_moves(['price'], rows, plan, [])}"


def _moves(first: Sequence[str], rows: Sequence[Sequence[str]], plan: Plan, last: Sequence[str]) -> str:
    assert plan.best is not None
    wait = _percentile(plan.target)
    today = f"{_named(plan.best)}:"
    header = [*first, "cheapest plan", "USD k / 28 d", wait, today, wait, "meets", *last]
    return table(header, rows, numbers=(2, 3, 4, 5))


def _moved(one: Elsewhere, target: Target) -> list[str]:
    best = one.best
    found = [f"none up to {one.most} pods", "-", "-"]
    if best is not None:
        found = [_named(best), _cost(best, one.prices), _wait(best.wait_at(target.share))]
    there = [_cost(one.today, one.prices), _wait(one.today.wait_at(target.share))]
    return [one.name, *found, *there, _met(one.today, target)]


def _met(one: Evaluation, target: Target) -> str:
    """Say whether the target is met, and what else was missed where the waits do not show it."""
    if one.meets(target):
        return "yes"
    if one.wait_at(target.share) > target.limit_s:
        return "no"
    return "no: rejects" if one.shortfall(target)[2] else f"no: stranded {percent(one.stranded)}"


def _runs(plan: Plan) -> str:
    made = plan.runs + plan.reused
    return (
        f"runs: {count(made)} ({count(plan.runs)} computed, {count(plan.reused)} reused) "
        f"instead of {count(plan.grid)} for every combination: {percent(1 - made / plan.grid, 0)} saved"
    )


def _meets(one: Evaluation, target: Target) -> str:
    return "meets the target" if one.meets(target) else "misses the target"


def _named(one: Evaluation) -> str:
    pods, burst = one.candidate
    return f"{pods} pod{'s' if pods != 1 else ''}, {burst}"


def _percentile(target: Target) -> str:
    return f"wait p{shortest(100 * target.share)}"


def _cost(one: Evaluation, prices: PriceFactors) -> str:
    return _thousands(one.mean_usd(prices))


def _mean(one: Evaluation, name: str) -> float:
    total: float = sum(getattr(sample, name) for sample in one.samples)
    return total / len(one.samples)


def _thousands(usd: float) -> str:
    return count(usd / 1e3)


def _wait(seconds: float) -> str:
    return "no start" if seconds == inf else f"{hours(seconds, 1)} h"
