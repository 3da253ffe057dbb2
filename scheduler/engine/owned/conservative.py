"""The line-up of conservative backfill, whose reservations are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.lineup import PlannedLineup, StartOwned, Wait
from scheduler.engine.owned.pools import Pod
from scheduler.engine.owned.reservations import Reservations
from scheduler.engine.queue import LinedQueue
from scheduler.policy.backfill import Conservative


class ConservativeLineup(PlannedLineup):
    """Starts whom the backfill would pick, without a plan from scratch for each.

    Nobody who has started takes what is reserved by then, so the pass goes on from there; and the next one
    mends what it finds. Where more than the pods and the reservations says who may start, or a place policy
    refuses somebody, the backfill is asked instead.
    """

    def __init__(
        self,
        backfill: Conservative,
        queue: LinedQueue,
        waits: bytearray,
        cluster: Cluster,
        wait: Wait,
        start: StartOwned,
    ) -> None:
        super().__init__(backfill, queue, waits, cluster, wait, start)
        self._depth = backfill.depth
        self._held = Reservations(waits, cluster.pools)
        self._newcomers: Sequence[QueueEntry] = ()
        self._looked_at: list[Pod] | None = None

    def start(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start now; the others wait."""
        self._newcomers = newcomers
        super().start(now_s, newcomers)

    def disturbed(self) -> None:
        """Devices are there, or gone, or expected, for another reason than that a gang starts or ends."""
        super().disturbed()
        self._held.goes_on = False

    def _let_pass(self) -> None:
        plain = self._kept is None and self._cluster.leaving.limit(None) is None
        if not plain or not self._pass_beside_held():
            self._held.forget()
            super()._let_pass()

    def _pass_beside_held(self) -> bool:
        """Start whoever may, but say no once the backfill has to be asked."""
        view, held = self._view, self._held
        self._look_at(held.begin(view.now_s, self._newcomers))
        held.goes_on = False
        able, waiting = self._able(), self._behind_held()
        while able is not None:
            entry = next(waiting, None) if held.count < self._depth else None
            if entry is None or entry[2] is able:
                start = view.fit(able, held.limit)
                if start is None:
                    return entry is None
                _, (need, pods) = start
                self._start(able, need, pods)
                if not held.started(able, need, pods):
                    self._look_at(held.begin(view.now_s))
                able, waiting = self._able(), self._behind_held()
                continue
            start_s = held.reserve(entry, view.needs(entry[2]))
            if start_s - view.now_s < _longest_s(able) and not view.has_room(able, held.limit):
                able = self._able()
        held.goes_on = True
        return True

    def _look_at(self, pods: Iterable[Pod] | None) -> None:
        """Look for room on these pods, None: all, and among all for newcomers."""
        self._looked_at = None if pods is None else list(pods)

    def _able(self) -> Job | None:
        """Return the first in order who has room beside what is reserved, of those who may have."""
        view, limit, pods = self._view, self._held.limit, self._looked_at
        if pods is None or (pods and self._newcomers):
            return view.able(limit)
        if pods:
            return view.able(limit, pods)
        newcomers = (entry[2] for entry in sorted(self._newcomers))
        waiting = (job for job in newcomers if self._waits[job.turn] and job.shape.owned)
        return next((job for job in waiting if view.has_room(job, limit)), None)

    def _behind_held(self) -> Iterator[QueueEntry]:
        """Yield who waits behind those who have reserved."""
        return islice(self.queue.entries(), self._held.count, None)


def _longest_s(job: Job) -> int:
    """Return how long a job may take, wherever it starts."""
    return max(need.run_s(job.estimate_s) for need in job.shape.owned)
