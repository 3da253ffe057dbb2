"""Trees in which each node is the least of its children.

A record says where the levels of its tree begin, the leaves first: `levels` is where it says so, and `top`
the number of the root's level.
"""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import BRANCHES
from traces.arrays import Ints


@compiled
def put(memory: Ints, levels: int, top: int, leaf: int, value: int) -> None:
    """Put another value at a leaf."""
    at = memory[levels] + leaf
    before = memory[at]
    memory[at] = value
    for level in range(1, top + 1):
        leaf //= BRANCHES
        node = memory[levels + level] + leaf
        least = memory[node]
        if value < least:
            memory[node] = value
        elif before > least:  # another child is the least
            return
        else:
            child = memory[levels + level - 1] + leaf * BRANCHES
            value = memory[child]
            for other in range(child + 1, child + BRANCHES):
                value = min(value, memory[other])
            if value == least:
                return
            memory[node] = value
        before = least


@compiled
def least_of(memory: Ints, levels: int, top: int) -> int:
    """Return the least of all."""
    return memory[memory[levels + top]]  # type: ignore[no-any-return]


@compiled
def first_within(memory: Ints, levels: int, top: int, limit: int) -> int:
    """Return the first leaf whose value is within a limit; there must be one."""
    level, node = top, 0
    while level > 0:
        level -= 1
        node = memory[levels + level] + node * BRANCHES
        while memory[node] > limit:
            node += 1
        node -= memory[levels + level]
    return node
