"""Sections of a run's page: what its live sources did over time, what was sold, loops, and parked cars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.report.colours import PALETTE
from scheduler.report.live import live_tables
from scheduler.report.page.charts import Spec, areas, lines
from scheduler.report.page.groups import step_of
from scheduler.report.page.parts import as_html, figure, section
from scheduler.run.directory import Run
from traces.arrays import Array, Floats, filtered, is_word, rows_of, sorted_by
from traces.step_function import by_cell, from_changes, means
from traces.times import DAY_S, HOUR_S

Series = dict[str, Any]
"""What it is called, its level in each step of time, and what the step adds to its sum."""


class LiveChart(NamedTuple):
    """A chart of what some live sources did, and the unit of its sums, if they have one."""

    caption: str
    spec: Spec
    series: list[Series]
    unit: str | None


class LiveCharts(NamedTuple):
    """Sections in HTML, and the charts by name."""

    sections: str
    charts: dict[str, LiveChart]

    def beside(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data of a page with that of these charts."""
        specs = {name: chart.spec for name, chart in self.charts.items()}
        units = {name: chart.unit for name, chart in self.charts.items() if chart.unit}
        series = {name: chart.series for name, chart in self.charts.items()}
        return data | {"specs": data["specs"] | specs, "units": data["units"] | units, "live": series}


def live_charts(run: Run, edges: Array) -> LiveCharts:
    """Return a section for each sort of live sources that a run had; they are filtered by time alone."""
    tables = live_tables(run)
    of = {"sales": _market(run, edges), "loops": _loops(run, edges), "edge": _cars(run, edges)}
    heads = {"sales": "The market", "loops": "Loops", "edge": "Parked cars"}
    captions = {"sales": "What was sold", "loops": "Loops", "edge": "Work of parked cars"}
    sections = [
        section(
            heads[name],
            *(figure(place, chart.caption) for place, chart in charts.items()),
            as_html(tables[name], f"{captions[name]}, in the whole run"),
        )
        for name, charts in of.items()
    ]
    return LiveCharts(
        "\n".join(filter(None, sections)),
        {place: chart for each in of.values() for place, chart in each.items()},
    )


def _market(run: Run, edges: Array) -> dict[str, LiveChart]:
    if not run.has("sales"):
        return {}
    served, paid = _sold(run, edges)
    colours = _colours([each["series"] for each in served])
    devices, revenue = "Devices sold, by segment", "Revenue, by segment"
    return {
        "market-sold": LiveChart(
            f"{devices}: reference devices at work for customers, of work that they kept.",
            areas(devices, "devices", colours),
            served,
            "device-h",
        ),
        "market-revenue": LiveChart(
            f"{revenue}, as it is earned; what is paid back for late starts is not taken off.",
            areas(revenue, "USD an hour", colours),
            paid,
            "USD",
        ),
    }


def _sold(run: Run, edges: Array) -> tuple[list[Series], list[Series]]:
    """Return by segment what customers were served and kept, and what they paid for it, while it was done."""
    sales = run.table("sales")
    bought = sorted_by(sales.filter(pc.is_valid(sales.column("job_id"))), "job_id")
    ids = bought.column("job_id").to_numpy()
    attempts = run.table("attempts", ["job_id", "alloc_s", "end_s", "kept_s"])
    attempts = attempts.filter(np.isin(attempts.column("job_id").to_numpy(), ids))
    row = rows_of(ids, attempts.column("job_id").to_numpy())
    from_s, to_s, kept_s = (attempts.column(name).to_numpy() for name in ("alloc_s", "end_s", "kept_s"))
    served_h = bought.column("devices").to_numpy()[row] * kept_s / HOUR_S
    paid_usd = bought.column("usd_per_device_h").to_numpy()[row] * served_h
    segment = bought.column("segment").cast("string").to_numpy()[row]
    of = {name: segment == name for name in _names(sales.column("segment"))}
    served, paid = (
        _rates(edges, ((name, from_s[ours], to_s[ours], amount[ours]) for name, ours in of.items()))
        for amount in (served_h, paid_usd)
    )
    return served, paid


