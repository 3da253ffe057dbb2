"""Which pod a place picks, of those that may hold a run."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import next_with
from scheduler.engine.fast.memory import (
    ABSENT,
    BEST,
    DRAINS,
    ENDS_BY,
    FIRST,
    FREE,
    LEAVES,
    LONGEST,
    MOST,
    NONE,
    NOW,
    PLACE_OF,
    POD_SIZE,
    PODS,
    PODS_END,
    RESERVATION,
    RESERVED,
    SIZE,
    SPARE,
    STAMP,
    STARTS_BEFORE,
    TREES,
    WORST,
)
from traces.arrays import Ints


@compiled
def better(memory: Ints, place: int, pod: int, best: int) -> bool:
    """Say whether a place prefers a pod to another, which comes before it or is NONE."""
    if best == NONE:
        return True
    here, there = memory[pod + FREE], memory[best + FREE]
    return bool(here < there if place == BEST else place == WORST and here > there)


@compiled
def is_open(memory: Ints, pod: int, devices: int, short: bool) -> bool:
    """Say whether what is reserved leaves so many devices of a pod; whoever ends before that is short."""
    if short:
        return True
    if pod == memory[RESERVED]:
        return bool(devices <= memory[SPARE])
    return bool(memory[pod + STAMP] != memory[RESERVATION])


@compiled
def lasting_s(memory: Ints, pod: int, at_s: int) -> int:
    """Return the longest run that may start on a pod then; ABSENT for any, -1 for none."""
    if at_s >= memory[pod + STARTS_BEFORE]:
        return -1
    ends_by_s = memory[pod + ENDS_BY]
    return ABSENT if ends_by_s == ABSENT else ends_by_s - at_s


@compiled
def lasts(memory: Ints, pod: int, at_s: int, run_s: int) -> bool:
    """Say whether a pod would hold a run to its end that starts there then."""
    return bool(at_s + run_s <= memory[pod + ENDS_BY] and at_s < memory[pod + STARTS_BEFORE])


@compiled
def is_concerned(memory: Ints, need: int) -> bool:
    """Say whether some pod that will leave may not hold somebody in line for this, if it starts now."""
    pool, now_s = memory[need + PLACE_OF], memory[NOW]
    return bool(now_s + memory[need + LONGEST] > memory[pool + LEAVES] or now_s >= memory[pool + DRAINS])


@compiled
def takes(memory: Ints, pool: int, pod: int, devices: int, short: bool, run_s: int, last: int) -> bool:
    """Say whether a pod with enough free devices may give them.

    Free pods up to `last` are taken whole, NONE for none of them.
    """
    if not is_open(memory, pod, devices, short) or not lasts(memory, pod, memory[NOW], run_s):
        return False
    size = memory[pool + SIZE]
    return bool(pod > last or memory[pod + FREE] < size or not is_open(memory, pod, size, short))


@compiled
def in_pool(memory: Ints, pool: int, devices: int, place: int, short: bool, run_s: int, last: int) -> int:
    """Return the pod of a pool that a place picks, of those that may give the devices; NONE without."""
    if memory[pool + TREES] != NONE:
        return by_count(memory, pool, devices, place, short, run_s, last)
    best = NONE
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        if memory[pod + FREE] >= devices and takes(memory, pool, pod, devices, short, run_s, last):
            if place == FIRST:
                return pod
            if better(memory, place, pod, best):
                best = pod
    return best


@compiled
def by_count(memory: Ints, pool: int, devices: int, place: int, short: bool, run_s: int, last: int) -> int:
    """The same where there are many pods, by how many devices they have free."""
    best, most = NONE, memory[pool + MOST]
    for step in range(most - devices + 1):
        free = most - step if place == WORST else devices + step
        pod = next_with(memory, pool, free, memory[pool + PODS])
        while pod != NONE and not takes(memory, pool, pod, devices, short, run_s, last):
            pod = next_with(memory, pool, free, pod + POD_SIZE)
        if pod != NONE:
            if place != FIRST:
                return pod
            if best == NONE or pod < best:
                best = pod
    return best
