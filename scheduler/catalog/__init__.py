"""Devices, pod kinds and rented offers: what can be owned or rented, each figure with its source.

Read `models.py` first, then the TOML files beside it; it knows nothing of scenarios and runs.
"""

from scheduler.catalog.arithmetic import Finding, check_arithmetic
from scheduler.catalog.catalog import Catalog
from scheduler.catalog.models import CatalogError, Device, Figure, Offer, PodKind
from scheduler.catalog.reading import load_catalog

__all__ = [
    "Catalog",
    "CatalogError",
    "Device",
    "Figure",
    "Finding",
    "Offer",
    "PodKind",
    "check_arithmetic",
    "load_catalog",
    "render",
]
