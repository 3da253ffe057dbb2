"""What the commitments of an offer cover, and what they cost, second by second."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.money.ledger.rates import RateSteps
from scheduler.stock.contracts import Commitment
from scheduler.stock.stock import OfferStock
from traces.arrays import Array, Bools, Floats, Ints
from traces.times import HOUR_S


class CoveredDevices(NamedTuple):
    """All commitments of an offer together."""

    devices: RateSteps
    """How many are covered."""
    usd: RateSteps
    """USD a second, for all of them."""

    def usd_per_device_s(self, time_s: Ints, price: RateSteps) -> RateSteps:
        """Return what a device that is covered costs, from instants on; the offer's price where none is."""
        devices, cost = self.devices.at(time_s), self.usd.at(time_s)
        return RateSteps(time_s, np.divide(cost, devices, out=price.at(time_s).copy(), where=devices > 0))


def committed(offer: OfferStock, price: RateSteps) -> CoveredDevices:
    """Return what is committed of an offer whose price, a second, is known."""
    turns = [turn for each in offer.commitments for turn in (each.from_s, each.to_s) if turn is not None]
    from_s = np.unique(np.concatenate([price.from_s, np.array(turns, np.int64)]))
    whole = all(each.kind != "savings" for each in offer.commitments)
    devices: Array = np.zeros(len(from_s), np.int64 if whole else np.float64)
    usd: Floats = np.zeros(len(from_s))
    for each in offer.commitments:
        rate = price.at(from_s) * (1 - each.discount)
        if each.usd_per_device_h is not None:
            rate = np.full(len(from_s), each.usd_per_device_h / HOUR_S)
        ours: Array = each.devices * np.ones_like(devices)
        if each.kind == "savings":
            ours = np.divide(each.usd_per_h / HOUR_S, rate, out=np.zeros(len(rate)), where=rate > 0)
        ours = np.where(_holds(each, from_s), ours, 0)
        devices = devices + ours
        usd = usd + ours * rate
    return CoveredDevices(RateSteps(from_s, devices), RateSteps(from_s, usd))


def _holds(commitment: Commitment, time_s: Ints) -> Bools:
    first = time_s[0] if commitment.from_s is None else commitment.from_s
    return (time_s >= first) & (True if commitment.to_s is None else time_s < commitment.to_s)
