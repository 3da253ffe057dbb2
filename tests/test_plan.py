"""How many pods, and which patience: the search, its statistics, and the command."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from math import comb, inf, isclose
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.report.plan import few_seeds_lines, marginal, render
from scheduler.scenario import read_scenario
from scheduler.study import processes
from scheduler.study.plan.candidates import (
    AS_GIVEN,
    Candidate,
    Evaluation,
    Goal,
    PlanError,
    PriceFactors,
    Sample,
    Target,
    mean_interval,
    target_of,
)
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.make_plan import make_plan
from scheduler.study.plan.outlooks import YEAR_ON, demand_outlooks, grown, scaled
from scheduler.study.plan.question import PlanQuestion, burst_policies, over_demand, plan_question
from scheduler.study.plan.quotas import wider_quotas
from scheduler.study.plan.search import INDIFFERENT, frontier, levels, search, smallest_number
from scheduler.study.plan.variations import policies_elsewhere
from scheduler.study.reference import reference_of
from traces.confidence import BlocksDrawn
from workloads import demand_of

TARGET = Target(group="k", share=0.95, limit_s=100, stranded=0.01)

TINY = """
name = "tiny"
horizon_h = 24

[demand]
days = 1
devices = 24
load = 1.0

[[pools]]
name = "own"
device = "dojo-tile-case-study"
devices = 12
pods = 2
capital_usd = 1e6

