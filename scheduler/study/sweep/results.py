"""results.parquet: a row for each finished cell of a study, a column for each axis and each figure.

The same cells give the same bytes, however often the study was stopped and whoever computed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from scheduler.catalog import load_catalog
from scheduler.run.figures import Metrics
from scheduler.scenario import parse_scenario
from scheduler.stock.grounds import Grounds, grounds_of
from scheduler.study.cells.cell import Cell
from scheduler.study.sweep.study_cells import Study
from traces.arrays import WORD, word_column
from traces.parquet import documented, read_whole, write_batches

RESULTS_FILE = "results.parquet"
_GROUNDS = "grounds"

FIGURES: dict[str, tuple[pa.DataType, str, str]] = {
    "end_s": (pa.int64(), "s", "end of the run, from the epoch"),
    "length_s": (pa.int64(), "s", "length of the run"),
    "jobs": (pa.int64(), "", "jobs"),
    "finished": (pa.int64(), "", "jobs that finished"),
    "unfinished": (pa.int64(), "", "jobs that had not finished by the end"),
    "rejected": (pa.int64(), "", "jobs that no pool or offer can hold"),
    "killed": (pa.int64(), "", "jobs given up: they were interrupted, and had no retry left"),
    "wait_mean_s": (pa.float64(), "s", "mean wait of the jobs that started"),
    "wait_p50_s": (pa.float64(), "s", "median wait of the jobs that started"),
    "wait_p95_s": (pa.float64(), "s", "95th percentile of the wait of the jobs that started"),
    "wait_p99_s": (pa.float64(), "s", "99th percentile of the wait of the jobs that started"),
    "waited_mean_s": (pa.float64(), "s", "mean wait of all but the rejected; who has not started: so far"),
    "waited_p95_s": (pa.float64(), "s", "95th percentile of the wait of all but the rejected, likewise"),
    "own_waited_device_h": (
        pa.float64(),
        "device-hour",
        "wait x gang of all but the rejected and customers of a market, likewise",
    ),
    "waited_by_work_p50_s": (
        pa.float64(),
        "s",
        "half of the work waited up to so long; who has not started: so far",
    ),
    "waited_by_work_p90_s": (pa.float64(), "s", "nine tenths of the work waited up to so long, likewise"),
    "waited_max_s": (pa.float64(), "s", "longest wait, likewise"),
    "slowdown_mean": (pa.float64(), "", "mean bounded slowdown of finished jobs"),
    "slowdown_p95": (pa.float64(), "", "95th percentile of the bounded slowdown of finished jobs"),
    "burst_jobs": (pa.int64(), "", "jobs whose last attempt ran on rented devices"),
    "deadlines": (pa.int64(), "", "jobs with a deadline"),
    "missed": (pa.int64(), "", "jobs that missed their deadline"),
    "campaigns": (pa.int64(), "", "campaigns judged: jobs of one kind with one deadline"),
    "campaigns_late": (pa.int64(), "", "of them, those whose last job finished late, or not yet"),
    "campaigns_open": (pa.int64(), "", "campaigns not judged: not done, and their deadline has not come"),
    "lateness_p50_s": (
        pa.float64(),
        "s",
        "end of the last job after the deadline: median over campaigns",
    ),
    "lateness_max_s": (pa.float64(), "s", "end of the last job after the deadline: the latest campaign's"),
    "asked_device_h": (
        pa.float64(),
        "device-hour",
        "asked for by jobs rejected, or ready a day before the end",
    ),
    "stranded_device_h": (pa.float64(), "device-hour", "of that, by jobs rejected or without a start"),
    "stranded_jobs": (pa.int64(), "", "jobs rejected, or ready a day before the end and without a start"),
    "utilization": (pa.float64(), "", "device-seconds held over those owned"),
    "goodput": (pa.float64(), "", "device-seconds of owned work that is kept over those owned"),
    "interrupted": (pa.int64(), "", "attempts cut short: failed, reclaimed, preempted, migrated or killed"),
    "down_device_h": (pa.float64(), "device-hour", "owned devices out of service"),
    "lost_device_h": (pa.float64(), "device-hour", "work thrown away, that of killed jobs included"),
    "refused": (pa.int64(), "", "requests that offers refused; unknown of a part of a run"),
    "span_jobs": (pa.int64(), "", "jobs that were on several pods at once"),
    "span_device_h": (pa.float64(), "device-hour", "owned devices held by gangs on several pods"),
    "rented_device_h": (pa.float64(), "device-hour", "rented devices held, booting included"),
    "most_rented": (pa.int64(), "device", "most of an offer's devices that were held at once"),
    "kwh": (pa.float64(), "kWh", "energy of a site"),
    "peak_kw": (pa.float64(), "kW", "highest power of a site"),
    "load_factor": (pa.float64(), "", "mean power of a site over its highest"),
    "co2_kg": (pa.float64(), "kg", "carbon dioxide that the energy of a site gives off"),
    "power_usd": (pa.float64(), "USD", "energy and demand charges of a site"),
    "delivered_pflop_days": (pa.float64(), "PFLOP-day", "work on the pools of a site that is kept"),
    "power_usd_per_pflop_day": (pa.float64(), "USD/PFLOP-day", "of that, what power costs"),
    "co2_g_per_pflop_day": (pa.float64(), "g/PFLOP-day", "of that, what power gives off"),
    "releases": (pa.int64(), "", "models shipped"),
    "data_to_road_p50_s": (pa.float64(), "s", "from data cut-off to all of the fleet: median of releases"),
    "data_to_road_p95_s": (pa.float64(), "s", "from data cut-off to all of the fleet: 95th percentile"),
    "model_age_s": (pa.float64(), "s", "age of the data of the models on the road: mean"),
    "interventions_per_mile": (pa.float64(), "1/mile", "over the fleet: mean"),
    "miles_between_interventions": (pa.float64(), "mile", "over the fleet, at the end"),
    "gained_miles_per_pflop_day": (pa.float64(), "mile/PFLOP-day", "of that, gained by training in the run"),
    "loop_rent_usd": (pa.float64(), "USD", "paid for rented devices by the campaigns of a loop"),
    "gained_miles_per_rent_usd": (pa.float64(), "mile/USD", "miles between interventions gained, for that"),
    "clips": (pa.int64(), "", "clips that campaigns trained on"),
    "edge_pflops": (pa.float64(), "PFLOPS", "results of parked cars: mean"),
    "edge_share": (pa.float64(), "", "of all work of their kinds, what parked cars did"),
    "edge_late_share": (pa.float64(), "", "of their work, what came back to the pods"),
    "edge_usd": (pa.float64(), "USD", "paid to owners of parked cars"),
    "edge_usd_per_device_h": (pa.float64(), "USD/device-hour", "of that, for the work of a reference device"),
    "edge_usd_per_h100_h": (pa.float64(), "USD/device-hour", "of that, for the work of an H100"),
    "edge_most_gb_per_pflop": (
        pa.float64(),
        "GB/PFLOP",
        "data above which parked cars never pay beside the cheapest offer; below 0: whatever the data",
    ),
    "usd_total": (pa.float64(), "USD", "all that was spent, without revenue"),
    "usd_owned": (pa.float64(), "USD", "spent on pools and sites"),
    "usd_rented": (pa.float64(), "USD", "spent on offers"),
    "usd_sunk": (pa.float64(), "USD", "what pods cost whether used or not"),
    "usd_avoidable": (pa.float64(), "USD", "of all that was spent, what is not sunk"),
    "usd_rent": (pa.float64(), "USD", "paid for rented devices, without moving data"),
    "usd": (pa.float64(), "USD", "sum of the ledger's line"),
    "revenue_usd": (pa.float64(), "USD", "what tenants paid"),
    "jain_due": (pa.float64(), "", "Jain's index of the work that each had done over what was due to it"),
    "jain_speed": (pa.float64(), "", "Jain's index of 1 over the mean bounded slowdown of each"),
    "share_error": (pa.float64(), "", "share of the work done that was due to others"),
}
"""Type, unit and meaning of each figure of `scheduler.run.figures`, in the order of the columns.

