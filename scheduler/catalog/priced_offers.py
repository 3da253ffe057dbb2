"""Offers as the price rows have them, size by size, and `offers.toml` made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import isnan
from typing import NamedTuple

GRADES = ("high", "medium", "low")


class PricedOffer(NamedTuple):
    """An offer's prices in one size, in USD per device-hour; `spot` is nan where none can be trusted."""

    provider: str
    device: str
    region: str
    devices: int
    """Of an instance."""
    on_demand: float
    spot: float
    grade: int
    """Index into `GRADES`: mended and older rows are less sure."""
    host_grade: int = 0
    """As `grade`, for prices with a host machine's added; 0 where none is."""


def to_toml(priced: Iterable[PricedOffer], origin: str, account: str, as_of: str) -> str:
    """Return `offers.toml`; `origin` names the file of the rows, `account` says what became of them.

    `as_of` is the month of the newest.
    """
    head = [
        "# Rental prices. Written by `python -m scheduler.catalog.prices`: import anew instead of editing,",
        "# and put what you know better into a file of your own.",
        "#",
        *(f"# {line}" for line in account.splitlines()),
        "",
        f'as_of = "{as_of}"',
        "",
        "[sources]",
        f'skypilot = "SkyPilot catalog, about late 2025 to mid 2026 (Azure older): {origin}"',
        'skypilot-host = "SkyPilot catalog: price of the accelerators plus that of their host machine"',
    ]
    sizes = groupby(priced, lambda size: (size.provider, size.device, size.region))
    return "\n".join([*head, *(_entry(*key, list(of_key)) for key, of_key in sizes)]) + "\n"


def _entry(provider: str, device: str, region: str, sizes: Sequence[PricedOffer]) -> str:
    """Return an offer with the prices of its sizes, which ascend."""
    on_spot = [size for size in sizes if not isnan(size.spot)]
    lines = [
        f"\n[offers.{provider}-{device}-{region.lower()}]",
        f'provider = "{provider}"',
        f'region = "{region}"',
        f'device = "{device}"',
        f"sizes = {[size.devices for size in sizes]}",
        *_prices("usd_per_device_h", {size.devices: _figure(size, size.on_demand) for size in sizes}),
    ]
    if 0 < len(on_spot) < len(sizes):
        lines.append(f"spot_sizes = {[size.devices for size in on_spot]}")
    # Spot prices move, so they are less sure than the on-demand price beside them.
    spot = {size.devices: _figure(size, size.spot, less_sure=1) for size in on_spot}
    return "\n".join([*lines, *_prices("spot_usd_per_device_h", spot)])


def _prices(name: str, by_size: dict[int, str]) -> list[str]:
    """Return the price of the largest size, then those of sizes that have another."""
    main = by_size[max(by_size)] if by_size else ""
    own = [f"{name}_by_size.{size} = {figure}" for size, figure in by_size.items() if figure != main]
    return [f"{name} = {main}", *own] if main else []


def _figure(size: PricedOffer, usd: float, less_sure: int = 0) -> str:
    source = "skypilot-host" if size.host_grade else "skypilot"
    grade = min(max(size.grade, size.host_grade) + less_sure, len(GRADES) - 1)
    return f'[{usd:.4f}, "{source}", "{GRADES[grade]}"]'
