"""Jobs that come after others: held until those have finished and a lag is over, or rejected."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.heap import push
from scheduler.engine.fast.memory import (
    ABSENT,
    FOLLOWERS,
    FOLLOWERS_END,
    HELD,
    JOB_SIZE,
    JOBS,
    LAG,
    LAG_HEAP,
    LAGS,
    LAST_END,
    LINE,
    LINK_SIZE,
    LINKS,
    LOST,
    NEWCOMER_LIST,
    NEWCOMERS,
    NONE,
    NOW,
    PENDING,
    REJECT_LIST,
    REJECT_SIZE,
    REJECTED_ROW,
    REJECTS,
    STOPPED_S,
    SUBMIT,
    TURNED_AWAY,
    WAS_READY,
)
from scheduler.engine.fast.records import rented_line, row_of
from traces.arrays import Ints


@compiled
def submit(memory: Ints, job: int) -> None:
    """Let a job be a newcomer, or wait for others, or be rejected."""
    link = memory[LINKS] + LINK_SIZE * row_of(memory, job)
    if memory[job + LINE] == NONE and rented_line(memory, job) == NONE:
        reject(memory, job, False, ABSENT)
    elif memory[LINKS] == NONE:
        welcome(memory, job, memory[NOW])
    elif memory[link + LOST]:
        reject(memory, job, False, ABSENT)
    elif memory[link + PENDING]:
        memory[link + HELD] = 1
    else:
        follow(memory, job, link)


@compiled
def welcome(memory: Ints, job: int, ready_s: int) -> None:
    """Let a job be a newcomer."""
    if memory[LINKS] != NONE:
        memory[memory[LINKS] + LINK_SIZE * row_of(memory, job) + WAS_READY] = ready_s
    memory[memory[NEWCOMER_LIST] + memory[NEWCOMERS]] = job
    memory[NEWCOMERS] += 1


@compiled
def follow(memory: Ints, job: int, link: int) -> None:
    """Let a job be a newcomer, now or after its lag, as all that it comes after have finished."""
    ready_s = max(memory[job + SUBMIT], memory[link + LAST_END] + memory[link + LAG])
    if ready_s <= memory[NOW]:
        welcome(memory, job, ready_s)
    else:
        push(memory, LAG_HEAP, LAGS, ready_s, row_of(memory, job))


@compiled
def free_followers(memory: Ints, row: int) -> None:
    """Let those who waited for a job of this row to finish, and wait for no other, follow."""
    link = memory[LINKS] + LINK_SIZE * row
    for at in range(memory[link + FOLLOWERS], memory[link + FOLLOWERS_END]):
        other = memory[LINKS] + LINK_SIZE * memory[at]
        memory[other + LAST_END] = memory[NOW]
        memory[other + PENDING] -= 1
        if memory[other + HELD] and not memory[other + PENDING]:
            memory[other + HELD] = 0
            follow(memory, memory[JOBS] + JOB_SIZE * memory[at], other)


@compiled
def reject(memory: Ints, job: int, turned_away: bool, stopped_s: int) -> None:
    """Reject a job, and all that wait for it; it is turned away if that is because pods have left."""
    note(memory, row_of(memory, job), turned_away, stopped_s)
    if memory[LINKS] != NONE:
        lose(memory, row_of(memory, job))


@compiled
def note(memory: Ints, row: int, turned_away: bool, stopped_s: int) -> None:
    """Let the log have a job, by its row, that is rejected."""
    entry = memory[REJECT_LIST] + REJECT_SIZE * memory[REJECTS]
    memory[entry + REJECTED_ROW], memory[entry + TURNED_AWAY] = row, turned_away
    memory[entry + STOPPED_S] = stopped_s
    memory[REJECTS] += 1


@compiled
def lose(memory: Ints, row: int) -> None:
    """Reject all that wait, one for another, for the job of this row, which will never finish."""
    at = memory[REJECTS]
    while True:
        link = memory[LINKS] + LINK_SIZE * row
        for place in range(memory[link + FOLLOWERS], memory[link + FOLLOWERS_END]):
            other = memory[LINKS] + LINK_SIZE * memory[place]
            memory[other + LOST] = 1
            if memory[other + HELD]:
                memory[other + HELD] = 0
                note(memory, memory[place], False, ABSENT)
        if at == memory[REJECTS]:
            return
        row = memory[memory[REJECT_LIST] + REJECT_SIZE * at + REJECTED_ROW]
        at += 1
