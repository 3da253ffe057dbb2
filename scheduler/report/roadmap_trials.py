"""What a roadmap is put to: other demands, prices and seeds, and what other commands would answer."""

from __future__ import annotations

from collections.abc import Sequence

from scheduler.report.plan_tables import thousands
from scheduler.study.plan.candidates import mean_interval
from scheduler.study.roadmap.held_out import DrawnSchedules, HeldOut
from scheduler.study.roadmap.roadmap import Roadmap
from scheduler.study.roadmap.schedules import ScheduleOutcome
from traces.numbers import percent, shortest
from traces.tables import table


def by_quarter(pods: tuple[int, ...]) -> str:
    """Return pods by quarter, runs of equal ones once: `2x4 3` is 2 in four quarters, then 3."""
    runs: list[list[int]] = []
    for count in pods:
        if runs and runs[-1][0] == count:
            runs[-1][1] += 1
        else:
            runs.append([count, 1])
    return " ".join(f"{count}x{long}" if long > 1 else str(count) for count, long in runs)


def pods_of_quarters(pods: tuple[int, ...]) -> str:
    """Return pods by quarter."""
    return " ".join(map(str, pods))


def missed_words(roadmap: Roadmap, outcome: ScheduleOutcome) -> str:
    """Say whether a schedule meets the target, else in which quarters it does not."""
    return _missed(roadmap, outcome.missed(roadmap.target))


MISSED_NAMED = 4
"""Quarters that are named, where a target is missed in more."""


def _missed(roadmap: Roadmap, quarters: Sequence[int]) -> str:
    missed = [roadmap.quarters[at].name for at in quarters]
    if len(missed) > MISSED_NAMED:
        return f"no: {len(missed)} quarters, first {missed[0]}"
    return f"no: {', '.join(missed)}" if missed else "yes"


def stories(roadmap: Roadmap) -> str:
    """Return what the answer, and the cheapest of each story, come to under each story."""
    rows = []
    for story in roadmap.stories:
        for at, (name, _) in enumerate(roadmap.planned):
            judged, regret = story.schedules[at], story.regret_usd(at)
            outcome = judged.outcome
            bound = ">= " if outcome is not None and outcome.bounded else ""
            rows.append(
                [
                    story.name if at == 0 else "",
                    name,
                    f"{bound}{thousands(outcome.mean_usd)}" if outcome else "-",
                    "-" if regret is None else f"{bound}{regret / 1e3:+,.0f}",
                    _missed(roadmap, judged.missed),
                    story.meaning if at == 0 else "",
                ]
            )
    names = [f"{name}: {by_quarter(schedule.pods)}" for name, schedule in roadmap.planned]
    seeds = len(roadmap.stories[0].schedules[0].outcome.npv_usd())  # type: ignore[union-attr]
    title = f"if the demand is another ({seeds} seeds): regret is the cost above the cheapest schedule there,"
    title += "\nbelow 0 where a schedule saves by missing the target; >= is a bound, - was not worked out, as"
    title += "\nthe target is missed. Pods by quarter, 2x4 3 are 2 in four of them and then 3:"
    title += "".join(f"\n  {name}" for name in names)
    return f"{title}\n{table(['story', 'schedule', 'USD k', 'regret', 'meets', 'which is'], rows, (2, 3))}"


def prices(roadmap: Roadmap) -> str:
    """Return what would be bought at other prices, and what the answer costs more there."""
    rows = [
        [
            each.name,
            thousands(each.answer.mean_usd),
            "-" if each.regret_usd is None else thousands(each.regret_usd),
            by_quarter(each.best.schedule.pods) if each.best else "none",
        ]
        for each in roadmap.prices
    ]
    title = "if prices are others: what the answer costs, how much of it is regret, and what to buy instead;"
    title += "\npods by quarter, 2x4 3 are 2 in four of them and then 3:"
    return f"{title}\n{table(['prices', 'USD k', 'regret', 'pods by quarter'], rows, (1, 2))}"


