"""How a run opens warm: jobs hold devices already that started before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, cast

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.rented.offers import Rental
from scheduler.policy.burst import Patience
from scheduler.policy.patience_view import PatienceView
from scheduler.policy.views import JobView
from traces.arrays import Ints


class OpeningError(ValueError):
    """A job that is said to run when the run begins, and for which there is no room; names it."""


class Running(NamedTuple):
    """A job that runs when the run begins, and since when it holds devices of which pool or offer.

    An empty name, or no pods: wherever the policy would put it.
    """

    job: Job
    since_s: int
    where: str
    pods: tuple[int, ...]


class OpeningLoop(Protocol):
    """The simulation, as it opens."""

    now_s: int
    log: RunLog
    running: dict[Attempt, None]
    arrivals: Arrivals


def begin(
    loop: OpeningLoop,
    cluster: Cluster,
    start: Callable[[Job, PodNeed | Rental, tuple[Pod, ...], int], None],
    enter: Callable[[Job], object],
    running: Iterable[Running],
) -> None:
    """Let jobs `start` that have run since before the run, each once it has entered the order.

    Whoever should have ended by then ends at once. Raises OpeningError.
    """
    opens_s = loop.now_s
    for one in running:
        need, pods, ready_s = holding_of(cluster, one)
        loop.now_s = max(one.since_s, opens_s - ready_s - need.run_s(one.job.runtime_s))
        loop.arrivals.began(one.job)
        enter(one.job)
        start(one.job, need, pods, ready_s)
    loop.now_s = opens_s
    loop.log.opens(opens_s, [(attempt.turn, attempt.so_far(opens_s)) for attempt in loop.running])


def since_ready(patience: Patience, opens_s: int, ready_s: Ints) -> Patience:
    """Return what is left of patience, in a run that opens at a second, for those who have waited before.

    `ready_s` says by row since when. They are asked as of then.
    """

    def left(job: JobView, view: PatienceView) -> float:
        assert isinstance(job, Job)
        if view.now_s != opens_s or job.turn >= len(ready_s):
            return patience(job, view)
        since_s = int(ready_s[job.turn])
        return patience(job, cast(PatienceView, _AsOf(view, since_s))) - (opens_s - since_s)

    return left


class _AsOf:
    """The cluster as it is, at an earlier instant."""

    def __init__(self, view: PatienceView, now_s: int) -> None:
        self.now_s = now_s
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


class InHand(NamedTuple):
    """What such a job holds."""

    need: PodNeed | Rental
    pods: tuple[Pod, ...]
    ready_s: int
    """Seconds from having devices to work."""


def holding_of(cluster: Cluster, running: Running) -> InHand:
    """Return what a job holds; raises OpeningError where it is not free."""
    job = running.job
    rented = [rental for rental in job.shape.rented if rental.offer.stock.name == running.where]
    if rented and rented[0].devices <= rented[0].offer.free:
        return InHand(rented[0], (), rented[0].ready_s(job))
    owned = [need for need in job.shape.owned if need.pool.stock.name == running.where]
    if len(owned) == 1 and (pods := _those(owned[0], running.pods)):
        return InHand(owned[0], pods, 0)
    may_be = [] if rented else owned or job.shape.owned
    slot = cluster.find(_confined(job, may_be)) if may_be else None
    if slot is None:
        place = f" on {running.where}" if running.where else ""
        raise OpeningError(
            f"job_id {job.job_id} of {job.gang:,} devices runs{place} when the run begins, "
            "and there is no room for it"
        )
    return InHand(*slot, 0)


def _those(need: PodNeed, numbers: tuple[int, ...]) -> tuple[Pod, ...]:
    """Return the pods of some numbers if they have what the gang takes of them, else none."""
    if len(numbers) != need.pods_taken or max(numbers) >= len(need.pods):
        return ()
    pods = tuple(need.pods[number] for number in numbers)
    return pods if all(pod.free >= devices for pod, devices in need.shares(pods)) else ()


def _confined(job: Job, owned: list[PodNeed]) -> Job:
    """Return the job as one that may run in some pools only, and is barred from none of them."""
    shape = job.shape
    return job._replace(shape=Shape(owned, [], shape.workload, shape.kind, shape.owner))
