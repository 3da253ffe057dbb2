"""Commitments and blocks as a run has them: from when to when, for how many devices, at what price."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from math import floor, inf

from msgspec import Struct
from msgspec.structs import replace

from scheduler.catalog import CatalogError
from scheduler.catalog.models import AGREED, Offer
from scheduler.scenario import BlockSpec, CommitmentSpec, OfferSpec
from traces.dated import months_later, seconds_to
from traces.times import DAY_S, parse_moment

BLOCK_TURNS = timedelta(hours=11, minutes=30)
"""When blocks end, in UTC (AWS, vendor documents); assumed: they begin then too."""
BLOCK_INSTANCES = 64
"""The most instances of a block (AWS, vendor documents)."""


class Commitment(Struct, frozen=True, kw_only=True):
    """A contract; seconds are None where its term is not bounded on that side."""

    kind: str
    """reserved, savings or block."""
    from_s: int | None
    to_s: int | None
    devices: int
    usd_per_h: float
    """Of a savings plan; else 0."""
    usd_per_device_h: float | None
    """None: the offer's, less the discount. Of a savings plan that at which it covers devices."""
    discount: float

    @property
    def at_the_offers_price(self) -> bool:
        """Whether it costs what the offer does."""
        return self.usd_per_device_h is None and not self.discount

    def later(self, start_s: int) -> Commitment:
        """Return it in the seconds of a trace, for a run that begins at one of them."""
        from_s = None if self.from_s is None else self.from_s + start_s
        return replace(self, from_s=from_s, to_s=None if self.to_s is None else self.to_s + start_s)

    def holds(self, second: float) -> bool:
        """Say whether a second is in its term."""
        after = self.from_s is None or second >= self.from_s
        return after and (self.to_s is None or second < self.to_s)

    def covers(self, usd_per_device_h: float) -> int:
        """Return how many devices it pays for where the offer's price is so much."""
        if self.kind != "savings":
            return self.devices
        price = usd_per_device_h * (1 - self.discount)
        if self.usd_per_device_h is not None:
            price = self.usd_per_device_h
        return floor(self.usd_per_h / price) if price else 0


def commitments_of(spec: OfferSpec, offer: Offer, node: int, start: datetime) -> tuple[Commitment, ...]:
    """Return what an offer is rented by, for a run that starts at an instant; raises CatalogError.

    `offer` is that of the catalog, which has the prices that are not given.
    """
    if spec.blocks and spec.quota > BLOCK_INSTANCES * node:
        raise CatalogError(
            f"{spec.name}: quota = {spec.quota}: a block has at most {BLOCK_INSTANCES} instances of {node}"
        )
    blocks = sorted((_block(block, spec, offer, start) for block in spec.blocks), key=_begins)
    for block, following in pairwise(blocks):
        if following.from_s < (block.to_s or 0):  # type: ignore[operator]
            raise CatalogError(f"{spec.name}: blocks overlap: they are of one quota, so one ends first")
    terms = [_term(spec.name, each, offer, start) for each in spec.commitments]
    for each in terms:
        at_once = sum(other.devices for other in terms if other.holds(_begins(each)))
        if at_once > spec.quota:
            raise CatalogError(
                f"{spec.name}: commitments of {at_once} devices at once: must be at most the quota, "
                f"{spec.quota}"
            )
    return (*terms, *blocks)


def _begins(commitment: Commitment) -> float:
    return -inf if commitment.from_s is None else commitment.from_s


def price_name(spec: CommitmentSpec | BlockSpec) -> str:
    """Return the figure of an offer in the catalog that is the price of a contract; empty for none."""
    if isinstance(spec, BlockSpec):
        return "block_usd_per_device_h" if spec.usd_per_device_h is None else ""
    if spec.months is not None:
        sort = "reserved" if spec.usd_per_h is None else "savings"
        return f"{sort}_usd_per_device_h_by_months.{spec.months}"
    return "contract_usd_per_device_h" if spec.contract else ""


def _usd_per_device_h(name: str, spec: CommitmentSpec | BlockSpec, offer: Offer) -> float | None:
    """Return the price that a contract gives, or the catalog's; raises CatalogError where it has none."""
    figure = price_name(spec)
    if not figure:
        return spec.usd_per_device_h
    if figure not in offer.figures:
        agreed = ", ".join(key for key in offer.figures if key.startswith(AGREED)) or "none by contract"
        raise CatalogError(
            f'{name}: the offer "{offer.key}" has no {figure} (it has: {agreed}): give usd_per_device_h'
        )
    return float(offer.figures[figure].value)


def _term(name: str, spec: CommitmentSpec, offer: Offer, start: datetime) -> Commitment:
    from_s, to_s = (None if at is None else parse_moment(at, start) for at in (spec.since, spec.until))
    if to_s is None and spec.months is not None:
        begins = start + timedelta(seconds=from_s or 0)
        to_s = round((months_later(begins, spec.months) - start).total_seconds())
    if to_s is not None and to_s <= (from_s or 0):
        ends = f"until = {spec.until}" if spec.until else f"{spec.months} months from {spec.since}"
        raise CatalogError(
            f"{name}: commitments: {ends}: must be after {spec.since or 'the start of the run'}"
        )
    return Commitment(
        kind="reserved" if spec.usd_per_h is None else "savings",
        from_s=from_s,
        to_s=to_s,
        devices=spec.devices or 0,
        usd_per_h=spec.usd_per_h or 0.0,
        usd_per_device_h=_usd_per_device_h(name, spec, offer),
        discount=spec.discount,
    )


def _block(spec: BlockSpec, of: OfferSpec, offer: Offer, start: datetime) -> Commitment:
    from_s = seconds_to(spec.since, start) + round(BLOCK_TURNS.total_seconds())
    return Commitment(
        kind="block",
        from_s=from_s,
        to_s=from_s + spec.days * DAY_S,
        devices=of.quota,
        usd_per_h=0.0,
        usd_per_device_h=_usd_per_device_h(of.name, spec, offer),
        discount=0.0,
    )
