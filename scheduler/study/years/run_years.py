"""A month a quarter, each a run of its own that goes on from the one before, and quarters.parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.engine.warm_start import OpeningError
from scheduler.live.market.market import WORKLOAD
from scheduler.money.ledger.batch_events import batch_events
from scheduler.money.ledger.rates import Calendar, Owning
from scheduler.replay import Setup, replay
from scheduler.run.assets import assets_table
from scheduler.run.clearing import begin, clear
from scheduler.run.directory import Run
from scheduler.run.parts import DEMAND
from scheduler.run.quarters import QuarterRow, capital, measured, peaks_of, weighted, with_cash
from scheduler.run.warm import warm_from
from scheduler.scenario import Scenario
from scheduler.stock.stock import stock_of
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.reference import reference_of
from scheduler.study.years.months import (
    MONTH_DAYS,
    after_month,
    check_dated,
    month_in,
    month_of_years,
    quarters_to_run,
    run_span,
)
from traces.times import DAY_S
from traces.trace import Trace
from traces.warm import carry_over
from workloads import demand_of, generate

LIVE_WORKLOADS = (WORKLOAD, "loop")


def run_years(scenario: Scenario, out: Path, rate: float, progress: StudyProgress) -> list[QuarterRow]:
    """Run a month of each quarter, each in a folder of its own under `out`; return a row a quarter.

    Raises ScenarioError for moments that are no dates, and for less than a day.
    """
    check_dated(scenario)
    start, end = run_span(scenario)
    stock = stock_of(scenario, load_catalog(), start)
    quarters, rows = quarters_to_run(start, end), list[QuarterRow]()
    before: Run | None = None
    for done, quarter in enumerate(quarters):
        progress(quarter.name, done, len(quarters))
        days = min(MONTH_DAYS, int(quarter.days))
        month = month_in(quarter, days)
        part = month_of_years(scenario, stock.pools, start, month, days)
        before = _run_month(part, before, out / quarter.name)
        weight = quarter.days / days
        (row,) = measured(before, [before.start_s, before.end_s], peaks_of(before))
        rows.append({"month": month, "month_days": days} | weighted(row, weight))
        scenario = _learnt(scenario, before, weight)
    owning = Owning(scenario.money, Calendar.of(start), 0, stock.sites)
    bought = assets_table(batch_events(stock, owning, scenario.horizon_s or DAY_S), start)
    whole = [row | paid for row, paid in zip(rows, capital(bought, start, quarters), strict=True)]
    return with_cash(whole, quarters, rate)


def _run_month(scenario: Scenario, before: Run | None, folder: Path) -> Run:
    jobs = generate(demand_of({"seed": scenario.seed} | scenario.demand), reference_of())
    for run in (True, False):
        carried = _carried(before, scenario, run=run)
        trace = jobs if carried is None else carry_over(carried, jobs, 0)
        clear(folder, overwrite=True)
        begin(folder)
        trace.write(folder / DEMAND)
        try:
            return replay(Setup.of(scenario, trace), folder)
        except OpeningError:  # the quota is smaller by now, or pods have left: they wait instead
            continue
    raise AssertionError("who waits needs no room")


def _carried(before: Run | None, scenario: Scenario, *, run: bool) -> Trace | None:
    """Return who runs and waits at the end of a month; live sources begin each month anew.

    Who ran where nothing is any more, or without `run` everybody, waits.
    """
    if before is None:
        return None
    left = warm_from(before, Trace.read(before.folder / DEMAND, sealed=True))
    table = left.table
    live = pc.is_in(table.column("workload").cast("string"), pa.array(LIVE_WORKLOADS))
    table = table.filter(pc.invert(live))
    if not len(table):
        return None
    names = pa.array([*(pool.name for pool in scenario.pools), *(offer.name for offer in scenario.offers)])
    where = pc.list_element(
        pc.split_pattern(pc.fill_null(table.column("recorded_where").cast("string"), ""), ":"), 0
    )
    stays = pc.is_in(where, names) if run else pa.array(np.zeros(len(table), bool))
    at = table.column_names.index("recorded_start_s")
    kept = pc.if_else(stays, table.column("recorded_start_s"), pa.scalar(None, pa.int64()))
    return Trace(table.set_column(at, table.schema.field(at), kept))


def _learnt(scenario: Scenario, run: Run, weight: float) -> Scenario:
    """Return a scenario whose loops have trained on a quarter's clips."""
    if not run.has("loop"):
        return scenario
    campaigns = run.table("loop", ["loop", "clips", "pflop_days", "fate"])
    shipped = campaigns.filter(pc.equal(campaigns.column("fate").cast("string"), "shipped"))
    loops = []
    for loop in scenario.loops:
        ours: dict[str, Any] = shipped.filter(
            pc.equal(shipped.column("loop").cast("string"), loop.name)
        ).to_pydict()
        clips, compute = sum(ours["clips"]), max(ours["pflop_days"], default=0.0)
        loops.append(after_month(loop, clips, compute, weight))
    return replace(scenario, loops=tuple(loops))
