"""The documents of many runs: comparisons, plans and studies."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Annotated, Any

import pyarrow as pa

from scheduler.report.documents.document import Document, Known, Out, Plain, about
from scheduler.report.study import contrasts
from scheduler.study.cells.log import LogDraws
from scheduler.study.compare.compare import Answer
from scheduler.study.compare.differences import Difference
from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, Target
from scheduler.study.plan.plan import Elsewhere, Plan
from scheduler.study.power_worth import PowerWorth, mean_and_halfwidth
from scheduler.study.price.search import PriceAnswer, PriceOutcome, QuarterOutcome
from scheduler.study.sweep.sweep import StudyTally


class CompareDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `compare`."""

    scenario: Annotated[str, about("name of the scenario")]
    baseline: Annotated[str, about("policy that the others are held against")]
    replications: Annotated[int, about("seeds, or weeks of a trace")]
    measured_s: Annotated[int, about("seconds measured of each run, of a trace of all weeks")]
    metrics: Annotated[list[str], about("figures compared")]
    means: Annotated[dict[str, dict[str, Known]], about("mean of each figure by policy, and by bound")]
    log: Annotated[Plain | None, about("the trace that seeds drew blocks from, and how; null: none")]
    bounds: Annotated[list[str], about("those among the policies that are bounds")]
    differences: Annotated[list[Plain], about("paired differences to the baseline, with intervals")]
    rows: Annotated[list[Plain], about("figures of each policy and replication, with lower bounds")]
    out: Out


def compare_document(answer: Answer, out: str | None) -> CompareDocument:
    """Return a comparison."""
    policies = list(dict.fromkeys(row["policy"] for row in answer.rows))
    return CompareDocument(
        scenario=answer.question.scenario.name,
        baseline=answer.question.policies[0],
        replications=len({row["seed"] for row in answer.rows}),
        measured_s=sum(part.to_s - part.from_s for part in answer.measured.parts),
        metrics=list(answer.metrics),
        means={name: {metric: _mean(answer, name, metric) for metric in answer.metrics} for name in policies},
        log=None if answer.log is None else _log(answer.log),
        bounds=list(answer.bounds),
        differences=difference_rows(answer.differences),
        rows=answer.rows,
        out=out,
    )


def _mean(answer: Answer, policy: str, metric: str) -> float | None:
    values = [row.get(metric) for row in answer.rows if row["policy"] == policy]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def difference_rows(differences: Sequence[Difference]) -> list[Plain]:
    """Return differences as rows; the ends of an interval are two columns."""
    rows = []
    for one in differences:
        row = one._asdict()
        for name in ("t", "bootstrap"):
            interval = row.pop(name)
            row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    return rows


class PlanDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `plan`."""

    scenario: Annotated[str, about("name of the scenario")]
    pool: Annotated[str, about("pool whose pods are counted")]
    target: Annotated[
        Plain, about("whose jobs wait how long at most, which share of them, what may be stranded")
    ]
    seeds: Annotated[int, about("replications, common to all plans")]
    step: Annotated[int, about("pods are bought so many at a time")]
    best: Annotated[Plain | None, about("the cheapest plan that meets the target; null: none does")]
    surest: Annotated[Plain | None, about("the cheapest that meets it in nearly all resamples")]
    frontier: Annotated[list[Plain], about("plans than which none is cheaper and quicker")]
    quotas: Annotated[list[Plain], about("offers whose quotas hold a cheaper plan back, and that plan")]
    elsewhere: Annotated[list[Plain], about("the cheapest plan under other demands and prices")]
    log: Annotated[Plain | None, about("the trace that seeds drew blocks from, and how; null: a demand")]
    runs: Annotated[int, about("runs computed")]
    reused: Annotated[int, about("runs found again")]
    out: Out


class PowerDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `power`."""

    scenario: Annotated[str, about("name of the scenario")]
    replications: Annotated[int, about("common seeds, or 1 of a trace")]
    more_kw: Annotated[float, about("how much more power was tried")]
    sites: Annotated[
        dict[str, dict[str, list[Known]]], about("by site, each figure with the mean and half its interval")
    ]


def power_document(scenario: str, worth: Sequence[PowerWorth], replications: int) -> PowerDocument:
    """Return what the power of sites is worth."""
    return PowerDocument(
        scenario=scenario,
        replications=replications,
        more_kw=worth[0].kw,
        sites={
            each.site: {name: [*mean_and_halfwidth(getattr(each, name))] for name in PowerWorth._fields[2:]}
            for each in worth
        },
    )


