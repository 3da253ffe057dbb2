"""Whether the figures of the catalog agree with each other: what the parts come to, beside what is stated."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from scheduler.catalog.catalog import Catalog
from scheduler.catalog.models import Device, PodKind, unit


class Finding(NamedTuple):
    """A sum over the figures of an entry beside the figure stated for it."""

    entry: str
    """Key of the device or pod kind."""
    field: str
    """What is stated."""
    parts: str
    """The sum in words."""
    found: float
    stated: float
    source: str
    """Who states it."""
    at_most: bool = False
    """The parts are not the whole: they may come to less."""

    @property
    def unit(self) -> str:
        """The unit of both."""
        return unit(self.field)

    @property
    def ratio(self) -> float:
        """Found over stated."""
        return self.found / self.stated

    @property
    def closes(self) -> bool:
        """Whether the two differ by less than the rounding of the stated figure."""
        excess = self.found - self.stated
        if self.at_most:
            excess = max(excess, 0)
        return abs(excess) < rounding(self.stated) * (1 - 1e-9)


def rounding(stated: float) -> float:
    """Return half a unit of the last digit that is not zero: 0.5 for 9, 50 for 1,800, 500 for 1,000."""
    exponent = Decimal(repr(stated)).normalize().as_tuple().exponent
    return 0.5 * 10.0 ** int(exponent)


def check_arithmetic(catalog: Catalog) -> list[Finding]:
    """Return every sum that the catalog's figures allow, closing or not."""
    of_devices = (finding for device in catalog.devices.values() for finding in _device(device))
    of_pods = (finding for pod in catalog.pods.values() for finding in _pod(pod, catalog.device(pod.device)))
    return [*of_devices, *of_pods]


def _device(device: Device) -> Iterator[Finding]:
    if device.chips and device.chip_pflops:
        parts = f"{device.chips} chips x {device.chip_pflops:g} PFLOPS"
        yield _finding(device, "peak_pflops", parts, device.chips * device.chip_pflops)


def _pod(pod: PodKind, device: Device) -> Iterator[Finding]:
    chips = pod.devices * (device.chips or 1)
    if pod.peak_pflops:
        parts = f"{pod.devices:,} devices x {device.peak_pflops:g} PFLOPS"
        yield _finding(pod, "peak_pflops", parts, pod.devices * device.peak_pflops)
    if pod.peak_pflops and device.chip_pflops:
        parts = f"{chips:,} chips x {device.chip_pflops:g} PFLOPS"
        yield _finding(pod, "peak_pflops", parts, chips * device.chip_pflops)
    if pod.power_kw and device.chip_kw:
        parts = f"{chips:,} chips x {device.chip_kw:g} kW"
        yield _finding(pod, "power_kw", parts, chips * device.chip_kw, at_most=True)
    if pod.cabinets and pod.cabinet_devices:
        parts = f"{pod.devices:,} devices in {pod.cabinets} cabinet{'s' * (pod.cabinets > 1)}"
        yield _finding(pod, "cabinet_devices", parts, pod.devices / pod.cabinets)


def _finding(
    entry: Device | PodKind, field: str, parts: str, found: float, *, at_most: bool = False
) -> Finding:
    source = entry.figures[field].source or "assumed"
    return Finding(entry.key, field, parts, found, getattr(entry, field), source, at_most)
