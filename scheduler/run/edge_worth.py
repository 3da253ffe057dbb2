"""Where parked cars pay: what their work costs beside a device, and above which data it never can."""

from __future__ import annotations

from scheduler.scenario import EdgeSpec
from traces import portable
from traces.times import HOUR_S

GB_PER_MBPS_S = 8_000.0
"""Megabits of a gigabyte."""


def shard_s(spec: EdgeSpec) -> float:
    """Return how long a car takes for a shard: its data, then its work."""
    work_s = spec.shard_pflop / (spec.tops * 1e-3 * spec.use)
    return spec.shard_gb * GB_PER_MBPS_S / spec.uplink_mbps + work_s


def loss(spec: EdgeSpec) -> float:
    """Return the probability that a car leaves before its shard is done: 1 - exp(-hazard x length)."""
    return float(-portable.expm1(-spec.unplug_per_h * shard_s(spec) / HOUR_S))


def usd_per_device_h(spec: EdgeSpec) -> float:
    """Return what cars are paid for the work of a reference device-hour, with shards lost and repeated."""
    car_s = shard_s(spec) * spec.replication / (1 - loss(spec))
    usd_per_pflop = car_s / HOUR_S * spec.usd_per_car_h / spec.shard_pflop
    return usd_per_pflop * spec.pflops_per_device * HOUR_S


def most_gb_per_pflop(spec: EdgeSpec, device_usd_per_h: float) -> float:
    """Return the data for each PFLOP above which cars never pay beside a device at that price.

    Where no shard is lost; below 0 where they do not pay even without data.
    """
    device_usd_per_pflop = device_usd_per_h / HOUR_S / spec.pflops_per_device
    if not spec.usd_per_car_h:
        return float("inf")
    car_s_per_pflop = device_usd_per_pflop * HOUR_S / spec.usd_per_car_h / spec.replication
    work_s_per_pflop = 1 / (spec.tops * 1e-3 * spec.use)
    return (car_s_per_pflop - work_s_per_pflop) * spec.uplink_mbps / GB_PER_MBPS_S
