"""The tables of a plan, and how its figures are written."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, PriceFactors, Target
from scheduler.study.plan.plan import Elsewhere, Plan
from traces.numbers import count, hours, percent, shortest
from traces.tables import TableCells


def frontier_cells(plan: Plan) -> TableCells:
    """Return the plans than which none is both cheaper and quicker."""
    share = plan.target.share
    header = ["pods", "burst", "USD k / 28 d", "95% interval", "rent", percentile(plan.target)]
    header += ["95% interval", "stranded", "meets", "sure"]
    rows = []
    for one in plan.front:
        low, high = one.usd_interval()
        quick, slow = one.wait_interval(share)
        rows.append(
            [
                str(one.candidate.pods),
                one.candidate.burst,
                thousands(one.mean_usd(AS_GIVEN)),
                f"{thousands(low)} to {thousands(high)}",
                thousands(one.mean_rent_usd),
                waited(one.wait_at(share)),
                f"{waited(quick)} to {waited(slow)}",
                percent(one.stranded),
                met(one, plan.target),
                percent(one.confidence(plan.target), 0),
            ]
        )
    return TableCells(header, rows, (0, 2, 3, 4, 5, 6, 7, 8, 9))


def demand_cells(plan: Plan) -> TableCells:
    """Return the cheapest plan under each demand, and how today's does there."""
    assert plan.best is not None
    here = Elsewhere("today", "", plan.best, plan.best, plan.most)
    rows = [[*_moved(one, plan.target), one.meaning] for one in (here, *plan.demands)]
    return _moves(["demand"], rows, plan, ["which is"])


def price_cells(plan: Plan) -> TableCells:
    """Return the cheapest plan under each change of prices, and how today's does there."""
    return _moves(["price"], [_moved(one, plan.target) for one in plan.prices], plan, [])


def _moves(
    first: Sequence[str], rows: Sequence[Sequence[str]], plan: Plan, last: Sequence[str]
) -> TableCells:
    assert plan.best is not None
    wait = percentile(plan.target)
    today = f"{plan_name(plan.best)}:"
    header = [*first, "cheapest plan", "USD k / 28 d", wait, today, wait, "meets", *last]
    return TableCells(header, rows, (2, 3, 4, 5))


def _moved(one: Elsewhere, target: Target) -> list[str]:
    best = one.best
    found = [f"none up to {one.most} pods", "-", "-"]
    if best is not None:
        found = [plan_name(best), _cost(best, one.prices), waited(best.wait_at(target.share))]
    there = [_cost(one.today, one.prices), waited(one.today.wait_at(target.share))]
    return [one.name, *found, *there, met(one.today, target)]


def met(one: Evaluation, target: Target) -> str:
    """Say whether the target is met, and what else was missed where the waits do not show it."""
    if one.meets(target):
        return "yes"
    if one.wait_at(target.share) > target.limit_s:
        return "no"
    return "no: rejects" if one.shortfall(target)[2] else f"no: stranded {percent(one.stranded)}"


def plan_name(one: Evaluation) -> str:
    """Return what a plan is called, as `2 pods, rented`."""
    pods, burst = one.candidate
    return f"{pods} pod{'s' if pods != 1 else ''}, {burst}"


def percentile(target: Target) -> str:
    """Return which wait the target is about, as `wait p95`."""
    return f"wait p{shortest(100 * target.share)}"


def _cost(one: Evaluation, prices: PriceFactors) -> str:
    return thousands(one.mean_usd(prices))


def thousands(usd: float) -> str:
    """Return dollars in thousands."""
    return count(usd / 1e3)


def waited(seconds: float) -> str:
    """Return a wait in hours; it may have no end."""
    return "no start" if seconds == inf else f"{hours(seconds, 1)} h"
