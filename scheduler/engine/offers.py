"""The rented side: offers with a quota, node size and boot time, and what a gang takes of one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil
from typing import Protocol

from scheduler.engine.job import Attempt, Job, Need, devices_for


class Clock(Protocol):
    """Says what time it is, in seconds from the epoch."""

    @property
    def now(self) -> float:
        """The present second."""


class Offer:
    """A rentable device at a price; `free` is what is left of the quota, in devices."""

    __slots__ = (
        "_clock",
        "_prices",
        "_since_s",
        "boot_s",
        "committed_devices",
        "device",
        "free",
        "index",
        "name",
        "node_devices",
        "quota",
        "staging_s_per_tb",
    )

    def __init__(
        self,
        index: int,
        name: str,
        device: str,
        clock: Clock,
        *,
        prices: Sequence[tuple[int, float]],
        quota: int,
        committed_devices: int,
        node_devices: int,
        boot_s: int,
        staging_s_per_tb: float,
    ) -> None:
        self.index = index
        self.name = name
        self.device = device
        self._clock = clock
        self._since_s, self._prices = zip(*prices, strict=True)
        self.quota = self.free = quota
        self.committed_devices = committed_devices
        self.node_devices = node_devices
        self.boot_s = boot_s
        self.staging_s_per_tb = staging_s_per_tb

    @property
    def usd_per_device_h(self) -> float:
        """The price now; what it will be, nobody knows."""
        price: float = self._prices[bisect_right(self._since_s, self._clock.now) - 1]
        return price

    def to_pay(self, devices: int) -> int:
        """Devices that cost money: not those of the commitment that are free, which are paid anyhow."""
        idle = self.committed_devices - (self.quota - self.free)
        return devices if idle <= 0 else max(0, devices - idle)

    def need(self, gang: int, rate: float) -> Rental | None:
        """What `gang` reference devices come to here, in whole nodes; None where the quota is smaller."""
        devices = ceil(devices_for(gang, rate) / self.node_devices) * self.node_devices
        if devices > self.quota:
            return None
        return Rental(self, devices, gang / (devices * rate))


class Rental(Need):
    """What a gang takes of one offer."""

    __slots__ = ("offer",)

    def __init__(self, offer: Offer, devices: int, factor: float) -> None:
        super().__init__(offer.index, devices, factor, devices)
        self.offer = offer

    def take(self, attempt: Attempt) -> None:
        """Rent the devices."""
        self.offer.free -= self.devices

    def release(self, attempt: Attempt) -> None:
        """Give them back."""
        self.offer.free += self.devices

    @property
    def usd_per_device_h(self) -> float:
        """The offer's price now."""
        return self.offer.usd_per_device_h

    def ready_s(self, job: Job) -> int:
        """Seconds from renting to the start of work: booting, with staging beside it."""
        return max(self.offer.boot_s, ceil(job.input_tb * self.offer.staging_s_per_tb))

    def work_s(self, job: Job) -> int:
        """Seconds of work there, by the estimate."""
        return self.run_s(job.estimate_s)

    def cost_usd(self, job: Job) -> float:
        """What the gang will add to the bill by its estimate, boot included, at the price of now."""
        hours = (self.ready_s(job) + self.work_s(job)) / 3_600
        return self.offer.usd_per_device_h * self.offer.to_pay(self.devices) * hours
