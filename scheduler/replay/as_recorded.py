"""A run as it was: the jobs start and end when the trace says that they did, and no policy is asked.

The log is the one that a simulation writes, so every figure is computed alike. On which pods of its pool a
gang was, a record does not say, so attempts name none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from simpy import Environment

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Fit, Job, rows_of, shapes_by_row
from scheduler.engine.log.outcomes import FINISHED, REJECTED, UNFINISHED, Account
from scheduler.engine.log.part_files import NO_POD
from scheduler.engine.log.runlog import PART_ROWS, Ended, RunLog
from scheduler.engine.owned.pools import PodNeed
from scheduler.engine.rented.offers import Rental
from scheduler.replay.setup import Setup
from scheduler.stock.stock import Stock
from traces.arrays import Bools, Ints, is_word
from traces.record import Record
from traces.trace import NO_VALUE

NEVER_STARTED = "cancelled before it started"
HeldNeed = PodNeed | Rental


class RecordError(ValueError):
    """A record that the scenario's pools and offers cannot hold; names the second."""


class Stays(NamedTuple):
    """Who held devices when, in order of time: the row of the trace, what was held, from when until when.

    An end is that of the run where the record has none by then.
    """

    row: Ints
    needs: list[HeldNeed]
    start_s: Ints
    end_s: Ints
    ended: Bools


def run_as_recorded(setup: Setup, fit: Fit, log: RunLog) -> int:
    """Log the jobs of a set-up as they were; return the second at which the run ended.

    Raises TraceError where the trace does not say when its jobs ran, and RecordError where more devices were
    in use than there are.
    """
    record, end_s = Record.of(setup.trace), ends_s(setup)
    ready_s = record.ready_s(setup.trace)
    ready_s = np.where(record.started, np.minimum(ready_s, record.start_s), ready_s)
    log.turns.ready_s[:] = ready_s
    unstarted = ~record.started | (record.start_s >= end_s)
    cancelled = is_word(setup.trace.table.column("outcome"), "cancelled") & ~record.started
    for row in np.flatnonzero(unstarted & ~cancelled & (ready_s < end_s)).tolist():
        log.turns.waiting[row] = 1
    stays = stays_of(setup, fit)
    _log_ended(log, stays)
    _log_running(setup, fit, log, stays, end_s)
    for row in np.flatnonzero(unstarted).tolist():
        if setup.trace.numpy("submit_s")[row] >= end_s:
            log.unstarted(row, UNFINISHED, "not yet submitted")
        elif cancelled[row]:
            log.unstarted(row, REJECTED, NEVER_STARTED)
        else:
            why = "still waiting" if log.turns.waiting[row] else "waits for another job"
            log.unstarted(row, UNFINISHED, why)
    log.flush(end_s + (setup.horizon_ends_s is None))
    return end_s


def ends_s(setup: Setup) -> int:
    """Return the second at which a run as recorded ends: the horizon, or what the record has last."""
    horizon_s = setup.horizon_ends_s
    return max(Record.of(setup.trace).last_s, setup.trace.last_submit_s) if horizon_s is None else horizon_s


def stays_of(setup: Setup, fit: Fit) -> Stays:
    """Return who held what, by the record, up to the end of the run.

    A job is where `recorded_where` says, if that is the name of a pool or offer that may hold it; else in the
    first pool in which there was room. Raises RecordError where there was none.
    """
    record, until_s = Record.of(setup.trace), ends_s(setup)
    early = record.started & (record.start_s < setup.start_s)
    if early.any():
        row = int(early.argmax())
        raise RecordError(
            f"row {row} (job_id {setup.trace.numpy('job_id')[row]}): recorded_start_s is "
            f"{record.start_s[row]:,}, before the run, which starts at {setup.start_s:,}; "
            "set `start` in the scenario"
        )
    rows = np.flatnonzero(record.started & (record.start_s < until_s))
    rows = rows[np.argsort(record.start_s[rows], kind="stable")]
    end_s = record.ends_by(until_s)[rows]
    needs = list(_placed(setup, record, fit, rows, end_s))
    ended = (record.end_s[rows] != NO_VALUE) & (record.end_s[rows] <= until_s)
    return Stays(rows, needs, record.start_s[rows], end_s, ended)


