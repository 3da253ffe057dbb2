"""Charts of a study and of a plan, whose rows are worked out beforehand, as Vega-Lite specifications."""

from __future__ import annotations

from scheduler.report.colours import BLUE, GREY, ORANGE, PURPLE, VERMILION
from scheduler.report.page.charts import INK, Spec, chart, coloured

CHANGE_COLOURS = {"better": BLUE, "worse": VERMILION, "not told apart": GREY, "other": PURPLE}
PLAN_COLOURS = {"meets the target": BLUE, "misses it": GREY}
COST_COLOURS = {"the cheapest there": BLUE, "today's plan": ORANGE}
_ROW = 26


def contrast_chart(title: str, unit: str, rows: int) -> Spec:
    """Return so many points with their intervals, a row each, beside a line where nothing changes."""
    x = {"field": "amount", "type": "quantitative", "title": f"{title}, {unit}" if unit else title}
    y = {"field": "of", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 260}}
    colour = coloured(CHANGE_COLOURS, [*CHANGE_COLOURS])
    words = [{"field": name, "type": "nominal"} for name in ("of", "series", "told")]
    interval = {"y": y, "x": x | {"field": "low"}, "x2": {"field": "high"}, "color": colour}
    points = {"y": y, "x": x, "color": colour, "tooltip": words}
    nothing = {
        "mark": {"type": "rule", "color": INK, "strokeDash": [4, 4]},
        "encoding": {"x": {"datum": 0, "type": "quantitative"}},
    }
    return chart(
        f"What policies change: {title}",
        _ROW * rows,
        layer=[
            {"mark": {"type": "point", "filled": True, "size": 90, "aria": False}, "encoding": points},
            _bar("low", interval),
            nothing,
        ],
    )


def frontier_chart(wait: str, limit_h: float | None, verdicts: dict[str, str], cost: str) -> Spec:
    """Return cost against wait: points with their intervals, and a line at the longest wait.

    Beside them `names.js` writes the names of those rows that are to be named.
    """
    x = {"field": "wait", "type": "quantitative", "title": wait}
    y = {"field": "amount", "type": "quantitative", "title": cost, "scale": {"zero": False}}
    colour = coloured(verdicts, [*verdicts])
    words = [{"field": name, "type": "nominal"} for name in ("of", "told")]
    layers = [
        {
            "mark": {"type": "point", "filled": True, "size": 90, "aria": False},
            "encoding": {"x": x, "y": y, "color": colour, "tooltip": words},
        },
        _bar("low", {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": colour}),
        _bar("slow", {"x": x | {"field": "quick"}, "x2": {"field": "slow"}, "y": y, "color": colour}),
    ]
    if limit_h is not None:
        rule = {"type": "rule", "color": INK, "strokeDash": [4, 4]}
        layers.append({"mark": rule, "encoding": {"x": {"datum": limit_h, "type": "quantitative"}}})
    return chart("Cost against wait", 320, layer=layers)


def outlook_chart(names: list[str]) -> Spec:
    """Return the cost of the cheapest plan elsewhere beside that of today's plan there."""
    series = {"field": "series", "type": "nominal", "sort": [*COST_COLOURS]}
    words = [{"field": name, "type": "nominal"} for name in ("of", "series", "told")]
    return chart(
        "Cost of the cheapest plan, and of today's, if something is otherwise",
        _ROW * len(names),
        mark={"type": "bar", "aria": False},
        encoding={
            "y": {"field": "of", "type": "nominal", "sort": names, "title": None},
            "yOffset": series,
            "x": {"field": "amount", "type": "quantitative", "title": "USD k per 28 days"},
            "color": coloured(COST_COLOURS, [*COST_COLOURS]),
            "tooltip": words,
        },
    )


def _bar(end: str, encoding: Spec) -> Spec:
    """Return an interval, of those rows that have its end."""
    mark = {"type": "rule", "strokeWidth": 3, "opacity": 0.5, "aria": False}
    return {"transform": [{"filter": f"isValid(datum.{end})"}], "mark": mark, "encoding": encoding}
