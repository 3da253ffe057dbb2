"""Pods come and go: see `engine/assets.py`."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import give
from scheduler.engine.fast.dues import note
from scheduler.engine.fast.heap import sort_down
from scheduler.engine.fast.lines import leave
from scheduler.engine.fast.links import reject
from scheduler.engine.fast.memory import (
    ABSENT,
    ARMED_S,
    ARRIVED,
    AT,
    BY_RANK,
    CHANGE,
    CHANGE_SIZE,
    CHANGED,
    CHANGES_END,
    COUNT,
    DRAINS,
    DUES,
    END_POD,
    ENDS,
    ENDS_BY,
    FIRST_POD,
    FREE,
    GOES,
    HEAD,
    HELD_FOR,
    HORIZON,
    JOBS_END,
    LAGS,
    LEAF,
    LEAVES,
    LEVELS,
    LINE,
    LOST_LINES,
    LOST_LINES_END,
    LOST_PODS,
    MEMBERS,
    NEWCOMER_LIST,
    NEWCOMERS,
    NONE,
    NOW,
    PATIENCE,
    POD_SIZE,
    PODS,
    PODS_END,
    POOL,
    PUT_OFF,
    RANK,
    SIZE,
    SORT_LIST,
    STARTS_BEFORE,
    WAITING,
    WAITS,
)
from scheduler.engine.fast.records import rented_line, renter_of
from scheduler.engine.fast.renting import seek
from traces.arrays import Ints


@compiled
def change(memory: Ints) -> None:
    """Let pods come and go at the next instant at which some do, unless the run is over with its last job.

    Pods on which somebody ends at that instant go after that.
    """
    now_s = memory[memory[CHANGE] + AT]
    if memory[HORIZON] == ABSENT and memory[ARRIVED] == memory[JOBS_END] and not is_busy(memory):
        memory[CHANGE] = memory[CHANGES_END]
        return
    memory[NOW], memory[CHANGED], memory[PUT_OFF] = now_s, 1, 0
    while memory[CHANGE] < memory[CHANGES_END] and memory[memory[CHANGE] + AT] == now_s:
        here = memory[CHANGE]
        if memory[here + GOES] and are_held(memory, here):
            memory[PUT_OFF] = 1
            return
        move(memory, here)
        memory[HELD_FOR] = NONE
        memory[CHANGE] += CHANGE_SIZE
        if memory[here + GOES]:
            sort_out(memory, here)
    memory[ARMED_S] = now_s


@compiled
def next_change_s(memory: Ints) -> int:
    """Return when pods come or go next."""
    return memory[memory[CHANGE] + AT] if memory[CHANGE] < memory[CHANGES_END] else ABSENT


@compiled
def is_busy(memory: Ints) -> bool:
    """Say whether somebody runs, waits, or is about to."""
    return bool(memory[ENDS] or memory[WAITING] or memory[NEWCOMERS] or memory[LAGS])


@compiled
def are_held(memory: Ints, here: int) -> bool:
    """Say whether somebody is on the pods of a change."""
    size = memory[memory[here + POOL] + SIZE]
    for pod in range(memory[here + FIRST_POD], memory[here + END_POD], POD_SIZE):
        if memory[pod + FREE] < size:
            return True
    return False


@compiled
def move(memory: Ints, here: int) -> None:
    """Let the pods of a change come or go."""
    pool, goes = memory[here + POOL], memory[here + GOES]
    size = memory[pool + SIZE]
    for pod in range(memory[here + FIRST_POD], memory[here + END_POD], POD_SIZE):
        give(memory, pool, pod, -size if goes else size)
        memory[pod + DUES] = 0
        if goes:
            memory[pod + ENDS_BY] = memory[pod + STARTS_BEFORE] = 0
        note(memory, pool, pod)
    if goes:
        memory[pool + LEAVES] = memory[pool + DRAINS] = ABSENT
        for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
            if memory[pod + ENDS_BY]:
                memory[pool + LEAVES] = min(memory[pool + LEAVES], memory[pod + ENDS_BY])
                memory[pool + DRAINS] = min(memory[pool + DRAINS], memory[pod + STARTS_BEFORE])


@compiled
def sort_out(memory: Ints, here: int) -> None:
    """Turn away who waits and fits nowhere any more, in order; who may rent does so without patience."""
    ranks, count = memory[SORT_LIST], 0
    for at in range(memory[here + LOST_LINES], memory[here + LOST_LINES_END]):
        line = memory[at]
        memory[line + LOST_PODS] = 1
        leaf, left = memory[line + LEVELS], memory[line + COUNT]
        while left:
            if memory[leaf] != ABSENT:
                job = memory[memory[line + MEMBERS] + leaf - memory[line + LEVELS]]
                memory[ranks + count] = memory[job + RANK]
                count += 1
                left -= 1
            leaf += 1
    sort_down(memory, ranks, count)
    for at in range(ranks + count - 1, ranks - 1, -1):
        job = memory[memory[BY_RANK] + memory[at]]
        if rented_line(memory, job) != NONE:
            seek(memory, job)
        else:
            leave(memory, job, memory[job + LINE], memory[job + LEAF])
            memory[job + WAITS] = 0
            memory[WAITING] -= 1
            if memory[HEAD] == job:
                memory[HEAD] = NONE
            reject(memory, job, True, memory[NOW])


@compiled
def admitted(memory: Ints) -> None:
    """Keep those newcomers who fit somewhere; the others are turned away, or may only rent."""
    first, kept = memory[NEWCOMER_LIST], 0
    for at in range(first, first + memory[NEWCOMERS]):
        job = memory[at]
        if memory[job + LINE] != NONE and memory[memory[job + LINE] + LOST_PODS]:
            if rented_line(memory, job) == NONE:
                reject(memory, job, True, ABSENT)
                continue
            memory[job + LINE], memory[renter_of(memory, job) + PATIENCE] = NONE, 0
        memory[first + kept] = job
        kept += 1
    memory[NEWCOMERS] = kept
