"""The owned side of a pass: who waits for pods, in order, and who of them starts.

There is one line-up for each kind of backfill; they differ in who may pass a head that fits nowhere.
"""

from __future__ import annotations

from collections.abc import Callable

from scheduler.engine.changing_queue import ChangingQueue
from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.keeping import Kept
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.owned.view import AnyQueue, WaitingView
from scheduler.engine.queue import LinedQueue
from scheduler.policy.backfill import Planned

Wait = Callable[[Job], None]
"""Told of each job that has to wait."""

StartOwned = Callable[[Job, PodNeed, tuple[Pod, ...]], object]
"""(job, what it takes, pods) -> whatever: lets a job start there."""


class Lineup:
    """Strict order: the head starts, or nobody does; `waits` says by turn who waits."""

    def __init__(
        self, queue: AnyQueue, waits: bytearray, cluster: Cluster, wait: Wait, start: StartOwned
    ) -> None:
        self.queue = queue
        self._waits, self._cluster, self._wait, self._start = waits, cluster, wait, start
        self._blocked: QueueEntry | None = None
        """The head that the last look left waiting; None where there is none, or another look is due."""
        self._freed: list[Pod] = []
        """Where gangs have ended since then."""
        self._kept: Kept | None = None

    def head(self) -> Job | None:
        """Return the first in order, or None where nobody waits."""
        head = self.queue.head()
        return head and head[2]

    def freed(self, need: PodNeed, pods: tuple[Pod, ...]) -> None:
        """A gang that had so much of these pods has ended."""
        self._freed += pods

    def disturbed(self) -> None:
        """Devices are there, or gone, or expected, for another reason than that a gang starts or ends."""
        self._blocked = None

    def keep(self, kept: Kept | None) -> None:
        """Let whoever passes the head leave room for it; None: no more."""
        self._kept = kept
        self.disturbed()

    def start(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start now; the others wait."""
        for newcomer in newcomers:
            self._join(newcomer)
        self._start_heads()

    def start_anew(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """As `start`, where the order may be another than at the last look."""
        assert isinstance(self.queue, ChangingQueue)
        for newcomer in newcomers:
            self._join(newcomer)
        if self._cluster.endless or self.queue.least <= self._cluster.most_free():
            self._look_anew(now_s, [newcomer[2] for newcomer in newcomers if newcomer[2].shape.owned])

    def _look_anew(self, now_s: int, joined: list[Job]) -> None:
        """Start whoever may start now; those who have joined since the last look wait with the others."""
        self.disturbed()
        self.start(now_s, [])

    def _join(self, newcomer: QueueEntry) -> None:
        job = newcomer[2]
        self._wait(job)
        if job.shape.owned:
            self.queue.push(newcomer)

    def _start_heads(self) -> None:
        head = self.queue.head()
        while head is not None and (self._freed or head is not self._blocked):
            slot = self._cluster.find(head[2])
            if slot is None:
                break
            self._start(head[2], *slot)
            head = self.queue.head()
        self._blocked = head
        self._freed.clear()


class PlannedLineup(Lineup):
    """The backfill plans every pass from scratch."""

    def __init__(
        self,
        backfill: Planned,
        queue: LinedQueue | ChangingQueue,
        waits: bytearray,
        cluster: Cluster,
        wait: Wait,
        start: StartOwned,
    ) -> None:
        super().__init__(queue, waits, cluster, wait, start)
        self._pick = backfill.pick
        self._view = WaitingView(cluster, queue)

    def start(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start now; the others wait."""
        super().start(now_s, newcomers)
        if self._blocked is not None:
            self._view.now_s, self._view.kept = now_s, self._kept
            self._let_pass()

    def _let_pass(self) -> None:
        """Start whoever may pass the head now."""
        while (pick := self._pick(self._view)) is not None:
            job, slot = pick
            self._start(job, *slot)
