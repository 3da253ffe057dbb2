"""Jobs out of patience, and the offer that each of them takes."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.lines import first_of, join, leave, sooner, stands
from scheduler.engine.fast.memory import (
    ASIDE,
    ASIDE_LIST,
    ASKS,
    BEGIN,
    COUNT,
    DEVICES,
    FREE,
    HAVE_RENTED,
    LINE_SIZE,
    LINES_END,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NONE,
    NOW,
    OFFERS_DUE,
    PERIOD,
    PLACE_OF,
    PREFERENCE,
    PREFERENCE_BITS,
    PREFERENCE_SIZE,
    PREFERENCES,
    PREFERRED_IN,
    PREFERS,
    PRICES,
    PRICES_END,
    RENT,
    RENTED_LEAF,
    RENTED_LINE,
    RENTED_LINES,
    RENTS,
    STAGING,
    UNWANTED,
    WAITS,
)
from scheduler.engine.fast.records import renter_of, row_of
from scheduler.engine.fast.waiting import begin
from traces.arrays import Ints


@compiled
def seek(memory: Ints, job: int) -> None:
    """Let a job start on rented devices as soon as may be."""
    memory[OFFERS_DUE] = 1
    renter = renter_of(memory, job)
    line, leaf = memory[renter + RENTED_LINE], memory[renter + RENTED_LEAF]
    if not stands(memory, line, leaf):
        join(memory, job, line, leaf)


@compiled
def start_rented(memory: Ints) -> bool:
    """Start whoever may start on offers now; say whether anybody did.

    Where a job has to be asked what it prefers, it stops, and goes on from there when it is called again.
    """
    if not memory[RENTS]:
        call_again(memory)
    while True:
        job = next_to_rent(memory)
        if job == NONE:
            started = memory[RENTS] == HAVE_RENTED
            memory[RENTS] = 0
            return bool(started)
        renter, preference = renter_of(memory, job), 0
        if memory[memory[renter + RENTED_LINE] + PREFERS]:
            told = memory[PREFERENCES] + PREFERENCE_SIZE * row_of(memory, job)
            if memory[told + PREFERRED_IN] != memory[PERIOD]:
                memory[ASKS] = job
                return False
            preference = memory[told + PREFERENCE]
        need = choose(memory, memory[renter + RENTED_LINE], preference)
        if need == NONE:
            leave(memory, job, memory[renter + RENTED_LINE], memory[renter + RENTED_LEAF])
            memory[memory[ASIDE_LIST] + memory[ASIDE]] = job
            memory[ASIDE] += 1
        else:
            memory[RENTS] = HAVE_RENTED
            offer = memory[need + PLACE_OF]
            memory[offer + FREE] -= memory[need + DEVICES]
            begin(memory, job, need, NONE, NONE, memory[memory[offer + BEGIN] + memory[renter + STAGING]])


@compiled
def call_again(memory: Ints) -> None:
    """Begin to look at who may rent, with those who stood aside."""
    aside = memory[ASIDE_LIST]
    for at in range(aside, aside + memory[ASIDE]):
        if memory[memory[at] + WAITS]:
            seek(memory, memory[at])
    memory[ASIDE] = memory[OFFERS_DUE] = 0
    memory[RENTS] = RENT
    while memory[PRICES] < memory[PRICES_END] and memory[memory[PRICES]] <= memory[NOW]:
        memory[PRICES] += 1
        memory[PERIOD] += 1


@compiled
def next_to_rent(memory: Ints) -> int:
    """Return the first in order who seeks rented devices and fits the quota of some offer, or NONE."""
    best = NONE
    for line in range(memory[RENTED_LINES], memory[LINES_END], LINE_SIZE):
        if memory[line + COUNT]:
            for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
                if memory[need + DEVICES] <= memory[memory[need + PLACE_OF] + FREE]:
                    best = sooner(memory, best, first_of(memory, line))
                    break
    return best


@compiled
def choose(memory: Ints, line: int, preference: int) -> int:
    """Return what somebody in line takes of the offer that it prefers of all with room, or NONE."""
    lowest, taken = UNWANTED, NONE
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        rank = preference & UNWANTED
        preference >>= PREFERENCE_BITS
        if rank < lowest and memory[need + DEVICES] <= memory[memory[need + PLACE_OF] + FREE]:
            lowest, taken = rank, need
    return taken
