"""When to buy how many pods: the search, its money, its months, and the command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace as replace_terms
from datetime import date
from functools import partial
from itertools import pairwise, product
from math import fsum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.report.roadmap import render
from scheduler.report.roadmap_file import read_roadmap
from scheduler.scenario import Scenario, read_scenario
from scheduler.scenario.assets import PurchaseSpec
from scheduler.study import processes
from scheduler.study.cells.workers import Workers
from scheduler.study.plan.candidates import (
    AS_GIVEN,
    PERIOD_S,
    Candidate,
    Evaluation,
    Goal,
    PlanError,
    PriceFactors,
    Sample,
    Target,
)
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.search import search
from scheduler.study.reference import reference_of
from scheduler.study.roadmap.coarse import compared
from scheduler.study.roadmap.evaluations import MonthBench
from scheduler.study.roadmap.generations import generations_of
from scheduler.study.roadmap.held_out import draw_schedules
from scheduler.study.roadmap.make_roadmap import make_roadmap
from scheduler.study.roadmap.months_error import error_of_months
from scheduler.study.roadmap.numbers import PodNumbers, at_least, surely_misses
from scheduler.study.roadmap.price_changes import under_other_prices
from scheduler.study.roadmap.quarters import Quarter, demand_from, quarters_of
from scheduler.study.roadmap.question import RoadmapQuestion, horizon_quarters, roadmap_question, terms_of
from scheduler.study.roadmap.schedules import Schedule, ScheduleTerms, neighbours
from scheduler.study.roadmap.screening import busy_share, load_curve, screened
from scheduler.study.roadmap.search import Task, descend
from traces.times import DAY_S
from workloads import demand_of, generate

Drawn = TypeVar("Drawn")
TARGET = Target(group="k", share=0.95, limit_s=100, stranded=0.01)
LABELS = Target(group="fsd.label", share=0.9, limit_s=3_600, stranded=0.01)
YEARS = """
name = "years"
start = 2026-01-05
horizon = "182d"

[demand]
devices = 24
load = 0.5
cars = [["2026-01", 1_000_000], ["2026-07", 3_000_000]]
robots = 2_000
robot_growth = 0

[[pools]]
name = "own"
device = "dojo-tile-case-study"
devices = 12
pods = 1
capital_usd = 40e6

