"""One execution of a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy import Environment
from simpy.events import NORMAL, Event

from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FINISHED, OVERRAN, Account
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.rented.offers import Rental


class Attempt(Event):
    """One execution of a job: the devices it holds, and, as a SimPy event, its own end.

    The devices are held from `alloc_s`; work begins `ready_s` seconds later and ends at `end_s`, of which
    `callbacks` are told: one list that all attempts share. It is an event that succeeds, as a Timeout is, but
    spared what costs a Timeout half of its time: there is one a job. It is killed once it has worked for its
    job's estimate and `overrun_s` more, where that is given; nothing of it is kept then.
    """

    _ok, _value = True, None
    release_s = 0
    """Its estimated end, as the pods were told, where they want to know."""
    ending = FINISHED
    """How it ends where nothing comes before: OVERRAN, if it will have run past its estimate by then."""
    account: Account | None = None
    """What it came to, where that does not follow from its times."""

    def __init__(
        self,
        env: Environment,
        callbacks: list[Callable[[Any], None]],
        now_s: int,
        job: Job,
        need: PodNeed | Rental,
        pods: tuple[Pod, ...],
        ready_s: int,
        overrun_s: int | None = None,
    ) -> None:
        run_s = job.runtime_s if need.factor == 1.0 else need.run_s(job.runtime_s)
        if overrun_s is not None and run_s > (limit_s := need.run_s(job.asked_s) + overrun_s):
            run_s, self.ending = limit_s, OVERRAN
            self.account = Account(0, 0, run_s * need.used, 0.0 if pods else job.input_tb, 0.0)
        held_s = ready_s + run_s
        self.callbacks = callbacks
        self.job = job
        self.turn = job.turn
        self.need = need
        self.pods = pods
        self.alloc_s = now_s
        self.ready_s = ready_s
        self.end_s = now_s + held_s
        env.schedule(self, NORMAL, self.end_s - env.now)  # it may have begun before the run

    def estimated_end_s(self) -> int:
        """When it should end by its estimate."""
        estimate_s = self.job.estimate_s
        run_s = estimate_s if self.need.factor == 1.0 else self.need.run_s(estimate_s)
        return self.alloc_s + self.ready_s + run_s

    def so_far(self, now_s: int) -> Account:
        """What it has come to while it still runs; work in progress counts as kept."""
        worked_s = max(0, now_s - self.alloc_s - self.ready_s)
        staged_tb = 0.0 if self.pods else self.job.input_tb
        return Account(int(self.need.reference_s(worked_s)), 0, 0, staged_tb, 0.0)
