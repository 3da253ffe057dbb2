"""The owned side: pools of pods, what a gang takes of a pool, and where it fits."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Any

from scheduler.engine.attempt import Attempt
from scheduler.engine.job import Job, Need, devices_for
from scheduler.engine.units import Units
from scheduler.policy.views import Hold, Limit

_NOBODY = -1
"""Stands for a turn among releases: devices that no gang holds."""


class Pod:
    """Owned devices on one fast fabric."""

    __slots__ = ("free", "index", "releases", "shadows", "size", "units")

    def __init__(self, index: int, size: int) -> None:
        self.index = index
        self.size = size
        self.free = size
        self.releases: list[tuple[int, int, int]] = []
        """(estimated end, turn of the job, devices) of each gang here, ascending."""
        self.shadows: dict[int, Hold] = {}
        """Shadow times already worked out, by devices; void as soon as a gang starts or ends here."""
        self.units: Units | None = None
        """Its devices by number, where some may be out of service."""

    def give(self, devices: int) -> None:
        """So many more devices are free, or fewer where negative, not by a gang that starts or ends."""
        self.free += devices
        self.shadows.clear()

    def expect(self) -> None:
        """Count on devices out of service from when they should be back, as on those of a gang that ends."""
        assert self.units is not None
        self.releases = [release for release in self.releases if release[1] != _NOBODY]
        for end_s, devices in self.units.expected():
            insort(self.releases, (end_s, _NOBODY, devices))
        self.shadows.clear()


class Pool:
    """Pods of one kind; `index` is its place in the scenario.

    An endless pool grows instead of letting jobs wait. Only with `tracks_releases` do pods know when all of
    their gangs should end, which reservations need. Devices of an `exposed` pool may be out of service.
    """

    __slots__ = (
        "device",
        "endless",
        "exposed",
        "index",
        "name",
        "pods",
        "size",
        "span_efficiency",
        "tracks_releases",
    )

    def __init__(
        self,
        index: int,
        name: str,
        device: str,
        *,
        size: int,
        pods: int,
        span_efficiency: float = 1.0,
        endless: bool = False,
        tracks_releases: bool = True,
        exposed: bool = False,
    ) -> None:
        self.index = index
        self.name = name
        self.device = device
        self.size = size
        self.pods = [Pod(at, size) for at in range(pods)]
        self.span_efficiency = span_efficiency
        self.endless = endless
        self.tracks_releases = tracks_releases
        self.exposed = exposed

    def need(self, gang: int, rate: float) -> Place | None:
        """What `gang` reference devices come to here; `rate` is this device over the reference one."""
        devices = devices_for(gang, rate)
        if devices > self.size * len(self.pods) and not self.endless:
            return None
        efficiency = self.span_efficiency if devices > self.size else 1.0
        return Place(self, devices, gang / (devices * rate * efficiency))


class Place(Need):
    """What a gang takes of a pool: `whole` pods of `size` devices and `rest` devices in one more."""

    __slots__ = ("pods", "pool", "rest", "size", "whole")

    def __init__(self, pool: Pool, devices: int, factor: float) -> None:
        simple = devices <= pool.size and not pool.tracks_releases and not pool.exposed
        super().__init__(pool.index, devices, factor, min(devices, pool.size), simple=simple)
        self.pool = pool
        self.size = pool.size
        self.pods = pool.pods
        self.whole, self.rest = divmod(devices, pool.size) if devices > pool.size else (0, devices)

    def take(self, attempt: Attempt) -> None:
        """Take the devices from the attempt's pods."""
        attempt.release_s = end_s = attempt.estimated_end_s()
        turn = attempt.job.turn
        for pod, devices in self.shares(attempt.pods):
            pod.free -= devices
            insort(pod.releases, (end_s, turn, devices))
            pod.shadows.clear()
            if pod.units is not None:
                pod.units.take(attempt, devices)

    def release(self, attempt: Attempt) -> None:
        """Give the devices back to the attempt's pods."""
        end_s, turn = attempt.release_s, attempt.job.turn
        for pod, devices in self.shares(attempt.pods):
            pod.free += devices
            del pod.releases[bisect_left(pod.releases, (end_s, turn, devices))]
            pod.shadows.clear()
            if pod.units is not None:
                pod.free -= pod.units.release(attempt)

    def hasten(self, attempt: Attempt, end_s: int) -> None:
        """Let the pods know that the attempt will end sooner than estimated."""
        if not self.simple and end_s < attempt.release_s:
            for pod, devices in self.shares(attempt.pods):
                del pod.releases[bisect_left(pod.releases, (attempt.release_s, attempt.job.turn, devices))]
                insort(pod.releases, (end_s, attempt.job.turn, devices))
                pod.shadows.clear()
            attempt.release_s = end_s

    def shares(self, pods: tuple[Pod, ...]) -> Sequence[tuple[Pod, int]]:
        """Return the pods of a slot with the devices that it takes of each."""
        if not self.whole:
            return ((pods[0], self.devices),)
        devices = [self.size] * self.whole + [self.rest] * (self.rest > 0)
        return list(zip(pods, devices, strict=True))


