"""When devices of a pod that are not free should be, in ascending order."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    ABSENT,
    DUE_LIST,
    DUES,
    EMPTIES,
    EMPTIES_LEVELS,
    EMPTIES_TOP,
    EMPTY,
    ENDS_BY,
    FREE,
    NONE,
    NOW,
    NUMBER_OF_POD,
)
from scheduler.engine.fast.trees import put
from traces.arrays import Ints


@compiled
def expect(memory: Ints, pool: int, pod: int, due_s: int, devices: int) -> None:
    """Expect devices of a pod to be free then."""
    first = memory[pod + DUE_LIST]
    at = first + 2 * memory[pod + DUES]
    while at > first and memory[at - 2] > due_s:
        memory[at], memory[at + 1] = memory[at - 2], memory[at - 1]
        at -= 2
    memory[at], memory[at + 1] = due_s, devices
    memory[pod + DUES] += 1
    note(memory, pool, pod)


@compiled
def expect_no_more(memory: Ints, pool: int, pod: int, due_s: int, devices: int) -> None:
    """They are free."""
    at = memory[pod + DUE_LIST]
    memory[pod + DUES] -= 1
    end = at + 2 * memory[pod + DUES]
    while memory[at] != due_s or memory[at + 1] != devices:
        at += 2
    while at < end:
        memory[at], memory[at + 1] = memory[at + 2], memory[at + 3]
        at += 2
    note(memory, pool, pod)


@compiled
def note(memory: Ints, pool: int, pod: int) -> None:
    """Let the pool know when a pod should be empty, where it wants to."""
    if memory[pool + EMPTIES] != NONE:
        number, last_s = memory[pod + NUMBER_OF_POD], last_due_s(memory, pod)
        if memory[memory[pool + EMPTIES_LEVELS] + number] != last_s:
            put(memory, pool + EMPTIES_LEVELS, memory[pool + EMPTIES_TOP], number, last_s)


@compiled
def last_due_s(memory: Ints, pod: int) -> int:
    """Return when all of a pod should be free; EMPTY where it is, ABSENT once it has left."""
    if not memory[pod + ENDS_BY]:
        return ABSENT
    if not memory[pod + DUES]:
        return EMPTY
    return memory[memory[pod + DUE_LIST] + 2 * memory[pod + DUES] - 2]  # type: ignore[no-any-return]


@compiled
def emptied_s(memory: Ints, pod: int) -> int:
    """Return the same as an instant: now, or after it."""
    last_s = last_due_s(memory, pod)
    return memory[NOW] if last_s == EMPTY else max(last_s, memory[NOW] + 1)  # type: ignore[no-any-return]


@compiled
def shadow(memory: Ints, pod: int, devices: int, before_s: int) -> tuple[int, int]:
    """Return `policy.backfill.shadow` of a pod now; ABSENT for None."""
    now_s = memory[NOW]
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


@compiled
def free_by(memory: Ints, pod: int, time_s: int) -> int:
    """Return how many devices of a pod should be free by an instant."""
    free, at = memory[pod + FREE], memory[pod + DUE_LIST]
    for due in range(at, at + 2 * memory[pod + DUES], 2):
        if memory[due] <= time_s:
            free += memory[due + 1]
    return free  # type: ignore[no-any-return]
