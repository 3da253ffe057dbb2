"""Statistics of paired differences: pure functions of arrays with one value a replication.

Two policies meet the same jobs in each replication, so what is judged is the difference within it: the
paired t of Law ("Simulation Modeling and Analysis", on comparing two systems), beside the bootstrap, which
needs no normal shape.
"""

from __future__ import annotations

from bisect import bisect_left
from math import inf, isnan, nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from traces.arrays import Floats
from traces.confidence import LEVEL, BlocksDrawn, halfwidth, halfwidth_of_draws, t_quantile

FEWEST = 5
"""Fewer pairs, or weeks of a trace, than this say next to nothing: no bootstrap, and a warning."""
RESAMPLES = 9_999
MOST_NEEDED = 10_000
"""Replications beyond which it does not matter how many more are needed."""
ROUNDING = 1e-12
"""Relative differences below this are rounding."""
ODD = 0.01
"""Differences are called not normal where the Shapiro-Wilk test is surer than this."""


class Interval(NamedTuple):
    """A confidence interval; NaN where there is none."""

    low: float
    high: float

    @property
    def halfwidth(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2

    def holds(self, value: float) -> bool:
        """Say whether the value lies in it."""
        return self.low <= value <= self.high


def paired(new: Floats, old: Floats) -> Floats:
    """Return the differences of pairs, 0 where the two are the same but for rounding."""
    differences = new - old
    return np.where(np.abs(differences) <= ROUNDING * np.maximum(np.abs(new), np.abs(old)), 0.0, differences)


def t_interval(values: Floats, level: float = LEVEL) -> Interval:
    """Return the interval of the mean by Student's t; NaN for fewer than 2 values."""
    if len(values) < 2:
        return Interval(nan, nan)
    mean, half = float(values.mean()), float(halfwidth(values, level))
    return Interval(mean - half, mean + half)


def t_of_draws(values: Floats, drawn: BlocksDrawn, level: float = LEVEL) -> tuple[Interval, float]:
    """Return the interval of the mean over draws of a log's blocks, and how likely it would be were it 0.

    Both are Student's, as `halfwidth_of_draws` says. NaN for fewer than 2 values.
    """
    from scipy.stats import t

    if len(values) < 2:
        return Interval(nan, nan), nan
    mean, half = float(values.mean()), float(halfwidth_of_draws(values, drawn, level))
    if _alike(values):
        return Interval(mean, mean), 0.0 if values.any() else 1.0
    freedom = drawn.freedom(len(values))
    error = half / t_quantile(freedom, level)
    return Interval(mean - half, mean + half), float(2 * t.sf(abs(mean) / error, freedom))


def bootstrap_interval(values: Floats, level: float = LEVEL) -> Interval:
    """Return the interval of the mean by the bias-corrected and accelerated bootstrap (Efron, JASA 1987).

    NaN for fewer than `FEWEST` values. The draws are always the same ones.
    """
    from scipy.stats import bootstrap

    if len(values) < FEWEST:
        return Interval(nan, nan)
    if _alike(values):  # nothing to draw from
        return Interval(float(values.mean()), float(values.mean()))
    scaled, exponent = _scaled(values)
    result = bootstrap(
        (scaled,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="BCa", rng=_draws()
    )
    return Interval(*(float(np.ldexp(edge, exponent)) for edge in result.confidence_interval))


def p_value(values: Floats) -> float:
    """Return how likely a mean so far from 0 would be if it were 0: Student's t, two-sided.

    NaN for fewer than 2 values; values that are all the same leave no doubt.
    """
    from scipy.stats import ttest_1samp

    if len(values) < 2:
        return nan
    if _alike(values):
        return 0.0 if values.any() else 1.0
    return float(ttest_1samp(_scaled(values)[0], 0.0).pvalue)


def chance(gains: Floats) -> float:
    """Return the probability that the next replication brings a gain.

    The posterior mean under Jeffreys' prior, (wins + 1/2) / (n + 1) (Brown, Cai and DasGupta, Statistical
    Science 2001); a tie is half a win. A few replications never make it 0 or 1.
    """
    wins = np.sum(gains > 0) + np.sum(gains == 0) / 2
    return float((wins + 0.5) / (len(gains) + 1)) if len(gains) else nan


def holm(p_values: Floats) -> Floats:
    """Return p-values for all claims made at once (Holm, Scandinavian Journal of Statistics 1979).

    Of m values in ascending order, the i-th (from 0) counts m - i times, and no less than those before it.
    NaN stays NaN and is no claim.
    """
    adjusted = p_values.copy()
    claims = np.flatnonzero(~np.isnan(p_values))
    order = claims[np.argsort(p_values[claims], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    return adjusted


def needed(values: Floats, halfwidth: float | None = None, level: float = LEVEL) -> float:
    """Return how many replications it takes for an interval of this half-width, if the spread stays.

    By default the half-width is the mean itself, so that the interval just leaves 0 out: the least n with
    n >= (t s / d)^2, t of n - 1 degrees of freedom. inf for more than `MOST_NEEDED`; NaN for fewer than 2
    values.
    """
    if len(values) < 2:
        return nan
    width, sd = abs(float(values.mean())) if halfwidth is None else halfwidth, float(values.std(ddof=1))

    def enough(n: int) -> bool:
        return width > 0 and t_quantile(n - 1, level) * sd <= width * sqrt(n)

    n = bisect_left(range(MOST_NEEDED + 1), True, lo=2, key=enough)
    return float(n) if n <= MOST_NEEDED else inf


def odd(values: Floats) -> bool:
    """Say whether values are too far from normal for the t interval (Shapiro and Wilk, Biometrika 1965)."""
    from scipy.stats import shapiro

    if len(values) < FEWEST or _alike(values):
        return False
    return bool(shapiro(_scaled(values)[0]).pvalue < ODD)


def serial(values: Floats) -> float:
    """Return the correlation of each value with the next, by von Neumann's ratio; about 0 if independent.

    1 - sum of squared steps / (2 x sum of squared deviations): the check of batch means (Law). NaN for
    fewer than `FEWEST` values or no spread.
    """
    if len(values) < FEWEST or _alike(values):
        return nan
    scaled, _ = _scaled(values)
    spread = float(np.sum((scaled - scaled.mean()) ** 2))
    return 1 - float(np.sum(np.diff(scaled) ** 2)) / (2 * spread)


def follows(values: Floats) -> bool:
    """Say whether values are surely not independent: `serial` beyond 1.645 standard errors, one-sided 5%."""
    n, correlation = len(values), serial(values)
    return not isnan(correlation) and correlation > 1.645 * sqrt((n - 2) / (n * n - 1))


def _alike(values: Floats) -> bool:
    """Say whether values differ by no more than the rounding of what they were worked out from."""
    return float(np.ptp(_scaled(values)[0])) <= ROUNDING


def _scaled(values: Floats) -> tuple[Floats, int]:
    """Return values over the power of two that makes the largest about 1, which is exact, and its exponent.

    Squares and cubes of what is very large or small would overflow, or vanish.
    """
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    return np.ldexp(values, -exponent), exponent


def _draws() -> Any:
    return np.random.default_rng(1)