`figure:part` is a column of its own, the figure for one kind of job, pool, offer, site or line of the ledger;
`figure@column=word` is that of the jobs with a word in a column.
"""


def results(study: Study, metrics: Mapping[str, Metrics]) -> pa.Table:
    """Return the table of the cells whose metrics are known by their place, sorted by axes, then seed.

    An axis is a dictionary column whose words stand in the order of the study file. A figure that a cell does
    not have is null.
    """
    cells = sorted(
        (cell for cell in study.cells if cell.place in metrics), key=lambda cell: _order(study, cell)
    )
    rows = [metrics[cell.place] for cell in cells]
    names = sorted({name for row in rows for name in row}, key=_column)
    arrays = [
        *(
            word_column(np.array([names.index(dict(cell.labels or ())[axis]) for cell in cells]), names)
            for axis, names in study.axes.items()
        ),
        pa.array([cell.seed for cell in cells], pa.int64()),
        pa.array([cell.key for cell in cells], pa.string()),
        *(pa.array([row.get(name) for row in rows], FIGURES[_figure(name)][0]) for name in names),
    ]
    fields = [
        *(documented(axis, WORD, "", f"choice of the study on its axis {axis}") for axis in study.axes),
        documented("seed", pa.int64(), "", "of the generated demand"),
        documented("key", pa.string(), "", "digest of all that the cell depends on"),
        *(_field(name) for name in names),
    ]
    about = {"study": study.name, "cells": str(len(study.cells)), _GROUNDS: _grounds(study)}
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about))


def write_results(folder: Path, table: pa.Table) -> Path:
    """Write results.parquet, which appears only once it is whole, and return it."""
    write_batches(folder / RESULTS_FILE, table.schema, [table])
    return folder / RESULTS_FILE


def read_results(folder: Path) -> pa.Table:
    """Return the table of a study's folder; raises StudyError."""
    from scheduler.study.sweep.study_file import StudyError

    if not (folder / RESULTS_FILE).exists():
        raise StudyError(f"{folder}: no {RESULTS_FILE} there; `exaburst study run` writes it")
    try:
        table = read_whole(folder / RESULTS_FILE)
    except ValueError as error:
        raise StudyError(str(error)) from None
    if _GROUNDS.encode() not in (table.schema.metadata or {}):
        raise StudyError(f"{folder}: its {RESULTS_FILE} is not of a study; `exaburst study run` writes one")
    return table


