"""An attempt that may end before its work is done, or last longer than it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy import Environment

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import OVERRAN, Account
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.rented.offers import Rental
from scheduler.engine.storm.checkpoints import Progress, length_s, progress
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.links import Transfer

UNKNOWN_S = 1 << 60
"""Seconds until the work of an attempt whose beginning is not known yet."""


class Interruptible(Attempt):
    """An attempt with checkpoints; with `ready_s` UNKNOWN_S its work begins when `begin` is called.

    `staged_tb` and `returned_tb` are what was moved for it; where it is `linked`, over shared links, of which
    `transfer` is what it moves now.
    """

    def __init__(
        self,
        conditions: Conditions,
        env: Environment,
        callbacks: list[Callable[[Any], None]],
        now_s: int,
        job: Job,
        need: PodNeed | Rental,
        pods: tuple[Pod, ...],
        ready_s: int,
    ) -> None:
        self.env, self.callbacks = env, callbacks
        self.job, self.turn, self.need, self.pods = job, job.turn, need, pods
        self.alloc_s = now_s
        self.work_s = need.run_s(job.runtime_s)
        self.plan = conditions.plan(job, need)
        self.length_s = length_s(self.work_s, self.plan)
        overrun_s = conditions.overrun_s
        if overrun_s is not None and self.length_s > (limit_s := need.run_s(job.asked_s) + overrun_s):
            self.length_s, self.ending = limit_s, OVERRAN
        self.ready_s = self.end_s = UNKNOWN_S
        self.transfer: Transfer | None = None
        self.standing: Any = None
        """The job as policies see it while it runs; kept, as it is asked for often."""
        self.linked = False
        self.saving_s: int | None = None
        """Since when it does nothing but save its work, to give way."""
        self.gives_way_s: int | None = None
        """When it is to give way."""
        self.stops_s = UNKNOWN_S
        """When an outage that is known will stop it."""
        self.fails_s = UNKNOWN_S
        """When its boot fails."""
        self.staged_tb, self.returned_tb = 0.0 if pods else job.input_tb, 0.0
        if pods and job.done_s:
            ready_s = conditions.restart_s
        if ready_s != UNKNOWN_S:
            self.begin(now_s + ready_s)

    def begin(self, at_s: int) -> None:
        """Let the work begin then, from which its end follows."""
        self.ready_s = at_s - self.alloc_s
        self.end_s = at_s + self.length_s
        self.env.schedule(self, delay=self.end_s - self.env.now)

    def estimated_end_s(self) -> int:
        """When it should end by its estimate, checkpoints included."""
        return self.alloc_s + self.ready_s + length_s(self.need.run_s(self.job.estimate_s), self.plan)

    def progress(self, now_s: int) -> Progress:
        """Return how far it has come."""
        if self.saving_s is None:
            return progress(self._elapsed_s(now_s), self.work_s, self.plan)
        so_far = progress(self._elapsed_s(self.saving_s), self.work_s, self.plan)
        return so_far._replace(writing_s=self._elapsed_s(now_s) - so_far.worked_s)

    def _elapsed_s(self, now_s: int) -> int:
        return min(max(0, now_s - self.alloc_s - self.ready_s), self.length_s)

    def so_far(self, now_s: int) -> Account:
        """What it has come to while it still runs; work in progress counts as kept."""
        so_far = self.progress(now_s)
        kept_s = min(int(self.need.reference_s(so_far.worked_s)), self.job.runtime_s)
        return Account(kept_s, so_far.writing_s, 0, self.staged_tb, self.returned_tb)

    def finished(self) -> Account | None:
        """Return what it came to as it finishes; None where that follows from its times and the trace."""
        writing_s = self.length_s - self.work_s
        if not writing_s and not self.linked and self.job.turn == self.job.row:
            return None
        return Account(self.job.runtime_s, writing_s, 0, self.staged_tb, self.returned_tb)

    def overran(self) -> Account:
        """Return what it came to as it is killed for its estimate; nothing is kept."""
        so_far = self.progress(self.end_s)
        lost_device_s = so_far.worked_s * self.need.used
        return Account(0, so_far.writing_s, lost_device_s, self.staged_tb, self.returned_tb)

    def stopped(self, now_s: int, *, in_time: bool) -> tuple[Account, int]:
        """Return what it came to if it is stopped now, and its seconds of work.

        It keeps what it did up to its last checkpoint, or to the one that it has just finished to give way,
        or, if it knew `in_time`, in its last seconds.
        """
        so_far, cost_s = self.progress(now_s), self.plan.cost_s
        saving_s = self.saving_s
        if in_time and self.saves and self._elapsed_s(now_s) >= cost_s:
            saving_s = now_s - cost_s if saving_s is None else min(saving_s, now_s - cost_s)
            so_far = progress(self._elapsed_s(saving_s), self.work_s, self.plan)
        worked_s, kept_s = so_far.worked_s, so_far.saved_s
        if self.saves and saving_s is not None and now_s - saving_s >= cost_s:
            kept_s = self._saved_s(worked_s)
        writing_s = self._elapsed_s(now_s) - worked_s
        lost_device_s = (worked_s - kept_s) * self.need.used
        kept_s = self._reference_s(kept_s)
        return Account(kept_s, writing_s, lost_device_s, self.staged_tb, self.returned_tb), worked_s

    def _saved_s(self, worked_s: int) -> int:
        """Whoever did it all has yet to bring it home."""
        return min(worked_s, self.work_s - 1)

    def _reference_s(self, own_s: int) -> int:
        """Reference seconds of work that are kept of so many seconds, where some work is left."""
        return min(int(self.need.reference_s(own_s)), self.job.runtime_s - 1)

    # giving way

    def save(self, now_s: int, until_s: int) -> None:
        """Save the work, where it can be, instead of going on with it, and be expected to give way then."""
        if self.saves:
            self.saving_s = now_s
        self.gives_way_s = until_s
        self._expect()

    def go_on(self) -> None:
        """Go on as if it had never been asked to save its work."""
        self.saving_s = self.gives_way_s = None
        self._expect()

    def hasten(self, end_s: int) -> None:
        """Let its pods know that an outage will stop it then."""
        self.stops_s = min(self.stops_s, end_s)
        self._expect()

    def _expect(self) -> None:
        """It ends when it gives way, or else by its estimate, or when an outage that is known stops it."""
        if isinstance(self.need, PodNeed):
            end_s = self.estimated_end_s() if self.gives_way_s is None else self.gives_way_s
            self.need.expect(self, min(end_s, self.stops_s))

    def unsaved(self, now_s: int) -> bool:
        """Say whether it has work that could be saved, and is not."""
        so_far = self.progress(now_s)
        return self.saves and so_far.worked_s > so_far.saved_s

    def keeps_s(self, now_s: int) -> int:
        """Reference seconds of its work that it would keep if it gave way now."""
        so_far = self.progress(now_s)
        return self._reference_s(self._saved_s(so_far.worked_s) if self.saves else so_far.saved_s)

    def loss_s(self, now_s: int) -> int:
        """Seconds that it would lose if it gave way now: what writing a checkpoint takes, or its work."""
        if self.saves:
            return self.plan.cost_s if self.unsaved(now_s) else 0
        return self.progress(now_s).worked_s

    @property
    def saves(self) -> bool:
        """Its state can be saved."""
        return self.plan.interval_s is not None
