"""Gangs across pods: whole ones and the rest in one more, and what is reserved for one."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    ABSENT,
    BEGINS,
    DUE_LIST,
    DUES,
    FIRST,
    FREE,
    LENGTH,
    NEXT,
    NONE,
    NOW,
    NUMBER_OF_POD,
    PLACE,
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
    TREE_LEVELS,
    TREE_TOP,
    TREES,
    WHOLE,
)
from scheduler.engine.fast.pods import better, is_open, shadow
from traces.arrays import Ints


@compiled
def too_few_whole(memory: Ints, need: int) -> bool:
    """Say whether fewer pods are free than a gang takes whole, where that is known at once."""
    pool = memory[need + PLACE_OF]
    if memory[pool + TREES] == NONE:
        return False
    free = memory[pool + TREES] + memory[pool + SIZE] * memory[pool + LENGTH]
    root = memory[pool + TREE_LEVELS + memory[pool + TREE_TOP]]
    return bool(memory[free + root] < memory[need + WHOLE])


@compiled
def across(memory: Ints, need: int, short: bool) -> tuple[int, int]:
    """Return the pod of the rest, NONE without, and the first of the whole ones, NONE where there is no room.

    Each whole pod is told the next.
    """
    pool, left, chain, last = memory[need + PLACE_OF], memory[need + WHOLE], NONE, NONE
    if too_few_whole(memory, need):
        return NONE, NONE
    size = memory[pool + SIZE]
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        if memory[pod + FREE] == size and is_open(memory, pod, size, short):
            if last == NONE:
                chain = pod
            else:
                memory[last + NEXT] = pod
            memory[pod + NEXT], last = NONE, pod
            left -= 1
            if not left:
                break
    if left:
        return NONE, NONE
    if not memory[need + REST]:
        return NONE, chain
    rest = for_rest(memory, need, last, short)
    return (rest, chain) if rest != NONE else (NONE, NONE)


@compiled
def for_rest(memory: Ints, need: int, last: int, short: bool) -> int:
    """Return the pod that the place picks for the rest, where all whole ones up to `last` are taken."""
    pool, rest, place, best = memory[need + PLACE_OF], memory[need + REST], memory[PLACE], NONE
    size = memory[pool + SIZE]
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        free = memory[pod + FREE]
        if free < rest or not is_open(memory, pod, rest, short):
            continue
        if pod <= last and free == size and is_open(memory, pod, size, short):
            continue
        if place == FIRST:
            return pod
        if better(memory, place, pod, best):
            best = pod
    return best


@compiled
def room_across(memory: Ints, need: int, limit_s: int) -> int:
    """Return the longest estimate that may start across pods now, in seconds there, as `room` does."""
    if too_few_whole(memory, need):
        return 0
    pool, whole, rest = memory[need + PLACE_OF], memory[need + WHOLE], memory[need + REST]
    size, wholes, open_wholes, rests, open_rests = memory[pool + SIZE], 0, 0, 0, 0
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        free = memory[pod + FREE]
        if free == size:
            wholes += 1
            open_wholes += is_open(memory, pod, size, False)
        if free >= rest:
            rests += 1
            open_rests += is_open(memory, pod, rest, False)
    if wholes < whole or (rest and rests <= whole):
        return 0
    return ABSENT if open_wholes >= whole and (not rest or open_rests > whole) else limit_s


@compiled
def touches(memory: Ints, pod: int, chain: int) -> bool:
    """Say whether a gang on these pods has one that is reserved."""
    if pod != NONE and not is_open(memory, pod, ABSENT, False):
        return True
    while chain != NONE:
        if not is_open(memory, chain, ABSENT, False):
            return True
        chain = memory[chain + NEXT]
    return False


@compiled
def reserve_across(memory: Ints, need: int) -> None:
    """Reserve whole pods first emptied, and the rest wherever that makes the latest of them earliest.

    Only if that is sooner than what is reserved already. See `policy.backfill`.
    """
    pool, whole, order = memory[need + PLACE_OF], memory[need + WHOLE], memory[SORT_LIST]
    first, end = memory[pool + PODS], memory[pool + PODS_END]
    pods = (end - first) // POD_SIZE
    for pod in range(first, end, POD_SIZE):
        memory[order + (pod - first) // POD_SIZE] = emptied(memory, pod, pods)
    memory[order : order + pods].sort()
    time_s, rest = memory[order + whole - 1] // pods + memory[BEGINS], NONE
    if memory[need + REST]:
        time_s, rest = soonest_rest(memory, need, pods)
    if time_s >= memory[SHADOW]:
        return
    memory[SHADOW], memory[RESERVED], memory[SPARE], memory[SEVERAL] = time_s, rest, 0, 1
    memory[RESERVATION] += 1
    if rest != NONE:
        memory[SPARE] = free_by(memory, rest, time_s) - memory[need + REST]
    while whole:
        pod = first + memory[order] % pods * POD_SIZE
        if pod != rest:
            memory[pod + STAMP] = memory[RESERVATION]
            whole -= 1
        order += 1


@compiled
def emptied(memory: Ints, pod: int, pods: int) -> int:
    """Return when all of a pod should be free since the run began, times the pods, plus its number."""
    time_s, dues = memory[NOW], memory[pod + DUES]
    if dues:
        time_s = max(memory[memory[pod + DUE_LIST] + 2 * dues - 2], time_s + 1)
    return (time_s - memory[BEGINS]) * pods + memory[pod + NUMBER_OF_POD]  # type: ignore[no-any-return]


@compiled
def soonest_rest(memory: Ints, need: int, pods: int) -> tuple[int, int]:
    """Return from when a gang could start, and the pod of its rest; pods stand sorted by when they empty."""
    pool, rest, at = memory[need + PLACE_OF], memory[need + REST], memory[SORT_LIST] + memory[need + WHOLE]
    last, next_one = memory[at - 1], memory[at]
    best_s, best_later, best = ABSENT, True, NONE
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        whole_s = next_one if emptied(memory, pod, pods) <= last else last
        whole_s = whole_s // pods + memory[BEGINS]
        if whole_s > best_s:
            continue
        rest_s, _ = shadow(memory, pod, rest, memory[NOW], best_s)
        if rest_s == ABSENT:
            continue
        time_s, later = max(whole_s, rest_s), memory[pod + FREE] < rest
        if time_s < best_s or (time_s == best_s and best_later and not later):
            best_s, best_later, best = time_s, later, pod
    return best_s, best


@compiled
def free_by(memory: Ints, pod: int, time_s: int) -> int:
    """Return how many devices of a pod should be free by an instant."""
    free, at = memory[pod + FREE], memory[pod + DUE_LIST]
    for due in range(at, at + 2 * memory[pod + DUES], 2):
        if memory[due] <= time_s:
            free += memory[due + 1]
    return free  # type: ignore[no-any-return]
