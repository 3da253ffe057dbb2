"""How a trace compares with the published statistics of real training clusters.

Published figures: Philly (Jeon et al., ATC'19; arrivals, sizes and fits are over its 82,247 GPU jobs),
Helios (Hu et al., SC'21), Kalos (Hu et al., NSDI'24) and PAI (Weng et al., NSDI'22).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from traces import Trace
from traces.arrays import Array
from traces.numbers import count, percent, shortest
from traces.tables import markdown
from traces.times import HOUR_S
from workloads.shapes import PHILLY_ALL, Mixture

WEEK_H = 168

SILENCE_S = 7200
"""Gaps so long or longer are silence (the cluster or its log was down), not inter-arrival times.

Without them Philly has the published coefficient of variation, 2.2; with its days of silence it is 15.
"""

_ALL = "Philly, Helios, Kalos, PAI"


class Statistic(NamedTuple):
    """A statistic of a trace (NaN where the trace is too small for it) beside the published ones."""

    name: str
    here: float
    published: str
    source: str


def describe(trace: Trace) -> list[Statistic]:
    """Return the statistics of a trace's arrivals, sizes and run times beside the published ones."""
    submit, runtime, gang = (trace.numpy(name) for name in ("submit_s", "runtime_s", "gang"))
    work, asked = gang.astype(np.float64) * runtime, trace.numpy("estimate_s") / runtime
    counts = hourly_counts(submit)
    return [
        Statistic("jobs", float(len(trace)), "82,247", "Philly"),
        Statistic("CV of inter-arrival times", inter_arrival_cv(submit), "2.2", "Philly"),
        Statistic("hourly jobs, variance over mean", dispersion(counts), "159; 39", "Philly; Helios"),
        Statistic("hourly jobs, negative-binomial k given the week", burst_k(counts), "1.4", "Helios"),
        Statistic("mean gang", _of(np.mean, gang), "0.7 to 27", "PAI to Kalos"),
        *_sizes(gang, work),
        Statistic("top 1% of jobs, share of device-time", top_share(work, 0.01), "67%", "Philly"),
        Statistic("median run time, minutes", _of(np.median, runtime) / 60, "2 to 15", _ALL),
        Statistic("mean run time, hours", _of(np.mean, runtime) / HOUR_S, "0.4 to 5", _ALL),
        Statistic("run times, KS from Philly's fit", _of(_ks_philly, runtime), "0.057", "Philly itself"),
        Statistic("median of estimate over run time", _of(np.median, asked), "2 and more", "users' requests"),
    ]


def comparison(statistics: list[Statistic]) -> str:
    """Return statistics as a Markdown table: figure, this trace, published, source."""
    rows = [(each.name, _here(each), each.published, each.source) for each in statistics]
    return markdown(("figure", "this trace", "published", "source"), rows)


def _here(statistic: Statistic) -> str:
    if statistic.published.endswith("%"):
        return percent(statistic.here)
    return count(statistic.here) if statistic.here >= 1000 else shortest(statistic.here, 3)


def inter_arrival_cv(submit_s: Array) -> float:
    """Coefficient of variation of the times between ascending submissions (a Poisson process has 1).

    Gaps of `SILENCE_S` and more do not count.
    """
    gaps = np.diff(submit_s)
    gaps = gaps[gaps < SILENCE_S]
    return float(gaps.std() / gaps.mean()) if gaps.any() else math.nan


def hourly_counts(submit_s: Array) -> Array:
    """Jobs of each hour from the first submission's to the last one's."""
    hours = submit_s // HOUR_S
    return np.bincount(hours - hours[0]) if len(hours) else np.zeros(0, np.int64)


def dispersion(counts: Array) -> float:
    """Variance over mean (a Poisson process has 1)."""
    return float(counts.var() / counts.mean()) if counts.any() else math.nan


def burst_k(counts: Array) -> float:
    """Negative-binomial k of hourly counts given their weekly profile, by moments; NaN below two weeks.

    With m an hour of the week's mean over all whole weeks, the variance over m is m^2 / k; the unbiased
    variance estimates sum(m) + sum(m^2) / k over the hours of a week, and so does m^2 its own square.
    Infinite where the counts are no wider than Poisson's.
    """
    weeks = len(counts) // WEEK_H
    if weeks < 2:
        return math.nan
    week = counts[: weeks * WEEK_H].reshape(weeks, WEEK_H).astype(np.float64)
    mean, variance = week.mean(axis=0), week.var(axis=0, ddof=1)
    excess = float(np.sum(variance - mean))
    return float(np.sum(mean**2 - variance / weeks)) / excess if excess > 0 else math.inf


def top_share(work: Array, part: float) -> float:
    """Share of all work that the largest `part` of the jobs (rounded up) have."""
    if not len(work):
        return math.nan
    return float(np.sort(work)[-math.ceil(part * len(work)) :].sum() / work.sum())


def ks(values: Array, fit: Mixture) -> float:
    """Kolmogorov-Smirnov distance of positive values from a fit."""
    distinct, counts = np.unique(values, return_counts=True)
    above = np.cumsum(counts) / len(values)
    below = above - counts / len(values)
    fitted = np.array([fit.cdf(value) for value in distinct.tolist()])
    return float(max(np.max(above - fitted), np.max(fitted - below)))


def _ks_philly(runtime_s: Array) -> float:
    return ks(runtime_s, PHILLY_ALL)


def _of(statistic: Callable[[Array], Any], values: Array) -> float:
    return float(statistic(values)) if len(values) else math.nan


def _sizes(gang: Array, work: Array) -> list[Statistic]:
    """Shares of jobs and of device-time by gang."""
    classes = [
        ("1", gang == 1, "93%", "18%"),
        ("8", gang == 8, "2%", "48%"),
        ("above 8", gang > 8, "0.35%", "14%"),
    ]
    figures = []
    for name, members, jobs, device_time in classes:
        here = float(work[members].sum() / work.sum()) if len(work) else math.nan
        figures.append(Statistic(f"gang {name}, share of jobs", _of(np.mean, members), jobs, "Philly"))
        figures.append(Statistic(f"gang {name}, share of device-time", here, device_time, "Philly"))
    return figures
