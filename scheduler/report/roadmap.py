"""A roadmap as a planner reads it: one sentence, the schedule, its cost by year, and what would move it."""

from __future__ import annotations

from scheduler.report.plan_tables import percentile, thousands, waited
from scheduler.report.roadmap_quarters import commitments, schedule
from scheduler.report.roadmap_runs import generations, policies, what_was_run
from scheduler.report.roadmap_trials import (
    agreement,
    missed_words,
    other_seeds,
    prices,
    stories,
)
from scheduler.run.groups import named
from scheduler.study.plan.candidates import mean_interval
from scheduler.study.roadmap.months_error import error_of_months
from scheduler.study.roadmap.roadmap import Roadmap
from scheduler.study.roadmap.schedules import Neighbour, ScheduleOutcome
from traces.arrays import Floats
from traces.numbers import percent, rounded_usd, shortest
from traces.tables import table

_NONE = (
    "no schedule of up to {most} pods was found that meets the target in every quarter; "
    "--max-pods looks further"
)


def render(roadmap: Roadmap) -> str:
    """Return the roadmap as text for a terminal."""
    parts = [_question(roadmap)]
    if roadmap.best is None:
        parts.append(_NONE.format(most=roadmap.question.most))
    else:
        parts += [sentence(roadmap), schedule(roadmap, roadmap.best), _years(roadmap)]
        parts += [commitments(roadmap, roadmap.best)] if roadmap.question.contracts else []
        parts += [policies(roadmap)] if roadmap.policies.policies else []
        if len(roadmap.generations) > 1:
            parts.append(generations(roadmap, roadmap.best))
        parts += [_beside(roadmap, roadmap.best), stories(roadmap), prices(roadmap)]
        parts += [other_seeds(roadmap)] if roadmap.held_out is not None else []
        parts += [agreement(roadmap, roadmap.best), _months(roadmap)]
    parts.append(what_was_run(roadmap))
    return "\n\n".join(parts)


def sentence(roadmap: Roadmap) -> str:
    """Return the answer as a manager can repeat it; there must be one."""
    best = roadmap.best
    assert best is not None
    low, high = mean_interval(best.npv_usd())
    bought = best.schedule.bought(best.present)
    batches = [f"{_pods_of(count)} in {roadmap.starts(at):%B %Y}" for at, count in enumerate(bought) if count]
    what = f"Buy {_and(batches)}" if batches else f"Stay with {_pods_of(best.present)}"
    cost = f"USD {rounded_usd(best.mean_usd)} in present dollars ({rounded_usd(low)} to {rounded_usd(high)})"
    if batches and len(roadmap.generations) > 1:
        what += f" of {roadmap.pool}"
    text = f"{what}, bursting {best.schedule.burst}: {cost} over {_length(roadmap)}"
    if roadmap.waiting is not None and batches:
        text += f"; a quarter later it {_costs(roadmap, roadmap.waiting)}"
    if roadmap.fixed is not None and roadmap.fixed.schedule != best.schedule:
        more = roadmap.fixed.mean_usd - best.mean_usd
        least = "at least " if roadmap.fixed.bounded else ""
        text += f"; having all {roadmap.fixed.schedule.pods[0]} from the start costs {least}"
        text += f"{rounded_usd(more)} more"
    return f"{text}."


def _pods_of(count: int) -> str:
    return f"{count} pod{'s' if count != 1 else ''}"


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _length(roadmap: Roadmap) -> str:
    days = roadmap.quarters[-1].to_day
    return f"{shortest(days / 365.25, 2)} years" if days >= 730 else f"{days} days"


def _costs(roadmap: Roadmap, outcome: ScheduleOutcome) -> str:
    assert roadmap.best is not None
    more = float(outcome.more_usd(roadmap.best).mean())
    word = "costs" if more >= 0 else "saves"
    missed = len(outcome.missed(roadmap.target))
    also = f" and misses the target in {missed} of {len(outcome.quarters)} quarters" if missed else ""
    return f"{word} {rounded_usd(abs(more))}{' more' if more >= 0 else ''}{also}"


def _question(roadmap: Roadmap) -> str:
    target, asked, month = roadmap.target, roadmap.question, roadmap.quarters[0].month_days
    share, stranded = percent(target.share, 0), percent(target.stranded)
    return "\n".join(
        [
            f"{roadmap.scenario}: when to buy how many pods of {roadmap.pool}, and when to burst?",
            f"target, in every quarter: {share} of {named(target.group)} wait at most "
            f"{waited(target.limit_s)};",
            f"        no job is rejected; at most {stranded} of the compute asked for is stranded",
            f"tried:  up to {asked.most} pods; bursting {', '.join(asked.bursts)}; "
            f"{len(roadmap.seeds)} common seeds from {roadmap.seeds[0]} on",
            f"        each quarter by {month} days in its middle, after {roadmap.warm_up_days} of warm-up "
            "from an empty cluster",
            f"        capital at delivery, {percent(asked.resale_share, 0)} of book value back at the end; "
            f"discounted at {percent(asked.discount_rate)} a year",
        ]
    )


