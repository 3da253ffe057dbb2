"""A section of a page: capacity, demand, waits and money by quarter, as charts and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

from scheduler.report.colours import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALETTE,
    PURPLE,
    ROSE,
    SAND,
    SKY,
    TEAL,
    VERMILION,
)
from scheduler.report.page.charts import INK, Spec, chart, coloured
from scheduler.report.page.parts import as_html, figure, paragraph, section
from scheduler.report.quarters import ABOUT, MONTHS, demand_devices, money_cells, names_after, work_cells
from scheduler.run.quarters import QuarterRow
from scheduler.study.years.years_file import Years
from traces.numbers import percent
from traces.times import HOUR_S

_MILLION = 1e6
QuarterAmount = Callable[[QuarterRow], float | None]


class QuarterCharts(NamedTuple):
    """Sections in HTML, and the charts, rows and units by name that they need."""

    sections: str
    specs: dict[str, Spec]
    rows: dict[str, list[dict[str, Any]]]
    units: dict[str, str]

    def beside(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of a page with that of these charts."""
        own: dict[str, dict[str, Any]] = {"specs": self.specs, "rows": self.rows, "units": self.units}
        return {**data, **{name: {**data.get(name, {}), **each} for name, each in own.items()}}


class QuarterStack(NamedTuple):
    """A chart of bars on top of each other, a bar a quarter; with `line`, a point each beside them."""

    caption: str
    unit: str
    series: Mapping[str, tuple[str, QuarterAmount]]
    """Colour and amount of each."""
    has_table: bool = True
    line: QuarterAmount | None = None


def by_quarter(years: Years) -> QuarterCharts:
    """Return the section of some years; charts in which nothing would stand are left out."""
    rows = years.rows
    stacks = _devices(rows) | _service(rows) | _money()
    charts = stacked(stacks, rows)
    how = [MONTHS.format(days=years.month_days)] if years.month_days else []
    notes = [f"{note[0].upper()}{note[1:]}." for note in (*how, ABOUT.format(rate=percent(years.rate, 0)))]
    parts = section(
        "By quarter",
        charts.sections,
        as_html(work_cells(rows), "Devices and work by quarter"),
        as_html(money_cells(rows), "Money by quarter, in millions of USD"),
        *map(paragraph, notes),
    )
    return charts._replace(sections=parts)


def stacked(stacks: Mapping[str, QuarterStack], rows: Sequence[QuarterRow]) -> QuarterCharts:
    """Return charts with their captions alone; those in which nothing would stand are left out."""
    points = {name: found for name, each in stacks.items() if (found := _points(each, rows))}
    drawn = {name: stacks[name] for name in points}
    return QuarterCharts(
        "\n".join(figure(name, each.caption) for name, each in drawn.items()),
        {name: _spec(each, rows, points[name]) for name, each in drawn.items()},
        points,
        {name: each.unit for name, each in drawn.items() if each.has_table},
    )


def _devices(rows: Sequence[QuarterRow]) -> dict[str, QuarterStack]:
    return {
        "quarters-capacity": QuarterStack(
            "Peak of the owned devices that are there, mean, by pool.",
            "PFLOPS",
            _each(rows, "pflops:", PALETTE),
        ),
        "quarters-demand": QuarterStack(
            "Devices that the jobs ask for, mean, on reference devices.",
            "devices",
            {"asked for": (BLUE, demand_devices)},
        ),
        "quarters-rented": QuarterStack(
            "Rented devices held, by offer.",
            "device-h",
            _each(rows, "rented_device_h:", PALETTE[4:6] + PALETTE[:4]),
        ),
    }


def _service(rows: Sequence[QuarterRow]) -> dict[str, QuarterStack]:
    return {
        "quarters-used": QuarterStack(
            "Owned devices held, weighed by their peak.",
            "% of peak",
            {"held": (SKY, lambda row: _scaled(row["utilization"], 100))},
            has_table=False,
        ),
        "quarters-wait": QuarterStack(
            "A job in twenty waited so long or longer; who has not started counts with the wait so far.",
            "h, wait p95",
            {"p95": (VERMILION, lambda row: _scaled(row["wait_p95_s"], 1 / HOUR_S))},
            has_table=False,
        ),
        "quarters-releases": QuarterStack(
            "Releases, by loop.", "releases", _each(rows, "releases:", PALETTE)
        ),
    }


