"""The engine's parts, put together from the set-up of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from simpy import Environment

from scheduler.engine.closed_needs import ClosedNeeds
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.fair_share import StartTags
from scheduler.engine.jobs import Job
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.need import Need
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import PodNeed, Pool
from scheduler.engine.parts import Parts
from scheduler.engine.places import Places
from scheduler.engine.ranking import Ranking
from scheduler.engine.rented.offers import LiveOffer, Rental
from scheduler.engine.simulation import Simulation
from scheduler.engine.storm.checkpoints import CheckpointPlan, plan_of
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.links import Link, Store, Wire
from scheduler.engine.storm.outages import Outage
from scheduler.engine.warm_start import since_ready
from scheduler.live.market.market import guest_terms
from scheduler.policy.backfill import planned
from scheduler.policy.changing import Changing
from scheduler.policy.first import KeepFree
from scheduler.policy.order import ORDERS
from scheduler.replay.closed_until import ClosedUntil
from scheduler.replay.quotas import rules_of
from scheduler.replay.setup import Setup
from scheduler.replay.site_power import powers_of
from scheduler.stock.batches import FOR_EVER_S
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import OfferStock
from scheduler.weather.hazard import hazard_per_s, hazards
from traces.rows import JobRows
from traces.trace import NO_VALUE

BLOCK_NOTICE_S = 1_800
"""Instances of a block are stopped from 30 minutes before its end (AWS, vendor documents)."""
FOR_GOOD_S = 2**40


class Assembly:
    """The clock, the pools and the offers of a run; pools that outages concern are exposed."""

    def __init__(self, setup: Setup) -> None:
        self._setup, scenario, stock = setup, setup.scenario, setup.stock
        self.clock = Environment(setup.start_s)
        self.outages = _outages(setup)
        exposed = {outage.resource for outage in self.outages}
        tracks_releases = setup.policy.backfill is not None
        powers = powers_of(stock, self.clock)
        self._powers = list({id(each.power): each.power for each in powers.values()}.values())
        self.pools = [
            Pool(
                at,
                pool,
                tracks_releases=tracks_releases,
                exposed=at in exposed,
                power=powers.get(pool.name),
                from_s=setup.start_s,
            )
            for at, pool in enumerate(stock.pools)
        ]
        self.offers = [
            LiveOffer(at, offer, self.clock, scenario.checkpoints)
            for at, offer in enumerate(stock.offers, len(self.pools))
        ]
        first, place = setup.policy.first, setup.policy.place
        keep_free = first.share if isinstance(first, KeepFree) else None
        self.cluster = Cluster(self.pools, place, keep_free, self.clock)
        self._dates = ClosedUntil(setup)
        self._closed_needs = ClosedNeeds(self.clock, self._dates.at_s())

    def fit(
        self, gang: int, kind: str, may_leave: bool, places: Places
    ) -> tuple[list[PodNeed], list[Rental]]:
        """Return what a gang of reference devices takes of each pool and offer that could ever hold it."""
        owned, rented = list[PodNeed](), list[Rental]()
        for pool in self.pools:
            opens_s, rate = self._opening(pool.stock, kind, places)
            if opens_s is not None and (need := pool.need(gang, rate)) is not None:
                self._closed_needs.add(need, opens_s)
                owned.append(need)
        for offer in self.offers if may_leave else ():
            opens_s, rate = self._opening(offer.stock, kind, places)
            if opens_s is not None and (rental := offer.need(gang, rate)) is not None:
                self._closed_needs.add(rental, opens_s)
                rented.append(rental)
        return owned, rented

    def _opening(self, part: PoolStock | OfferStock, kind: str, places: Places) -> tuple[int | None, float]:
        """Return from when on a kind of job may start there, and how fast it is."""
        return self._dates.of(part, kind, places), self._setup.rate(part.device, kind)

    def simulation(self, log: RunLog, rows: JobRows) -> Simulation:
        """Return the simulation of the run; without a storm where nothing can befall an attempt.

        `rows` are all jobs of the run.
        """
        scenario, trace, policy = self._setup.scenario, self._setup.trace, self._setup.policy
        order = scenario.policy.order.partition(":")[0]
        changing = policy.order if isinstance(policy.order, Changing) else None
        shares_by_tags = changing is None and (order == "fair_share" or order not in ORDERS)
        curtailed = any(power.curtailments for power in self._powers)
        stormy = bool(self.outages) or curtailed or _interrupts(self._setup)
        if self._powers:
            policy = replace(policy, backfill=planned(policy.backfill))
        if trace.opens_s is not None:
            left = since_ready(policy.patience, trace.opens_s, log.turns.ready_s)
            policy = replace(policy, patience=left)
        return Simulation(
            Parts(
                self.clock,
                self.cluster,
                policy,
                log,
                Dependencies(linked=len(trace.after.rows) > 0, lag_s=rows.numpy("after_lag_s")),
                StartTags(scenario.shares) if shares_by_tags else None,
                self._conditions(rows, levels_drift=shares_by_tags or changing is not None)
                if stormy
                else None,
                self._ranking(changing, rows) if changing is not None else None,
                rules_of(scenario, [pool.stock.name for pool in self.pools], rows.words("owner")),
                scenario.policy.queue_most,
                scenario.overrun_s,
                self._closed_needs,
                None if scenario.market is None else guest_terms(scenario.market),
            )
        )

    def _ranking(self, order: Changing, rows: JobRows) -> Ranking:
        devices = sum(pool.size * len(pool.pods) for pool in self.pools)
        owners = rows.words("owner")
        return Ranking(order, self.clock, owners, self._setup.scenario.shares, devices)

    def _conditions(self, rows: JobRows, *, levels_drift: bool) -> Conditions:
        scenario = self._setup.scenario
        return Conditions(
            offers=self.offers,
            outages=self.outages,
            plan=_plans(self._setup, rows),
            restart_s=scenario.checkpoints.restart_s,
            overrun_s=scenario.overrun_s,
            levels_drift=levels_drift,
            retries=scenario.retries,
            preemption=scenario.preemption,
            wires=self._wires(),
            powers=self._powers,
            output_tb=rows.numpy("output_tb"),
        )

    def _wires(self) -> dict[int, Wire]:
        """Lay the links, and let their offers know how long staging takes over them."""
        wires: dict[int, Wire] = {}
        for link in self._setup.scenario.links:
            there, back = Link(self.clock, link.gbps), Link(self.clock, link.gbps)
            store = Store(link.shared_by)
            for offer in self.offers:
                if offer.stock.name in link.offers:
                    region = f"{offer.stock.provider} {offer.stock.region}"
                    wire = wires[offer.index] = Wire(there, back, store, region)
                    offer.forecast_s = wire.forecast_s
        return wires


def _outages(setup: Setup) -> list[Outage]:
    """Return the rows of the weather for the engine, which are all but prices, in seconds of the trace.

    Pods have no weather while they are not there; offers are also away between their blocks.
    """
    away = [row for at, offer in enumerate(setup.stock.offers) for row in _between_blocks(setup, at, offer)]
    if setup.weather is None:
        return away
    number, start_s = {name: at for at, name in enumerate(setup.stock.names)}, setup.start_s
    rows = (
        Outage(
            start_s + row["from_s"],
            start_s + row["to_s"],
            number[row["where"]],
            row["pod"] or 0,
            row["first"],
            row["devices"],
            row["what"],
            row["notice_s"],
            start_s + row["expected_s"],
            row["value"] or 0.0,
        )
        for row in setup.weather.table.to_pylist()
        if row["what"] != "price"
    )
    spans = {at: pod_spans(pool, start_s) for at, pool in enumerate(setup.stock.pools) if pool.batches}
    return away + [met for row in rows if (met := _within(row, spans)) is not None]


def pod_spans(pool: PoolStock, start_s: int) -> list[tuple[int, int]]:
    """Return by pod from when until when it is there."""
    return [batch.span(start_s, FOR_EVER_S) for batch in pool.batches for _ in range(batch.pods)]


def _within(outage: Outage, spans: dict[int, list[tuple[int, int]]]) -> Outage | None:
    """Return what of an outage befalls a pod while it is there."""
    if outage.resource not in spans:
        return outage
    came_s, left_s = spans[outage.resource][outage.pod]
    from_s, to_s = max(outage.from_s, came_s), min(outage.to_s, left_s)
    if from_s >= to_s:
        return None
    return outage._replace(from_s=from_s, to_s=to_s, notice_s=min(outage.notice_s, from_s - came_s))


def _between_blocks(setup: Setup, at: int, offer: OfferStock) -> Iterator[Outage]:
    """Yield when an offer is away: before its first block, between them, and after the last one for good."""
    blocks, resource = offer.blocks, len(setup.stock.pools) + at
    ends = [setup.start_s, *(max(setup.start_s, block.to_s or 0) for block in blocks)]
    begins = [*(block.from_s or 0 for block in blocks), FOR_GOOD_S]
    for end_s, begin_s in zip(ends, begins, strict=True) if blocks else ():
        if end_s < begin_s:
            what, notice_s = ("reclaim", BLOCK_NOTICE_S) if end_s > setup.start_s else ("shortage", 0)
            yield Outage(end_s, begin_s, resource, 0, 0, offer.most_devices, what, notice_s, begin_s, 0.0)


def _interrupts(setup: Setup) -> bool:
    """Whether attempts can last longer, give way or move though the weather is fair."""
    scenario, policy = setup.scenario, setup.policy
    leave = any(batch.retired_s is not None for pool in setup.stock.pools for batch in pool.batches)
    gives_way = any({queue.reclaim, queue.preempt_within} != {"never"} for queue in scenario.queues)
    moves = leave or policy.preempt is not None or policy.repatriate is not None or policy.abilities.ask_again
    return moves or gives_way or bool(scenario.links) or scenario.checkpoints.cost_s > 0


def _plans(setup: Setup, rows: JobRows) -> Callable[[Job, Need], CheckpointPlan]:
    """Say how a job writes checkpoints on what it takes of a pool or offer."""
    spec, own_s = setup.scenario.checkpoints, rows.numpy("checkpoint_s")
    known, names = hazards(setup.scenario, setup.stock), setup.stock.names

    @cache
    def common(need: Need) -> CheckpointPlan:
        hazard = hazard_per_s(known.get(names[need.column - 1], {}), need.devices)
        return plan_of(spec, None, need.run_s, hazard)

    def same_for_all(job: Job, need: Need) -> CheckpointPlan:
        return common(need)

    def own(job: Job, need: Need) -> CheckpointPlan:
        interval_s = int(own_s[job.row])
        return plan_of(spec, None if interval_s == NO_VALUE else interval_s, need.run_s, 0.0)

    return own if spec.interval == "trace" else same_for_all
