"""The line-up of backfills that reserve for the head alone."""

from __future__ import annotations

from math import inf

from scheduler.engine.changing_queue import ChangingQueue
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.cluster import Cluster, Slot
from scheduler.engine.owned.keeping import within
from scheduler.engine.owned.leaving import holds, without
from scheduler.engine.owned.lineup import Lineup, StartOwned, Wait
from scheduler.engine.owned.pools import Pod
from scheduler.engine.owned.view import most_free, room
from scheduler.engine.queue import LinedQueue
from scheduler.policy.backfill import HeadOnly
from scheduler.policy.views import Reservation


class HeadOnlyLineup(Lineup):
    """The backfill reserves for the head alone, and what it reserves is kept as long as it holds.

    Who could not pass the head at the last look may do so only on a pod where a gang has ended since, or that
    is reserved no more. So most passes look at one pod, or at one newcomer.
    """

    def __init__(
        self,
        backfill: HeadOnly,
        queue: LinedQueue | ChangingQueue,
        waits: bytearray,
        cluster: Cluster,
        wait: Wait,
        start: StartOwned,
    ) -> None:
        super().__init__(queue, waits, cluster, wait, start)
        self._lined = queue
        self._backfill = backfill
        self._now_s = 0
        self._held: Reservation | None = None
        """Not asked for before somebody fits behind the head, which is rare."""
        self._held_until_s = inf
        self._looked_at: list[Pod] | None = None
        """None: all."""

    def start(self, now_s: int, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start now; the others wait."""
        self._now_s = now_s
        newcomers.sort()
        blocked = self._blocked
        if self._cluster.bars:
            self._look_after_each_start(newcomers)
        elif blocked is None or now_s >= self._held_until_s or not self._waits[blocked[2].turn]:
            self._look_at_all(newcomers)
        elif not newcomers:
            self._look_at_freed(blocked[2])
        elif self._freed or newcomers[0] < blocked:
            self._look_at_all(newcomers)
        else:
            self._look_at_newcomers(newcomers)

    def _look_anew(self, now_s: int, joined: list[Job]) -> None:
        """Look at no more than `start` does, if the head is the same; those behind it pass in any order."""
        head, blocked = self._lined.head(), self._blocked
        same = blocked is not None and head is not None and head[2] is blocked[2]
        if not same or len(joined) > 1 or (joined and self._freed):
            self._blocked = None
        self._now_s = now_s
        if self._blocked is not None and joined and now_s < self._held_until_s and not self._cluster.bars:
            if self._passes(joined[0]) and self._held is None:
                self._look_at_all([])
        else:
            self.start(now_s, [])

    def _look_after_each_start(self, newcomers: list[QueueEntry]) -> None:
        """Look at everything anew once somebody has started, as others may be barred then, the head too."""
        super().start(self._now_s, newcomers)
        self._looked_at = None
        while self._blocked is not None:
            self._held = None
            job = self._lined.first(self._cluster.most_free(), self._room)
            if job is None:
                return
            passes = self._passes(job)
            assert passes
            self._start_heads()

    def _look_at_newcomers(self, newcomers: list[QueueEntry]) -> None:
        for at, newcomer in enumerate(newcomers):
            if not self._passes(newcomer[2]):
                self._join(newcomer)
            elif self._held is None:
                self._look_at_all(newcomers[at + 1 :])
                return

    def _look_at_all(self, newcomers: list[QueueEntry]) -> None:
        super().start(self._now_s, newcomers)
        self._held, self._held_until_s = None, inf
        if self._blocked is not None:
            self._let_pass(None)

    def _look_at_freed(self, head: Job) -> None:
        if most_free(self._freed) >= head.shape.least and self._cluster.find(head) is not None:
            self._look_at_all([])
            return
        pods, self._freed = self._freed, []
        if self._held is None or self._renew(head, self._held, pods):
            self._let_pass(pods)
        else:
            self._look_at_all([])

    def _renew(self, head: Job, held: Reservation, pods: list[Pod]) -> bool:
        """Renew the reservation after ends on these pods, and add those that are reserved no more.

        Say no where it has to be made anew.
        """
        for pod in pods[:]:
            needs = self._cluster.leaving.lasting(head)
            renewed = self._backfill.renew(needs, self._now_s, held, pod)
            if renewed is None:
                return False
            if renewed is not held:
                if not self._lasts(head, renewed):
                    return False
                pods += [other for other in held.spare if other not in pods]
                held = self._hold(renewed)
        return True

    def _let_pass(self, pods: list[Pod] | None) -> None:
        """Start whoever finds room on these pods, in order; None: on any."""
        self._looked_at = pods
        while (job := self._lined.first(self._most_free(), self._room)) is not None:
            passes = self._passes(job)
            assert passes
            if self._held is None:
                self._looked_at = None

    def _most_free(self) -> int:
        return self._cluster.most_free() if self._looked_at is None else most_free(self._looked_at)

    def _room(self, shape: Shape) -> float:
        limit = within(self._kept, self._limit, self._now_s)
        return room(self._cluster.leaving.limit(limit) or limit, self._looked_at, shape)

    def _passes(self, job: Job) -> bool:
        """Start a job behind the head if it fits and leaves what is reserved; say whether it does.

        If the reservation has to be made anew then, there is none.
        """
        slot = self._cluster.find(job)
        if slot is None:
            return False
        spare = (self._held or self._reserve()).spare
        if self._kept is not None or not spare.keys().isdisjoint(slot[1]):
            slot = self._cluster.find(job, within(self._kept, self._limit, self._now_s))
            if slot is None:
                return False
            if not spare.keys().isdisjoint(slot[1]):
                self._use_up(job, slot)
        self._start(job, *slot)
        return True

    def _limit(self, pod: Pod, devices: int) -> float:
        """Return the longest run that may start there now."""
        held = self._held or self._reserve()
        spare = held.spare.get(pod)
        return inf if spare is None or devices <= spare else held.shadow_s - self._now_s

    def _use_up(self, job: Job, slot: Slot) -> None:
        """Take from what is spare what a job holds that runs on beyond the shadow time.

        Of several pods, others may be empty first once a job has started on one of them.
        """
        need, pods = slot
        held = self._held or self._reserve()
        if len(held.spare) > 1:
            self._held, self._held_until_s = None, inf
        elif self._now_s + need.run_s(job.estimate_s) > held.shadow_s:
            for pod, devices in need.shares(pods):
                if pod in held.spare:
                    held.spare[pod] -= devices

    def _reserve(self) -> Reservation:
        """Reserve for the head on pods that will hold it to its end."""
        assert self._blocked is not None
        head = self._blocked[2]
        needs = self._cluster.leaving.lasting(head)
        reservation = self._backfill.reserve(needs, self._now_s)
        while not self._lasts(head, reservation):
            needs = without(needs, head, reservation.shadow_s, reservation.spare)
            reservation = self._backfill.reserve(needs, self._now_s)
        return self._hold(reservation)

    def _lasts(self, head: Job, reservation: Reservation) -> bool:
        """Say whether the pods of a reservation will be there to the end of the head's estimate."""
        owned = head.shape.owned
        return all(holds(pod, owned, head, reservation.shadow_s) for pod in reservation.spare)

    def _hold(self, reservation: Reservation) -> Reservation:
        several = len(reservation.spare) > 1  # a second before, any that are overdue are as late as the last
        self._held, self._held_until_s = reservation, reservation.shadow_s - several
        return reservation
