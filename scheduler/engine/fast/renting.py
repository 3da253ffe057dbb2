"""Jobs out of patience, and the offer that each of them takes."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.lines import first_of, join, leave, sooner
from scheduler.engine.fast.memory import (
    ABSENT,
    ASIDE,
    ASIDE_LIST,
    BEGIN,
    CASE,
    COUNT,
    DEVICES,
    FREE,
    LINE_SIZE,
    LINES_END,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NONE,
    OFFERS_DUE,
    PLACE_OF,
    RENTED_LINE,
    RENTED_LINES,
    SCORES,
    STAGING,
    WAITS,
)
from scheduler.engine.fast.waiting import begin
from traces.arrays import Ints


@compiled
def seek(memory: Ints, job: int) -> None:
    """Let a job start on rented devices as soon as may be."""
    memory[OFFERS_DUE] = 1
    join(memory, job, RENTED_LINE)


@compiled
def start_rented(memory: Ints) -> bool:
    """Start whoever may start on offers now; say whether anybody did."""
    aside, started = memory[ASIDE_LIST], False
    for at in range(aside, aside + memory[ASIDE]):
        if memory[memory[at] + WAITS]:
            seek(memory, memory[at])
    memory[ASIDE] = memory[OFFERS_DUE] = 0
    while True:
        job = next_to_rent(memory)
        if job == NONE:
            return started
        need = choose(memory, job)
        if need == NONE:
            leave(memory, job, RENTED_LINE)
            memory[aside + memory[ASIDE]] = job
            memory[ASIDE] += 1
        else:
            started = True
            offer = memory[need + PLACE_OF]
            memory[offer + FREE] -= memory[need + DEVICES]
            begin(memory, job, need, NONE, NONE, memory[memory[offer + BEGIN] + memory[job + STAGING]])


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
def choose(memory: Ints, job: int) -> int:
    """Return what a job takes of the offer with the lowest score of all with room, or NONE."""
    line, lowest, taken = memory[job + RENTED_LINE], ABSENT, NONE
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        offer = memory[need + PLACE_OF]
        if memory[need + DEVICES] <= memory[offer + FREE]:
            score = memory[memory[offer + SCORES] + memory[job + CASE]]
            if score < lowest:
                lowest, taken = score, need
    return taken
