"""What befalls owned devices: failures of devices, cabinets and pods, and planned maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from scheduler.scenario import FailureSpec, MaintenanceSpec, PoolSpec
from scheduler.stock.pools import PoolStock
from scheduler.weather.intervals import Intervals, check_size
from scheduler.weather.renewal import Law, alternate
from scheduler.weather.table_rules import WeatherError
from traces.streams import streams
from traces.times import HOUR_S

LONGEST_NOTICE_S = 2**31 - 1
MOST_PODS = 20_000
"""Pods of a pool that may fail: each has random streams of its own, which cost time to set up."""
_SURELY = 1.01
"""A mean so many times the limit is over it for sure, as so many draws hardly differ from their mean."""


def pool_weather(spec: PoolSpec, pool: PoolStock, seed: int, until_s: int) -> Iterator[Intervals]:
    """Yield what befalls a pool; raises WeatherError where maintenance names a pod that it does not have."""
    for number, failure in enumerate(spec.failures):
        _check_failures(failure, pool, until_s)
        for pod in range(pool.pods):
            yield from _failures(failure, number, pool, pod, seed, until_s)
    for window in spec.maintenance:
        yield _maintenance(window, pool, until_s)


def _check_failures(spec: FailureSpec, pool: PoolStock, until_s: int) -> None:
    """Raise WeatherError, before anything is drawn, where that would take too long or too many rows."""
    if pool.pods > MOST_PODS:
        raise WeatherError(
            f"{pool.name}: pods = {pool.pods:,}: must be at most {MOST_PODS:,}, as they may fail"
        )
    cycle_s = max(2.0, (spec.mtbf_h + spec.repair_h) * HOUR_S)
    expected = pool.pods * ceil(pool.pod_devices / _size(spec, pool)) * until_s / cycle_s
    check_size(int(min(expected / _SURELY, LONGEST_NOTICE_S)), pool.name, spec.of)


def _size(spec: FailureSpec, pool: PoolStock) -> int:
    """Return how many devices fail together."""
    return {"device": 1, "cabinet": spec.devices or 1, "pod": pool.pod_devices}[spec.of]


def _failures(
    spec: FailureSpec, number: int, pool: PoolStock, pod: int, seed: int, until_s: int
) -> Iterator[Intervals]:
    """Yield the failures of the units of a pod, the last of which may be smaller; all are up at second 0."""
    size = _size(spec, pool)
    stream = streams(seed, spec.of, f"{pool.name}/{pod}/{number}")
    up, down = Law(spec.mtbf_h * HOUR_S), Law(spec.repair_h * HOUR_S, spec.repair_sigma)
    units = ceil(pool.pod_devices / size)
    for unit, from_s, to_s in alternate(up, down, units, until_s, stream, stationary=False):
        first = unit * size
        devices = np.minimum(size, pool.pod_devices - first)
        expected_s = from_s + max(1, round(down.mean_s))
        yield Intervals(pool.name, spec.of, from_s, to_s, expected_s, pod=pod, first=first, devices=devices)


def _maintenance(spec: MaintenanceSpec, pool: PoolStock, until_s: int) -> Intervals:
    pods = range(pool.pods) if spec.pods is None else sorted(set(spec.pods))
    if pods and pods[-1] >= pool.pods:
        raise WeatherError(
            f"{pool.name}: maintenance.pods has {pods[-1]}: must be from 0 to {pool.pods - 1}, its pods"
        )
    times = 1
    if spec.every_h is not None:
        times = max(1, ceil((until_s / HOUR_S - spec.from_h) / spec.every_h))
    check_size(times * len(pods), pool.name, "maintenance")
    after_h = np.arange(times) * (spec.every_h or 0.0)
    from_s = np.rint((spec.from_h + after_h) * HOUR_S).astype(np.int64)
    to_s = np.maximum(from_s + 1, np.rint((spec.to_h + after_h) * HOUR_S).astype(np.int64))
    return Intervals(
        pool.name,
        "maintenance",
        np.repeat(from_s, len(pods)),
        np.repeat(to_s, len(pods)),
        np.repeat(to_s, len(pods)),
        pod=np.tile(np.array(pods, np.int64), times),
        devices=pool.pod_devices,
        notice_s=min(round(spec.drain_h * HOUR_S), LONGEST_NOTICE_S),
    )
