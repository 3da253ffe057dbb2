"""What a second costs, and when that changes: capital, power, operations and rent as step functions.

A rate changes at instants only: at full hours (UTC) for a tariff by hour and for a declining book value, at
the end of a pod's life, at the rows of a price series. So what a span costs is exact, whatever it crosses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from scheduler.scenario import MoneySpec
from scheduler.stock.pools import PoolStock
from scheduler.stock.price_series import Step
from scheduler.stock.sites import ByHours, SiteStock
from scheduler.stock.stock import OfferStock
from traces import step_function
from traces.arrays import Floats, Ints
from traces.times import DAY_S, HOUR_S, YEAR_S

MOST_PERIODS = 2_000_000
G_PER_KG = 1_000
DAY_HOURS = 24
LEAP_DAY = 59
"""Which day of a leap year is 29 February, from 0."""


class LedgerError(ValueError):
    """A run that cannot be priced; says why, and what can be done."""


@dataclass(frozen=True, slots=True, eq=False)
class RateSteps:
    """A rate per second, `rate[i]` from `from_s[i]` until the next; the first and the last hold for ever."""

    from_s: Ints
    rate: Floats

    @classmethod
    def constant(cls, rate: float) -> RateSteps:
        """Return a rate that never changes."""
        return cls(np.zeros(1, np.int64), np.array([rate]))

    def at(self, time_s: Ints) -> Floats:
        """Return the rate at instants."""
        return np.asarray(self.rate[step_function.row_at(self.from_s, time_s)])

    def over(self, start_s: Ints, end_s: Ints) -> Floats:
        """Return the integral over each span, without the rounding of a difference of long integrals."""
        return step_function.over(self.from_s, self.rate, start_s, end_s)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where the hours, days and months of UTC lie; `midnight_s` is the time from a midnight to the epoch."""

    midnight_s: int
    """From the last one before the epoch."""
    midnight: int = 0
    """Which one that is: days since 1970."""

    @classmethod
    def of(cls, epoch: datetime) -> Calendar:
        """Return the calendar of a trace, to the second."""
        midnight, midnight_s = divmod(int(epoch.timestamp()), DAY_S)
        return cls(midnight_s, midnight)

    def starts(self, step_s: int, start_s: int, end_s: int) -> Ints:
        """Return the starts of the hours or days that hold some of [start_s, end_s), cut to it."""
        first_s = start_s - (start_s + self.midnight_s) % step_s
        return np.maximum(np.arange(first_s, end_s, step_s, dtype=np.int64), start_s)

    def hour(self, time_s: Ints) -> Ints:
        """Return the hour of the day, 0 to 23."""
        return (time_s + self.midnight_s) // HOUR_S % 24

    def hour_of_year(self, time_s: Ints) -> Ints:
        """Return the hour of a year of 365 days, 0 to 8,759; 29 February is as the 28th."""
        days = (self.midnight + (time_s + self.midnight_s) // DAY_S).astype("datetime64[D]")
        year = days.astype("datetime64[Y]")
        day = (days - year.astype("datetime64[D]")).astype(np.int64)
        leap = ((year + 1).astype("datetime64[D]") - year.astype("datetime64[D]")).astype(np.int64) == 366
        return np.asarray((day - (leap & (day >= LEAP_DAY))) * 24 + self.hour(time_s), np.int64)

    def month(self, time_s: Ints) -> tuple[Ints, Ints]:
        """Return the seconds at which the month of each instant begins and ends."""
        days = (self.midnight + (time_s + self.midnight_s) // DAY_S).astype("datetime64[D]")
        month = days.astype("datetime64[M]")
        first, following = (
            (month + more).astype("datetime64[D]").astype(np.int64) - self.midnight for more in (0, 1)
        )
        return first * DAY_S - self.midnight_s, following * DAY_S - self.midnight_s

    def next_hour(self, time_s: Ints) -> Ints:
        """Return the first full hour after each instant."""
        return time_s + HOUR_S - (time_s + self.midnight_s) % HOUR_S


@dataclass(frozen=True, slots=True)
class Owning:
    """What owned devices cost, as rates from the start of the run until a given second."""

    money: MoneySpec
    calendar: Calendar
    start_s: int = 0
    sites: tuple[SiteStock, ...] = ()

    def site(self, pool: PoolStock) -> SiteStock | None:
        """Return the site at which a pool stands, if any is known."""
        return next((site for site in self.sites if pool.name in site.pools), None)

    def periods(self, end_s: int) -> Ints:
        """Return the starts of the charge periods of a run; raises LedgerError where they are too many."""
        step_s = HOUR_S if self.money.charge_period == "hour" else DAY_S
        hourly = self.money.depreciation == "declining" or isinstance(self.money.usd_per_kwh, tuple)
        hourly |= any(max(len(site.usd_per_kwh), len(site.g_co2_per_kwh or ())) > 1 for site in self.sites)
        length_s = end_s - self.start_s
        if length_s // (HOUR_S if hourly else step_s) > MOST_PERIODS:
            raise LedgerError(
                f"the run is {length_s / YEAR_S:,.0f} years long, too long for a ledger by the hour: "
                'give charge_period "day", depreciation "straight_line" and one usd_per_kwh'
            )
        return self.calendar.starts(step_s, self.start_s, end_s)

    def pue(self, pool: PoolStock) -> float:
        """Return the power of the site over that of the pool's devices."""
        site = self.site(pool)
        return self.money.pue if site is None else site.pue

    def power(self, pool: PoolStock, end_s: int) -> RateSteps:
        """USD a second for each kW that devices of a pool draw, the site's overhead (PUE) included."""
        site, tariff = self.site(pool), self.money.usd_per_kwh
        if site is not None:
            tariff = site.usd_per_kwh
        return self._by_hour(tariff if isinstance(tariff, tuple) else (tariff,), self.pue(pool), end_s)

    def carbon(self, pool: PoolStock, end_s: int) -> RateSteps | None:
        """Kg of CO2 a second for each kW that devices of a pool draw; None where it is not counted."""
        site = self.site(pool)
        if site is None or site.g_co2_per_kwh is None:
            return None
        return self._by_hour(site.g_co2_per_kwh, site.pue / G_PER_KG, end_s)

    def _by_hour(self, per_kwh: ByHours, factor: float, end_s: int) -> RateSteps:
        """Return what a kW comes to a second, by what a kWh does, times a factor."""
        factor_s = factor / HOUR_S
        if len(per_kwh) == 1:
            return RateSteps.constant(per_kwh[0] * factor_s)
        starts = self._hours(end_s)
        number = self.calendar.hour if len(per_kwh) == DAY_HOURS else self.calendar.hour_of_year
        return RateSteps(starts, np.array(per_kwh)[number(starts)] * factor_s)

    def _hours(self, end_s: int) -> Ints:
        """Return the starts of the hours up to `end_s`, at least one."""
        return self.calendar.starts(HOUR_S, self.start_s, max(self.start_s + 1, end_s))


class SizeRent(NamedTuple):
    """The price of an offer in some of its sizes: USD a device-second."""

    price: RateSteps
    size: int | None
    """None: in nodes, and in all sizes without a price of their own."""
    others: tuple[int, ...]
    """The sizes with a price of their own."""

    def rows(self, devices: Ints) -> Ints:
        """Return the indices of those, of gangs that hold so many devices, who pay it."""
        if self.size is not None:
            return np.flatnonzero(devices == self.size)
        return np.flatnonzero(~np.isin(devices, self.others))


def rents(offer: OfferStock) -> list[SizeRent]:
    """Return the rents of an offer; that of nodes, which a commitment is at, comes first."""
    own = tuple(offer.prices_by_size)
    by_size = ((_rate(prices), size) for size, prices in offer.prices_by_size.items())
    return [
        SizeRent(_rate(offer.prices), None, own),
        *(SizeRent(price, size, own) for price, size in by_size),
    ]


def _rate(prices: tuple[Step, ...]) -> RateSteps:
    from_s, usd_per_device_h = zip(*prices, strict=True)
    return RateSteps(np.array(from_s, np.int64), np.array(usd_per_device_h, np.float64) / HOUR_S)
