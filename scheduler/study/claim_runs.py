"""The runs that claims are tested with: the demo's cluster, as a hybrid and with everything rented.

Each run goes on until its last job has ended, and owned capacity is paid for the days of the demand: as if
such demand came again and again. Rent is billed at one dollar a device-hour, so that the bill counts
device-hours; readings put their own price on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from math import ceil, inf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.money.claims.claim_file import Range
from scheduler.money.claims.live_claims import LiveTrials
from scheduler.money.claims.simulated_claims import Measured, Trials
from scheduler.run.figures import Metrics
from scheduler.scenario import Scenario, parse_scenario
from scheduler.stock.stock import stock_of
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.cells.figures import KnownFigures, figures_of
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.live_claim_runs import LiveRuns
from scheduler.study.reference import reference_of
from traces.arrays import Floats
from traces.times import HOUR_S
from traces.trace import Trace
from workloads import demand_of

SEEDS = (1, 2, 3, 4)
DEMANDS: dict[str, list[dict[str, Any]]] = {
    "mixed": [{"load": load} for load in (0.4, 0.7, 1.0)],
    "demo": [{}],
    "fsd": [{"load": load, "mix": {"fsd": 1.0}} for load in (0.8, 1.0)],
}
"""What each part of `Trials` changes in the scenario's demand, one row of it each."""
ROBOTS = {"cars": 0, "car_growth": 0, "tenants": 0, "robots": 50_000, "robot_growth": 0, "tasks": 50}
TRIED_PODS = 5
"""How many numbers of ExaPODs are tried for them, from the least that could do the work in time."""
WAIT_S = 4 * HOUR_S
"""Within this, 95% of their jobs are to start."""


class Pair(NamedTuple):
    """The same jobs on the hybrid and, their data with them, on rented devices alone."""

    hybrid: Cell
    cloud: Cell


def live_trials(
    scenario: Scenario,
    years: Scenario,
    inputs: Mapping[str, Range],
    folder: Path,
    workers: Workers,
    progress: StudyProgress,
) -> LiveTrials:
    """Run what the claims on tenants, cars and the loop need; raises FailedRunError where one fails."""
    known = KnownFigures(folder, workers, progress)
    return LiveRuns(_billed_by_device_h(scenario), years, SEEDS, inputs, known).trials()


def run_trials(
    scenario: Scenario, live: LiveTrials, folder: Path, workers: Workers, progress: StudyProgress
) -> Trials:
    """Run what the other simulated claims need, on the first pool of a scenario and its offers.

    `folder` keeps the results; `progress` hears of the runs. Raises FailedRunError where one fails.
    """
    base = replace(_billed_by_device_h(scenario), horizon_h=None)
    pairs = {
        name: [[_pair(base, demand, seed, folder) for seed in SEEDS] for demand in demands]
        for name, demands in DEMANDS.items()
    }
    robots = {pods: [_robots(base, pods, seed) for seed in SEEDS] for pods in _pods(base)}
    in_pairs = chain.from_iterable(pair for rows in pairs.values() for row in rows for pair in row)
    figures = figures_of(
        "claims", [*in_pairs, *chain.from_iterable(robots.values())], folder, workers, progress
    )
    measured = {name: _measured(rows, figures) for name, rows in pairs.items()}
    return Trials(**measured, optimus_pods=_fewest(robots, figures), live=live)


def _billed_by_device_h(scenario: Scenario) -> Scenario:
    return replace(scenario, offers=tuple(replace(offer, usd_per_device_h=1.0) for offer in scenario.offers))


def _pair(base: Scenario, demand: dict[str, Any], seed: int, folder: Path) -> Pair:
    hybrid = cell_of(replace(base, demand=base.demand | demand), seed)
    free = folder / "traces" / f"{hybrid.jobs_key}-free.parquet"
    _free(jobs_of_cell(hybrid, folder)).write(free)
    return Pair(hybrid, cell_of(replace(base, demand={}, bound="rented_only"), seed, free))


def _free(trace: Trace) -> Trace:
    """Return the jobs with all free to leave and their input there already, as if it had grown up there."""
    table = trace.table
    for name, value in (("residency", "any"), ("input_tb", 0.0)):
        at = table.schema.get_field_index(name)
        column = pa.array([value] * len(table)).cast(table.schema.field(at).type)
        table = table.set_column(at, table.schema.field(at), column)
    return Trace(table)


def _robots(base: Scenario, pods: int, seed: int) -> Cell:
    pool = replace(base.pools[0], pods=pods)
    return cell_of(replace(base, demand=base.demand | ROBOTS, pools=(pool,), bound="owned_only"), seed)


def _pods(base: Scenario) -> range:
    """Return the numbers of ExaPODs to try."""
    demand = demand_of(base.demand | ROBOTS)
    pod_s = stock_of(base, load_catalog()).pools[0].pod_devices * demand.horizon_s
    least = ceil(sum(demand.budgets(reference_of()).values()) / pod_s)
    return range(least, least + TRIED_PODS)


def _measured(rows: list[list[Pair]], figures: dict[str, Metrics]) -> Measured:
    """Return PFLOP-days per PFLOP-day of owned capacity, a row a demand and a column a seed."""

    def table(figure: Callable[[Pair], float]) -> Floats:
        return np.array([[figure(pair) for pair in row] for row in rows])

    return Measured(
        utilization=table(lambda pair: _used(pair.hybrid, figures[pair.hybrid.key])),
        burst=table(lambda pair: _rented(pair.hybrid, pair, figures)),
        cloud=table(lambda pair: _rented(pair.cloud, pair, figures)),
    )


def _used(hybrid: Cell, metrics: Metrics) -> float:
    """Return the device-time held on the first pool over that owned in the days of the demand."""
    name = hybrid.scenario["pools"][0]["name"]
    return float(metrics[f"utilization:{name}"] * metrics["length_s"] / hybrid.demand.horizon_s)


def _rented(cell: Cell, pair: Pair, figures: dict[str, Metrics]) -> float:
    """Return the peak of the rented device-hours over that of the owned ones."""
    catalog = load_catalog()
    stock = stock_of(parse_scenario(pair.hybrid.scenario), catalog)
    pool = stock.pools[0]
    owned_h = pool.pods * pool.pod_devices * pair.hybrid.demand.horizon_s / HOUR_S
    owned = owned_h * catalog.device(pool.device).peak_pflops
    return float(figures[cell.key]["usd_rent"] * catalog.device(stock.offers[0].device).peak_pflops / owned)


def _fewest(robots: dict[int, list[Cell]], figures: dict[str, Metrics]) -> Floats:
    """Return the fewest pods, a number for each seed, on which enough jobs start in time; inf: none."""
    wait_s = np.array([[figures[cell.key]["wait_p95_s"] for cell in cells] for cells in robots.values()])
    in_time = np.where(wait_s <= WAIT_S, np.array(list(robots))[:, None], inf)
    return np.asarray(in_time.min(axis=0), np.float64)
