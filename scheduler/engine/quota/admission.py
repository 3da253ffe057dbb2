"""Who is admitted to the line-up for pods: whose queue has so much available; until then it blocks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import ceil, inf
from operator import attrgetter

from scheduler.engine.attempt import Attempt
from scheduler.engine.changing_queue import ChangingQueue
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import QueueEntry
from scheduler.engine.queue import LinedQueue
from scheduler.engine.quota.fair import FairShares
from scheduler.engine.quota.holders import QuotaAsk, QuotaHolder, QuotaQueue, givers, may_give
from scheduler.engine.quota.options import Option, Options
from scheduler.engine.quota.quota_books import QuotaBooks
from scheduler.engine.quota.rules import QuotaRules, Yielding
from scheduler.engine.ranking import Ranking
from scheduler.engine.rented.offers import Clock
from scheduler.policy.quota_tree import QuotaNode
from scheduler.run.admissions import BURST, ENDED, NO_POD

Rank = tuple[tuple[float, ...], float, int]
"""Shares, or whether it borrows; the key of the order, and job_id: lowest first."""


class Admission:
    """Holds jobs until their queue has quota for them.

    `stands` says by turn who has been admitted and waits for pods.
    """

    def __init__(self, rules: QuotaRules, loop: Yielding, clock: Clock, ranking: Ranking | None) -> None:
        self._rules, self._loop, self._clock, self._ranking = rules, loop, clock, ranking
        self._fair = None if rules.half_life_s is None else FairShares(rules.half_life_s, clock)
        self._options = Options(rules.resource_of)
        self._books = QuotaBooks(self._fair, rules.log, clock)
        self.stands = bytearray()
        self._pending = bytearray()
        """By turn, who waits for quota."""
        self._lines: dict[QuotaQueue, LinedQueue | ChangingQueue] = {}
        self._trees: dict[QuotaNode, list[QuotaQueue]] = {}
        """The queues of each root in which somebody ever waited."""
        self._scores: dict[int, float] = {}
        self._due: dict[QuotaNode, None] = {}
        """Roots in which somebody came or something was given back."""
        self._resting: dict[int, QuotaHolder] = {}
        """Who found no pod in time, by turn."""
        self._rings: set[tuple[QuotaHolder, float]] = set()

    def never(self, job: Job) -> str | None:
        """Return why a job can never be admitted; None where it can."""
        node, options = self._queue(job).node, self._options.of(job.shape)
        if any(option.ever_fits(node) for option in options):
            return None
        most = max(node.potential(option.resource or 0) for option in options)
        return f"queue {node.name} can never have more than {most:g} devices"

    def submit(self, entry: QueueEntry) -> None:
        """Let a job wait for quota."""
        score, job_id, job = entry
        queue = self._queue(job)
        for flags in (self.stands, self._pending):
            if job.turn >= len(flags):
                flags.extend(bytes(job.turn + 1 - len(flags)))
        self._pending[job.turn] = 1
        self._scores[job.turn] = score
        whole = job.shaped(self._options.whole(job.shape))
        self._lines[queue].push((score, job_id, whole))
        self._books.asks(job.turn, self._number(job), self._options.of(whole.shape)[0])
        self._due[queue.node.root] = None

    def started(self, attempt: Attempt) -> None:
        """A job starts: on rented devices it wants no quota any more.

        One that has run before the run began holds what it takes, though that is more than there is.
        """
        job, turn = attempt.job, attempt.turn
        if turn < len(self._pending):
            self._pending[turn] = self.stands[turn] = 0
            self._resting.pop(turn, None)
        if not attempt.pods:
            self._give_back(turn, BURST)
        elif not self._books.runs(attempt):
            self._runs_already(job)
            self._books.runs(attempt)

    def released(self, attempt: Attempt) -> None:
        """A job gives its quota back, as it runs no more."""
        self._give_back(attempt.turn, ENDED)

    def leaves(self, turn: int) -> None:
        """A job waits no more, though it does not start."""
        if turn < len(self._pending):
            self._pending[turn] = self.stands[turn] = 0
            self._resting.pop(turn, None)
            self._give_back(turn, ENDED)

    def waiting(self) -> list[Job]:
        """Return who waits for quota, in order of the queues and of each."""
        return [job for line in self._lines.values() for job in line.in_order()]

    def _runs_already(self, job: Job) -> None:
        option = self._options.of(job.shape)[0]
        self._books.asks(job.turn, self._number(job), option)
        self._books.take(_ask(job, self._queue(job), option), 0.0)

    def _give_back(self, turn: int, ending: int) -> None:
        if (queue := self._books.give_back(turn, ending)) is not None:
            self._due[queue.node.root] = None

    # who is admitted

    def admit(self) -> list[QueueEntry]:
        """Return the entries of all who are admitted now; others may give way to them."""
        admitted = []
        while self._due:
            root, _ = self._due.popitem()
            while (ask := self._first(root) or self._reclaim(root)) is not None:
                admitted.append(self._admit(ask))
        return admitted

    def _first(self, root: QuotaNode) -> QuotaAsk | None:
        """Return who is admitted next in a tree, of those whose queue has so much available."""
        best: tuple[Rank, QuotaAsk] | None = None
        for queue in self._trees.get(root, ()):
            job = self._lines[queue].first(inf, partial(self._room, queue.node))
            if job is not None:
                option = next(each for each in self._options.of(job.shape) if each.fits(queue.node))
                ask = _ask(job, queue, option)
                rank = self._rank(ask)
                if best is None or rank < best[0]:
                    best = rank, ask
        return best and best[1]

    def _room(self, node: QuotaNode, shape: Shape) -> float:
        return inf if any(option.fits(node) for option in self._options.of(shape)) else 0.0

    def _rank(self, ask: QuotaAsk) -> Rank:
        """In fair mode least share first, compared where two queues part; else who does not borrow first."""
        job, node = ask.job, ask.queue.node
        shares: tuple[float, ...] = (float(not ask.fits_its_own),)
        if self._fair is not None:
            node.take(ask.resource, ask.devices)
            shares = tuple(map(self._fair, node.path))
            node.give(ask.resource, ask.devices)
        score = self._scores[job.turn] if self._ranking is None else self._ranking.key(job)
        return shares, score, job.job_id

    def _reclaim(self, root: QuotaNode) -> QuotaAsk | None:
        """Let others give way to the first for whom that makes room; return it."""
        asks = sorted(((self._rank(ask), ask) for ask in self._asks(root)), key=lambda each: each[0])
        for _, ask in asks:
            stopped = givers(self._candidates(ask, root), ask, self._fair)
            for holder in stopped:
                self._books.gives_way(holder, ask)
                if self.stands[holder.job.turn]:
                    self._step_back(holder)
                else:
                    self._loop.gives_way(self._books.attempt(holder))
            if stopped and ask.devices <= ask.queue.node.available(ask.resource):
                return ask
        return None

    def _asks(self, root: QuotaNode) -> Iterator[QuotaAsk]:
        """Yield what the first of each need in each queue would take, where others may have to give way."""
        for queue in self._trees.get(root, ()):
            if queue.reclaim != "never" or queue.preempt_within != "never":
                for job in self._lines[queue].heads():
                    for option in self._options.of(job.shape):
                        if option.resource is not None:
                            yield _ask(job, queue, option)

    def _candidates(self, ask: QuotaAsk, root: QuotaNode) -> list[QuotaHolder]:
        """Return who may give way to a job as things stand."""
        asked = [ask.queue]
        if ask.queue.reclaim != "never" and (ask.fits_its_own or self._fair is not None):
            others = (queue for queue in self._trees[root] if queue is not ask.queue)
            asked += [queue for queue in others if queue.node.borrows(ask.resource)]
        holders = (holder for queue in asked for holder in self._books.of(queue))
        return [holder for holder in holders if may_give(ask, holder) and self._may_stop(holder)]

    def _may_stop(self, holder: QuotaHolder) -> bool:
        if self.stands[holder.job.turn]:
            return True
        until_s, now_s = self._loop.safe_until_s(self._books.attempt(holder)), int(self._clock.now)
        if now_s < until_s < inf and (holder, until_s) not in self._rings:
            self._rings.add((holder, until_s))
            self._loop.later(ceil(until_s) - now_s, partial(self._look_again, holder, until_s))
        return until_s <= now_s

    def _look_again(self, holder: QuotaHolder, until_s: float) -> bool:
        """Somebody is safe no more, who may have to give way if anybody waits."""
        self._rings.discard((holder, until_s))
        if not self._books.holds(holder):
            return False
        root = holder.queue.node.root
        self._due[root] = None
        return any(self._lines[queue].heads() for queue in self._trees[root])

    def _admit(self, ask: QuotaAsk) -> QueueEntry:
        """Let a job stand in the line-up, and hold its quota."""
        job, score = ask.job, self._scores.pop(ask.job.turn)
        self._pending[job.turn], self.stands[job.turn] = 0, 1
        holder = self._books.take(ask, score)
        if self._rules.timeout_s is not None:
            self._loop.later(self._rules.timeout_s, partial(self._give_up, holder))
        return score, job.job_id, job.shaped(ask.shape)

    # who holds quota and has not started

    def _step_back(self, holder: QuotaHolder) -> None:
        """Take its quota from a job that has not started, and let it wait for quota again."""
        job = holder.job
        self.stands[job.turn] = 0
        self._give_back(job.turn, ENDED)
        self.submit((holder.score, job.job_id, job))

    def _give_up(self, holder: QuotaHolder) -> bool:
        """Take its quota from a job that has found no pod, and let it try again after the back-off."""
        turn = holder.job.turn
        if not self._books.holds(holder) or not self.stands[turn]:
            return False
        self.stands[turn] = 0
        self._give_back(turn, NO_POD)
        self._resting[turn] = holder
        self._loop.later(self._rules.backoff_s, partial(self._try_again, holder))
        return True

    def _try_again(self, holder: QuotaHolder) -> bool:
        rests = self._resting.pop(holder.job.turn, None) is holder
        if rests:
            self.submit((holder.score, holder.job.job_id, holder.job))
        return rests

    def _number(self, job: Job) -> int:
        return self._rules.queue_of[job.owner]

    def _queue(self, job: Job) -> QuotaQueue:
        """Return the queue of a job, with a line of its own."""
        queue = self._rules.queues[self._number(job)]
        if queue not in self._lines:
            self._trees.setdefault(queue.node.root, []).append(queue)
            needs, pending, ranking = attrgetter("owned"), self._pending, self._ranking
            if ranking is None:
                self._lines[queue] = LinedQueue(pending, needs)
            else:
                self._lines[queue] = ChangingQueue(pending, needs, ranking)
        return queue


def _ask(job: Job, queue: QuotaQueue, option: Option) -> QuotaAsk:
    at, devices = (0, 0) if option.resource is None else (option.resource, option.devices)
    return QuotaAsk(job, queue, option.shape, at, devices)
