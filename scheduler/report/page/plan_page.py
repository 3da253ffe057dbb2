"""The page of a plan: what to own, what it costs and serves, what holds it back, and what would move it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf
from typing import Any

from scheduler.report.page.fixed_charts import COST_COLOURS, PLAN_COLOURS, frontier_chart, outlook_chart
from scheduler.report.page.page import Page
from scheduler.report.page.parts import as_html, figure, paragraph, section
from scheduler.report.plan import (
    OTHERWISE,
    question_lines,
    quota_lines,
    regret_lines,
    target_price_lines,
)
from scheduler.report.plan_tables import (
    demand_cells,
    frontier_cells,
    met,
    percentile,
    plan_name,
    price_cells,
    thousands,
    waited,
)
from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, Target
from scheduler.study.plan.plan import Elsewhere, Plan
from scheduler.study.plan.plan_file import KeptPlan
from traces.numbers import count, difference, percent
from traces.tables import TableCells
from traces.times import HOUR_S


def plan_page(kept: KeptPlan, other: KeptPlan | None = None, name: str = "") -> Page:
    """Return the page of a plan, beside another one, called `name`, if given."""
    plan = kept.plan
    heading, *about = question_lines(plan)
    outlooks = [*plan.demands, *plan.prices]
    data = {
        "specs": {
            "frontier": frontier_chart(
                f"{percentile(plan.target)}, h",
                plan.target.limit_s / HOUR_S,
                PLAN_COLOURS,
                "USD k per 28 days",
            ),
            "outlooks": outlook_chart([one.name for one in outlooks]),
        },
        "rows": {
            "frontier": [*_points(plan)],
            "outlooks": [row for one in outlooks for row in _costs(one)],
        },
        "units": {},
        "places": [],
    }
    return Page(
        title=heading,
        about=about,
        answer=plan_answer(plan),
        cards=_cards(plan),
        beside="" if other is None else as_html(_beside(plan, other.plan, name), f"Beside {name}"),
        sections="\n".join(_sections(plan)),
        grounds=kept.grounds,
        data=data,
        scripts=("fixed.js",),
    )


def plan_answer(plan: Plan) -> str:
    """Say in a sentence what to own and when to burst."""
    best, target = plan.best, plan.target
    if best is None:
        return f"No plan of up to {count(plan.most)} pods meets the target."
    low, high = best.usd_interval()
    pods = f"{count(best.candidate.pods)} pod{'s' * (best.candidate.pods != 1)} of {plan.pool}"
    return (
        f"Own {pods} and burst as {best.candidate.burst} says: USD {thousands(best.mean_usd(AS_GIVEN))} k "
        f"per 28 days ({thousands(low)} to {thousands(high)}), {percentile(target)} "
        f"{waited(_wait_s(best, target))} where {waited(target.limit_s)} may be waited, met in "
        f"{percent(best.confidence(target), 0)} of resamples."
    )


def _sections(plan: Plan) -> Iterator[str]:
    best = plan.best
    binds = [*quota_lines(plan), *(target_price_lines(plan, best) if best is not None else [])]
    chart = figure(
        "frontier",
        "Plans that were run, those of the frontier with intervals and, as far as there is room, names; "
        "dashed: the longest wait allowed",
    )
    yield section(
        "Cost against wait",
        chart,
        as_html(frontier_cells(plan), "Plans than which none is both cheaper and quicker"),
    )
    yield section("What binds, and what an hour less of wait costs", *map(paragraph, binds))
    if best is not None:
        yield section("The neighbours", as_html(_neighbours(plan, best), "One step away from the plan"))
    yield section("The grid", paragraph(_GRID), as_html(_grid(plan), "Plans by pods and burst policy"))
    if best is not None:
        prices = [as_html(price_cells(plan), "If prices are others")] if plan.prices else []
        unpriced = paragraph(f"Other prices are not shown: {plan.unpriced}") if plan.unpriced else ""
        yield section(
            "If demand or prices are others",
            figure("outlooks", "What the cheapest plan costs, and today's, if something is otherwise"),
            as_html(demand_cells(plan), "If the demand is another"),
            *map(paragraph, regret_lines(plan)),
            *prices,
            unpriced,
            paragraph(" ".join(OTHERWISE) + "."),
        )


_GRID = (
    "USD k per 28 days of each plan that was run under today's demand, with * where it meets the target. "
    "What is empty was not run: the search leaves out what cannot be cheapest."
)


def _grid(plan: Plan) -> TableCells:
    pods = sorted({one.candidate.pods for one in plan.tried})
    known = {one.candidate: one for one in plan.tried}
    bursts = [burst for burst in plan.bursts if any(one.candidate.burst == burst for one in plan.tried)]
    rows = [
        [burst, *(_cost(known.get((each, burst)), plan.target) for each in pods)]  # type: ignore[call-overload]
        for burst in bursts
    ]
    return TableCells(
        ["burst", *(f"{count(each)} pod{'s' * (each != 1)}" for each in pods)], rows, range(1, len(pods) + 1)
    )


def _cost(one: Evaluation | None, target: Target) -> str:
    return "" if one is None else thousands(one.mean_usd(AS_GIVEN)) + "*" * one.meets(target)


def _neighbours(plan: Plan, best: Evaluation) -> TableCells:
    """Return the plans with a pod less or more, or another burst policy, against the best on common seeds."""
    rows = []
    for one in plan.tried:
        pods, burst = one.candidate
        steps = (abs(pods - best.candidate.pods), burst != best.candidate.burst)
        if sum(steps) <= 1:
            same = slice(min(len(one.samples), len(best.samples)))
            more = float((one.usd(AS_GIVEN)[same] - best.usd(AS_GIVEN)[same]).mean())
            wait = waited(_wait_s(one, plan.target))
            told = [thousands(one.mean_usd(AS_GIVEN)), difference(more, thousands), wait]
            rows.append([plan_name(one), *told, met(one, plan.target), count(len(one.samples))])
    header = ["plan", "USD k / 28 d", "difference", percentile(plan.target), "meets", "seeds"]
    return TableCells(header, rows, (1, 2, 3, 5))


def _cards(plan: Plan) -> list[tuple[str, str]]:
    best = plan.best
    if best is None:
        return []
    return [
        ("pods to own", count(best.candidate.pods)),
        ("when to burst", best.candidate.burst),
        ("USD k per 28 days", thousands(best.mean_usd(AS_GIVEN))),
        ("USD k of it for rent", thousands(best.mean_rent_usd)),
        (percentile(plan.target), waited(_wait_s(best, plan.target))),
        ("of the compute asked for is stranded", percent(best.stranded)),
        ("of resamples meet the target", percent(best.confidence(plan.target), 0)),
    ]


def _beside(plan: Plan, other: Plan, name: str) -> TableCells:
    """Return the answers of two plans, figure by figure."""
    ours, theirs = dict(_cards(plan)), dict(_cards(other))
    rows = [[what, ours.get(what, "-"), theirs.get(what, "-")] for what in dict.fromkeys([*ours, *theirs])]
    return TableCells(["figure", "this plan", name], rows, (1, 2))


def _points(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the plans whose wait has an end, those of the frontier with their intervals."""
    front = {one.candidate for one in plan.front}
    for one in plan.tried:
        wait_s, usd = _wait_s(one, plan.target), one.mean_usd(AS_GIVEN)
        if not isinf(wait_s):
            yield {
                "of": plan_name(one),
                "series": [*PLAN_COLOURS][not one.meets(plan.target)],
                "wait": wait_s / HOUR_S,
                "amount": usd / 1e3,
                "told": f"{waited(wait_s)}, USD {thousands(usd)} k",
                "named": one.candidate in front,
                **(_intervals(one, plan.target) if one.candidate in front else {}),
            }


def _intervals(one: Evaluation, target: Target) -> dict[str, float]:
    low, high = one.usd_interval()
    quick, slow = one.wait_interval(target.share)
    costs = _ends("low", "high", (low / 1e3, high / 1e3))
    return costs | _ends("quick", "slow", (quick / HOUR_S, slow / HOUR_S))


def _ends(low: str, high: str, interval: Sequence[float]) -> dict[str, float]:
    """Return the ends of an interval, if it has both."""
    return {} if any(map(isinf, interval)) else dict(zip((low, high), interval, strict=True))


def _costs(one: Elsewhere) -> Iterator[dict[str, Any]]:
    for series, plan in zip(COST_COLOURS, (one.best, one.today), strict=True):
        if plan is not None:
            usd = plan.mean_usd(one.prices)
            told = f"{plan_name(plan)}: USD {thousands(usd)} k"
            yield {"of": one.name, "series": series, "amount": usd / 1e3, "told": told}


def _wait_s(one: Evaluation, target: Target) -> float:
    return one.wait_at(target.share)
