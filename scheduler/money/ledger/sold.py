"""What tenants of the market pay and are paid back, as lines of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scheduler.money.ledger.charges import Charges

TENANT = "tenant"
"""Who bears it."""


class Sold(NamedTuple):
    """Device-hours at an instant, and what they come to: negative where they bring money in."""

    line: str
    resource: str
    """Empty where nothing was served: then the first pool's."""
    at_s: int
    device_h: float
    usd: float


def add_market(charges: Charges, resources: Sequence[str], sold: Sequence[Sold]) -> None:
    """Add what was sold, a row for each line, resource and charge period."""
    places = [each.resource or resources[0] for each in sold]
    for line, resource in sorted({(each.line, place) for each, place in zip(sold, places, strict=True)}):
        chosen = [
            each for each, place in zip(sold, places, strict=True) if (each.line, place) == (line, resource)
        ]
        at_s = np.array([each.at_s for each in chosen], np.int64)
        device_h, usd = (
            charges.at(at_s, np.array([each[column] for each in chosen], np.float64)) for column in (3, 4)
        )
        charges.add(resource, line, TENANT, device_h, usd)
