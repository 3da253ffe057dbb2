"""The readings under which claims are tested: what an ExaPOD is, and what a PFLOP-day costs.

The documents contradict each other on both. A reading of the hardware is a Dojo pod of the catalog; where
its parts do not add up to what is stated of the whole, both are readings. A reading of the prices is
`article-34`'s two cost ranges per PFLOP-day as written, the same numbers taken per PFLOP-hour, or a market
price of the catalog in place of the cloud's range.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median_low
from typing import Any, NamedTuple

import numpy as np

from scheduler.catalog import Catalog, check_arithmetic
from scheduler.catalog.models import Device, PodKind
from scheduler.money.claims.claim_file import Dossier, Range
from scheduler.money.economics.breakeven import (
    HOURS,
    Numbers,
    capital_usd_per_pflop_day,
    energy_usd_per_pflop_day,
    rented_usd_per_pflop_day,
)
from traces.arrays import Floats

OWNED, CLOUD = "owned-running-cost", "cloud-cost"
"""Keys of the claims whose numbers a price reading may take for true."""
MARKET = ("h100", "b200")


class Hardware(NamedTuple):
    """What an ExaPOD is."""

    key: str
    text: str
    pod: PodKind
    device: Device
    pflops: float
    """Peak of the pod, dense BF16."""


class PriceReading(NamedTuple):
    """What a PFLOP-day costs, in USD, used and peak."""

    key: str
    text: str
    hours: float
    """What figures stated per PFLOP-day are multiplied by."""
    owned: Range | None
    """Running owned pods; None: computed from their power."""
    rented: Range
    """From spot to on demand, or one price."""


def hardware_readings(catalog: Catalog) -> list[Hardware]:
    """Return the Dojo pods of the catalog, with the stated peak apart where the tiles do not come to it."""
    open_sums = {f.entry for f in check_arithmetic(catalog) if f.field == "peak_pflops" and not f.closes}
    readings = []
    for pod in catalog.pods.values():
        device = catalog.device(pod.device)
        if device.family != "dojo":
            continue
        key, peak = pod.key.removeprefix("exapod-"), pod.devices * device.peak_pflops
        sum_text = f"{pod.devices:,} tiles x {device.peak_pflops:g} PFLOPS"
        if pod.key in open_sums and pod.peak_pflops:
            text = f"{pod.devices:,} tiles, PFLOPS as stated of the whole"
            readings.append(Hardware(key, text, pod, device, pod.peak_pflops))
            key += "-tiles"
        readings.append(Hardware(key, sum_text, pod, device, peak))
    return readings


def price_readings(catalog: Catalog, dossier: Dossier) -> list[PriceReading]:
    """Return the two unit readings of `article-34`, and a market reading for each GPU, kind and rank."""
    owned, cloud = (dossier.claim(key).claimed for key in (OWNED, CLOUD))
    stated = [
        PriceReading(f"per-{word}", f"article-34, its figures per PFLOP-{word}", times, *ranges)
        for word, times in (("day", 1), ("hour", HOURS))
        for ranges in [(owned.times(times), cloud.times(times))]
    ]
    return [*stated, *(price for gpu in MARKET for price in _market(catalog, gpu))]


def _market(catalog: Catalog, gpu: str) -> Iterator[PriceReading]:
    offers = [offer for offer in catalog.offers.values() if offer.device == gpu]
    pflops = catalog.device(gpu).peak_pflops
    for kind, field in (("", "usd_per_device_h"), ("-spot", "spot_usd_per_device_h")):
        by_price = sorted((float(usd), offer.key) for offer in offers if (usd := getattr(offer, field)))
        ranks = {"cheapest": by_price[0], "median": median_low(by_price)} if by_price else {}
        for rank, (usd, key) in ranks.items():
            rent = rented_usd_per_pflop_day(usd_per_device_h=usd, pflops=pflops)
            text = f"${usd:.2f} per device-hour, {key}"
            yield PriceReading(f"{gpu}{kind}-{rank}", text, 1, None, Range(float(rent), float(rent)))


class Costs(NamedTuple):
    """USD per PFLOP-day at all ends of the inputs' ranges: one array each, of the same shape."""

    capital: Floats
    """Of capacity, used or not."""
    idle: Floats
    """Power of capacity that does nothing."""
    running: Floats
    """Added by use."""
    rented: Floats

    def owned(self, utilization: Numbers) -> Any:
        """Return the owned cost of a PFLOP-day that is used."""
        return (self.capital + self.idle) / utilization + self.running


def costs(
    hardware: Hardware,
    price: PriceReading,
    capital_usd: Range,
    life_years: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Costs:
    """Return what a PFLOP-day of capacity, of use and of rent costs.

    Where the price reading states what running costs, that stands for power and all else; otherwise it is
    power alone, so staff and repairs are left out, in favour of owning.
    """
    stated = price.owned or Range(0, 0)
    capital, life, kwh, site, running, rented = corners(
        capital_usd, life_years, usd_per_kwh, pue, stated, price.rented
    )
    pod, device = hardware.pod, hardware.device
    drawn = 0.0 if price.owned else 1.0
    idle_kw = pod.devices * device.idle_kw * drawn
    more_kw = pod.devices * (device.busy_kw - device.idle_kw) * drawn
    idle, more = (
        energy_usd_per_pflop_day(busy_kw=kw, idle_kw=kw, pflops=hardware.pflops, usd_per_kwh=kwh, pue=site)
        for kw in (idle_kw, more_kw)
    )
    fixed = capital_usd_per_pflop_day(capital_usd=capital, pflops=hardware.pflops, life_years=life)
    return Costs(*np.broadcast_arrays(fixed, idle, more + running, rented))


def corners(*ranges: Range) -> tuple[Floats, ...]:
    """Return the ends of each range along an axis of its own, so that broadcasting meets every corner."""
    return tuple(np.ix_(*(np.unique(np.array(ends, np.float64)) for ends in ranges)))


def span(*values: Numbers) -> Range:
    """Return the range from the least to the greatest of all values."""
    return Range(min(float(np.min(v)) for v in values), max(float(np.max(v)) for v in values))
