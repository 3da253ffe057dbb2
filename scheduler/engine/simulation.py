"""The simulation: jobs arrive, wait, start on owned pods or rented devices, and end.

SimPy keeps the clock and the order of events. All events of an instant happen first, then one pass starts
whatever may start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil, inf
from operator import attrgetter

from simpy import Environment
from simpy.events import Event, ProcessGenerator, Timeout

from scheduler.engine.attempt import Attempt
from scheduler.engine.cluster import Cluster, Pod
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.job import Job, Need
from scheduler.engine.offers import Rental
from scheduler.engine.outcomes import FINISHED, REJECTED, UNFINISHED
from scheduler.engine.patience import PatienceTimer
from scheduler.engine.queue import Entry, LinedQueue, Queue
from scheduler.engine.renting import Renting
from scheduler.engine.runlog import RunLog
from scheduler.engine.tags import Tags
from scheduler.engine.view import ClusterView, WaitingView
from scheduler.policy import Policy

ORPHAN = "the job it depends on will never finish"


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
        self._waits = bytearray(after.jobs)
        self._renting = self._rented_side()
        if policy.backfill is None:
            self._owned, self._waiting = Queue(self._waits), None
        else:
            lined = LinedQueue(self._waits, attrgetter("owned"))
            self._owned, self._waiting = lined, WaitingView(cluster, lined, self._waits)
        self._newcomers: list[Job] = []
        self._blocked: Job | None = None
        self._freed = False
        self._patience = PatienceTimer(self._env, self._waits, self._lose_patience)
        self._running = log.running
        self._waiting_jobs = 0
        self._arrived = False
        self._make: Callable[..., Attempt] = Attempt
        self._view = ClusterView(cluster, self._owned, self._running, tags)

    def run(self, blocks: Iterable[list[Job]], horizon_s: int | None = None) -> int:
        """Replay the jobs, given in order of submission; return the second at which the run ended.

        It ends at the horizon, or where there is none, with the last job.
        """
        self._horizon_s = horizon_s
        self._env.process(self._arrivals(blocks))
        self._env.run(until=horizon_s)
        end = self._now if horizon_s is None else horizon_s
        self._close(end)
        self._log.flush(end + (horizon_s is None))
        return end

    def _arrivals(self, blocks: Iterable[list[Job]]) -> ProcessGenerator:
        env, peek, newcomers = self._env, self._env.peek, self._newcomers
        for block in blocks:
            for job in block:
                if (submit_s := job.submit_s) > self._now:
                    if peek() > self._now:
                        self._pass()
                    yield Timeout(env, submit_s - self._now)
                    self._now = submit_s
                if job.after is None and job.shape.owned:
                    newcomers.append(job)
                else:
                    self._submit(job)
        self._arrived = True
        if peek() > self._now:
            self._pass()
        yield Event(env)  # never: the end of a process is one more event of the instant, after the pass

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
        newcomers = self._newcomers
        lonely = len(newcomers) == 1 and not self._waiting_jobs and self._tags is None
        slot = self._cluster.find(newcomers[0]) if lonely else None
        if slot is not None:
            self._start(newcomers.pop(), *slot)  # spared the queueing
        elif newcomers or self._waiting_jobs:
            self._start_waiting()
        self._renting.due = False

    def _start_waiting(self) -> None:
        self._view.now_s = self._now
        entries = [self._enqueue(job) for job in self._newcomers]
        self._newcomers.clear()
        self._start_owned(entries)
        for score, _, job in entries:
            if self._waits[job.turn] and job.shape.rented:
                self._be_patient(score, job)
        if self._renting.due and self._renting.start_all():
            self._start_owned([])  # the head may be among those who left

    def _enqueue(self, job: Job) -> Entry:
        score = self._policy.order(job, self._view)
        if self._tags is not None:
            self._tags.submitted(job)
        self._waits[job.turn] = 1
        self._waiting_jobs += 1
        self._log.waits(job, self._now, 1)
        if job.shape.owned:
            self._owned.push(score, job)
        return score, job.job_id, job

    def _start_owned(self, newcomers: list[Entry]) -> None:
        while (head := self._owned.head()) is not None and (self._freed or head is not self._blocked):
            slot = self._cluster.find(head)
            if slot is None:
                break
            self._start(head, *slot)
        if head is not None and self._waiting is not None:
            as_before = head is self._blocked and not self._freed
            self._backfill(self._waiting, sorted(newcomers) if as_before else None)
        self._blocked, self._freed = head, False

    def _backfill(self, waiting: WaitingView, newcomers: list[Entry] | None) -> None:
        """Let others pass the blocked head; where nothing was freed, only `newcomers` can be among them."""
        backfill = self._policy.backfill
        assert backfill is not None
        waiting.look(self._now, newcomers if backfill.head_only else None)
        while (pick := backfill.pick(waiting)) is not None:
            job, slot = pick
            self._start(job, *slot)

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
            self._log.waits(job, self._now, -1)
        if self._tags is not None:
            self._tags.started(job)
        attempt = self._make(self._env, self._end, self._now, job, need, pods, ready_s)
        self._running[attempt] = None
        if need.simple:
            pods[0].free -= need.devices
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
                self._log.ready(dependent, now)
                self._newcomers.append(dependent)
        if (self._waiting_jobs or self._newcomers) and self._env.peek() > now:
            self._pass()

    def _release(self, attempt: Attempt) -> None:
        """Take the devices back."""
        need = attempt.need
        if need.simple:
            attempt.pods[0].free += need.devices
        else:
            need.release(attempt)
        if attempt.pods:
            self._freed = True
        else:
            self._renting.due = True

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
