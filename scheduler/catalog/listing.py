"""The catalog as tables for a terminal: every figure with its unit, certainty and source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from scheduler.catalog.arithmetic import Finding, check_arithmetic
from scheduler.catalog.catalog import Catalog
from scheduler.catalog.models import CatalogError, Device, Figure, Offer, PodKind, unit

_PRICES = ("node_devices", "usd_per_device_h", "spot_usd_per_device_h")


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
    """Prices as one row an offer, and below them the terms, once for all offers that share them."""
    rows: list[tuple[str, ...]] = [("offer", "node", "on-demand", "sure", "spot", "sure", "source")]
    terms: dict[tuple[tuple[str, Figure], ...], list[str]] = {}
    for offer in catalog.offers.values():
        rows.append(_price_row(offer))
        shared = tuple((name, figure) for name, figure in offer.figures.items() if name not in _PRICES)
        sharing = terms.setdefault(shared, [])
        if offer.provider not in sharing:
            sharing.append(offer.provider)
    blocks = [_block(f"terms: {', '.join(who)}", dict(figures)) for figures, who in terms.items()]
    return "\n\n".join(["Prices in USD/device-hour.\n" + _table(rows), *blocks])


def _price_row(offer: Offer) -> tuple[str, ...]:
    price = offer.figures["usd_per_device_h"]
    spot = offer.figures.get("spot_usd_per_device_h")
    spot_cells = (f"{spot.value:.2f}", spot.sure) if spot else ("", "")
    return (offer.key, str(offer.node_devices), f"{price.value:.2f}", price.sure, *spot_cells, price.source)


def _arithmetic(catalog: Catalog) -> str:
    rows: list[tuple[str, ...]] = [("entry", "parts", "found", "stated", "", "ratio", "", "stated by")]
    rows += [_finding_row(finding) for finding in check_arithmetic(catalog)]
    return _table(rows)


def _finding_row(finding: Finding) -> tuple[str, ...]:
    stated = f"{'at most ' if finding.at_most else ''}{finding.stated:,g}"
    return (
        finding.entry,
        finding.parts,
        f"{finding.found:,g}",
        stated,
        finding.unit,
        f"{finding.ratio:.3g}",
        "closes" if finding.closes else "DOES NOT CLOSE",
        finding.source,
    )


def _sources(catalog: Catalog) -> str:
    return _table(list(catalog.sources.items()))


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
    rows = [("", name, _number(f.value), unit(name), f.sure, f.source) for name, f in figures.items()]
    return f"{title}\n{_table(rows)}"


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Align the columns, numbers to the right; an empty first column indents the others."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
        for cell, width in zip(row, widths, strict=True)
    )
    return "  ".join(cells).rstrip()
