"""The line-up in which the head, once chosen, is kept: RLScheduler's simulator (Zhang et al., SC 2020)."""

from __future__ import annotations

from collections import Counter
from math import inf

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.lineup import Lineup, StartOwned, Wait
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.owned.view import AnyQueue
from scheduler.policy.backfill import Committed


class CommittedLineup(Lineup):
    """What happens in one instant comes one by one: jobs are submitted, then gangs end.

    So the first of two may be chosen as head before the other is there, and who passes the head may take what
    one gang gives back before another has ended.
    """

    def __init__(
        self,
        backfill: Committed,
        queue: AnyQueue,
        waits: bytearray,
        cluster: Cluster,
        wait: Wait,
        start: StartOwned,
    ) -> None:
        super().__init__(queue, waits, cluster, wait, start)
        self._reserve = backfill.reserve
        self._now_s = 0
        self._chosen: QueueEntry | None = None
        self._shadow_s = inf
        """Before it whoever passes the head must have ended."""
        self._ends: list[tuple[PodNeed, tuple[Pod, ...]]] = []
        self._still_held: Counter[Pod] = Counter()
        """Devices of gangs whose end comes later in this instant."""

    def head(self) -> Job | None:
        """Return who is chosen, or None where nobody waits."""
        head = self._head()
        return head and head[2]

    def _head(self) -> QueueEntry | None:
        chosen = self._chosen
        return chosen if chosen is not None and self._waits[chosen[2].turn] else self.queue.head()

    def start(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start now; the others wait."""
        self._now_s = now_s
        ends, self._ends = self._ends, []
        for need, pods in ends:
            self._still_held.update(dict(need.shares(pods)))
        for newcomer in newcomers:
            self._join(newcomer)
            self._look()
        for need, pods in ends:
            self._still_held.subtract(dict(need.shares(pods)))
            self._look()
        if not newcomers and not ends:
            self._look()

    def freed(self, need: PodNeed, pods: tuple[Pod, ...]) -> None:
        """A gang that had so much of these pods has ended."""
        self._ends.append((need, pods))

    def start_anew(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """As `start`: a head may be chosen though nobody could start."""
        self.start(now_s, newcomers)

    def _look(self) -> None:
        while (head := self._head()) is not None:
            slot = self._cluster.find(head[2], self._unlimited)
            if slot is None:
                self._commit(head)
                return
            self._start(head[2], *slot)

    def _commit(self, head: QueueEntry) -> None:
        """Keep the head, and let others pass it."""
        if self._reserve is None:
            self._chosen = head
            return
        if head is not self._chosen:
            self._chosen = head
            self._shadow_s = self._reserve(head[2].shape.owned, self._now_s).shadow_s
        for job in sorted(self.queue.in_order(), key=_submitted):
            if (slot := self._cluster.find(job, self._limit)) is not None:
                self._start(job, *slot)

    def _limit(self, pod: Pod, devices: int) -> float:
        """Return the longest run that ends before the shadow time, not at it."""
        return min(self._unlimited(pod, devices), self._shadow_s - self._now_s - 1)

    def _unlimited(self, pod: Pod, devices: int) -> float:
        return inf if devices <= pod.free - self._still_held[pod] else -1


def _submitted(job: Job) -> tuple[int, int]:
    return job.submit_s, job.job_id
