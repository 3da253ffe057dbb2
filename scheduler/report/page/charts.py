"""The charts of a page as Vega-Lite specifications, whose rows come from `page.js`.

Text and lines take the colour of the page's own, so that they can be read on light and on dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from scheduler.report.colours import (
    BEARER_COLOURS,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALETTE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    workload_colours,
)
from scheduler.report.page.cubes import WAITED
from scheduler.why.causes import Cause

Spec = dict[str, Any]

INK = "currentColor"
"""The colour of the page's text, light or dark."""
CAUSE_COLOURS = {
    Cause.DEPENDENCY: GREY,
    Cause.BACK_OFF: "#882255",
    Cause.STARTING: SKY,
    Cause.OUTAGE: INK,
    Cause.RESIDENCY: BLUE,
    Cause.QUOTA: PURPLE,
    Cause.BUDGET: "#AA4499",
    Cause.DECLINED: "#AA99DD",
    Cause.REFUSED: "#999933",
    Cause.TOO_FEW: ORANGE,
    Cause.POWER: "#332288",
    Cause.RESERVED: GREEN,
    Cause.FRAGMENTATION: VERMILION,
    Cause.ORDER: YELLOW,
}
"""Those of the palette, and three more where it has none left."""
_LATE_COLOURS = ("#CFE1F2", "#93C4DF", "#4A97C9", "#1764AB", ORANGE, VERMILION, GREY)
QUEUED = "waiting"
"""The one series of the queue where causes are not known."""

_CONFIG: Spec = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        **dict.fromkeys(("labelColor", "titleColor", "tickColor", "domainColor", "gridColor"), INK),
        "gridOpacity": 0.15,
        "titleFontWeight": "normal",
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "orient": "top",
        "title": None,
        "columns": 6,
        "symbolType": "square",
    },
}


def held(workloads: Sequence[str]) -> Spec:
    """Return owned devices held by workload, below the devices in service, whose rows have no series."""
    area = _over_time(coloured(workload_colours(workloads), workloads), "devices")
    encoding = {name: area["encoding"][name] for name in ("x", "y")}
    line: Spec = {
        "transform": [{"filter": "datum.series === null"}],
        "mark": {
            "type": "line",
            "interpolate": "step-after",
            "color": INK,
            "strokeDash": [6, 4],
            "aria": False,
        },
        "encoding": encoding | {"y": encoding["y"] | {"stack": None}},
    }
    areas = {"transform": [{"filter": "datum.series !== null"}]} | area
    return chart("Owned devices held, by workload", 200, layer=[areas, line])


def rented(offers: Sequence[str]) -> Spec:
    """Return rented devices held by offer."""
    colours = dict(zip(offers, cycle(PALETTE[4:6] + PALETTE[:4]), strict=False))
    return chart("Rented devices held, by offer", 130, **_over_time(coloured(colours, offers), "devices"))


def waiting(causes: Sequence[Cause]) -> Spec:
    """Return reference devices that waiting jobs ask for by cause; without causes, in all."""
    colours = {cause.word: CAUSE_COLOURS[cause] for cause in causes} or {QUEUED: GREY}
    return chart("Devices waited for", 160, **_over_time(coloured(colours, [*colours]), "devices"))


def waited(sizes: Sequence[str]) -> Spec:
    """Return how long the work of each size of gang waited, in shares."""
    late = dict(zip(WAITED, _LATE_COLOURS, strict=True))
    share = {"format": "%", "title": "share of the work, in device-hours"}
    return _bars(
        "How long work waited, by size of gang",
        len(sizes),
        y={"field": "of", "type": "nominal", "sort": list(sizes), "title": "devices of the gang"},
        x={"field": "amount", "type": "quantitative", "stack": "normalize", "axis": share},
        color=coloured(late, WAITED),
    )


def spent(lines: Sequence[str], bearers: Sequence[str]) -> Spec:
    """Return USD by pool or offer and line, and which of some bears it."""
    y = {"field": "of", "type": "nominal", "sort": list(lines), "title": None}
    colour = coloured(BEARER_COLOURS, bearers)
    return _bars("Spend by line", len(lines), y=y, x=_USD, color=colour)


def charged(workloads: Sequence[str], owners: int) -> Spec:
    """Return USD charged to the jobs of each of so many owners."""
    y = {"field": "of", "type": "nominal", "sort": "-x", "title": None}
    colour = coloured(workload_colours(workloads), workloads)
    return _bars("Spend by owner", owners, y=y, x=_USD, color=colour)


_DOLLARS = (
    "abs(datum.value) < 1000 ? format(datum.value, ',~r') : replace(format(datum.value, '~s'), 'G', 'B')"
)
"""No thousandths as m, which reads as millions, and billions as B."""
_USD: Spec = {
    "field": "amount",
    "type": "quantitative",
    "title": "USD",
    "axis": {"labelExpr": _DOLLARS},
}


def areas(description: str, unit: str, colours: Mapping[str, str]) -> Spec:
    """Return what several have over time, on top of each other."""
    return chart(description, 130, **_over_time(coloured(colours, [*colours]), unit))


def lines(description: str, unit: str, colours: Mapping[str, str], *, zero: bool = True) -> Spec:
    """Return a line for each of several over time, from zero up unless told otherwise."""
    area = _over_time(coloured(colours, [*colours]), unit)
    y = {**area["encoding"]["y"], "stack": None, "scale": {"zero": zero}}
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5, "aria": False}
    return chart(description, 130, mark=mark, encoding=area["encoding"] | {"y": y})


def _bars(description: str, bars: int, **encoding: Spec) -> Spec:
    encoding["y"] = {"axis": {"labelLimit": 260}} | encoding["y"]
    amount = {"field": "amount", "type": "quantitative", "format": ",.4~r"}
    words = [{"field": name, "type": "nominal"} for name in ("of", "series")]
    return chart(
        description,
        24 * bars,
        mark={"type": "bar", "aria": False},
        encoding=encoding | {"order": _ORDER, "tooltip": [*words, amount]},
    )


_ORDER: Spec = {"field": "order", "type": "quantitative"}


def _over_time(colour: Spec, unit: str) -> Spec:
    """Return areas on top of each other, each a step function: a row holds until the next of its series."""
    return {
        "mark": {"type": "area", "interpolate": "step-after", "aria": False},
        "encoding": {
            "x": {"field": "time", "type": "temporal", "scale": {"type": "utc"}, "title": None},
            "y": {"field": "amount", "type": "quantitative", "stack": "zero", "title": unit},
            "color": colour,
            "order": _ORDER,
        },
    }


def coloured(colours: Mapping[str, str], names: Sequence[str]) -> Spec:
    """Return what tells series apart by colour; black is the page's own ink, so that dark pages show it."""
    shown = [INK if colours[name] == BLACK else colours[name] for name in names]
    return {"field": "series", "type": "nominal", "scale": {"domain": list(names), "range": shown}}


def chart(description: str, height: int, **parts: Any) -> Spec:
    """Return a chart as wide as the page, whose rows a script gives."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": description,
        "width": "container",
        "height": height,
        "data": {"name": "rows", "values": []},
        "config": _CONFIG,
        **parts,
    }
