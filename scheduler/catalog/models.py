"""What the catalog holds: devices, pod kinds and rented offers, each figure with its source and certainty."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta, Struct

from traces.dated import Points, date_of

MOST_COUNTED = 10**6
Count = Annotated[int, Meta(ge=1, le=MOST_COUNTED)]
WholeSeconds = Annotated[int, Meta(ge=0, le=10**6)]
Positive = Annotated[float, Meta(ge=1e-9, le=1e12)]
Amount = Annotated[float, Meta(ge=0, le=1e12)]
Sizes = Annotated[tuple[Count, ...], Meta(min_length=1)]

DEFAULT_KIND = "default"
"""The MFU of job kinds of which no prefix is listed."""

_UNITS = {
    "_usd_per_gb": "USD/GB",
    "usd_per_device_h": "USD/device-hour",
    "_usd": "USD",
    "_pflops": "PFLOPS",
    "_kw": "kW",
    "_gbps": "Gbit/s",
    "_gb": "GB",
    "_s": "s",
    "devices": "device",
}


Certainty = Literal["high", "medium", "low", "assumed"]
"""How sure a figure is: see `Figure`."""


class CatalogError(ValueError):
    """A catalog entry that is broken or absent; says the file, the entry, the value and what is allowed."""


class Figure(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A number with its source, a key of `Catalog.sources` or plain text, and how sure it is.

    High: the maker, a paper, a price list or a measurement. Medium: press, derived from the above, or a claim
    that agrees with its own arithmetic. Low: any other claim, an estimate, a stand-in. Without a source it
    is assumed, and only then. A series of dated points has the last one as its value.
    """

    value: int | float
    source: str = ""
    sure: Certainty = "assumed"
    as_of: str = ""
    """The month, or day, that it is of: its own, else that of its file; empty where neither says."""
    points: Points = ()
    """The series, where it is one; a figure that bears a date of its own is a series of one."""

    def __post_init__(self) -> None:
        if (self.source == "") != (self.sure == "assumed"):
            raise ValueError("a figure is assumed where it has no source, and only there")


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all entries share: their key, and where each of their numbers comes from, by field."""

    key: str
    figures: dict[str, Figure]


class Device(Entry, frozen=True, kw_only=True):
    """The unit of allocation: a training tile or a GPU."""

    name: str
    family: str
    peak_pflops: Positive
    """Peak rate, dense BF16."""
    memory_gb: Positive
    busy_kw: Positive
    """Power under training load, with its share of the server."""
    idle_kw: Amount
    mfu: dict[str, float]
    """Share of the peak that training reaches, by prefix of the job's kind, with a `default`."""
    server_kw: Positive | None = None
    """Its share of the server's maximum power."""
    chips: Count | None = None
    chip_pflops: Positive | None = None
    chip_kw: Positive | None = None
    """TDP of a chip."""
    available_to_buy: str | None = None
    """The month, or day, from which it can be bought; None: it always could."""
    available_to_rent: str | None = None
    """Likewise for renting it."""
    ends: str | None = None
    """From then on nobody sells or rents it out any more."""

    def __post_init__(self) -> None:
        if DEFAULT_KIND not in self.mfu:
            raise ValueError(f"mfu.{DEFAULT_KIND}: missing")
        if self.idle_kw > self.busy_kw:
            raise ValueError(f"idle_kw = {self.idle_kw:g}: must be at most busy_kw, {self.busy_kw:g}")
        for name in ("available_to_buy", "available_to_rent", "ends"):
            if (day := getattr(self, name)) is not None:
                date_of(day)

    def mfu_key(self, kind: str) -> str:
        """Return the key of `mfu` for a job kind such as `fsd.retrain`: its longest listed prefix."""
        prefix = kind
        while prefix and prefix not in self.mfu:
            prefix = prefix.rpartition(".")[0]
        return prefix or DEFAULT_KIND

    def rate_pflops(self, kind: str) -> float:
        """Return peak x MFU for a job kind: what generator, replay and economics take for it alike."""
        return self.peak_pflops * self.mfu[self.mfu_key(kind)]


