"""What a plan is asked, checked before anything runs: which policies, how many pods, how many seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from scheduler.policy import resolve
from scheduler.policy.first import OWNED, RENTED
from scheduler.run.groups import ALL, group_of
from scheduler.scenario import Scenario
from scheduler.study.cells.log import LogDraws, LogWish, log_draws
from scheduler.study.plan.candidates import PlanError
from scheduler.study.reference import reference_of
from traces.errors import nearest
from traces.times import HOUR_S
from traces.trace import Trace
from workloads import demand_of

DEFAULT_FIRSTS = ("owned", "rented", "reserve:0.2")
DEFAULT_PATIENCES = ("never", "after:12h", "after:4h", "after:1h", "at_once")
"""Tried unless others are asked for."""

MOST_SEEDS = 10_000


class PlanQuestion(NamedTuple):
    """What is asked: which of these policies, up to how many pods, over how many seeds."""

    bursts: tuple[str, ...]
    most: int
    seeds: int
    present: int
    """Pods in the scenario, from where the search sets out."""
    step: int = 1
    """Pods are bought so many at a time."""


def burst_policies(firsts: Sequence[str], patiences: Sequence[str]) -> tuple[str, ...]:
    """Return the compact names of all that is to be tried; raises PolicyError.

    Owned first goes without saying, and whoever goes to rented devices first has no patience.
    """
    for seam, specs in (("first", firsts), ("patience", patiences)):
        for spec in specs:
            resolve(seam, spec)
    found: list[str] = []
    for first in firsts:
        if first == RENTED:
            found.append(first)
        else:
            found += patiences if first == OWNED else [f"{first}+{patience}" for patience in patiences]
    return tuple(dict.fromkeys(found))


def plan_question(
    scenario: Scenario, pool: str | None, bursts: tuple[str, ...], most: int | None, seeds: int, step: int = 1
) -> tuple[str, PlanQuestion]:
    """Return the pool and the question, checked; raises PlanError, PolicyError.

    Without `pool` it is the only one; without `most` twice its pods. The most are whole steps.
    """
    pods = {spec.name: spec.pods for spec in scenario.pools}
    if scenario.bound not in ("none", "owned_only"):
        raise PlanError(
            f'bound "{scenario.bound}": a plan counts the pods itself (allowed: none, owned_only)'
        )
    if not pods or (pool is not None and pool not in pods):
        raise PlanError(
            f'no pool "{pool or ""}" in the scenario (allowed: {", ".join(pods) or "none there"})'
        )
    if pool is None and len(pods) > 1:
        raise PlanError(f"--pool: which one? The scenario has {', '.join(pods)}")
    if seeds < 2:
        raise PlanError(f"--seeds {seeds}: an interval takes 2 or more")
    if seeds > MOST_SEEDS:
        raise PlanError(f"--seeds {seeds:,}: at most {MOST_SEEDS:,}")
    pool = pool or next(iter(pods))
    most = most or 2 * pods[pool]
    if step > most:
        raise PlanError(f"--step {step:,}: at most as many as the {most:,} pods that are looked at")
    return pool, PlanQuestion(bursts, most - most % step, seeds, pods[pool], step)


def over_demand(scenario: Scenario, group: str) -> Scenario:
    """Return a scenario to plan on its demand, which has jobs of a group; raises PlanError.

    Without a horizon it gets one at the end of the demand, so that a cost is that of the same days under
    every plan.
    """
    demand = demand_of(scenario.demand)
    kinds = {name for name, budget_s in demand.budgets(reference_of()).items() if budget_s > 0}
    column, kind = group_of(group)
    if column == "kind" and kind not in kinds:
        raise PlanError(f'--target: the demand has no kind "{kind}"{nearest(kind, sorted(kinds))}')
    return scenario if scenario.horizon_h is not None else replace(scenario, horizon_h=demand.days * 24.0)


def over_log(scenario: Scenario, group: str, file: Path, wish: LogWish) -> tuple[Scenario, LogDraws]:
    """Return a scenario to plan on a log, which has jobs of a group, and how the log is drawn from.

    Without a horizon it gets the log's whole blocks. Raises PlanError, and TraceError for a file that is no
    trace or has too few blocks.
    """
    trace = Trace.read(file)
    column, word = group_of(group)
    if column != ALL and word not in (words := trace.words(column)):
        raise PlanError(f'--target: {file} has no {column} "{word}"{nearest(word, sorted(words))}')
    log = log_draws(file, trace, wish, scenario.horizon_s)
    hours = log.resampling.length_s / HOUR_S if scenario.horizon_h is None else scenario.horizon_h
    return replace(scenario, trace=None, demand={}, horizon_h=hours), log
