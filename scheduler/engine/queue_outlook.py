"""What patience is shown: the line for pods, the pods, and what was rented so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.log.waiting import Turns
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import PodNeed
from scheduler.engine.owned.view import AnyQueue, ClusterView
from scheduler.engine.rented.offers import Rental
from scheduler.engine.rented.rent_account import RentAccount
from scheduler.policy.backfill import easy
from scheduler.policy.burst import OfferScore
from scheduler.policy.patience_view import Ahead, HeadOfLine

_RESERVE = easy().reserve


class QueueOutlook(ClusterView):
    """The cluster at `now_s`; whoever changes it meanwhile says so by `changed`."""

    def __init__(
        self,
        cluster: Cluster,
        owned: AnyQueue,
        running: Iterable[Attempt],
        turns: Turns,
        score: OfferScore,
        account: RentAccount,
    ) -> None:
        super().__init__(cluster, owned, running)
        self._turns, self._score, self._account = turns, score, account
        self.start_s = account.start_s
        self._ahead: dict[int, Ahead] = {}
        self._line = Ahead(-1, 0)
        """All who wait; -1 where they have to be counted anew."""
        self._running_s = 0

    @property
    def now_s(self) -> int:
        """The present second; to set it is to count anew."""
        return self._now_s

    @now_s.setter
    def now_s(self, now_s: int) -> None:
        self._now_s = now_s
        self.changed()

    def changed(self) -> None:
        """Somebody came, started or ended."""
        self._line = Ahead(-1, 0)

    @property
    def week_ends_s(self) -> int:
        """When the next week begins."""
        return self._account.week_ends_s

    def waited_s(self, job: Job) -> int:
        """Seconds for which the job has waited, this time."""
        return self.now_s - self._turns.since(job.turn)

    @property
    def queued_jobs(self) -> int:
        """Jobs that wait for pods."""
        self._count()
        return self._line.jobs

    def ahead(self, job: Job) -> Ahead:
        """Those who stand before the job; all who wait where it is not in the line."""
        self._count()
        return self._ahead.get(job.turn, self._line)

    def predicted_wait_s(self, job: Job) -> float:
        """As `ClusterView` has it, reckoned once for all jobs."""
        devices, work = self._cluster.present(), self.ahead(job).device_s + self._running_s
        return work / devices if devices else inf

    def _count(self) -> None:
        if self._line.jobs >= 0:
            return
        self._ahead.clear()
        jobs = device_s = 0
        for job in self._owned.in_order():
            self._ahead[job.turn] = Ahead(jobs, device_s)
            need = job.shape.owned[0]
            jobs, device_s = jobs + 1, device_s + need.devices * need.run_s(job.estimate_s)
        self._line, now_s = Ahead(jobs, device_s), self.now_s
        owned = (attempt for attempt in self._running if isinstance(attempt.need, PodNeed))
        self._running_s = sum(
            attempt.need.devices * max(0, attempt.estimated_end_s() - now_s) for attempt in owned
        )

    @property
    def head(self) -> HeadOfLine | None:
        """The first of those who wait for pods."""
        entry = self._owned.head()
        if entry is None:
            return None
        job = entry[2]
        needs = [need for need in job.shape.owned if need.open]
        expected_s = _RESERVE(needs, self.now_s).shadow_s if needs else inf
        return HeadOfLine(job.job_id, job.gang, min(need.devices for need in job.shape.owned), expected_s)

    @property
    def free(self) -> Sequence[Sequence[int]]:
        """Free devices, by pool and pod."""
        return tuple(tuple(pod.free for pod in pool.pods) for pool in self._cluster.pools)

    def rented_devices(self, owner: str | None = None) -> int:
        """Devices that are rented now, by an owner or in all."""
        return self._account.devices(owner)

    def spent_usd(self, owner: str | None = None, *, this_week: bool = False) -> float:
        """Rent so far, by an owner or in all, since the start of the run or of the week."""
        return self._account.usd(owner, this_week=this_week)

    def usd_per_device_h(self, job: Job) -> float:
        """The price now of the offer that the job would take; inf where none has room that it may use."""
        rental = self._rental(job)
        return inf if rental is None else rental.usd_per_device_h

    def burst_usd(self, job: Job) -> float:
        """What the job would pay there by its estimate, boot and billing steps included; inf likewise."""
        rental = self._rental(job)
        return inf if rental is None else rental.bill_usd(job)

    def _rental(self, job: Job) -> Rental | None:
        rentals = [each for each in job.shape.rented if each.has_room]
        scored = [(self._score(job, rental), at) for at, rental in enumerate(rentals)]
        score, at = min(scored, default=(inf, 0))
        return None if score == inf else rentals[at]
