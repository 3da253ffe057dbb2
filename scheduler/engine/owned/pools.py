"""The owned side: pools of pods, and what a gang takes of one."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from math import inf
from typing import Protocol

from scheduler.engine.need import Need, devices_for
from scheduler.engine.owned.power import PoolPower
from scheduler.engine.units import NOBODY, Holder, Units
from scheduler.policy.frees import MANY, CountedFrees
from scheduler.stock.pools import PoolStock


class Gang(Holder, Protocol):
    """What holds devices of pods: an attempt, as the pods see it."""

    pods: tuple[Pod, ...]

    def estimated_end_s(self) -> int:
        """When it should end by its estimate."""


class Pod:
    """Owned devices on one fast fabric; its free ones stand in the column of its pool, `frees`."""

    __slots__ = (
        "alone",
        "ends_by_s",
        "frees",
        "index",
        "pool",
        "releases",
        "size",
        "starts_before_s",
        "units",
    )

    def __init__(self, pool: Pool, index: int) -> None:
        self.pool = pool
        self.index = index
        self.size = pool.size
        self.frees = pool.frees
        self.alone = (self,)
        """The pods of a gang that is on this one only."""
        self.releases: list[tuple[int, int, int]] = []
        """(second, turn of the job, devices), ascending: when those that are not free should be."""
        self.units: Units | None = None
        """Its devices by number, where some may be out of service."""
        self.ends_by_s: float = inf
        """Whoever starts here must end by then, by its estimate."""
        self.starts_before_s: float = inf
        """From here on nobody starts here."""

    def limit_s(self, at_s: float) -> float:
        """Return the longest run that may start here at an instant; -1 where none may."""
        return self.ends_by_s - at_s if at_s < self.starts_before_s else -1.0

    def await_delivery(self, second: int) -> None:
        """Be not there until then, which reservations may count on."""
        self.frees[self.index] = 0
        self.releases = [(second, NOBODY, self.size)]

    def arrive(self) -> None:
        """Be there from now on."""
        self.frees[self.index] = self.size
        self.releases = []

    def leave(self) -> int:
        """Be there no more, once nobody holds devices; return how many of them were out of service."""
        out = 0 if self.units is None else self.units.out
        self.frees[self.index], self.releases, self.units = 0, [], None
        self.ends_by_s = self.starts_before_s = 0
        return out

    @property
    def free(self) -> int:
        """Devices that a gang could take now."""
        return self.frees[self.index]

    def take(self, gang: Gang, devices: int) -> None:
        """Let a gang, whose `release_s` is known, have devices."""
        self.frees[self.index] -= devices
        insort(self.releases, (gang.release_s, gang.turn, devices))
        if self.units is not None:
            self.units.take(gang, devices)

    def release(self, gang: Gang, devices: int) -> None:
        """Take back all that a gang has here."""
        self.frees[self.index] += devices
        lost = 0 if self.units is None else self.units.release(gang)
        if lost:
            self.give(-lost)
            self.expect()
        else:
            del self.releases[bisect_left(self.releases, (gang.release_s, gang.turn, devices))]

    def move(self, gang: Gang, devices: int, before_s: int) -> None:
        """Expect the end of a gang at its `release_s`, which was another one before."""
        if self.units is not None:
            self.expect()
        else:
            del self.releases[bisect_left(self.releases, (before_s, gang.turn, devices))]
            insort(self.releases, (gang.release_s, gang.turn, devices))

    def give(self, devices: int) -> None:
        """So many more devices are free, or fewer where negative."""
        self.frees[self.index] += devices

    def expect(self) -> None:
        """Count on devices that an outage concerns from when it should be over, whoever holds them."""
        assert self.units is not None
        self.releases = self.units.expected()


class Pool:
    """Pods of one kind; `index` is its place in the scenario.

    An endless pool grows instead of letting jobs wait. Only with `tracks_releases` do pods know when all of
    their gangs should end, which reservations need. Devices of an `exposed` pool may be out of service.
    Where its site has a cap, it knows its `power`.
    """

    __slots__ = (
        *("endless", "exposed", "frees", "index", "most_pods", "pods", "power", "present", "size"),
        *("stock", "tracks_releases"),
    )

    def __init__(
        self,
        index: int,
        stock: PoolStock,
        *,
        tracks_releases: bool = True,
        exposed: bool = False,
        power: PoolPower | None = None,
        from_s: int = 0,
    ) -> None:
        self.index = index
        self.stock = stock
        self.size, self.endless = stock.pod_devices, stock.endless
        self.tracks_releases = tracks_releases
        self.exposed = exposed
        self.power = power
        self.frees: list[int] = CountedFrees() if stock.pods > MANY else []
        """Free devices of each pod."""
        self.pods: list[Pod] = []
        self.present = 0
        """Pods that are there now."""
        self.most_pods = 0
        """The most that are there at once, sooner or later."""
        self.grow(stock.pods)
        self.most_pods = stock.most_pods(from_s)

    def grow(self, pods: int) -> list[Pod]:
        """Add so many pods, and return them."""
        new = range(len(self.pods), len(self.pods) + pods)
        self.frees += [self.size] * pods
        self.pods += [Pod(self, at) for at in new]
        self.present += pods
        self.most_pods += pods
        return self.pods[new.start :]

    def need(self, gang: int, rate: float) -> PodNeed | None:
        """What `gang` reference devices come to here; `rate` is this device over the reference one."""
        devices = devices_for(gang, rate)
        if devices > self.size * self.most_pods and not self.endless:
            return None
        if self.power is not None and devices * self.power.by_device > self.power.power.most:
            return None
        if devices <= self.size:
            return PodNeed(self, devices, gang / (devices * rate))
        return SpanNeed(self, devices, gang / (devices * rate * self.stock.span_efficiency))


class PodNeed(Need):
    """What a gang takes of a pool: devices of one pod, and `units` of the `power` of a site with a cap."""

    __slots__ = ("frees", "pods", "pool", "power", "rest", "size", "units", "whole")

    def __init__(self, pool: Pool, devices: int, factor: float) -> None:
        simple = not pool.tracks_releases and not pool.exposed and pool.power is None
        super().__init__(pool.index, devices, factor, devices, simple=simple)
        self.pool = pool
        self.size = pool.size
        self.pods = pool.pods
        self.frees = pool.frees
        self.whole, self.rest = 0, devices
        self.power, self.units = None, 0
        if pool.power is not None:
            self.power, self.units = pool.power.power, devices * pool.power.by_device

    @property
    def pods_taken(self) -> int:
        """Pods of which it takes devices."""
        return self.whole + (self.rest > 0)

    def take(self, gang: Gang) -> None:
        """Take the devices from the gang's pods."""
        gang.release_s = gang.estimated_end_s()
        gang.pods[0].take(gang, self.devices)
        if self.power is not None:
            self.power.take(gang, self.units)

    def release(self, gang: Gang) -> None:
        """Give the devices back to the gang's pods."""
        gang.pods[0].release(gang, self.devices)
        if self.power is not None:
            self.power.release(gang, self.units)

    def expect(self, gang: Gang, end_s: int) -> None:
        """Let the pods expect the end of the gang then."""
        if not self.simple and end_s != gang.release_s:
            before_s, gang.release_s = gang.release_s, end_s
            for pod, devices in self.shares(gang.pods):
                pod.move(gang, devices, before_s)
            if self.power is not None:
                self.power.move(gang, self.units, before_s)

    def shares(self, pods: tuple[Pod, ...]) -> Sequence[tuple[Pod, int]]:
        """Return the pods of a slot with the devices that it takes of each."""
        return ((pods[0], self.devices),)


class SpanNeed(PodNeed):
    """What a gang larger than a pod takes: `whole` pods of `size` devices and `rest` devices in one more."""

    __slots__ = ()

    def __init__(self, pool: Pool, devices: int, factor: float) -> None:
        super().__init__(pool, devices, factor)
        self.simple = False
        self.whole, self.rest = divmod(devices, pool.size)
        self.least = self.rest or pool.size

    def take(self, gang: Gang) -> None:
        """Take the devices from the gang's pods."""
        gang.release_s = gang.estimated_end_s()
        for pod, devices in self.shares(gang.pods):
            pod.take(gang, devices)
        if self.power is not None:
            self.power.take(gang, self.units)

    def release(self, gang: Gang) -> None:
        """Give the devices back to the gang's pods."""
        for pod, devices in self.shares(gang.pods):
            pod.release(gang, devices)
        if self.power is not None:
            self.power.release(gang, self.units)

    def shares(self, pods: tuple[Pod, ...]) -> Sequence[tuple[Pod, int]]:
        """Return the pods of a slot with the devices that it takes of each."""
        devices = [self.size] * self.whole + [self.rest] * (self.rest > 0)
        return list(zip(pods, devices, strict=True))
