"""What can be rented: offers, their prices, and how they are taken away, refused or slow to come."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from scheduler.catalog.models import Amount, Count, Positive, Sizes, WholeSeconds, check_sizes
from scheduler.scenario.base import ByHour, Hours, Model, Name, Probability, Whole, WindowSpec
from scheduler.scenario.contracts import BlockSpec, CommitmentSpec
from traces.dated import points_of

Sigma = Annotated[float, Meta(ge=0, le=5)]


class PriceFile(Model, frozen=True, kw_only=True):
    """A price series: `csv` names a file beside the scenario, with a time and `usd_per_device_h` a row."""

    csv: str


class SurgeSpec(WindowSpec, frozen=True, kw_only=True):
    """A shortage: the price is `factor` times as high."""

    factor: Amount


class DriftSpec(Model, frozen=True, kw_only=True):
    """A price that wanders about its mean: an Ornstein-Uhlenbeck process of its logarithm, and spikes."""

    volatility: Annotated[float, Meta(ge=0, le=3)]
    """Deviation of the logarithm of the price, in the long run."""
    reversion_h: Hours = 24.0
    """A departure from the mean has shrunk to 1/e after so long. Assumed."""
    step_h: Hours = 1.0
    """The price changes so often."""
    spikes_per_day: Annotated[float, Meta(ge=0, le=24)] = 0.0
    """Spikes begin at a constant hazard."""
    spike_factor: Amount = 3.0
    """Times the price in a spike. In the shortage of 2023-2024, 3 to 5 (article-34)."""
    spike_h: Hours = 6.0
    """Mean length of a spike, exponential. Assumed."""


class ReclaimSpec(Model, frozen=True, kw_only=True):
    """When each node of the offer can be had: up-times and down-times, or a recording of how many."""

    up_h: Hours | None = None
    """Mean up-time."""
    up_sigma: Sigma | None = None
    """Up-times are lognormal with this deviation of the logarithm; absent: a constant hazard."""
    by_hour: ByHour | None = None
    """The hazard in each hour of the day (UTC), over the mean hazard 1 / up_h."""
    down_h: Hours = 1.85
    """Mean down-time. Measured on V100 spot nodes in 9 zones, 2023 (NSDI'24, "Can't be late")."""
    down_sigma: Sigma | None = None
    """As for up-times."""
    recording: str | None = None
    """A file beside the scenario: JSON with `metadata.gap_seconds` and `data`, nodes at each tick."""
    notice_s: WholeSeconds = 120
    """From the warning to the end. AWS 120 s, GCP 30 s (vendor documents)."""

    def __post_init__(self) -> None:
        if (self.up_h is None) == (self.recording is None):
            raise ValueError("give either `up_h`, a mean up-time, or `recording`, a file")
        if self.by_hour is not None and (self.up_sigma is not None or not any(self.by_hour)):
            raise ValueError("by_hour goes with a constant hazard, and some hour must have one above 0")


class ShortageSpec(WindowSpec, frozen=True, kw_only=True):
    """The quota shrinks for a while: what runs may end, nothing beyond `quota` begins."""

    quota: Whole
    """Devices that may be rented at once meanwhile."""


class RefusalSpec(Model, frozen=True, kw_only=True):
    """Requests are refused now and then: time is cut into slots, each of which refuses all or none."""

    probability: Probability
    slot_s: Annotated[int, Meta(ge=1, le=10**6)] = 900
    """Length of a slot. Assumed."""


class BootSpec(Model, frozen=True, kw_only=True):
    """Boots that begin in some slots take long, in others they fail, for all nodes of the gang."""

    slow_probability: Probability = 0.0
    slow_factor: Annotated[float, Meta(ge=1, le=1_000)] = 4.0
    """A slow boot takes so many times as long. Rented GPU nodes take 5 to 20 minutes (vendor comparison)."""
    fail_probability: Probability = 0.0
    slot_s: Annotated[int, Meta(ge=1, le=10**6)] = 900
    """Length of a slot. Assumed."""

    def __post_init__(self) -> None:
        if self.slow_probability + self.fail_probability > 1:
            raise ValueError("slow_probability and fail_probability must add up to at most 1")


class OfferSpec(Model, frozen=True, kw_only=True):
    """An offer of the catalog, with the quota granted to us and what we know better."""

    name: Name
    offer: str
    quota: Count
    """Devices that may be rented at once."""
    sizes: Sizes | None = None
    """Devices of the instances that are rented, ascending."""
    usd_per_device_h: Amount | tuple[tuple[str, Positive], ...] | None = None
    """Of all sizes; or dated points of it, as [["2026-01", 2.4], ...], log-interpolated day by day."""
    price: PriceFile | None = None
    """Takes over from its first row on, for all sizes."""
    surges: tuple[SurgeSpec, ...] = ()
    commitments: tuple[CommitmentSpec, ...] = ()
    """What is paid for a term, used or not (take or pay)."""
    blocks: tuple[BlockSpec, ...] = ()
    """Days in which the offer is there, all of it paid ahead; without any it always is."""
    spot: bool = False
    """Rent at the catalog's spot price, and book it so."""
    reclaim: ReclaimSpec | None = None
    """The devices may be taken away."""
    shortages: tuple[ShortageSpec, ...] = ()
    refusals: RefusalSpec | None = None
    boots: BootSpec | None = None
    drift: DriftSpec | None = None
    """A drawn factor on whatever the price is."""
    release_s: WholeSeconds = 0
    """Nodes are kept, and count to the quota, so long after their gang (Slurm's SuspendTime). Assumed."""
    egress_usd_per_gb: Amount | None = None
    boot_s: WholeSeconds | None = None
    staging_gbps: Positive | None = None

    def __post_init__(self) -> None:
        check_sizes("sizes", self.sizes or ())
        if isinstance(self.usd_per_device_h, tuple):
            points_of(self.usd_per_device_h)
        for commitment in self.commitments:
            if (commitment.devices or 0) > self.quota:
                raise ValueError(f"commitments: devices = {commitment.devices}: must be at most the quota")
        if self.blocks and (self.commitments or self.spot):
            raise ValueError("blocks are paid ahead: they go neither with commitments nor with spot")
        for surge, after in pairwise(sorted(self.surges, key=lambda surge: surge.from_h)):
            if after.from_h < surge.to_h:
                raise ValueError(
                    f"surges overlap: one ends at {surge.to_h:g} h, one begins at {after.from_h:g} h"
                )
