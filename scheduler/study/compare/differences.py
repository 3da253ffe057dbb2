"""Policies compared with a baseline, figure by figure, over the replications that all of them have met.

What it takes is a table with a row for each policy and replication and a column for each figure, such as a
study's results.parquet; where that has several scenarios or traces, filter it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.run.groups import figure_of
from scheduler.study.compare.statistics import (
    Interval,
    bootstrap_interval,
    chance,
    follows,
    holm,
    needed,
    odd,
    p_value,
    paired,
    t_interval,
    t_of_draws,
)
from traces.arrays import Floats
from traces.confidence import BlocksDrawn
from traces.errors import nearest

METRICS = (
    "waited_mean_s",
    "waited_p95_s",
    "slowdown_mean",
    "missed",
    "utilization",
    "rented_device_h",
    "usd_avoidable",
)
"""Compared unless others are asked for."""
BY_METRICS = ("jain_due", "jain_speed", "share_error", "waited_mean_s", "slowdown_mean")
"""Compared where jobs are told apart, unless others are asked for."""

_MORE = ("utilization", "goodput", "finished", "revenue_usd", "jain")
_LESS = (
    "wait",
    "waited",
    "slowdown",
    "usd",
    "rented",
    "missed",
    "unfinished",
    "rejected",
    "killed",
    "interrupted",
    "down_device_h",
    "lost_device_h",
    "refused",
    "stranded",
    "burst",
    "share_error",
)


class CompareError(ValueError):
    """A comparison that cannot be made; says why."""


class Difference(NamedTuple):
    """What a policy changes in a figure; NaN where too few replications have it."""

    metric: str
    policy: str
    pairs: int
    """Replications in which both policies have the figure."""
    mean: float
    baseline: float
    difference: float
    """Mean of the paired differences, policy less baseline."""
    t: Interval
    bootstrap: Interval
    change: float
    """The difference over the mean of the baseline."""
    chance: float
    """That the policy is better in the next replication; NaN where no direction is better."""
    p: float
    adjusted_p: float
    """For all differences of the comparison made at once, by Holm."""
    needed: float
    """Replications for an interval without 0, were the difference what it seems; NaN where none help."""
    odd: bool
    """The differences are far from normal."""
    follows: bool
    """Differences resemble those before them: fewer independent ones than there seem."""


def direction(metric: str) -> int:
    """Return 1 where more of a figure is better, -1 where less is, 0 where neither."""
    name = figure_of(metric)
    if name.startswith(_MORE):
        return 1
    return -1 if name.startswith(_LESS) else 0


def compare(
    results: pa.Table,
    baseline: str,
    metrics: Sequence[str] = METRICS,
    *,
    policies: Sequence[str] | None = None,
    pair: str = "seed",
    drawn: BlocksDrawn | None = None,
) -> list[Difference]:
    """Return the differences of each policy to the baseline, by metric, then policy.

    `pair` names the column by which rows are paired; `policies` are those claims are made about, by default
    all but the baseline; `drawn` says of how many blocks of a log each replication is a draw. Raises
    CompareError for a policy or metric that the table does not have.
    """
    names = dict.fromkeys(results.column("policy").cast("string").to_pylist())
    named = policies if policies is not None else [name for name in names if name != baseline]
    for name in (baseline, *named):
        if name not in names:
            raise CompareError(f'policy "{name}": has no results{nearest(name, names)}')
    for metric in metrics:
        if metric not in results.column_names:
            raise CompareError(f'metric "{metric}": unknown{nearest(metric, results.column_names)}')
    pairs = {
        (metric, policy): _paired(results, policy, baseline, metric, pair)
        for metric in metrics
        for policy in named
    }
    judged = [_difference(*key, new, old, drawn) for key, (new, old) in pairs.items()]
    adjusted = holm(np.array([difference.p for difference in judged]))
    return [each._replace(adjusted_p=float(p)) for each, p in zip(judged, adjusted, strict=True)]


def replication_values(results: pa.Table, policy: str, metric: str, pair: str = "seed") -> dict[int, float]:
    """Return a policy's values of a figure by replication, those that it has."""
    rows = results.select(["policy", pair, metric]).to_pylist()
    return {row[pair]: row[metric] for row in rows if row["policy"] == policy and row[metric] is not None}


def _paired(results: pa.Table, policy: str, baseline: str, metric: str, pair: str) -> tuple[Floats, Floats]:
    """Return a figure of a policy and of the baseline, in the replications in which both have it."""
    ours, theirs = (replication_values(results, name, metric, pair) for name in (policy, baseline))
    both = sorted(ours.keys() & theirs.keys())
    new, old = (np.array([figures[at] for at in both], np.float64) for figures in (ours, theirs))
    return new, old


def _difference(metric: str, policy: str, new: Floats, old: Floats, drawn: BlocksDrawn | None) -> Difference:
    differences = paired(new, old)
    way, mean, base = direction(metric), _mean(new), _mean(old)
    found = Difference(
        metric=metric,
        policy=policy,
        pairs=len(differences),
        mean=mean,
        baseline=base,
        difference=_mean(differences),
        t=t_interval(differences),
        bootstrap=bootstrap_interval(differences) if drawn is None else Interval(nan, nan),
        change=_mean(differences) / base if base else nan,
        chance=chance(way * differences) if way else nan,
        p=p_value(differences),
        adjusted_p=nan,
        needed=needed(differences),
        odd=odd(differences),
        follows=follows(differences),
    )
    return found if drawn is None else _of_draws(found, differences, drawn)


def _of_draws(found: Difference, differences: Floats, drawn: BlocksDrawn) -> Difference:
    """Return what replications of one log say: as much as its blocks do, however many they are."""
    interval, p = t_of_draws(differences, drawn)
    return found._replace(t=interval, p=p, needed=nan, odd=False, follows=False)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else nan
