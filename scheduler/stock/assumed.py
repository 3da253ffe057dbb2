"""Figures that a run rests on without a source, of low certainty or without a date, and drawn weather's."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import fields

from scheduler.catalog import Catalog
from scheduler.catalog.certainty import Noted, figures_of, oldest
from scheduler.catalog.models import Certainty, Entry
from scheduler.scenario import OfferSpec, PoolSpec, Scenario
from scheduler.stock.contracts import price_name
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import NO_QUOTA, Stock

SOURCELESS = {"refusals": ("slot_s",), "boots": ("slot_s",), "drift": ("reversion_h", "spike_h")}
"""Defaults of the weather that have no source, by the part of an offer's specification."""


def unsure_figures(scenario: Scenario, stock: Stock, catalog: Catalog) -> dict[Noted, dict[str, str]]:
    """Return the figures that are assumed, and those of low certainty, by pool and offer of the run.

    Prices and capital of the catalog that nobody dated are beside them, where there are any.
    """
    found: dict[Noted, dict[str, list[str]]] = {
        "assumed": _assumed(scenario, stock, catalog),
        "low": _catalogued(scenario, stock, catalog, "low"),
    }
    if any((undated := _undated(scenario, stock, catalog)).values()):
        found["undated"] = undated
    return {
        noted: {name: ", ".join(figures) for name, figures in of.items() if figures}
        for noted, of in found.items()
    }


def prices_of(scenario: Scenario, stock: Stock, catalog: Catalog) -> str:
    """Return the month of the oldest price or capital that a run has from the catalog; empty for none."""
    priced = _priced(scenario, stock, catalog)
    return oldest(entry.figures.get(figure) for _name, entry, figures in priced for figure in figures)


def assumed_weather(scenario: Scenario, stock: Stock) -> dict[str, str]:
    """Return the defaults without a source that the drawn weather of each offer of the run rests on."""
    names = {offer.name for offer in stock.offers}
    assumed = {spec.name: ", ".join(_weather_figures(spec)) for spec in scenario.offers if spec.name in names}
    return {name: figures for name, figures in assumed.items() if figures}


def _assumed(scenario: Scenario, stock: Stock, catalog: Catalog) -> dict[str, list[str]]:
    """Figures without a source, those of the scenario's defaults too, by pool and offer."""
    specs = {spec.name: spec for spec in scenario.pools}
    assumed = _catalogued(scenario, stock, catalog, "assumed")
    for pool in stock.pools:
        spans = [f"span_efficiency {pool.span_efficiency:g}"] if pool.pods > 1 or pool.endless else []
        gaps = [] if pool.device in catalog.devices else ["no power drawn"]
        spec = specs[pool.name]
        unpriced = spec.capital_usd is None and spec.pod is None
        gaps += ["no capital"] if unpriced else []
        stated = (
            [f"capital_usd {spec.capital_usd:,.15g} (stated in the scenario)"] if spec.capital_usd else []
        )
        share = scenario.money.operations_share_per_year
        operations = [f"operations_share_per_year {share:g}"] if pool.capital_usd_per_pod > 0 else []
        assumed[pool.name] = [*spans, *assumed[pool.name], *gaps, *stated, *operations]
    for offer in stock.offers:
        quota = [f"quota {offer.quota:,}"] if offer.quota < NO_QUOTA else []
        assumed[offer.name] = [*quota, *assumed[offer.name]]
    return assumed


def _undated(scenario: Scenario, stock: Stock, catalog: Catalog) -> dict[str, list[str]]:
    """The catalog's prices and capital without a month, by pool and offer."""
    priced = _priced(scenario, stock, catalog)
    return {name: figures_of(entry, figures, "undated") for name, entry, figures in priced}


def _priced(scenario: Scenario, stock: Stock, catalog: Catalog) -> Iterator[tuple[str, Entry, list[str]]]:
    """Yield each pool and offer with its entry of the catalog, and the prices and capital it has from it."""
    pods = {spec.name: spec.pod for spec in scenario.pools if spec.capital_usd is None}
    offers = {spec.name: spec for spec in scenario.offers}
    for pool in stock.pools:
        if pod := pods.get(pool.name):
            yield pool.name, catalog.pod(pod), ["capital_usd"]
    for offer in stock.offers:
        yield offer.name, catalog.offer(offer.offer), _prices(offers[offer.name])


def _catalogued(scenario: Scenario, stock: Stock, catalog: Catalog, sure: Certainty) -> dict[str, list[str]]:
    """The catalog's figures of one certainty that the money of each pool and offer rests on."""
    pools = {spec.name: spec for spec in scenario.pools}
    offers = {spec.name: spec for spec in scenario.offers}
    found = {pool.name: _of_pool(pools[pool.name], pool, catalog, sure) for pool in stock.pools}
    return found | {offer.name: _of_offer(offers[offer.name], catalog, sure) for offer in stock.offers}


def _of_pool(spec: PoolSpec, pool: PoolStock, catalog: Catalog, sure: Certainty) -> list[str]:
    device = catalog.devices.get(pool.device)
    figures = figures_of(device, ("busy_kw", "idle_kw"), sure) if device is not None else []
    if spec.capital_usd is None and spec.pod is not None:
        figures += figures_of(catalog.pod(spec.pod), ("capital_usd",), sure)
    return figures


def _of_offer(spec: OfferSpec, catalog: Catalog, sure: Certainty) -> list[str]:
    named = ["egress_usd_per_gb", "boot_s", "billing_step_s", "minimum_s", "staging_gbps"]
    used = [name for name in named if getattr(spec, name, None) is None]
    return figures_of(catalog.offer(spec.offer), (*_prices(spec), *used), sure)


def _prices(spec: OfferSpec) -> list[str]:
    """Return the prices that an offer of the run leaves to the catalog."""
    listed = "spot_usd_per_device_h" if spec.spot else "usd_per_device_h"
    names = [listed if spec.usd_per_device_h is None else ""]
    names += [price_name(each) for each in spec.commitments] + [price_name(each) for each in spec.blocks]
    return list(dict.fromkeys(name for name in names if name))


def _weather_figures(spec: OfferSpec) -> Iterator[str]:
    for name, keys in SOURCELESS.items():
        part: Struct | None = getattr(spec, name)
        for field in fields(part) if part is not None else ():
            unused = field.name == "spike_h" and spec.drift is not None and not spec.drift.spikes_per_day
            if field.name in keys and not unused and getattr(part, field.name) == field.default:
                yield f"{name}.{field.name} {field.default:g}"
