"""Who holds how much quota, and which of them runs where."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.engine.attempt import Attempt
from scheduler.engine.log.admission_log import AdmissionLog
from scheduler.engine.quota.fair import FairShares
from scheduler.engine.quota.holders import QuotaAsk, QuotaHolder, QuotaQueue
from scheduler.engine.quota.options import Option
from scheduler.engine.rented.offers import Clock
from scheduler.run.admissions import PREEMPTED, RECLAIMED


class QuotaBooks:
    """Books and logs what is taken and given back: in the tree, and in the shares of fair mode, if any."""

    def __init__(self, shares: FairShares | None, log: AdmissionLog, clock: Clock) -> None:
        self._shares, self._log, self._clock = shares, log, clock
        self._holders: dict[int, QuotaHolder] = {}
        """By turn."""
        self._of_queue: dict[QuotaQueue, dict[int, QuotaHolder]] = {}
        self._attempts: dict[int, Attempt] = {}
        self._admissions = 0

    def asks(self, turn: int, queue: int, option: Option) -> None:
        """Let a job of a queue, by its number, ask for quota."""
        self._log.asks(turn, queue, option.resource, option.devices, int(self._clock.now))

    def take(self, ask: QuotaAsk, score: float) -> QuotaHolder:
        """Let a job hold what it asks for."""
        self._admissions += 1
        holder = QuotaHolder(ask.job, score, ask.queue, ask.resource, ask.devices, self._admissions)
        self._book(holder, holder.devices)
        turn = ask.job.turn
        resource = ask.resource if ask.devices else None
        self._log.admitted(turn, resource, ask.devices, int(self._clock.now))
        self._holders[turn] = self._of_queue.setdefault(ask.queue, {})[turn] = holder
        return holder

    def gives_way(self, holder: QuotaHolder, ask: QuotaAsk) -> None:
        """Note why a job will give its quota back now."""
        ending = PREEMPTED if holder.queue is ask.queue else RECLAIMED
        self._log.gives_way(holder.job.turn, ending, ask.job.job_id)

    def give_back(self, turn: int, ending: int) -> QuotaQueue | None:
        """Let a job hold and ask for nothing any more; return its queue, None where it held nothing."""
        self._log.over(turn, int(self._clock.now), ending)
        self._attempts.pop(turn, None)
        holder = self._holders.pop(turn, None)
        if holder is None:
            return None
        self._book(holder, -holder.devices)
        del self._of_queue[holder.queue][turn]
        return holder.queue

    def _book(self, holder: QuotaHolder, devices: int) -> None:
        node = holder.queue.node
        (node.take if devices > 0 else node.give)(holder.resource, abs(devices))
        if self._shares is not None:
            self._shares.holds(node, holder.resource, devices)

    def runs(self, attempt: Attempt) -> bool:
        """Note that a job runs; say whether it holds any quota."""
        self._attempts[attempt.turn] = attempt
        return attempt.turn in self._holders

    def attempt(self, holder: QuotaHolder) -> Attempt:
        """Return the attempt of one that runs."""
        return self._attempts[holder.job.turn]

    def holds(self, holder: QuotaHolder) -> bool:
        """Say whether it still holds what it was given."""
        return self._holders.get(holder.job.turn) is holder

    def of(self, queue: QuotaQueue) -> Iterator[QuotaHolder]:
        """Yield who holds quota of a queue, in order of their admission."""
        yield from self._of_queue.get(queue, {}).values()
