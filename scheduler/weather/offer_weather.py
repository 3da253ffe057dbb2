"""What befalls an offer: nodes are reclaimed, the quota shrinks, requests are refused, boots go wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.scenario import BootSpec, OfferSpec, ReclaimSpec, RefusalSpec, ShortageSpec
from scheduler.stock.stock import OfferStock
from scheduler.weather.drift import drift
from scheduler.weather.intervals import Intervals, check_size
from scheduler.weather.recorded import Recorded
from scheduler.weather.renewal import DailyHazard, Law, Spells, alternate
from traces.arrays import Bools, Floats
from traces.streams import streams
from traces.times import HOUR_S


def offer_weather(
    spec: OfferSpec, offer: OfferStock, seed: int, until_s: int, midnight_s: int
) -> Iterator[Intervals]:
    """Yield what befalls an offer; raises RecordingError."""
    if spec.reclaim is not None:
        yield from _reclaims(spec.reclaim, offer, seed, until_s, midnight_s)
    for shortage in spec.shortages:
        yield from _shortage(shortage, offer)
    if spec.refusals is not None:
        yield from _refusals(spec.refusals, offer.name, seed, until_s)
    if spec.boots is not None:
        yield from _boots(spec.boots, offer.name, seed, until_s)
    if spec.drift is not None:
        yield drift(spec.drift, offer.name, seed, until_s)


def _reclaims(
    spec: ReclaimSpec, offer: OfferStock, seed: int, until_s: int, midnight_s: int
) -> Iterator[Intervals]:
    node = offer.largest_size
    mean_down_s, spells = _spells(spec, offer, seed, until_s, midnight_s)
    for unit, from_s, to_s in spells:
        yield Intervals(
            offer.name,
            "reclaim",
            from_s,
            to_s,
            from_s + max(1, round(mean_down_s)),
            first=unit * node,
            devices=np.minimum(node, offer.most_devices - unit * node),
            notice_s=spec.notice_s,
        )


def _spells(
    spec: ReclaimSpec, offer: OfferStock, seed: int, until_s: int, midnight_s: int
) -> tuple[float, Iterator[Spells]]:
    """Return the mean down-time of a node, and when nodes are down."""
    nodes = -(-offer.most_devices // offer.largest_size)
    if spec.recording is not None:
        recorded = Recorded(spec.recording, nodes)
        return recorded.mean_s, recorded.spells(until_s)
    assert spec.up_h is not None
    up: Law | DailyHazard = Law(spec.up_h * HOUR_S, spec.up_sigma)
    if spec.by_hour is not None:
        up = DailyHazard(spec.up_h * HOUR_S, spec.by_hour, midnight_s)
    down = Law(spec.down_h * HOUR_S, spec.down_sigma)
    stream = streams(seed, "reclaim", offer.name)
    return down.mean_s, alternate(up, down, nodes, until_s, stream, stationary=True)


def _shortage(spec: ShortageSpec, offer: OfferStock) -> Iterator[Intervals]:
    """Yield the devices beyond the smaller quota, if there are any, as one row."""
    first, end = spec.quota // offer.unit_devices * offer.unit_devices, offer.most_devices
    from_s = np.array([round(spec.from_h * HOUR_S)])
    to_s = np.maximum(from_s + 1, round(spec.to_h * HOUR_S))
    if first < end:
        yield Intervals(offer.name, "shortage", from_s, to_s, to_s, first=first, devices=end - first)


def _refusals(spec: RefusalSpec, name: str, seed: int, until_s: int) -> Iterator[Intervals]:
    refuses = _slots(spec.slot_s, name, "refused", seed, until_s) < spec.probability
    yield _in_slots(refuses, spec.slot_s, name, "refused")


def _boots(spec: BootSpec, name: str, seed: int, until_s: int) -> Iterator[Intervals]:
    drawn = _slots(spec.slot_s, name, "boot", seed, until_s)
    fails = drawn < spec.fail_probability
    slow = ~fails & (drawn < spec.fail_probability + spec.slow_probability)
    yield _in_slots(fails, spec.slot_s, name, "failed_boot")
    yield _in_slots(slow, spec.slot_s, name, "slow_boot")._replace(value=spec.slow_factor)


def _slots(slot_s: int, name: str, what: str, seed: int, until_s: int) -> Floats:
    """Draw a number from 0 to 1 for each slot."""
    count = -(-until_s // slot_s)
    check_size(count, name, what)
    return streams(seed, what, name)("slot").random(count)


def _in_slots(holds: Bools, slot_s: int, name: str, what: str) -> Intervals:
    """Return the runs of slots in which something holds, each as one row."""
    changes = np.flatnonzero(np.diff(holds, prepend=False, append=False)) * slot_s
    from_s, to_s = changes[::2], changes[1::2]
    return Intervals(name, what, from_s, to_s, to_s)