[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 512
"""


def one(usd: float, *, late: bool = False) -> Sample:
    """A seed with 20 jobs, all in time or all late."""
    return Sample(
        usd=usd,
        sunk_usd=0,
        rent_usd=0,
        revenue_usd=0,
        wait_s=[200.0 if late else 0.0] * 20,
        asked_device_h=1,
        stranded_device_h=0,
        rejected=0,
    )


# The search


class World:
    """Quarters whose running costs are convex in pods, and that meet the target from some number on."""

    def __init__(self, usd: list[list[float]], first: list[int], pod_usd: list[float], present: int) -> None:
        self.usd, self.first, self.most = usd, first, len(usd[0]) - 1
        seconds, nothing = (PERIOD_S,) * len(usd), (0.0,) * len(usd)
        self.terms = ScheduleTerms(
            seconds=seconds,
            discounts=(1.0,) * len(usd),
            pod_usd=tuple(pod_usd),
            paid_usd=nothing,
            sold_usd=nothing,
        )
        self.task = Task(TARGET, self.terms, present, self.most)

    def look(self, numbers: PodNumbers, burst: str, seeds: int) -> list[Evaluation]:
        return [
            Evaluation(Candidate(pods, burst), (one(self.usd[at][pods], late=pods < self.first[at]),) * seeds)
            for at, pods in numbers
        ]

    def cost(self, schedule: Sequence[int]) -> float:
        bought = np.diff(schedule, prepend=self.task.present)
        running = fsum(self.usd[at][pods] for at, pods in enumerate(schedule))
        return running + float(np.dot(bought, self.terms.pod_usd))

    def schedules(self) -> Iterator[tuple[int, ...]]:
        """All that meet the target, with pods that are never fewer than before."""
        for pods in product(range(self.task.present, self.most + 1), repeat=len(self.usd)):
            rises = all(before <= after for before, after in pairwise(pods))
            if rises and all(count >= first for count, first in zip(pods, self.first, strict=True)):
                yield pods


@st.composite
def worlds(draw: st.DrawFn) -> World:
    quarters, most = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    saved = st.lists(st.integers(-5, 30), min_size=most, max_size=most).map(lambda usd: sorted(usd)[::-1])
    usd = [[float(200 - sum(falls[:at])) for at in range(most + 1)] for falls in draw(_of(saved, quarters))]
    return World(
        usd,
        draw(_of(st.integers(0, most + 1), quarters)),
        [float(price) for price in draw(_of(st.integers(0, 40), quarters))],
        draw(st.integers(0, most)),
    )


def _of(each: st.SearchStrategy[Drawn], count: int) -> st.SearchStrategy[list[Drawn]]:
    return st.lists(each, min_size=count, max_size=count)


@settings(deadline=None)
@given(worlds(), st.data())
def test_no_schedule_at_all_is_cheaper_where_costs_are_convex(world: World, data: st.DataObject) -> None:
    start = data.draw(_of(st.integers(0, world.most), len(world.usd)))
    found = descend(world.look, "p", world.task, 1, start)
    cheapest = min(map(world.cost, world.schedules()), default=None)
    if cheapest is None:
        assert found is None
    else:
        assert found is not None
        assert found.mean_usd == pytest.approx(cheapest)
        assert world.cost(found.schedule.pods) == pytest.approx(cheapest)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=6).map(lambda rises: np.cumsum(rises).tolist()),
    st.integers(0, 3),
)
def test_neighbours_are_schedules_one_step_away(pods: list[int], present: int) -> None:
    schedule = Schedule(tuple(max(present, count) for count in pods), "p")
    for each in neighbours(schedule, present, 30):
        moved = np.subtract(each.schedule.pods, schedule.pods)
        assert set(moved.tolist()) <= {-1, 0, 1}
        assert moved.any()
        assert min(each.schedule.bought(present)) >= 0


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=5).map(lambda rises: np.cumsum(rises).tolist()),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_capacity_comes_in_lumps_as_the_backlog_of_growing_demand_pays(
    demand: list[int], rent: int, fixed: int
) -> None:
    """What is not owned is rented at `rent` a unit and quarter; a pod holds two, and costs `fixed` a quarter.

    The k-th pod comes whole, in the first quarter in which the rent that it saves is what it costs: demand
    runs ahead of capacity by as much as it does in Manne's model (Econometrica 1961), where rent is the
    penalty of a backlog and prices do not move.
    """
    most = max(demand) // 2 + 1
    usd = [[float(rent * max(0, units - 2 * pods)) for pods in range(most + 1)] for units in demand]
    kept = [float(fixed * (len(demand) - at)) for at in range(len(demand))]
    world = World(usd, [0] * len(demand), kept, 0)
    found = descend(world.look, "p", world.task, 1, (0,) * len(demand))
    lumps = [sum(rent * min(2, units - 2 * k) >= fixed for k in range((units + 1) // 2)) for units in demand]
    assert found is not None
    assert found.mean_usd == pytest.approx(world.cost(lumps))


# Numbers that are not run


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60)), min_size=2, max_size=5), st.booleans())
def test_a_seed_decides_only_what_no_other_could_mend(seeds: list[tuple[int, int]], rejects: bool) -> None:
    """Each seed has 20 jobs and asks for 1,000 device-hours; so many jobs are late, so much is stranded."""
    samples = tuple(
        replace_terms(
            one(0.0),
            wait_s=[200.0] * late + [0.0] * (20 - late),
            asked_device_h=1_000,
            stranded_device_h=stranded,
            rejected=int(rejects and at == 0),
        )
        for at, (late, stranded) in enumerate(seeds)
    )
    first, whole = (Evaluation(Candidate(1, "p"), each) for each in (samples[:1], samples))
    if surely_misses(first, TARGET, len(seeds)):
        assert not whole.meets(TARGET)
    assert surely_misses(whole, TARGET, len(seeds)) != whole.meets(TARGET)


def test_a_number_is_looked_at_only_where_the_rent_that_it_spares_may_pay() -> None:
    """2 pods meet the target, and pay 9 of rent: a third, for 10, is not looked at; for 8 it is, in vain."""

    def evaluation(pods: int) -> Evaluation:
        rent = 9.0 if pods < 3 else 5.0
        sample = replace_terms(one(pods + rent, late=pods < 2), owned_usd=pods, sunk_usd=pods, rent_usd=rent)
        return Evaluation(Candidate(pods, "p"), (sample,) * 2)

    looked: list[int] = []

    def look(numbers: PodNumbers, burst: str, seeds: int) -> list[Evaluation]:
        looked.extend(pods for _, pods in numbers)
        return [evaluation(pods) for _, pods in numbers]

    terms = World([[0.0] * 10], [0], [10.0], 0).terms
    for price, seen in ((8.5, {1, 2}), (7.5, {1, 2, 3})):
        looked.clear()
        task = Task(TARGET, replace_terms(terms, pod_usd=(price,)), 0, 9)
        found = descend(look, "p", task, 2, (2,))
        assert found is not None
        assert found.schedule.pods == (2,)
        assert set(looked) == seen


def test_a_policy_that_is_dearer_for_sure_is_not_searched_by_quarter() -> None:
    """Every year takes a pod more, which saves 2 in all of the 20 quarters, and costs 5 less by quarter."""
    usd, least = [9.0 - pods / 10 for pods in range(6)], [at // 4 for at in range(20)]
    world = World([usd] * 20, least, [200.0 - 5 * at for at in range(20)], 0)
    looked: list[int] = []

    def look(numbers: PodNumbers, burst: str, seeds: int) -> list[Evaluation]:
        looked.extend(quarter for quarter, _ in numbers)
        extra = 5.0 if burst == "dear" else 0.0
        return [
            replace_terms(
                each, samples=tuple(replace_terms(one, usd=one.usd + extra) for one in each.samples)
            )
            for each in world.look(numbers, burst, seeds)
        ]

    found = compared(look, ("dear", "cheap"), world.task, 2, (0,) * 20)
    assert found.quarters == (1, 5, 9, 13, 17)
    assert set(looked) == set(found.quarters)
    assert found.starts == {"cheap": tuple(min(4, max(0, round((at - 1) / 4))) for at in range(20))}
    assert [each.burst for each in found.policies] == ["dear", "cheap"]
    assert found.policies[0].more_usd[0] > 0


# What it is held against


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=5).map(lambda rises: np.cumsum(rises).tolist()),
    st.integers(0, 4),
    st.integers(1, 30),
)
def test_schedules_are_drawn_from_all_that_are_within_a_pod(rises: list[int], room: int, count: int) -> None:
    """None twice, none with fewer pods than before, and all where there are no more than asked for."""
    pods, most = tuple(rises), rises[-1] + room
    world = World([[0.0] * (most + 1) for _ in pods], [0] * len(pods), [1.0] * len(pods), 0)
    drawn = draw_schedules(pods, world.task, count)
    near = {
        each
        for each in world.schedules()
        if each != pods and all(abs(a - b) <= 1 for a, b in zip(each, pods, strict=True))
    }
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= near
    if len(near) <= count:
        assert set(drawn) == near


def test_schedules_are_drawn_alike_likely() -> None:
    """Turned round, with 0 for 2, they are the same schedules: in the middle the mean is 1."""
    world = World([[0.0] * 3] * 20, [0] * 20, [1.0] * 20, 0)
    drawn = draw_schedules((1,) * 20, world.task, 200)
    last_of_first = np.mean([each[9] for each in drawn])  # rises are alike likely in each quarter
    assert last_of_first == pytest.approx(1, abs=0.15)
    assert len(drawn) > 100


@settings(deadline=None)
@given(worlds())
def test_the_regret_under_other_prices_is_never_below_nothing(world: World) -> None:
    start = (world.most,) * len(world.usd)
    best = descend(world.look, "p", world.task, 2, start)
    if best is None:
        return
    question = RoadmapQuestion(("p",), world.most, 2, world.task.present, 0.07, 1.0)
    changes = under_other_prices(world.look, best, world.task, question, partial(_scaled, world.terms), 2)
    assert all(each.regret_usd is not None and each.regret_usd >= -1e-9 for each in changes)
    same = changes[-1]  # discounted otherwise: _scaled leaves that as it is
    assert same.answer.mean_usd == pytest.approx(best.mean_usd)
    assert same.regret_usd == pytest.approx(0)


def _scaled(terms: ScheduleTerms, _: RoadmapQuestion, prices: PriceFactors) -> ScheduleTerms:
    pod_usd = tuple(usd * prices.pods for usd in terms.pod_usd)
    return replace_terms(terms, pod_usd=pod_usd, prices=prices)


# The screening curve


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=8),
    st.integers(1, 8),
    st.integers(1, 30),
    st.integers(1, 30),
)
def test_the_screening_curve_is_the_cheapest_without_queueing(
    load: list[tuple[int, int]], unit: int, fixed: int, rent: int
) -> None:
    """Own k units at `fixed` per hour each, rent what is above at `rent` per unit and hour."""
    level, length = (np.array(column, float) for column in zip(*load, strict=True))

    def cost(units: int) -> float:
        above = np.maximum(0, level - units * unit) / unit
        return units * fixed * float(length.sum()) + rent * float(np.dot(above, length))

    found = screened(level, length, unit, fixed / rent, 80)
    assert cost(found) == pytest.approx(min(map(cost, range(81))))
    assert all(busy_share(level, length, unit, k) >= fixed / rent for k in range(1, found + 1))


def test_the_load_curve_holds_all_the_work_of_its_span() -> None:
    jobs = generate(demand_of({"days": 2, "devices": 24, "load": 0.5}), reference_of())
    level, length_s = load_curve(jobs, 0, 30 * DAY_S)
    work = np.dot(jobs.numpy("gang").astype(float), jobs.numpy("runtime_s").astype(float))
    assert np.dot(level, length_s) == pytest.approx(work)


# Quarters and their demand


def test_quarters_cover_the_horizon_and_their_months_begin_on_mondays() -> None:
    quarters = quarters_of(date(2026, 1, 5), 1827, 28)
    assert len(quarters) == 20
    assert [each.from_day for each in quarters[1:]] == [each.to_day for each in quarters[:-1]]
    assert (quarters[0].from_day, quarters[-1].to_day) == (0, 1827)
    for each in quarters:
        assert each.from_day <= each.month_day <= each.to_day - each.month_days
        assert date.fromordinal(date(2026, 1, 5).toordinal() + each.month_day).weekday() == 0


@pytest.mark.parametrize("load", [None, 0.7])
@pytest.mark.parametrize("story", [{}, {"late_months": {"optimus": 2}}])
def test_the_parts_of_a_demand_ask_for_what_the_whole_asks_for(
    load: float | None, story: dict[str, object]
) -> None:
    """Also beside fleets that grow at a steady rate, as numbers that count from the start."""
    whole: dict[str, Any] = {"days": 120, "load": load, "story": story}
    parts = [demand_from(whole, day, 30) for day in range(0, 120, 30)]

    def asked(arguments: dict[str, Any]) -> float:
        return fsum(demand_of(arguments).budgets(reference_of()).values())

    found = [asked(part) for part in parts]
    if load is None or not story:
        assert fsum(found) == pytest.approx(asked(whole), rel=1e-6)
    assert found[-1] > found[0]


def test_a_story_changes_no_jobs_before_it_begins() -> None:
    """So its quarters before that are those of the demand as it is given, and need no runs of their own."""
    whole: dict[str, Any] = {"start": "2026-01-05", "days": 120, "load": 0.5}
    surge = {"since": "2026-03-06", "until": "2026-05-05", "factor": 2.0}
    for story in ({"plateau": "2026-03-06"}, {"surges": [surge]}):
        before, after = (
            [demand_of(demand_from(each, day, 30)) for day in (30, 60)]
            for each in (whole, {**whole, "story": story})
        )
        assert before[0] == after[0]
        assert before[1] != after[1]
        told = demand_of({**demand_from(whole, 30, 30), "story": story})
        assert generate(told, reference_of()).table.equals(generate(after[0], reference_of()).table)


def test_terms_pay_on_delivery_and_give_the_book_value_back(tmp_path: Path) -> None:
    """A pod of 40M USD, over 5 years: half a year at 0% costs a tenth of it, a quarter half of that.

    At 10% a year the first costs 40 less 36 a half-year later.
    """
    scenario, quarters = _scenario(tmp_path)
    question = RoadmapQuestion(("never",), 4, 2, 1, 0.0, 1.0)
    terms = terms_of(scenario, "own", quarters, question)
    assert terms.seconds == (91 * DAY_S, 91 * DAY_S)
    assert terms.discounts == (1, 1)
    year = 182 / 365.25
    assert terms.pod_usd == pytest.approx((40e6 * year / 5, 40e6 * year / 10))
    dear = terms_of(scenario, "own", quarters, question._replace(discount_rate=0.1))
    assert dear.pod_usd[0] == pytest.approx(40e6 - 40e6 * (1 - year / 5) * 1.1**-year)
    gone = terms_of(scenario, "own", quarters, question._replace(resale_share=0.0))
    assert gone.pod_usd == (40e6, 40e6)


def _scenario(folder: Path, text: str = YEARS) -> tuple[Scenario, tuple[Quarter, ...]]:
    (folder / "years.toml").write_text(text)
    scenario = read_scenario(folder / "years.toml")
    return scenario, horizon_quarters(scenario, 3)


# By simulation


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with processes(1) as crew:
        yield crew


def silent(*_: object) -> None:
    """Show no progress."""


def test_without_growth_it_is_the_plan_of_plan(tmp_path: Path, workers: Workers) -> None:
    """Undiscounted, and with the book value back, a horizon of one month costs what `plan` says."""
    text = YEARS.replace('"182d"', '"2d"').replace("pods = 1", "pods = 0\npurchases = [PURCHASE]")
    text = text.replace("PURCHASE", '{ordered = "0s", lead = "0s", pods = 2}')
    scenario, quarters = _scenario(tmp_path, text)
    scenario, pool, question = roadmap_question(
        scenario, None, ("never",), 4, 2, LABELS.group, rate=0.0, resale_share=1.0
    )
    bench = MonthBench(scenario, pool, quarters[:1], 0, LABELS, tmp_path / "a", workers, silent)
    terms = terms_of(scenario, pool, bench.quarters, question)
    found = descend(
        bench.looker("", scenario.demand), "never", Task(LABELS, terms, 0, 4), 2, (question.present,)
    )
    bare = tuple(replace(each, pods=2, purchases=()) for each in scenario.pools)
    planner = Bench(replace(scenario, pools=bare), pool, LABELS, tmp_path / "b", workers, silent)
    plan = search(planner.evaluator(TODAY), ["never"], Goal(LABELS, 4), [2], 2)
    assert found is not None
    assert plan.best is not None
    assert found.schedule.pods == (plan.best.candidate.pods,)
    per_period = found.mean_usd * PERIOD_S / (2 * DAY_S)
    assert per_period == pytest.approx(plan.best.mean_usd(AS_GIVEN), rel=1e-9)


def test_more_pods_serve_no_worse_and_cost_at_least_what_is_said(tmp_path: Path, workers: Workers) -> None:
    bench, question = _roadmap(tmp_path, workers)
    look = bench.looker("", bench.scenario.demand)
    seen = look([(1, pods) for pods in range(1, 5)], "rented", question.seeds)
    assert [each.meets(LABELS) for each in seen] == sorted(each.meets(LABELS) for each in seen)
    for fewer, more in pairwise(seen):
        bound = at_least(fewer, more.candidate.pods)
        assert (bound.usd(AS_GIVEN) <= more.usd(AS_GIVEN) + 1e-6).all()
        assert (bound.usd(AS_GIVEN) > 0).all()


def _roadmap(folder: Path, workers: Workers, seeds: int = 2) -> tuple[MonthBench, RoadmapQuestion]:
    scenario, quarters = _scenario(folder)
    scenario, pool, question = roadmap_question(
        scenario, None, ("never", "rented"), 4, seeds, LABELS.group, rate=0.07, resale_share=1.0
    )
    return MonthBench(scenario, pool, quarters, 1, LABELS, folder / "cells", workers, silent), question


@pytest.mark.slow
def test_it_goes_on_where_it_was_and_beats_other_schedules_on_seeds_it_has_not_seen(
    tmp_path: Path, workers: Workers
) -> None:
    bench, question = _roadmap(tmp_path, workers)
    found = make_roadmap(generations_of(bench, question, ()), full=True, fresh=2)
    again, _ = _roadmap(tmp_path, workers)
    repeated = make_roadmap(generations_of(again, question, ()), full=True, fresh=2)
    assert repeated.runs == found.runs._replace(computed=0, reused=found.runs.computed)
    assert render(repeated).partition("runs:")[0] == render(found).partition("runs:")[0]
    assert found.best is not None
    assert abs(error_of_months(found).share) < 0.5
    held = found.held_out
    assert held is not None
    assert held.seeds == range(3, 5)
    assert not held.answer.missed(LABELS)
    task = Task(LABELS, held.answer.terms, 1, 4)
    for drawn in held.drawn:
        assert drawn.number == len(draw_schedules(held.answer.schedule.pods, task, 200, drawn.spread))
        assert not drawn.surely_cheaper(held.answer)

    fresh, _ = _roadmap(tmp_path, workers)
    fresh.scenario = replace(fresh.scenario, seed=100)
    look, terms = fresh.looker("", fresh.scenario.demand), found.best.terms
    rivals = [(first, second) for first in range(1, 5) for second in range(first, 5)]

    def cost(pods: tuple[int, ...]) -> tuple[bool, float]:
        seen = look(list(enumerate(pods)), found.best.schedule.burst, 3)  # type: ignore[union-attr]
        running = sum(terms.running_usd(at, each).mean() for at, each in enumerate(seen))
        usd = running + np.dot(np.diff(pods, prepend=1), terms.pod_usd)
        return all(each.meets(LABELS) for each in seen), float(usd)

    meets, usd = cost(found.best.schedule.pods)
    assert meets
    assert all(usd <= other for serves, other in map(cost, rivals) if serves)


# Generations


def test_another_generation_stands_in_place_of_none_or_beside_what_is_there(
    tmp_path: Path, workers: Workers
) -> None:
    """As much compute is looked at, in whole pods."""
    bench, question = _roadmap(tmp_path, workers)
    own, beside = generations_of(bench, question, ("h100-server",))
    assert own == ("own", bench, question)
    assert [(each.name, each.pods) for each in beside.bench.scenario.pools] == [
        ("own", 1),
        ("h100-server", 0),
    ]
    assert (beside.bench.pool, beside.question.present) == ("h100-server", 0)
    catalog = load_catalog()
    per_pod = 12 * catalog.device("dojo-tile-case-study").peak_pflops
    server = catalog.pods["h100-server"]
    per_server = server.devices * catalog.device(server.device).peak_pflops
    most = beside.question.most
    assert per_server * (most - 1) < question.most * per_pod <= per_server * most

    (pool,) = bench.scenario.pools
    bench.scenario = replace(
        bench.scenario,
        pools=(replace(pool, pods=0, purchases=(PurchaseSpec(ordered="0s", lead="0s", pods=1),)),),
    )
    _, instead = generations_of(bench, question._replace(present=0), ("h100-server",))
    assert [(each.name, each.pod) for each in instead.bench.scenario.pools] == [("own", "h100-server")]


@pytest.mark.slow
def test_the_answer_is_of_the_generation_that_is_cheapest(tmp_path: Path, workers: Workers) -> None:
    bench, question = _roadmap(tmp_path, workers)
    bench.warm_up_days, asked = 0, question._replace(bursts=("rented",), most=2)
    found = make_roadmap(generations_of(bench, asked, ("h100-server",)))
    (_, own), (_, servers) = found.generations
    assert own is not None
    assert servers is not None
    assert found.best is min(own, servers, key=lambda each: each.mean_usd)
    assert found.pool == ("own" if found.best is own else "h100-server")
    assert found.pool in render(found)


# Its page


def test_an_answer_is_kept_whole_and_has_a_page(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    (tmp_path / "years.toml").write_text(YEARS.replace('"182d"', '"91d"'))
    asked = ["roadmap", str(tmp_path / "years.toml"), "-o", str(tmp_path / "out"), "--workers", "1"]
    few = ["--target", "fsd.label:p90:1h", "--month", "2", "--warm-up", "1", "--seeds", "2"]
    few += ["--patience", "never", "--first", "owned", "--held-out", "0", "--json"]
    done = CliRunner().invoke(main, [*asked, *few], prog_name="exaburst")
    assert done.exit_code == 0
    kept = read_roadmap(tmp_path / "out")
    assert json.loads(kept.answer.text()) == json.loads(done.stdout)
    page = tmp_path / "page.html"
    shown = CliRunner().invoke(main, ["report", str(tmp_path / "out"), "-o", str(page)], prog_name="exaburst")
    assert shown.exit_code == 0
    assert kept.answer.sentence is not None
    assert kept.answer.sentence in page.read_text()
    (tmp_path / "out" / "roadmap.json").write_text("{")
    words = ["report", str(tmp_path / "out"), "-o", str(page)]
    damaged = CliRunner().invoke(main, words, prog_name="exaburst")
    assert damaged.exit_code == 2
    assert "roadmap.json: is damaged, make the roadmap again" in damaged.stderr


# Bad input


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ("pools.own.retirements=[{at=2026-03-01, pods=1}]", (), "knows no retirement and no closure"),
        ("start=7d", (), 'start = "7d": a roadmap begins at a midnight'),
        ("pools.own.pods=3", ("--max-pods", "2"), "--max-pods 2: there are 3 at the start"),
        (
            "pools.own.purchases=[{ordered=2026-03-01, lead='1d', pods=1, usd_per_pod=1}]",
            (),
            "buys at the price of the pool",
        ),
        ("seed=1", ("--target", "fsd.lable:p90:1h"), 'the demand has no kind "fsd.lable"'),
        (
            "demand.cars=[['2030-01', 1]]",
            (),
            "cars is dated 2030-01-01, after the demand, which ends on 2026-07-06: add an earlier point",
        ),
        ("seed=1", ("--seeds", "1"), "an interval takes 2 or more"),
        ("seed=1", ("--generation", "h100-sever"), "h100-sever"),
        ("pools.own.name=h100-server", ("--generation", "h100-server"), "another pool has that name"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(
    tmp_path: Path, change: str, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "years.toml").write_text(YEARS)
    asked = ["roadmap", str(tmp_path / "years.toml"), "--set", change, "-o", str(tmp_path / "out"), *words]
    done = CliRunner().invoke(main, asked, prog_name="exaburst")
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_log_is_no_demand_that_grows(tmp_path: Path) -> None:
    scenario, _ = _scenario(tmp_path)
    of_log = replace(scenario, demand={}, trace="log.parquet")
    with pytest.raises(PlanError, match=r"a roadmap needs \[demand\]"):
        roadmap_question(of_log, None, ("never",), 4, 2, "all", rate=0.0, resale_share=1.0)
