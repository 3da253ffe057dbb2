"""What lives in a run beside its trace, put together from the set-up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from scheduler.engine.jobs import Fit
from scheduler.engine.simulation import Simulation
from scheduler.engine.source import ReplayProgress
from scheduler.live.edge.edge import ParkedCars
from scheduler.live.loop.loop import FleetLoop
from scheduler.live.loop.releases import hours, releases
from scheduler.live.market.market import Market
from scheduler.live.market.sales import settle
from scheduler.live.source import LiveSource
from scheduler.live.sources import MergedSources, check_live
from scheduler.money.ledger.sold import CAR_PAY, Sold
from scheduler.replay.setup import Setup
from scheduler.run.live_logs import EDGE
from scheduler.run.parts import DEMAND, write_log
from traces.trace import Trace


class Living:
    """The live sources of a run, and those of its scenario.

    Over a trace that came of such a run those of the scenario stay silent, as their jobs are in it; who of
    the jobs are guests is as it was.
    """

    def __init__(
        self, setup: Setup, fit: Fit, live: Sequence[LiveSource], progress: ReplayProgress | None
    ) -> None:
        self._setup = setup
        silent = "live" in setup.trace.source
        self.market = None if silent else _market(setup)
        self.loops = [] if silent else _loops(setup)
        self.edge = [] if silent else _edge(setup)
        live = [*live, *self.loops, *self.edge]
        self._lives = bool(live) or self.market is not None
        self.merged: MergedSources | None = None
        if self._lives or setup.scenario.market is not None:
            check_live(setup.trace, setup.horizon_ends_s)
            self.merged = MergedSources(setup.trace, fit, live, progress, self.market, self.edge)

    def join(self, simulation: Simulation) -> Simulation:
        """Let customers come in a simulation, and return it."""
        if self.market is not None and simulation.guests is not None:
            simulation.guests.attend(self.market)
        return simulation

    def trace(self, folder: Path) -> Trace:
        """Return the jobs of the run; write them where more came than the set-up's."""
        if self.merged is None or not self._lives:
            return self._setup.trace
        trace = self.merged.rows.trace({"start_s": self._setup.start_s})
        trace.write(folder / DEMAND)
        return trace

    def settle(self, folder: Path, end_s: int) -> list[Sold]:
        """Write what the sources log, and return what was sold."""
        spec, loops = self._setup.scenario.market, self._setup.scenario.loops
        if self.loops:
            write_log(folder, "loop", releases(loops, self.loops))
            write_log(folder, "loop_hours", hours(loops, self.loops))
        paid = [row for cars in self.edge for row in cars.hours]
        if self.edge:
            write_log(folder, "edge", pa.Table.from_pylist(paid, EDGE))
        to_cars = [Sold(CAR_PAY, row["edge"], row["time_s"], row["busy_car_h"], row["usd"]) for row in paid]
        if self.market is None or spec is None:
            return to_cars
        table, sold = settle(folder, self.market.sales, spec, end_s)
        write_log(folder, "sales", table)
        return [*sold, *to_cars]


def _market(setup: Setup) -> Market | None:
    spec, end_s = setup.scenario.market, setup.horizon_ends_s
    if spec is None or end_s is None:
        return None
    prices = {offer.name: offer.prices for offer in setup.stock.offers}
    midnight_s = setup.owning.calendar.midnight_s
    return Market(spec, setup.scenario.seed, (setup.start_s, end_s), midnight_s, prices)


def _loops(setup: Setup) -> list[FleetLoop]:
    seed, end_s = setup.scenario.seed, setup.horizon_ends_s
    if end_s is None:
        return []
    epoch = setup.trace.epoch
    return [FleetLoop(spec, seed, setup.start_s, end_s, epoch) for spec in setup.scenario.loops]


def _edge(setup: Setup) -> list[ParkedCars]:
    seed, end_s = setup.scenario.seed, setup.horizon_ends_s
    if end_s is None:
        return []
    span_s, midnight_s = (setup.start_s, end_s), setup.owning.calendar.midnight_s
    jobs = len(setup.trace)
    return [ParkedCars(spec, seed, span_s, midnight_s, jobs) for spec in setup.scenario.edge]