class StudyFacts(NamedTuple):
    """What a study's results.parquet says of all of them."""

    name: str
    cells: int
    """Of the study, also those that are not done."""
    grounds: Grounds


def facts_of(table: pa.Table) -> StudyFacts:
    """Return what is said of a table that `read_results` gave; raises StudyError where that is damaged."""
    from scheduler.study.sweep.study_file import StudyError

    told = {key.decode(): text for key, text in table.schema.metadata.items()}
    try:
        grounds = msgspec.json.decode(told[_GROUNDS], type=Grounds)
    except msgspec.DecodeError as error:
        raise StudyError(
            f"{RESULTS_FILE}: what it rests on is damaged, run the study again: {error}"
        ) from None
    return StudyFacts(told["study"].decode(), int(told["cells"]), grounds)


def _grounds(study: Study) -> str:
    """Return what its cells rest on, as JSON."""
    chosen = {cell.labels: cell.scenario for cell in study.cells}
    grounds = grounds_of(map(parse_scenario, chosen.values()), load_catalog())
    return msgspec.json.encode(grounds).decode()


def _order(study: Study, cell: Cell) -> list[int]:
    labels = cell.labels or ()
    return [*(study.axes[axis].index(name) for axis, name in labels), cell.seed]


def _figure(name: str) -> str:
    return name.partition(":")[0]


def _column(name: str) -> tuple[Any, ...]:
    figure, _, part = name.partition(":")
    return part != "", list(FIGURES).index(figure), part


def _field(name: str) -> pa.Field:
    kind, unit, meaning = FIGURES[_figure(name)]
    part = name.partition(":")[2]
    return documented(name, kind, unit, f"{part}: {meaning}" if part else meaning, nullable=True)
