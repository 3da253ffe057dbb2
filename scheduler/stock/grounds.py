"""What an answer in money rests on: figures that are not sure, and where prices are from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scheduler.catalog import Catalog
from scheduler.catalog.certainty import Noted, oldest
from scheduler.scenario import OfferSpec, Scenario
from scheduler.stock.assumed import prices_of, unsure_figures
from scheduler.stock.stock import OfferStock, stock_of


class PriceSource(NamedTuple):
    """Where the price of an offer is from, and so how old it is."""

    name: str
    offer: str
    """Key in the catalog."""
    usd_per_device_h: float
    """At first."""
    of: str
    """The month of the catalog's price; empty where it is not known, or the price is the scenario's own."""
    source: str


class Grounds(NamedTuple):
    """What one run or several rest on."""

    unsure: dict[Noted, dict[str, str]]
    """Figures by certainty, then by pool or offer, as `unsure_figures` has them."""
    prices: list[PriceSource]
    prices_of: str
    """The month of the oldest price or capital; empty where none is known."""


def grounds_of(scenarios: Iterable[Scenario], catalog: Catalog) -> Grounds:
    """Return what the runs of some scenarios rest on together; raises what `stock_of` raises."""
    unsure: dict[Noted, dict[str, dict[str, None]]] = {}
    prices: dict[PriceSource, None] = {}
    months: list[str] = []
    for scenario in scenarios:
        stock = stock_of(scenario, catalog)
        prices |= dict.fromkeys(price_sources(scenario.offers, stock.offers, catalog))
        months.append(prices_of(scenario, stock, catalog))
        for sure, of in unsure_figures(scenario, stock, catalog).items():
            for name, figures in of.items():
                unsure.setdefault(sure, {}).setdefault(name, {})[figures] = None
    told = {sure: {name: "; ".join(figures) for name, figures in of.items()} for sure, of in unsure.items()}
    return Grounds(told, [*prices], min(filter(None, months), default=""))


def price_sources(
    specs: Sequence[OfferSpec], offers: Sequence[OfferStock], catalog: Catalog
) -> list[PriceSource]:
    """Return where the price of each offer is from; an offer that is rented has a specification."""
    by_name = {spec.name: spec for spec in specs}
    return [
        PriceSource(offer.name, offer.offer, offer.prices[0][1], *_source(by_name[offer.name], catalog))
        for offer in offers
    ]


def _source(spec: OfferSpec, catalog: Catalog) -> tuple[str, str]:
    """Return the month and the source of a price."""
    if spec.price is not None:
        return "", "a series of the scenario's own"
    if spec.usd_per_device_h is not None:
        return "", "the scenario's own"
    offer = catalog.offers.get(spec.offer)
    figure = offer and offer.figures.get("spot_usd_per_device_h" if spec.spot else "usd_per_device_h")
    if not figure:
        return "", "not in the catalog any more, or of some sizes alone"
    said = catalog.sources.get(figure.source, figure.source)
    return oldest([figure]), said.partition(", SHA-256")[0] or "assumed"