def plan_document(plan: Plan, out: str) -> PlanDocument:
    """Return a plan."""
    target = plan.target
    others = [*plan.demands, *plan.prices]
    return PlanDocument(
        scenario=plan.scenario,
        pool=plan.pool,
        target={
            "group": target.group,
            "share": target.share,
            "limit_s": target.limit_s,
            "stranded": target.stranded,
        },
        seeds=len(plan.seeds),
        step=plan.step,
        best=_evaluation(plan.best, target),
        surest=_evaluation(plan.surest, target),
        frontier=[_planned(each, target) for each in plan.front],
        quotas=[
            {"offers": ", ".join(each.offers)} | _planned(each.plan, target) for each in plan.quotas or ()
        ],
        elsewhere=[_elsewhere(each, target) for each in others],
        log=None if plan.log is None else _log(plan.log),
        runs=plan.runs,
        reused=plan.reused,
        out=out,
    )


def _log(log: LogDraws) -> Plain:
    return {"file": log.name, "of_blocks": log.blocks.whole, **log.resampling._asdict()}


def _evaluation(evaluation: Evaluation | None, target: Target) -> Plain | None:
    return None if evaluation is None else _planned(evaluation, target)


def _planned(evaluation: Evaluation, target: Target) -> dict[str, Any]:
    usd = evaluation.usd(AS_GIVEN)
    low, high = evaluation.usd_interval()
    return {
        "pods": evaluation.candidate.pods,
        "burst": evaluation.candidate.burst,
        "replications": len(evaluation.samples),
        "usd": float(usd.mean()),
        "usd_low": low,
        "usd_high": high,
        "usd_rent": evaluation.mean_rent_usd,
        "wait_s": evaluation.wait_at(target.share),
        "stranded": evaluation.stranded,
        "meets": evaluation.meets(target),
        "confidence": evaluation.confidence(target),
    }


def _elsewhere(other: Elsewhere, target: Target) -> dict[str, Any]:
    best: dict[str, Any] = {} if other.best is None else _planned(other.best, target)
    return {"name": other.name, "meaning": other.meaning, "today_meets": other.today.meets(target)} | best


class StudyDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `study run` and `study show`."""

    study: Annotated[str, about("name of the study")]
    cells: Annotated[int, about("cells that it has")]
    computed: Annotated[int | None, about("cells computed now")]
    reused: Annotated[int | None, about("cells found again")]
    failed: Annotated[dict[str, list[str]], about("why cells failed, and where those are")]
    rows: Annotated[list[Plain], about("results.parquet: a row a cell")]
    differences: Annotated[list[Plain], about("paired differences between policies, by scenario and trace")]
    out: Out


def study_document(
    results: pa.Table, out: str, tally: StudyTally | None = None, baseline: str | None = None
) -> StudyDocument:
    """Return what a study found."""
    about_it = {key.decode(): text.decode() for key, text in (results.schema.metadata or {}).items()}
    return StudyDocument(
        study=about_it["study"],
        cells=int(about_it["cells"]),
        computed=None if tally is None else tally.computed,
        reused=None if tally is None else tally.reused,
        failed={} if tally is None else tally.failures,
        rows=results.to_pylist(),
        differences=[
            {"where": where, "baseline": named, **row}
            for where, named, found in contrasts(results, baseline)
            for row in difference_rows(found)
        ],
        out=out,
    )


class PriceDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `price`."""

    scenario: Annotated[str, about("name of the scenario")]
    seeds: Annotated[int, about("common seeds")]
    prices: Annotated[
        list[Plain], about("each price and reserve with intervals of USD, and of waits added, the best first")
    ]
    opens: Annotated[bool, about("whether the margin of the best is surely above 0")]
    quarters: Annotated[list[Plain], about("the best by quarter, of a scenario longer than one")]
    window_opens: Annotated[str | None, about("date from which on it is open in every quarter; null: none")]
    out: Out


def price_document(scenario: str, answer: PriceAnswer, out: str | None) -> PriceDocument:
    """Return what prices and reserves came to."""
    rows: list[Plain] = []
    for outcome in answer.outcomes:
        row: Plain = {**outcome.offered._asdict(), "mean_margin_usd": outcome.mean_margin_usd}
        rows.append(row | _ends(outcome, "revenue_usd", "margin_usd", "below_best_usd", "own_waits_device_h"))
    return PriceDocument(
        scenario=scenario,
        seeds=answer.seeds,
        prices=rows,
        opens=answer.outcomes[0].margin_usd.low > 0,
        quarters=[_quarter(each) for each in answer.quarters],
        window_opens=answer.opening.quarter.since.date().isoformat() if answer.opening else None,
        out=out,
    )


def _quarter(of: QuarterOutcome) -> Plain:
    row: Plain = {
        "quarter": of.quarter.name,
        "since": of.quarter.since.date().isoformat(),
        "used_share": of.used_share,
        "sells": of.sells,
        "open": of.is_open,
    }
    return row | _ends(of, "revenue_usd", "margin_usd")


def _ends(of: PriceOutcome | QuarterOutcome, *intervals: str) -> Plain:
    """Return intervals by their ends."""
    return {f"{name}_{end}": getattr(getattr(of, name), end) for name in intervals for end in ("low", "high")}
