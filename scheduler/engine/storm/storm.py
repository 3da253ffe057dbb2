"""Bad weather: attempts are cut short, take longer, give way, and move.

A `Storm` is a part of a simulation, which tells it at named places what happens. Each of its own parts looks
after one thing, and sees the run through its `Handle`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil
from typing import Any

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FAILED, KILLED, MIGRATED, OVERRAN, PREEMPTED
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.rented.offers import Rental
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.curtailments import Curtailments
from scheduler.engine.storm.exposure import Exposure
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import UNKNOWN_S, Interruptible
from scheduler.engine.storm.migration import Migration
from scheduler.engine.storm.outages import Outage, Outages, Phase
from scheduler.engine.storm.preemption import Preemption
from scheduler.engine.storm.refusals import Refusals
from scheduler.engine.storm.retries import Retries
from scheduler.engine.storm.staging import Staging
from scheduler.policy import Policy


class Storm:
    """What may befall the attempts of a run."""

    def __init__(self, run: Handle, conditions: Conditions, policy: Policy, cluster: Cluster) -> None:
        self._run, self._conditions = run, conditions
        self._pools = len(cluster.pools)
        self._retries = Retries(run, conditions.retries)
        self.refusals = Refusals(run, policy, self._retries, self._pools)
        self._staging = Staging(run, conditions.wires, conditions.output_tb, self._begun, self._home)
        self._migration = Migration(run, policy, cluster, self._retries, self._leave)
        self._preemption = Preemption(run, policy, conditions, cluster, self._retries, self._give_way)
        self.preempts = self._preemption.possible
        """Running jobs may have to give way to one that waits."""
        self._exposure = Exposure(run, conditions, cluster.pools, self._stop)
        Outages(run, conditions.outages, self._tell)
        Curtailments(run, conditions.powers, self._stop)

    # what the simulation asks and tells, in the order of an attempt's life

    def attempts(self, callbacks: list[Callable[[Any], None]]) -> Callable[..., Interruptible]:
        """Return what makes the attempts: (second, job, need, pods, ready_s) -> attempt."""
        return partial(Interruptible, self._conditions, self._run.env, callbacks)

    def ready_s(self, job: Job, rental: Rental) -> int:
        """Seconds from renting to the start of work; UNKNOWN_S where booting or staging may take any time."""
        offer = rental.offer
        if offer.boots_fail or self._staging.wired(offer):
            return UNKNOWN_S
        return rental.ready_s(job, _boot_s(rental))

    def started(self, attempt: Attempt) -> None:
        """An attempt has its devices."""
        assert isinstance(attempt, Interruptible)
        need = attempt.need
        if attempt.ready_s != UNKNOWN_S:
            self._underway(attempt)
            return
        assert isinstance(need, Rental)
        if need.offer.boots_fail:
            boot_s = _boot_s(need)
            attempt.fails_s = self._run.now_s + boot_s
            self._run.later(boot_s, partial(self._stop, attempt, FAILED))
        if self._staging.wired(need.offer):
            self._staging.load(attempt, _boot_s(need))

    def makes_room(self, head: Job | None) -> bool:
        """Let others give way to the head, which fits nowhere, or soon; say whether it fits now.

        To be told of each head that has to wait, and None where there is none.
        """
        if self._conditions.levels_drift:
            self._preemption.changed()
        return self._preemption.makes_room(head, self._run.now_s)

    def ends(self, attempt: Attempt) -> bool:
        """Say whether an attempt whose work is done ends; not while its results are on their way home."""
        assert isinstance(attempt, Interruptible)
        if not self._work_done(attempt):
            return False
        if attempt.pods:
            self._preemption.ended(attempt)
        return True

    def leave_pods(self, attempts: Sequence[Attempt]) -> None:
        """Stop attempts whose pods leave, as they have known: they have saved their work."""
        for attempt in attempts:
            assert isinstance(attempt, Interruptible)
            self._stop(attempt, PREEMPTED, in_time=True)
        self._preemption.changed()

    def close(self, end_s: int) -> None:
        """The run ends: note what became of everything that is on its way, and save nothing more."""
        self._preemption.makes_room(None, end_s)
        for attempt in self._run.running:
            assert isinstance(attempt, Interruptible)
            self._staging.so_far(attempt)
            if self._staging.over(attempt, end_s):
                attempt.end_s = end_s
            if attempt.end_s <= end_s:
                self._work_done(attempt)

    def interrupted(self, row: int) -> bool:
        """Say whether a job, by its row in the trace, was interrupted."""
        return row in self._retries

    # what its parts tell

    def _underway(self, attempt: Interruptible) -> None:
        watch = self._preemption if attempt.pods else self._migration
        watch.begun(attempt)

    def _begun(self, attempt: Interruptible) -> None:
        """Devices and data are there."""
        attempt.begin(self._run.now_s + (self._conditions.restart_s if attempt.job.done_s else 0))
        self._underway(attempt)

    def _work_done(self, attempt: Interruptible) -> bool:
        """Say whether nothing remains to be brought home, while the devices are still held."""
        if attempt.ending == OVERRAN:
            attempt.account = attempt.overran()
            return True
        if self._staging.bring_home(attempt):
            attempt.end_s = UNKNOWN_S
            return False
        if not attempt.pods and not attempt.linked:
            attempt.returned_tb = float(self._conditions.output_tb[attempt.job.row])
        attempt.account = attempt.finished()
        return True

    def _home(self, attempt: Interruptible) -> None:
        if attempt in self._run.running:
            attempt.end_s = self._run.now_s
            self._run.finish(attempt)

    def safe_until_s(self, attempt: Attempt) -> float:
        """Return until when an attempt on pods does not give way; that of now: it may."""
        assert isinstance(attempt, Interruptible)
        return self._preemption.safe_until_s(attempt, self._run.now_s)

    def gives_way(self, attempt: Attempt) -> None:
        """Stop an attempt on pods for the quota of others; its job waits again in this instant."""
        assert isinstance(attempt, Interruptible)
        self._preemption.gave_way(self._run.now_s)
        self._give_way(attempt)

    def _leave(self, attempt: Interruptible) -> None:
        self._stop(attempt, MIGRATED)

    def _give_way(self, attempt: Interruptible) -> None:
        self._stop(attempt, PREEMPTED)

    def _stop(self, attempt: Interruptible, outcome: int, in_time: bool = False) -> None:
        """End an attempt before its work is done, unless it ends at this very instant anyhow.

        One whose boot fails at this instant has failed, whatever else there is.
        """
        run = self._run
        if attempt not in run.running or self._staging.over(attempt, run.now_s):
            return
        del run.running[attempt]
        if attempt.callbacks is not None:
            attempt.callbacks = [run.void]
        run.release(attempt)
        self._staging.stop(attempt)
        account, worked_s = attempt.stopped(run.now_s, in_time=in_time)
        outcome = FAILED if attempt.fails_s == run.now_s else outcome
        again = self._retries.record(attempt, outcome, account, worked_s)
        run.log.ended(attempt, run.now_s, outcome if again else KILLED, account)
        if attempt.pods:
            self._preemption.ended(attempt)
        if again:
            self._retries.come_back(attempt.job)
        else:
            run.give_up(attempt.job.row)

    def _tell(self, outage: Outage, phase: Phase) -> None:
        self._exposure.tell(outage, phase)
        if phase == Phase.ENDS:
            if outage.resource < self._pools:
                self._preemption.changed()
            else:
                self._run.offers_changed()
        self._run.pods_changed()


def _boot_s(rental: Rental) -> int:
    return ceil(rental.offer.stock.boot_s * rental.offer.boot_factor)
