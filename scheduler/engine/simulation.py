"""The simulation: jobs arrive, wait, start on owned pods or rented devices, and end.

SimPy keeps the clock and the order of events. All events of an instant happen first, then one pass starts
whatever may start.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from functools import partial
from math import ceil, inf

from simpy import Environment
from simpy.events import NORMAL, Event, EventPriority

from scheduler.engine.attempt import Attempt
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.fair_share import Tags
from scheduler.engine.jobs import Job, Need
from scheduler.engine.log.outcomes import FINISHED, REJECTED, UNFINISHED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.lineup import lineup
from scheduler.engine.owned.pools import Pod
from scheduler.engine.owned.view import ClusterView
from scheduler.engine.queue import Entry
from scheduler.engine.rented.offers import Rental
from scheduler.engine.rented.patience import PatienceTimer
from scheduler.engine.rented.renting import Renting
from scheduler.policy import Policy

ORPHAN = "the job it depends on will never finish"

_LATE = EventPriority(NORMAL + 1)
"""Arrivals come after whatever else happens at an instant."""


class Simulation:
    """One run of a policy over so many jobs, on a cluster and so many offers."""

    def __init__(
        self,
        env: Environment,
        cluster: Cluster,
        policy: Policy,
        log: RunLog,
        after: Dependencies,
        tags: Tags | None,
    ) -> None:
        self._env = env
        self._now = 0
        self._horizon_s: int | None = None
        self._cluster = cluster
        self._policy = policy
        self._log = log
        self._tags = tags
        self._dependencies = after
        self._linked = after.linked
        self._waits = log.turns.waiting
        self._renting = self._rented_side()
        self._owned = lineup(policy.backfill, self._waits, cluster, self._wait, self._start)
        self._newcomers: list[Job] = []
        self._patience = PatienceTimer(self._env, self._waits, self._lose_patience)
        self._running = log.running
        self._waiting_jobs = 0
        self._arrived = False
        self._attempt: Callable[..., Attempt] = partial(Attempt, env, [self._end])
        self._view = ClusterView(cluster, self._owned.queue, self._running, tags)

    def run(self, blocks: Iterable[list[Job]], horizon_s: int | None = None) -> int:
        """Replay the jobs, given in order of submission; return the second at which the run ended.

        It ends at the horizon, or where there is none, with the last job.
        """
        self._horizon_s = horizon_s
        wake = Event(self._env)
        wake._ok = True
        arrivals = self._arrivals(blocks, wake)
        wake.callbacks.append(arrivals.send)
        next(arrivals)
        self._env.run(until=horizon_s)
        end = self._now if horizon_s is None else horizon_s
        self._close(end)
        self._log.flush(end + (horizon_s is None))
        return end

    def _arrivals(self, blocks: Iterable[list[Job]], wake: Event) -> Generator[None, Event]:
        """Submit the jobs of an instant and make its pass each time that `wake` comes.

        It comes after all other events of its instant, and is one event for all instants: a SimPy process
        that waits for a Timeout each time costs half as much again.
        """
        schedule, callbacks, newcomers = self._env.schedule, wake.callbacks, self._newcomers
        schedule(wake, _LATE, 0)
        yield
        now = 0
        for block in blocks:
            for job in block:
                if (submit_s := job.submit_s) > now:
                    self._pass()
                    wake.callbacks = callbacks
                    schedule(wake, _LATE, submit_s - now)
                    yield
                    self._now = now = submit_s
                if job.after is None and job.shape.owned:
                    newcomers.append(job)
                else:
                    self._submit(job)
        self._arrived = True
        self._pass()
        yield

    def _submit(self, job: Job) -> None:
        """A job that may have to wait for another, or to be rejected."""
        after = job.after
        outcome = FINISHED if after is None else self._dependencies.outcome(after)
        if not job.shape.owned and not job.shape.rented:
            self._reject(job, "no pool or offer that it may use is large enough")
        elif outcome == FINISHED:
            self._newcomers.append(job)
        elif outcome == REJECTED:
            self._reject(job, ORPHAN)
        elif after is not None:
            self._dependencies.hold(job, after)

    def _reject(self, job: Job, reason: str) -> None:
        self._log.unstarted(job.row, REJECTED, reason)
        self._orphan(job.row)

    def _orphan(self, row: int) -> None:
        for orphan in self._dependencies.orphans(row):
            self._log.unstarted(orphan, REJECTED, ORPHAN)

    def _lose_patience(self, now: int, jobs: list[tuple[float, Job]]) -> None:
        for score, job in jobs:
            self._now = now
            self._renting.seek(score, job)
        if self._now == now and self._env.peek() > now:
            self._pass()

    def _pass(self) -> None:
        """Start whatever may start now: owned pods first, then rented devices for those out of patience.

        It comes once an instant, after all its events.
        """
        if self._newcomers:
            self._admit(self._newcomers)
        elif self._waiting_jobs:
            self._start_owned([])
        if self._renting.due:
            self._start_rented()

    def _admit(self, newcomers: list[Job]) -> None:
        """Let newcomers start, or else decide how long to wait."""
        if not self._waiting_jobs and len(newcomers) == 1 and self._tags is None:
            slot = self._cluster.find(newcomers[0])
            if slot is not None:
                self._start(newcomers.pop(), *slot)  # spared the queueing
                return
        self._view.now_s = self._now
        entries = [self._entry(job) for job in newcomers]
        newcomers.clear()
        self._start_owned(entries)
        for score, _, job in entries:
            if job.shape.rented and self._waits[job.turn]:
                self._be_patient(score, job)

    def _start_owned(self, newcomers: list[Entry]) -> None:
        self._owned.start(self._now, newcomers)

    def _start_rented(self) -> None:
        if self._waiting_jobs and self._renting.start_all():
            self._start_owned([])  # the head may be among those who left
        self._renting.due = False

    def _entry(self, job: Job) -> Entry:
        score = self._policy.order(job, self._view)
        if self._tags is not None:
            self._tags.submitted(job)
        return score, job.job_id, job

    def _wait(self, job: Job) -> None:
        self._waits[job.turn] = 1
        self._waiting_jobs += 1

    def _be_patient(self, score: float, job: Job) -> None:
        """Let a job that has to wait decide how long."""
        patience = self._policy.patience(job, self._view) if job.shape.owned else 0
        if patience <= 0:
            self._renting.seek(score, job)
        elif patience < inf:
            self._patience.keep(self._now + ceil(patience), score, job)

    def _rented_side(self) -> Renting:
        return Renting(self._waits, self._policy.offer, self._rent)

    def _rent(self, job: Job, rental: Rental) -> None:
        self._start(job, rental, (), rental.ready_s(job))

    def _start(self, job: Job, need: Need, pods: tuple[Pod, ...], ready_s: int = 0) -> Attempt:
        if self._waits[job.turn]:
            self._waits[job.turn] = 0
            self._waiting_jobs -= 1
        if self._tags is not None:
            self._tags.started(job)
        attempt = self._attempt(self._now, job, need, pods, ready_s)
        self._running[attempt] = None
        if need.simple:
            pod = pods[0]
            pod.frees[pod.index] -= need.devices
        else:
            need.take(attempt)
        return attempt

    def _end(self, attempt: Attempt) -> None:
        self._now = now = attempt.end_s
        del self._running[attempt]
        self._release(attempt)
        self._log.ended(attempt, now, FINISHED, attempt.account)
        if self._linked:
            for dependent in self._dependencies.finished(attempt.job.row):
                self._log.turns.ready_s[dependent.row] = now
                self._newcomers.append(dependent)
        if (self._waiting_jobs or self._newcomers) and self._env.peek() > now:
            self._pass()

    def _release(self, attempt: Attempt) -> None:
        """Take the devices back."""
        need = attempt.need
        if need.simple:
            pod = attempt.pods[0]
            pod.frees[pod.index] += need.devices
        else:
            need.release(attempt)
        if not attempt.pods:
            self._renting.due = True
        elif self._waiting_jobs:
            self._owned.freed(attempt.pods)

    def _close(self, end_s: int) -> None:
        """Log what the horizon cut off; a gang that ends at that very second has finished."""
        for attempt in list(self._running):
            del self._running[attempt]
            if attempt.end_s <= end_s:
                self._log.ended(attempt, end_s, FINISHED, attempt.account)
            else:
                self._log.ended(attempt, end_s, UNFINISHED, attempt.so_far(end_s))
        held = self._dependencies.held()
        for row in self._log.missing():
            self._log.unstarted(row, UNFINISHED, self._why_waiting(row, held))

    def _why_waiting(self, row: int, held: frozenset[int]) -> str:
        if self._waits[row]:
            return "still waiting"
        return "waits for another job" if row in held else "not yet submitted"
