"""Who comes to the market, drawn ahead of a run: the same customers whatever they are told."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

import numpy as np

from scheduler.live.streams import live_streams
from scheduler.scenario import LeaseSpec, MarketSpec, SegmentSpec
from scheduler.weather.renewal import Law, whole
from traces import portable
from traces.arrays import Floats, Ints
from traces.streams import Stream
from traces.times import DAY_S, HOUR_S


class Customer(NamedTuple):
    """Who asks for devices."""

    at_s: int
    segment: str
    devices: int
    run_s: int
    willingness_usd_per_device_h: float
    start_within_s: float
    lease_usd_per_device_h: float | None = None
    """The price of a lease, which is agreed before."""


def customers(market: MarketSpec, seed: int, start_s: int, end_s: int) -> list[Customer]:
    """Return all who come from the start of a run to its end, in order of time."""
    segments = (each for spec in market.segments for each in _segment(spec, seed, start_s, end_s))
    leases = (each for lease in market.leases for each in _lease(lease, start_s, end_s))
    return sorted([*segments, *leases], key=lambda customer: customer.at_s)


def _segment(spec: SegmentSpec, seed: int, start_s: int, end_s: int) -> Iterator[Customer]:
    stream = live_streams(seed, "market", spec.name)
    at_s = start_s + _arrivals(stream("arrivals"), spec.per_day, end_s - start_s)
    count = len(at_s)
    run_s = whole(Law(spec.run_h * HOUR_S, spec.run_sigma).draw(stream("run"), count))
    pays = _willingness(spec, stream, count)
    within_s = spec.start_within_h * HOUR_S * portable.standard_exponential(stream("start"), count)
    columns = (at_s, _sizes(spec, stream, count), run_s, pays, within_s)
    for at, devices, run, usd, within in zip(*(column.tolist() for column in columns), strict=True):
        yield Customer(at, spec.name, devices, run, usd, within)


def _willingness(spec: SegmentSpec, stream: Stream, count: int) -> Floats:
    mean_usd, sigma = spec.willingness_usd_per_device_h, spec.willingness_sigma
    return np.asarray(Law(mean_usd, sigma).draw(stream("willingness"), count), np.float64)


def _sizes(spec: SegmentSpec, stream: Stream, count: int) -> Ints:
    weights = np.cumsum(spec.weights or [1.0] * len(spec.devices))
    drawn = stream("size").random(count) * weights[-1]
    sizes: Ints = np.array(spec.devices, np.int64)
    return np.asarray(sizes[np.searchsorted(weights, drawn, side="right")])


def _arrivals(rng: np.random.Generator, per_day: float, length_s: int) -> Ints:
    """Return the whole seconds of a Poisson process, from 0 on and before `length_s`."""
    mean_s, at_s, last = DAY_S / per_day, [np.empty(0)], 0.0
    while last < length_s:
        gaps = mean_s * portable.standard_exponential(rng, 1024)
        at_s.append(last + np.cumsum(gaps))
        last = float(at_s[-1][-1])
    seconds = np.concatenate(at_s)
    return np.asarray(seconds[seconds < length_s].astype(np.int64))


def _lease(lease: LeaseSpec, start_s: int, end_s: int) -> Iterator[Customer]:
    from_s, to_s = (start_s + round(hour * HOUR_S) for hour in (lease.from_h, lease.to_h))
    if from_s < end_s:
        part = Customer(from_s, lease.name, lease.each, to_s - from_s, inf, inf, lease.usd_per_device_h)
        yield from [part] * (lease.devices // lease.each)
