"""What is rented by contract: commitments for a term, and blocks of capacity that are paid ahead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from scheduler.catalog.models import Amount, Count, Positive
from scheduler.scenario.base import Model
from traces.dated import date_of
from traces.times import parse_moment

DAILY_UNTIL, STEP_DAYS, MOST_DAYS = 14, 7, 182
"""Blocks last whole days up to here, then whole weeks, and no longer than that (AWS, vendor documents)."""


class CommitmentSpec(Model, frozen=True, kw_only=True):
    """Take or pay for a term: devices (reserved), or an amount an hour (a savings plan)."""

    devices: Count | None = None
    usd_per_h: Positive | None = None
    """A savings plan: what is paid in every hour, for as many devices as that buys at the discount."""
    usd_per_device_h: Amount | None = None
    """The price of the contract, instead of the offer's."""
    discount: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Or as a share off the offer's price."""
    months: Count | None = None
    """Or the catalog's for a term of so many months, which then ends unless `until` says otherwise."""
    contract: bool = False
    """Or the catalog's, agreed with the provider, of reserved devices."""
    since: str | None = None
    """A date, or a duration from the start of the run; absent: the start."""
    until: str | None = None
    """Likewise; absent: the end."""

    def __post_init__(self) -> None:
        if (self.devices is None) == (self.usd_per_h is None):
            raise ValueError("give either `devices`, or `usd_per_h` for a savings plan")
        if self.usd_per_device_h is not None and (self.discount or self.usd_per_h is not None):
            raise ValueError("usd_per_device_h goes neither with a discount nor with a savings plan")
        own = self.usd_per_device_h is not None or self.discount > 0
        if own + (self.months is not None) + self.contract > 1:
            raise ValueError("give one price: usd_per_device_h, discount, months or contract")
        if self.contract and self.devices is None:
            raise ValueError("contract is a price of `devices`; for a savings plan give months or discount")
        for moment in (self.since, self.until):
            if moment is not None:
                parse_moment(moment, datetime.fromtimestamp(0, UTC))


class BlockSpec(Model, frozen=True, kw_only=True):
    """The whole quota of an offer for some days, paid ahead; beyond its blocks such an offer is not there.

    It begins and ends at 11:30 UTC.
    """

    since: str
    """The day on which it begins."""
    days: Count
    usd_per_device_h: Positive | None = None
    """Absent: the catalog's price of blocks."""

    def __post_init__(self) -> None:
        date_of(self.since)
        weekly = self.days % STEP_DAYS == 0 and self.days <= MOST_DAYS
        if self.days > DAILY_UNTIL and not weekly:
            raise ValueError(
                f"days = {self.days}: a block lasts 1 to {DAILY_UNTIL} days, or whole weeks up to {MOST_DAYS}"
            )
