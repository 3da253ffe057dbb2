"""Which quotas of offers hold a cheaper plan back: the question again with ten times of them.

That a quota is never all rented says little: a gang that finds too little of it left waits or goes elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from scheduler.catalog.models import MOST_COUNTED
from scheduler.scenario import OfferSpec, Scenario
from scheduler.study.cells.policy_names import parse_policy
from scheduler.study.plan.candidates import AS_GIVEN, Candidate, Evaluation, Goal
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.plan import WiderQuotas
from scheduler.study.plan.question import PlanQuestion
from scheduler.study.plan.search import INDIFFERENT, Evaluate, affordable, levels, search

QUOTA_FACTOR = 10
"""So many times the quota stands for one that holds nothing back."""
RENT_MOST = 2
"""Policies that are asked besides those in the running: those that rent most gain most."""


def wider_quotas(
    bench: Bench, best: Candidate | None, running: Sequence[str], question: PlanQuestion
) -> tuple[WiderQuotas, ...] | None:
    """Return the larger quotas with which a plan is cheaper than the best, and that plan; None: nobody rents.

    It takes few seeds, and the policies `running` and those that rent most. Each offer is asked about alone.
    All together come last, and only if their plan is cheaper than those of each alone: two small quotas may
    hold back what neither does alone.
    """
    bursts, few = _asked(bench, running, question), levels(question.seeds)[0]
    groups = larger_together(bench.scenario) if bursts else []
    today = bench.evaluator(TODAY)(best, few) if best is not None else None
    cheapest, wider = today, list[WiderQuotas]()
    for group in groups:
        than = today if len(group) == 1 else cheapest
        most = affordable(Goal(bench.target, question.most), than)
        guess = than.candidate.pods - 1 if than is not None else question.present
        plan = search(_with(bench, group), bursts, Goal(bench.target, most), [few], guess).best
        if plan is not None and (than is None or _clearly_less(plan, than)):
            wider.append(WiderQuotas(group, plan, today))
            cheapest = min(filter(None, (plan, cheapest)), key=lambda each: each.mean_usd(AS_GIVEN))
    return tuple(wider) if groups else None


def _asked(bench: Bench, running: Sequence[str], question: PlanQuestion) -> tuple[str, ...]:
    """Return the policies in the running, then those that rent most; without those that never rent."""
    rent_usd = dict.fromkeys(bursting(question.bursts), 0.0)
    for candidate, evaluation in bench.evaluations[TODAY].items():
        if candidate.burst in rent_usd:
            rent_usd[candidate.burst] = max(rent_usd[candidate.burst], evaluation.mean_rent_usd)
    most = sorted(rent_usd, key=lambda burst: -rent_usd[burst])[:RENT_MOST]
    return tuple(dict.fromkeys([*(burst for burst in running if burst in rent_usd), *most]))


def larger_together(scenario: Scenario) -> list[tuple[str, ...]]:
    """Return the offers whose quotas are made larger together: each alone, then all."""
    names = tuple(offer.name for offer in scenario.offers if _raised(offer) != offer)
    return [*((name,) for name in names), *([names] if len(names) > 1 else [])]


def bursting(bursts: Sequence[str]) -> tuple[str, ...]:
    """Return the policies under which something may be rented."""
    return tuple(burst for burst in bursts if parse_policy(burst).get("patience") != "never")


def _with(bench: Bench, names: Collection[str]) -> Evaluate:
    """Return what evaluates candidates with larger quotas of these offers."""
    offers = bench.scenario.offers
    raised = tuple(_raised(offer) if offer.name in names else offer for offer in offers)
    return bench.evaluator(f"{QUOTA_FACTOR} x quota of {', '.join(names)}", offers=raised)


def _raised(offer: OfferSpec) -> OfferSpec:
    return replace(offer, quota=min(QUOTA_FACTOR * offer.quota, MOST_COUNTED))


def _clearly_less(plan: Evaluation, other: Evaluation) -> bool:
    """Say whether a plan costs less than another, by more than what counts as equal."""
    return plan.mean_usd(AS_GIVEN) * (1 + INDIFFERENT) < other.mean_usd(AS_GIVEN)
