"""The loop: all events of an instant, then one pass, as `engine/simulation.py` has it."""

from __future__ import annotations

from scheduler.engine.fast.changes import admitted, change, next_change_s
from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.ending import answer, finish
from scheduler.engine.fast.heap import earliest_s, number_of, pop, push
from scheduler.engine.fast.links import submit, welcome
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    ARMED_S,
    ARRIVED,
    ASKING,
    ASKS,
    BY_NUMBER,
    BY_RANK,
    CHANGED,
    DEVICES,
    END_HEAP,
    ENDED,
    ENDS,
    FREE,
    FULL,
    HORIZON,
    JOB_SIZE,
    JOBS,
    JOBS_END,
    KEPT,
    KEPT_HEAP,
    LAG_HEAP,
    LAGS,
    LINE,
    NEED,
    NEVER_BURSTS,
    NEWCOMER_LIST,
    NEWCOMERS,
    NONE,
    NOW,
    OFFERS_DUE,
    OVER,
    PATIENCE,
    PLACE_OF,
    PUT_OFF,
    RANK,
    RENTS,
    RING_HEAP,
    RINGS,
    ROOM,
    ROWS,
    SPAN_ROOM,
    SPANNED,
    SUBMIT,
    WAITING,
    WAITS,
)
from scheduler.engine.fast.records import rented_line, renter_of, vacate
from scheduler.engine.fast.renting import seek, start_rented
from scheduler.engine.fast.waiting import find, start_on, start_waiting, wait
from traces.arrays import Floats, Ints


@compiled
def go_on(memory: Ints, reach: Floats) -> int:
    """Run until the end, or until there is something to log or to ask; say which."""
    while True:
        if is_asking(memory, reach):
            return ASKING
        if memory[ENDED] != NONE:
            answer(memory)
        end_s = earliest_s(memory, END_HEAP) if memory[ENDS] else ABSENT
        back_s = earliest_s(memory, KEPT_HEAP) if memory[KEPT] else ABSENT
        ring_s = next_ring_s(memory)
        lag_s = earliest_s(memory, LAG_HEAP) if memory[LAGS] else ABSENT
        change_s = next_change_s(memory)
        submit_s = memory[memory[ARRIVED] + SUBMIT] if memory[ARRIVED] < memory[JOBS_END] else ABSENT
        next_s = min(end_s, back_s, ring_s, lag_s, change_s, submit_s)
        if memory[CHANGED] and next_s > memory[NOW]:
            memory[CHANGED] = 0
            make_pass(memory, reach)
        elif next_s >= memory[HORIZON]:
            return OVER
        elif change_s == next_s and (end_s > next_s or changes_first(memory)):
            change(memory)
        elif end_s == next_s:
            finish(memory, end_s)
            if memory[ROWS] == memory[ROOM] or memory[SPANNED] > memory[SPAN_ROOM]:
                return FULL
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
def is_asking(memory: Ints, reach: Floats) -> bool:
    """Go on with a look at who may rent; say whether it has to know what somebody prefers."""
    if memory[RENTS]:
        rent(memory, reach)
    return bool(memory[ASKS] != NONE)


@compiled
def changes_first(memory: Ints) -> bool:
    """Say whether pods come and go before the next attempt ends, at the same instant.

    Of two events the one that was known first comes first, as in SimPy.
    """
    attempt = memory[memory[BY_NUMBER] + number_of(memory, memory[memory[END_HEAP]])]
    return bool(not memory[PUT_OFF] and memory[attempt + ALLOC] >= memory[ARMED_S])


@compiled
def next_ring_s(memory: Ints) -> int:
    """Return when the next who still waits loses patience."""
    while memory[RINGS]:
        job = memory[memory[BY_RANK] + number_of(memory, memory[memory[RING_HEAP]])]
        if memory[job + WAITS]:
            return earliest_s(memory, RING_HEAP)
        pop(memory, RING_HEAP, RINGS)
    return ABSENT


@compiled
def give_back(memory: Ints, now_s: int) -> None:
    """Let others have rented devices; the run goes on only for jobs that wait."""
    attempt = memory[memory[BY_NUMBER] + pop(memory, KEPT_HEAP, KEPT)]
    need = memory[attempt + NEED]
    vacate(memory, attempt)
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
    rent(memory, reach)


@compiled
def rent(memory: Ints, reach: Floats) -> None:
    """Start whoever may start on offers, then whoever may start on pods since they left."""
    while memory[RENTS] or memory[OFFERS_DUE]:
        memory[OFFERS_DUE] = 0
        if (memory[RENTS] or memory[WAITING]) and start_rented(memory):
            start_waiting(memory, reach)
        if memory[ASKS] != NONE:
            return


@compiled
def admit(memory: Ints, reach: Floats) -> None:
    """Let newcomers start, or else decide how long to wait."""
    admitted(memory)
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
        if memory[job + WAITS] and rented_line(memory, job) != NONE:
            patience_s = memory[renter_of(memory, job) + PATIENCE]
            if not patience_s:
                seek(memory, job)
            elif patience_s != NEVER_BURSTS:
                push(memory, RING_HEAP, RINGS, memory[NOW] + patience_s, memory[job + RANK])