def _loops(run: Run, edges: Array) -> dict[str, LiveChart]:
    if not run.has("loop"):
        return {}
    hours = run.table("loop_hours")
    names = _names(hours.column("loop"))
    road = {name: filtered(hours, is_word(hours.column("loop"), name)) for name in names}
    age = {name: of.column("age_s").to_numpy() / DAY_S for name, of in road.items()}
    per_mile = {name: of.column("interventions_per_mile").to_numpy() for name, of in road.items()}
    begins = {name: of.column("time_s").to_numpy() for name, of in road.items()}

    def hourly(levels: dict[str, Floats]) -> list[Series]:
        return [_series(name, means(begins[name], level, edges)) for name, level in levels.items()]

    colours = _colours(names)
    return {
        "loop-releases": LiveChart(
            "Releases so far, by loop, as each step of time ends.",
            lines("Releases so far, by loop", "releases", colours),
            _released(run, names, edges),
            "releases",
        ),
        "loop-age": LiveChart(
            "Age of the data of the models on the road, over the fleet.",
            lines("Age of the model on the road, by loop", "days", colours),
            hourly(age),
            None,
        ),
        "loop-interventions": LiveChart(
            "Interventions for each mile, of 100 as the run began: less is better.",
            lines("Interventions for each mile, by loop", "of 100 at first", colours, zero=False),
            hourly({name: 100 * level / level[0] for name, level in per_mile.items()}),
            None,
        ),
    }


def _released(run: Run, names: Sequence[str], edges: Array) -> list[Series]:
    """Return how many releases were shipped so far as each step ends."""
    table, found = run.table("loop"), list[Series]()
    for name in names:
        shipped_s = filtered(table, is_word(table.column("loop"), name)).column("shipped_s").drop_null()
        count = np.bincount(step_of(edges, shipped_s.to_numpy()), minlength=len(edges) - 1)
        found.append(_series(name, np.cumsum(count), count))
    return found


def _cars(run: Run, edges: Array) -> dict[str, LiveChart]:
    if not run.has("edge"):
        return {}
    hours = run.table("edge")
    shards = {spec["name"]: spec["shard_pflop"] for spec in run.description["scenario"]["edge"]}
    found = {name: filtered(hours, is_word(hours.column("edge"), name)) for name in shards}
    begins = {name: of.column("time_s").to_numpy() for name, of in found.items()}
    pflop = {name: of.column("done").to_numpy() * shards[name] for name, of in found.items()}
    usd = {name: of.column("usd").to_numpy() for name, of in found.items()}

    def hourly(amounts: dict[str, Floats], span_s: int) -> list[Series]:
        spans = ((name, begins[name], begins[name] + HOUR_S, amount) for name, amount in amounts.items())
        return _rates(edges, spans, span_s)

    compute, pay, colours = "Compute of parked cars", "Paid to the owners of parked cars", _colours([*shards])
    return {
        "cars-compute": LiveChart(
            f"{compute}: shards done as often as is asked.",
            areas(compute, "PFLOPS", colours),
            hourly(pflop, 1),
            "PFLOP",
        ),
        "cars-pay": LiveChart(
            f"{pay}, on what was lost, too.",
            areas(pay, "USD an hour", colours),
            hourly(usd, HOUR_S),
            "USD",
        ),
    }


def _rates(
    edges: Array, spans: Iterator[tuple[str, Array, Array, Floats]], span_s: int = HOUR_S
) -> list[Series]:
    """Return series of amounts, each of which comes evenly in a span of time, as rates by so many seconds."""
    found = list[Series]()
    for name, from_s, to_s, amount in spans:
        begin_s = np.minimum(from_s, edges[-1] - 1)
        end_s = np.clip(to_s, begin_s + 1, edges[-1])
        rate = amount / (end_s - begin_s)
        level = from_changes(np.concatenate([begin_s, end_s]), np.concatenate([rate, -rate]))
        total = by_cell(*level, edges)
        found.append(_series(name, total / np.diff(edges) * span_s, total))
    return found


def _series(name: str, level: Array, total: Array | None = None) -> Series:
    """Return a series; amounts are in nine digits after the point, which the sums of floats do not fill."""
    added = np.zeros(len(level)) if total is None else total
    return {"series": name, "level": level.round(9).tolist(), "total": added.round(9).tolist()}


def _names(column: pa.ChunkedArray) -> list[str]:
    names: list[str] = pc.unique(column.cast(pa.string())).to_pylist()
    return names


def _colours(names: Sequence[str]) -> dict[str, str]:
    return dict(zip(names, cycle(PALETTE), strict=False))