def _interval(usd: Floats) -> str:
    low, high = mean_interval(usd)
    return f"{thousands(low)} to {thousands(high)}"


def _years(roadmap: Roadmap) -> str:
    best = roadmap.best
    assert best is not None
    cash = roadmap.cash_by_year()
    rows = [
        [str(year), *map(thousands, cash[year]), thousands(float(usd.mean())), _interval(usd)]
        for year, usd in roadmap.by_year()
    ]
    in_all = (sum(year[at] for year in cash.values()) for at in range(2))
    rows.append(["all", *map(thousands, in_all), thousands(best.mean_usd), _interval(best.npv_usd())])
    title = "cost by year, USD k: paid for pods, for running and renting, and both in present dollars, where"
    title += "\npods count in the year of their delivery, less what they are sold for at the end, USD "
    title += f"{thousands(best.sold_usd)} k:"
    header = ["year", "pods", "running", "present", "95% interval"]
    return f"{title}\n{table(header, rows, (1, 2, 3, 4))}"


def step_name(neighbour: Neighbour, name: str) -> str:
    """Return a step in words, in the quarter of that name."""
    words = {
        "less": f"a pod less from {name} on",
        "more": f"a pod more from {name} on",
        "later": f"a pod of {name} a quarter later",
        "earlier": f"a pod of {name} a quarter earlier",
    }
    return words[neighbour.step]


SHOWN = 3
"""Neighbours of each sort that are shown, those that cost least."""


def _beside(roadmap: Roadmap, best: ScheduleOutcome) -> str:
    told: list[tuple[str, ScheduleOutcome]] = []
    for step in ("less", "later", "more", "earlier"):
        alike = [each for each in roadmap.neighbours if each.neighbour.step == step]
        alike.sort(key=lambda each: float(each.outcome.more_usd(best).mean()))
        told += [
            (step_name(each.neighbour, roadmap.quarters[each.neighbour.quarter].name), each.outcome)
            for each in alike[:SHOWN]
        ]
    if roadmap.waiting is not None and roadmap.waiting.schedule != best.schedule:
        told.append(("everything a quarter later", roadmap.waiting))
    if roadmap.fixed is not None and roadmap.fixed.schedule != best.schedule:
        told.append((f"{roadmap.fixed.schedule.pods[0]} pods from the start", roadmap.fixed))
    header = ["instead", "USD k", "95% interval", f"longest {percentile(roadmap.target)}"]
    header += ["stranded", "meets"]
    rows = [_told_beside(roadmap, best, name, each) for name, each in told]
    text = f"what others would cost more:\n{table(header, rows, (1, 2, 3, 4))}"
    if any(each.bounded for _, each in told):
        text += "\n>= is a bound, as not all of their quarters were run: they cost at least so much more"
    if len(roadmap.neighbours) > len(told):
        text += f"\nof {len(roadmap.neighbours)} neighbours the {SHOWN} cheapest of each sort; --json has all"
    if any(each.most_stranded > roadmap.target.stranded for _, each in told):
        text += (
            "\nwhat is stranded is paid for nowhere: schedules that leave much of it cost more than they say"
        )
    return text + _hour_price(roadmap)


def _told_beside(roadmap: Roadmap, best: ScheduleOutcome, name: str, each: ScheduleOutcome) -> list[str]:
    more = each.more_usd(best)
    bound, waits = (">= ", "") if each.bounded else ("", waited(each.worst_wait_s(roadmap.target)))
    return [
        name,
        f"{bound}{more.mean() / 1e3:+,.0f}",
        _interval(more),
        waits,
        percent(each.most_stranded),
        missed_words(roadmap, each),
    ]


def _hour_price(roadmap: Roadmap) -> str:
    """Return what an hour less of the longest wait costs; empty where nothing tells."""
    if (priced := roadmap.hour_usd()) is None:
        return ""
    usd, cheaper = priced
    step = step_name(cheaper.neighbour, roadmap.quarters[cheaper.neighbour.quarter].name)
    price = f"USD {thousands(usd)} k for an hour less of the longest wait, beside {step}"
    return f"\nthe target's marginal price: {price}"


def _months(roadmap: Roadmap) -> str:
    if not roadmap.full:
        return "how far months may be off is not known: --full runs the answer over all the horizon"
    error = error_of_months(roadmap)
    missed = ", ".join(f"Q{at}" for at in error.missed_quarters)
    seeds, more = len(roadmap.full[0].usd), percent(error.share, signed=True)
    months, days = thousands(error.months_usd), thousands(error.full_usd)
    return "\n".join(
        [
            f"months beside the full run ({seeds} seeds), without capital: USD {months} k beside {days} k, "
            f"{more};",
            f"in a quarter at most {percent(error.largest_share)} of the mean one; "
            "the schedule in the full run "
            + (f"misses the target in {missed}" if missed else "meets the target in every quarter"),
        ]
    )
