"""What jobs look like: gangs, run times, how they end, and the run times their owners ask for.

Run times are the two-component lognormal mixtures fitted to Microsoft's Philly cluster by gang (ATC'19),
or single lognormals where a campaign fixes the length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from traces import portable
from traces.arrays import Array
from traces.times import DAY_S, HOUR_S
from workloads.parameters import Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What holds for jobs of every kind."""

    failed_run: Annotated[
        float,
        Parameter(
            "", "mean work of a failed job over a completed one's", "Kalos: (0.08 / 0.40) / (0.31 / 0.54)"
        ),
    ] = 0.35
    overask_median: Annotated[
        float,
        Parameter(
            "",
            "run time asked for over planned, before rounding up; at least 1",
            "users' requests: 2 and more",
        ),
    ] = 2.0
    overask_sigma: Annotated[float, Parameter("", "deviation of its logarithm")] = 0.5
    underask_share: Annotated[
        float, Parameter("", "of jobs that ask for half to all of the plan, rounded down")
    ] = 0.05
    deadline_slack: Annotated[
        float, Parameter("", "run times that the release must leave to be the deadline")
    ] = 2.0
    follow_s: Annotated[int, Parameter("s", "longest time from a job to those that follow it")] = 60
    drawn_pflops: Annotated[
        float,
        Parameter(
            "PFLOPS",
            "delivered by the device on which run times are those of the kinds; a faster one is done sooner",
            "assumed: 0.35 of 9.05",
        ),
    ] = 3.1675
    data_sigma: Annotated[float, Parameter("", "deviation of the logarithm of the data read")] = 0.5


HABITS = Habits()


class Mixture(NamedTuple):
    """Two lognormals of seconds: `weight` of the first, then mean and deviation of log seconds of each."""

    weight: float
    mu: float
    sigma: float
    other_mu: float
    other_sigma: float

    def mean(self, limit_s: float) -> float:
        """Mean of the run time in seconds where jobs are stopped at `limit_s`."""
        first = _limited_mean(self.mu, self.sigma, limit_s)
        return self.weight * first + (1 - self.weight) * _limited_mean(
            self.other_mu, self.other_sigma, limit_s
        )

    def cdf(self, seconds: float) -> float:
        """Share of run times up to `seconds` (above 0)."""
        log = math.log(seconds)
        first = _normal_cdf((log - self.mu) / self.sigma)
        return self.weight * first + (1 - self.weight) * _normal_cdf((log - self.other_mu) / self.other_sigma)


def _normal_cdf(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def _limited_mean(mu: float, sigma: float, limit: float) -> float:
    """E[min(X, limit)] of a lognormal X (Klugman, Panjer and Willmot, "Loss models", appendix A)."""
    z = (math.log(limit) - mu) / sigma
    return math.exp(mu + sigma**2 / 2) * _normal_cdf(z - sigma) + limit * (1 - _normal_cdf(z))


@dataclass(frozen=True)
class RunTimes:
    """Run times by gang: `by_gang` maps the smallest gang of a class to its mixture, from 1 on.

    All are multiplied by `stretch`; a job is stopped at `limit_s`, as by a cluster's time limit. `measured`
    ones hold failed and cancelled jobs as they ended; the others are plans, which these do not reach.
    """

    name: str
    by_gang: Mapping[int, Mixture]
    stretch: float = 1.0
    limit_s: int = 14 * DAY_S
    measured: bool = False

    def draw(self, rng: np.random.Generator, gangs: Array) -> Array:
        """Return one run time in seconds (float, 1 to `limit_s`) for each gang."""
        classes = np.searchsorted(list(self.by_gang), gangs, side="right") - 1
        weight, mu, sigma, other_mu, other_sigma = np.array(list(self.by_gang.values()))[classes].T
        first = rng.random(len(gangs)) < weight
        normal = portable.standard_normal(rng, len(gangs))
        logs = np.where(first, mu + sigma * normal, other_mu + other_sigma * normal)
        return np.asarray(np.clip(portable.exp(logs) * self.stretch, 1, self.limit_s))

    def mean(self, gang: int) -> float:
        """Mean run time of a gang, in seconds."""
        mixture = self.by_gang[max(smallest for smallest in self.by_gang if smallest <= gang)]
        return self.stretch * mixture.mean(self.limit_s / self.stretch)

    def __str__(self) -> str:
        return f"{self.name}, at most {self.limit_s / DAY_S:g} d"


PHILLY_BY_GANG = {
    1: Mixture(0.190, 4.165, 0.177, 7.318, 1.704),
    2: Mixture(0.710, 2.895, 0.381, 8.499, 3.760),
    4: Mixture(0.325, 5.620, 1.320, 10.784, 1.398),
    8: Mixture(0.692, 8.501, 2.600, 12.248, 0.632),
    16: Mixture(0.489, 6.265, 2.361, 11.613, 0.994),
}
"""Fitted to 82,247 jobs of Philly by GPUs; Kolmogorov-Smirnov distances 0.04 to 0.06."""

PHILLY_ALL = Mixture(0.162, 4.173, 0.158, 7.296, 1.990)
"""Fitted to all of Philly's jobs; Kolmogorov-Smirnov distance 0.057."""


def philly(stretch: float = 1.0, limit_d: int = 14) -> RunTimes:
    """Return Philly's measured run times `stretch` times as long, stopped at `limit_d` days."""
    return RunTimes(f"Philly by gang x {stretch:g}", PHILLY_BY_GANG, stretch, limit_d * DAY_S, True)


def around(median_h: float, sigma: float, limit_d: int = 14) -> RunTimes:
    """Return planned run times: lognormal, with a median in hours and deviation `sigma` of the logarithm."""
    log = float(portable.log(median_h * HOUR_S))
    mixture = Mixture(1.0, log, sigma, log, sigma)
    return RunTimes(
        f"lognormal, median {median_h:g} h, sigma {sigma:g}", {1: mixture}, limit_s=limit_d * DAY_S
    )


GANGS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 36, 48, 60, 64, 72, 96, 120, 240, 360)
"""Sizes a job asks for: powers of two, whole trays (6), cabinets (12) and ExaPODs (120 tiles)."""
EXAPOD_TILES = 120


