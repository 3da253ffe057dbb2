"""What a plan is judged by: how many pods and when to burst, seen over common seeds.

A candidate's cost is the mean over seeds, with Student's interval. Its wait is a percentile over the jobs of
all seeds together: one seed has too few jobs of a rare kind for a percentile of its own, and a mean of such
percentiles would be biased. As the jobs of one seed share its queues, what is resampled for the interval
are whole seeds (the cluster bootstrap: Davison & Hinkley, "Bootstrap Methods and their Application", 1997).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

import numpy as np

from scheduler.run.groups import group_of
from traces.arrays import Array
from traces.confidence import LEVEL, BlocksDrawn, halfwidth, halfwidth_of_draws
from traces.times import DAY_S, parse_seconds

PERIOD_S = 28 * DAY_S
"""What a cost is stated for: 28 days."""
SEED_RESAMPLES = 2_000


class PlanError(ValueError):
    """A plan that cannot be made; says what is wrong and what is allowed."""


class Candidate(NamedTuple):
    """A plan: so many pods owned, and when jobs burst, as the compact name of a policy.

    That is a patience, as `after:4h`; where jobs go first, as `rented`; or both, as `reserve:0.2+after:4h`.
    """

    pods: int
    burst: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """What service a plan owes, over all seeds together."""

    group: str
    """Whose jobs: a kind, `COLUMN=WORD`, or `all`."""
    share: float
    """Of these jobs, to wait at most `limit_s`; 0.95 for the 95th percentile."""
    limit_s: float
    stranded: float
    """Largest share of the compute asked for by any job that may be left without a start."""


def target_of(text: str, stranded: float) -> Target:
    """Read `KIND:pNN:DURATION`, as in fsd.release:p95:12h or owner=proj-1:p95:12h; raises PlanError."""
    parts = re.fullmatch(r"(.+):p(\d+(?:\.\d+)?):(\d+(?:\.\d+)?[smhd])", text)
    if parts is None or not 0 < float(parts[2]) < 100:
        raise PlanError(
            f'--target "{text}": must be KIND:pNN:DURATION, as in fsd.release:p95:12h, or COLUMN=WORD:... '
            "(a percentile between 0 and 100; s, m, h, d or y)"
        )
    limit_s = parse_seconds(parts[3])
    group_of(parts[1])  # a wrong column is said now
    return Target(group=parts[1], share=float(parts[2]) / 100, limit_s=limit_s, stranded=stranded)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One seed of a candidate. Money is in USD per `PERIOD_S`."""

    usd: float
    """All that the ledger holds but revenue."""
    sunk_usd: float
    """Of it, what the pods cost whether they are used or not."""
    rent_usd: float
    """Of it, what is paid for rented devices."""
    revenue_usd: float
    wait_s: Sequence[float]
    """Of each job of the target's kind: a wait that goes on at the end as long as it has lasted, if it is
    over the limit already (else nobody knows), and inf for a job turned away."""
    asked_device_h: float
    stranded_device_h: float
    rejected: int
    owned_usd: float = 0.0
    """Of `usd`, what pools and sites cost; 0 where nobody asks."""
    rent_levels: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """Of each offer, if asked for: what was paid on demand, by how many of its devices were held."""


class PriceFactors(NamedTuple):
    """Factors on prices under which the same schedule is priced anew."""

    rent: float = 1.0
    pods: float = 1.0


AS_GIVEN = PriceFactors()


class Goal(NamedTuple):
    """What is searched for: the cheapest plan of up to `most` pods, in steps, that meets the target."""

    target: Target
    most: int
    prices: PriceFactors = AS_GIVEN
    step: int = 1


