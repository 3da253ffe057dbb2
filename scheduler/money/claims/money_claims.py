"""Claims on money that arithmetic tests, one pure function each, named after the claim: see `verdicts`."""

from __future__ import annotations

import numpy as np

from scheduler.catalog import Catalog
from scheduler.money.claims.claim_file import Range, named
from scheduler.money.claims.readings import Hardware, PriceReading, corners, costs, span
from scheduler.money.economics.breakeven import (
    DAYS,
    breakeven_utilization,
    capital_usd_per_pflop_day,
    energy_usd_per_pflop_day,
)


def owned_running_cost(hardware: Hardware, usd_per_kwh: Range, pue: Range) -> Range:
    """USD per PFLOP-day for the power of busy pods."""
    kwh, site = corners(usd_per_kwh, pue)
    kw = hardware.pod.devices * hardware.device.busy_kw
    return span(
        energy_usd_per_pflop_day(busy_kw=kw, idle_kw=kw, pflops=hardware.pflops, usd_per_kwh=kwh, pue=site)
    )


def cloud_cost(price: PriceReading, market_rent: Range) -> Range:
    """USD per PFLOP-day: the reading's market price, or those of all market readings."""
    return market_rent if price.owned else price.rented


def break_even(
    hardware: Hardware,
    price: PriceReading,
    capital_usd: Range,
    life_years: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Range:
    """Utilization at which owning costs as much as renting; above 1: never."""
    usd = costs(hardware, price, capital_usd, life_years, usd_per_kwh, pue)
    return span(
        breakeven_utilization(
            fixed_usd_per_pflop_day=usd.capital + usd.idle,
            variable_usd_per_pflop_day=usd.running,
            rented_usd_per_pflop_day=usd.rented,
        )
    )


def payback(
    hardware: Hardware,
    price: PriceReading,
    capital_usd: Range,
    heavy_utilization: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Range:
    """Years until the rent saved, less running cost, has repaid the capital; inf where nothing is saved."""
    usd = costs(hardware, price, capital_usd, Range(1, 1), usd_per_kwh, pue)
    years = []
    for used in heavy_utilization:
        saved = used * (usd.rented - usd.running) - usd.idle
        years.append(np.divide(usd.capital, saved, out=np.full(saved.shape, np.inf), where=saved > 0))
    return span(*years)


def owned_well_below(
    hardware: Hardware,
    price: PriceReading,
    capital_usd: Range,
    life_years: Range,
    heavy_utilization: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Range:
    """Owned over rented cost of a PFLOP-day, at heavy utilization."""
    usd = costs(hardware, price, capital_usd, life_years, usd_per_kwh, pue)
    return span(*(usd.owned(used) / usd.rented for used in heavy_utilization))


def owned_above(
    hardware: Hardware,
    price: PriceReading,
    capital_usd: Range,
    life_years: Range,
    light_utilization: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Range:
    """Owned over on-demand cost of a PFLOP-day, at light utilization."""
    usd = costs(hardware, price, capital_usd, life_years, usd_per_kwh, pue)
    return span(usd.owned(light_utilization.low) / price.rented.high)


def same_capital(
    hardware: Hardware, price: PriceReading, capital_usd: Range, short_term_years: Range
) -> Range:
    """PFLOPS that the capital rents for the short term, over those of the pod that it buys."""
    capital, years, rented = corners(capital_usd, short_term_years, price.rented)
    a_day = capital_usd_per_pflop_day(capital_usd=capital, pflops=hardware.pflops, life_years=years)
    return span(a_day / rented)


def optimus_cloud(hardware: Hardware, price: PriceReading, optimus_pods: Range) -> Range:
    """USD a year for the rent of that many ExaPODs, always busy."""
    pods, rented = corners(optimus_pods, price.rented)
    return span(pods * hardware.pflops * DAYS * rented)


def capital(
    hardware: Hardware, catalog: Catalog, a100_box_usd: Range, a100_island_usd: Range, b200_island_usd: Range
) -> Range:
    """USD of an ExaPOD: a GPU box for each tile, at most, and PFLOPS at the price of A100s and B200s."""
    per_pflops = [
        island.low / (pod.devices * catalog.device(pod.device).peak_pflops)
        for island, pod in (
            (a100_island_usd, catalog.pod("a100-island")),
            (b200_island_usd, catalog.pod("b200-island")),
        )
    ]
    return span(hardware.pod.devices * a100_box_usd.low, *(hardware.pflops * usd for usd in per_pflops))


def b200_per_dollar(catalog: Catalog) -> Range:
    """Peak per USD of a B200 over that of an H100, wherever a provider rents both, on demand or as spot."""
    ratios = []
    for field in ("usd_per_device_h", "spot_usd_per_device_h"):
        paid: dict[tuple[str, str], list[float]] = {}
        for offer in catalog.offers.values():
            if usd := getattr(offer, field):
                peak = catalog.device(offer.device).peak_pflops
                paid.setdefault((offer.provider, offer.device), []).append(usd / peak)
        for provider, device in paid:
            if device == "b200" and (provider, "h100") in paid:
                h100, b200 = paid[provider, "h100"], paid[provider, "b200"]
                ratios += [min(h100) / max(b200), max(h100) / min(b200)]
    return span(*ratios)


def marginal_cost(hardware: Hardware, price: PriceReading, usd_per_kwh: Range, pue: Range) -> Range:
    """What a PFLOP-day used adds to the cost of an owned pod, over what it rents for."""
    usd = costs(hardware, price, Range(0, 0), Range(1, 1), usd_per_kwh, pue)
    return span(usd.running / usd.rented)


def ai_cloud_revenue(hardware: Hardware, price: PriceReading, fleet_pods: Range) -> Range:
    """USD a year for all ExaPODs, sold out at the reading's rent."""
    pods, rented = corners(fleet_pods, price.rented)
    return span(pods * hardware.pflops * DAYS * rented)


MONEY_CLAIMS = named(
    owned_running_cost,
    cloud_cost,
    break_even,
    payback,
    owned_well_below,
    owned_above,
    same_capital,
    optimus_cloud,
    capital,
    b200_per_dollar,
    marginal_cost,
    ai_cloud_revenue,
)
