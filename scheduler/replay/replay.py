"""One run from its set-up to a finished run directory."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from scheduler.engine.log.runlog import RunLog
from scheduler.engine.log.site_power import SitePower
from scheduler.engine.simulation import Simulation
from scheduler.engine.source import ReplayProgress, Source, TraceSource
from scheduler.live.source import LiveSource
from scheduler.money.ledger.audit import audit
from scheduler.money.ledger.batch_events import write_assets
from scheduler.money.ledger.ledger import write_ledger
from scheduler.money.ledger.meter import Meter
from scheduler.money.ledger.porting import ported
from scheduler.replay.as_recorded import run_as_recorded, stays_of
from scheduler.replay.assembly import Assembly
from scheduler.replay.engines import RECORD, EngineChoice, choose, count_jobs, lane_of
from scheduler.replay.living import Living
from scheduler.replay.quotas import write_admissions
from scheduler.replay.setup import Setup
from scheduler.replay.warm_source import opened_source
from scheduler.run.directory import Run, finish
from scheduler.stock.assumed import prices_of, unsure_figures
from scheduler.stock.batches import FOR_EVER_S
from traces.files import held
from traces.trace import Trace


def replay(
    setup: Setup,
    folder: Path,
    *,
    engine: str = "auto",
    progress: ReplayProgress | None = None,
    live: Sequence[LiveSource] = (),
) -> Run:
    """Run the set-up's policy over its trace and log it under `folder`, which is made.

    Where there are `live` sources beside the trace, the run writes the trace that comes of both, which under
    the same policy gives the same jobs, attempts and states. The run is finished once run.json is there,
    which is written last. Raises OSError where the folder cannot be written, or another process writes there,
    EngineError where `engine`, one of `ENGINES` or `RECORD`, cannot, LiveError for a trace or horizon with
    which live sources cannot run, and as recorded also TraceError and RecordError.
    """
    choice = choose(setup, engine, live=bool(live))
    with held(folder):
        run = _run(setup, folder, choice, progress, live)
    count_jobs(choice, len(setup.trace))
    return run


def check_beginning(setup: Setup, engine: str) -> None:
    """Raise what a run on this engine would, as far as that can be known before anything is written."""
    recorded = choose(setup, engine).name == RECORD
    if recorded or setup.trace.opens_s is not None:
        assembly = Assembly(setup)
        fit = cache(assembly.fit)
        if recorded:
            stays_of(setup, fit)
        else:
            meter = Meter(setup.stock, setup.owning, setup.trace)
            simulation = assembly.simulation(log_of(setup, assembly, Path(), meter), meter.jobs)
            opened_source(setup.trace, fit, simulation, TraceSource(setup.trace, fit))


def _run(
    setup: Setup,
    folder: Path,
    choice: EngineChoice,
    progress: ReplayProgress | None,
    live: Sequence[LiveSource],
) -> Run:
    scenario, owning = setup.scenario, setup.owning
    assembly = Assembly(setup)
    fit = cache(assembly.fit)
    living = Living(setup, fit, live, progress)
    merged = living.merged
    meter = Meter(setup.stock, owning, setup.trace if merged is None else merged.rows)
    log = log_of(setup, assembly, folder, meter)
    if choice.name == RECORD:
        end_s = run_as_recorded(setup, fit, log)
    elif choice.name == "fast":
        end_s = lane_of(setup, assembly, fit).run(assembly.simulation(log, setup.trace), progress)
    else:
        simulation = living.join(assembly.simulation(log, meter.jobs))
        source = opened_source(
            setup.trace, fit, simulation, merged or TraceSource(setup.trace, fit, progress)
        )
        end_s = _undisturbed(simulation, source, setup.horizon_ends_s)
    trace, sold = living.trace(folder), living.settle(folder, end_s)
    grown = tuple(replace(pool.stock, pods=len(pool.pods)) for pool in assembly.pools)
    stock = replace(setup.stock, pools=grown)
    once = sold, ported(folder, stock, scenario.ports)
    spend = write_ledger(folder, stock, owning, end_s, *once)
    write_assets(folder, stock, owning, end_s, trace.epoch)
    _write_waits(folder, setup, trace, log, end_s)
    checks = audit(folder, spend, stock, owning, meter, end_s, *once)
    entries = {
        "jobs": log.counts(),
        "refused": log.refusals(),
        "ledger": [check._asdict() for check in checks],
        "unsure": unsure_figures(scenario, stock, setup.catalog),
        "engine": choice._asdict(),
    }
    return finish(folder, scenario, trace, stock, end_s, entries | _inputs(setup))


def _inputs(setup: Setup) -> dict[str, object]:
    """Return the entries of run.json for what the run was given besides its scenario and trace."""
    weather = setup.weather
    return {
        "weather": weather and {"until_s": weather.until_s, "rows": len(weather.table)},
        "prices_of": prices_of(setup.scenario, setup.stock, setup.catalog),
        "policy_files": setup.scenario.policy.files(),
    }


def _write_waits(folder: Path, setup: Setup, jobs: Trace, log: RunLog, end_s: int) -> None:
    """Write who waited for quota, and when patience was over, where that does not follow from the rest."""
    write_admissions(folder, setup, jobs, log, end_s)
    if setup.watches_patience:
        log.patience.write(folder, jobs.numpy("job_id"))


def log_of(setup: Setup, assembly: Assembly, folder: Path, meter: Meter) -> RunLog:
    """Return the log of a run, which has nothing in it but the pods that come and go by date."""
    names = [part.stock.name for part in assembly.pools], [part.stock.name for part in assembly.offers]
    coming = [pool.name for pool in setup.stock.pools if pool.batches]
    power = SitePower(setup.stock, setup.start_s)
    log = RunLog(folder, meter.jobs, *names, meter.price, power=power, coming=coming)
    for at, pool in enumerate(setup.stock.pools):
        for batch in pool.batches:  # known ahead, so that each engine has them
            came_s, left_s = batch.span(setup.start_s, FOR_EVER_S)
            log.owned(at, came_s, batch.pods * pool.pod_devices)
            log.owned(at, left_s, -batch.pods * pool.pod_devices)
    return log


def _undisturbed(simulation: Simulation, source: Source, horizon_s: int | None) -> int:
    """Run without the cycle collector: the engine makes no cycles, and looking for them costs a fifth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return simulation.run(source, horizon_s)
    finally:
        if enabled:
            gc.enable()
