"""What is reserved for a head across pods: whole ones first emptied, the rest where that is soonest."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import next_with
from scheduler.engine.fast.dues import emptied_s, free_by, last_due_s, shadow
from scheduler.engine.fast.memory import (
    ABSENT,
    CHOSEN,
    CHOSEN_LIST,
    EMPTIES_LEVELS,
    EMPTIES_TOP,
    EMPTY,
    FREE,
    MOST,
    NONE,
    NOW,
    NUMBER_OF_POD,
    PLACE_OF,
    POD_SIZE,
    PODS,
    PODS_END,
    RESERVATION,
    RESERVED,
    REST,
    SEVERAL,
    SHADOW,
    SHORT_FOR,
    SORT_LIST,
    SPARE,
    STAMP,
    TREES,
    WHOLE,
)
from scheduler.engine.fast.pods import lasts
from scheduler.engine.fast.trees import first_within, least_of, put
from traces.arrays import Ints


@compiled
def reserve_across(memory: Ints, need: int, run_s: int) -> None:
    """Reserve for a gang across pods if that is sooner than what is reserved already.

    Pods that will not hold it from then on are left out, and it is made anew.
    """
    pool, whole = memory[need + PLACE_OF], memory[need + WHOLE]
    number, several = memory[RESERVATION], memory[need + REST] > 0
    while True:
        picked, count = first_emptied(memory, pool, whole + several, run_s, number)
        if count < whole + several:
            return
        time_s, rest = emptied_s(memory, memory[picked + whole - 1]), NONE
        if several:
            time_s, rest = soonest_rest(memory, need, picked, run_s, number)
        if time_s >= memory[SHADOW]:
            return
        at = memory[CHOSEN_LIST]
        for other in range(picked, picked + count):
            if memory[other] != rest and at < memory[CHOSEN_LIST] + whole:
                memory[at] = memory[other]
                at += 1
        if all_last(memory, whole, rest, time_s, run_s, number):
            break
    memory[SHADOW], memory[RESERVED], memory[SPARE], memory[SEVERAL] = time_s, rest, 0, 1
    memory[RESERVATION] += 1
    if rest != NONE:
        memory[SPARE] = free_by(memory, rest, time_s) - memory[need + REST]
    memory[CHOSEN] = whole
    for at in range(memory[CHOSEN_LIST], memory[CHOSEN_LIST] + whole):
        memory[memory[at] + STAMP] = memory[RESERVATION]


@compiled
def first_emptied(memory: Ints, pool: int, wanted: int, run_s: int, number: int) -> tuple[int, int]:
    """Return where so many pods stand that are first emptied, in that order, and how many there are.

    They hold a run that begins now, and do not fall short for this reservation.
    """
    levels, top, looked_at = pool + EMPTIES_LEVELS, memory[pool + EMPTIES_TOP], memory[SORT_LIST]
    picked = looked_at + (memory[pool + PODS_END] - memory[pool + PODS]) // POD_SIZE
    seen = count = 0
    while count < wanted:
        limit_s = least_of(memory, levels, top)
        if limit_s == ABSENT:
            break
        if limit_s != EMPTY:  # all that are overdue are as late as each other
            limit_s = max(limit_s, memory[NOW] + 1)
        leaf = first_within(memory, levels, top, limit_s)
        put(memory, levels, top, leaf, ABSENT)
        pod = memory[pool + PODS] + POD_SIZE * leaf
        memory[looked_at + seen] = pod
        seen += 1
        if may_give(memory, pod, run_s, number):
            memory[picked + count] = pod
            count += 1
    for at in range(looked_at, looked_at + seen):
        pod = memory[at]
        put(memory, levels, top, memory[pod + NUMBER_OF_POD], last_due_s(memory, pod))
    return picked, count


@compiled
def all_last(memory: Ints, whole: int, rest: int, time_s: int, run_s: int, number: int) -> bool:
    """Say whether pods will hold a run from then on; those that will not fall short for the reservation."""
    at, all_do = memory[CHOSEN_LIST], True
    for place in range(whole + 1):
        pod = memory[at + place] if place < whole else rest
        if pod != NONE and not lasts(memory, pod, time_s, run_s):
            memory[pod + SHORT_FOR] = number
            all_do = False
    return all_do


@compiled
def soonest_rest(memory: Ints, need: int, picked: int, run_s: int, number: int) -> tuple[int, int]:
    """Return from when a gang could start, and the pod of its rest, of pods as `first_emptied` says.

    All whole ones are empty by the last of them, or, if the rest is in one of these, by the next one.
    """
    pool, rest, at = memory[need + PLACE_OF], memory[need + REST], picked + memory[need + WHOLE]
    last, next_one = memory[at - 1], memory[at]
    last_s, next_s = emptied_s(memory, last), emptied_s(memory, next_one)
    best = free_rest(memory, pool, rest, last, last_s < next_s, run_s, number)
    if best != NONE:
        return last_s, best
    best_s, best_later = ABSENT, True
    for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
        whole_s = next_s if is_among(memory, pod, last, last_s) else last_s
        if whole_s > best_s or not may_give(memory, pod, run_s, number):
            continue
        rest_s, _ = shadow(memory, pod, rest, best_s)
        if rest_s == ABSENT:
            continue
        time_s, later = max(whole_s, rest_s), memory[pod + FREE] < rest
        if time_s < best_s or (time_s == best_s and best_later and not later):
            best_s, best_later, best = time_s, later, pod
    return best_s, best


@compiled
def free_rest(memory: Ints, pool: int, rest: int, last: int, apart: bool, run_s: int, number: int) -> int:
    """Return the first of many pods that has the rest free now, so that nothing is sooner, or NONE.

    It is none of those first emptied where these are `apart` from the next one.
    """
    best, last_s = NONE, emptied_s(memory, last)
    if memory[pool + TREES] == NONE:
        return NONE
    for free in range(rest, memory[pool + MOST] + 1):
        pod = next_with(memory, pool, free, memory[pool + PODS])
        while pod != NONE and (best == NONE or pod < best):
            if may_give(memory, pod, run_s, number) and not (apart and is_among(memory, pod, last, last_s)):
                best = pod
            pod = next_with(memory, pool, free, pod + POD_SIZE)
    return best


@compiled
def may_give(memory: Ints, pod: int, run_s: int, number: int) -> bool:
    """Say whether a pod would hold a run from now on, and does not fall short for this reservation."""
    return bool(memory[pod + SHORT_FOR] != number and lasts(memory, pod, memory[NOW], run_s))


@compiled
def is_among(memory: Ints, pod: int, last: int, last_s: int) -> bool:
    """Say whether a pod is among those first emptied, the last of which empties then."""
    time_s = emptied_s(memory, pod)
    return bool(time_s < last_s or (time_s == last_s and pod <= last))
