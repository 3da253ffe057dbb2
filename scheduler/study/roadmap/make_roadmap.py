"""A roadmap: the search led on by simulation, then what it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from scheduler.catalog import load_catalog
from scheduler.stock.stock import stock_of
from scheduler.study.plan.candidates import PriceFactors
from scheduler.study.plan.search import levels
from scheduler.study.roadmap.evaluations import MonthBench
from scheduler.study.roadmap.full_run import full_run
from scheduler.study.roadmap.generations import Generation, GenerationOutcome
from scheduler.study.roadmap.held_out import HeldOut, held_out
from scheduler.study.roadmap.price_changes import PriceChange, under_other_prices
from scheduler.study.roadmap.quarters import first_midnight
from scheduler.study.roadmap.question import RoadmapQuestion, terms_of
from scheduler.study.roadmap.roadmap import Beside, Roadmap, StoryOutcome
from scheduler.study.roadmap.schedules import Schedule, ScheduleOutcome, ScheduleTerms, neighbours
from scheduler.study.roadmap.screening import load_curve, screened
from scheduler.study.roadmap.search import Look, Task, descend, search
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
        screening=tried[at].start,
        best=best,
        **(_beside(generations[at], tried[at], best, seeds, fresh) if best else NOTHING_BESIDE),
        full=full_run(bench, best, levels(question.seeds)[0]) if best and full else (),
        runs=sum(each.bench.runs.computed for each in generations),
        reused=sum(each.bench.runs.reused for each in generations),
    )


NOTHING_BESIDE: dict[str, Any] = {
    **dict.fromkeys(("neighbours", "planned", "stories", "prices"), ()),
    **dict.fromkeys(("waiting", "fixed", "held_out")),
}


def _beside(
    generation: Generation, found: _Search, best: ScheduleOutcome, seeds: range, fresh: int
) -> dict[str, Any]:
    """Return all that an answer is held against, as fields of the roadmap."""
    (_, bench, question), (_, look, task, _) = generation, found
    stories = stories_of(bench.scenario.demand, first_midnight(bench.scenario).date(), bench.quarters)
    looks = {story.name: bench.looker(story.name, story.arguments) for story in stories}
    looks[AS_GIVEN_STORY] = look  # it has the cells of the search
    planned, told = _held_against(looks, best, stories, task, question)
    others = range(seeds.stop, seeds.stop + fresh)
    return {
        "neighbours": _neighbours(look, best, task, question.seeds),
        "waiting": _outcome(look, best.schedule.later(task.present), task, question.seeds),
        "fixed": cheapest_fixed(look, best, task, question.seeds),
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
    """The pods from which it set out."""


def _searched(generation: Generation) -> _Search:
    name, bench, question = generation
    look, start = bench.looker(AS_GIVEN_STORY, bench.scenario.demand), screening(bench, question)
    bench.study_jobs *= levels(question.seeds)[0] * LOOKED_AT * len(question.bursts)
    terms = terms_of(bench.scenario, bench.pool, bench.quarters, question)
    task = Task(bench.target, terms, question.present, question.most)
    best = search(look, question.bursts, task, levels(question.seeds), start)
    return _Search(GenerationOutcome(name, best), look, task, start)


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


def _outcome(look: Look, schedule: Schedule, task: Task, seeds: int) -> ScheduleOutcome:
    evaluations = look(list(enumerate(schedule.pods)), schedule.burst, seeds)
    return ScheduleOutcome(schedule, tuple(evaluations), task.terms, task.present)


def _otherwise_priced(
    generation: Generation, look: Look, best: ScheduleOutcome, task: Task
) -> tuple[PriceChange, ...]:
    _, bench, question = generation

    def terms(asked: RoadmapQuestion, prices: PriceFactors) -> ScheduleTerms:
        return terms_of(bench.scenario, bench.pool, bench.quarters, asked, prices)

    return under_other_prices(look, best, task, question, terms, levels(question.seeds)[0])


def _on_other_seeds(bench: MonthBench, best: ScheduleOutcome, task: Task, seeds: range) -> HeldOut:
    scenario = bench.scenario
    look = bench.looker("other seeds", scenario.demand, skipped=seeds.start - scenario.seed)
    return held_out(look, seeds, best, task, cheapest_fixed)


def _neighbours(look: Look, best: ScheduleOutcome, task: Task, seeds: int) -> tuple[Beside, ...]:
    found = neighbours(best.schedule, task.present, task.most)
    numbers = {number for each in found for number in enumerate(each.schedule.pods)}
    look(sorted(numbers), best.schedule.burst, seeds)  # together, for busy workers
    return tuple(Beside(each, _outcome(look, each.schedule, task, seeds)) for each in found)


def cheapest_fixed(look: Look, best: ScheduleOutcome, task: Task, seeds: int) -> ScheduleOutcome | None:
    """Return the cheapest schedule that has all its pods from the start and meets the target.

    With the answer's policy. More pods are looked at while that saves, as costs are nearly convex in them.
    """
    found: ScheduleOutcome | None = None
    quarters, burst = len(best.quarters), best.schedule.burst
    for pods in range(max(1, task.present), task.most + 1):
        (fullest,) = look([(quarters - 1, pods)], burst, seeds)
        if not fullest.meets(task.target):
            continue  # one quarter that misses is enough
        fixed = _outcome(look, Schedule((pods,) * quarters, burst), task, seeds)
        if fixed.missed(task.target):
            continue
        if found is not None and fixed.mean_usd >= found.mean_usd:
            break
        found = fixed
    return found


def _held_against(
    looks: Mapping[str, Look],
    best: ScheduleOutcome,
    stories: Sequence[DemandStory],
    task: Task,
    question: RoadmapQuestion,
) -> tuple[tuple[tuple[str, Schedule], ...], tuple[StoryOutcome, ...]]:
    """Search anew under each story, with the answer's policy on few seeds, and cross all of them."""
    few, burst = levels(question.seeds)[0], best.schedule.burst
    answers = {name: descend(look, burst, task, few, best.schedule.pods) for name, look in looks.items()}
    planned = {best.schedule: "the answer"}
    for name, answer in answers.items():
        if answer is not None:
            planned.setdefault(answer.schedule, f"as for {name}")
    told = [
        StoryOutcome(
            story.name,
            story.meaning,
            answers[story.name],
            tuple(_outcome(looks[story.name], schedule, task, few) for schedule in planned),
        )
        for story in stories
    ]
    return tuple((name, schedule) for schedule, name in planned.items()), tuple(told)
