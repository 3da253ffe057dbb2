"""What policies are shown of a simulation; they read it and change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from math import inf
from typing import NoReturn

from scheduler.engine.attempt import Attempt
from scheduler.engine.changing_queue import ChangingQueue
from scheduler.engine.fair_share import StartTags
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.owned.cluster import Cluster, Slot, lasts_s
from scheduler.engine.owned.keeping import Kept, within
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.queue import LinedQueue, Queue
from scheduler.policy.frees import fitting
from scheduler.policy.order import OrderError
from scheduler.policy.views import Limit, View

AnyQueue = Queue | LinedQueue | ChangingQueue


class KeyView:
    """What an order may look at: the tags of its owners' shares, and never what depends on the moment."""

    def __init__(self, start_tags: StartTags) -> None:
        self.start_tag = start_tags.start_tag

    def __getattr__(self, name: str) -> NoReturn:
        if name not in vars(View):
            raise AttributeError(name)
        raise OrderError(
            f"policy.order: looks at view.{name}, but a key is asked for once, as its job becomes ready, "
            "and would stay as it is then; let the order have keys(jobs, view), asked anew, as wfp3 has"
        )


class ClusterView:
    """The cluster at `now_s`, for patience."""

    def __init__(self, cluster: Cluster, owned: AnyQueue, running: Iterable[Attempt]) -> None:
        self.now_s = 0
        self._cluster = cluster
        self._owned = owned
        self._running = running

    def predicted_wait_s(self, job: Job) -> float:
        """Estimated device-seconds of owned work ahead of the job over the owned devices.

        Ahead is what runs and what waits before it in order, as if work were a fluid: gangs that do not
        fill the gaps make real waits longer.
        """
        running = (attempt for attempt in self._running if isinstance(attempt.need, PodNeed))
        work = sum(
            attempt.need.devices * max(0, attempt.estimated_end_s() - self.now_s) for attempt in running
        )
        for other in self._owned.in_order():
            if other is job:
                break
            need = other.shape.owned[0]
            work += need.devices * need.run_s(other.estimate_s)
        devices = self._cluster.present()
        return work / devices if devices else inf

    def rented_s(self, job: Job) -> float:
        """Fewest seconds from renting to the end of work, by the estimate; inf where it may not leave."""
        return min((rental.ready_s(job) + rental.work_s(job) for rental in job.shape.rented), default=inf)


class WaitingView:
    """The jobs that wait for owned devices at `now_s` and the pods they wait for, for backfill."""

    def __init__(self, cluster: Cluster, queue: LinedQueue | ChangingQueue) -> None:
        self.now_s = 0
        self.kept: Kept | None = None
        self._cluster = cluster
        self._queue = queue

    def in_order(self) -> Iterator[Job]:
        """All of them that are not barred, first first."""
        if not self._cluster.bars:
            return self._queue.in_order()
        within = self._cluster.within()
        jobs = self._queue.in_order()
        return (job for job in jobs if not job.shape.rented or job.shape.most < within)

    def needs(self, job: Job) -> list[PodNeed]:
        """What the job would take, for each pool that could ever hold it."""
        return [need for need in job.shape.owned if need.open]

    def able(self, limit: Limit, pods: list[Pod] | None = None) -> Job | None:
        """The first job in order that has room now, be it that the place policy refuses it.

        Gangs inside a pod are looked for on these `pods`, None for all.
        """
        free = self._cluster.most_free() if pods is None else most_free(pods)
        return self._queue.first(free, partial(room, self._within(limit), pods))

    def has_room(self, job: Job, limit: Limit) -> bool:
        """Say whether there are pods free now whose limit the job's estimate keeps."""
        return room(self._within(limit), None, job.shape) >= job.estimate_s

    def _within(self, limit: Limit) -> Limit:
        """Return a limit that is also kept to where room is, and where pods are about to leave."""
        limit = within(self.kept, limit, self.now_s)
        return self._cluster.leaving.limit(limit) or limit

    def first(self, limit: Limit) -> tuple[Job, Slot] | None:
        """The first job in order that fits now on pods whose limit its estimate keeps."""
        job = self.able(limit)
        return job and self.fit(job, limit)

    def fit(self, job: Job, limit: Limit) -> tuple[Job, Slot] | None:
        """The job's place now on pods whose limit its estimate keeps."""
        slot = self._cluster.find(job, within(self.kept, limit, self.now_s))
        return slot and (job, slot)


def most_free(pods: list[Pod]) -> int:
    """Return the most free devices that any one of the pods has; 0 where there are none."""
    if len(pods) == 1:  # most often it is the one where a gang has ended
        return pods[0].frees[pods[0].index]
    return max([pod.frees[pod.index] for pod in pods], default=0)


def room(limit: Limit, pods: list[Pod] | None, shape: Shape) -> float:
    """Return the longest estimate, in reference seconds, that may start in some pool now; 0 for none.

    A gang inside a pod is looked for on these `pods`, None for all, one across pods on all of its pool.
    """
    most = 0.0
    for need in shape.owned:
        power_s = lasts_s(need, limit)
        if not power_s:
            continue
        if need.whole:
            most = max(most, need.reference_s(min(power_s, _span_room(need, limit))))
            continue
        frees, devices = need.frees, need.devices
        if pods is None:
            able = (need.pods[at] for at in fitting(frees, devices))
        else:
            able = (pod for pod in pods if pod.frees is frees and frees[pod.index] >= devices)
        for pod in able:
            run = min(power_s, limit(pod, devices))
            if run == inf:
                return inf
            most = max(most, need.reference_s(run))
    return most


def _span_room(need: PodNeed, limit: Limit) -> float:
    """Whole pods that are free, and one more, free or not, for the rest."""
    if need.frees.count(need.size) < need.whole:
        return 0.0
    empty = (need.pods[at] for at in fitting(need.frees, need.size))
    whole = sorted((limit(pod, need.size) for pod in empty), reverse=True)
    run = whole[need.whole - 1]
    if not need.rest:
        return run
    able = (need.pods[at] for at in fitting(need.frees, need.rest))
    rest = sorted((limit(pod, need.rest) for pod in able), reverse=True)
    return min(run, rest[need.whole]) if len(rest) > need.whole else 0.0
