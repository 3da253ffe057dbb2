"""The device that generated jobs speak of, at the rates of the catalog."""

from __future__ import annotations

from scheduler.catalog import Catalog, load_catalog
from workloads import Reference
from workloads.campaigns import KIND_NAMES

REFERENCE_DEVICE = "dojo-tile-case-study"


def reference_of(catalog: Catalog | None = None) -> Reference:
    """Return the reference device of generated jobs; of the built-in catalog unless another is given.

    Raises CatalogError where the catalog has no such device.
    """
    device = (catalog or load_catalog()).device(REFERENCE_DEVICE)
    return Reference(device.key, {kind: device.rate_pflops(kind) for kind in KIND_NAMES})
