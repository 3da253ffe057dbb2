"""Gangs across pods: whole ones and the rest in one more."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import how_many, next_with
from scheduler.engine.fast.memory import (
    ABSENT,
    NEXT,
    NONE,
    NOW,
    PLACE,
    PLACE_OF,
    POD_SIZE,
    PODS,
    REST,
    SIZE,
    TREES,
    WHOLE,
)
from scheduler.engine.fast.pods import in_pool, is_open, lasts
from traces.arrays import Ints


@compiled
def too_few_whole(memory: Ints, need: int) -> bool:
    """Say whether fewer pods are free than a gang takes whole, where that is known at once."""
    pool = memory[need + PLACE_OF]
    return bool(
        memory[pool + TREES] != NONE and how_many(memory, pool, memory[pool + SIZE]) < memory[need + WHOLE]
    )


@compiled
def across(memory: Ints, need: int, short: bool, run_s: int) -> tuple[int, int]:
    """Return the pod of the rest, NONE without, and the first of the whole ones, NONE where there is no room.

    Each whole pod is told the next.
    """
    pool, left, chain, last = memory[need + PLACE_OF], memory[need + WHOLE], NONE, NONE
    if too_few_whole(memory, need):
        return NONE, NONE
    size = memory[pool + SIZE]
    pod = next_with(memory, pool, size, memory[pool + PODS])
    while left and pod != NONE:
        if is_open(memory, pod, size, short) and lasts(memory, pod, memory[NOW], run_s):
            if last == NONE:
                chain = pod
            else:
                memory[last + NEXT] = pod
            memory[pod + NEXT], last = NONE, pod
            left -= 1
        pod = next_with(memory, pool, size, pod + POD_SIZE)
    if left:
        return NONE, NONE
    if not memory[need + REST]:
        return NONE, chain
    rest = in_pool(memory, pool, memory[need + REST], memory[PLACE], short, run_s, last)
    return (rest, chain) if rest != NONE else (NONE, NONE)


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
