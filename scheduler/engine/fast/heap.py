"""Heaps of integers: instants, each with a number that breaks ties."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import BEGINS, TIE_BITS
from traces.arrays import Ints


@compiled
def push(memory: Ints, heap: int, count: int, time_s: int, number: int) -> None:
    """Put an instant with a number into a heap; `heap` and `count` are places in the run's record."""
    key = ((time_s - memory[BEGINS]) << memory[TIE_BITS]) + number
    first, at = memory[heap], memory[count]
    memory[count] = at + 1
    while at > 0:
        parent = (at - 1) >> 1
        if memory[first + parent] <= key:
            break
        memory[first + at] = memory[first + parent]
        at = parent
    memory[first + at] = key


@compiled
def pop(memory: Ints, heap: int, count: int) -> int:
    """Take the earliest out of a heap; return its number."""
    first, size = memory[heap], memory[count] - 1
    memory[count] = size
    least = memory[first]
    sink(memory, first, size, 0, memory[first + size])
    return number_of(memory, least)


@compiled
def sink(memory: Ints, first: int, size: int, at: int, key: int) -> None:
    """Put a key at a place of a heap of some size, or below it, where there are lesser ones."""
    child = 2 * at + 1
    while child < size:
        if child + 1 < size and memory[first + child + 1] < memory[first + child]:
            child += 1
        if memory[first + child] >= key:
            break
        memory[first + at] = memory[first + child]
        at, child = child, 2 * child + 1
    memory[first + at] = key


@compiled
def sort_down(memory: Ints, first: int, count: int) -> None:
    """Sort integers, the largest first: each in turn is the least of those that are left, and goes last."""
    for at in range(count // 2 - 1, -1, -1):
        sink(memory, first, count, at, memory[first + at])
    for left in range(count - 1, 0, -1):
        least = memory[first]
        sink(memory, first, left, 0, memory[first + left])
        memory[first + left] = least


@compiled
def earliest_s(memory: Ints, heap: int) -> int:
    """Return the instant of the earliest in a heap that is not empty."""
    return (memory[memory[heap]] >> memory[TIE_BITS]) + memory[BEGINS]  # type: ignore[no-any-return]


@compiled
def number_of(memory: Ints, key: int) -> int:
    """Return the number that stands in a key."""
    return key & ((1 << memory[TIE_BITS]) - 1)  # type: ignore[no-any-return]
