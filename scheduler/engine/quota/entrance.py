"""The way to the line-up for pods where queues have quotas: who comes waits for quota first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Protocol

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.quota.admission import Admission
from scheduler.engine.quota.rules import QuotaRules
from scheduler.engine.ranking import Ranking
from scheduler.engine.storm.storm import Storm


class QuotaLoop(Protocol):
    """The simulation, as quotas move it."""

    env: Environment
    now_s: int
    arrivals: Arrivals
    storm: Storm | None

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""


class Entrance:
    """Asks `admission` who joins; `wait` lets a job wait, `enter` gives who gave way its place again."""

    def __init__(
        self,
        rules: QuotaRules,
        loop: QuotaLoop,
        ranking: Ranking | None,
        wait: Callable[[Job], None],
        enter: Callable[[Job], QueueEntry],
    ) -> None:
        self._loop, self._wait, self._enter = loop, wait, enter
        self.admission = Admission(rules, self, loop.env, ranking)

    def joining(self, newcomers: list[QueueEntry]) -> list[QueueEntry]:
        """Return who joins the line-up: who is admitted, or takes no pods; who gives way is a newcomer."""
        waiting, joining, new = self._loop.arrivals.newcomers, list[QueueEntry](), newcomers[:]
        newcomers.clear()
        while True:
            for entry in new:
                self._come(entry, newcomers, joining)
            joining += self.admission.admit()
            if not waiting:
                return joining
            new = list(map(self._enter, waiting))
            waiting.clear()

    def _come(self, entry: QueueEntry, newcomers: list[QueueEntry], joining: list[QueueEntry]) -> None:
        """Let a job wait, for quota if it needs any; one that is too large for its queue cannot have pods."""
        score, job_id, job = entry
        reason = self.admission.never(job) if job.shape.owned else None
        if reason is not None and not job.shape.rented:
            self._loop.arrivals.reject(job, reason)
            return
        if reason is not None:
            job = job.shaped(job.shape.elsewhere())
        self._wait(job)
        newcomers.append((score, job_id, job))
        if job.shape.owned:
            self.admission.submit(newcomers[-1])
        else:
            joining.append(newcomers[-1])

    def safe_until_s(self, attempt: Attempt) -> float:
        """Return until when a job that runs on pods does not give way; that of now: it may."""
        return inf if self._loop.storm is None else self._loop.storm.safe_until_s(attempt)

    def gives_way(self, attempt: Attempt) -> None:
        """Let a job that runs on pods give way now; it comes to wait again in this instant."""
        assert self._loop.storm is not None
        self._loop.storm.gives_way(attempt)

    def later(self, delay_s: int, act: Callable[[], bool]) -> None:
        """Do something after so many seconds, and make the pass if it says that it matters."""
        Timeout(self._loop.env, delay_s).callbacks.append(partial(self._ring, act))

    def _ring(self, act: Callable[[], bool], _: Event) -> None:
        loop, now_s = self._loop, int(self._loop.env.now)
        if act():
            loop.now_s = now_s
        if loop.now_s == now_s:
            loop.settle()


def entrance_of(
    rules: QuotaRules | None,
    loop: QuotaLoop,
    ranking: Ranking | None,
    wait: Callable[[Job], None],
    enter: Callable[[Job], QueueEntry],
) -> Entrance | None:
    """Return the way to the line-up; None where there are no queues with quotas."""
    return None if rules is None else Entrance(rules, loop, ranking, wait, enter)
