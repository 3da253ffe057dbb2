"""The catalog as tables for a terminal: every figure with its unit, certainty and source."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scheduler.catalog.arithmetic import Finding, check_arithmetic
from scheduler.catalog.catalog import Catalog
from scheduler.catalog.models import AGREED, CatalogError, Device, Figure, Offer, PodKind, listed, unit
from traces.numbers import decimal, shortest
from traces.tables import table

_PRICES = ("usd_per_device_h", "spot_usd_per_device_h")


def render(catalog: Catalog, section: str | None = None) -> str:
    """Return one section (devices, pods, offers, arithmetic, sources) or all; raises CatalogError."""
    if section is None:
        return "\n\n".join(f"{name.upper()}\n{text(catalog)}" for name, text in SECTIONS.items())
    if section not in SECTIONS:
        raise CatalogError(f'unknown section "{section}": allowed are {", ".join(SECTIONS)}')
    return SECTIONS[section](catalog)


def _devices(catalog: Catalog) -> str:
    return _blocks(catalog.devices.values())


def _pods(catalog: Catalog) -> str:
    return _blocks(catalog.pods.values())


def _offers(catalog: Catalog) -> str:
    """Prices as one row for sizes that cost the same, and the terms, once for all offers that share them."""
    header = ("offer", "sizes", "on-demand", "sure", "spot", "sure", "source")
    rows = [row for offer in catalog.offers.values() for row in _price_rows(offer)]
    agreed = [
        (offer.key, name, decimal(figure.value), figure.sure, figure.source)
        for offer in catalog.offers.values()
        for name, figure in offer.figures.items()
        if name.startswith(AGREED)
    ]
    terms: dict[tuple[tuple[str, Figure], ...], list[str]] = {}
    for offer in catalog.offers.values():
        shared = tuple(
            (name, figure)
            for name, figure in offer.figures.items()
            if not name.startswith((*_PRICES, *AGREED))
        )
        sharing = terms.setdefault(shared, [])
        if offer.provider not in sharing:
            sharing.append(offer.provider)
    blocks = [_block(f"terms: {', '.join(who)}", dict(figures)) for figures, who in terms.items()]
    contracts = [table(("offer", "by contract", "price", "sure", "source"), agreed, numbers=None)]
    prices = "Prices in USD/device-hour.\n" + table(header, rows, numbers=None)
    return "\n\n".join([prices, *(contracts if agreed else []), *blocks])


def _price_rows(offer: Offer) -> list[tuple[str, ...]]:
    alike: dict[tuple[str, ...], list[int]] = {}
    for size in offer.sizes:
        price, spot = (_price(offer, name, size) for name in _PRICES)
        assert price is not None
        if size not in (offer.spot_sizes or offer.sizes):
            spot = None
        spot_cells = (decimal(spot.value), spot.sure) if spot else ("", "")
        alike.setdefault((decimal(price.value), price.sure, *spot_cells, price.source), []).append(size)
    return [(offer.key, listed(sizes), *cells) for cells, sizes in alike.items()]


def _price(offer: Offer, name: str, size: int) -> Figure | None:
    return offer.figures.get(f"{name}_by_size.{size}", offer.figures.get(name))


def _arithmetic(catalog: Catalog) -> str:
    header = ("entry", "parts", "found", "stated", "", "ratio", "", "stated by")
    return table(header, map(_finding_row, check_arithmetic(catalog)), numbers=None)


def _finding_row(finding: Finding) -> tuple[str, ...]:
    stated = f"{'at most ' if finding.at_most else ''}{shortest(finding.stated)}"
    return (
        finding.entry,
        finding.parts,
        shortest(finding.found),
        stated,
        finding.unit,
        shortest(finding.ratio, 3),
        "closes" if finding.closes else "DOES NOT CLOSE",
        finding.source,
    )


def _sources(catalog: Catalog) -> str:
    first, *others = catalog.sources.items()
    return table(first, others, numbers=None)


SECTIONS: dict[str, Callable[[Catalog], str]] = {
    "devices": _devices,
    "pods": _pods,
    "offers": _offers,
    "arithmetic": _arithmetic,
    "sources": _sources,
}


def _blocks(entries: Iterable[Device | PodKind]) -> str:
    return "\n\n".join(_block(f"{entry.key}: {entry.name}", entry.figures) for entry in entries)


def _block(title: str, figures: dict[str, Figure]) -> str:
    first, *others = (
        ("", name, shortest(f.value, 10), unit(name), f.sure, f.source) for name, f in figures.items()
    )
    return f"{title}\n{table(first, others, numbers=None)}"