def other_seeds(roadmap: Roadmap) -> str:
    """Return the answer beside its rivals on seeds that the search has not seen."""
    held, answer = roadmap.held_out, roadmap.best
    assert held is not None
    assert answer is not None
    rivals = [("the answer", held.answer)]
    if held.fixed is not None and held.fixed.schedule != answer.schedule:
        rivals.append((f"the best that stays the same: {held.fixed.schedule.pods[0]} pods", held.fixed))
    rivals += [
        (f"the cheapest drawn from {_sort_of(drawn)}", cheapest)
        for drawn in held.drawn
        for cheapest in drawn.rivals[:1]
    ]
    rows = []
    for name, each in rivals:
        told = ["", ""] if each is held.answer else _more_than(each, held.answer)
        bound = ">= " if each.bounded else ""
        rows.append([name, f"{bound}{thousands(each.mean_usd)}", *told, missed_words(roadmap, each)])
    title = f"on {len(held.seeds)} seeds that the search has not seen ({held.seeds[0]} to {held.seeds[-1]}):"
    text = f"{title}\n{table(['schedule', 'USD k', 'more', '95% interval', 'meets'], rows, (1, 2, 3))}"
    return "\n".join([text, *(_drawn_words(held, drawn, roadmap) for drawn in held.drawn)])


def _more_than(outcome: ScheduleOutcome, answer: ScheduleOutcome) -> list[str]:
    more, bound = outcome.more_usd(answer), ">= " if outcome.bounded else ""
    low, high = mean_interval(more)
    return [f"{bound}{more.mean() / 1e3:+,.0f}", f"{thousands(low)} to {thousands(high)}"]


def _sort_of(drawn: DrawnSchedules) -> str:
    return "all" if drawn.spread is None else "all within a pod of the answer in each quarter"


def _drawn_words(held: HeldOut, drawn: DrawnSchedules, roadmap: Roadmap) -> str:
    """Return how the answer does beside schedules drawn at random."""
    rivals, answer = len(drawn.rivals), held.answer
    text = f"of {drawn.number} drawn from {_sort_of(drawn)}, {drawn.number - rivals} miss the target there"
    if not rivals:
        return text
    more = [float(each.more_usd(answer).mean()) for each in drawn.rivals]
    text += f";\n  {rivals} meet it, and cost {thousands(min(more))} k more at least, "
    text += f"{thousands(sum(more) / rivals)} k in the mean;"
    cheaper, surely = len(drawn.cheaper(answer)), drawn.surely_cheaper(answer)
    text += f"\n  {drawn.surely_dearer(answer)} are dearer for sure, {cheaper} cheaper ({surely} for sure)"
    return text


def agreement(roadmap: Roadmap, best: ScheduleOutcome) -> str:
    """Say why the answer is that of `economics` and `plan`, or is not, and what each quarter leaves."""
    return "\n".join(
        [
            *_beside_economics(roadmap, best),
            "beside `plan`: without growth, discount and loss on resale both give the same pods; `plan`",
            "  spreads capital evenly over the life of a pod, and knows no delivery",
            _carried(roadmap, best),
        ]
    )


def _carried(roadmap: Roadmap, best: ScheduleOutcome) -> str:
    """Say what waits as quarters end, which a month from an empty cluster does not have to begin with."""
    left = [
        (each.stranded * sum(sample.asked_device_h for sample in each.samples), at)
        for at, each in enumerate(best.quarters)
    ]
    most, at = max(left)
    each, days = best.quarters[at], roadmap.quarters[at].month_days
    asked_per_day = sum(sample.asked_device_h for sample in each.samples) / days
    text = "quarters stand alone: what waits as one ends is not carried into the next; "
    if not most:
        return f"{text}in the answer\n  nothing does, so that changes nothing"
    hours = 24 * most / asked_per_day
    text += f"in the answer\n  that is at most {percent(best.most_stranded)} of its compute, "
    text += f"{shortest(hours, 2)} hours of what is asked for ({roadmap.quarters[at].name})"
    far = hours > 24 * roadmap.warm_up_days
    text += f": {'more' if far else 'less'} than the\n  {roadmap.warm_up_days} days of warm-up ask for"
    return f"{text}, --full says what it does" if far else text


def _beside_economics(roadmap: Roadmap, best: ScheduleOutcome) -> list[str]:
    own, alone = best.schedule.pods[-1], roadmap.screening[-1]
    said = f"beside `economics`: at the end the load alone pays for {alone} of them, the answer has {own}"
    if own == alone:
        return [said]
    if own < alone:
        why = "a pod has to pay by the end of the horizon, at what it is sold for then"
    elif any(_saves_and_misses(roadmap, each.outcome) for each in roadmap.neighbours):
        why = "the others are for the target, or data that may not leave: fewer cost less and miss it"
    else:
        why = "the others pay all the same: rented devices are not there at once, nor as many as wanted"
    return [f"{said};", f"  {why}"]


def _saves_and_misses(roadmap: Roadmap, outcome: ScheduleOutcome) -> bool:
    assert roadmap.best is not None
    return outcome.mean_usd < roadmap.best.mean_usd and bool(outcome.missed(roadmap.target))
