"""The answer over every day of the horizon, with its purchases, beside the months that stood for them."""

from __future__ import annotations

from dataclasses import replace as replace_cell

from msgspec.structs import replace

from scheduler.scenario import Scenario
from scheduler.scenario.assets import PurchaseSpec
from scheduler.study.cells.cell import cell_of
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.plan.candidates import Candidate, Evaluation
from scheduler.study.roadmap.evaluations import MonthBench, sample_of
from scheduler.study.roadmap.quarters import Quarter, pod_on
from scheduler.study.roadmap.roadmap import FullQuarter
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome
from traces.times import DAY_S


def full_run(bench: MonthBench, answer: ScheduleOutcome, seeds: int) -> tuple[FullQuarter, ...]:
    """Run a schedule over all the horizon on the first seeds; raises FailedRunError."""
    whole = with_purchases(bench.scenario, bench.pool, bench.quarters, answer.schedule)
    whole = with_policy(whole, parse_policy(answer.schedule.burst))
    windows = tuple((each.from_day * DAY_S, each.to_day * DAY_S) for each in bench.quarters)
    first, group = bench.scenario.seed, (bench.target.group,)
    made = [cell_of(whole, first + at, waits_of=group, windows=windows) for at in range(seeds)]
    cells = [replace_cell(cell, rent_levels=bench.rent_levels) for cell in made]
    runs = bench.runs.of("full run", cells)
    quarters = []
    for at, pods in enumerate(answer.schedule.pods):
        samples = tuple(sample_of(run["windows"][at], bench.target, windows[at]) for run in runs)
        evaluation = Evaluation(Candidate(pods, answer.schedule.burst), samples)
        quarters.append(FullQuarter(answer.terms.running_usd(at, evaluation), evaluation))
    return tuple(quarters)


def with_purchases(
    scenario: Scenario, pool: str, quarters: tuple[Quarter, ...], schedule: Schedule
) -> Scenario:
    """Return the scenario in which the pods of a schedule are delivered as each quarter begins."""
    present = next(each.pods for each in scenario.pools if each.name == pool)
    batches = tuple(
        PurchaseSpec(ordered=f"{quarter.from_day}d", lead="0s", pods=pods)
        for quarter, pods in zip(quarters, schedule.bought(present), strict=True)
        if pods
    )
    if not present and not batches:
        batches = (pod_on(quarters[-1].to_day + 1),)
    pools = (replace(each, purchases=batches) if each.name == pool else each for each in scenario.pools)
    return replace(scenario, start="0s", pools=tuple(pools))
