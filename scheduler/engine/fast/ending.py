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
    HELD_FOR,
    JOB,
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
    ROW_LIST,
    ROWS,
    SHADOW,
    SIZE,
    SPAN_LIST,
    SPANNED,
    USED,
    WAS_KILLED,
)
from scheduler.engine.fast.records import killed_after_s, row_of, run_s, vacate
from scheduler.engine.fast.reserving import look_again
from scheduler.engine.log.outcomes import FINISHED, OVERRAN
from scheduler.engine.log.runlog import ROW_WIDTH
from traces.arrays import Ints


@compiled
def finish(memory: Ints, now_s: int) -> None:
    """End the next attempt: give its devices back, and log it."""
    number = pop(memory, END_HEAP, ENDS)
    attempt = memory[memory[BY_NUMBER] + number]
    memory[NOW], memory[CHANGED] = now_s, 1
    if memory[LINKS] != NONE:
        memory[ENDED], memory[WAS_KILLED] = memory[attempt + JOB], is_killed(memory, attempt)
    need, pod, chain = memory[attempt + NEED], memory[attempt + POD], memory[attempt + CHAIN]
    place = memory[need + PLACE_OF]
    if chain != NONE:
        log_pods(memory, pod, chain)
    log_row(memory, attempt, now_s)
    if pod == NONE and chain == NONE:
        push(memory, KEPT_HEAP, KEPT, now_s + memory[place + KEEP], number)
        return
    while chain != NONE:
        release(memory, attempt, chain, memory[place + SIZE])
        chain = memory[chain + NEXT]
    if pod != NONE:
        release(memory, attempt, pod, memory[need + REST])
    vacate(memory, attempt)


@compiled
def release(memory: Ints, attempt: int, pod: int, devices: int) -> None:
    """Give devices of a pod back."""
    pool = memory[memory[attempt + NEED] + PLACE_OF]
    give(memory, pool, pod, devices)
    if memory[BACKFILL] == EASY:
        expect_no_more(memory, pool, pod, memory[attempt + RELEASE], devices)
        if memory[HELD_FOR] != NONE and memory[NOW] < memory[SHADOW]:
            look_again(memory, pod)


@compiled
def log_row(memory: Ints, attempt: int, now_s: int) -> None:
    """Let the log have an attempt that has ended."""
    need, row = memory[attempt + NEED], memory[ROW_LIST] + ROW_WIDTH * memory[ROWS]
    first = memory[attempt + CHAIN] if memory[attempt + CHAIN] != NONE else memory[attempt + POD]
    memory[row], memory[row + 1] = row_of(memory, memory[attempt + JOB]), memory[need + COLUMN]
    memory[row + 2], memory[row + 3] = memory[need + DEVICES], memory[need + USED]
    memory[row + 4], memory[row + 5], memory[row + 6] = (
        memory[attempt + ALLOC],
        memory[attempt + READY],
        now_s,
    )
    memory[row + 7] = OVERRAN if is_killed(memory, attempt) else FINISHED
    memory[row + 8] = -1 if first == NONE else memory[first + NUMBER_OF_POD]
    memory[ROWS] += 1


@compiled
def is_killed(memory: Ints, attempt: int) -> bool:
    """Say whether an attempt that has ended ran past its estimate for too long."""
    job, need = memory[attempt + JOB], memory[attempt + NEED]
    return bool(run_s(memory, job, need) > killed_after_s(memory, job, need))


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
    if memory[WAS_KILLED]:
        lose(memory, row_of(memory, job))
    else:
        free_followers(memory, row_of(memory, job))
