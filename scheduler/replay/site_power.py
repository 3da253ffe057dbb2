"""The power of sites with a cap, as the engine counts it."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

from simpy import Environment

from scheduler.engine.owned.power import Curtailment, PoolPower, Power
from scheduler.stock.pools import PoolStock
from scheduler.stock.sites import SiteStock
from scheduler.stock.stock import Stock
from traces.exact import as_decimal

UNITS_PER_KW = 10**9
"""Fine enough for any catalog; a device of 15 kW at a PUE of 1.2 is 18 x 10^9."""
_SLACK = 1 + 1e-9
"""So that a cap that is worth so many devices on paper is worth them here."""
_ENDLESS = 1 << 62


def powers_of(stock: Stock, clock: Environment) -> dict[str, PoolPower]:
    """Return the power of each pool whose site has a cap, by name; pools of a site share it."""
    pools = {pool.name: pool for pool in stock.pools}
    powers: dict[str, PoolPower] = {}
    for site in stock.sites:
        if site.is_capped and site.pools:
            power = _power(site, pools, clock)
            powers |= {name: PoolPower(power, _by_device(site, pools[name])) for name in site.pools}
    return powers


def _power(site: SiteStock, pools: Mapping[str, PoolStock], clock: Environment) -> Power:
    most = _beyond_idle(site, pools, site.cap_kw)
    return Power(
        clock,
        most,
        [
            Curtailment(each.known_s, each.from_s, each.to_s, most - _beyond_idle(site, pools, each.kw))
            for each in site.curtailments
        ],
        stops=site.over_cap == "checkpoint_and_stop",
    )


def _beyond_idle(site: SiteStock, pools: Mapping[str, PoolStock], cap_kw: float | None) -> int:
    """Return what is left of a cap for devices that are held, in units, beyond the idle power of all."""
    if cap_kw is None:
        return _ENDLESS
    here = [pools[name] for name in site.pools]
    idle_kw = sum(as_decimal(pool.idle_kw) * pool.most_pods() * pool.pod_devices for pool in here)
    return floor((as_decimal(cap_kw * _SLACK) - as_decimal(site.pue) * idle_kw) * UNITS_PER_KW)


def _by_device(site: SiteStock, pool: PoolStock) -> int:
    more_kw = as_decimal(site.pue) * (as_decimal(pool.busy_kw) - as_decimal(pool.idle_kw))
    return round(more_kw * UNITS_PER_KW)
