"""What rented devices cost now: exactly, so that what costs alike compares so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from scheduler.stock.price_series import Step
from traces.exact import as_decimal
from traces.times import HOUR_S


class UnitPrice:
    """A price in USD per device-hour, as the fraction that its decimals are."""

    __slots__ = ("_denominator", "_numerator", "usd_per_device_h")

    def __init__(self, usd_per_device_h: float) -> None:
        self.usd_per_device_h = usd_per_device_h
        self._numerator, denominator = as_decimal(usd_per_device_h).as_integer_ratio()
        self._denominator = denominator * HOUR_S

    def usd(self, device_s: int) -> float:
        """Return the cost of device-seconds: the float next to it, so that equal costs are equal floats.

        8 x 3 s and 6 x 4 s at one price come to the same, and so do 3 s at 0.1 and 1 s at 0.3.
        """
        return self._numerator * device_s / self._denominator


class Prices:
    """A price that changes at some seconds."""

    __slots__ = ("_prices", "_since_s")

    def __init__(self, steps: Sequence[Step]) -> None:
        self._since_s = [second for second, _ in steps]
        self._prices = [UnitPrice(usd_per_device_h) for _, usd_per_device_h in steps]

    def at(self, second: float) -> UnitPrice:
        """Return the price at a second."""
        return self._prices[bisect_right(self._since_s, second) - 1]

    def usd_so_far(self, devices: int, from_s: int, now_s: int) -> float:
        """Return what devices cost from one second until now."""
        first, last = (bisect_right(self._since_s, second) for second in (from_s, now_s))
        cuts = [from_s, *self._since_s[first:last], now_s]
        spans = zip(self._prices[first - 1 : last], pairwise(cuts), strict=True)
        return sum(price.usd(devices * (to_s - since_s)) for price, (since_s, to_s) in spans)
