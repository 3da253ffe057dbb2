"""Figures without a source that a run rests on: of its pools and offers, and of their drawn weather."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import fields

from scheduler.catalog import Catalog
from scheduler.catalog.models import Entry
from scheduler.scenario import OfferSpec, PoolSpec, Scenario
from scheduler.stock.stock import NO_QUOTA, OfferStock, PoolStock, Stock

SOURCELESS = {"refusals": ("slot_s",), "boots": ("slot_s",), "drift": ("reversion_h", "spike_h")}
"""Defaults of the weather that have no source, by the part of an offer's specification."""


def assumed_figures(scenario: Scenario, stock: Stock, catalog: Catalog) -> dict[str, str]:
    """Return the figures without a source that each pool and offer of the run rests on."""
    pools = {spec.name: spec for spec in scenario.pools}
    offers = {spec.name: spec for spec in scenario.offers}
    share = f"operations_share_per_year {scenario.money.operations_share_per_year:g}"
    assumed = {
        pool.name: _pool_figures(pools[pool.name], pool, catalog) + [share] * (pool.capital_usd_per_pod > 0)
        for pool in stock.pools
    }
    assumed |= {offer.name: _offer_figures(offers[offer.name], offer, catalog) for offer in stock.offers}
    return {name: ", ".join(figures) for name, figures in assumed.items() if figures}


def assumed_weather(scenario: Scenario, stock: Stock) -> dict[str, str]:
    """Return the defaults without a source that the drawn weather of each offer of the run rests on."""
    names = {offer.name for offer in stock.offers}
    assumed = {spec.name: ", ".join(_weather_figures(spec)) for spec in scenario.offers if spec.name in names}
    return {name: figures for name, figures in assumed.items() if figures}


def _pool_figures(spec: PoolSpec, pool: PoolStock, catalog: Catalog) -> list[str]:
    figures = [f"span_efficiency {pool.span_efficiency:g}"] if pool.pods > 1 or pool.endless else []
    if pool.device not in catalog.devices:
        return [*figures, "no power drawn", *(["no capital"] if not pool.capital_usd_per_pod else [])]
    figures += _sourceless(catalog.device(pool.device), ("busy_kw", "idle_kw"))
    if spec.capital_usd is None and spec.pod is None:
        return [*figures, "no capital"]
    return figures + (_sourceless(catalog.pod(spec.pod), ("capital_usd",)) if spec.pod is not None else [])


def _offer_figures(spec: OfferSpec, offer: OfferStock, catalog: Catalog) -> list[str]:
    entry = catalog.offer(spec.offer)
    named = ["egress_usd_per_gb", "boot_s", "billing_step_s", "minimum_s", "staging_gbps"]
    if spec.usd_per_device_h is None:
        named.insert(0, "spot_usd_per_device_h" if spec.spot else "usd_per_device_h")
    figures = _sourceless(entry, [name for name in named if getattr(spec, name, None) is None])
    return [f"quota {offer.quota:,}", *figures] if offer.quota < NO_QUOTA else figures


def _sourceless(entry: Entry, names: Iterable[str]) -> list[str]:
    figures = ((name, entry.figures.get(name)) for name in names)
    return [f"{name} {figure.value:g}" for name, figure in figures if figure and figure.sure == "assumed"]


def _weather_figures(spec: OfferSpec) -> Iterator[str]:
    for name, keys in SOURCELESS.items():
        part: Struct | None = getattr(spec, name)
        for field in fields(part) if part is not None else ():
            unused = field.name == "spike_h" and spec.drift is not None and not spec.drift.spikes_per_day
            if field.name in keys and not unused and getattr(part, field.name) == field.default:
                yield f"{name}.{field.name} {field.default:g}"
