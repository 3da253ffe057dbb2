"""What is worked out from the record of a job or a need, and where attempts have theirs."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.memory import (
    ATTEMPT_SIZE,
    ATTEMPTS_END,
    ESTIMATE,
    ESTIMATES,
    GRACE,
    JOB,
    JOB_SIZE,
    JOBS,
    NONE,
    RENTED_LINE,
    RENTER_SIZE,
    RENTERS,
    RUNS,
    RUNTIME,
    VACANT,
)
from traces.arrays import Ints


@compiled
def row_of(memory: Ints, job: int) -> int:
    """Return the row of a job in the trace."""
    return (job - memory[JOBS]) // JOB_SIZE  # type: ignore[no-any-return]


@compiled
def renter_of(memory: Ints, job: int) -> int:
    """Return what a job has where it may rent; there must be some who may."""
    return memory[RENTERS] + RENTER_SIZE * row_of(memory, job)  # type: ignore[no-any-return]


@compiled
def rented_line(memory: Ints, job: int) -> int:
    """Return where a job stands while it seeks offers, NONE where it never does."""
    if memory[RENTERS] == NONE:
        return NONE
    return memory[renter_of(memory, job) + RENTED_LINE]  # type: ignore[no-any-return]


@compiled
def estimate_s(memory: Ints, job: int, need: int) -> int:
    """Return how long a job should run on what it takes."""
    if memory[need + ESTIMATES] == NONE:
        return memory[job + ESTIMATE]  # type: ignore[no-any-return]
    return memory[memory[need + ESTIMATES] + row_of(memory, job)]  # type: ignore[no-any-return]


@compiled
def run_s(memory: Ints, job: int, need: int) -> int:
    """Return how long a job runs there, if it is not killed."""
    if memory[need + RUNS] == NONE:
        return memory[job + RUNTIME]  # type: ignore[no-any-return]
    return memory[memory[need + RUNS] + row_of(memory, job)]  # type: ignore[no-any-return]


@compiled
def killed_after_s(memory: Ints, job: int, need: int) -> int:
    """Return after how long a job is killed there."""
    return estimate_s(memory, job, need) + memory[GRACE]  # type: ignore[no-any-return]


@compiled
def new_attempt(memory: Ints) -> int:
    """Return where an attempt may have its record."""
    attempt = memory[VACANT]
    if attempt == NONE:
        attempt = memory[ATTEMPTS_END]
        memory[ATTEMPTS_END] = attempt + ATTEMPT_SIZE
    else:
        memory[VACANT] = memory[attempt + JOB]
    return attempt  # type: ignore[no-any-return]


@compiled
def vacate(memory: Ints, attempt: int) -> None:
    """Let another attempt have the place of one that is over."""
    memory[attempt + JOB], memory[VACANT] = memory[VACANT], attempt
