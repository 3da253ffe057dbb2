"""Whether a trace and the catalog say the same of the trace's reference device."""

from __future__ import annotations

from math import isclose

from scheduler.catalog import Catalog, CatalogError
from traces.trace import Trace


def check_rates(trace: Trace, catalog: Catalog) -> None:
    """Raise CatalogError where a trace was made at other rates of its reference device than the catalog's.

    A trace that names no rates, or a device that the catalog does not know, contradicts nothing.
    """
    device = catalog.devices.get(trace.reference_device)
    if device is None:
        return
    for kind, pflops in trace.reference_pflops.items():
        known = device.rate_pflops(kind)
        if not isclose(known, pflops, rel_tol=1e-9):
            raise CatalogError(
                f'reference device "{device.key}": {pflops:g} PFLOPS on {kind} when the trace was made, '
                f"{known:g} in the catalog: must be the same; generate the trace anew"
            )
