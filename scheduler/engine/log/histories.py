"""What all attempts of a job come to together, joined a part of the log at a time.

An attempt is a record, and so is a job: that of an interrupted one adds up those of its attempts. Of all
jobs, only those that have been interrupted and have not ended are kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.engine.log.outcomes import FINISHED, KILLED, OVERRAN, PENDING, UNFINISHED, outcome_words
from scheduler.engine.log.waiting import NEVER
from traces.arrays import Bools, Floats, Ints, word_column

_REASONS = ("still running", "no work yet", "no retry left", "ran past its estimate")


class Records(NamedTuple):
    """Attempts or jobs by column; `row` is that in the trace."""

    row: Ints
    state: Ints
    attempts: Ints
    start_s: Ints
    end_s: Ints
    """Of the last attempt, as are the next two."""
    resource: Ints
    devices: Ints
    worked_device_s: Ints
    lost_device_s: Ints
    spend_usd: Floats
    revenue_usd: Floats

    @classmethod
    def unused(cls, row: Ints, state: Ints) -> Records:
        """Return jobs without an attempt."""
        nothing, no_money = np.zeros((6, len(row)), np.int64), np.zeros((2, len(row)))
        return cls(row, state, nothing[0], np.full(len(row), NEVER), *nothing[1:], *no_money)

    def of(self, some: Ints) -> Records:
        """Return those of some indices."""
        return Records._make(column[some] for column in self)

    def then(self, others: Records) -> Records:
        """Return these, then others."""
        return Records._make(map(np.concatenate, zip(self, others, strict=True)))

    def put(self, some: Ints, others: Records) -> Records:
        """Return these with others in place of some."""
        columns = [column.copy() for column in self]
        for column, values in zip(columns, others, strict=True):
            column[some] = values
        return Records._make(columns)


class Histories:
    """The jobs that were interrupted and have not ended with an attempt."""

    def __init__(self) -> None:
        self._open = Records.unused(*np.empty((2, 0), np.int64))

    def join(self, attempts: Records, again: Bools) -> tuple[Ints, Records]:
        """Join attempts, in order of time, to earlier ones; `again` says of which jobs there were some.

        Return the number of each within its job, from 1 on, and the jobs that ended with one of them.
        """
        number = np.ones(len(again), np.int64)
        several = np.flatnonzero(again | (attempts.state == PENDING))
        if not len(several):
            return number, attempts
        number[several], joined = self._joined(attempts.of(several))
        jobs = attempts.put(several, joined)
        return number, jobs.of(np.flatnonzero(jobs.state != PENDING))

    def _joined(self, attempts: Records) -> tuple[Ints, Records]:
        """The record of the last attempt of each job becomes the job's."""
        earlier = len(self._open.row)
        every = self._open.then(attempts)
        order = np.argsort(every.row, kind="stable")
        ordered = every.of(order)
        changes = ordered.row[1:] != ordered.row[:-1]
        first, last = np.flatnonzero(np.append(True, changes)), np.flatnonzero(np.append(changes, True))
        jobs = _summed(ordered, first, last)
        so_far = np.cumsum(ordered.attempts)
        before = np.repeat(so_far[last] - jobs.attempts, last - first + 1)
        number = np.empty(len(order), np.int64)
        number[order] = so_far - before
        self._open = jobs.of(np.flatnonzero(jobs.state == PENDING))
        return number[earlier:], every.put(order[last], jobs).of(np.arange(earlier, len(order)))

    def close(self, rows: Ints, states: Ints) -> Records:
        """Return the records of jobs that end without another attempt, be it that they never had one."""
        interrupted = np.flatnonzero(np.isin(rows, self._open.row))
        at = np.searchsorted(self._open.row, rows[interrupted])
        last = self._open.of(at)._replace(state=states[interrupted])
        return Records.unused(rows, states).put(interrupted, last)


def _summed(records: Records, first: Ints, last: Ints) -> Records:
    """Sum up runs of records, each of one job: their first start, and what does not add up is of the last."""
    return records.of(last)._replace(
        start_s=np.minimum.reduceat(records.start_s, first),
        attempts=np.add.reduceat(records.attempts, first),
        worked_device_s=np.add.reduceat(records.worked_device_s, first),
        lost_device_s=np.add.reduceat(records.lost_device_s, first),
        spend_usd=np.add.reduceat(records.spend_usd, first),
        revenue_usd=np.add.reduceat(records.revenue_usd, first),
    )


def columns(jobs: Records, resources: pa.Array, first_offer: int, ready_s: Ints) -> dict[str, Any]:
    """Return what jobs.parquet says of jobs, but for what stands in the trace, and the reason."""
    unused, idle, killed = jobs.attempts == 0, jobs.start_s == NEVER, jobs.state >= KILLED
    return {
        "ready_s": ready_s,
        "start_s": pa.array(jobs.start_s, mask=idle),
        "end_s": pa.array(jobs.end_s, mask=unused | (jobs.state == UNFINISHED)),
        "wait_s": pa.array(jobs.start_s - ready_s, mask=idle),
        "state": outcome_words(jobs.state),
        "where": word_column(jobs.resource, resources, unused),
        "rented": pa.array(jobs.resource >= first_offer, mask=unused),
        "devices": pa.array(jobs.devices, mask=unused),
        "attempts": jobs.attempts,
        "lost_device_s": np.where(killed, jobs.worked_device_s, jobs.lost_device_s),
        "spend_usd": jobs.spend_usd,
        "revenue_usd": jobs.revenue_usd,
    }


def reasons(jobs: Records) -> pa.DictionaryArray:
    """Say why jobs did not finish whose last attempt ended them."""
    killed = np.where(jobs.state == OVERRAN, 3, 2)
    why = np.where(jobs.state >= KILLED, killed, jobs.start_s == NEVER)
    return word_column(why, _REASONS, jobs.state == FINISHED)
