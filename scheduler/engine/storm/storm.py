"""The simulation in bad weather: attempts are cut short, take longer, give way, and move.

The plain simulation knows nothing of all this and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.attempt import Attempt
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.fair_share import Tags
from scheduler.engine.jobs import Job, Need
from scheduler.engine.log.outcomes import FAILED, KILLED, MIGRATED, PREEMPTED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import Pod
from scheduler.engine.queue import Entry
from scheduler.engine.rented.offers import Rental
from scheduler.engine.rented.renting import Renting
from scheduler.engine.simulation import Simulation
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.exposure import Exposure
from scheduler.engine.storm.interruptible import NEVER, Execution
from scheduler.engine.storm.migration import Moves
from scheduler.engine.storm.outages import Outage, Outages, Phase
from scheduler.engine.storm.preemption import Preemption
from scheduler.engine.storm.refusals import WaryRenting
from scheduler.engine.storm.retries import Comebacks, Resumed
from scheduler.engine.storm.staging import Hauling
from scheduler.policy import Policy


class Storm(Simulation):
    """One run of a policy in bad weather."""

    def __init__(
        self,
        env: Environment,
        cluster: Cluster,
        policy: Policy,
        log: RunLog,
        after: Dependencies,
        tags: Tags | None,
        conditions: Conditions,
    ) -> None:
        self._conditions = conditions
        super().__init__(env, cluster, policy, log, after, tags)
        self._comebacks = Comebacks(conditions.retries, log.turns.again, self._later, self._newcomers)
        self._attempt = partial(Execution, conditions, env, [self._end])
        self._hauling = Hauling(conditions.wires, conditions.output_tb, self._later, self._begun, self._home)
        self._moves = Moves(
            policy.repatriate,
            policy.offer,
            cluster,
            self._running,
            lambda: not self._newcomers and self._owned.head() is None,
            self._comebacks.standing,
            self._later,
            lambda attempt: self._stop(attempt, MIGRATED),
        )
        self._preemption = Preemption(
            policy,
            lambda job: policy.order(job, self._view),
            conditions,
            cluster.pools,
            self._running,
            self._comebacks,
            self._later,
            self._hasten,
            lambda attempt: self._stop(attempt, PREEMPTED, saved=True),
        )
        exposure = Exposure(
            conditions.outages,
            cluster.pools,
            conditions.offers,
            self._devices_down,
            self._stop,
            self._devices_back,
        )
        Outages(env, conditions.outages, partial(self._told, exposure), self._tick, self._settle)

    def _rented_side(self) -> Renting:
        return WaryRenting(
            self._waits,
            self._policy.offer,
            self._rent,
            lambda offer: self._log.refused(offer.index - len(self._cluster.pools)),
            lambda after_s, entry: self._patience.keep(self._now + after_s, entry[0], entry[2]),
            lambda times: self._comebacks.back_off_s(times),  # noqa: PLW0108
        )

    # time

    def _tick(self) -> bool:
        """Move on to this instant, unless the run has ended with its last job."""
        busy = self._running or self._waiting_jobs or self._newcomers or self._comebacks.resting
        if self._horizon_s is None and self._arrived and not busy:
            return False
        self._now = int(self._env.now)
        return True

    def _settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""
        if (self._waiting_jobs or self._newcomers) and self._env.peek() > self._now:
            self._pass()

    def _later(self, delay_s: int, act: Callable[[], None]) -> None:
        """Do something after so many seconds, before the pass of that instant."""
        Timeout(self._env, delay_s).callbacks.append(partial(self._ring, act))

    def _ring(self, act: Callable[[], None], _: Event) -> None:
        if self._tick():
            act()
            self._settle()

    # attempts

    def _start(self, job: Job, need: Need, pods: tuple[Pod, ...], ready_s: int = 0) -> Execution:
        attempt = super()._start(job, need, pods, ready_s)
        assert isinstance(attempt, Execution)
        if attempt.ready_s != NEVER:
            self._underway(attempt)
        return attempt

    def _rent(self, job: Job, rental: Rental) -> None:
        offer = rental.offer
        boot_s, wired = ceil(offer.boot_s * offer.boot_factor), self._hauling.wired(offer)
        known = not (wired or offer.boots_fail)
        attempt = self._start(job, rental, (), rental.ready_s(job, boot_s) if known else NEVER)
        if offer.boots_fail:
            self._later(boot_s, partial(self._stop, attempt, FAILED))
        if wired:
            self._hauling.load(attempt, boot_s)

    def _begun(self, attempt: Execution) -> None:
        """Devices and data are there."""
        attempt.begin(self._now + (self._conditions.restart_s if attempt.job.done_s else 0))
        self._underway(attempt)

    def _underway(self, attempt: Execution) -> None:
        watch = self._preemption if attempt.pods else self._moves
        watch.begun(attempt)

    def _end(self, attempt: Attempt) -> None:
        assert isinstance(attempt, Execution)
        self._now = attempt.end_s
        if self._work_done(attempt):
            self._preemption.ended(attempt)
            super()._end(attempt)
        else:
            self._settle()

    def _work_done(self, attempt: Execution) -> bool:
        """Say whether nothing remains to be brought home, while the devices are still held."""
        if self._hauling.bring_home(attempt):
            attempt.end_s = NEVER
            return False
        if not attempt.pods and not attempt.linked:
            attempt.returned_tb = self._conditions.output_tb(attempt.job.row)
        attempt.account = attempt.finished()
        return True

    def _home(self, attempt: Execution) -> None:
        if attempt in self._running:
            attempt.end_s = self._now
            self._end(attempt)

    def _stop(self, attempt: Execution, outcome: int, saved: bool = False) -> None:
        """End an attempt before its work is done, unless it ends at this very instant anyhow."""
        if attempt not in self._running or self._hauling.over(attempt, self._now):
            return
        del self._running[attempt]
        if attempt.callbacks is not None:
            attempt.callbacks = [partial(self._ring, lambda: None)]  # the last event of an instant, maybe
        self._release(attempt)
        self._hauling.stop(attempt)
        account, worked_s = attempt.stopped(self._now, saved=saved)
        again = self._comebacks.record(attempt, outcome, account, worked_s)
        self._log.ended(attempt, self._now, outcome if again else KILLED, account)
        self._preemption.ended(attempt)
        if again:
            self._comebacks.come_back(attempt.job)
        else:
            self._orphan(attempt.job.row)

    def _hasten(self, attempt: Execution, end_s: int) -> None:
        attempt.hasten(end_s)
        self._owned.disturbed()

    def _told(self, exposure: Exposure, outage: Outage, phase: Phase) -> None:
        exposure.tell(outage, phase)
        self._owned.disturbed()

    def _devices_down(self, pool: int, devices: int) -> None:
        self._log.down(pool, self._now, devices)
        self._owned.disturbed()

    def _devices_back(self, owned: bool) -> None:
        if owned:
            self._preemption.changed()
        else:
            self._renting.due = True

    def _wait(self, job: Job) -> None:
        super()._wait(job)
        if job.turn != job.row:
            self._log.turns.waits_again(job.turn, self._now)

    # the pass

    def _pass(self) -> None:
        if self._tags is not None:
            self._preemption.changed()
        if self._preemption.gave_way:  # who asked for the room starts before those who leave it wait again
            self._preemption.gave_way = False
            super()._start_owned([])
        super()._pass()
        while self._newcomers:  # those who gave way
            super()._pass()

    def _start_owned(self, newcomers: list[Entry]) -> None:
        self._view.now_s = self._now
        super()._start_owned(newcomers)
        while (head := self._owned.head()) is not None and self._preemption.make_room(head, self._now):
            super()._start_owned([])

    def _be_patient(self, score: float, job: Job) -> None:
        if isinstance(job, Resumed) and job.career.impatient:
            self._renting.seek(score, job)
        else:
            super()._be_patient(score, job)

    # the end

    def _close(self, end_s: int) -> None:
        for attempt in self._running:
            assert isinstance(attempt, Execution)
            self._hauling.so_far(attempt)
            if self._hauling.over(attempt, end_s):
                attempt.end_s = end_s
            if attempt.end_s <= end_s:
                self._work_done(attempt)
        super()._close(end_s)

    def _why_waiting(self, row: int, held: frozenset[int]) -> str:
        return "waits to run again" if row in self._comebacks else super()._why_waiting(row, held)