def sizes(largest: int) -> tuple[int, ...]:
    """Return the sizes that jobs ask for up to `largest`; beyond `GANGS` they are whole ExaPODs."""
    exapods = range(GANGS[-1] + EXAPOD_TILES, largest + 1, EXAPOD_TILES)
    return (*(gang for gang in GANGS if gang <= largest), *exapods)


def fitting(gangs: Mapping[int, float], largest: int) -> dict[int, float]:
    """Return the gangs' weights (sum 1), those above `largest` moved to the largest size that fits."""
    fit = max((gang for gang in GANGS if gang <= largest), default=1)
    weights: dict[int, float] = {}
    for gang, weight in gangs.items():
        weights[min(gang, fit)] = weights.get(min(gang, fit), 0.0) + weight / math.fsum(gangs.values())
    return weights


@dataclass(frozen=True)
class Ends:
    """How jobs end, as shares that add up to 1; only a completed one runs as long as planned."""

    name: str
    completed: float
    cancelled: float
    failed: float

    def shorten(self, rng: np.random.Generator, count: int) -> Array:
        """Return for each job the share of its planned run time that it really runs, in (0, 1]."""
        end = rng.random(count)
        share = 1 - rng.random(count)
        cancelled = end < self.cancelled
        failed = ~cancelled & (end < self.cancelled + self.failed)
        early = portable.power(share, 1 / HABITS.failed_run - 1)
        return np.where(failed, early, np.where(cancelled, share, 1.0))

    def mean(self) -> float:
        """Mean of `shorten`."""
        return self.completed + self.cancelled / 2 + self.failed * HABITS.failed_run

    def __str__(self) -> str:
        return f"{self.name} {self.completed:g}, {self.cancelled:g}, {self.failed:g}"


KALOS = Ends("Kalos", 0.54, 0.06, 0.40)
"""Ends in a cluster for large models (Hu et al., NSDI'24)."""

PHILLY = Ends("Philly", 0.60, 0.09, 0.31)
"""Ends in a shared cluster (ATC'19)."""

PIPELINE = Ends("pipeline", 0.92, 0.02, 0.06)
"""Ends of what machines submit, after its first run (assumed)."""

_ROUND_MIN = [5, 10, 15, 30, 60, 120, 180, 240, 360, 480, 720]
_ROUND_DAYS = [1, 2, 3, 4, 5, 7, 10, *range(14, 371, 7), *(2**power * 365 for power in range(1, 12))]
ROUND_S = np.array([60 * m for m in _ROUND_MIN] + [DAY_S * d for d in _ROUND_DAYS])
"""Round numbers that people ask for, in seconds."""


def estimates(rng: np.random.Generator, planned_s: Array) -> Array:
    """Return the run times asked for, in seconds (int64), all of them round numbers.

    `Habits` says how many ask for less than they plan to run, and by how much the others ask for more.
    """
    count = len(planned_s)
    under = rng.random(count) < HABITS.underask_share
    spread = portable.exp(HABITS.overask_sigma * portable.standard_normal(rng, count))
    over = HABITS.overask_median * spread
    up = np.searchsorted(ROUND_S, planned_s * np.maximum(1.0, over))
    down = np.searchsorted(ROUND_S, planned_s * rng.uniform(0.5, 1.0, count), side="right") - 1
    return np.asarray(ROUND_S[np.clip(np.where(under, down, up), 0, len(ROUND_S) - 1)])
