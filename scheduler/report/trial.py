"""A policy that was tried, as tables: what it changes beside built-in ones, and what it takes."""

from __future__ import annotations

from math import isnan

from scheduler.report.compare import ends, probability, scale_of, title_of
from scheduler.study.compare.differences import direction
from scheduler.study.trial.trial import TrialAnswer, TrialVerdict
from traces.confidence import LEVEL
from traces.numbers import decimal, percent
from traces.tables import table


def render_trial(answer: TrialAnswer) -> str:
    """Render the differences and the costs."""
    trial = answer.trial
    title = (
        f"{trial.spec}: {answer.seam}, {trial.seeds} worlds in each part, the same for all; "
        "it looked at nothing that it may not, and the same world twice came out the same"
    )
    header = [
        "suite",
        "part",
        "against",
        "",
        "difference",
        "",
        f"{percent(LEVEL, 0)} t",
        "change",
        "p (Holm)",
        "",
    ]
    found = table(header, [_row(verdict) for verdict in answer.verdicts], numbers=(4, 6, 7, 8))
    costs = [[cost.policy, decimal(cost.cpu_s, 1), decimal(cost.memory_mb, 0)] for cost in answer.costs]
    return "\n\n".join([title, found, table(["", "CPU s", "MB"], costs, numbers=(1, 2))])


def _row(verdict: TrialVerdict) -> list[str]:
    one = verdict.difference
    unit = scale_of(one.metric, one.mean, one.baseline)
    return [
        verdict.suite,
        verdict.part,
        verdict.against,
        title_of(one.metric),
        unit.show(one.difference, signed=True),
        unit.name,
        ends(unit, one.t),
        percent(one.change, signed=True),
        probability(one.adjusted_p),
        says(verdict),
    ]


def says(verdict: TrialVerdict) -> str:
    """Return better or worse where the interval is sure of it, same where nothing differs, else unsure."""
    one = verdict.difference
    way = direction(one.metric) * one.difference
    if one.difference == 0 and one.t.low == one.t.high:
        return "same"
    if not way or isnan(one.t.low) or one.t.holds(0.0):
        return "unsure"
    return "better" if way > 0 else "worse"
