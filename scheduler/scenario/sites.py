"""Sites: which pools stand together, what their power costs and gives off, and how much of it there is."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta

from scheduler.catalog.models import Amount, Positive
from scheduler.scenario.base import ByHour, Model, Name, WindowSpec


class SeriesFile(Model, frozen=True, kw_only=True):
    """A year of hours: `csv` names a file beside the scenario, with an `hour_utc` and a value a row."""

    csv: str
    column: str
    """Which column holds the values; its name ends in the unit, `_per_mwh` or `_per_kwh`."""
    factor: Positive = 1.0
    """Times the values: where they are of another currency, what one of it is worth."""
    fill: Literal["previous"] | None = None
    """What stands in for hours without a value: that of the hour before; absent, they are an error."""


class CurtailmentSpec(WindowSpec, frozen=True, kw_only=True):
    """The grid gives less for a while."""

    kw: Amount
    """What the site may draw meanwhile."""
    notice_h: Amount = 0.0
    """For so long before it is known; by default it comes unannounced."""


class SiteSpec(Model, frozen=True, kw_only=True):
    """Pools behind one meter."""

    name: Name
    pools: Annotated[tuple[Name, ...], Meta(min_length=1)]
    pue: Annotated[float, Meta(ge=1, le=5)] | None = None
    """Power of the site over power of the devices; absent: that of `money`."""
    usd_per_kwh: Amount | ByHour | SeriesFile | None = None
    """Price of electricity; 24 are by the hour of the day in UTC; absent: that of `money`."""
    demand_usd_per_kw_month: Amount = 0.0
    """Price of the highest power of a calendar month, as the mean of a quarter of an hour."""
    g_co2_per_kwh: Amount | ByHour | SeriesFile | None = None
    """Carbon dioxide that making a kWh gives off; absent: it is not counted."""
    cap_kw: Positive | None = None
    """What the site may draw at most; absent: whatever its pools draw."""
    curtailments: tuple[CurtailmentSpec, ...] = ()
    over_cap: Literal["wait", "checkpoint_and_stop"] = "wait"
    """What becomes of running jobs that a curtailment leaves no power for: they go on, or stop."""

    def __post_init__(self) -> None:
        for each in self.curtailments:
            if self.cap_kw is not None and each.kw > self.cap_kw:
                raise ValueError(f"curtailments: kw = {each.kw:g}: must be at most cap_kw, {self.cap_kw:g}")
        for each, after in pairwise(sorted(self.curtailments, key=lambda one: one.from_h)):
            if after.from_h < each.to_h:
                raise ValueError(
                    f"curtailments overlap: one ends at {each.to_h:g} h, one begins at {after.from_h:g} h"
                )

    @property
    def is_capped(self) -> bool:
        """Whether its power has a limit, at least for a while."""
        return self.cap_kw is not None or bool(self.curtailments)
