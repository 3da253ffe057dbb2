"""One run from a scenario and a trace to a finished run directory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from scheduler.catalog import Catalog, load_catalog
from scheduler.engine.jobs import Fit, Job, jobs
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.simulation import Simulation
from scheduler.money.ledger.audit import audit
from scheduler.money.ledger.ledger import write_ledger
from scheduler.money.ledger.meter import Meter
from scheduler.money.ledger.rates import Calendar, Owning
from scheduler.policy import Policy
from scheduler.replay.assembly import Parts, outages_of, simulation
from scheduler.run.directory import Run, finish
from scheduler.scenario import Scenario
from scheduler.stock.assumed import assumed_figures
from scheduler.stock.stock import Stock, stock_of
from scheduler.weather import weather_of
from scheduler.weather.prices import with_prices
from traces.trace import Trace

Progress = Callable[[int, int], None]
"""(jobs submitted so far, simulated second) -> None."""


def replay(
    scenario: Scenario,
    trace: Trace,
    folder: Path,
    *,
    catalog: Catalog | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run the scenario's policy over the trace and log it under `folder`, which is made.

    The run is finished once run.json is there, which is written last. Raises CatalogError for a device or
    offer that is not known, PriceError for a price file that is wrong, LedgerError for a run too long to be
    priced, OSError where the folder cannot be written.
    """
    catalog = catalog or load_catalog()
    stock = stock_of(scenario, catalog, trace.epoch)
    weather = weather_of(scenario, stock, trace)
    stock = with_prices(stock, weather)
    owning = Owning(scenario.money, Calendar.of(trace.epoch))
    owning.periods(scenario.horizon_s or _last(trace))  # too many? better said now than after the run
    policy = Policy.build(**msgspec.structs.asdict(scenario.policy))
    parts = Parts(scenario, stock, policy, outages_of(weather, stock))
    meter = Meter(stock, owning, trace)
    folder.mkdir(parents=True, exist_ok=True)
    pools, offers = ([part.name for part in some] for some in (parts.pools, parts.offers))
    log = RunLog(folder, trace, pools, offers, meter.price)
    blocks = jobs(trace, parts.fit(trace.reference_device, catalog))
    emulated = simulation(scenario, stock, policy, parts, trace, log)
    end_s = _undisturbed(emulated, _reported(blocks, progress), scenario.horizon_s)
    grown = [replace(pool, pods=len(made.pods)) for pool, made in zip(stock.pools, parts.pools, strict=True)]
    stock = replace(stock, pools=tuple(grown))
    spend = write_ledger(folder, stock, owning, end_s)
    checks = audit(folder, spend, stock, owning, meter, end_s)
    told = {
        "jobs": log.counts(),
        "refused": log.refusals(),
        "weather": weather and {"until_s": weather.until_s, "rows": len(weather.table)},
        "ledger": [check._asdict() for check in checks],
        "assumed": assumed_figures(scenario, stock, catalog),
    }
    return finish(folder, scenario, trace, stock, end_s, told)


def fit_of(scenario: Scenario, stock: Stock, reference: str, catalog: Catalog) -> Fit:
    """Say what gangs of reference devices take of the pools and offers, outside of any run."""
    policy = Policy.build(**msgspec.structs.asdict(scenario.policy))
    return Parts(scenario, stock, policy).fit(reference, catalog)


def _last(trace: Trace) -> int:
    """The last submission, in seconds; 0 where there is none."""
    return int(trace.numpy("submit_s")[-1]) if len(trace) else 0


def _undisturbed(simulation: Simulation, blocks: Iterable[list[Job]], horizon_s: int | None) -> int:
    """Run without the cycle collector: the engine makes no cycles, and looking for them costs a fifth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return simulation.run(blocks, horizon_s)
    finally:
        if enabled:
            gc.enable()


def _reported(blocks: Iterable[list[Job]], progress: Progress | None) -> Iterator[list[Job]]:
    for block in blocks:
        if progress is not None:
            progress(block[0].row, block[0].submit_s)
        yield block
