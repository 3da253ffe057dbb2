"""A plan: the cheapest one, what it is held against, and how many runs it took to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from scheduler.study.cells.log import LogDraws
from scheduler.study.plan.candidates import AS_GIVEN, Evaluation, PriceFactors, Target


@dataclass(frozen=True)
class Elsewhere:
    """The cheapest plan under another demand or other prices, and how today's plan does there."""

    name: str
    meaning: str
    best: Evaluation | None
    today: Evaluation
    most: int
    """Pods up to which was searched."""
    prices: PriceFactors = AS_GIVEN


class Regret(NamedTuple):
    """A demand that came, the plan made for a year's growth under it, and the cheapest plan there."""

    came: str
    planned: Evaluation
    best: Evaluation


class WiderQuotas(NamedTuple):
    """Offers whose quotas hold a cheaper plan back, and the cheapest plan with larger ones."""

    offers: tuple[str, ...]
    plan: Evaluation
    today: Evaluation | None
    """The best plan of today on the same seeds, if there is one."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a search for a plan has found."""

    scenario: str
    pool: str
    days: float
    most: int
    step: int
    """Pods are bought so many at a time."""
    bursts: tuple[str, ...]
    seeds: range
    target: Target
    log: LogDraws | None
    """What seeds drew their jobs from; None: they generated the scenario's demand."""
    best: Evaluation | None
    surest: Evaluation | None
    """The cheapest known that meets the target with a confidence of `LEVEL`, on all seeds."""
    quotas: tuple[WiderQuotas, ...] | None
    """None: there is no offer."""
    front: tuple[Evaluation, ...]
    tried: tuple[Evaluation, ...]
    """All candidates that were run under today's demand, by pods and burst, each on its most seeds."""
    elsewhere: tuple[str, ...]
    """The policies that were tried under other demands."""
    demands: tuple[Elsewhere, ...]
    regrets: tuple[Regret, ...]
    prices: tuple[Elsewhere, ...]
    unpriced: str
    """Why other prices are not shown, if they are not."""
    runs: int
    reused: int
    grid: int
    """Runs that every combination would have taken."""
