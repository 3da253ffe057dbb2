"""Pods by how many devices they have free: trees of counts where there are many pods, else a look at all."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    BRANCHES,
    FREE,
    LENGTH,
    MOST,
    NONE,
    NUMBER_OF_POD,
    POD_SIZE,
    PODS,
    PODS_END,
    TREE_LEVELS,
    TREE_TOP,
    TREES,
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
def how_many(memory: Ints, pool: int, free: int) -> int:
    """Return how many pods of a pool with trees have just so many free devices."""
    tree = memory[pool + TREES] + free * memory[pool + LENGTH]
    return memory[tree + memory[pool + TREE_LEVELS + memory[pool + TREE_TOP]]]  # type: ignore[no-any-return]


@compiled
def next_with(memory: Ints, pool: int, free: int, pod: int) -> int:
    """Return the first pod of a pool, from one on, with just so many free devices, or NONE."""
    if memory[pool + TREES] != NONE:
        return next_in_tree(memory, pool, free, pod)
    while pod < memory[pool + PODS_END]:
        if memory[pod + FREE] == free:
            return pod
        pod += POD_SIZE
    return NONE


@compiled
def next_in_tree(memory: Ints, pool: int, free: int, pod: int) -> int:
    """The same where there are trees: up until a count is not 0, then down."""
    if pod >= memory[pool + PODS_END] or not how_many(memory, pool, free):
        return NONE
    tree, levels = memory[pool + TREES] + free * memory[pool + LENGTH], pool + TREE_LEVELS
    level, top, node = 0, memory[pool + TREE_TOP], (pod - memory[pool + PODS]) // POD_SIZE
    if not node:
        level = top
    while not memory[tree + memory[levels + level] + node]:
        node += 1
        while level < top and node % BRANCHES == 0:  # no more children of this parent
            node //= BRANCHES
            level += 1
        if level == top:
            return NONE
    while level > 0:
        level -= 1
        node *= BRANCHES
        while not memory[tree + memory[levels + level] + node]:
            node += 1
    return memory[pool + PODS] + node * POD_SIZE  # type: ignore[no-any-return]
