"""The engine's parts, put together from the set-up of a run."""

from __future__ import annotations

from collections.abc import Callable
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
from scheduler.engine.rented.rent_account import RentAccount
from scheduler.engine.simulation import Simulation
from scheduler.engine.storm.checkpoints import CheckpointPlan, plan_of
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.links import Link, Store, Wire
from scheduler.engine.warm_start import since_ready
from scheduler.live.market.market import guest_terms
from scheduler.policy.backfill import planned
from scheduler.policy.changing import Changing
from scheduler.policy.first import KeepFree
from scheduler.policy.order import ORDERS
from scheduler.replay.closed_until import ClosedUntil
from scheduler.replay.outages import outages_of
from scheduler.replay.quotas import queue_rent_of, rules_of
from scheduler.replay.setup import Setup
from scheduler.replay.site_power import powers_of
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import OfferStock
from scheduler.weather.hazard import hazard_per_s, hazards
from traces.rows import JobRows
from traces.trace import NO_VALUE


class Assembly:
    """The clock, the pools and the offers of a run; pools that outages concern are exposed."""

    def __init__(self, setup: Setup) -> None:
        self._setup, scenario, stock = setup, setup.scenario, setup.stock
        self.clock = Environment(setup.start_s)
        self.outages = outages_of(setup)
        exposed = set(self.outages.resource.tolist())
        tracks_releases = setup.policy.backfill is not None or setup.watches_patience
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
        stormy = len(self.outages.what) > 0 or curtailed or _interrupts(self._setup)
        if self._powers:
            policy = replace(policy, backfill=planned(policy.backfill))
        if trace.opens_s is not None and policy.abilities.again_s is None:
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
                rules_of(
                    scenario, [pool.stock.name for pool in self.pools], rows.words("owner"), log.admissions
                ),
                scenario.policy.queue_most,
                scenario.overrun_s,
                self._closed_needs,
                RentAccount(self.clock) if self._setup.watches_patience else None,
                None if scenario.market is None else guest_terms(scenario.market),
                queue_rent_of(scenario.queues, rows.words("owner"), self.clock),
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