Slot = tuple[Place, tuple[Pod, ...]]
"""What a gang takes, and the pods to take it from: whole ones first, the one that gives the rest last."""

Pick = Callable[[Any, Any], Any]
"""(job, pods) -> one of the pods: a place policy, which sees no more than views of both."""


class Cluster:
    """All pools, and where the policy would put a gang."""

    def __init__(self, pools: list[Pool], pick: Pick) -> None:
        self.pools = pools
        self._pick = pick

    def find(self, job: Job, limit: Limit | None = None) -> Slot | None:
        """Return the best place for the job now, or None.

        Gangs that fit a pod stay inside one, in whichever pool has the pod that the policy picks; a larger
        gang takes whole free pods and the rest in one more, in the first pool that has them. With `limit`,
        only pods on which the job's estimate keeps it.
        """
        shape = job.shape
        if (need := shape.only) is not None:
            devices = need.devices
            pods = [pod for pod in need.pods if pod.free >= devices]
            if limit is not None and pods:
                pods = _within(limit, pods, need, devices, job)
            return (need, (self._pick(job, pods),)) if pods else None
        return self._among(job, limit) or (self._elsewhere(job, limit) if shape.roams else None)

    def _among(self, job: Job, limit: Limit | None) -> Slot | None:
        """Inside one pod of several pools."""
        fitting: dict[Pod, Place] = {}
        for need in job.shape.owned:
            if not need.whole:
                fitting |= dict.fromkeys(_fitting(job, need, need.devices, limit), need)
        if not fitting:
            return None
        pod = self._pick(job, list(fitting))
        return fitting[pod], (pod,)

    def _elsewhere(self, job: Job, limit: Limit | None) -> Slot | None:
        """Across pods, or in pods that an endless pool adds."""
        for need in job.shape.owned:
            if need.whole:
                whole = self._ranked(job, need, need.size, limit)[: need.whole]
                rest = [pod for pod in self._ranked(job, need, need.rest, limit) if pod not in whole]
                if len(whole) == need.whole and not need.rest:
                    return need, tuple(whole)
                if len(whole) == need.whole and rest:
                    return need, (*whole, rest[0])
            if need.pool.endless:
                new = range(len(need.pods), len(need.pods) + need.whole + (need.rest > 0))
                need.pods.extend(Pod(index, need.size) for index in new)
                return self.find(job)
        return None

    def _ranked(self, job: Job, need: Place, devices: int, limit: Limit | None) -> list[Pod]:
        """Pods with so many free devices, in the order in which the policy would pick them."""
        pods, ranked = _fitting(job, need, devices, limit), []
        while pods:
            ranked.append(self._pick(job, pods))
            pods.remove(ranked[-1])
        return ranked


def _fitting(job: Job, need: Place, devices: int, limit: Limit | None) -> list[Pod]:
    pods = [pod for pod in need.pods if pod.free >= devices]
    return pods if limit is None else _within(limit, pods, need, devices, job)


def _within(limit: Limit, pods: list[Pod], need: Place, devices: int, job: Job) -> list[Pod]:
    """Pods on which the job's estimate keeps the limit."""
    run = need.run_s(job.estimate_s)
    return [pod for pod in pods if run <= limit(pod, devices)]
