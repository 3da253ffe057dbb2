"""The engine's parts, put together from what a run owns and rents, its policy and its weather."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from simpy import Environment

from scheduler.catalog import Catalog
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.fair_share import Tags
from scheduler.engine.jobs import Fit, Job, Need
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import Place, Pool
from scheduler.engine.rented.offers import Offer, Rental
from scheduler.engine.simulation import Simulation
from scheduler.engine.storm.checkpoints import Plan, plan_of
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.links import Link, Store
from scheduler.engine.storm.outages import Outage
from scheduler.engine.storm.staging import Wire
from scheduler.engine.storm.storm import Storm
from scheduler.policy import Policy
from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock
from scheduler.weather import Weather
from scheduler.weather.hazard import hazard_per_s, hazards
from traces.trace import ANY_DEVICE, NO_VALUE, Trace


class Parts:
    """The clock, the pools and the offers of a run; pools that `outages` concern are exposed."""

    def __init__(
        self, scenario: Scenario, stock: Stock, policy: Policy, outages: list[Outage] | None = None
    ) -> None:
        self.clock = Environment()
        self.outages = outages or []
        exposed = {outage.resource for outage in self.outages}
        self.pools = [
            Pool(
                at,
                pool.name,
                pool.device,
                size=pool.pod_devices,
                pods=pool.pods,
                span_efficiency=pool.span_efficiency,
                endless=pool.endless,
                tracks_releases=policy.backfill is not None,
                exposed=at in exposed,
            )
            for at, pool in enumerate(stock.pools)
        ]
        checkpoint_gb = scenario.checkpoints.gb_per_device
        self.offers = [
            Offer(
                at,
                offer.name,
                offer.device,
                self.clock,
                prices=offer.prices,
                quota=offer.quota,
                committed_devices=offer.committed_devices,
                node_devices=offer.node_devices,
                boot_s=offer.boot_s,
                staging_s_per_tb=offer.staging_s_per_tb,
                spot=offer.spot,
                leaving_usd_per_device=offer.egress_usd_per_gb * checkpoint_gb,
                restart_s=scenario.checkpoints.restart_s,
            )
            for at, offer in enumerate(stock.offers, len(self.pools))
        ]

    def fit(self, reference: str, catalog: Catalog) -> Fit:
        """Say what a gang of reference devices takes of each pool and offer, by the ratio of peak x MFU."""

        def rate(device: str, kind: str) -> float:
            if reference in (ANY_DEVICE, device):
                return 1.0
            return catalog.device(device).rate_pflops(kind) / catalog.device(reference).rate_pflops(kind)

        @cache
        def fit(gang: int, kind: str, may_leave: bool) -> tuple[list[Place], list[Rental]]:
            owned = [pool.need(gang, rate(pool.device, kind)) for pool in self.pools]
            rented = [offer.need(gang, rate(offer.device, kind)) for offer in self.offers]
            return [need for need in owned if need], [need for need in rented if need and may_leave]

        return fit


def outages_of(weather: Weather | None, stock: Stock) -> list[Outage]:
    """Return the rows of the weather that the engine has to do with: all but prices."""
    if weather is None:
        return []
    names = [*(pool.name for pool in stock.pools), *(offer.name for offer in stock.offers)]
    number = {name: at for at, name in enumerate(names)}
    return [
        Outage(
            row["from_s"],
            row["to_s"],
            number[row["where"]],
            row["pod"] or 0,
            row["first"],
            row["devices"],
            row["what"],
            row["notice_s"],
            row["expected_s"],
            row["value"] or 0.0,
        )
        for row in weather.table.to_pylist()
        if row["what"] != "price"
    ]


def simulation(
    scenario: Scenario, stock: Stock, policy: Policy, parts: Parts, trace: Trace, log: RunLog
) -> Simulation:
    """Return the simulation of a run, the plain one where nothing can befall an attempt."""
    tags = Tags(scenario.shares) if scenario.policy.order == "fair_share" else None
    after = Dependencies(len(trace), linked=trace.table.column("after").null_count < len(trace))
    cluster = Cluster(parts.pools, policy.place)
    if not (parts.outages or _interrupts(scenario, policy)):
        return Simulation(parts.clock, cluster, policy, log, after, tags)
    output_tb = trace.numpy("output_tb")
    conditions = Conditions(
        offers=parts.offers,
        outages=parts.outages,
        plan=_plans(scenario, stock, trace),
        restart_s=scenario.checkpoints.restart_s,
        retries=scenario.retries,
        preemption=scenario.preemption,
        wires=_wires(scenario, stock, parts),
        output_tb=lambda row: float(output_tb[row]),
    )
    return Storm(parts.clock, cluster, policy, log, after, tags, conditions)


def _interrupts(scenario: Scenario, policy: Policy) -> bool:
    """Whether attempts can last longer, give way or move though the weather is fair."""
    asks_again = hasattr(policy.offer, "reconsiders") or hasattr(policy.offer, "decides_s")
    moves = policy.preempt is not None or policy.repatriate is not None or asks_again
    return moves or bool(scenario.links) or scenario.checkpoints.cost_s > 0


def _plans(scenario: Scenario, stock: Stock, trace: Trace) -> Callable[[Job, Need], Plan]:
    """Say how a job writes checkpoints on what it takes of a pool or offer."""
    spec, own_s, known = scenario.checkpoints, trace.numpy("checkpoint_s"), hazards(scenario, stock)
    names = [*(pool.name for pool in stock.pools), *(offer.name for offer in stock.offers)]

    @cache
    def common(need: Need) -> Plan:
        hazard = hazard_per_s(known.get(names[need.column - 1], {}), need.devices)
        return plan_of(spec, None, need.run_s, hazard)

    def own(job: Job, need: Need) -> Plan:
        interval_s = int(own_s[job.row])
        return plan_of(spec, None if interval_s == NO_VALUE else interval_s, need.run_s, 0.0)

    return own if spec.interval == "trace" else lambda job, need: common(need)


def _wires(scenario: Scenario, stock: Stock, parts: Parts) -> dict[int, Wire]:
    """Lay the links, and let their offers know how long staging takes over them."""
    wires: dict[int, Wire] = {}
    resources = {offer.name: offer for offer in stock.offers}
    for link in scenario.links:
        there, back = Link(parts.clock, link.gbps), Link(parts.clock, link.gbps)
        store = Store(link.shared_by)
        for offer in parts.offers:
            if offer.name in link.offers:
                region = f"{resources[offer.name].provider} {resources[offer.name].region}"
                wire = wires[offer.index] = Wire(there, back, store, region)
                offer.forecast_s = wire.forecast_s
    return wires
