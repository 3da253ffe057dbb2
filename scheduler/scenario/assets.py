"""What is owned comes and goes: pods that are bought, delivered, retired, and pools that close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from scheduler.catalog.models import Amount, Count
from scheduler.scenario.base import Model, Name, Probability
from traces.times import DurationError, MomentError, parse_moment, parse_seconds

_Sigma = Annotated[float, Meta(gt=0, le=3)]


class LeadSpec(Model, frozen=True, kw_only=True):
    """A lead that nobody knows beforehand: lognormal, drawn from a stream of its own for each order."""

    mean: str
    """Mean time from order to delivery, as 180d."""
    sigma: _Sigma
    """Deviation of its logarithm."""

    def __post_init__(self) -> None:
        check_duration("lead.mean", self.mean)


class VolumePrice(Model, frozen=True, kw_only=True):
    """A price that holds for each pod of an order of at least so many."""

    pods: Count
    usd_per_pod: Amount


class PurchaseSpec(Model, frozen=True, kw_only=True):
    """A batch of pods that is ordered at one time, delivered at another, and paid then."""

    ordered: str
    """A date, as 2026-03-01, or so long after the start of the run, as 90d."""
    lead: str | LeadSpec
    """From the order to the delivery: a time, as 180d, or a distribution."""
    pods: Count
    usd_per_pod: Amount | None = None
    """Price of a pod; absent, that of the pool."""
    volume_discount: tuple[VolumePrice, ...] = ()
    """Prices of larger orders, by their least pods, ascending: the last that the order reaches holds."""

    def __post_init__(self) -> None:
        check_moment("ordered", self.ordered)
        if isinstance(self.lead, str):
            if self.lead.startswith("-"):
                raise ValueError(f'lead = "{self.lead}": pods are not delivered before they are ordered')
            check_duration("lead", self.lead)
        for few, many in pairwise(self.volume_discount):
            if few.pods >= many.pods or few.usd_per_pod < many.usd_per_pod:
                raise ValueError(
                    f"volume_discount: {many.pods} pods at {many.usd_per_pod:g} after {few.pods} at "
                    f"{few.usd_per_pod:g}: must ascend in pods, and not in price"
                )

    def price(self, usd_per_pod: float) -> float:
        """Return the price of a pod, where one of the pool costs `usd_per_pod`."""
        usd = usd_per_pod if self.usd_per_pod is None else self.usd_per_pod
        for step in self.volume_discount:
            usd = step.usd_per_pod if self.pods >= step.pods else usd
        return usd


class RetirementSpec(Model, frozen=True, kw_only=True):
    """Pods that leave, the oldest first: nothing starts there that would outlive it by its estimate."""

    at: str
    """A date, or so long after the start of the run."""
    pods: Count
    resale_share: Probability = 0.0
    """What they are sold for, as a share of the price that was paid for them."""

    def __post_init__(self) -> None:
        check_moment("at", self.at)


class ClosureSpec(Model, frozen=True, kw_only=True):
    """A program ends: all pods of a pool leave at once, and what runs or waits there goes on elsewhere."""

    pool: Name
    at: str
    """A date, or so long after the start of the run."""
    drain: str = "0s"
    """For so long before, nothing starts there."""
    resale_share: Probability = 0.0
    """What the pods are sold for, as a share of the price that was paid for them."""
    decommission_usd_per_kw: Amount = 0.0
    """What it costs to take out each kW of their devices under load."""
    moves_to: tuple[Name, ...] = ()
    """Pools that take over, from then on, the jobs which ask for this one, or its device, by name."""

    def __post_init__(self) -> None:
        check_moment("at", self.at)
        check_duration("drain", self.drain)


class PortSpec(Model, frozen=True, kw_only=True):
    """What it takes to run a kind of job on a device for the first time."""

    kind: str
    device: str
    port_s: Annotated[int, Meta(ge=0, le=10**9)] = 0
    """For so long after the device is first at hand none of them starts there."""
    port_usd: Amount = 0.0
    """Paid once, as the first of them starts there."""


def check_assets(pools: Sequence[str], closures: Sequence[ClosureSpec], ports: Sequence[PortSpec]) -> None:
    """Raise ValueError for a pool that is not there, and for what is said twice."""
    closed, ported = [closure.pool for closure in closures], [(port.kind, port.device) for port in ports]
    for closure in closures:
        for name in (closure.pool, *closure.moves_to):
            if name not in pools:
                known = ", ".join(pools) or "none"
                raise ValueError(f'closures: "{name}" is no pool of the scenario (there are: {known})')
        if closed.count(closure.pool) > 1:
            raise ValueError(f'closures: "{closure.pool}" closes twice')
        if closure.pool in closure.moves_to:
            raise ValueError(f'closures: "{closure.pool}" cannot move to itself')
    for kind, device in ported:
        if ported.count((kind, device)) > 1:
            raise ValueError(f'ports: "{kind}" is ported to "{device}" twice')


def check_moment(key: str, text: str) -> None:
    """Raise ValueError unless a text is a moment."""
    try:
        parse_moment(text, datetime.fromtimestamp(0, UTC))
    except MomentError as error:
        raise ValueError(f"{key}: {error}".replace("from the epoch", "from the start of the run")) from None


def check_duration(key: str, text: str) -> None:
    """Raise ValueError unless a text is a duration."""
    try:
        parse_seconds(text)
    except DurationError as error:
        raise ValueError(f"{key}: {error}") from None