[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 512
"""


def sample(usd: float = 0, waits: Sequence[float] = (0,), *, pods: float = 0, rent: float = 0) -> Sample:
    """A seed that asked for one device-hour and stranded none of it."""
    return Sample(
        usd=usd,
        sunk_usd=pods,
        rent_usd=rent,
        revenue_usd=0,
        wait_s=waits,
        asked_device_h=1,
        stranded_device_h=0,
        rejected=0,
    )


def evaluation(*samples: Sample, pods: int = 1, patience: str = "p") -> Evaluation:
    return Evaluation(Candidate(pods, patience), samples)


# The search


@given(st.integers(1, 60), st.integers(1, 60), st.integers(-5, 80))
def test_the_smallest_is_found_with_few_looks(first: int, most: int, guess: int) -> None:
    looks: list[int] = []

    def meets(pods: int) -> bool:
        looks.append(pods)
        return pods >= first

    assert smallest_number(meets, most, guess) == (first if first <= most else None)
    assert all(1 <= pods <= most for pods in looks)
    assert len(looks) == len(set(looks)) <= 2 * most.bit_length() + 1


class World(NamedTuple):
    """Patiences that each meet the target from some number of pods on, and rent that falls with pods."""

    pod_usd: float
    first: list[int]
    rents: list[list[float]]
    noise: list[float]

    def evaluate(self, candidate: Candidate, seeds: int) -> Evaluation:
        at, pods = int(candidate.burst), candidate.pods
        sunk, rent = self.pod_usd * pods, self.rents[at][pods - 1]
        waits = [0.0 if pods >= self.first[at] else 200.0] * 20
        samples = (sample(sunk + rent + noise, waits, pods=sunk, rent=rent) for noise in self.noise[:seeds])
        return Evaluation(candidate, tuple(samples))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    patiences, most = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    rents = st.lists(st.integers(0, 60), min_size=most, max_size=most).map(
        lambda usd: sorted(usd, reverse=True)
    )
    return World(
        pod_usd=draw(st.integers(0, 20)),
        first=draw(st.lists(st.integers(1, most + 1), min_size=patiences, max_size=patiences)),
        rents=[[float(usd) for usd in draw(rents)] for _ in range(patiences)],
        noise=[float(usd) for usd in draw(st.lists(st.integers(0, 9), min_size=8, max_size=8))],
    )


@settings(deadline=None)
@given(worlds(), st.integers(0, 15), st.sampled_from([1.0, 0.5, 3.0]), st.integers(1, 4))
def test_the_search_finds_what_brute_force_finds(world: World, guess: int, rent: float, step: int) -> None:
    prices, most = PriceFactors(rent=rent), len(world.rents[0])
    patiences = [str(at) for at in range(len(world.first))]
    pods = range(step, most + 1, step)
    grid = [world.evaluate(Candidate(number, name), 8) for number in pods for name in patiences]
    cheapest = min((one.mean_usd(prices) for one in grid if one.meets(TARGET)), default=None)
    runs: dict[Candidate, int] = {}

    def evaluate(candidate: Candidate, seeds: int) -> Evaluation:
        runs[candidate] = max(seeds, runs.get(candidate, 0))
        return world.evaluate(candidate, seeds)

    found = search(evaluate, patiences, Goal(TARGET, most, prices, step), levels(8), guess)
    assert sum(runs.values()) <= 8 * len(grid)
    assert {candidate.pods for candidate in runs} <= set(pods)
    if cheapest is None:
        assert found.best is None
    else:
        assert found.best is not None
        assert found.best.meets(TARGET)
        assert len(found.best.samples) == 8
        assert cheapest <= found.best.mean_usd(prices) <= cheapest * (1 + INDIFFERENT) + 1e-9


def test_the_search_saves_most_runs_where_pods_are_dear() -> None:
    """60 pods, four patiences and 20 seeds are 4,800 runs; the first 31 pods fall short."""
    world = World(100, [32] * 4, [[float(60 - pods) for pods in range(60)]] * 4, [0.0] * 20)
    runs: dict[Candidate, int] = {}

    def evaluate(candidate: Candidate, seeds: int) -> Evaluation:
        runs[candidate] = max(seeds, runs.get(candidate, 0))
        return world.evaluate(candidate, seeds)

    found = search(evaluate, list("0123"), Goal(TARGET, 60), levels(20), 20)
    assert found.best is not None
    assert found.best.candidate == Candidate(32, "0")
    assert sum(runs.values()) < 150


def test_a_lucky_start_does_not_decide() -> None:
    """On the first seeds 3 pods seem to do; on all of them it takes 4."""

    def evaluate(candidate: Candidate, seeds: int) -> Evaluation:
        late = [
            [200.0] if candidate.pods < 3 or (candidate.pods == 3 and at >= 5) else [0.0] for at in range(20)
        ]
        usd = 10.0 * candidate.pods
        return Evaluation(candidate, tuple(sample(usd, wait, pods=usd) for wait in late[:seeds]))

    found = search(evaluate, ["p"], Goal(TARGET, 9), levels(20), 2)
    assert found.best is not None
    assert found.best.candidate.pods == 4


def test_an_unlucky_start_does_not_decide() -> None:
    """One job of the first seeds is late whatever is owned; of all jobs, that many may be."""

    def evaluate(candidate: Candidate, seeds: int) -> Evaluation:
        late = [[200.0 if candidate.pods < 3 or at == 1 else 0.0] + [0.0] * 2 for at in range(20)]
        usd = 10.0 * candidate.pods
        return Evaluation(candidate, tuple(sample(usd, wait, pods=usd) for wait in late[:seeds]))

    found = search(evaluate, ["p"], Goal(TARGET, 9), levels(20), 2)
    assert found.best is not None
    assert found.best.candidate.pods == 3


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_the_frontier_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    all_of_them = [evaluation(sample(usd, [wait]), pods=at + 1) for at, (usd, wait) in enumerate(points)]
    front = [(one.mean_usd(AS_GIVEN), one.wait_at(0.95)) for one in frontier(all_of_them, Goal(TARGET, 9))]
    unbeaten = {
        one
        for one in points
        if not any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in points)
    }
    assert set(front) == unbeaten
    assert front == sorted(unbeaten)


def test_seeds_double() -> None:
    assert levels(20) == [5, 10, 20]
    assert levels(2) == [2]
    assert levels(5) == [2, 3, 5]


# What a candidate is judged by


def test_the_target_is_met_to_the_job() -> None:
    """Of 20 jobs in two seeds one may be late for a 95th percentile, and not two."""
    one_late = evaluation(sample(waits=[0] * 9 + [101]), sample(waits=[100] * 10))
    two_late = evaluation(sample(waits=[0] * 9 + [101]), sample(waits=[100] * 9 + [inf]))
    assert one_late.meets(TARGET)
    assert one_late.wait_at(0.95) == 100
    assert not two_late.meets(TARGET)
    assert two_late.wait_at(0.95) == 101
    assert two_late.wait_at(0.96) == inf


@pytest.mark.parametrize(
    "short",
    [
        dataclasses.replace(sample(), wait_s=()),
        dataclasses.replace(sample(), rejected=1),
        dataclasses.replace(sample(), stranded_device_h=0.0101),
    ],
    ids=["nothing to show it", "a job turned away", "work left waiting"],
)
def test_what_else_misses_the_target(short: Sample) -> None:
    assert evaluation(sample(), sample()).meets(TARGET)
    assert not evaluation(short, short).meets(TARGET)


def test_a_mean_has_students_interval() -> None:
    """t with one degree of freedom is 12.706 at 97.5%; the standard error of 1 and 3 is 1."""
    low, high = mean_interval(np.array([1.0, 3.0]))
    assert low == pytest.approx(2 - 12.7062, abs=1e-3)
    assert high == pytest.approx(2 + 12.7062, abs=1e-3)
    assert mean_interval(np.array([5.0, 5.0, 5.0])) == (5.0, 5.0)


def test_confidence_is_that_of_resampled_seeds() -> None:
    """Of 4 seeds one is late in all its jobs. A resample meets the target only if it never draws that one."""
    found = evaluation(*(sample(waits=[0] * 5) for _ in range(3)), sample(waits=[200] * 5))
    exact = (3 / 4) ** 4
    spread = (exact * (1 - exact) / 2_000) ** 0.5
    assert abs(found.confidence(TARGET) - exact) < 4 * spread
    assert evaluation(sample(), sample()).confidence(TARGET) == 1


def test_the_interval_of_a_wait_resamples_whole_seeds() -> None:
    """Three seeds of one wait each: a resample's largest is the smallest of them once in 27."""
    found = evaluation(*(sample(waits=[wait] * 4) for wait in (10, 20, inf)))
    shares = [comb(3, 3) / 27, 8 / 27]  # that the largest drawn is 10, at most 20
    assert shares[0] > 0.025
    assert found.wait_interval(0.95) == (10, inf)


def test_a_replication_without_a_job_of_the_kind_shows_nothing() -> None:
    """Of three, one meets the target and one misses it: half of those that say anything."""
    target = Target(group="k", share=0.95, limit_s=10, stranded=0.01)
    found = evaluation(sample(waits=(4,)), sample(waits=()), sample(waits=(20,)))
    of_log = dataclasses.replace(found, drawn=BlocksDrawn(3, 2))
    assert of_log.confidence(target) == 0.5
    assert of_log.wait_interval(0.95) == (4, 20)
    nothing = dataclasses.replace(of_log, samples=(sample(waits=()),) * 2)
    assert nothing.confidence(target) == 0.0 and nothing.wait_interval(0.95) == (0, inf)


def test_prices_change_only_what_they_are_of() -> None:
    one = evaluation(sample(100, pods=60, rent=30), sample(120, pods=60, rent=50))
    assert one.usd(PriceFactors(rent=3)).tolist() == [160, 220]
    assert one.usd(PriceFactors(pods=0.5)).tolist() == [70, 90]
    assert one.floor_usd(PriceFactors(pods=0.5), 4) == 120


@pytest.mark.parametrize(
    "text", ["fsd.release", "a:95:1h", "a:p0:1h", "a:p100:1h", "a:p95:1", "a:p95:-1h", ":p95:1h"]
)
def test_a_wrong_target_says_what_is_allowed(text: str) -> None:
    with pytest.raises(PlanError, match="must be KIND:pNN:DURATION"):
        target_of(text, 0.01)
    assert target_of("a.b:p99.5:90m", 0.01) == Target(group="a.b", share=0.995, limit_s=5_400, stranded=0.01)


# Demand


def test_demand_is_scaled_alike() -> None:
    today = {"days": 7, "robots": 10_000}
    budgets, twice = (demand_of(one).budgets(reference_of()) for one in (today, scaled(today, 2)))
    assert all(isclose(twice[name], 2 * usd) for name, usd in budgets.items())
    given = {"days": 7, "load": 0.6}
    assert scaled(given, 0.5)["load"] == pytest.approx(0.3)


def test_fleets_grow_for_a_year() -> None:
    today = {"cars": 100, "car_growth": 50, "robots": 10, "robot_growth": 20}
    later = grown(today, cars=1, robots=0.5)
    assert (later["cars"], later["robots"]) == (150, 20)
    loaded = {"load": 0.5, "mix": None, "car_growth": 0, "robot_growth": 0, "tenants": 0, "robots": 0}
    assert grown(loaded, cars=1, robots=1)["load"] == pytest.approx(0.5)
    robots_only = {"load": 0.5, "cars": 0, "tenants": 0, "car_growth": 0, "robots": 100, "robot_growth": 0}
    assert grown(robots_only, cars=1, robots=1)["load"] == pytest.approx(0.5)
    ratios = {outlook.name: outlook.ratio for outlook in demand_outlooks({"days": 1})}
    assert ratios["2x"] == pytest.approx(2)
    assert ratios["0.5x"] == pytest.approx(0.5)
    assert ratios[YEAR_ON] > ratios["late ramp"] > 1


# With runs


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def evaluated(file: Path) -> Iterator[Bench]:
    with processes(2) as workers:
        target = target_of("fsd.label:p90:1h", 0.01)
        yield Bench(read_scenario(file), "own", target, file.parent, workers, lambda *_: None)


def test_pricing_anew_is_what_a_new_run_costs(evaluated: Bench) -> None:
    """Three times the rental price: the same schedule, so the same bill as a run under that price."""
    plan = Candidate(1, "at_once")
    priced = evaluated.evaluator(TODAY)(plan, 3)
    offer = evaluated.scenario.offers[0]
    usd = 3 * load_catalog().offer(offer.offer).usd_per_device_h
    dear = replace(evaluated.scenario, offers=(replace(offer, usd_per_device_h=usd),))
    bench = Bench(dear, "own", evaluated.target, evaluated.folder, evaluated.workers, lambda *_: None)
    run = bench.evaluator(TODAY)(plan, 3)
    assert priced.usd(PriceFactors(rent=3)) == pytest.approx(run.usd(AS_GIVEN), rel=1e-12)
    assert run.usd(AS_GIVEN).sum() > priced.usd(AS_GIVEN).sum()


def test_what_pods_cost_scales_with_their_price(evaluated: Bench) -> None:
    plan = Candidate(2, "never")
    priced = evaluated.evaluator(TODAY)(plan, 2)
    pool = evaluated.scenario.pools[0]
    dear = replace(evaluated.scenario, pools=(replace(pool, capital_usd=1.25e6),))
    bench = Bench(dear, "own", evaluated.target, evaluated.folder, evaluated.workers, lambda *_: None)
    run = bench.evaluator(TODAY)(plan, 2)
    assert priced.usd(PriceFactors(pods=1.25)) == pytest.approx(run.usd(AS_GIVEN), rel=1e-12)


def test_the_search_finds_what_every_combination_does(evaluated: Bench) -> None:
    """Where jobs go first, patience and pods: the cheapest of all that meet the target, on the same seeds."""
    bursts = burst_policies(("owned", "rented", "reserve:0.2"), ("never", "at_once"))
    assert bursts == ("never", "at_once", "rented", "reserve:0.2+never", "reserve:0.2+at_once")
    evaluate = evaluated.evaluator(TODAY)
    best = search(evaluate, bursts, Goal(evaluated.target, 3), levels(2), 2).best
    grid = [evaluate(Candidate(pods, burst), 2) for pods in range(1, 4) for burst in bursts]
    cheapest = min(each.mean_usd(AS_GIVEN) for each in grid if each.meets(evaluated.target))
    assert best is not None
    assert best.mean_usd(AS_GIVEN) <= cheapest * (1 + INDIFFERENT)


def with_quotas(evaluated: Bench, target: str, **quotas: int) -> Bench:
    """A bench where a pod costs a tenth of an ExaPOD's price, and the offer `dear` 200 an hour."""
    cloud = evaluated.scenario.offers[0]
    offers = tuple(
        replace(cloud, name=name, quota=quota, usd_per_device_h=200.0 if name == "dear" else None)
        for name, quota in quotas.items()
    )
    pool = replace(evaluated.scenario.pools[0], capital_usd=40e6)
    scenario = replace(evaluated.scenario, pools=(pool,), offers=offers)
    aim = target_of(target, 0.01)
    return Bench(scenario, "own", aim, evaluated.folder, evaluated.workers, lambda *_: None)


def test_a_quota_that_holds_a_cheaper_plan_back_is_named(evaluated: Bench) -> None:
    """With 16 of the cloud's devices it takes 2 pods; with 160 one pod does, and costs what it says.

    A larger quota of what costs 200 an hour changes nothing.
    """
    bench = with_quotas(evaluated, "fsd.label:p90:1h", cloud=16, dear=16)
    plan = make_plan(bench, PlanQuestion(("never", "at_once"), most=2, seeds=2, present=2))
    assert plan.best is not None
    assert plan.quotas is not None
    (held_back,) = plan.quotas
    assert plan.best.candidate.pods == 2
    assert held_back.offers == ("cloud",)
    assert held_back.plan.candidate == Candidate(1, "at_once")
    allowed = with_quotas(evaluated, "fsd.label:p90:1h", cloud=160, dear=16)
    assert allowed.evaluator(TODAY)(Candidate(1, "at_once"), 2) == held_back.plan
    assert "the quota of cloud binds: with 10 times as much the cheapest plan would be 1 pod," in render(plan)


def test_a_quota_that_holds_nothing_back_is_not_named(evaluated: Bench) -> None:
    bench = with_quotas(evaluated, "fsd.label:p90:1h", cloud=512)
    best = bench.evaluator(TODAY)(Candidate(1, "at_once"), 2)
    question = PlanQuestion(("never", "at_once"), most=2, seeds=2, present=2)
    assert wider_quotas(bench, best, ("at_once",), question) == ()
    lucky = bench.evaluator(TODAY)(Candidate(2, "at_once"), 2)
    assert wider_quotas(bench, lucky, ("at_once",), question) == (), "one pod does without a larger quota"
    without = with_quotas(evaluated, "fsd.label:p90:1h")
    assert wider_quotas(without, best, ("at_once",), question) is None


def test_other_demands_are_searched_with_two_policies_that_can_meet_the_target(evaluated: Bench) -> None:
    """One that alone was in the running is joined by the cheapest other; one that never meets it is not."""
    bench = with_quotas(evaluated, "k:p95:100s")
    evaluations = (
        evaluation(sample(usd=10), patience="best"),
        evaluation(sample(usd=5, waits=[200]), patience="late"),
        evaluation(sample(usd=30), patience="dear"),
        evaluation(sample(usd=40), patience="next"),
        evaluation(sample(usd=20), pods=2, patience="next"),
    )
    bench.evaluations[TODAY] = {each.candidate: each for each in evaluations}
    assert policies_elsewhere(bench, ("best",)) == ("best", "next")
    assert policies_elsewhere(bench, ("dear", "best", "next")) == ("dear", "best")


def test_quotas_that_bind_only_together_are_named_together(evaluated: Bench) -> None:
    """One pod and 132 rented devices miss the target, one pod and 240 meet it."""
    bench = with_quotas(evaluated, "fsd.label:p90:30m", cloud=12, twin=12)
    plan = make_plan(bench, PlanQuestion(("at_once",), most=1, seeds=2, present=1))
    assert plan.best is None
    assert plan.quotas is not None
    assert [held_back.offers for held_back in plan.quotas] == [("cloud", "twin")]
    assert "the quotas of cloud and twin bind together: " in render(plan)


def test_the_marginal_price_is_what_an_hour_less_costs() -> None:
    dear, cheap = (
        evaluation(sample(usd=7_000, waits=[3_600.0])),
        evaluation(sample(usd=1_000, waits=[18_000.0])),
    )
    assert marginal(dear, cheap, TARGET) == pytest.approx(1_500)
    assert marginal(dear, evaluation(sample(usd=1, waits=[inf])), TARGET) is None


def test_the_command_answers_and_goes_on_where_it_was(file: Path) -> None:
    words = ["plan", str(file), "--target", "fsd.label:p90:1h", "--seeds", "3", "--patience", "never"]
    words += ["--patience", "at_once", "--max-pods", "3", "-o", str(file.parent / "found"), "--workers", "2"]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0, again.output
    (runs,) = (line for line in first.stdout.splitlines() if line.startswith("runs: "))
    answers = [[line for line in of.stdout.splitlines() if line[:6] != "runs: "] for of in (first, again)]
    assert answers[0] == answers[1]
    assert "\nassumed of own: " in first.output
    assert "(0 computed, " in again.output
    assert ", 0 reused)" in runs
    for part in (
        "cheapest plan that meets it: ",
        "frontier of cost",
        "if the demand",
        "plateau",
        "if prices",
    ):
        assert part in first.output, part


def test_where_nothing_meets_the_target_it_says_so(file: Path) -> None:
    words = ["plan", str(file), "--target", "fsd.label:p99:1s", "--seeds", "2", "--patience", "never"]
    words += ["--max-pods", "1", "-o", str(file.parent / "found")]
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 0, found.output
    assert "no plan of up to 1 pods meets the target" in found.output
    assert "if prices" not in found.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--pool", "nope"], 'no pool "nope" in the scenario (allowed: own)'),
        (["--target", "fsd.lable:p90:1h"], 'the demand has no kind "fsd.lable"; did you mean fsd.label?'),
        (["--target", "fsd.label"], "must be KIND:pNN:DURATION"),
        (["--seeds", "1"], "--seeds 1: an interval takes 2 or more"),
        (["--max-pods", "4", "--step", "5"], "--step 5: at most as many as the 4 pods that are looked at"),
        (["--patience", "soon"], 'patience "soon": unknown'),
        (["--set", "bound=rented_only"], "a plan counts the pods itself (allowed: none, owned_only)"),
        (["--set", "demand.carz=1"], "unknown parameter carz; did you mean cars?"),
        (["--set", "pools.own.podz=1"], "unknown key pools[0].podz"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(file: Path, words: list[str], says: str) -> None:
    out = file.parent / "none"
    found = CliRunner().invoke(main, ["plan", str(file), *words, "-o", str(out)])
    assert found.exit_code == 2
    assert says in found.output
    assert found.output.count("\n") == 1
    assert not out.exists()


def test_which_scenarios_have_no_plan(file: Path) -> None:
    def ask(*overrides: str, pool: str | None = None) -> str:
        return plan_question(read_scenario(file, overrides), pool, ("never",), None, 2)[0]

    assert ask() == "own"
    assert over_demand(read_scenario(file, ("horizon_h=36",)), "fsd.label").horizon_h == 36
    with pytest.raises(PlanError, match="which one"):
        ask('pools=[{name="a",pods=1,device="d",devices=1},{name="b",pods=1,device="d",devices=1}]')
    with pytest.raises(PlanError, match="none there"):
        ask("pools=[]")


def test_few_seeds_are_said_to_be_few() -> None:
    """Three seeds have ten different resamples; with ten seeds nothing is said."""
    assert few_seeds_lines(3, of_log=False) == [
        '"of resamples": 3 seeds have 10 different ones, too few to be sure; --seeds 10 or more say more'
    ]
    assert "3 seeds are the draws counted" in few_seeds_lines(3, of_log=True)[0]
    assert few_seeds_lines(10, of_log=False) == []
