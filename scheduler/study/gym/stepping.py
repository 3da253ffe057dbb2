"""The engine, moved from decision to decision by somebody who decides in place of its policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import inf
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from scheduler.engine.jobs import Job
from scheduler.engine.owned.cluster import Slot
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.rented.offers import Rental
from scheduler.engine.source import TraceSource
from scheduler.money.ledger.meter import Meter
from scheduler.policy.changing import Changing
from scheduler.policy.order import Order
from scheduler.policy.place import NOWHERE, Place
from scheduler.policy.views import JobView, OrderView
from scheduler.replay.assembly import Assembly
from scheduler.replay.replay import log_of
from scheduler.replay.setup import Setup
from scheduler.study.gym.window import WINDOW, JobWindow
from traces.arrays import Array


class SteppingError(ValueError):
    """A world in which nobody can decide step by step."""


class Started(NamedTuple):
    """A start that was decided."""

    job_id: int
    alloc_s: int
    resource: int
    """A pool or an offer, numbered in that order."""


class Stepping:
    """A run whose own passes start nobody: its place policy finds no pod, its score wants no offer.

    Whoever steps through it starts jobs between two passes. `folder` takes the log, should it grow long. The
    set-up must have passed `check_steps`.
    """

    def __init__(self, setup: Setup, folder: Path) -> None:
        policy = setup.policy
        assert not isinstance(policy.order, Changing)
        self._order: Order = policy.order
        self._place: Place = policy.place
        self._score = policy.offer
        self._deciding = False
        policy = replace(
            policy,
            order=self._joined,
            place=self._placed,
            patience=_waits_on,
            offer=_wants_none,
            backfill=None,
            first=None,
            preempt=None,
            repatriate=None,
        )
        setup = replace(setup, policy=policy)
        assembly = Assembly(setup)
        fit = cache(assembly.fit)
        meter = Meter(setup.stock, setup.owning, setup.trace)
        self._simulation = assembly.simulation(log_of(setup, assembly, folder, meter), setup.trace)
        self._clock, self.cluster, self.offers = assembly.clock, assembly.cluster, assembly.offers
        self.window = JobWindow()
        self.now_s = setup.start_s
        self.started: list[Started] = []
        self.any_may = False
        """Whether any of those seen may start now."""
        self._may = np.zeros((2, WINDOW + 2), np.int8)
        """By the code of a group: whether it may start on pods, and on offers."""
        self._on_pods, self._on_offers = self._may
        self.device_s = self.job_s = 0
        """Waited so far, by reference devices and by jobs."""
        horizon_s = setup.horizon_ends_s
        self._ends_s = inf if horizon_s is None else horizon_s
        self._simulation.expect(TraceSource(setup.trace, fit), horizon_s)

    # the run

    def advance(self) -> bool:
        """Go on to the end of the next instant at which somebody may start; no: the run is over."""
        clock = self._clock
        while (next_s := clock.peek()) < self._ends_s:
            self._wait_until(int(next_s))
            clock.step()
            while clock.peek() == next_s:
                clock.step()
            if self.window.entries:
                self._look()
                if self.any_may:
                    return True
        self.any_may = False
        if self._ends_s < inf:
            self._wait_until(int(self._ends_s))
        return False

    @property
    def goes_on(self) -> bool:
        """Whether time passes without anybody starting now."""
        return self._clock.peek() < inf or self._ends_s < inf

    def _wait_until(self, second: int) -> None:
        passed_s, self.now_s = second - self.now_s, second
        self.device_s += passed_s * self.window.devices
        self.job_s += passed_s * len(self.window.entries)

    # who may start

    def _look(self) -> None:
        """Ask for each group of those seen whether it may start now."""
        for group in self.window.groups.values():
            group.starts = group.bursts = True
        self._look_at_those_who_might()

    def _look_at_those_who_might(self) -> None:
        """Ask for those again who might have started before somebody did, since when there is less room."""
        on_pods, on_offers = self._on_pods, self._on_offers
        most_free = self.cluster.most_free()
        most_left = max([offer.free for offer in self.offers], default=0)
        self.any_may = False
        for group in self.window.groups.values():
            if group.starts:
                group.starts = group.least <= most_free and self._slot(group.job) is not None
            if group.bursts:
                group.bursts = group.held <= most_left and any(map(_has_room, group.job.shape.rented))
            on_pods[group.code], on_offers[group.code] = group.starts, group.bursts
            self.any_may = self.any_may or group.starts or group.bursts

    def mark(self, may: Array) -> None:
        """Say in two rows of `WINDOW` who of those seen may start now: on pods, and on offers."""
        if self.any_may:
            self._may.take(self.window.codes, 1, may, "clip")
        else:
            may[:] = 0

    def _slot(self, job: Job) -> Slot | None:
        self._deciding = True
        slot = self.cluster.find(job)
        self._deciding = False
        return slot

    def start(self, at: int) -> None:
        """Start one of those seen where the place policy puts it."""
        slot = self._slot(self.window.job(at))
        assert slot is not None
        self._begin(at, *slot)

    def burst(self, at: int) -> float:
        """Start one of those seen on the offer with the lowest score; return what it will cost, in USD."""
        job = self.window.job(at)
        rentals = [rental for rental in job.shape.rented if _has_room(rental)]
        rental = rentals[int(np.argmin([self._score(job, rental) for rental in rentals]))]
        usd = rental.cost_usd(job)
        self._begin(at, rental, ())
        return usd

    def _begin(self, at: int, need: PodNeed | Rental, pods: tuple[Pod, ...]) -> None:
        job = self.window.remove(at)
        self._simulation.now_s = self.now_s
        self._simulation.begin(job, need, pods)
        self.started.append(Started(job.job_id, self.now_s, need.column - 1))
        self._look_at_those_who_might()

    # in place of its policies

    def _joined(self, job: JobView, view: OrderView) -> float:
        """Every newcomer is asked for its key, and waits from then on."""
        key = self._order(job, view)
        self.window.add((key, job.job_id, cast(Job, job)), self.now_s)
        return key

    def _placed(self, job: JobView, devices: int, free: Sequence[int]) -> int:
        return self._place(job, devices, free) if self._deciding else NOWHERE


def _waits_on(job: JobView, view: object) -> float:
    return inf


def _wants_none(job: JobView, offer: object) -> float:
    return inf


def _has_room(rental: Rental) -> bool:
    return rental.has_room and not rental.offer.refuses


def check_steps(setup: Setup) -> None:
    """Raise SteppingError for what has starts of its own, or none that can be chosen."""
    scenario = setup.scenario
    endless = any(pool.endless for pool in setup.stock.pools)
    dated = bool(scenario.closures) or any(pool.batches for pool in setup.stock.pools)
    refused = {
        "queues with quotas": bool(scenario.queues),
        "a market, loops or parked cars": bool(scenario.market or scenario.loops or scenario.edge),
        "pods that come and go, or close": dated,
        "a pool without end": endless,
        "an order whose keys change": isinstance(setup.policy.order, Changing),
        "jobs that run already": setup.trace.opens_s is not None,
        "a cap on the queue": scenario.policy.queue_most is not None,
    }
    for what, there in refused.items():
        if there:
            raise SteppingError(f"{scenario.name}: has {what}, which an environment cannot step through")