def _placed(setup: Setup, record: Record, fit: Fit, rows: Ints, end_s: Ints) -> Iterator[HeldNeed]:
    """Yield what each job held, in order of their starts."""
    free, held = _capacity(setup.stock), list[tuple[int, int, int]]()
    may_be = _candidates(setup, fit)
    for row, start, end in zip(rows.tolist(), record.start_s[rows].tolist(), end_s.tolist(), strict=True):
        while held and held[0][0] <= start:
            _, column, devices = heappop(held)
            free[column] += devices
        need = next((need for need in may_be(row) if need.devices <= free[need.column] or start == end), None)
        if need is None:
            raise _too_many(setup, record, row)
        free[need.column] -= need.devices
        heappush(held, (end, need.column, need.devices))
        yield need


def _capacity(stock: Stock) -> dict[int, int]:
    """Return the devices that there are of each pool and offer, by the number of a `Need`."""
    pools = [pool.pods * pool.pod_devices for pool in stock.pools]
    return dict(enumerate([*pools, *(offer.quota for offer in stock.offers)], 1))


def _candidates(setup: Setup, fit: Fit) -> Callable[[int], Sequence[HeldNeed]]:
    """Say of a row of the trace what it may have held."""
    column = {name: at for at, name in enumerate(setup.stock.names, 1)}
    shape_of, shapes = shapes_by_row(setup.trace, fit)
    where_of, names = setup.trace.codes("recorded_where")

    @cache
    def among(shape: int, where: int) -> Sequence[HeldNeed]:
        anywhere = [*shapes[shape].owned, *shapes[shape].rented]
        there = column.get(names[where]) if where != NO_VALUE else None
        named = [need for need in anywhere if need.column == there]
        return named or shapes[shape].owned or shapes[shape].rented

    return lambda row: among(int(shape_of[row]), int(where_of[row]))


def _too_many(setup: Setup, record: Record, row: int) -> RecordError:
    trace, second = setup.trace, int(record.start_s[row])
    running = record.started & (record.start_s <= second) & (record.ends_by(second + 1) > second)
    there = sum(pool.pods * pool.pod_devices for pool in setup.stock.pools)
    peak = record.peak()
    return RecordError(
        f"second {second:,} ({trace.instant(second):%Y-%m-%d %H:%M:%S} UTC): job_id "
        f"{trace.numpy('job_id')[row]} starts on {record.gang[row]:,} devices by the record, for which "
        f"there is no room: {record.gang[running].sum():,} are in use with it, and the pools have {there:,}; "
        f"at most {peak.devices:,} are in use at once"
    )


def _log_ended(log: RunLog, stays: Stays) -> None:
    """Log who had ended, a part at a time; the log is told who still held devices by then."""
    columns = np.array([(need.column, need.devices, need.used) for need in stays.needs], np.int64)
    column, devices, used = columns.reshape(-1, 3).T
    order = np.lexsort((stays.end_s, ~stays.ended))
    held = np.stack([stays.row, column, devices, stays.start_s], axis=1)[order]
    nothing = np.zeros(len(order), np.int64)
    packed = np.stack(
        [
            *(stays.row, column, devices, used, stays.start_s, nothing, stays.end_s),
            *(nothing + FINISHED, nothing + NO_POD),
        ],
        axis=1,
    )[order]
    for first in range(0, int(stays.ended.sum()), PART_ROWS):
        last = min(first + PART_ROWS, int(stays.ended.sum()))
        log.add(Ended(packed[first:last], {}, {}), held[last:], int(stays.end_s[order[last - 1]]))


def _log_running(setup: Setup, fit: Fit, log: RunLog, stays: Stays, end_s: int) -> None:
    """Log who had not ended."""
    some = np.flatnonzero(~stays.ended)
    for at, job in zip(some.tolist(), rows_of(setup.trace, fit, stays.row[some]), strict=True):
        log.running[_attempt(job, stays.needs[at], int(stays.start_s[at]))] = None
    for attempt in list(log.running):
        del log.running[attempt]
        log.ended(attempt, end_s, UNFINISHED, _so_far(attempt, end_s))


def _attempt(job: Job, need: HeldNeed, start_s: int) -> Attempt:
    return Attempt(Environment(start_s), [], start_s, job, need, (), 0)


def _so_far(attempt: Attempt, end_s: int) -> Account:
    rented = isinstance(attempt.need, Rental)
    kept_s = int(attempt.need.reference_s(end_s - attempt.alloc_s))
    return Account(kept_s, 0, 0, attempt.job.input_tb if rented else 0.0, 0.0)
