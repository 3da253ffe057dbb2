"""Pods: free devices, when the others should be free, and which pod a place picks."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    ABSENT,
    BEST,
    BRANCHES,
    DUE_LIST,
    DUES,
    FIRST,
    FREE,
    LENGTH,
    MOST,
    NONE,
    NUMBER_OF_POD,
    POD_SIZE,
    PODS,
    PODS_END,
    RESERVATION,
    RESERVED,
    SEVERAL,
    SPARE,
    STAMP,
    TREE_LEVELS,
    TREE_TOP,
    TREES,
    WORST,
)
from traces.arrays import Ints


@compiled
def give(memory: Ints, pool: int, pod: int, devices: int) -> None:
    """So many more devices of a pod are free, or fewer where negative."""
    before = memory[pod + FREE]
    after = before + devices
    memory[pod + FREE] = after
    if memory[pool + TREES] == NONE:
        return
    number, top = memory[pod + NUMBER_OF_POD], memory[pool + TREE_TOP]
    old = memory[pool + TREES] + before * memory[pool + LENGTH]
    new = memory[pool + TREES] + after * memory[pool + LENGTH]
    for level in range(top + 1):
        node = memory[pool + TREE_LEVELS + level] + number
        memory[old + node] -= 1
        memory[new + node] += 1
        number //= BRANCHES
    memory[pool + MOST] = most = max(memory[pool + MOST], after)
    root = memory[pool + TREES] + memory[pool + TREE_LEVELS + top]
    while not memory[root + most * memory[pool + LENGTH]]:
        most -= 1
    memory[pool + MOST] = most


@compiled
def first_with(memory: Ints, pool: int, free: int, closed: int) -> int:
    """Return the first pod of a pool with just so many free devices, or NONE; one of them may be closed."""
    tree, level = memory[pool + TREES] + free * memory[pool + LENGTH], memory[pool + TREE_TOP]
    shut = closed if closed != NONE and memory[closed + FREE] == free else NONE
    if memory[tree + memory[pool + TREE_LEVELS + level]] <= (shut != NONE):
        return NONE
    node = 0
    while level > 0:
        level -= 1
        node *= BRANCHES
        first = tree + memory[pool + TREE_LEVELS + level]
        closed_in = memory[shut + NUMBER_OF_POD] // BRANCHES**level if shut != NONE else -1
        while memory[first + node] <= (node == closed_in):
            node += 1
    return memory[pool + PODS] + node * POD_SIZE  # type: ignore[no-any-return]


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
def in_pool(memory: Ints, pool: int, devices: int, place: int, short: bool) -> int:
    """Return the pod of a pool that a place picks, of those that are open; NONE where none has room."""
    first, end, reserved = memory[pool + PODS], memory[pool + PODS_END], memory[RESERVED]
    if memory[pool + TREES] != NONE and (short or not memory[SEVERAL]):
        shut = not short and first <= reserved < end and devices > memory[SPARE]
        return by_count(memory, pool, devices, place, reserved if shut else NONE)
    best = NONE
    for pod in range(first, end, POD_SIZE):
        if memory[pod + FREE] >= devices and is_open(memory, pod, devices, short):
            if place == FIRST:
                return pod
            if better(memory, place, pod, best):
                best = pod
    return best


@compiled
def by_count(memory: Ints, pool: int, devices: int, place: int, closed: int) -> int:
    """The same where there are many pods, by how many devices they have free; one of them may be closed."""
    best, most = NONE, memory[pool + MOST]
    for step in range(most - devices + 1):
        pod = first_with(memory, pool, most - step if place == WORST else devices + step, closed)
        if pod != NONE:
            if place != FIRST:
                return pod
            if best == NONE or pod < best:
                best = pod
    return best


@compiled
def has_room(memory: Ints, pool: int, devices: int, short: bool) -> bool:
    """Say whether some pod of a pool that is open has the devices."""
    if memory[pool + TREES] != NONE and memory[pool + MOST] < devices:
        return False
    place = FIRST if memory[pool + TREES] == NONE else WORST
    return in_pool(memory, pool, devices, place, short) != NONE


@compiled
def expect(memory: Ints, pod: int, due_s: int, devices: int) -> None:
    """Expect devices of a pod to be free then."""
    first = memory[pod + DUE_LIST]
    at = first + 2 * memory[pod + DUES]
    while at > first and memory[at - 2] > due_s:
        memory[at], memory[at + 1] = memory[at - 2], memory[at - 1]
        at -= 2
    memory[at], memory[at + 1] = due_s, devices
    memory[pod + DUES] += 1


@compiled
def expect_no_more(memory: Ints, pod: int, due_s: int, devices: int) -> None:
    """Their gang has ended."""
    at = memory[pod + DUE_LIST]
    memory[pod + DUES] -= 1
    end = at + 2 * memory[pod + DUES]
    while memory[at] != due_s or memory[at + 1] != devices:
        at += 2
    while at < end:
        memory[at], memory[at + 1] = memory[at + 2], memory[at + 3]
        at += 2


@compiled
def shadow(memory: Ints, pod: int, devices: int, now_s: int, before_s: int) -> tuple[int, int]:
    """Return `policy.backfill.shadow` of a pod; ABSENT for None."""
    free, time_s, at = memory[pod + FREE], now_s, memory[pod + DUE_LIST]
    for due in range(at, at + 2 * memory[pod + DUES], 2):
        end_s = max(memory[due], now_s + 1)
        if end_s > time_s:
            if free >= devices:
                break
            if end_s >= before_s:
                return ABSENT, 0
            time_s = end_s
        free += memory[due + 1]
    return (time_s, free - devices) if time_s < before_s else (ABSENT, 0)
