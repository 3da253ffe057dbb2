"""What is owned: pools of pods, how they fail, and when they are maintained."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from scheduler.catalog.models import Amount, Count
from scheduler.scenario.assets import PurchaseSpec, RetirementSpec
from scheduler.scenario.base import Hours, Model, Name, Share, Whole, WindowSpec


class FailureSpec(Model, frozen=True, kw_only=True):
    """A way to fail: each device, cabinet or pod does so by itself, at a constant hazard while it is up."""

    of: Literal["device", "cabinet", "pod"] = "device"
    mtbf_h: Hours
    """Mean up-time of one of them."""
    devices: Count | None = None
    """Devices of a cabinet, which fail together."""
    repair_h: Hours
    """Mean time to repair."""
    repair_sigma: Annotated[float, Meta(ge=0, le=5)] | None = None
    """Deviation of the logarithm of lognormal repair times, 0: all alike; absent: exponential ones."""

    def __post_init__(self) -> None:
        if (self.of == "cabinet") != (self.devices is not None):
            raise ValueError("give `devices`, those of a cabinet, where cabinets fail, and only there")


class MaintenanceSpec(WindowSpec, frozen=True, kw_only=True):
    """A planned window in which pods are out of service."""

    pods: tuple[Annotated[int, Meta(ge=0, le=10**6)], ...] | None = None
    """Numbers of the pods, from 0; absent: all of the pool."""
    drain_h: Amount = 0.0
    """For so long before the window nothing new starts on them; what runs then is stopped as it begins."""
    every_h: Hours | None = None
    """It comes again each time so many hours have passed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.every_h is not None and self.every_h < self.to_h - self.from_h + self.drain_h:
            raise ValueError(f"every_h = {self.every_h:g}: must be at least the length of window and drain")


class PoolSpec(Model, frozen=True, kw_only=True):
    """Pods of one kind: a catalog pod, or `device` and `devices` for one's own."""

    name: Name
    pods: Whole
    """Those that are there when the run begins."""
    pod: str | None = None
    device: str | None = None
    devices: Count | None = None
    span_efficiency: Share = 0.9
    """Speed of a gang that spans pods, as a share of its speed inside one. Assumed."""
    capital_usd: Amount | None = None
    """Price of a pod, where it is not the catalog's."""
    failures: tuple[FailureSpec, ...] = ()
    maintenance: tuple[MaintenanceSpec, ...] = ()
    purchases: tuple[PurchaseSpec, ...] = ()
    retirements: tuple[RetirementSpec, ...] = ()

    def __post_init__(self) -> None:
        if not self.pods and not self.purchases:
            raise ValueError("pods = 0: a pool without purchases needs at least 1")
        inline = (self.device is not None, self.devices is not None)
        if self.pod is None and not all(inline):
            raise ValueError("give `pod`, a catalog key, or both `device` and `devices`")
        if self.pod is not None and any(inline):
            raise ValueError("give either `pod` or `device` with `devices`, not both")
