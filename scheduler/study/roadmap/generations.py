"""Which generation to buy: the pool's own pods, or in their place pods of the catalog.

Pods that are there stay, and those of another generation stand in a pool of their own beside them. A schedule
buys one generation; each has its own cheapest schedule, over the same demand and seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import NamedTuple

from msgspec.structs import replace as with_fields

from scheduler.catalog import load_catalog
from scheduler.scenario import Scenario
from scheduler.scenario.owned import PoolSpec
from scheduler.stock.stock import stock_of
from scheduler.study.plan.candidates import PlanError
from scheduler.study.roadmap.evaluations import MonthBench
from scheduler.study.roadmap.quarters import pod_on
from scheduler.study.roadmap.question import RoadmapQuestion
from scheduler.study.roadmap.schedules import ScheduleOutcome


class Generation(NamedTuple):
    """What may be bought: its name, and how schedules of it are searched."""

    name: str
    bench: MonthBench
    question: RoadmapQuestion


class GenerationOutcome(NamedTuple):
    """The cheapest schedule of a generation; None where none meets the target."""

    name: str
    best: ScheduleOutcome | None


def generations_of(bench: MonthBench, question: RoadmapQuestion, pods: Sequence[str]) -> list[Generation]:
    """Return the pool's own generation and those of the catalog; raises PlanError, CatalogError.

    Of another one as much compute is looked at, in whole pods.
    """
    found = [Generation(bench.pool, bench, question)]
    for pod in pods:
        scenario, pool = _in_place(bench.scenario, bench.pool, pod, question.present)
        most = ceil(question.most * _peak(bench.scenario, bench.pool) / _peak(scenario, pool))
        asked = question._replace(present=0, most=most)
        found.append(Generation(pod, replace(bench, scenario=scenario, pool=pool), asked))
    return found


def _in_place(scenario: Scenario, pool: str, pod: str, present: int) -> tuple[Scenario, str]:
    own = next(each for each in scenario.pools if each.name == pool)
    if pod == own.pod:
        raise PlanError(f"--generation {pod}: the pods of pool {pool} are of it already")
    if not present:
        other = PoolSpec(name=pool, pods=0, pod=pod, purchases=(pod_on(0),))
        pools = tuple(other if each is own else each for each in scenario.pools)
        return with_fields(scenario, pools=pools), pool
    if any(each.name == pod for each in scenario.pools):
        raise PlanError(f"--generation {pod}: another pool has that name")
    kept = (with_fields(each, purchases=()) if each is own else each for each in scenario.pools)
    beside = PoolSpec(name=pod, pods=0, pod=pod, purchases=(pod_on(0),))
    return with_fields(scenario, pools=(*kept, beside)), pod


def _peak(scenario: Scenario, pool: str) -> float:
    catalog = load_catalog()
    stock = next(each for each in stock_of(scenario, catalog).pools if each.name == pool)
    return catalog.device(stock.device).peak_pflops * stock.pod_devices
