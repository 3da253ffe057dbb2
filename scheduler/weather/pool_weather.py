"""What befalls owned devices: failures of devices, cabinets and pods, and planned maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from scheduler.scenario import FailureSpec, MaintenanceSpec, PoolSpec
from scheduler.stock.stock import PoolStock
from scheduler.weather.intervals import Intervals, check_size
from scheduler.weather.renewal import Law, alternate
from scheduler.weather.streams import streams
from scheduler.weather.table_rules import WeatherError
from traces.times import HOUR_S

LONGEST_NOTICE_S = 2**31 - 1


def pool_weather(spec: PoolSpec, pool: PoolStock, seed: int, until_s: int) -> Iterator[Intervals]:
    """Yield what befalls a pool; raises WeatherError where maintenance names a pod that it does not have."""
    for number, failure in enumerate(spec.failures):
        for pod in range(pool.pods):
            yield from _failures(failure, number, pool, pod, seed, until_s)
    for window in spec.maintenance:
        yield _maintenance(window, pool, until_s)


def _failures(
    spec: FailureSpec, number: int, pool: PoolStock, pod: int, seed: int, until_s: int
) -> Iterator[Intervals]:
    """Yield the failures of the units of a pod, the last of which may be smaller; all are up at second 0."""
    size = {"device": 1, "cabinet": spec.devices or 1, "pod": pool.pod_devices}[spec.of]
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
