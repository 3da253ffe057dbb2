"""What a finished run rests on, from its own description."""

from __future__ import annotations

import msgspec

from scheduler.catalog import load_catalog
from scheduler.run.directory import Run
from scheduler.scenario import OfferSpec
from scheduler.stock.grounds import Grounds, price_sources
from scheduler.stock.stock import OfferStock


def grounds_of_run(run: Run) -> Grounds:
    """Return which of its figures are not sure, and where its prices are from."""
    told = run.description
    specs = msgspec.convert(told["scenario"]["offers"], tuple[OfferSpec, ...], str_keys=True)
    offers = msgspec.convert(told["offers"], tuple[OfferStock, ...], str_keys=True)
    return Grounds(told["unsure"], price_sources(specs, offers, load_catalog()), told["prices_of"])
