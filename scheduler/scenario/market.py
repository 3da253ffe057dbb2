"""Who may buy what is spare, and at what price."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from scheduler.catalog.models import Amount, Count, Positive
from scheduler.scenario.base import ByHour, Hours, Model, Name, Probability, Whole, WindowSpec
from traces.errors import first_twice

_Sigma = Annotated[float, Meta(ge=0, le=5)]


class PriceSpec(Model, frozen=True, kw_only=True):
    """What a device-hour sells for: a price, 24 by the hour of the day in UTC, or a share of an offer's."""

    usd_per_device_h: Amount | ByHour | None = None
    index: Name | None = None
    """The offer whose price is followed."""
    share: Positive = 1.0
    """Of that price."""
    rise: Amount = 0.0
    """By how much of itself the price is higher where all devices are used, linear below."""

    def __post_init__(self) -> None:
        if (self.usd_per_device_h is None) == (self.index is None):
            raise ValueError("give either `usd_per_device_h` or `index`, the name of an offer")
        if self.share != 1 and self.index is None:
            raise ValueError(f"share = {self.share:g}: is of an `index`, and there is none")


class SegmentSpec(Model, frozen=True, kw_only=True):
    """Customers of one sort, who come one by one (Poisson) and see the price and when they would start."""

    name: Name
    per_day: Annotated[float, Meta(gt=0, le=1e6)]
    """Customers a day, who ask; not all buy."""
    devices: Annotated[tuple[Count, ...], Meta(min_length=1)] = (1,)
    """Sizes that they ask for, on reference devices, inside one pod."""
    weights: tuple[Positive, ...] = ()
    """How often each size is asked for; absent: alike."""
    run_h: Positive
    """Mean run time."""
    run_sigma: _Sigma | None = None
    """Deviation of the logarithm of lognormal run times; absent: exponential ones."""
    willingness_usd_per_device_h: Amount
    """Mean of the most that they pay."""
    willingness_sigma: _Sigma = 0.0
    """Deviation of its logarithm; 0: all the same."""
    start_within_h: Amount = 0.0
    """Mean of how late they may start, exponential; 0: at once or not at all."""
    preemptible: bool = True
    """They give way to our own jobs at once; else they hold their devices to the end."""
    price: PriceSpec | None = None
    """What they are asked, where it is not the market's."""
    reserve_devices: Whole | None = None
    """Devices that stay free as they start, where it is not the market's."""
    checkpoint_h: Positive | None = None
    """Run time between checkpoints, which cost nothing; absent: who gives way starts anew."""

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.devices):
            raise ValueError(f"weights: must be as many as devices, {len(self.devices)}, or none")
        if self.checkpoint_h is not None and not self.preemptible:
            raise ValueError("checkpoint_h: only for preemptible customers; firm ones are never stopped")


class LeaseSpec(WindowSpec, frozen=True, kw_only=True):
    """Devices that are let for a time, whatever the price of the day; they are firm."""

    name: Name
    devices: Count
    """All of them, on reference devices."""
    each: Count
    """Devices of a part, which is inside one pod; parts start as there is room."""
    usd_per_device_h: Amount
    notice_h: Hours | None = None
    """Where an own job waits, it is called back, and ends so long after; absent: it runs to its end."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.devices % self.each:
            raise ValueError(f"devices = {self.devices}: must be a multiple of each, {self.each}")


class MarketSpec(Model, frozen=True, kw_only=True):
    """What is spare is sold; absent: nothing is."""

    price: PriceSpec
    segments: tuple[SegmentSpec, ...] = ()
    leases: tuple[LeaseSpec, ...] = ()
    reserve_devices: Whole = 0
    """Devices that stay free as a customer starts."""
    window: WindowSpec | None = None
    """When customers may buy; absent: always. Leases have their own."""
    credit_share: Probability = 0.0
    """Share of the price of the whole purchase that is paid back where it starts later than promised."""

    def __post_init__(self) -> None:
        if not self.segments and not self.leases:
            raise ValueError("needs `segments` or `leases`: without, nobody comes")
        if twice := first_twice(self.names):
            raise ValueError(f'the name "{twice}" stands for two segments or leases')

    @property
    def names(self) -> list[str]:
        """Names of the segments, then of the leases."""
        return [*(each.name for each in self.segments), *(each.name for each in self.leases)]

    @property
    def firm(self) -> set[str]:
        """Names of those who hold their devices to the end."""
        segments = {each.name for each in self.segments if not each.preemptible}
        return segments | {each.name for each in self.leases}
