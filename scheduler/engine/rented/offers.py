"""The rented side: offers with a quota, sizes and boot time, and what a gang takes of one."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from math import ceil
from typing import Any, Protocol

import numpy as np

from scheduler.engine.need import Need, devices_for
from scheduler.engine.rented.prices import Prices, UnitPrice
from scheduler.engine.units import Holder, Units
from scheduler.policy.views import JobView
from scheduler.scenario import CheckpointSpec
from scheduler.stock.stock import OfferStock
from traces.arrays import Floats, Ints
from traces.exact import as_decimal


class Clock(Protocol):
    """Says what time it is, in seconds from the epoch."""

    @property
    def now(self) -> float:
        """The present second."""


class LiveOffer:
    """An offer in a run; `free` is what is left of the quota, in devices.

    Its units are its devices by number, where some may be out of service; `down` of its devices are, and not
    held. A request that comes now is refused, or its boot fails or takes `boot_factor` times as long.
    """

    __slots__ = (
        "_clock",
        "_prices",
        "boot_factor",
        "boots_fail",
        "down",
        "forecast_s",
        "free",
        "index",
        "leaving_usd_per_device",
        "refuses",
        "restart_s",
        "stock",
        "units",
    )

    def __init__(self, index: int, stock: OfferStock, clock: Clock, checkpoints: CheckpointSpec) -> None:
        self.index = index
        self.stock = stock
        self._clock = clock
        self._prices = {size: Prices(stock.prices_by_size.get(size, stock.prices)) for size in stock.sizes}
        self.free = stock.quota
        self.leaving_usd_per_device = as_decimal(stock.egress_usd_per_gb) * as_decimal(
            checkpoints.gb_per_device
        )
        """Egress of a checkpoint."""
        self.restart_s = checkpoints.restart_s
        self.units: Units | None = None
        self.down = 0
        self.refuses = self.boots_fail = False
        self.boot_factor = 1.0
        self.forecast_s: Callable[[Any], int] | None = None
        """Seconds of staging if it began now, where the line to the offer is shared."""

    def by(self, clock: Clock) -> LiveOffer:
        """Return the offer as it is by another clock."""
        other = copy(self)
        other._clock = clock
        return other

    @property
    def now_s(self) -> int:
        """The present second."""
        return int(self._clock.now)

    def price(self, devices: int) -> UnitPrice:
        """Return what each of so many devices held costs now; what it will cost, nobody knows."""
        return self._prices[min(devices, self.stock.largest_size)].at(self._clock.now)

    def usd_so_far(self, devices: int, paid: int, from_s: int) -> float:
        """Return what so many devices paid, of so many held, have cost from a second until now."""
        return self._prices[min(devices, self.stock.largest_size)].usd_so_far(paid, from_s, self.now_s)

    def to_pay(self, devices: int) -> int:
        """Devices that cost money: not those of the commitment that are free, which are paid anyhow."""
        if not self.stock.commitments:
            return devices
        idle = self._committed() - (self.stock.quota - self.free - self.down)
        return devices if idle <= 0 else max(0, devices - idle)

    def _committed(self) -> int:
        """Devices that are paid now, used or not."""
        now, usd = self._clock.now, self.price(self.stock.largest_size).usd_per_device_h
        return sum(each.covers(usd) for each in self.stock.commitments if each.holds(now))

    def give(self, devices: int) -> None:
        """So many more devices may be rented, or fewer where negative."""
        self.free += devices

    def lose(self, devices: int) -> None:
        """So many more devices are out of service and held by nobody, or fewer where negative."""
        self.down += devices

    def serve(self, what: str, factor: float, *, begins: bool) -> None:
        """Requests are refused, or boots fail or take `factor` times as long, from now on, or no more."""
        if what == "refused":
            self.refuses = begins
        elif what == "failed_boot":
            self.boots_fail = begins
        elif what == "slow_boot":
            self.boot_factor = factor if begins else 1.0

    def need(self, gang: int, rate: float) -> Rental | None:
        """What `gang` reference devices come to here; None where what it would hold is above the quota."""
        used = devices_for(gang, rate)
        devices = self.stock.held_for(used)
        if devices > self.stock.quota:
            return None
        return Rental(self, devices, gang / (used * rate), used)


class Rental(Need):
    """What a gang takes of one offer: it holds the size that fits those devices that it uses."""

    __slots__ = ("offer",)

    def __init__(self, offer: LiveOffer, devices: int, factor: float, used: int) -> None:
        super().__init__(offer.index, devices, factor, devices, used=used)
        self.offer = offer

    def take(self, holder: Holder) -> None:
        """Rent the devices."""
        self.offer.free -= self.devices
        if self.offer.units is not None:
            self.offer.units.take(holder, self.devices)

    def release(self, holder: Holder) -> None:
        """Give them back."""
        self.offer.free += self.devices
        if self.offer.units is not None:
            self.offer.free -= self.offer.units.release(holder)

    @property
    def has_room(self) -> bool:
        """The devices may be had now, within the quota."""
        return self.devices <= self.offer.free and self.open

    @property
    def keep_s(self) -> int:
        """Seconds for which its devices are kept, and count to the quota, when its gang has ended."""
        return self.offer.stock.keep_s

    @property
    def spot(self) -> bool:
        """The devices may be reclaimed."""
        return self.offer.stock.spot

    @property
    def now_s(self) -> int:
        """The present second."""
        return self.offer.now_s

    @property
    def usd_per_device_h(self) -> float:
        """The price now of what it holds."""
        return self.offer.price(self.devices).usd_per_device_h

    def ready_s(self, job: JobView, boot_s: int | None = None) -> int:
        """Seconds from renting to the start of work: booting with staging beside it, then any restart.

        A boot takes as long as the offer says, unless one knows better.
        """
        offer = self.offer
        boot_s = offer.stock.boot_s if boot_s is None else boot_s
        if offer.forecast_s is None:
            staging_s = ceil(job.input_tb * offer.stock.staging_s_per_tb)
        else:
            staging_s = offer.forecast_s(job)
        return max(boot_s, staging_s) + (offer.restart_s if job.done_s else 0)

    def all_ready_s(self, input_tb: Floats) -> Ints:
        """Return `ready_s` of many jobs by input, where no weather is forecast and none was interrupted."""
        stock = self.offer.stock
        ready_s: Ints = np.ceil(input_tb * stock.staging_s_per_tb).astype(np.int64)
        return np.maximum(ready_s, stock.boot_s)

    def leaving_usd(self, job: JobView) -> float:
        """What taking the job's checkpoint elsewhere costs: there is one of each device that works."""
        return float(self.offer.leaving_usd_per_device * self.used)

    def rent_usd(self, seconds: int) -> float:
        """What holding its devices for so long costs, at the price of now."""
        return self.offer.price(self.devices).usd(self.devices * seconds)

    def work_s(self, job: JobView) -> int:
        """Seconds of work there, by the estimate."""
        return self.run_s(job.estimate_s)

    def billed_s(self, seconds: int) -> int:
        """Return for how long it is billed where its gang holds it for so long."""
        stock = self.offer.stock
        if stock.all_committed:
            return seconds
        steps = -(-(seconds + stock.keep_s) // stock.billing_step_s)
        return max(steps * stock.billing_step_s, stock.minimum_s)

    def bill_usd(self, job: JobView) -> float:
        """What the gang will be billed by its estimate, boot included, at the price of now."""
        billed_s = self.billed_s(self.ready_s(job) + self.work_s(job))
        return self.offer.price(self.devices).usd(self.offer.to_pay(self.devices) * billed_s)

    def cost_usd(self, job: JobView) -> float:
        """What the gang will add to the bill by its estimate, boot included, at the price of now."""
        seconds = self.ready_s(job) + self.work_s(job)
        return self.offer.price(self.devices).usd(self.offer.to_pay(self.devices) * seconds)
