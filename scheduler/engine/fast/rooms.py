"""The longest run that may start now behind the head, by what a gang takes: see `owned/view.py`."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import how_many
from scheduler.engine.fast.heap import sort_down
from scheduler.engine.fast.memory import (
    ABSENT,
    CHOSEN,
    CHOSEN_LIST,
    DEVICES,
    FIRST,
    FREE,
    LOOKED,
    LOOKS,
    MOST,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NONE,
    NOW,
    NUMBER,
    OPEN_MOST,
    PLACE_OF,
    POD_SIZE,
    PODS,
    PODS_END,
    RESERVATION,
    RESERVED,
    REST,
    SEVERAL,
    SHADOW,
    SIZE,
    SORT_LIST,
    SPARE,
    STAMP,
    TREES,
    WHOLE,
    WORST,
)
from scheduler.engine.fast.pods import in_pool, is_concerned, is_open, lasting_s, lasts
from scheduler.engine.fast.spans import too_few_whole
from traces.arrays import Floats, Ints


@compiled
def room(memory: Ints, reach: Floats, line: int) -> int:
    """Return the longest estimate that may start in a line now; 0 for none, ABSENT for any."""
    most = 0
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        limit_s = across_s(memory, need) if memory[need + WHOLE] else inside_s(memory, need)
        if limit_s == ABSENT:
            return ABSENT
        most = max(most, int(limit_s / reach[memory[need + NUMBER]]))
    return most


@compiled
def inside_s(memory: Ints, need: int) -> int:
    """Return the longest run of a gang inside a pod."""
    pool, devices, reserved = memory[need + PLACE_OF], memory[need + DEVICES], memory[RESERVED]
    if is_concerned(memory, need):
        most = 0
        for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
            if memory[pod + FREE] >= devices:
                most = max(most, limit_s(memory, pod, devices))
        return most
    if has_room(memory, pool, devices, False):
        return ABSENT
    if memory[SEVERAL]:
        able = has_room(memory, pool, devices, True)
    else:
        here = memory[pool + PODS] <= reserved < memory[pool + PODS_END]
        able = here and memory[reserved + FREE] >= devices
    return memory[SHADOW] - memory[NOW] if able else 0


@compiled
def open_most(memory: Ints, pool: int) -> int:
    """Return the most devices that are free in one of few pods, and not reserved; worked out once a look."""
    if memory[pool + LOOKED] != memory[LOOKS]:
        most = 0
        for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
            if memory[pod + FREE] > most and lasts(memory, pod, memory[NOW], 0):
                if pod == memory[RESERVED]:
                    most = max(most, min(memory[pod + FREE], memory[SPARE]))
                elif memory[pod + STAMP] != memory[RESERVATION]:
                    most = memory[pod + FREE]
        memory[pool + LOOKED], memory[pool + OPEN_MOST] = memory[LOOKS], most
    return memory[pool + OPEN_MOST]  # type: ignore[no-any-return]


@compiled
def has_room(memory: Ints, pool: int, devices: int, short: bool) -> bool:
    """Say whether some pod of a pool that is open has the devices, where none is about to leave."""
    if memory[pool + TREES] == NONE and not short:
        return bool(devices <= open_most(memory, pool))
    if memory[pool + TREES] != NONE and memory[pool + MOST] < devices:
        return False
    place = FIRST if memory[pool + TREES] == NONE else WORST
    return in_pool(memory, pool, devices, place, short, 0, NONE) != NONE


@compiled
def limit_s(memory: Ints, pod: int, devices: int) -> int:
    """Return the longest run that may have so many devices of a pod."""
    lasting = lasting_s(memory, pod, memory[NOW])
    if is_open(memory, pod, devices, False):
        return lasting
    return min(lasting, int(memory[SHADOW] - memory[NOW]))


@compiled
def across_s(memory: Ints, need: int) -> int:
    """Return the longest run of a gang across pods."""
    if too_few_whole(memory, need):
        return 0
    pool, whole, rest = memory[need + PLACE_OF], memory[need + WHOLE], memory[need + REST]
    size = memory[pool + SIZE]
    if memory[pool + TREES] == NONE or is_concerned(memory, need):
        run_s = nth_limit_s(memory, pool, size, whole)
        return min(run_s, nth_limit_s(memory, pool, rest, whole + 1)) if rest else run_s
    wholes, rests = how_many(memory, pool, size), 0
    for free in range(rest, memory[pool + MOST] + 1):
        rests += how_many(memory, pool, free)
    if rest and rests <= whole:
        return 0
    if wholes - closed(memory, pool, size) >= whole and (
        not rest or rests - closed(memory, pool, rest) > whole
    ):
        return ABSENT
    return memory[SHADOW] - memory[NOW]  # type: ignore[no-any-return]


@compiled
def closed(memory: Ints, pool: int, devices: int) -> int:
    """Return how many pods of a pool have so many devices free, and what is reserved does not leave them."""
    first, end, reserved, count = memory[pool + PODS], memory[pool + PODS_END], memory[RESERVED], 0
    if memory[SEVERAL]:
        for at in range(memory[CHOSEN_LIST], memory[CHOSEN_LIST] + memory[CHOSEN]):
            count += first <= memory[at] < end and memory[memory[at] + FREE] >= devices
    here = first <= reserved < end and memory[reserved + FREE] >= devices
    return int(count + (here and devices > memory[SPARE]))


@compiled
def nth_limit_s(memory: Ints, pool: int, devices: int, number: int) -> int:
    """Return the longest run that so many pods with the devices may hold each; 0 where they are fewer."""
    first, count = memory[SORT_LIST], 0
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        if memory[pod + FREE] >= devices:
            memory[first + count] = limit_s(memory, pod, devices)
            count += 1
    if count < number:
        return 0
    sort_down(memory, first, count)
    return max(0, int(memory[first + number - 1]))
