"""One run from a scenario and a trace to a finished run directory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace
from simpy import Environment

from scheduler.catalog import Catalog, load_catalog
from scheduler.engine.cluster import Cluster, Place, Pool
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.job import Fit, Job, jobs
from scheduler.engine.offers import Offer, Rental
from scheduler.engine.runlog import RunLog
from scheduler.engine.simulation import Simulation
from scheduler.engine.tags import Tags
from scheduler.money.audit import audit
from scheduler.money.ledger import write_ledger
from scheduler.money.meter import Meter
from scheduler.money.rates import Calendar, Owning
from scheduler.policy import Policy
from scheduler.resources import OfferResource, PoolResource, Resources, assumed, resources
from scheduler.run import Run, finish
from scheduler.scenario import Scenario
from traces.trace import ANY_DEVICE, Trace

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
    stock = resources(scenario, catalog, trace.epoch)
    owning = Owning(scenario.money, Calendar.of(trace.epoch))
    owning.periods(scenario.horizon_s or _last(trace))  # too many? better said now than after the run
    policy = Policy.build(**msgspec.structs.asdict(scenario.policy))
    clock = Environment()
    pools = [_pool(at, pool, tracks=policy.backfill is not None) for at, pool in enumerate(stock.pools)]
    offers = [_offer(len(pools) + at, offer, clock) for at, offer in enumerate(stock.offers)]
    meter = Meter(stock, owning, trace)
    folder.mkdir(parents=True, exist_ok=True)
    log = RunLog(folder, trace, [pool.name for pool in pools], [offer.name for offer in offers], meter.price)
    tags = Tags(scenario.shares) if scenario.policy.order == "fair_share" else None
    after = Dependencies(len(trace), linked=trace.table.column("after").null_count < len(trace))
    simulation = Simulation(clock, Cluster(pools, policy.place), policy, log, after, tags)
    blocks = jobs(trace, _fit(pools, offers, trace.reference_device, catalog))
    end_s = _undisturbed(simulation, _reported(blocks, progress), scenario.horizon_s)
    grown = [replace(pool, pods=len(made.pods)) for pool, made in zip(stock.pools, pools, strict=True)]
    stock = replace(stock, pools=tuple(grown))
    spend = write_ledger(folder, stock, owning, trace, end_s)
    checks = audit(folder, spend, stock, owning, meter, end_s)
    told = {
        "jobs": log.counts(),
        "ledger": [check._asdict() for check in checks],
        "assumed": assumed(scenario, stock, catalog),
    }
    return finish(folder, scenario, trace, stock, end_s, told)


def fit_of(stock: Resources, reference: str, catalog: Catalog) -> Fit:
    """Say what gangs of reference devices take of the pools and offers, outside of any run."""
    pools = [_pool(at, pool, tracks=True) for at, pool in enumerate(stock.pools)]
    offers = [_offer(len(pools) + at, offer, Environment()) for at, offer in enumerate(stock.offers)]
    return _fit(pools, offers, reference, catalog)


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


def _pool(index: int, pool: PoolResource, *, tracks: bool) -> Pool:
    return Pool(
        index,
        pool.name,
        pool.device,
        size=pool.pod_devices,
        pods=pool.pods,
        span_efficiency=pool.span_efficiency,
        endless=pool.endless,
        tracks_releases=tracks,
    )


def _offer(index: int, offer: OfferResource, clock: Environment) -> Offer:
    return Offer(
        index,
        offer.name,
        offer.device,
        clock,
        prices=offer.prices,
        quota=offer.quota,
        committed_devices=offer.committed_devices,
        node_devices=offer.node_devices,
        boot_s=offer.boot_s,
        staging_s_per_tb=offer.staging_s_per_tb,
    )


def _fit(pools: list[Pool], offers: list[Offer], reference: str, catalog: Catalog) -> Fit:
    """Say what a gang of reference devices takes of each pool and offer, by the ratio of peak x MFU."""

    def rate(device: str, kind: str) -> float:
        if reference in (ANY_DEVICE, device):
            return 1.0
        return catalog.device(device).rate_pflops(kind) / catalog.device(reference).rate_pflops(kind)

    @cache
    def fit(gang: int, kind: str, may_leave: bool) -> tuple[list[Place], list[Rental]]:
        owned = [pool.need(gang, rate(pool.device, kind)) for pool in pools]
        rented = [offer.need(gang, rate(offer.device, kind)) for offer in offers] if may_leave else []
        return [need for need in owned if need], [need for need in rented if need]

    return fit
