"""Who waits for pods, who of them starts, and what is reserved for the head."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.counts import give
from scheduler.engine.fast.dues import expect
from scheduler.engine.fast.heap import push
from scheduler.engine.fast.lines import first_of, first_of_all, first_short, join, leave, sooner, stands
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    BACKFILL,
    BY_NUMBER,
    CHAIN,
    COUNT,
    DEVICES,
    EASY,
    END_HEAP,
    ENDS,
    FIRST,
    HEAD,
    HELD_FOR,
    JOB,
    LEAF,
    LINE,
    LINE_SIZE,
    LINES,
    LOOKS,
    NEED,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NEXT,
    NONE,
    NOW,
    ORDINAL,
    PLACE,
    PLACE_OF,
    POD,
    READY,
    RELEASE,
    RENTED_LEAF,
    RENTED_LINE,
    RENTED_LINES,
    RESERVED,
    REST,
    SEVERAL,
    SHADOW,
    SIZE,
    STARTED,
    STRICT,
    WAITING,
    WAITS,
    WHOLE,
)
from scheduler.engine.fast.pods import better, in_pool
from scheduler.engine.fast.records import (
    estimate_s,
    killed_after_s,
    new_attempt,
    rented_line,
    renter_of,
    run_s,
)
from scheduler.engine.fast.reserving import drop, look_again, reserve
from scheduler.engine.fast.rooms import room
from scheduler.engine.fast.spans import across, touches
from traces.arrays import Floats, Ints


@compiled
def wait(memory: Ints, job: int) -> None:
    """Let a job begin to wait."""
    memory[job + WAITS] = 1
    memory[WAITING] += 1
    if memory[job + LINE] != NONE:
        join(memory, job, memory[job + LINE], memory[job + LEAF])
        if memory[HEAD] != NONE:
            memory[HEAD] = sooner(memory, job, memory[HEAD])


@compiled
def begin(memory: Ints, job: int, need: int, pod: int, chain: int, ready_s: int) -> int:
    """Let an attempt begin; whoever waited waits no more."""
    if memory[job + WAITS]:
        memory[job + WAITS] = 0
        memory[WAITING] -= 1
        if memory[job + LINE] != NONE:
            leave(memory, job, memory[job + LINE], memory[job + LEAF])
            if memory[HEAD] == job:
                memory[HEAD] = NONE
        if rented_line(memory, job) != NONE:
            stop_seeking(memory, job)
    attempt, number = new_attempt(memory), memory[STARTED]
    memory[attempt + JOB], memory[attempt + NEED] = job, need
    memory[attempt + POD], memory[attempt + CHAIN] = pod, chain
    memory[attempt + ALLOC], memory[attempt + READY] = memory[NOW], ready_s
    memory[attempt + ORDINAL], memory[STARTED] = number, number + 1
    memory[memory[BY_NUMBER] + number] = attempt
    lasting_s = min(run_s(memory, job, need), killed_after_s(memory, job, need))
    push(memory, END_HEAP, ENDS, memory[NOW] + ready_s + lasting_s, number)
    return attempt


@compiled
def stop_seeking(memory: Ints, job: int) -> None:
    """Let a job seek offers no more, if it did."""
    renter = renter_of(memory, job)
    line, leaf = memory[renter + RENTED_LINE], memory[renter + RENTED_LEAF]
    if stands(memory, line, leaf):
        leave(memory, job, line, leaf)


@compiled
def start_on(memory: Ints, job: int, need: int, pod: int, chain: int) -> None:
    """Start a job on a pod, or on whole ones and one for the rest."""
    attempt = begin(memory, job, need, pod, chain, 0)
    due_s = memory[NOW] + estimate_s(memory, job, need)
    memory[attempt + RELEASE] = due_s
    pool = memory[need + PLACE_OF]
    while chain != NONE:
        take(memory, pool, chain, memory[pool + SIZE], due_s)
        chain = memory[chain + NEXT]
    if pod != NONE:
        take(memory, pool, pod, memory[need + REST], due_s)


@compiled
def take(memory: Ints, pool: int, pod: int, devices: int, due_s: int) -> None:
    """Take devices of a pod, which should be free again then."""
    give(memory, pool, pod, -devices)
    if memory[BACKFILL] == EASY:
        expect(memory, pool, pod, due_s, devices)


@compiled
def find(memory: Ints, job: int, limited: bool) -> tuple[int, int, int]:
    """Return what a job would take, the pod for it or the rest of it, and the first of its whole pods.

    NONE where there is no such thing; where limited, it leaves what is reserved.
    """
    line, place, best, taken = memory[job + LINE], memory[PLACE], NONE, NONE
    left_s = memory[SHADOW] - memory[NOW]
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        if memory[need + WHOLE]:
            continue
        should_s = estimate_s(memory, job, need)
        short = not limited or should_s <= left_s
        pod = in_pool(memory, memory[need + PLACE_OF], memory[need + DEVICES], place, short, should_s, NONE)
        if pod != NONE and better(memory, place, pod, best):
            best, taken = pod, need
            if place == FIRST:
                break
    if taken != NONE:
        return taken, best, NONE
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        if memory[need + WHOLE]:
            should_s = estimate_s(memory, job, need)
            rest, chain = across(memory, need, not limited or should_s <= left_s, should_s)
            if chain != NONE:
                return need, rest, chain
    return NONE, NONE, NONE


@compiled
def start_waiting(memory: Ints, reach: Floats) -> None:
    """Start whoever may start on pods now: heads, then those who may pass the head."""
    easy = memory[BACKFILL] == EASY
    while True:
        if memory[HEAD] == NONE:
            memory[HEAD] = first_of_all(memory, memory[LINES], memory[RENTED_LINES])
        head = memory[HEAD]
        if head == NONE:
            return
        need, pod, chain = find(memory, head, False)
        if need == NONE:
            break
        start_on(memory, head, need, pod, chain)
        memory[HELD_FOR] = NONE
    if memory[BACKFILL] == STRICT:
        return
    if memory[HELD_FOR] != head or memory[NOW] >= memory[SHADOW] - memory[SEVERAL]:
        drop(memory)
    job = next_to_pass(memory, reach)
    while job != NONE:
        need, pod, chain = find(memory, job, easy)
        start_on(memory, job, need, pod, chain)
        if memory[HELD_FOR] != NONE and touches(memory, pod, chain):
            if memory[SEVERAL]:
                drop(memory)
            else:
                look_again(memory, memory[RESERVED])
        job = next_to_pass(memory, reach)


@compiled
def next_to_pass(memory: Ints, reach: Floats) -> int:
    """Return the first in order who may pass the head now, or NONE."""
    best = NONE
    memory[LOOKS] += 1
    for line in range(memory[LINES], memory[RENTED_LINES], LINE_SIZE):
        if not memory[line + COUNT]:
            continue
        limit_s = room(memory, reach, line)
        if limit_s and memory[BACKFILL] == EASY and memory[HELD_FOR] == NONE:
            reserve(memory)
            memory[LOOKS] += 1
            limit_s = room(memory, reach, line)
        if limit_s == ABSENT:
            best = sooner(memory, best, first_of(memory, line))
        elif limit_s:
            best = sooner(memory, best, first_short(memory, line, limit_s))
    return best
