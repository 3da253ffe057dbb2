"""What tenants of the market pay and are paid back, and owners of parked cars, as lines of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scheduler.money.ledger.charges import Charges

CAR_PAY = "edge"
"""The line of what owners of parked cars are paid, and its bearer."""
_BEARERS = {"revenue": "tenant", "credit": "tenant", CAR_PAY: CAR_PAY}


class Sold(NamedTuple):
    """Device-hours or car-hours at an instant, and what they come to: negative where they bring money in."""

    line: str
    resource: str
    """Empty where nothing was served: then the first pool's."""
    at_s: int
    quantity: float
    usd: float


def paid_to_cars(sold: Sequence[Sold]) -> dict[str, float]:
    """Return what the owners of each fleet of parked cars are paid."""
    usd = dict[str, float]()
    for each in sold:
        if each.line == CAR_PAY:
            usd[each.resource] = usd.get(each.resource, 0.0) + each.usd
    return usd


def add_sold_work(charges: Charges, resources: Sequence[str], sold: Sequence[Sold]) -> None:
    """Add what was sold, and what cars did, a row for each line, resource and charge period."""
    places = [each.resource or resources[0] for each in sold]
    for line, resource in sorted({(each.line, place) for each, place in zip(sold, places, strict=True)}):
        chosen = [
            each for each, place in zip(sold, places, strict=True) if (each.line, place) == (line, resource)
        ]
        at_s = np.array([each.at_s for each in chosen], np.int64)
        quantity, usd = (
            charges.at(at_s, np.array([each[column] for each in chosen], np.float64)) for column in (3, 4)
        )
        charges.add(resource, line, _BEARERS[line], quantity, usd)
