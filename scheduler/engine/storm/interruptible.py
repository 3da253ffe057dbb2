"""An attempt that may end before its work is done, or last longer than it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy import Environment

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import Account
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
        self.ready_s = self.end_s = UNKNOWN_S
        self.transfer: Transfer | None = None
        self.standing: Any = None
        """The job as policies see it while it runs; kept, as it is asked for often."""
        self.linked = False
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
        elapsed_s = min(max(0, now_s - self.alloc_s - self.ready_s), self.length_s)
        return progress(elapsed_s, self.work_s, self.plan)

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

    def stopped(self, now_s: int, *, saved: bool) -> tuple[Account, int]:
        """Return what it came to if it is stopped now, and its seconds of work.

        It keeps what it did up to its last checkpoint, or where `saved`, up to the one it has just written.
        """
        cost_s = self.plan.cost_s
        so_far = self.progress(now_s)
        worked_s, kept_s, writing_s = so_far.worked_s, so_far.saved_s, so_far.writing_s
        elapsed_s = worked_s + writing_s
        if saved and self.saves and elapsed_s >= cost_s:
            worked_s = self.progress(now_s - cost_s).worked_s
            kept_s = min(worked_s, self.work_s - 1)  # whoever did it all has yet to bring it home
            writing_s = elapsed_s - worked_s
        reference_s = min(int(self.need.reference_s(kept_s)), self.job.runtime_s - 1)
        lost_device_s = (worked_s - kept_s) * self.need.used
        return Account(reference_s, writing_s, lost_device_s, self.staged_tb, self.returned_tb), worked_s

    def hasten(self, end_s: int) -> None:
        """Let its pods know that it will end sooner than estimated."""
        if isinstance(self.need, PodNeed):
            self.need.hasten(self, end_s)

    @property
    def saves(self) -> bool:
        """Its state can be saved."""
        return self.plan.interval_s is not None
