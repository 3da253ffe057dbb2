"""One run from a scenario and a trace to a finished run directory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from scheduler.catalog import Catalog, load_catalog
from scheduler.engine.cluster import Cluster, Place, Pool
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.job import Fit, Job, jobs
from scheduler.engine.offers import Offer, Rental
from scheduler.engine.runlog import RunLog
from scheduler.engine.simulation import Simulation
from scheduler.engine.tags import Tags
from scheduler.money.ledger import Prices, write_ledger
from scheduler.policy import Policy
from scheduler.resources import PoolResource, assumed, resources
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
    offer that is not known, OSError where the folder cannot be written.
    """
    catalog = catalog or load_catalog()
    stock = resources(scenario, catalog)
    spec = scenario.policy
    policy = Policy.build(**msgspec.structs.asdict(spec))
    pools = [_pool(at, pool, tracks=policy.backfill is not None) for at, pool in enumerate(stock.pools)]
    offers = [
        Offer(
            len(pools) + at,
            offer.name,
            offer.device,
            usd_per_device_h=offer.usd_per_device_h,
            quota=offer.quota,
            node_devices=offer.node_devices,
            boot_s=offer.boot_s,
            staging_s_per_tb=offer.staging_s_per_tb,
        )
        for at, offer in enumerate(stock.offers)
    ]
    prices = Prices.of(stock, scenario.money)
    folder.mkdir(parents=True, exist_ok=True)
    log = RunLog(
        folder, trace, [pool.name for pool in pools], [offer.name for offer in offers], prices.of_jobs
    )
    tags = Tags(scenario.shares) if spec.order == "fair_share" else None
    after = Dependencies(len(trace), linked=trace.table.column("after").null_count < len(trace))
    simulation = Simulation(Cluster(pools, policy.place), policy, log, after, tags)
    blocks = jobs(trace, _fit(pools, offers, trace.reference_device, catalog))
    end_s = _undisturbed(simulation, _reported(blocks, progress), scenario.horizon_s)
    grown = {pool.name: len(pool.pods) for pool in pools}
    write_ledger(folder, prices, grown, end_s)
    told = {"jobs": log.counts(), "assumed": assumed(scenario, stock, catalog)}
    return finish(folder, scenario, trace, stock, grown, end_s, told)


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
