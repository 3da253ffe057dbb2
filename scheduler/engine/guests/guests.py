"""Guests: jobs that use what the others leave, behind them and never in their way.

To the others a preemptible guest is not there: it holds no devices that they see, and stops as soon as they
take what it uses. A firm guest holds devices like any job once it has started, and starts only where nobody
waits for pods. Guests stay inside one pod, and use whichever of its devices are free. They are started and
stopped at the very end of an instant, so that the others make their passes as if there were none.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Protocol

from simpy import Environment
from simpy.events import Event

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.attempt import Attempt
from scheduler.engine.guests.notices import Notices
from scheduler.engine.guests.room import GuestRoom, GuestTerms
from scheduler.engine.guests.stopped import kept, left
from scheduler.engine.instant import GUESTS, call_at
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.log.outcomes import FINISHED, PREEMPTED, UNFINISHED, Account
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.lineup import Lineup
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.storm.retries import Career


class Customers(Protocol):
    """Who may come as a guest, by what there is at this moment."""

    def next_s(self) -> int | None:
        """Return when the next of them asks."""

    def take(self, guests: Guests, now_s: int) -> list[Job]:
        """Return the jobs of those who ask now and come."""


class GuestLoop(Protocol):
    """The simulation, as guests see it."""

    now_s: int
    passed_s: int
    """The instant of the last pass."""
    log: RunLog
    waiting_jobs: int
    arrivals: Arrivals
    lineup: Lineup
    running: dict[Attempt, None]

    def make_pass(self) -> None:
        """Start whatever may start now."""


class Guests:
    """Those who wait, in order of their submission, and those who run; `terms` are by kind of job."""

    def __init__(
        self,
        loop: GuestLoop,
        env: Environment,
        cluster: Cluster,
        log: RunLog,
        terms: Mapping[str, GuestTerms],
    ) -> None:
        self._loop, self._env, self._log, self._terms = loop, env, log, terms
        self.customers: Customers | None = None
        self._waiting: list[Job] = []
        self._running = log.guests
        self._room = GuestRoom(cluster)
        self._free, self._rings_s = 0, inf
        self._interrupted: dict[int, Career] = {}
        self._notices = Notices(self, loop, env, terms)

    # what the run tells

    def admits(self, job: Job) -> bool:
        """Say whether a job is a guest's."""
        return job.kind in self._terms and bool(job.shape.owned)

    def submit(self, job: Job) -> None:
        """Let a guest wait from now on."""
        self._log.turns.waiting[job.turn] = 1
        self._waiting.append(job)
        self.call()

    def call(self) -> None:
        """Something has happened that guests may answer at the end of this instant."""
        self._ring_at(int(self._env.now))

    def attend(self, customers: Customers) -> None:
        """Ask customers as they come."""
        self.customers = customers
        self._attend()

    def interrupted(self, row: int) -> bool:
        """Say whether a guest was stopped, by its row in the trace."""
        return row in self._interrupted

    def close(self, end_s: int) -> None:
        """Log those who still run as the run ends; one that ends at that very second has finished."""
        for attempt in list(self._running):
            if attempt.end_s <= end_s:
                self._log.ended(attempt, end_s, FINISHED, self._account(attempt))
            else:
                self._log.ended(attempt, end_s, UNFINISHED, attempt.so_far(end_s))
        self._running.clear()

    # what customers ask

    def fits(self, shape: Shape, kind: str) -> bool:
        """Say whether a guest could start now."""
        self._free = self._room.unused()
        return self._slot(shape, self._terms[kind]) is not None

    def utilization(self) -> float:
        """Return the share of the owned devices that is used, by guests too."""
        devices = self._room.devices()
        return 1.0 - self._room.unused() / devices if devices else 1.0

    def predicted_wait_s(self, kind: str) -> float:
        """Return the estimated work of all that runs or waits over the devices that guests may have.

        As if work were a fluid, so a bound from below.
        """
        now_s, work = int(self._env.now), 0.0
        for attempt in [*self._loop.running, *self._running]:
            if attempt.pods:
                work += attempt.need.devices * max(0, attempt.estimated_end_s() - now_s)
        for job in [*self._loop.lineup.queue.in_order(), *self._waiting]:
            need = job.shape.owned[0]
            work += need.devices * need.run_s(job.estimate_s)
        devices = self._room.devices() - self._terms[kind].reserve_devices
        return work / devices if devices > 0 else inf

    # the end of an instant

    def _attend(self) -> None:
        next_s = None if self.customers is None else self.customers.next_s()
        if next_s is not None:
            self._ring_at(next_s)

    def _ring_at(self, at_s: int) -> None:
        if at_s < self._rings_s:
            self._rings_s = at_s
            call_at(self._env, GUESTS, at_s - int(self._env.now), self._ring)

    def _ring(self, _: Event) -> None:
        """Let the others make the pass that is due, then stop and start guests, then ask customers."""
        now_s, loop = int(self._env.now), self._loop
        somebody = loop.waiting_jobs or loop.arrivals.newcomers
        if somebody and loop.now_s == now_s and loop.passed_s < now_s:
            loop.make_pass()
        if now_s != self._rings_s:
            return
        self._evict(now_s)
        self._start_all(now_s)
        self._notices.give()
        if self.customers is not None and self.customers.next_s() == now_s:
            for job in self.customers.take(self, now_s):
                self._log.turns.ready_s[job.row] = now_s
                self.submit(job)
                self._start_all(now_s)
        self._rings_s = inf
        self._attend()

    def _start_all(self, now_s: int) -> None:
        """Start those who find room, in order."""
        if not self._waiting:
            return
        self._free, rest = self._room.unused(), []
        for job in self._waiting:
            slot = self._slot(job.shape, self._terms[job.kind])
            if slot is None:
                rest.append(job)
            else:
                self._start(job, *slot, now_s)
        self._waiting = rest

    def _slot(self, shape: Shape, terms: GuestTerms) -> tuple[PodNeed, Pod] | None:
        """Return where a guest could start; what is unused is up to date."""
        if not terms.preemptible and self._loop.lineup.head() is not None:
            return None
        return self._room.find(shape, self._free, terms)

    def _start(self, job: Job, need: PodNeed, pod: Pod, now_s: int) -> None:
        self._log.turns.waiting[job.turn] = 0
        attempt = Attempt(self._env, [self._finish], now_s, job, need, pod.alone, 0)
        self._running[attempt] = None
        self._free -= need.devices
        if self._terms[job.kind].preemptible:
            self._room.take(pod, need.devices)
        else:
            need.take(attempt)

    def _finish(self, attempt: Attempt) -> None:
        self.release(attempt)
        self._log.ended(attempt, attempt.end_s, FINISHED, self._account(attempt))
        self.call()

    def release(self, attempt: Attempt) -> None:
        """Take back the devices of a guest that runs no more."""
        del self._running[attempt]
        need = attempt.need
        assert isinstance(need, PodNeed)
        if self._terms[attempt.job.kind].preemptible:
            self._room.take(attempt.pods[0], -need.devices)
            return
        need.release(attempt)
        self._loop.now_s = int(self._env.now)
        if self._loop.waiting_jobs:
            self._loop.lineup.freed(need, attempt.pods)

    def _evict(self, now_s: int) -> None:
        """Stop guests, the last to start first, where the others have taken what they use."""
        short = self._room.short()
        for attempt in reversed([*self._running] if short else []):
            if attempt.pods[0] in short and self._terms[attempt.job.kind].preemptible:
                self._stop(attempt, now_s)
                short = self._room.short()

    def _stop(self, attempt: Attempt, now_s: int) -> None:
        """Let a guest give way, and wait again with what is left, in its old place."""
        self.release(attempt)
        attempt.callbacks = []
        account = kept(attempt, now_s, self._terms[attempt.job.kind].checkpoint_s)
        self._log.ended(attempt, now_s, PREEMPTED, account)
        career = self._interrupted.setdefault(attempt.job.row, Career(attempt.job))
        career.done_s += account.kept_s
        career.preemptions += 1
        turn = self._log.turns.again(attempt.job.row)
        self._log.turns.waits_again(turn, now_s)
        self._log.turns.waiting[turn] = 1
        self._waiting.append(left(career, turn))
        self._waiting.sort(key=_by_submission)

    def _account(self, attempt: Attempt) -> Account | None:
        """Return what a guest that finishes came to, where it was stopped before."""
        if attempt.job.row not in self._interrupted:
            return None
        return Account(attempt.job.runtime_s, 0, 0, 0.0, 0.0)


def guests_of(
    loop: GuestLoop, env: Environment, cluster: Cluster, terms: Mapping[str, GuestTerms] | None
) -> Guests | None:
    """Return what looks after the guests of a run, whom its arrivals send there; None where it has none."""
    if terms is None:
        return None
    loop.arrivals.guests = guests = Guests(loop, env, cluster, loop.log, terms)
    return guests


def _by_submission(job: Job) -> tuple[int, int]:
    return job.submit_s, job.job_id
