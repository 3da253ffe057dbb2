"""What the power of a site costs and gives off, with its series read."""

from __future__ import annotations

from msgspec import Struct

from scheduler.scenario import Scenario, SeriesFile, SiteSpec
from scheduler.stock.hourly_series import read_hours

ByHours = tuple[float, ...]
"""One value for all hours, 24 by the hour of the day, or 8,760 by the hour of the year, in UTC."""


class SiteStock(Struct, frozen=True, kw_only=True):
    """Pools behind one meter."""

    name: str
    pools: tuple[str, ...]
    """Those that the run has: none where nothing is owned."""
    pue: float
    usd_per_kwh: ByHours
    demand_usd_per_kw_month: float
    g_co2_per_kwh: ByHours | None
    """None: it is not counted."""

    @property
    def is_charged(self) -> bool:
        """Whether it pays for more than the energy of its pools, and so has rows of its own in the ledger."""
        return self.demand_usd_per_kw_month > 0


def sites_of(scenario: Scenario, pools: tuple[str, ...]) -> tuple[SiteStock, ...]:
    """Return the sites of a scenario with those pools of theirs that the run has; raises PriceError."""
    return tuple(_site(spec, scenario, pools) for spec in scenario.sites)


def _site(spec: SiteSpec, scenario: Scenario, pools: tuple[str, ...]) -> SiteStock:
    money, carbon = scenario.money, spec.g_co2_per_kwh
    return SiteStock(
        name=spec.name,
        pools=tuple(name for name in spec.pools if name in pools),
        pue=money.pue if spec.pue is None else spec.pue,
        usd_per_kwh=_hours(money.usd_per_kwh if spec.usd_per_kwh is None else spec.usd_per_kwh),
        demand_usd_per_kw_month=spec.demand_usd_per_kw_month,
        g_co2_per_kwh=None if carbon is None else _hours(carbon),
    )


def _hours(given: float | tuple[float, ...] | SeriesFile) -> ByHours:
    if isinstance(given, SeriesFile):
        return read_hours(given)
    return given if isinstance(given, tuple) else (given,)