@dataclass(frozen=True)
class Evaluation:
    """A candidate over common seeds, in their order."""

    candidate: Candidate
    samples: tuple[Sample, ...]
    drawn: BlocksDrawn | None = None
    """Blocks of a log that each seed drew; None: it generated a demand."""

    def usd(self, prices: PriceFactors) -> Array:
        """Return the cost in each seed, in USD per `PERIOD_S`."""
        return (
            self._each("usd")
            + (prices.rent - 1) * self._each("rent_usd")
            + (prices.pods - 1) * self._each("sunk_usd")
        )

    def mean_usd(self, prices: PriceFactors) -> float:
        """Return the mean cost, in USD per `PERIOD_S`."""
        return float(self.usd(prices).mean())

    def usd_interval(self) -> tuple[float, float]:
        """Return the interval of the mean cost at today's prices."""
        return mean_interval(self.usd(AS_GIVEN), self.drawn)

    @property
    def mean_rent_usd(self) -> float:
        """Mean of what is paid for rented devices, in USD per `PERIOD_S`."""
        return float(self._each("rent_usd").mean())

    def floor_usd(self, prices: PriceFactors, pods: int) -> float:
        """Return what so many pods cost at least, whatever is rented: their sunk cost."""
        return float(self._each("sunk_usd").min()) * prices.pods * pods / self.candidate.pods

    @cached_property
    def wait_s(self) -> Array:
        """Waits of the jobs of all seeds, ascending."""
        return np.sort(np.concatenate([np.asarray(sample.wait_s, float) for sample in self.samples]))

    def wait_at(self, share: float) -> float:
        """Return the wait that so great a share of the jobs does not exceed; inf where there are none."""
        return _quantile(self.wait_s, share)

    @property
    def stranded(self) -> float:
        """Share of the compute asked for that was rejected or left without a start."""
        asked = float(self._each("asked_device_h").sum())
        return float(self._each("stranded_device_h").sum()) / asked if asked else 0.0

    def meets(self, target: Target) -> bool:
        """Say whether the target is met over all seeds together."""
        return bool(_met(target, *(column.sum() for column in self._service(target))))

    def shortfall(self, target: Target) -> tuple[float, float, float]:
        """Return jobs late, device-hours stranded and jobs rejected, over all seeds."""
        late, _, stranded, _, rejected = (float(column.sum()) for column in self._service(target))
        return late, stranded, rejected

    def confidence(self, target: Target) -> float:
        """Return the share of resamples of the seeds that meet the target.

        Those of a log are its replications themselves; one without a job of the kind shows nothing.
        """
        if len(self.samples) < 2:
            return float(self.meets(target))
        if self.drawn is not None:
            shown = [bool(len(sample.wait_s)) for sample in self.samples]
            return float(_met(target, *self._service(target))[shown].mean()) if any(shown) else 0.0
        met = _resampled(
            self._service(target),
            lambda *columns, axis: _met(target, *(column.sum(axis) for column in columns)).astype(float),
            paired=True,
        )
        return float(met.mean())

    def wait_interval(self, share: float) -> tuple[float, float]:
        """Return the bootstrap interval of `wait_at`: whole seeds resampled, of a log its replications."""
        if len(self.samples) < 2 or not len(self.wait_s):
            return 0.0, inf
        ends = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
        if self.drawn is not None:
            waits = (np.asarray(sample.wait_s, float) for sample in self.samples if len(sample.wait_s))
            each = np.array([_quantile(wait_s, share) for wait_s in waits])
            return _quantile(each, ends[0]), _quantile(each, ends[1])
        known = np.unique(self.wait_s)
        # Ranks stand for the waits, as the mean and error that scipy takes along need finite values.
        ranks = [np.searchsorted(known, np.asarray(sample.wait_s, float)) for sample in self.samples]
        rank = _resampled(
            (np.arange(len(ranks)),),
            lambda seeds: _quantile(np.concatenate([ranks[int(at)] for at in seeds]), share, len(known)),
            vectorized=False,
        )
        known = np.append(known, inf)
        low, high = (known[int(_quantile(rank, end))] for end in ends)
        return float(low), float(high)

    def _each(self, name: str) -> Array:
        return np.array([getattr(sample, name) for sample in self.samples], float)

    def _service(self, target: Target) -> tuple[Array, ...]:
        """Return, for each seed: jobs late, jobs, compute stranded, compute asked for, jobs rejected."""
        waits = [np.asarray(sample.wait_s, float) for sample in self.samples]
        late = np.array([np.count_nonzero(wait > target.limit_s) for wait in waits], float)
        jobs = np.array([len(wait) for wait in waits], float)
        return late, jobs, *(self._each(name) for name in ("stranded_device_h", "asked_device_h", "rejected"))


def _resampled(columns: tuple[Array, ...], statistic: Callable[..., Any], **how: bool) -> Array:
    """Return a statistic over resamples of the seeds, always the same ones; `how` is scipy's."""
    from scipy.stats import bootstrap

    seeds = np.random.default_rng(0)
    spread = bootstrap(columns, statistic, n_resamples=SEED_RESAMPLES, method="percentile", rng=seeds, **how)
    return np.asarray(spread.bootstrap_distribution)


def mean_interval(values: Array, drawn: BlocksDrawn | None = None) -> tuple[float, float]:
    """Return Student's interval of a mean over seeds, or over replications drawn from blocks of a log.

    Two equal bounds where all values are equal.
    """
    if len(values) < 2:
        return -inf, inf
    half = float(halfwidth(values) if drawn is None else halfwidth_of_draws(values, drawn))
    mean = float(values.mean())
    return (mean, mean) if half <= 1e-12 * abs(mean) else (mean - half, mean + half)


def _met(target: Target, late: Any, jobs: Any, stranded: Any, asked: Any, rejected: Any) -> Array:
    """Say whether sums over seeds meet the target. Without a job of the kind nothing shows that they do."""
    in_time = (jobs > 0) & (late <= (1 - target.share) * jobs + 1e-9)
    return np.asarray(in_time & (stranded <= target.stranded * asked) & (rejected == 0))


def _quantile(values: Array, share: float, of_none: float = inf) -> float:
    """Return the smallest value that so great a share does not exceed: never between two, as inf may be."""
    return float(np.quantile(values, share, method="inverted_cdf")) if len(values) else of_none
