"""The rented side: offers with a quota, node size and boot time, and what a gang takes of one."""

from __future__ import annotations

from math import ceil

from scheduler.engine.job import Attempt, Job, Need, devices_for


class Offer:
    """A rentable device at a price; `free` is what is left of the quota, in devices."""

    __slots__ = (
        "boot_s",
        "device",
        "free",
        "index",
        "name",
        "node_devices",
        "quota",
        "staging_s_per_tb",
        "usd_per_device_h",
    )

    def __init__(
        self,
        index: int,
        name: str,
        device: str,
        *,
        usd_per_device_h: float,
        quota: int,
        node_devices: int,
        boot_s: int,
        staging_s_per_tb: float,
    ) -> None:
        self.index = index
        self.name = name
        self.device = device
        self.usd_per_device_h = usd_per_device_h
        self.quota = self.free = quota
        self.node_devices = node_devices
        self.boot_s = boot_s
        self.staging_s_per_tb = staging_s_per_tb

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
        """The offer's price."""
        return self.offer.usd_per_device_h

    def ready_s(self, job: Job) -> int:
        """Seconds from renting to the start of work: booting, with staging beside it."""
        return max(self.offer.boot_s, ceil(job.input_tb * self.offer.staging_s_per_tb))

    def work_s(self, job: Job) -> int:
        """Seconds of work there, by the estimate."""
        return self.run_s(job.estimate_s)

    def cost_usd(self, job: Job) -> float:
        """What the gang will be billed by its estimate, boot included."""
        hours = (self.ready_s(job) + self.work_s(job)) / 3_600
        return self.usd_per_device_h * self.devices * hours
