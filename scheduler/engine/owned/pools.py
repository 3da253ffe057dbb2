"""The owned side: pools of pods, and what a gang takes of one."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Need, devices_for
from scheduler.engine.units import Units

_NOBODY = -1
"""Stands for a turn among releases: devices that no gang holds."""


class Pod:
    """Owned devices on one fast fabric; its free ones stand in the column of its pool, `frees`."""

    __slots__ = ("alone", "frees", "index", "pool", "releases", "size", "units")

    def __init__(self, pool: Pool, index: int) -> None:
        self.pool = pool
        self.index = index
        self.size = pool.size
        self.frees = pool.frees
        self.alone = (self,)
        """The pods of a gang that is on this one only."""
        self.releases: list[tuple[int, int, int]] = []
        """(estimated end, turn of the job, devices) of each gang here, ascending."""
        self.units: Units | None = None
        """Its devices by number, where some may be out of service."""

    @property
    def free(self) -> int:
        """Devices that a gang could take now."""
        return self.frees[self.index]

    def take(self, attempt: Attempt, devices: int) -> None:
        """Let an attempt, whose `release_s` is known, have devices."""
        self.frees[self.index] -= devices
        insort(self.releases, (attempt.release_s, attempt.job.turn, devices))
        if self.units is not None:
            self.units.take(attempt, devices)

    def release(self, attempt: Attempt, devices: int) -> None:
        """Take back all that an attempt has here."""
        self.frees[self.index] += devices
        del self.releases[bisect_left(self.releases, (attempt.release_s, attempt.job.turn, devices))]
        if self.units is not None:
            self.give(-self.units.release(attempt))

    def hasten(self, attempt: Attempt, devices: int, end_s: int) -> None:
        """Expect the end of an attempt at another time than its `release_s`."""
        del self.releases[bisect_left(self.releases, (attempt.release_s, attempt.job.turn, devices))]
        insort(self.releases, (end_s, attempt.job.turn, devices))

    def give(self, devices: int) -> None:
        """So many more devices are free, or fewer where negative."""
        self.frees[self.index] += devices

    def expect(self) -> None:
        """Count on devices out of service from when they should be back, as on those of a gang that ends."""
        assert self.units is not None
        self.releases = [release for release in self.releases if release[1] != _NOBODY]
        for end_s, devices in self.units.expected():
            insort(self.releases, (end_s, _NOBODY, devices))


class Pool:
    """Pods of one kind; `index` is its place in the scenario.

    An endless pool grows instead of letting jobs wait. Only with `tracks_releases` do pods know when all of
    their gangs should end, which reservations need. Devices of an `exposed` pool may be out of service.
    """

    __slots__ = (
        "device",
        "endless",
        "exposed",
        "frees",
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
        self.frees: list[int] = []
        """Free devices of each pod."""
        self.pods: list[Pod] = []
        self.grow(pods)
        self.span_efficiency = span_efficiency
        self.endless = endless
        self.tracks_releases = tracks_releases
        self.exposed = exposed

    def grow(self, pods: int) -> list[Pod]:
        """Add so many pods, and return them."""
        new = range(len(self.pods), len(self.pods) + pods)
        self.frees += [self.size] * pods
        self.pods += [Pod(self, at) for at in new]
        return self.pods[new.start :]

    def need(self, gang: int, rate: float) -> Place | None:
        """What `gang` reference devices come to here; `rate` is this device over the reference one."""
        devices = devices_for(gang, rate)
        if devices > self.size * len(self.pods) and not self.endless:
            return None
        if devices <= self.size:
            return Place(self, devices, gang / (devices * rate))
        return Span(self, devices, gang / (devices * rate * self.span_efficiency))


class Place(Need):
    """What a gang takes of a pool: devices of one pod."""

    __slots__ = ("frees", "pods", "pool", "rest", "size", "whole")

    def __init__(self, pool: Pool, devices: int, factor: float) -> None:
        simple = not pool.tracks_releases and not pool.exposed
        super().__init__(pool.index, devices, factor, devices, simple=simple)
        self.pool = pool
        self.size = pool.size
        self.pods = pool.pods
        self.frees = pool.frees
        self.whole, self.rest = 0, devices

    def take(self, attempt: Attempt) -> None:
        """Take the devices from the attempt's pods."""
        attempt.release_s = attempt.estimated_end_s()
        attempt.pods[0].take(attempt, self.devices)

    def release(self, attempt: Attempt) -> None:
        """Give the devices back to the attempt's pods."""
        attempt.pods[0].release(attempt, self.devices)

    def hasten(self, attempt: Attempt, end_s: int) -> None:
        """Let the pods know that the attempt will end sooner than estimated."""
        if not self.simple and end_s < attempt.release_s:
            for pod, devices in self.shares(attempt.pods):
                pod.hasten(attempt, devices, end_s)
            attempt.release_s = end_s

    def shares(self, pods: tuple[Pod, ...]) -> Sequence[tuple[Pod, int]]:
        """Return the pods of a slot with the devices that it takes of each."""
        return ((pods[0], self.devices),)


class Span(Place):
    """What a gang larger than a pod takes: `whole` pods of `size` devices and `rest` devices in one more."""

    __slots__ = ()

    def __init__(self, pool: Pool, devices: int, factor: float) -> None:
        super().__init__(pool, devices, factor)
        self.simple = False
        self.whole, self.rest = divmod(devices, pool.size)
        self.least = self.rest or pool.size

    def take(self, attempt: Attempt) -> None:
        """Take the devices from the attempt's pods."""
        attempt.release_s = attempt.estimated_end_s()
        for pod, devices in self.shares(attempt.pods):
            pod.take(attempt, devices)

    def release(self, attempt: Attempt) -> None:
        """Give the devices back to the attempt's pods."""
        for pod, devices in self.shares(attempt.pods):
            pod.release(attempt, devices)

    def shares(self, pods: tuple[Pod, ...]) -> Sequence[tuple[Pod, int]]:
        """Return the pods of a slot with the devices that it takes of each."""
        devices = [self.size] * self.whole + [self.rest] * (self.rest > 0)
        return list(zip(pods, devices, strict=True))
