"""The loop: all events of an instant, then one pass, as `engine/simulation.py` has it."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.heap import earliest_s, pop, push
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    ARRIVED,
    BACKFILL,
    BY_NUMBER,
    BY_RANK,
    CHANGED,
    COLUMN,
    DEVICES,
    EASY,
    END_HEAP,
    ENDS,
    FREE,
    HELD_FOR,
    HORIZON,
    JOB_SIZE,
    JOBS,
    JOBS_END,
    KEEP,
    KEPT,
    KEPT_HEAP,
    LINE,
    NEED,
    NEVER_BURSTS,
    NEW_FROM,
    NONE,
    NOW,
    NUMBER_OF_POD,
    OFFERS_DUE,
    PATIENCE,
    PLACE_OF,
    POD,
    RANK,
    READY,
    RELEASE,
    RENTED_LINE,
    RING_HEAP,
    RINGS,
    ROOM,
    ROW,
    ROW_LIST,
    ROWS,
    SHADOW,
    SUBMIT,
    TIES,
    USED,
    WAITING,
    WAITS,
)
from scheduler.engine.fast.pods import expect_no_more, give
from scheduler.engine.fast.renting import seek, start_rented
from scheduler.engine.fast.waiting import find, look_again, start_on, start_waiting, wait
from traces.arrays import Floats, Ints


@compiled
def go_on(memory: Ints, reach: Floats) -> bool:
    """Run until the end, or until the rows that are to be logged are full; say whether it is the end."""
    while True:
        end_s = earliest_s(memory, END_HEAP) if memory[ENDS] else ABSENT
        back_s = earliest_s(memory, KEPT_HEAP) if memory[KEPT] else ABSENT
        ring_s = next_ring_s(memory)
        arrived = memory[ARRIVED]
        submit_s = memory[arrived + SUBMIT] if arrived < memory[JOBS_END] else ABSENT
        next_s = min(end_s, back_s, ring_s, submit_s)
        if memory[CHANGED] and next_s > memory[NOW]:
            memory[CHANGED] = 0
            make_pass(memory, reach)
        elif next_s >= memory[HORIZON]:
            return True
        elif end_s == next_s:
            finish(memory, end_s)
            if memory[ROWS] == memory[ROOM]:
                return False
        elif back_s == next_s:
            give_back(memory, back_s)
        elif ring_s == next_s:
            job = memory[memory[BY_RANK] + pop(memory, RING_HEAP, RINGS)]
            memory[NOW], memory[CHANGED] = ring_s, 1
            seek(memory, job)
        else:
            arrive(memory, submit_s)


@compiled
def next_ring_s(memory: Ints) -> int:
    """Return when the next who still waits loses patience."""
    while memory[RINGS]:
        job = memory[memory[BY_RANK] + memory[memory[RING_HEAP]] % memory[TIES]]
        if memory[job + WAITS]:
            return earliest_s(memory, RING_HEAP)
        pop(memory, RING_HEAP, RINGS)
    return ABSENT


@compiled
def finish(memory: Ints, now_s: int) -> None:
    """End the next attempt: give its devices back, and log it."""
    job = memory[memory[BY_NUMBER] + pop(memory, END_HEAP, ENDS)]
    memory[NOW], memory[CHANGED] = now_s, 1
    need, pod = memory[job + NEED], memory[job + POD]
    devices, place = memory[need + DEVICES], memory[need + PLACE_OF]
    if pod == NONE:
        push(memory, KEPT_HEAP, KEPT, now_s + memory[place + KEEP], memory[job + ROW])
    else:
        give(memory, place, pod, devices)
        if memory[BACKFILL] == EASY:
            expect_no_more(memory, pod, memory[job + RELEASE], devices)
            if memory[HELD_FOR] != NONE and now_s < memory[SHADOW]:
                look_again(memory, pod)
    row = memory[ROW_LIST] + 9 * memory[ROWS]
    memory[row], memory[row + 1], memory[row + 2] = memory[job + ROW], memory[need + COLUMN], devices
    memory[row + 3], memory[row + 4] = memory[need + USED], memory[job + ALLOC]
    memory[row + 5], memory[row + 6], memory[row + 7] = memory[job + READY], now_s, 1
    memory[row + 8] = -1 if pod == NONE else memory[pod + NUMBER_OF_POD]
    memory[ROWS] += 1


@compiled
def give_back(memory: Ints, now_s: int) -> None:
    """Let others have rented devices; the run goes on only for jobs that wait."""
    job = memory[JOBS] + JOB_SIZE * pop(memory, KEPT_HEAP, KEPT)
    need = memory[job + NEED]
    memory[memory[need + PLACE_OF] + FREE] += memory[need + DEVICES]
    memory[OFFERS_DUE] = 1
    if memory[WAITING]:
        memory[NOW], memory[CHANGED] = now_s, 1


@compiled
def arrive(memory: Ints, now_s: int) -> None:
    """Let all jobs of an instant be newcomers."""
    memory[NOW], memory[CHANGED] = now_s, 1
    job, end = memory[ARRIVED], memory[JOBS_END]
    while job < end and memory[job + SUBMIT] == now_s:
        job += JOB_SIZE
    memory[ARRIVED] = job


@compiled
def make_pass(memory: Ints, reach: Floats) -> None:
    """Start whatever may start now: owned pods first, then rented devices for those out of patience."""
    if memory[NEW_FROM] < memory[ARRIVED]:
        admit(memory, reach)
    elif memory[WAITING]:
        start_waiting(memory, reach)
    while memory[OFFERS_DUE]:
        memory[OFFERS_DUE] = 0
        if memory[WAITING] and start_rented(memory):
            start_waiting(memory, reach)


@compiled
def admit(memory: Ints, reach: Floats) -> None:
    """Let newcomers start, or else decide how long to wait."""
    first, end = memory[NEW_FROM], memory[ARRIVED]
    memory[NEW_FROM] = end
    if not memory[WAITING] and end - first == JOB_SIZE and memory[first + LINE] != NONE:
        need, pod = find(memory, first, False)
        if pod != NONE:
            start_on(memory, first, need, pod)
            return
    for job in range(first, end, JOB_SIZE):
        if memory[job + LINE] != NONE or memory[job + RENTED_LINE] != NONE:
            wait(memory, job)
    start_waiting(memory, reach)
    for job in range(first, end, JOB_SIZE):
        if memory[job + WAITS] and memory[job + RENTED_LINE] != NONE:
            patience_s = memory[job + PATIENCE]
            if not patience_s:
                seek(memory, job)
            elif patience_s != NEVER_BURSTS:
                push(memory, RING_HEAP, RINGS, memory[NOW] + patience_s, memory[job + RANK])