class PodKind(Entry, frozen=True, kw_only=True):
    """A kind of pod: owned devices on one fast fabric."""

    name: str
    device: str
    """Key of its device."""
    devices: Count
    node_devices: Count
    """Devices that fail together: a tray of tiles, a server of GPUs."""
    capital_usd: Amount | None = None
    peak_pflops: Positive | None = None
    """What the source says that the whole pod makes."""
    power_kw: Positive | None = None
    """What is said that the whole pod draws."""
    cabinets: Count | None = None
    cabinet_devices: Count | None = None
    """What is said that a cabinet holds."""

    def __post_init__(self) -> None:
        if self.devices % self.node_devices:
            raise ValueError(f"devices = {self.devices}: must be whole nodes of {self.node_devices}")


AGREED = tuple(f"{sort}_usd_per_device_h" for sort in ("reserved", "savings", "block", "contract"))
"""How prices by contract begin."""


class Offer(Entry, frozen=True, kw_only=True):
    """A rentable device at a price, in one region of one provider."""

    provider: str
    region: str
    device: str
    """Key of its device."""
    sizes: Sizes
    """Devices of the instances that are sold, ascending; a node is one of the largest."""
    usd_per_device_h: Amount
    """On-demand price in nodes, and in all sizes without a price of their own."""
    usd_per_device_h_by_size: dict[int, Amount] = {}
    spot_usd_per_device_h: Amount | None = None
    """Price of interruptible devices; None where none is offered or none can be trusted."""
    spot_usd_per_device_h_by_size: dict[int, Amount] = {}
    spot_sizes: Sizes | None = None
    """Sizes that are sold at a spot price; None: all."""
    reserved_usd_per_device_h_by_months: dict[int, Amount] = {}
    """Prices of devices reserved for so many months, in nodes."""
    savings_usd_per_device_h_by_months: dict[int, Amount] = {}
    """Prices at which a savings plan of so many months covers devices, in nodes."""
    block_usd_per_device_h: Amount | None = None
    """Price of a block of capacity that is paid ahead, in nodes."""
    contract_usd_per_device_h: Amount | None = None
    """Price agreed with the provider, in nodes."""
    boot_s: WholeSeconds
    """From asking for a node to having it."""
    billing_step_s: Annotated[int, Meta(ge=1, le=10**6)]
    """Rented time is billed in whole steps."""
    minimum_s: WholeSeconds
    """Least time billed."""
    egress_usd_per_gb: Amount
    staging_gbps: Positive
    """Link over which input reaches the nodes, Gbit/s."""

    def __post_init__(self) -> None:
        check_sizes("sizes", self.sizes)
        spot_sizes = self.spot_sizes or self.sizes
        check_sizes("spot_sizes", spot_sizes)
        for name, own, sold in (
            ("spot_sizes", spot_sizes, self.sizes),
            ("usd_per_device_h_by_size", self.usd_per_device_h_by_size, self.sizes),
            ("spot_usd_per_device_h_by_size", self.spot_usd_per_device_h_by_size, spot_sizes),
        ):
            for size in own:
                if size not in sold:
                    raise ValueError(f"{name}: {size} is not sold: must be of {listed(sold)}")


def check_sizes(name: str, sizes: tuple[int, ...]) -> None:
    """Raise ValueError unless sizes ascend."""
    if any(size >= following for size, following in pairwise(sizes)):
        raise ValueError(f"{name} = {listed(sizes)}: must ascend")


def listed(sizes: Iterable[int]) -> str:
    """Return sizes as text."""
    return ", ".join(map(str, sizes))


def unit(field: str) -> str:
    """Return the unit that stands in a field's name, "" for counts and shares."""
    return next((unit for suffix, unit in _UNITS.items() if field.endswith(suffix)), "")
