"""Patience, asked of whoever has to wait: once, or as often as it wants to be."""

from __future__ import annotations

from math import inf
from typing import Protocol, cast

from simpy import Environment

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.need import whole_s
from scheduler.engine.owned.view import AnyQueue, ClusterView
from scheduler.engine.parts import Parts
from scheduler.engine.queue_outlook import QueueOutlook
from scheduler.engine.ranking import Ranking
from scheduler.engine.rented.patience import PatienceTimer
from scheduler.engine.rented.rent_account import RentAccount
from scheduler.engine.rented.renting import Renting
from scheduler.policy import Policy
from scheduler.policy.patience_view import PatienceView
from traces.times import DAY_S

NOTHING_S = 366 * DAY_S
"""Once nothing at all has happened for so long, nobody is asked again: else a run might never end."""


class AskingLoop(Protocol):
    """The simulation, as patience moves it."""

    env: Environment
    now_s: int
    passed_s: int
    """When the last pass was made."""
    log: RunLog
    renting: Renting

    def seek(self, score: float, job: Job) -> None:
        """Let a job that is out of patience, for whatever reason, seek rented devices."""

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""


class Asking:
    """Lets whoever is out of patience seek rented devices; `timer` rings for those who lose it."""

    def __init__(self, loop: AskingLoop, policy: Policy, view: ClusterView) -> None:
        self._loop, self._patience, self.view = loop, policy.patience, view
        self._view = cast(PatienceView, view)  # ours that are asked once look at nothing more
        self.timer = PatienceTimer(loop.env, loop.log.turns.waiting, self._lose)

    def ask(self, newcomers: list[QueueEntry]) -> None:
        """Ask about those who have to wait and may leave."""
        for score, _, job in newcomers:
            patience_s = self._patience_s(job)
            if patience_s <= 0:
                self._loop.seek(score, job)
            elif patience_s < inf:
                self.timer.keep(self._loop.now_s + whole_s(patience_s), score, job)

    def _patience_s(self, job: Job) -> float:
        waits = job.shape.owned and not job.impatient
        return self._patience(job, self._view) if waits else 0

    def _lose(self, now_s: int, jobs: list[tuple[float, Job]]) -> None:
        for score, job in jobs:
            self._loop.now_s = now_s
            self._loop.seek(score, job)
        if self._loop.now_s == now_s:
            self._loop.settle()


class AskingAgain(Asking):
    """Asks first in order first, each of whom leaves before the next is asked."""

    def __init__(
        self,
        loop: AskingLoop,
        policy: Policy,
        view: QueueOutlook,
        account: RentAccount,
        ranking: Ranking | None,
    ) -> None:
        super().__init__(loop, policy, view)
        self._outlook, self._account, self._ranking = view, account, ranking
        self._again_s, self._rations = policy.abilities.again_s, policy.abilities.rations
        self._alarm = PatienceTimer(loop.env, loop.log.turns.waiting, self._ring)

    def ask(self, newcomers: list[QueueEntry]) -> None:
        """Ask about those who have to wait and may leave."""
        loop, self._outlook.now_s = self._loop, self._loop.now_s
        now_s = loop.now_s
        for score, job in self._in_order([(score, job) for score, _, job in newcomers]):
            patience_s = self._patience_s(job)
            if patience_s <= 0:
                self._leaves(score, job)
                continue
            again_s = self._to_be_asked_s(job)
            if again_s < patience_s and now_s - max(loop.passed_s, self._outlook.start_s) <= NOTHING_S:
                self._alarm.keep(now_s + int(again_s), score, job)
            elif patience_s < inf:
                self.timer.keep(now_s + whole_s(patience_s), score, job)

    def _patience_s(self, job: Job) -> float:
        return self._patience(job, self._view) if self._rations else super()._patience_s(job)

    def _to_be_asked_s(self, job: Job) -> float:
        again_s = inf if self._again_s is None else self._again_s(job, self._outlook)
        return whole_s(again_s) if again_s < inf else inf

    def _leaves(self, score: float, job: Job) -> None:
        """Let a job leave now if it can, so that the next who is asked sees what that costs."""
        loop = self._loop
        if (usd := self._outlook.burst_usd(job)) < inf:
            self._account.lets_go(job, usd)
        loop.seek(score, job)
        loop.renting.start_early()
        self._outlook.changed()

    def _ring(self, now_s: int, jobs: list[tuple[float, Job]]) -> None:
        before, self._loop.now_s = self._loop.now_s, now_s
        self.ask([(score, job.job_id, job) for score, job in jobs])
        if not self._loop.renting.due:
            self._loop.now_s = before
        if self._loop.now_s == now_s:
            self._loop.settle()

    def _lose(self, now_s: int, jobs: list[tuple[float, Job]]) -> None:
        self._loop.now_s = now_s if jobs else self._loop.now_s
        self._outlook.now_s = now_s
        for score, job in self._in_order(jobs):
            self._leaves(score, job)
        if self._loop.now_s == now_s:
            self._loop.settle()

    def _in_order(self, jobs: list[tuple[float, Job]]) -> list[tuple[float, Job]]:
        """Return scored jobs first in order first, by the keys of this instant where those change."""
        if self._ranking is not None:
            jobs = [(self._ranking.key(job), job) for _, job in jobs]
        return sorted(jobs, key=lambda each: (each[0], each[1].job_id))


def asking_of(loop: AskingLoop, parts: Parts, owned: AnyQueue) -> Asking:
    """Return what asks the patience of a run, with the view that it has of who waits for pods."""
    seen = parts.cluster, owned, parts.log.running
    if parts.account is None:
        return Asking(loop, parts.policy, ClusterView(*seen))
    outlook = QueueOutlook(*seen, parts.log.turns, parts.policy.offer, parts.account)
    return AskingAgain(loop, parts.policy, outlook, parts.account, parts.ranking)
