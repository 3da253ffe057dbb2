"""The document of a roadmap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from scheduler.report.documents.document import Document, Out, Plain, about
from scheduler.report.roadmap import sentence
from scheduler.report.roadmap_runs import what_was_run
from scheduler.study.plan.candidates import Sample, mean_interval
from scheduler.study.roadmap.held_out import HeldOut
from scheduler.study.roadmap.months_error import error_of_months
from scheduler.study.roadmap.roadmap import Roadmap
from scheduler.study.roadmap.schedules import ScheduleOutcome
from traces.arrays import Floats


class RoadmapDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `roadmap`."""

    scenario: Annotated[str, about("name of the scenario")]
    pool: Annotated[str, about("pool whose pods are bought")]
    sentence: Annotated[str | None, about("the answer in a sentence; null: no schedule meets the target")]
    target: Annotated[
        Plain, about("whose jobs wait how long at most, which share of them, what may be stranded")
    ]
    seeds: Annotated[int, about("replications, common to all schedules")]
    discount_rate: Annotated[float, about("a year, above inflation")]
    best: Annotated[
        dict[str, Any] | None, about("the cheapest schedule: pods by quarter, burst policy, `npv_usd`")
    ]
    schedule: Annotated[
        list[dict[str, Any]],
        about("each quarter: its start, pods, what is bought, waits, pods that the screening curve has"),
    ]
    commitments: Annotated[
        list[dict[str, Any]],
        about("devices of offers to commit to, from which quarter on, for how long"),
    ]
    years: Annotated[list[dict[str, Any]], about("cost by calendar year, in present dollars, with intervals")]
    neighbours: Annotated[
        list[dict[str, Any]], about("schedules one step away, and what they cost more, with intervals")
    ]
    generations: Annotated[
        list[dict[str, Any]], about("each generation by its own cheapest schedule, if one meets the target")
    ]
    waiting: Annotated[dict[str, Any] | None, about("every purchase a quarter later")]
    fixed: Annotated[dict[str, Any] | None, about("the cheapest that has all its pods from the start")]
    usd_per_hour: Annotated[
        float | None, about("marginal price of the target: of an hour less of the longest wait")
    ]
    stories: Annotated[
        list[dict[str, Any]], about("each schedule under each story: cost, quarters missed, regret")
    ]
    prices: Annotated[
        list[dict[str, Any]],
        about("other prices: what the answer costs, its regret, the cheapest pods there"),
    ]
    held_out: Annotated[
        dict[str, Any] | None,
        about("the answer and its rivals on seeds that the search has not seen; null without `--held-out`"),
    ]
    months_error: Annotated[
        dict[str, Any] | None, about("representative months beside the full run; null without `--full`")
    ]
    policies: Annotated[
        list[dict[str, Any]],
        about("policies as compared on parts of the horizon, and whether they were searched by quarter"),
    ]
    rests_on: Annotated[list[str], about("what was run, and what was said without a run")]
    runs: Annotated[int, about("runs computed")]
    reused: Annotated[int, about("runs found again")]
    numbers: Annotated[int, about("numbers of pods that were run, by quarter, policy, demand and seeds")]
    decided_by_one_seed: Annotated[
        int, about("those of them of which one seed alone shows that they miss the target")
    ]
    out: Out


def roadmap_document(roadmap: Roadmap, out: str) -> RoadmapDocument:
    """Return a roadmap."""
    target, best = roadmap.target, roadmap.best
    price = roadmap.hour_usd()
    return RoadmapDocument(
        scenario=roadmap.scenario,
        pool=roadmap.pool,
        sentence=sentence(roadmap) if best else None,
        target=asdict(target),
        seeds=len(roadmap.seeds),
        discount_rate=roadmap.question.discount_rate,
        best=_outcome(roadmap, best),
        schedule=_quarters(roadmap, best) if best else [],
        commitments=_commitments(best) if best else [],
        years=[{"year": year} | _interval("usd", usd) for year, usd in roadmap.by_year()],
        neighbours=_neighbours(roadmap),
        generations=[
            {"generation": name, "best": _outcome(roadmap, found)} for name, found in roadmap.generations
        ],
        waiting=_outcome(roadmap, roadmap.waiting),
        fixed=_outcome(roadmap, roadmap.fixed),
        usd_per_hour=price[0] if price else None,
        stories=_stories(roadmap),
        prices=_prices(roadmap),
        held_out=_held_out(roadmap, roadmap.held_out) if roadmap.held_out else None,
        months_error=error_of_months(roadmap)._asdict() if roadmap.full else None,
        policies=_policies(roadmap),
        rests_on=what_was_run(roadmap).split("\n"),
        runs=roadmap.runs.computed,
        reused=roadmap.runs.reused,
        numbers=roadmap.runs.numbers,
        decided_by_one_seed=roadmap.runs.decided,
        out=out,
    )


