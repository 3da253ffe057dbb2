"""A comparison as tables: what each policy comes to, what it changes, and what is left to win."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isnan
from statistics import fmean

from scheduler.report.log_draws import draw_lines
from scheduler.report.scales import Scale, scale
from scheduler.study.compare.compare import BEFORE_STOPPING, Answer
from scheduler.study.compare.differences import Difference, direction
from scheduler.study.compare.statistics import FEWEST, MOST_NEEDED, Interval
from traces.confidence import LEVEL
from traces.numbers import count, days, decimal, percent, ratio
from traces.submissions import ALL_TIME
from traces.tables import TableCells, table
from traces.times import DAY_S

TITLES = {
    "waited_mean_s": "wait mean",
    "waited_p95_s": "wait p95",
    "slowdown_mean": "slowdown mean",
    "missed": "deadlines missed",
    "rented_device_h": "rented",
    "usd_avoidable": "avoidable",
    "usd_total": "total",
}


def render(answer: Answer) -> str:
    """Render means, differences, lower bounds, and what to be careful about."""
    parts = [
        _title(answer),
        _means(answer),
        differences(answer.differences, answer.question.policies[0]),
        _least(answer),
        "\n".join(_notes(answer)),
    ]
    return "\n\n".join(part for part in parts if part)


def _title(answer: Answer) -> str:
    question, (start_s, length_s, whole, parts) = answer.question, answer.measured
    seeds = sorted({row["seed"] for row in answer.rows})
    if answer.log is not None:
        drawn = draw_lines(answer.log, range(seeds[0], seeds[-1] + 1), length_s / DAY_S)
        met = "\n".join(drawn) + ";\nin each, all policies meet the same jobs"
    elif question.trace is None:
        met = f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}; in each, all policies meet the same jobs"
    else:
        met = f"{len(seeds)} weeks of one run each over {question.trace}; seeds would not change its jobs"
    counted_s = sum(part.to_s - part.from_s for part in parts)
    lead_s, rest_s = whole.from_s - start_s, start_s + length_s - whole.to_s
    left_out = [f"warm-up {days(lead_s)}", f"cool-down {days(rest_s)}"]
    idle_s = length_s - lead_s - rest_s - counted_s
    if idle_s:
        left_out.append(f"weeks without jobs {days(idle_s)}")
    cut = [str(answer.cut)] if answer.cut is not None and question.part != ALL_TIME else []
    return "\n".join(
        [
            f"{question.scenario.name}: {met}",
            *cut,
            f"measured: {days(counted_s)} of {days(length_s)}, without {', '.join(left_out)}",
        ]
    )


def _means(answer: Answer) -> str:
    """The mean of each figure over the replications, policies first, then bounds."""
    metrics = answer.metrics
    policies = list(dict.fromkeys(row["policy"] for row in answer.rows))
    means = {metric: {name: _mean(answer, name, metric) for name in policies} for metric in metrics}
    scales = {metric: scale_of(metric, *of.values()) for metric, of in means.items()}
    header = ["mean of", *(_headline(metric, scales[metric]) for metric in metrics), "unserved"]
    better = {1: "more", -1: "less", 0: ""}
    rows = [["better is", *(better[direction(metric)] for metric in metrics), "less"]]
    for name in policies:
        shown = [scales[metric].show(means[metric][name]) for metric in metrics]
        rows.append([_named(answer, name), *shown, _unserved(answer, name)])
    return table(header, rows, numbers=range(1, len(header)))


def _named(answer: Answer, name: str) -> str:
    if name == answer.question.policies[0]:
        return f"{name} (baseline)"
    return f"{name} (bound)" if name in answer.bounds else name


def _unserved(answer: Answer, name: str) -> str:
    """Share of the jobs that were turned away, or waited for a day or more without a start at the end."""
    rows = [row for row in answer.rows if row["policy"] == name]
    share = sum(row["stranded_jobs"] for row in rows) / max(1, sum(row["jobs"] for row in rows))
    return percent(share)


def _headline(metric: str, of: Scale) -> str:
    return f"{title_of(metric)} {of.name}".strip()


def title_of(metric: str) -> str:
    """Return what a figure is called, and of whose jobs it is: `wait mean, owner=proj-1`."""
    figure, at, group = metric.partition("@")
    title = TITLES.get(figure, figure)
    return f"{title}, {group}" if at else title


def scale_of(metric: str, *found: float | None) -> Scale:
    """Return the unit for values of a figure, by the largest that is known."""
    return scale(metric, max((abs(value) for value in found if value is not None), default=0.0))


def _mean(answer: Answer, policy: str, metric: str) -> float | None:
    values = [row.get(metric) for row in answer.rows if row["policy"] == policy]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def differences(found: Sequence[Difference], baseline: str) -> str:
    """Render paired differences, a row each; empty where there are none."""
    return difference_cells(found, baseline).text()


def difference_cells(found: Sequence[Difference], baseline: str) -> TableCells:
    """Return paired differences as a table, a row each."""
    level = percent(LEVEL, 0)
    header = [f"against {baseline}", "", "pairs", "difference", "", f"{level} t", f"{level} bootstrap"]
    header.append("change")
    header += ["P(better)", "p (Holm)", "needs"]
    rows = [_row(one) for one in found]
    return TableCells(header, rows, (2, 3, 5, 6, 7, 8, 9, 10))


def _row(one: Difference) -> list[str]:
    unit = scale_of(one.metric, one.mean, one.baseline)
    return [
        one.policy,
        title_of(one.metric),
        count(one.pairs),
        unit.show(one.difference, signed=True),
        {"%": "points"}.get(unit.name, unit.name),
        ends(unit, one.t),
        ends(unit, one.bootstrap),
        percent(one.change, signed=True),
        ratio(one.chance),
        probability(one.adjusted_p),
        _needed(one.needed) if _unsure(one) else "",
    ]


def ends(unit: Scale, interval: Interval) -> str:
    """Return the ends of an interval of a difference; a dash where there is none."""
    written = [unit.show(end, signed=True) for end in interval]
    return "-" if "-" in written else " to ".join(written)


def probability(p: float) -> str:
    """Return a p-value with three decimals."""
    return "<0.001" if p < 0.001 else decimal(p, 3)


def _needed(replications: float) -> str:
    if isnan(replications):
        return "a longer log"
    return count(replications) if replications < inf else f"more than {count(MOST_NEEDED)}"


def _unsure(one: Difference) -> bool:
    """Say whether the interval holds 0, though the means differ."""
    return bool(one.difference) and one.t.holds(0.0)


def _least(answer: Answer) -> str:
    """What no schedule goes below, beside what policies come to."""
    found = [row.get(of) for row in answer.rows for of in ("least_usd_avoidable", "least_waited_mean_s")]
    if not any(found):
        return ""
    usd = Scale("USD", 1, 0)
    kind = "run" if answer.question.trace is None or answer.log is not None else "week"
    rows = []
    for name in answer.question.policies:
        if _mean(answer, name, "least_usd_avoidable") is None:  # a bound
            continue
        spent, least = (_mean(answer, name, of) or 0.0 for of in ("usd_avoidable", "least_usd_avoidable"))
        wait, short = (_mean(answer, name, of) or 0.0 for of in ("waited_mean_s", "least_waited_mean_s"))
        unit = scale_of("_s", wait)
        waits = [f"{unit.show(value)} {unit.name}" for value in (wait, short)]
        left = percent(1 - least / spent if spent else None, 0)
        rows.append([name, usd.show(spent), usd.show(least), left, *waits])
    header = ["lower bounds", f"avoidable USD a {kind}", "at least, at this wait", "left to win", "wait mean"]
    header.append("at least, at this spend")
    return table(header, rows, numbers=range(1, 6))


def _notes(answer: Answer) -> Iterator[str]:
    """What a reader must know before believing the tables."""
    replications = len({row["seed"] for row in answer.rows})
    kind = "seeds" if answer.question.trace is None else "weeks"
    if answer.bounds:
        yield "bounds are no policies: nothing is claimed of them; unserved jobs are in no wait and no spend"
    if answer.differences:
        claims = sum(not isnan(one.p) for one in answer.differences)
        yield f"p: paired t-test that the mean difference is 0, adjusted for {claims} claims at once (Holm)"
    unsure = sum(_unsure(one) for one in answer.differences)
    if unsure:
        which = f"{unsure} of {len(answer.differences)} differences"
        last = "the last column says how many it would take, were they what they seem"
        if answer.log is None:
            yield f"too small to tell by {replications} {kind}: {which}; {last}"
        else:
            yield f"too small to tell by so short a log: {which}"
    if answer.log is not None:
        return  # what follows is of replications that are independent
    few = f"pairs below {FEWEST}, too few for any claim: no bootstrap, and intervals need a normal shape: "
    yield from _listed(few, [one for one in answer.differences if one.pairs < FEWEST])
    yield from _listed(
        "differences far from normal, so that both intervals are too narrow: ",
        [one for one in answer.differences if one.odd],
    )
    if answer.question.trace is not None:
        text = "weeks that resemble the week before, so intervals are too narrow: "
        yield from _listed(text, [one for one in answer.differences if one.follows])
    yield from _stopped(answer, replications)


def _listed(text: str, claims: Sequence[Difference]) -> Iterator[str]:
    if claims:
        yield text + "; ".join(map(_claim, claims))


def _claim(one: Difference) -> str:
    return f"{one.policy}, {title_of(one.metric)}"


def _stopped(answer: Answer, seeds: int) -> Iterator[str]:
    """Why seeds were added no more."""
    question = answer.question
    if question.halfwidth is None:
        return
    first = [one for one in answer.differences if one.metric == answer.metrics[0]]
    widest = max((one.t.halfwidth / abs(one.baseline) if one.baseline else inf for one in first), default=0.0)
    why = "narrow enough" if widest <= question.halfwidth else "the budget is spent"
    yield (
        f"stopped at {seeds} seeds, {why}: half an interval of the first figure is at most {percent(widest)} "
        f"of the baseline; asked for was {percent(question.halfwidth)}"
    )
    yield (
        "stopping by what was seen makes intervals a little too narrow; here only their width decides, never "
        f"their sign, and not before {BEFORE_STOPPING} seeds (Chow and Robbins, 1965)"
    )
