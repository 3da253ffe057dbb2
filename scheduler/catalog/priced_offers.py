"""Offers as the price rows have them, size by size, and `offers.toml` made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
    contracts: Mapping[str, float] = {}
    """Prices beside on-demand and spot, by their keys in an offer."""


def to_toml(priced: Iterable[PricedOffer], account: str, as_of: str, sources: Mapping[str, str]) -> str:
    """Return a file of offers; `account` says what became of the rows, `as_of` is the month of the newest.

    The first of `sources` is that of prices, a second one that of prices with a host machine's added.
    """
    plain, *with_host = sources
    head = [
        "# Rental prices, written from a price list: make them anew instead of editing,",
        "# and put what you know better into a file of your own.",
        "#",
        *(f"# {line}" for line in account.splitlines()),
        "",
        f'as_of = "{as_of}"',
        "",
        "[sources]",
        *(f"{key} = {json.dumps(text)}" for key, text in sources.items()),
    ]
    names = plain, *(with_host or [plain])
    sizes = groupby(priced, lambda size: (size.provider, size.device, size.region))
    return "\n".join([*head, *(_entry(*key, list(of_key), names) for key, of_key in sizes)]) + "\n"


def _entry(
    provider: str, device: str, region: str, sizes: Sequence[PricedOffer], sources: Sequence[str]
) -> str:
    """Return an offer with the prices of its sizes, which ascend."""
    on_demand = {size.devices: _figure(size, size.on_demand, sources) for size in sizes}
    on_spot = [size for size in sizes if not isnan(size.spot)]
    lines = [
        f"\n[offers.{provider}-{device}-{region.lower()}]",
        f'provider = "{provider}"',
        f'region = "{region}"',
        f'device = "{device}"',
        f"sizes = {[size.devices for size in sizes]}",
        *_prices("usd_per_device_h", on_demand),
    ]
    if 0 < len(on_spot) < len(sizes):
        lines.append(f"spot_sizes = {[size.devices for size in on_spot]}")
    # Spot prices move, so they are less sure than the on-demand price beside them.
    spot = {size.devices: _figure(size, size.spot, sources, less_sure=1) for size in on_spot}
    largest = sizes[-1]
    agreed = [f"{key} = {_figure(largest, usd, sources)}" for key, usd in largest.contracts.items()]
    return "\n".join([*lines, *_prices("spot_usd_per_device_h", spot), *agreed])


def _prices(name: str, by_size: dict[int, str]) -> list[str]:
    """Return the price of the largest size, then those of sizes that have another."""
    main = by_size[max(by_size)] if by_size else ""
    own = [f"{name}_by_size.{size} = {figure}" for size, figure in by_size.items() if figure != main]
    return [f"{name} = {main}", *own] if main else []


def _figure(size: PricedOffer, usd: float, sources: Sequence[str], less_sure: int = 0) -> str:
    source = sources[1] if size.host_grade else sources[0]
    grade = min(max(size.grade, size.host_grade) + less_sure, len(GRADES) - 1)
    return f'[{usd:.4f}, "{source}", "{GRADES[grade]}"]'
