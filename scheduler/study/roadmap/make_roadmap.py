"""A roadmap: the search led on by simulation, then what it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as with_fields
from math import inf
from typing import Any, NamedTuple

from scheduler.catalog import load_catalog
from scheduler.stock.stock import stock_of
from scheduler.study.plan.candidates import PriceFactors
from scheduler.study.plan.search import levels
from scheduler.study.roadmap.coarse import CoarseSearch, compared
from scheduler.study.roadmap.evaluations import MonthBench
from scheduler.study.roadmap.full_run import full_run
from scheduler.study.roadmap.generations import Generation, GenerationOutcome
from scheduler.study.roadmap.held_out import HeldOut, held_out
from scheduler.study.roadmap.judge import Judge, Judged, cheapest_fixed
from scheduler.study.roadmap.numbers import Look
from scheduler.study.roadmap.price_changes import PriceChange, under_other_prices
from scheduler.study.roadmap.quarters import first_midnight
from scheduler.study.roadmap.question import RoadmapQuestion, terms_of
from scheduler.study.roadmap.roadmap import Beside, Roadmap, RunsMade, StoryOutcome
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome, ScheduleTerms, neighbours
from scheduler.study.roadmap.screening import load_curve, screened
from scheduler.study.roadmap.search import Task, search, with_commitments
from scheduler.study.roadmap.stories import AS_GIVEN_STORY, DemandStory, stories_of
from traces.times import DAY_S


def make_roadmap(generations: Sequence[Generation], *, full: bool = False, fresh: int = 0) -> Roadmap:
    """Search for the cheapest schedule, its neighbours, and what it comes to under other stories and prices.

    Of the generations the one with the cheapest schedule is the answer's. `full` runs that over all the
    horizon too, `fresh` says on how many other seeds it is held against other schedules. Raises
    FailedRunError where a run fails.
    """
    tried = [_searched(each) for each in generations]
    at = min(range(len(tried)), key=lambda at: best.mean_usd if (best := tried[at].outcome.best) else inf)
    (name, bench, question), best = generations[at], tried[at].outcome.best
    scenario = bench.scenario
    seeds = range(scenario.seed, scenario.seed + question.seeds)
    found = _beside(generations[at], tried[at], best, seeds, fresh) if best else NOTHING_BESIDE
    days = full_run(bench, best, levels(question.seeds)[0]) if best and full else ()
    return Roadmap(
        scenario=scenario.name,
        pool=name,
        start=first_midnight(scenario).date(),
        quarters=bench.quarters,
        warm_up_days=bench.warm_up_days,
        question=question,
        seeds=seeds,
        target=bench.target,
        generations=tuple(each.outcome for each in tried),
        policies=tried[at].policies,
        screening=tried[at].start,
        best=best,
        **found,
        full=days,
        runs=runs_made([each.bench for each in generations]),
    )


def runs_made(benches: Sequence[MonthBench]) -> RunsMade:
    """Return how many months were run, and for how many numbers of pods."""
    seeds = [count for bench in benches for count in bench.looked_at.values()]
    return RunsMade(
        computed=sum(bench.runs.computed for bench in benches),
        reused=sum(bench.runs.reused for bench in benches),
        numbers=len(seeds),
        decided=seeds.count(1),
    )


NOTHING_BESIDE: dict[str, Any] = {
    **dict.fromkeys(("neighbours", "planned", "stories", "prices"), ()),
    **dict.fromkeys(("waiting", "fixed", "held_out")),
}


def _beside(
    generation: Generation, found: _Search, best: ScheduleOutcome, seeds: range, fresh: int
) -> dict[str, Any]:
    """Return all that an answer is held against, as fields of the roadmap."""
    (_, bench, question), (_, look, task, _, _) = generation, found
    stories = stories_of(bench.scenario.demand, first_midnight(bench.scenario).date(), bench.quarters)
    looks = {story.name: bench.looker(story.name, story.arguments) for story in stories}
    looks[AS_GIVEN_STORY] = look  # it has the cells of the search
    few, judge = levels(question.seeds)[0], Judge(look, best.schedule.burst, task, question.seeds)
    judge.run(best.schedule.pods)
    judge.look_below(best.schedule.pods)
    planned, told = held_against(looks, best, stories, task, few)
    others = range(seeds.stop, seeds.stop + fresh)
    return {
        "neighbours": neighbours_beside(judge, best, few),
        "waiting": judge.run(best.schedule.later(task.present).pods, few),
        "fixed": cheapest_fixed(judge, len(best.quarters), best),
        "planned": planned,
        "stories": told,
        "prices": _otherwise_priced(generation, look, best, task),
        "held_out": _on_other_seeds(bench, best, task, others) if fresh else None,
    }


LOOKED_AT = 3
"""Numbers of pods that the search looks at in each quarter, at least."""


class _Search(NamedTuple):
    outcome: GenerationOutcome
    look: Look
    task: Task
    start: tuple[int, ...]
    """The pods that the load alone would have one own."""
    policies: CoarseSearch


def _searched(generation: Generation) -> _Search:
    name, bench, question = generation
    look, start = bench.looker(AS_GIVEN_STORY, bench.scenario.demand), screening(bench, question)
    rounds = levels(question.seeds)
    bench.study_jobs *= rounds[0] * LOOKED_AT * len(question.bursts)
    terms = terms_of(bench.scenario, bench.pool, bench.quarters, question)
    task = Task(bench.target, terms, question.present, question.most)
    policies = compared(look, question.bursts, task, rounds[0], start)
    best = search(look, policies.starts, task, rounds)
    if best is not None and question.contracts:
        best = with_commitments(look, best, task, question.contracts, question.seeds)
        task = task._replace(terms=best.terms)
    return _Search(GenerationOutcome(name, best), look, task, start, policies)


def screening(bench: MonthBench, question: RoadmapQuestion) -> tuple[int, ...]:
    """Return the pods that pay in each quarter by its load-duration curve, with no queue and no data held.

    A pod's fixed cost is its straight-line capital and its operations; rent is that of the cheapest offer
    for what a pod does at peak. Without an offer every pod that is ever busy pays.
    """
    scenario, catalog = bench.scenario, load_catalog()
    stock = stock_of(scenario, catalog)
    pool = next(each for each in stock.pools if each.name == bench.pool)
    money, peak = scenario.money, catalog.device(pool.device).peak_pflops
    yearly = (1 - money.residual_share) / money.life_years + money.operations_share_per_year
    fixed_usd_h = pool.capital_usd_per_pod * yearly / (365.25 * 24)
    rents = [offer.prices[0][1] / catalog.device(offer.device).peak_pflops for offer in stock.offers]
    rent_usd_h = min(rents, default=0.0) * peak * pool.pod_devices
    least = min(1.0, fixed_usd_h / rent_usd_h) if rent_usd_h else 1e-9
    pods, bench.study_jobs = [], 0
    for at, quarter in enumerate(bench.quarters):
        days = bench.warm_up_days + quarter.month_days
        jobs = bench.jobs(at)
        bench.study_jobs += len(jobs)
        curve = load_curve(jobs, bench.warm_up_days * DAY_S, days * DAY_S)
        pods.append(max(question.present, screened(*curve, pool.pod_devices, least, question.most)))
    return tuple(max(pods[: at + 1]) for at in range(len(pods)))


def _otherwise_priced(
    generation: Generation, look: Look, best: ScheduleOutcome, task: Task
) -> tuple[PriceChange, ...]:
    _, bench, question = generation

    def terms(asked: RoadmapQuestion, prices: PriceFactors) -> ScheduleTerms:
        found = terms_of(bench.scenario, bench.pool, bench.quarters, asked, prices)
        return with_fields(found, commitments=task.terms.commitments)

    return under_other_prices(look, best, task, question, terms, levels(question.seeds)[0])


def _on_other_seeds(bench: MonthBench, best: ScheduleOutcome, task: Task, seeds: range) -> HeldOut:
    scenario = bench.scenario
    look = bench.looker("other seeds", scenario.demand, skipped=seeds.start - scenario.seed)
    return held_out(look, seeds, best, task)


def neighbours_beside(judge: Judge, best: ScheduleOutcome, few: int) -> tuple[Beside, ...]:
    """Return the schedules one step away: those with fewer pods run on few seeds, others as is known."""
    beside = []
    for each in neighbours(best.schedule, judge.task.present, judge.task.most):
        outcome = judge.judged(each.schedule.pods).outcome
        beside.append(Beside(each, outcome or judge.run(each.schedule.pods, few)))
    return tuple(beside)


def held_against(
    looks: Mapping[str, Look],
    best: ScheduleOutcome,
    stories: Sequence[DemandStory],
    task: Task,
    few: int,
) -> tuple[tuple[tuple[str, Schedule], ...], tuple[StoryOutcome, ...]]:
    """Search anew under each story, with the answer's policy on few seeds, and cross all of them.

    The answer is run under each story; what others come to is judged by what is known then.
    """
    judges = {name: Judge(look, best.schedule.burst, task, few) for name, look in looks.items()}
    answers = {name: judge.cheapest(best.schedule.pods) for name, judge in judges.items()}
    planned = {best.schedule: "the answer"}
    for name, answer in answers.items():
        if answer is not None:
            planned.setdefault(answer.schedule, f"as for {name}")
    told = []
    for story in stories:
        judge = judges[story.name]
        own = judge.run(best.schedule.pods)
        others = [judge.judged(schedule.pods) for schedule in list(planned)[1:]]
        judged = (Judged(best.schedule, own, own.missed(task.target)), *others)
        told.append(StoryOutcome(story.name, story.meaning, answers[story.name], judged))
    return tuple((name, schedule) for schedule, name in planned.items()), tuple(told)
