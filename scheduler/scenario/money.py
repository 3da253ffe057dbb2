"""What owning costs and selling brings."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from scheduler.catalog.models import Amount, Positive
from scheduler.scenario.base import ByHour, Model


class MoneySpec(Model, frozen=True, kw_only=True):
    """What owning costs and selling brings; figures of a pod kind or an offer stand in the catalog."""

    charge_period: Literal["hour", "day"] = "hour"
    """The ledger has rows for each hour or each day of UTC."""
    depreciation: Literal["straight_line", "declining"] = "straight_line"
    """The book value falls alike in every second, or alike in proportion, down to the residual."""
    life_years: Positive = 5.0
    """Until a pod is written off. Large clouds write servers off over 5 to 6 years (annual reports)."""
    residual_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """What a pod is worth at the end of its life, as a share of its price. Assumed."""
    age_years: Amount = 0.0
    """Age of the pods at the start of the run."""
    operations_share_per_year: Amount = 0.05
    """Staff, repairs and space a year, as a share of the price of the pods. Assumed."""
    usd_per_kwh: Amount | ByHour = 0.0861
    """US industrial average, 2025 (EIA); or 24 prices, by the hour of the day in UTC."""
    pue: Annotated[float, Meta(ge=1, le=5)] = 1.2
    """Site power over device power: hyperscale 1.1 to 1.2 (Uptime Institute survey, 2025)."""
    transfer_usd_per_gb: Amount = 0.0
    """Sending a job's input out of our own site to where it runs. Assumed."""
    tenant_usd_per_device_h: Amount = 0.0
    """What tenants pay for a reference device-hour of a finished job; 0 where nothing is sold."""

    def __post_init__(self) -> None:
        if self.depreciation == "declining" and not self.residual_share:
            raise ValueError("depreciation declining needs a residual_share above 0 to decline to")
