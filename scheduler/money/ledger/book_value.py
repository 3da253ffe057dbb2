"""What pods are worth in the books: by the straight line, or declining, down to a residual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.money.ledger.rates import Calendar, Owning, RateSteps
from scheduler.scenario import MoneySpec
from scheduler.stock.batches import Batch
from traces import portable
from traces.arrays import Floats, Ints
from traces.times import HOUR_S, YEAR_S

LONGEST_YEARS = 1e6
"""A life this long never ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookValue:
    """The book value of pods, as shares of their price, from `from_s` on; at `origin_s` they are so old."""

    money: MoneySpec
    calendar: Calendar
    from_s: int
    origin_s: int
    age_years: float

    @classmethod
    def of(cls, batch: Batch, owning: Owning) -> BookValue:
        """Return that of a batch: pods of the start have the scenario's age, others are new on delivery."""
        first, born_s = batch.delivered_s is None, batch.delivered_s
        origin_s = owning.start_s if born_s is None else born_s
        return cls(
            money=owning.money,
            calendar=owning.calendar,
            from_s=max(owning.start_s, origin_s),
            origin_s=origin_s,
            age_years=owning.money.age_years if first else 0.0,
        )

    @property
    def life_ends_s(self) -> int:
        """The second at which the pods are written off; before `from_s` if they were by then."""
        left_years = min(self.money.life_years - self.age_years, LONGEST_YEARS)
        return self.origin_s + round(left_years * YEAR_S)

    def rate(self, usd: float, end_s: int) -> RateSteps:
        """Return USD a second that a price of `usd` loses until `end_s`, which after the life is nothing."""
        ends_s = self.life_ends_s
        if ends_s <= self.from_s:
            return RateSteps.constant(0.0)
        starts = np.array([self.from_s])
        if self.money.depreciation == "declining":
            starts = self.calendar.starts(HOUR_S, self.from_s, max(self.from_s + 1, min(end_s, ends_s)))
        until = np.minimum(self.calendar.next_hour(starts), ends_s)
        rate = usd * self._loses(starts, until) / (until - starts)
        if ends_s < end_s:
            return RateSteps(np.append(starts, ends_s), np.append(rate, 0.0))
        return RateSteps(starts, rate)

    def lost(self, end_s: int) -> float:
        """Return the share of the price that is lost from `from_s` to `end_s`."""
        ends_s = self.life_ends_s
        if ends_s <= self.from_s:
            return 0.0
        last_s = min(end_s, ends_s)
        hour_s = max(self.from_s, last_s - (last_s + self.calendar.midnight_s) % HOUR_S)
        hours = np.array([self.from_s, hour_s, min(int(self.calendar.next_hour(np.array(hour_s))), ends_s)])
        lost = np.cumsum(self._loses(hours[:-1], hours[1:]))
        return float(np.interp(last_s, hours, [0.0, *lost]))

    def left(self, end_s: int) -> float:
        """Return the share of the price that is left at `end_s`."""
        age_s = self.age_years * YEAR_S + self.from_s - self.origin_s
        aged = min(1.0, age_s / (self.money.life_years * YEAR_S))
        if self.money.depreciation == "declining":
            return float(portable.exp(portable.log(self.money.residual_share) * aged)) - self.lost(end_s)
        return 1.0 - (1 - self.money.residual_share) * aged - self.lost(end_s)

    def _loses(self, start_s: Ints, end_s: Ints) -> Floats:
        """Share of the price that is lost over spans: alike in every second, or alike in proportion."""
        money, life_s = self.money, self.money.life_years * YEAR_S
        if money.depreciation == "straight_line":
            whole_s = max(1.0, float(round(life_s)))  # a life ends at a whole second, when all is lost
            return np.asarray((1 - money.residual_share) * (end_s - start_s) / whole_s, np.float64)
        span = (end_s - start_s) / life_s
        decay = portable.log(money.residual_share)
        age_years = self.age_years + (start_s - self.origin_s) / YEAR_S
        left = portable.exp(decay * age_years / money.life_years)
        return np.asarray(-left * portable.expm1(decay * span), np.float64)
