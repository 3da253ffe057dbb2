"""All pools together: where a gang would go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import inf
from typing import Any

from simpy import Environment

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.owned.leaving import Leaving
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.policy.frees import most_of
from scheduler.policy.views import Limit

_CLOSED = -1
"""Stands for the free devices of a pod to which a gang may not go."""

Slot = tuple[PodNeed, tuple[Pod, ...]]
"""What a gang takes, and the pods to take it from: whole ones first, the one that gives the rest last."""

Pick = Callable[[Any, int, Sequence[int]], int]
"""(job, devices, free ones by pod) -> number of a pod, or -1: a place policy."""


class Cluster:
    """All pools, and where the policy would put a gang."""

    def __init__(
        self, pools: list[Pool], pick: Pick, keep_free: float | None = None, clock: Environment | None = None
    ) -> None:
        self.pools = pools
        self.leaving = Leaving(clock or Environment())
        self._pick = pick
        self._keep_free = keep_free
        self.endless = any(pool.endless for pool in pools)
        """There is always room somewhere, at least for some."""
        self.bars = keep_free is not None
        """Jobs that may leave start only if more than a share of the devices in service stays free."""

    def most_free(self) -> int:
        """Return the most free devices that any one pod has; 0 where there are none."""
        return max([most_of(pool.frees) for pool in self.pools], default=0)

    def within(self) -> float:
        """Return how many devices a job that may leave must stay below to start now."""
        free = sum(sum(pool.frees) for pool in self.pools)
        return free - self._keep_free * self._in_service() if self._keep_free is not None else inf

    def barred(self, shape: Shape) -> bool:
        """Say whether a job has to stay out for now, so that enough stays free."""
        return self.bars and bool(shape.rented) and shape.most >= self.within()

    def shuts_out(self, shape: Shape) -> bool:
        """Say whether a job that may leave could not start though nobody else ran."""
        return bool(shape.rented) and shape.most >= (1 - (self._keep_free or 0.0)) * self._devices()

    def _devices(self) -> int:
        return sum(pool.size * pool.most_pods for pool in self.pools)

    def present(self) -> int:
        """Return the devices that are there now, in service or not."""
        return sum(pool.size * pool.present for pool in self.pools)

    def _in_service(self) -> int:
        out = sum(pod.units.out for pool in self.pools for pod in pool.pods if pod.units is not None)
        return self.present() - out

    def find(self, job: Job, limit: Limit | None = None) -> Slot | None:
        """Return the best place for the job now, or None.

        Gangs that fit a pod stay inside one, in whichever pool has the pod that the policy picks; a larger
        gang takes whole free pods and the rest in one more, in the first pool that has them. With `limit`,
        only pods on which the job's estimate keeps it.
        """
        need = job.shape.only
        if self.bars and self.barred(job.shape):
            return None
        if self.leaving.concerns(job):
            limit = self.leaving.limit(limit)
        if need is None:
            return self._among(job, limit) or (self._elsewhere(job, limit) if job.shape.roams else None)
        plain = limit is None and need.power is None and need.open
        free = need.frees if plain else _open(job, need, need.devices, limit)
        at = self._pick(job, need.devices, free)
        return (need, need.pods[at].alone) if at >= 0 else None

    def _among(self, job: Job, limit: Limit | None) -> Slot | None:
        """Inside one pod of several pools."""
        free: list[int] = []
        slots: list[Slot] = []
        for need in job.shape.owned:
            if not need.whole:
                free += _open(job, need, need.devices, limit)
                slots += [(need, pod.alone) for pod in need.pods]
        at = self._pick(job, 1, free)
        return slots[at] if at >= 0 else None

    def _elsewhere(self, job: Job, limit: Limit | None) -> Slot | None:
        """Across pods, or in pods that an endless pool adds."""
        for need in job.shape.owned:
            if need.whole and need.open and need.frees.count(need.size) >= need.whole:
                whole = tuple(islice(self._ranked(job, need, need.size, limit), need.whole))
                if len(whole) == need.whole and not need.rest:
                    return need, whole
                lasts = (pod for pod in self._ranked(job, need, need.rest, limit) if pod not in whole)
                if len(whole) == need.whole and (last := next(lasts, None)) is not None:
                    return need, (*whole, last)
            if need.pool.endless:
                need.pool.grow(need.pods_taken)
                return self.find(job)
        return None

    def _ranked(self, job: Job, need: PodNeed, devices: int, limit: Limit | None) -> Iterator[Pod]:
        """Yield pods with so many free devices, in the order in which the policy would pick them."""
        free = _open(job, need, devices, limit)
        while (at := self._pick(job, devices, free)) >= 0:
            yield need.pods[at]
            free[at] = _CLOSED


def _open(job: Job, need: PodNeed, devices: int, limit: Limit | None) -> list[int]:
    """The free devices of each pod of the pool, closed where the gang does not fit or keep the limit."""
    pods = zip(need.pods, need.frees, strict=True)
    run = need.run_s(job.estimate_s)
    if run > lasts_s(need, limit):
        return [_CLOSED] * len(need.frees)
    if limit is None:
        return [free if free >= devices else _CLOSED for _, free in pods]
    return [free if free >= devices and run <= limit(pod, devices) else _CLOSED for pod, free in pods]


def lasts_s(need: PodNeed, limit: Limit | None) -> float:
    """Return the longest run for which the gang's site has its power, by what it has and by the limit.

    It is 0 where nobody may start so yet.
    """
    if not need.open:
        return 0
    if need.power is None:
        return inf
    power_s = need.power.lasts_s(need.units)
    return power_s if limit is None or not power_s else min(power_s, limit(need.power, need.units))