def _money() -> dict[str, QuarterStack]:
    return {
        "quarters-cash": QuarterStack(
            "What comes in, above, and what is paid, below. Points: the cash of the quarter.",
            "USD million",
            _CASH,
            line=_usd("cash_usd"),
        ),
        "quarters-npv": QuarterStack(
            "Cash of all quarters so far, in dollars of the start (NPV).",
            "USD million",
            {"NPV so far": (PURPLE, _usd("npv_usd"))},
            has_table=False,
        ),
        "quarters-write-offs": QuarterStack(
            "Book value left of pods that leave, written off; no cash.",
            "USD million",
            {"written off": (ORANGE, _usd("write_off_usd"))},
        ),
    }


def _usd(name: str, sign: int = 1) -> QuarterAmount:
    return lambda row: sign * row[name] / _MILLION


_CASH = {
    "sales": (ROSE, _usd("revenue_usd")),
    "resale": (TEAL, _usd("resale_usd")),
    "pods": (BLUE, _usd("purchases_usd", -1)),
    "rent": (VERMILION, _usd("rent_usd", -1)),
    "energy": (ORANGE, _usd("energy_usd", -1)),
    "operations": (GREEN, _usd("operations_usd", -1)),
    "other": (GREY, _usd("other_usd", -1)),
    "decommission": (SAND, _usd("decommission_usd", -1)),
}


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value * by


def _each(
    rows: Sequence[QuarterRow], start: str, palette: Sequence[str]
) -> dict[str, tuple[str, QuarterAmount]]:
    """Return the columns that begin so, each in a colour of its own as far as there are some."""

    def amount(name: str) -> QuarterAmount:
        return lambda row: row.get(start + name)

    return {name: (colour, amount(name)) for name, colour in zip(names_after(rows, start), cycle(palette))}


def _points(stack: QuarterStack, rows: Sequence[QuarterRow]) -> list[dict[str, Any]]:
    """Return the rows of a chart, of those series that are anything in some quarter."""
    points = list[dict[str, Any]]()
    for order, (name, (_, amount)) in enumerate(stack.series.items()):
        amounts = {row["quarter"]: value for row in rows if (value := amount(row)) is not None}
        if any(amounts.values()):
            points += (
                {"of": of, "series": name, "order": order, "amount": value} for of, value in amounts.items()
            )
    if points and (line := stack.line) is not None:
        points += ({"of": row["quarter"], "series": None, "total": 0, "amount": line(row)} for row in rows)
    return points


def _spec(stack: QuarterStack, rows: Sequence[QuarterRow], drawn: Sequence[Mapping[str, Any]]) -> Spec:
    quarters, axis = [row["quarter"] for row in rows], {"labelAngle": -45, "labelOverlap": True}
    x: Spec = {"field": "of", "type": "ordinal", "sort": quarters, "title": None, "axis": axis}
    x["scale"] = {"domain": quarters, "paddingInner": 0.15}
    y = {"field": "amount", "type": "quantitative", "title": stack.unit, "axis": {"format": ",~f"}}
    found = {point["series"] for point in drawn}
    colours = {name: colour for name, (colour, _) in stack.series.items() if name in found}
    amount = {"field": "amount", "type": "quantitative", "format": ",.4~r"}
    words = [{"field": name, "type": "nominal"} for name in ("of", "series")]
    bars: Spec = {
        "mark": {"type": "bar", "aria": False},
        "encoding": {
            "x": x,
            "y": y,
            "color": coloured(colours, [*colours]),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": [*words, amount],
        },
    }
    if stack.line is None:
        return chart(stack.caption, 130, **bars)
    points = {
        "transform": [{"filter": "datum.series === null"}],
        "mark": {"type": "point", "filled": True, "color": INK, "size": 40, "aria": False},
        "encoding": {"x": x, "y": y, "tooltip": [words[0], amount]},
    }
    return chart(
        stack.caption, 220, layer=[{"transform": [{"filter": "datum.series !== null"}]} | bars, points]
    )
