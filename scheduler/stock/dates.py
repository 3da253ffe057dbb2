"""Whether what a run owns and rents is there, and has a price, in the years of the run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from scheduler.catalog import Catalog, CatalogError
from scheduler.catalog.models import Entry
from scheduler.scenario import PoolSpec, Scenario
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import Stock
from traces.dated import Points, date_of


def check_dates(scenario: Scenario, stock: Stock, catalog: Catalog, start: datetime, end: datetime) -> None:
    """Raise CatalogError for a price that is dated after the run, or a device that is not on sale in it.

    A figure that bears no date of its own holds at any time.
    """
    first, last = start.astimezone(UTC).date(), end.astimezone(UTC).date()
    pools, offers = {pool.name: pool for pool in stock.pools}, {offer.name: offer for offer in stock.offers}
    for owned in scenario.pools:
        if owned.name in pools:
            if owned.pod is not None and owned.capital_usd is None:
                _check_figure(owned.name, catalog.pod(owned.pod), "capital_usd", last)
            _check_device(owned.name, pools[owned.name].device, "available_to_buy", catalog, last, None)
            _check_orders(owned, pools[owned.name], catalog, start)
    for spec in scenario.offers:
        if spec.name not in offers:
            continue
        offer = offers[spec.name]
        if isinstance(spec.usd_per_device_h, tuple):
            _check_points(f"{offer.name}: usd_per_device_h", spec.usd_per_device_h, last)
        elif spec.usd_per_device_h is None:
            name = "spot_usd_per_device_h" if spec.spot else "usd_per_device_h"
            _check_figure(offer.name, catalog.offer(offer.offer), name, last)
        _check_device(offer.name, offer.device, "available_to_rent", catalog, last, first)


def _check_figure(name: str, entry: Entry, field: str, last: date) -> None:
    figure = entry.figures.get(field)
    if figure is not None and figure.points:
        _check_points(f"{name}: {entry.key}.{field}", figure.points, last)


def _check_points(what: str, points: Points, last: date) -> None:
    if date_of(points[0][0]) > last:
        raise CatalogError(
            f"{what} is dated {points[0][0]}, after the run, which ends on {last}: add an earlier point"
        )


def _check_orders(owned: PoolSpec, pool: PoolStock, catalog: Catalog, start: datetime) -> None:
    """Raise CatalogError where pods are delivered before their device is sold."""
    device = catalog.devices.get(pool.device)
    since = device and device.available_to_buy
    for batch in pool.batches if since is not None else ():
        if batch.delivered_s is not None:
            delivered = (start + timedelta(seconds=batch.delivered_s)).astimezone(UTC).date()
            if delivered < date_of(since):
                raise CatalogError(
                    f"{owned.name}: purchases: {pool.device} is there to buy from {since} on: "
                    f"{batch.pods} pods are delivered on {delivered}"
                )


def _check_device(name: str, key: str, field: str, catalog: Catalog, last: date, first: date | None) -> None:
    device = catalog.devices.get(key)
    if device is None:
        return
    since: str | None = getattr(device, field)
    if since is not None and date_of(since) > last:
        verb = field.rpartition("_")[2]
        raise CatalogError(f"{name}: {key} is there to {verb} from {since} on: the run ends on {last}")
    if first is not None and device.ends is not None and date_of(device.ends) <= first:
        raise CatalogError(f"{name}: {key} is rented out until {device.ends}: the run starts on {first}")