def _neighbours(roadmap: Roadmap) -> list[dict[str, Any]]:
    return [
        {"step": each.neighbour.step, "quarter": each.neighbour.quarter + 1}
        | (_outcome(roadmap, each.outcome) or {})
        for each in roadmap.neighbours
    ]


def _interval(name: str, usd: Floats) -> dict[str, Any]:
    low, high = mean_interval(usd)
    return {name: float(usd.mean()), f"{name}_low": low, f"{name}_high": high}


def _outcome(
    roadmap: Roadmap, outcome: ScheduleOutcome | None, beside: ScheduleOutcome | None = None
) -> dict[str, Any] | None:
    beside = beside or roadmap.best
    if outcome is None or beside is None:
        return None
    row: dict[str, Any] = {"pods": list(outcome.schedule.pods), "burst": outcome.schedule.burst}
    row |= _interval("npv_usd", outcome.npv_usd())
    row |= _interval("more_usd", outcome.more_usd(beside)) | {"bounded": outcome.bounded}
    missed = [at + 1 for at in outcome.missed(roadmap.target)]
    return row | {"missed_quarters": missed, "wait_s": outcome.worst_wait_s(roadmap.target)}


def _asked_devices(roadmap: Roadmap, quarter: int, samples: Sequence[Sample]) -> float:
    """Return the mean of reference devices that the jobs of a quarter's month ask for."""
    asked_h = sum(sample.asked_device_h for sample in samples) / len(samples)
    return asked_h / (24 * roadmap.quarters[quarter].month_days)


def _quarters(roadmap: Roadmap, best: ScheduleOutcome) -> list[dict[str, Any]]:
    bought, usd = best.schedule.bought(best.present), best.by_quarter().mean(axis=1)
    return [
        {
            "quarter": at + 1,
            "start": roadmap.starts(at).isoformat(),
            "pods": best.schedule.pods[at],
            "name": f"{roadmap.quarters[at].name} {roadmap.starts(at):%Y-%m}",
            "bought": bought[at],
            "bought_so_far": sum(bought[: at + 1]),
            "asked_devices": _asked_devices(roadmap, at, each.samples),
            "paid_usd": bought[at] * best.terms.paid_usd[at],
            "running_usd": float(best.terms.cash_usd(at, each).mean()),
            "npv_usd": float(usd[at]),
            "npv_so_far_usd": float(usd[: at + 1].sum()),
            "rent_usd": float(best.terms.rent_usd(at, each).mean()),
            "screening": roadmap.screening[at],
            "wait_s": each.wait_at(roadmap.target.share),
            "stranded": each.stranded,
            "confidence": each.confidence(roadmap.target),
        }
        for at, each in enumerate(best.quarters)
    ]


def _commitments(best: ScheduleOutcome) -> list[dict[str, Any]]:
    return [
        {**term.contract._asdict(), "quarter": term.quarter + 1, "devices": term.devices}
        for term in best.terms.commitments
    ]


def _prices(roadmap: Roadmap) -> list[dict[str, Any]]:
    return [
        {
            "prices": each.name,
            "npv_usd": each.answer.mean_usd,
            "regret_usd": each.regret_usd,
            "pods": list(each.best.schedule.pods) if each.best else None,
        }
        for each in roadmap.prices
    ]


def _held_out(roadmap: Roadmap, held: HeldOut) -> dict[str, Any]:
    """Return the answer, the best fixed number and the cheapest drawn: cost more than that of the answer."""
    return {
        "seeds": list(held.seeds),
        "answer": _outcome(roadmap, held.answer, held.answer),
        "fixed": held.fixed and _outcome(roadmap, held.fixed, held.answer),
        "drawn": [
            {
                "spread": drawn.spread,
                "drawn": drawn.number,
                "that_meet": len(drawn.rivals),
                "cheaper": len(drawn.cheaper(held.answer)),
                "surely_cheaper": drawn.surely_cheaper(held.answer),
                "surely_dearer": drawn.surely_dearer(held.answer),
                "cheapest": _outcome(roadmap, next(iter(drawn.rivals), None), held.answer),
            }
            for drawn in held.drawn
        ],
    }


def _stories(roadmap: Roadmap) -> list[dict[str, Any]]:
    return [
        {
            "story": story.name,
            "schedule": name,
            "pods": list(schedule.pods),
            "npv_usd": judged.outcome and judged.outcome.mean_usd,
            "bounded": judged.outcome is not None and judged.outcome.bounded,
            "missed_quarters": [quarter + 1 for quarter in judged.missed],
            "regret_usd": story.regret_usd(at),
        }
        for story in roadmap.stories
        for at, ((name, schedule), judged) in enumerate(zip(roadmap.planned, story.schedules, strict=True))
    ]


def _policies(roadmap: Roadmap) -> list[dict[str, Any]]:
    return [
        {"burst": each.burst, "npv_usd": each.usd, "more_usd": list(each.more_usd)}
        | {"searched": each.burst in roadmap.policies.starts}
        for each in roadmap.policies.policies
    ]
