"""How attempts end: their devices are given back, the log has a row, and others may follow."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import give
from scheduler.engine.fast.dues import expect_no_more
from scheduler.engine.fast.heap import pop, push
from scheduler.engine.fast.links import free_followers, lose
from scheduler.engine.fast.memory import (
    ALLOC,
    BACKFILL,
    BY_NUMBER,
    CHAIN,
    CHANGED,
    COLUMN,
    DEVICES,
    EASY,
    END_HEAP,
    ENDED,
    ENDS,
    ESTIMATES,
    GRACE,
    HELD_FOR,
    KEEP,
    KEPT,
    KEPT_HEAP,
    LINKS,
    NEED,
    NEXT,
    NONE,
    NOW,
    NUMBER_OF_POD,
    PLACE_OF,
    POD,
    READY,
    RELEASE,
    REST,
    ROW,
    ROW_LIST,
    ROWS,
    RUNS,
    SHADOW,
    SIZE,
    SPAN_LIST,
    SPANNED,
    USED,
)
from scheduler.engine.fast.reserving import look_again
from scheduler.engine.log.outcomes import FINISHED, OVERRAN
from scheduler.engine.log.runlog import ROW_WIDTH
from traces.arrays import Ints


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
    pool = memory[memory[job + NEED] + PLACE_OF]
    give(memory, pool, pod, devices)
    if memory[BACKFILL] == EASY:
        expect_no_more(memory, pool, pod, memory[job + RELEASE], devices)
        if memory[HELD_FOR] != NONE and memory[NOW] < memory[SHADOW]:
            look_again(memory, pod)


@compiled
def log_row(memory: Ints, job: int, now_s: int) -> None:
    """Let the log have an attempt that has ended."""
    need, row = memory[job + NEED], memory[ROW_LIST] + ROW_WIDTH * memory[ROWS]
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
