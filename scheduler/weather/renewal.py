"""Units that are up, then down, then up again: alternating renewal processes, in whole seconds.

Cox, Renewal Theory (1962), chapters 5 and 7: in the long run a unit is up for a share of the time that is
its mean up-time over the mean cycle, and one met at a random instant is in a length-biased span, of which a
uniform share is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from traces import portable
from traces.arrays import Bools, Floats, Ints
from traces.streams import Stream
from traces.times import HOUR_S

LONGEST_S = 4e15
"""Longer than any run, and short enough for sums of many in int64."""
DRAWS_AT_ONCE = 2**18
"""Draws at a time."""

Spells = tuple[Ints, Ints, Ints]
"""(unit, down from, up again from), arrays of one length."""


@dataclass(frozen=True, slots=True)
class Law:
    """How long spans last: lognormal with a deviation of the logarithm, or exponential without one."""

    mean_s: float
    sigma: float | None = None

    def draw(self, rng: np.random.Generator, shape: int | tuple[int, int]) -> Floats:
        """Draw whole spans."""
        if self.sigma is None:
            return self.mean_s * portable.standard_exponential(rng, shape)
        return self._lognormal(-(self.sigma**2) / 2, portable.standard_normal(rng, shape))

    def cycles(self, rng: np.random.Generator, now_s: Ints, down_s: Ints) -> Ints:
        """Draw when units that came up at `now_s` are up again, after a row of `down_s` a cycle."""
        return np.asarray(now_s + np.cumsum(whole(self.draw(rng, down_s.shape)) + down_s, axis=0))

    def left(self, rng: np.random.Generator, units: int) -> Floats:
        """Draw what is left at second 0 of spans that began long ago: exponential ones have no memory."""
        if self.sigma is None:
            return self.draw(rng, units)
        biased = self._lognormal(self.sigma**2 / 2, portable.standard_normal(rng, units))
        return rng.random(units) * biased

    def _lognormal(self, shift: float, normal: Floats) -> Floats:
        """Return spans whose median is the mean times e^shift."""
        assert self.sigma is not None
        return self.mean_s * portable.exp(shift + self.sigma * normal)


class DailyHazard:
    """Up-times that end at a hazard which depends on the hour of the day (UTC).

    `weights` are of the 24 hours; in the mean over a day, the hazard is 1 / `mean_s`. The run
    starts `midnight_s` after midnight.
    """

    def __init__(self, mean_s: float, weights: Sequence[float], midnight_s: int) -> None:
        self.mean_s = mean_s
        self._midnight_s = midnight_s
        hazard = np.array(weights) / np.mean(weights) / mean_s
        self._hour_s = np.arange(25) * HOUR_S
        self._through = np.concatenate([[0.0], np.cumsum(hazard * HOUR_S)])

    def cycles(self, rng: np.random.Generator, now_s: Ints, down_s: Ints) -> Ints:
        """As of a `Law`; each up-time depends on when it begins."""
        hazard, up_again_s = portable.standard_exponential(rng, down_s.shape), np.empty_like(down_s)
        for row, adds in enumerate(hazard):
            now_s = up_again_s[row] = self._ends(now_s, adds) + down_s[row]
        return up_again_s

    def _ends(self, now_s: Ints, hazard: Floats) -> Ints:
        """Return the seconds in which units fail that came up at `now_s`: when it has added up to so much."""
        day, second = np.divmod(now_s + self._midnight_s, 24 * HOUR_S)
        reached = np.interp(second, self._hour_s, self._through) + hazard
        days, rest = np.divmod(reached, self._through[-1])
        end_s = (day + days) * 24 * HOUR_S + np.interp(rest, self._through, self._hour_s)
        second_s = np.minimum(end_s - self._midnight_s, LONGEST_S).astype(np.int64)
        return np.asarray(np.maximum(now_s + 1, second_s))

    def left(self, rng: np.random.Generator, units: int) -> Floats:
        """Draw what is left at second 0."""
        hazard = portable.standard_exponential(rng, units)
        return self._ends(np.zeros(units, np.int64), hazard).astype(np.float64)


Up = Law | DailyHazard


def whole(seconds: Floats) -> Ints:
    """Round to whole seconds, at least 1."""
    return np.asarray(np.clip(np.rint(seconds), 1, LONGEST_S).astype(np.int64))


def alternate(
    up: Up, down: Law, units: int, until_s: int, stream: Stream, *, stationary: bool
) -> Iterator[Spells]:
    """Yield when units are down, of spells that begin before `until_s`; a unit's own are in order.

    At second 0 all are up, as new; or, if stationary, as if they had gone up and down for ever (under a daily
    hazard: at its mean). Draws are rows of one cycle each, so that a later `until_s` only adds to them.
    """
    rng_up, rng_down = stream("up"), stream("down")
    now_s = np.zeros(units, np.int64)
    if stationary:
        first_s, now_s = _first(up, down, units, stream("start"))
        yield _spells(first_s[None], now_s[None], first_s[None] < until_s)
    rows = _rows(up, down, units, until_s)
    while (now_s < until_s).any():
        down_s = whole(down.draw(rng_down, (rows, units)))
        up_again_s = up.cycles(rng_up, now_s, down_s)
        from_s = up_again_s - down_s
        yield _spells(from_s, up_again_s, from_s < until_s)
        now_s = up_again_s[-1]


def _first(up: Up, down: Law, units: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the first spell of units that are met at second 0, some of them down."""
    is_up = rng.random(units) < up.mean_s / (up.mean_s + down.mean_s)
    up_s, down_left_s = np.rint(np.minimum(up.left(rng, units), LONGEST_S)), whole(down.left(rng, units))
    from_s = np.where(is_up, up_s, 0).astype(np.int64)
    return from_s, from_s + np.where(is_up, whole(down.draw(rng, units)), down_left_s)


def _rows(up: Up, down: Law, units: int, until_s: int) -> int:
    """Cycles to draw at once."""
    if not units:
        return 1
    expected = until_s / (up.mean_s + down.mean_s)
    return int(np.clip(1.1 * expected + 2, 1, max(1, DRAWS_AT_ONCE // units)))


def _spells(from_s: Ints, to_s: Ints, which: Bools) -> Spells:
    unit = np.nonzero(which)[1]
    return unit, from_s[which], to_s[which]
