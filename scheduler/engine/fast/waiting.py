"""Who waits for pods, who of them starts, and what is reserved for the head."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.heap import push
from scheduler.engine.fast.lines import first_of, first_of_all, first_within, join, leave, sooner, stands
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    BACKFILL,
    BY_NUMBER,
    COUNT,
    DEVICES,
    DUE_LIST,
    DUES,
    EASY,
    END_HEAP,
    ENDS,
    ESTIMATES,
    FIRST,
    FREE,
    HEAD,
    HELD_FOR,
    LINE,
    LINE_SIZE,
    LINES,
    NEED,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NONE,
    NOW,
    NUMBER,
    PLACE,
    PLACE_OF,
    POD,
    POD_SIZE,
    PODS,
    PODS_END,
    READY,
    RELEASE,
    RENTED_LINE,
    RENTED_LINES,
    RESERVED,
    ROW,
    RUNS,
    SHADOW,
    SPARE,
    STARTED,
    STRICT,
    WAITING,
    WAITS,
)
from scheduler.engine.fast.pods import better, expect, give, has_room, in_pool, shadow
from traces.arrays import Floats, Ints


@compiled
def wait(memory: Ints, job: int) -> None:
    """Let a job begin to wait."""
    memory[job + WAITS] = 1
    memory[WAITING] += 1
    if memory[job + LINE] != NONE:
        join(memory, job, LINE)
        if memory[HEAD] != NONE:
            memory[HEAD] = sooner(memory, job, memory[HEAD])


@compiled
def begin(memory: Ints, job: int, need: int, pod: int, ready_s: int) -> None:
    """Let an attempt begin; whoever waited waits no more."""
    if memory[job + WAITS]:
        memory[job + WAITS] = 0
        memory[WAITING] -= 1
        if memory[job + LINE] != NONE:
            leave(memory, job, LINE)
            if memory[HEAD] == job:
                memory[HEAD] = NONE
        if stands(memory, job, RENTED_LINE):
            leave(memory, job, RENTED_LINE)
    memory[job + NEED], memory[job + POD] = need, pod
    memory[job + ALLOC], memory[job + READY] = memory[NOW], ready_s
    number = memory[STARTED]
    memory[STARTED] = number + 1
    memory[memory[BY_NUMBER] + number] = job
    run_s = memory[memory[need + RUNS] + memory[job + ROW]]
    push(memory, END_HEAP, ENDS, memory[NOW] + ready_s + run_s, number)


@compiled
def start_on(memory: Ints, job: int, need: int, pod: int) -> None:
    """Start a job on a pod."""
    begin(memory, job, need, pod, 0)
    devices = memory[need + DEVICES]
    give(memory, memory[need + PLACE_OF], pod, -devices)
    if memory[BACKFILL] == EASY:
        due_s = memory[NOW] + memory[memory[need + ESTIMATES] + memory[job + ROW]]
        memory[job + RELEASE] = due_s
        expect(memory, pod, due_s, devices)


@compiled
def find(memory: Ints, job: int, limited: bool) -> tuple[int, int]:
    """Return what a job would take and the pod, or NONE; where limited, it leaves what is reserved."""
    line, place, best, taken = memory[job + LINE], memory[PLACE], NONE, NONE
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        devices, closed = memory[need + DEVICES], NONE
        if limited and devices > memory[SPARE]:
            run_s = memory[memory[need + ESTIMATES] + memory[job + ROW]]
            if run_s > memory[SHADOW] - memory[NOW]:
                closed = memory[RESERVED]
        pod = in_pool(memory, memory[need + PLACE_OF], devices, place, closed)
        if pod != NONE and better(memory, place, pod, best):
            best, taken = pod, need
            if place == FIRST:
                break
    return taken, best


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
        need, pod = find(memory, head, False)
        if pod == NONE:
            break
        start_on(memory, head, need, pod)
        memory[HELD_FOR] = NONE
    if memory[BACKFILL] == STRICT:
        return
    if memory[HELD_FOR] != head or memory[NOW] >= memory[SHADOW]:
        memory[HELD_FOR] = memory[RESERVED] = NONE
    job = next_to_pass(memory, reach)
    while job != NONE:
        need, pod = find(memory, job, easy)
        start_on(memory, job, need, pod)
        if pod == memory[RESERVED]:
            look_again(memory, pod)
        job = next_to_pass(memory, reach)


@compiled
def next_to_pass(memory: Ints, reach: Floats) -> int:
    """Return the first in order who may pass the head now, or NONE."""
    best = NONE
    for line in range(memory[LINES], memory[RENTED_LINES], LINE_SIZE):
        if not memory[line + COUNT]:
            continue
        limit_s = room(memory, reach, line)
        if limit_s and memory[BACKFILL] == EASY and memory[HELD_FOR] == NONE:
            reserve(memory)
            limit_s = room(memory, reach, line)
        if limit_s == ABSENT:
            best = sooner(memory, best, first_of(memory, line))
        elif limit_s:
            best = sooner(memory, best, first_within(memory, line, limit_s))
    return best


@compiled
def room(memory: Ints, reach: Floats, line: int) -> int:
    """Return the longest estimate that may start in a line now; 0 for none, ABSENT for any."""
    most, reserved = 0, memory[RESERVED]
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        pool, devices = memory[need + PLACE_OF], memory[need + DEVICES]
        if has_room(memory, pool, devices, reserved):
            return ABSENT
        if memory[pool + PODS] <= reserved < memory[pool + PODS_END] and memory[reserved + FREE] >= devices:
            if devices <= memory[SPARE]:
                return ABSENT
            most = max(most, int((memory[SHADOW] - memory[NOW]) / reach[memory[need + NUMBER]]))
    return most


@compiled
def reserve(memory: Ints) -> None:
    """Reserve for the head: the earliest pod, ties to the first."""
    head = memory[HEAD]
    line = memory[head + LINE]
    memory[HELD_FOR], memory[SHADOW], memory[RESERVED] = head, ABSENT, NONE
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        pool, devices = memory[need + PLACE_OF], memory[need + DEVICES]
        for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
            soonest_s = memory[memory[pod + DUE_LIST]] if memory[pod + DUES] else 0
            if soonest_s < memory[SHADOW] or memory[pod + FREE] >= devices:
                keep_if_sooner(memory, pod, devices, memory[SHADOW])


@compiled
def look_again(memory: Ints, pod: int) -> None:
    """A gang has started or ended on a pod: renew what is reserved."""
    line, reserved = memory[memory[HELD_FOR] + LINE], memory[RESERVED]
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        pool = memory[need + PLACE_OF]
        if memory[pool + PODS] <= pod < memory[pool + PODS_END]:
            before_s = ABSENT if pod == reserved else memory[SHADOW] + (pod < reserved)
            keep_if_sooner(memory, pod, memory[need + DEVICES], before_s)


@compiled
def keep_if_sooner(memory: Ints, pod: int, devices: int, before_s: int) -> None:
    """Reserve on a pod if it has the devices before some instant."""
    time_s, spare = shadow(memory, pod, devices, memory[NOW], before_s)
    if time_s < before_s:
        memory[SHADOW], memory[RESERVED], memory[SPARE] = time_s, pod, spare
