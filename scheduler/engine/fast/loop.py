"""The loop: all events of an instant, then one pass, as `engine/simulation.py` has it."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.heap import earliest_s, pop, push
from scheduler.engine.fast.links import free_followers, lose, submit, welcome
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    ARRIVED,
    BACKFILL,
    BY_NUMBER,
    BY_RANK,
    CHAIN,
    CHANGED,
    COLUMN,
    DEVICES,
    EASY,
    END_HEAP,
    ENDED,
    ENDS,
    ESTIMATES,
    FREE,
    GRACE,
    HELD_FOR,
    HORIZON,
    JOB_SIZE,
    JOBS,
    JOBS_END,
    KEEP,
    KEPT,
    KEPT_HEAP,
    LAG_HEAP,
    LAGS,
    LINE,
    LINKS,
    NEED,
    NEVER_BURSTS,
    NEWCOMER_LIST,
    NEWCOMERS,
    NEXT,
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
    REST,
    RING_HEAP,
    RINGS,
    ROOM,
    ROW,
    ROW_LIST,
    ROWS,
    RUNS,
    SHADOW,
    SIZE,
    SPAN_LIST,
    SPAN_ROOM,
    SPANNED,
    SUBMIT,
    TIES,
    USED,
    WAITING,
    WAITS,
)
from scheduler.engine.fast.pods import expect_no_more, give
from scheduler.engine.fast.renting import seek, start_rented
from scheduler.engine.fast.reserving import look_again
from scheduler.engine.fast.waiting import find, start_on, start_waiting, wait
from scheduler.engine.log.outcomes import FINISHED, OVERRAN
from traces.arrays import Floats, Ints


@compiled
def go_on(memory: Ints, reach: Floats) -> bool:
    """Run until the end, or until the rows that are to be logged are full; say whether it is the end."""
    while True:
        if memory[ENDED] != NONE:
            answer(memory)
        end_s = earliest_s(memory, END_HEAP) if memory[ENDS] else ABSENT
        back_s = earliest_s(memory, KEPT_HEAP) if memory[KEPT] else ABSENT
        ring_s = next_ring_s(memory)
        lag_s = earliest_s(memory, LAG_HEAP) if memory[LAGS] else ABSENT
        arrived = memory[ARRIVED]
        submit_s = memory[arrived + SUBMIT] if arrived < memory[JOBS_END] else ABSENT
        next_s = min(end_s, back_s, ring_s, lag_s, submit_s)
        if memory[CHANGED] and next_s > memory[NOW]:
            memory[CHANGED] = 0
            make_pass(memory, reach)
        elif next_s >= memory[HORIZON]:
            return True
        elif end_s == next_s:
            finish(memory, end_s)
            if memory[ROWS] == memory[ROOM] or memory[SPANNED] > memory[SPAN_ROOM]:
                return False
        elif back_s == next_s:
            give_back(memory, back_s)
        elif ring_s == next_s:
            job = memory[memory[BY_RANK] + pop(memory, RING_HEAP, RINGS)]
            memory[NOW], memory[CHANGED] = ring_s, 1
            seek(memory, job)
        elif lag_s == next_s:
            memory[NOW], memory[CHANGED] = lag_s, 1
            welcome(memory, memory[JOBS] + JOB_SIZE * pop(memory, LAG_HEAP, LAGS), lag_s)
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
    if memory[LINKS] != NONE:
        memory[ENDED] = job
    need, pod, chain = memory[job + NEED], memory[job + POD], memory[job + CHAIN]
    place, row = memory[need + PLACE_OF], memory[job + ROW]
    if pod == NONE and chain == NONE:
        push(memory, KEPT_HEAP, KEPT, now_s + memory[place + KEEP], row)
    elif chain != NONE:
        log_pods(memory, pod, chain)
    log_row(memory, job, now_s)
    while chain != NONE:
        release(memory, job, chain, memory[place + SIZE])
        chain = memory[chain + NEXT]
    if pod != NONE:
        release(memory, job, pod, memory[need + REST])


@compiled
def release(memory: Ints, job: int, pod: int, devices: int) -> None:
    """Give devices of a pod back."""
    give(memory, memory[memory[job + NEED] + PLACE_OF], pod, devices)
    if memory[BACKFILL] == EASY:
        expect_no_more(memory, pod, memory[job + RELEASE], devices)
        if memory[HELD_FOR] != NONE and memory[NOW] < memory[SHADOW]:
            look_again(memory, pod)


@compiled
def log_row(memory: Ints, job: int, now_s: int) -> None:
    """Let the log have an attempt that has ended."""
    need, row = memory[job + NEED], memory[ROW_LIST] + 9 * memory[ROWS]
    first = memory[job + CHAIN] if memory[job + CHAIN] != NONE else memory[job + POD]
    memory[row], memory[row + 1] = memory[job + ROW], memory[need + COLUMN]
    memory[row + 2], memory[row + 3] = memory[need + DEVICES], memory[need + USED]
    memory[row + 4], memory[row + 5], memory[row + 6] = memory[job + ALLOC], memory[job + READY], now_s
    memory[row + 7] = OVERRAN if is_killed(memory, job) else FINISHED
    memory[row + 8] = -1 if first == NONE else memory[first + NUMBER_OF_POD]
    memory[ROWS] += 1


@compiled
def is_killed(memory: Ints, job: int) -> bool:
    """Say whether a job that has ended ran past its estimate for too long."""
    need, row = memory[job + NEED], memory[job + ROW]
    limit_s = memory[memory[need + ESTIMATES] + row] + memory[GRACE]
    return bool(memory[memory[need + RUNS] + row] > limit_s)


@compiled
def log_pods(memory: Ints, pod: int, chain: int) -> None:
    """Let the log have the pods of the gang whose row comes next."""
    at = memory[SPAN_LIST] + memory[SPANNED]
    memory[at], first = memory[ROWS], at + 2
    at = first
    while chain != NONE:
        memory[at], chain = memory[chain + NUMBER_OF_POD], memory[chain + NEXT]
        at += 1
    if pod != NONE:
        memory[at] = memory[pod + NUMBER_OF_POD]
        at += 1
    memory[first - 1] = at - first
    memory[SPANNED] = at - memory[SPAN_LIST]


@compiled
def answer(memory: Ints) -> None:
    """Let an end have its consequences for the jobs that come after."""
    job = memory[ENDED]
    memory[ENDED] = NONE
    if is_killed(memory, job):
        lose(memory, memory[job + ROW])
    else:
        free_followers(memory, memory[job + ROW])


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
    """Submit all jobs of an instant."""
    memory[NOW], memory[CHANGED] = now_s, 1
    job, end = memory[ARRIVED], memory[JOBS_END]
    while job < end and memory[job + SUBMIT] == now_s:
        submit(memory, job)
        job += JOB_SIZE
    memory[ARRIVED] = job


@compiled
def make_pass(memory: Ints, reach: Floats) -> None:
    """Start whatever may start now: owned pods first, then rented devices for those out of patience."""
    if memory[NEWCOMERS]:
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
    first = memory[NEWCOMER_LIST]
    end = first + memory[NEWCOMERS]
    memory[NEWCOMERS] = 0
    if not memory[WAITING] and end - first == 1 and memory[memory[first] + LINE] != NONE:
        need, pod, chain = find(memory, memory[first], False)
        if need != NONE:
            start_on(memory, memory[first], need, pod, chain)
            return
    for at in range(first, end):
        wait(memory, memory[at])
    start_waiting(memory, reach)
    for at in range(first, end):
        job = memory[at]
        if memory[job + WAITS] and memory[job + RENTED_LINE] != NONE:
            patience_s = memory[job + PATIENCE]
            if not patience_s:
                seek(memory, job)
            elif patience_s != NEVER_BURSTS:
                push(memory, RING_HEAP, RINGS, memory[NOW] + patience_s, memory[job + RANK])
