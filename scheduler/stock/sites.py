"""What the power of a site costs and gives off, with its series read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scheduler.scenario import CurtailmentSpec, Scenario, ScenarioError, SeriesFile, SiteSpec
from scheduler.stock.hourly_series import read_hours
from traces.times import HOUR_S

ByHours = tuple[float, ...]
"""One value for all hours, 24 by the hour of the day, or 8,760 by the hour of the year, in UTC."""


class CapError(ScenarioError):
    """A cap below what the pools of its site draw idle; says the site, the key, the value and the least."""


class CurtailmentStock(Struct, frozen=True, kw_only=True):
    """From one second to another the site may draw less, as is known from `known_s` on."""

    known_s: int
    from_s: int
    to_s: int
    kw: float

    def later(self, seconds: int) -> CurtailmentStock:
        """Return it so much later."""
        return replace(
            self,
            known_s=self.known_s + seconds,
            from_s=self.from_s + seconds,
            to_s=self.to_s + seconds,
        )


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
    cap_kw: float | None = None
    """None: it may draw whatever its pools do."""
    curtailments: tuple[CurtailmentStock, ...] = ()
    over_cap: str = "wait"

    @property
    def is_capped(self) -> bool:
        """Whether its power has a limit, at least for a while."""
        return self.cap_kw is not None or bool(self.curtailments)

    def from_second(self, start_s: int) -> SiteStock:
        """Return it with curtailments by the seconds of a trace, for a run that begins at one of them."""
        return replace(self, curtailments=tuple(each.later(start_s) for each in self.curtailments))

    @property
    def is_charged(self) -> bool:
        """Whether it pays for more than the energy of its pools, and so has rows of its own in the ledger."""
        return self.demand_usd_per_kw_month > 0


def sites_of(scenario: Scenario, pools: tuple[str, ...]) -> tuple[SiteStock, ...]:
    """Return the sites of a scenario with those pools of theirs that the run has; raises PriceError."""
    return tuple(_site(spec, scenario, pools) for spec in scenario.sites)


def _site(spec: SiteSpec, scenario: Scenario, pools: tuple[str, ...]) -> SiteStock:
    money, carbon = scenario.money, spec.g_co2_per_kwh
    lifted = scenario.bound == "unlimited_owned"
    return SiteStock(
        name=spec.name,
        pools=tuple(name for name in spec.pools if name in pools),
        pue=money.pue if spec.pue is None else spec.pue,
        usd_per_kwh=_hours(money.usd_per_kwh if spec.usd_per_kwh is None else spec.usd_per_kwh),
        demand_usd_per_kw_month=spec.demand_usd_per_kw_month,
        g_co2_per_kwh=None if carbon is None else _hours(carbon),
        cap_kw=None if lifted else spec.cap_kw,
        curtailments=() if lifted else tuple(_curtailment(each) for each in spec.curtailments),
        over_cap=spec.over_cap,
    )


def _curtailment(spec: CurtailmentSpec) -> CurtailmentStock:
    from_s, to_s = (round(hours * HOUR_S) for hours in (spec.from_h, spec.to_h))
    known_s = max(0, from_s - round(spec.notice_h * HOUR_S))
    return CurtailmentStock(known_s=known_s, from_s=from_s, to_s=max(from_s + 1, to_s), kw=spec.kw)


def check_caps(sites: Sequence[SiteStock], idle_kw: Mapping[str, float]) -> None:
    """Raise CapError where a site may draw less than its pools do when idle, `idle_kw` by pool."""
    for site in sites:
        idle = site.pue * sum(idle_kw[name] for name in site.pools)
        caps = [("cap_kw", site.cap_kw), *(("curtailments: kw", each.kw) for each in site.curtailments)]
        for key, kw in caps:
            if kw is not None and kw < idle:
                raise CapError(
                    f"site {site.name}: {key} = {kw:g}: must be at least {idle:g}, what its pools draw idle"
                )


def _hours(given: float | tuple[float, ...] | SeriesFile) -> ByHours:
    if isinstance(given, SeriesFile):
        return read_hours(given)
    return given if isinstance(given, tuple) else (given,)
