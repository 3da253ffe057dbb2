"""What a study found, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import pyarrow as pa

from scheduler.report.scales import scale
from scheduler.report.study import Contrast, contrasts, mean_figures
from scheduler.study.compare.differences import Difference, direction
from scheduler.study.sweep.study_cells import AXES
from traces.confidence import LEVEL
from traces.numbers import count, hours, percent

_ASKED = {
    "waited_mean_s": ("waits least", "waits less"),
    "usd_avoidable": ("spends least beyond what is sunk", "spends less beyond what is sunk"),
}
"""Figures that the sentence tells the best of; what the best does, and what another one would do."""
_MOST_PLACES = 3


def study_answer(results: pa.Table, baseline: str | None = None) -> str:
    """Say which policy waits and spends least, by how much less than the baseline, and how sure that is."""
    found = contrasts(results, baseline)
    if not results.num_rows:
        return "No cell of the study is done."
    if not found:
        return _least(results)
    told = [_contrast(one) for one in found[:_MOST_PLACES]]
    if len(found) > _MOST_PLACES:
        told.append(f"and likewise below for {count(len(found) - _MOST_PLACES)} more")
    sentence = f"{'; '.join(told)}."
    return sentence[:1].upper() + sentence[1:]


def verdict(one: Difference) -> str:
    """Say whether a policy is better than the baseline in a figure, as far as the interval tells."""
    if isnan(one.t.low) or one.t.holds(0.0):
        return "not told apart"
    way = direction(one.metric)
    if not way:
        return "other"
    return "better" if way * one.difference > 0 else "worse"


def _contrast(contrast: Contrast) -> str:
    seeds = max(one.pairs for one in contrast.differences)
    told = [_best(metric, contrast.baseline, contrast.differences) for metric in _ASKED]
    where = f" with {contrast.where}" if contrast.where else ""
    return (
        f"over {count(seeds)} seeds{where}, {' and '.join(filter(None, told)) or 'all policies do the same'}"
    )


def _best(metric: str, baseline: str, differences: Sequence[Difference]) -> str:
    of = [one for one in differences if one.metric == metric and not isnan(one.difference)]
    if not any(one.difference for one in of):
        return ""
    least, (does, would) = min(of, key=lambda one: one.difference), _ASKED[metric]
    if verdict(least) == "better":
        return f"{least.policy} {does}, {_by(least)} than {baseline}"
    if all(verdict(one) == "worse" for one in of):
        return f"{baseline} {does}"
    return f"none surely {would} than {baseline}"


def _by(one: Difference) -> str:
    unit = scale(one.metric, max(abs(one.mean), abs(one.baseline)))
    low, high = sorted(abs(edge) for edge in one.t)
    less = f"{unit.show(abs(one.difference))} {unit.name} less"
    return f"{less} ({percent(LEVEL, 0)} interval {unit.show(low)} to {unit.show(high)})"


def _least(results: pa.Table) -> str:
    """Say what waits least, where nothing can be held against anything."""
    rows = mean_figures(results, ["waited_mean_s"])
    axes = [axis for axis in AXES if axis in results.column_names]
    least = min(rows, key=lambda row: row["waited_mean_s_mean"])
    named = ", ".join(f"{axis} {least[axis]}" for axis in axes) or "the study"
    of = f"Of {count(len(rows))} choices {named} waits least" if len(rows) > 1 else f"{named} waits"
    mean = f"{hours(least['waited_mean_s_mean'], 2)} h in the mean"
    return f"{of}, {mean}; one policy or one seed alone gives no interval."
