"""Whether what live sources of a scenario ask for could ever be had of what it owns and rents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from scheduler.catalog import Catalog
from scheduler.engine.need import devices_for
from scheduler.live.market.market import kind_of
from scheduler.run.edge_worth import shard_s
from scheduler.scenario import LoopSpec, MarketSpec, Scenario, ScenarioError
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import Stock, stock_of
from traces.errors import ALIKE, nearest
from traces.numbers import duration
from traces.times import HOUR_S
from traces.trace import ANY_DEVICE

Rate = Callable[[str, str], float]
"""(device, kind) -> how fast it is beside the reference device."""


def check_live(scenario: Scenario, catalog: Catalog, reference: str, kinds: Collection[str]) -> None:
    """Raise ScenarioError for sizes, gangs and reserves above all that there is, and unknown kinds.

    `reference` is the device that the jobs speak of, `kinds` are those of the jobs that may come.
    """
    if not scenario.lives:
        return

    def rate(device: str, kind: str) -> float:
        if reference in (ANY_DEVICE, device):
            return 1.0
        return catalog.device(device).rate_pflops(kind) / catalog.device(reference).rate_pflops(kind)

    stock = stock_of(scenario, catalog)
    wrong = [*_of_cars(scenario, kinds)]
    for loop in scenario.loops:
        wrong += [
            f"{each} of {reference}: no pool or offer has so many" for each in _of_loop(loop, stock, rate)
        ]
    if stock.pools and scenario.market is not None:
        pools = _selling(scenario, stock)
        wrong += _of_market(scenario.market, pools)
        told = f"of {reference} are more than a pod that sells has, and customers stay inside one"
        wrong += [f"{each} {told}" for each in _too_large(scenario.market, pools, rate)]
        wrong += _too_many(scenario.market, pools, rate)
    if wrong:
        raise ScenarioError(wrong[0])


def _selling(scenario: Scenario, stock: Stock) -> list[PoolStock]:
    """Return the pools that sell: those on no site with a cap."""
    capped = {pool for site in scenario.sites if site.is_capped for pool in site.pools}
    return [pool for pool in stock.pools if pool.name not in capped]


def _of_market(market: MarketSpec, pools: Sequence[PoolStock]) -> Iterator[str]:
    """Yield reserves and leases above all devices of some pools."""
    if any(pool.endless for pool in pools):
        return
    there = sum(pool.most_pods() * pool.pod_devices for pool in pools)
    keys = [("market", "reserve_devices", market.reserve_devices)]
    for at, segment in enumerate(market.segments):
        keys.append((f"market.segments[{at}]", "reserve_devices", segment.reserve_devices or 0))
    for where, key, devices in keys:
        if devices > there:
            yield f"{where}.{key} = {devices}: there are {there:,} devices that are ever sold"


def _too_large(market: MarketSpec, pools: Sequence[PoolStock], rate: Rate) -> Iterator[str]:
    """Yield the sizes of customers that no pod of some pools ever holds."""
    asked = [
        (f"market.segments[{at}].devices: {devices}", each.name, devices)
        for at, each in enumerate(market.segments)
        for devices in each.devices
    ]
    leases = enumerate(market.leases)
    asked += [(f"market.leases[{at}].each: {each.each}", each.name, each.each) for at, each in leases]
    for told, name, devices in asked:
        if all(devices_for(devices, rate(pool.device, kind_of(name))) > pool.pod_devices for pool in pools):
            yield told


def _too_many(market: MarketSpec, pools: Sequence[PoolStock], rate: Rate) -> Iterator[str]:
    """Yield leases of more parts than all pods of some pools ever hold."""
    for at, lease in enumerate(market.leases):
        rates = ((pool, rate(pool.device, kind_of(lease.name))) for pool in pools)
        parts = sum(
            pool.pod_devices // devices_for(lease.each, fast) * pool.most_pods() for pool, fast in rates
        )
        if lease.devices > parts * lease.each:
            told = f"there is never room for more than {parts * lease.each:,}"
            yield f"market.leases[{at}].devices = {lease.devices}: {told} in parts of {lease.each}"


def _of_loop(loop: LoopSpec, stock: Stock, rate: Rate) -> Iterator[str]:
    """Yield the gangs of a loop that neither pools nor offers ever hold."""
    for key, gang, stage in (
        ("gang", loop.gang, "train"),
        ("evaluation_gang", loop.evaluation_gang, "evaluate"),
    ):
        kind = f"loop.{stage}"
        owned = (
            pool.endless or devices_for(gang, rate(pool.device, kind)) <= pool.pod_devices * pool.most_pods()
            for pool in stock.pools
        )
        rented = (
            offer.held_for(devices_for(gang, rate(offer.device, kind))) <= offer.quota
            for offer in stock.offers
        )
        if not any(owned) and not any(rented):
            yield f"loops: {loop.name}: {key} = {gang}"


def _of_cars(scenario: Scenario, kinds: Collection[str]) -> Iterator[str]:
    """Yield what cars cannot take: kinds that never come, and shards that take too long."""
    for at, fleet in enumerate(scenario.edge):
        for kind in fleet.kinds:
            if kind not in kinds:
                yield f'edge[{at}].kinds: "{kind}" is no kind of the jobs{nearest(kind, kinds, ALIKE)}'
        if (took_s := shard_s(fleet)) > fleet.deadline_h * HOUR_S:
            took = duration(took_s)
            yield f"edge[{at}].deadline_h = {fleet.deadline_h:g}: a shard alone takes a car {took}"
