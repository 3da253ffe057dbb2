"""Waiting jobs by line: a tree of least estimates over the jobs of each line, in order of rank.

The leaves of a line are all jobs of the trace that could ever stand in it; who does not stand there is
ABSENT. The first that is short enough is found on one way down.
"""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    ABSENT,
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
from scheduler.engine.fast.trees import first_within, least_of, put
from traces.arrays import Ints


@compiled
def join(memory: Ints, job: int, line: int, leaf: int) -> None:
    """Let a job stand in a line, at its own leaf."""
    put(memory, line + LEVELS, memory[line + TOP], leaf, memory[job + ESTIMATE])
    first = memory[line + FIRST_THERE]
    if not memory[line + COUNT] or (first != NONE and memory[job + RANK] < memory[first + RANK]):
        memory[line + FIRST_THERE] = job
    memory[line + COUNT] += 1


@compiled
def leave(memory: Ints, job: int, line: int, leaf: int) -> None:
    """Let a job stand there no more."""
    put(memory, line + LEVELS, memory[line + TOP], leaf, ABSENT)
    memory[line + COUNT] -= 1
    if memory[line + FIRST_THERE] == job:
        memory[line + FIRST_THERE] = NONE


@compiled
def stands(memory: Ints, line: int, leaf: int) -> bool:
    """Say whether the job of a leaf stands in its line."""
    return bool(memory[memory[line + LEVELS] + leaf] != ABSENT)


@compiled
def first_short(memory: Ints, line: int, limit_s: int) -> int:
    """Return the first in a line whose estimate is within a limit, or NONE."""
    levels, top = line + LEVELS, memory[line + TOP]
    if least_of(memory, levels, top) > limit_s:
        return NONE
    return memory[memory[line + MEMBERS] + first_within(memory, levels, top, limit_s)]  # type: ignore[no-any-return]


@compiled
def first_of(memory: Ints, line: int) -> int:
    """Return the first in a line, or NONE."""
    if not memory[line + COUNT]:
        return NONE
    if memory[line + FIRST_THERE] == NONE:
        memory[line + FIRST_THERE] = first_short(memory, line, ABSENT - 1)
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
