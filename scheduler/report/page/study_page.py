"""The page of a study: which policy is better, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

import pyarrow as pa

from scheduler.report.compare import TITLES, difference_cells
from scheduler.report.page.fixed_charts import contrast_chart, frontier_chart
from scheduler.report.page.page import Page
from scheduler.report.page.parts import as_html, choice, figure, paragraph, section
from scheduler.report.scales import scale
from scheduler.report.study import Contrast, contrasts, mean_cells, mean_figures
from scheduler.report.study_answer import study_answer, verdict
from scheduler.study.compare.differences import Difference
from scheduler.study.sweep.results import facts_of
from scheduler.study.sweep.study_cells import AXES
from traces.numbers import count, count_of, decimal, difference, hours
from traces.tables import TableCells
from traces.times import HOUR_S

_TRADED = ("waited_mean_s", "usd_avoidable")


def study_page(results: pa.Table, other: pa.Table | None = None, name: str = "") -> Page:
    """Return the page of a study's results, beside those of another one, called `name`, if given."""
    facts, found = facts_of(results), contrasts(results)
    charts = dict(_charts(found))
    places = [one.where for one in found if one.where]
    data: dict[str, Any] = {
        "specs": {key: spec for key, (spec, _) in charts.items()},
        "rows": {key: rows for key, (_, rows) in charts.items()},
        "units": {},
        "places": places,
    }
    if results.num_rows:
        data["specs"]["traded"] = frontier_chart(
            "mean wait, h", None, {"policies": "#0072B2"}, "USD, not sunk"
        )
        data["rows"]["traded"] = list(_traded(results))
    seeds = len({*results.column("seed").to_pylist()})
    return Page(
        title=f"{facts.name}: a study",
        about=[f"{count_of(results.num_rows, facts.cells)} cells, {count(seeds)} seeds"],
        answer=study_answer(results),
        cards=[],
        beside="" if other is None else as_html(_beside(results, other, name), f"Means beside {name}"),
        sections="\n".join([choice("place", "Where", "all") * (len(places) > 1), *_sections(found, results)]),
        grounds=facts.grounds,
        data=data,
        scripts=("fixed.js",),
    )


def _sections(found: Sequence[Contrast], results: pa.Table) -> list[str]:
    captions = {_chart_of(one.metric): TITLES.get(one.metric, one.metric) for one in _all(found)}
    figures = [
        figure(name, f"{title}: what a policy changes, with its interval; dashed: nothing")
        for name, title in captions.items()
    ]
    tables = [
        as_html(
            difference_cells(one.differences, one.baseline), f"Paired differences, {one.where}", one.where
        )
        for one in found
    ]
    why = paragraph("Pairs are runs of the same seed, which meet the same jobs; intervals are of their mean.")
    none = paragraph("One policy or one seed alone cannot be held against another.")
    traded = figure(
        "traded", "Mean wait against what is spent beyond what is sunk: left and below is better."
    )
    return [
        section("What policies change", *([why, *figures, *tables] if found else [none])),
        section("What waits cost", traded if results.num_rows else ""),
        section("Means over the seeds", as_html(mean_cells(results), "Means over the seeds")),
    ]


def _all(found: Sequence[Contrast]) -> list[Difference]:
    """Return the differences of figures in which some policies differ."""
    every = [one for contrast in found for one in contrast.differences]
    some = {one.metric for one in every if one.difference and not isnan(one.difference)}
    return [one for one in every if one.metric in some]


def _chart_of(metric: str) -> str:
    return f"changes-{metric}"


def _charts(found: Sequence[Contrast]) -> Iterator[tuple[str, tuple[dict[str, Any], list[dict[str, Any]]]]]:
    """Yield each chart's name, and what it is and its rows."""
    for metric in dict.fromkeys(one.metric for one in _all(found)):
        of = [(each.where, one) for each in found for one in each.differences if one.metric == metric]
        sizes = (abs(value) for _, one in of for value in (one.mean, one.baseline) if not isnan(value))
        unit = scale(metric, max(sizes, default=0.0))
        rows = [_row(where, one, unit.unit, len(found) > 1) for where, one in of]
        title = TITLES.get(metric, metric)
        named = {"%": "points"}.get(unit.name, unit.name)
        yield _chart_of(metric), (contrast_chart(title, named, len(rows)), rows)


def _row(where: str, one: Difference, unit: float, many: bool) -> dict[str, Any]:
    amount, low, high = (None if isnan(value) else value / unit for value in (one.difference, *one.t))
    told = f"{decimal(amount)} ({decimal(low)} to {decimal(high)})"
    return {
        "place": where,
        "of": f"{one.policy}, {where}" if many and where else one.policy,
        "series": verdict(one),
        "amount": amount,
        "low": low,
        "high": high,
        "told": told,
    }


def _traded(results: pa.Table) -> Iterator[dict[str, Any]]:
    axes = [axis for axis in AXES if axis in results.column_names]
    for row in mean_figures(results, _TRADED):
        wait_s, usd = (row[f"{name}_mean"] for name in _TRADED)
        yield {
            "place": ", ".join(f"{axis} {row[axis]}" for axis in axes if axis != "policy"),
            "of": ", ".join(row[axis] for axis in axes),
            "series": "policies",
            "wait": wait_s / HOUR_S,
            "amount": usd,
            "told": f"{_in_hours(wait_s)}, USD {count(usd)}",
            "named": True,
        }


def _beside(results: pa.Table, other: pa.Table, name: str) -> TableCells:
    """Return the means of choices that both studies have, and what the first has more."""
    axes = [axis for axis in AXES if axis in results.column_names and axis in other.column_names]
    theirs = {tuple(row[axis] for axis in axes): row for row in mean_figures(other, _TRADED)}
    rows = []
    for row in mean_figures(results, _TRADED):
        key = tuple(row[axis] for axis in axes)
        for metric, write in ((_TRADED[0], _in_hours), (_TRADED[1], count)) if key in theirs else ():
            mine, its = row[f"{metric}_mean"], theirs[key][f"{metric}_mean"]
            told = [write(mine), write(its), difference(mine - its, write)]
            rows.append([", ".join(key) or "all", TITLES[metric], *told])
    return TableCells(["choice", "figure", "this study", name, "difference"], rows, (2, 3, 4))


def _in_hours(seconds: float) -> str:
    return f"{hours(seconds, 2)} h"
