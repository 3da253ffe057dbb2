"""Which quotas of offers hold a cheaper plan back: the question again with ten times of them.

That a quota is never all rented says little: a gang that finds too little of it left waits or goes elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from scheduler.catalog.models import MOST_COUNTED
from scheduler.scenario import OfferSpec, Scenario
from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, Goal
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.plan import WiderQuotas
from scheduler.study.plan.question import PlanQuestion
from scheduler.study.plan.search import INDIFFERENT, Evaluate, affordable, levels, search

QUOTA_FACTOR = 10
"""So many times the quota stands for one that holds nothing back."""
RENT_MOST = 2
"""Policies that are asked besides those in the running: those that rent most gain most."""


def wider_quotas(
    bench: Bench, best: Evaluation | None, running: Sequence[str], question: PlanQuestion
) -> tuple[WiderQuotas, ...] | None:
    """Return the larger quotas with which a plan is cheaper than the best, and that plan; None: no offer.

    It takes few seeds, and the policies `running` and those that rent most. Each offer is asked about alone.
    All together come last, and only if their plan is cheaper than those of each alone: two small quotas may
    hold back what neither does alone.
    """
    groups = larger_together(bench.scenario)
    if not groups:
        return None
    bursts, few = _asked(bench, running, question), levels(question.seeds)[0]
    today = bench.evaluator(TODAY)(best.candidate, few) if best is not None else None
    guess = max(1, best.candidate.pods - question.step) if best is not None else question.present
    cheapest, wider = today, list[WiderQuotas]()
    for group in groups:
        than = today if len(group) == 1 else cheapest
        most = affordable(Goal(bench.target, question.most), than)
        goal = Goal(bench.target, most, step=question.step)
        held_back = (_held_back(bench, group, burst, goal, few, guess) for burst in bursts)
        plan = _cheapest(plan for plan in held_back if _clearly_less(plan, than))
        if plan is not None:
            wider.append(WiderQuotas(group, plan, today))
            cheapest = _cheapest((plan, cheapest))
    return tuple(wider)


def _held_back(
    bench: Bench, group: Collection[str], burst: str, goal: Goal, seeds: int, guess: int
) -> Evaluation | None:
    """Return the cheapest plan of a policy with larger quotas, if today's on the same seeds is dearer.

    Few seeds may be lucky; a plan that is so without larger quotas was not held back by them.
    """
    larger, today = (
        search(evaluate, [burst], goal, [seeds], guess).best
        for evaluate in (_with(bench, group), bench.evaluator(TODAY))
    )
    return larger if larger is not None and _clearly_less(larger, today) else None


def _asked(bench: Bench, running: Sequence[str], question: PlanQuestion) -> tuple[str, ...]:
    """Return the policies in the running and those that rent most, or all where nothing is rented."""
    rent_usd = dict.fromkeys(question.bursts, 0.0)
    for candidate, evaluation in bench.evaluations[TODAY].items():
        if candidate.burst in rent_usd:
            rent_usd[candidate.burst] = max(rent_usd[candidate.burst], evaluation.mean_rent_usd)
    renting = [burst for burst in question.bursts if rent_usd[burst] > 0]
    most = sorted(renting, key=lambda burst: -rent_usd[burst])[:RENT_MOST]
    return tuple(dict.fromkeys([*running, *(most or question.bursts)]))


def larger_together(scenario: Scenario) -> list[tuple[str, ...]]:
    """Return the offers whose quotas are made larger together: each alone, then all."""
    names = tuple(offer.name for offer in scenario.offers if _raised(offer) != offer)
    return [*((name,) for name in names), *([names] if len(names) > 1 else [])]


def _with(bench: Bench, names: Collection[str]) -> Evaluate:
    """Return what evaluates candidates with larger quotas of these offers."""
    offers = bench.scenario.offers
    raised = tuple(_raised(offer) if offer.name in names else offer for offer in offers)
    return bench.evaluator(f"{QUOTA_FACTOR} x quota of {', '.join(names)}", offers=raised)


def _raised(offer: OfferSpec) -> OfferSpec:
    return replace(offer, quota=min(QUOTA_FACTOR * offer.quota, MOST_COUNTED))


def _clearly_less(plan: Evaluation | None, other: Evaluation | None) -> bool:
    """Say whether a plan costs less than another, or than none, by more than what counts as equal."""
    if plan is None or other is None:
        return plan is not None
    return plan.mean_usd(AS_GIVEN) * (1 + INDIFFERENT) < other.mean_usd(AS_GIVEN)


def _cheapest(plans: Iterable[Evaluation | None]) -> Evaluation | None:
    found = (plan for plan in plans if plan is not None)
    return min(found, key=lambda plan: plan.mean_usd(AS_GIVEN), default=None)
