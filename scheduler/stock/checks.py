"""Whether the catalog knows what a scenario names, and how fast that is."""

from __future__ import annotations

from scheduler.catalog import Catalog, CatalogError
from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock
from traces.trace import ANY_DEVICE


def check_names(scenario: Scenario, catalog: Catalog) -> None:
    """Raise CatalogError for a pod or an offer that is not in the catalog, before anything costs time."""
    for pool in scenario.pools:
        if pool.pod is not None:
            catalog.pod(pool.pod)
    for offer in scenario.offers:
        catalog.offer(offer.offer)


def check_speeds(stock: Stock, reference: str, catalog: Catalog) -> None:
    """Raise CatalogError unless each device's speed beside the trace's reference device is known."""
    used = {pool.device: pool.name for pool in stock.pools}
    used |= {offer.device: offer.name for offer in stock.offers}
    for device, name in used.items():
        if reference not in (ANY_DEVICE, device):
            try:
                catalog.device(device), catalog.device(reference)
            except CatalogError as error:
                beside = f'"{device}" beside the trace\'s reference device "{reference}"'
                raise CatalogError(f"{name}: the speed of {beside} is not known: {error}") from None
