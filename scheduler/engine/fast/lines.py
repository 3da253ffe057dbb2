"""Waiting jobs by line: a tree of least estimates over the jobs of each line, in order of rank.

The leaves of a line are all jobs of the trace that could ever stand in it; who does not stand there is
ABSENT. Each node is the least of its children. The first that is short enough is found on one way down.
"""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    ABSENT,
    BRANCHES,
    COUNT,
    ESTIMATE,
    FIRST_THERE,
    LEVELS,
    LINE_SIZE,
    MEMBERS,
    NONE,
    RANK,
    TOP,
)
from traces.arrays import Ints


@compiled
def join(memory: Ints, job: int, column: int) -> None:
    """Let a job stand in the line that a column of it says."""
    line, leaf = memory[job + column], memory[job + column + 1]
    estimate_s = memory[job + ESTIMATE]
    memory[memory[line + LEVELS] + leaf] = estimate_s
    for level in range(1, memory[line + TOP] + 1):
        leaf //= BRANCHES
        node = memory[line + LEVELS + level] + leaf
        if memory[node] <= estimate_s:
            break
        memory[node] = estimate_s
    first = memory[line + FIRST_THERE]
    if not memory[line + COUNT] or (first != NONE and memory[job + RANK] < memory[first + RANK]):
        memory[line + FIRST_THERE] = job
    memory[line + COUNT] += 1


@compiled
def leave(memory: Ints, job: int, column: int) -> None:
    """Let a job stand there no more."""
    line, leaf = memory[job + column], memory[job + column + 1]
    memory[memory[line + LEVELS] + leaf] = ABSENT
    for level in range(1, memory[line + TOP] + 1):
        leaf //= BRANCHES
        child = memory[line + LEVELS + level - 1] + leaf * BRANCHES
        least = memory[child]
        for other in range(child + 1, child + BRANCHES):
            least = min(least, memory[other])
        node = memory[line + LEVELS + level] + leaf
        if memory[node] == least:
            break
        memory[node] = least
    memory[line + COUNT] -= 1
    if memory[line + FIRST_THERE] == job:
        memory[line + FIRST_THERE] = NONE


@compiled
def stands(memory: Ints, job: int, column: int) -> bool:
    """Say whether a job stands in the line that a column of it says."""
    line = memory[job + column]
    return bool(line != NONE and memory[memory[line + LEVELS] + memory[job + column + 1]] != ABSENT)


@compiled
def first_within(memory: Ints, line: int, limit_s: int) -> int:
    """Return the first in a line whose estimate is within a limit, or NONE."""
    level, node = memory[line + TOP], 0
    if memory[memory[line + LEVELS + level]] > limit_s:
        return NONE
    while level > 0:
        level -= 1
        node = memory[line + LEVELS + level] + node * BRANCHES
        while memory[node] > limit_s:
            node += 1
        node -= memory[line + LEVELS + level]
    return memory[memory[line + MEMBERS] + node]  # type: ignore[no-any-return]


@compiled
def first_of(memory: Ints, line: int) -> int:
    """Return the first in a line, or NONE."""
    if not memory[line + COUNT]:
        return NONE
    if memory[line + FIRST_THERE] == NONE:
        memory[line + FIRST_THERE] = first_within(memory, line, ABSENT - 1)
    return memory[line + FIRST_THERE]  # type: ignore[no-any-return]


@compiled
def sooner(memory: Ints, job: int, other: int) -> int:
    """Return which of two comes first in order; either may be NONE."""
    if job == NONE or (other != NONE and memory[other + RANK] < memory[job + RANK]):
        return other
    return job


@compiled
def first_of_all(memory: Ints, lines: int, end: int) -> int:
    """Return the first in order of those in some lines, or NONE."""
    best = NONE
    for line in range(lines, end, LINE_SIZE):
        best = sooner(memory, best, first_of(memory, line))
    return best
