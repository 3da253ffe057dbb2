"""Looking up what can be owned or rented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from scheduler.catalog.models import CatalogError, Device, Offer, PodKind
from traces.errors import nearest

_T = TypeVar("_T")


class Catalog(Struct, frozen=True):
    """Everything that can be owned or rented, by key."""

    devices: Mapping[str, Device]
    pods: Mapping[str, PodKind]
    offers: Mapping[str, Offer]
    sources: Mapping[str, str]
    """What the short names of sources stand for."""

    def device(self, key: str) -> Device:
        """Return a device; raises CatalogError where there is none under that key."""
        return find(self.devices, "device", key)

    def pod(self, key: str) -> PodKind:
        """Return a pod kind; raises CatalogError where there is none under that key."""
        return find(self.pods, "pod", key)

    def offer(self, key: str) -> Offer:
        """Return an offer; raises CatalogError where there is none under that key."""
        try:
            return find(self.offers, "offer", key)
        except CatalogError as error:
            raise CatalogError(f"{error} Offers of your own need --catalog FILE") from None


def find(entries: Mapping[str, _T], what: str, key: str, where: str = "") -> _T:
    """Return the entry under `key`; raises CatalogError with the nearest known key, after `where`."""
    try:
        return entries[key]
    except KeyError:
        prefix = f"{where}: " if where else ""
        raise CatalogError(f'{prefix}unknown {what} "{key}"{nearest(key, entries)}') from None
