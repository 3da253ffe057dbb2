"""What it would cost to rent devices for own jobs instead of letting them wait."""

from __future__ import annotations

from pathlib import Path

from scheduler.catalog import load_catalog
from scheduler.catalog.models import DEFAULT_KIND
from scheduler.stock.stock import stock_of
from scheduler.study.price.spans import SellingSpan
from scheduler.study.reference import REFERENCE_DEVICE
from traces.trace import ANY_DEVICE, Trace


def usd_per_waited_device_h(span: SellingSpan, trace: Path | None) -> float:
    """Return the cheapest rent for the work of a reference device-hour as a span begins; 0 without offers.

    `trace` are the jobs, where they are not generated. Devices are compared by their rates on usual work.
    """
    catalog, reference = load_catalog(), REFERENCE_DEVICE
    if trace is not None:
        reference = Trace.read(trace).reference_device

    def rate(device: str) -> float:
        if reference in (ANY_DEVICE, device):
            return 1.0
        mine, theirs = (catalog.device(name).rate_pflops(DEFAULT_KIND) for name in (device, reference))
        return mine / theirs

    began = () if span.quarter is None else (span.quarter.since,)
    offers = stock_of(span.scenario, catalog, *began).offers
    return min((offer.prices[0][1] / rate(offer.device) for offer in offers), default=0.0)
