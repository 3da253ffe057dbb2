"""Where the waits of a record went: why a job that was ready did not run, second by second.

It is read from the record and from how many devices there are, and no policy is asked. Devices of all pools
count together, so what lies apart on several pods counts as room.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import Array, Bools, Ints, sorted_by
from traces.times import HOUR_S

NO_ROOM, STOPPED, RESERVED = "no_room", "stopped", "reserved"
OWNER_DEVICES, OWNER_JOBS, OWNER_PROMISED, OTHER = "owner_devices", "owner_jobs", "owner_promised", "other"
REASONS = {
    NO_ROOM: "too few devices were free",
    STOPPED: f"nothing ran at all, for {HOUR_S // 3600} h or longer",
    RESERVED: "there was room, and another job waited that had none",
    OWNER_DEVICES: "with it, its owner would have held more devices than ever",
    OWNER_JOBS: "with it, its owner would have run more jobs than ever",
    OWNER_PROMISED: "with it, its owner would have been promised more device-hours than ever",
    OTHER: "there was room, and none of these",
}
"""Why a job waited in a second, by the record: the first of these that is so."""
STOPPED_S = HOUR_S
"""A cluster that runs nothing for so long, though someone waits, has stopped. Assumed."""


class RecordedJobs(NamedTuple):
    """The jobs that started by a record, in order of `job_id`, as columns."""

    ready_s: Ints
    start_s: Ints
    end_s: Ints
    devices: Ints
    asked_s: Ints
    """Run time asked for."""
    owner: Ints
    """Number of the owner."""
    owners: list[str]
    queue: Ints
    queues: list[str]

    @classmethod
    def of(cls, was: Run) -> RecordedJobs:
        """Return those of a run as recorded."""
        names = ["job_id", "ready_s", "start_s", "end_s", "gang", "devices", "estimate_s", "owner", "queue"]
        jobs = sorted_by(was.table("jobs", names), "job_id")
        jobs = jobs.filter(pc.is_valid(jobs.column("start_s")))

        def whole(name: str, absent: pa.ChunkedArray | int) -> Ints:
            return np.asarray(pc.fill_null(jobs.column(name), absent).to_numpy().astype(np.int64))

        return cls(
            *(whole("ready_s", 0), whole("start_s", 0), whole("end_s", was.end_s)),
            *(whole("devices", jobs.column("gang").combine_chunks()), whole("estimate_s", 0)),
            *_codes(jobs.column("owner")),
            *_codes(jobs.column("queue")),
        )

    @property
    def waited_s(self) -> Ints:
        """How long each waited."""
        return self.start_s - self.ready_s


def _codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    words = column.cast("string").combine_chunks().dictionary_encode()
    return words.indices.to_numpy().astype(np.int64), words.dictionary.to_pylist()


@dataclass(frozen=True)
class Timeline:
    """A record as levels: what holds from each instant at which anything changes up to the next."""

    jobs: RecordedJobs
    devices: int
    """All that there are."""

    @cached_property
    def time_s(self) -> Ints:
        """The instants."""
        return np.unique(np.concatenate([self.jobs.ready_s, self.jobs.start_s, self.jobs.end_s]))

    @cached_property
    def span_s(self) -> Ints:
        """How long each lasts."""
        return np.append(np.diff(self.time_s), 0)

    @cached_property
    def _bounds(self) -> tuple[Ints, Ints, Ints]:
        jobs = self.jobs
        ready, start, end = (
            np.searchsorted(self.time_s, at) for at in (jobs.ready_s, jobs.start_s, jobs.end_s)
        )
        return ready, start, end

    def waiting_at(self, row: int) -> slice:
        """Return the instants from which on a job waits."""
        ready, start, _ = self._bounds
        return slice(int(ready[row]), int(start[row]))

    def running(self, amount: Array, rows: Array | None = None) -> Array:
        """Return the sum of an amount over the jobs that run, of all or of some rows."""
        return self._level(amount, self._bounds[1], self._bounds[2], rows)

    def waiting(self, amount: Array) -> Array:
        """Return the sum of an amount over the jobs that wait."""
        return self._level(amount, self._bounds[0], self._bounds[1], None)

    def _level(self, amount: Array, first: Ints, last: Ints, rows: Array | None) -> Array:
        change = np.zeros(len(self.time_s) + 1, amount.dtype)
        some = slice(None) if rows is None else rows
        np.add.at(change, first[some], amount[some])
        np.add.at(change, last[some], -amount[some])
        return np.cumsum(change)[:-1]

    @cached_property
    def free(self) -> Ints:
        """Devices that nobody holds."""
        return np.asarray(self.devices - self.running(self.jobs.devices))

    @cached_property
    def queued(self) -> Ints:
        """Jobs that wait."""
        return np.asarray(self.waiting(np.ones(len(self.jobs.ready_s), np.int64)))

    @cached_property
    def lacking(self) -> Ints:
        """Jobs that wait and have no room."""
        lacking = np.zeros(len(self.time_s), np.int64)
        for row in np.flatnonzero(self.jobs.waited_s).tolist():
            at = self.waiting_at(row)
            lacking[at] += self.jobs.devices[row] > self.free[at]
        return lacking

    @cached_property
    def stopped(self) -> Bools:
        """Whether nothing runs, though someone waits, for `STOPPED_S` or longer."""
        still = (self.free == self.devices) & (self.queued > 0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], still.astype(int), [0]])))
        for first, last in edges.reshape(-1, 2).tolist():
            still[first:last] = self.span_s[first:last].sum() >= STOPPED_S
        return np.asarray(still)


class OwnerLevels(NamedTuple):
    """What an owner has over time."""

    devices: Array
    jobs: Array
    promised: Array
    """Device-seconds that its running jobs have left of what they asked for."""

    @classmethod
    def of(cls, line: Timeline, rows: Array) -> OwnerLevels:
        """Return those of the jobs in some rows."""
        jobs = line.jobs
        devices = line.running(jobs.devices, rows)
        asked = line.running(jobs.devices.astype(float) * (jobs.start_s + jobs.asked_s), rows)
        count = line.running(np.ones(len(jobs.devices), np.int64), rows)
        return cls(devices, count, asked - devices.astype(float) * line.time_s)

    def most(self) -> dict[str, float]:
        """Return the most of each that it ever has."""
        return {name: float(level.max()) for name, level in self._asdict().items()}

    def over(self, at: slice, devices: int, asked_s: int) -> dict[str, Bools]:
        """Say when one job more would make each of them more than it ever is."""
        more = devices, 1, float(devices) * asked_s
        return {
            name: np.asarray(level[at] + amount > level.max() + 1e-6)
            for name, level, amount in zip(
                (OWNER_DEVICES, OWNER_JOBS, OWNER_PROMISED), self, more, strict=True
            )
        }


class WaitAccount(NamedTuple):
    """Where the waits of a record went."""

    reason_s: dict[str, Ints]
    """Seconds of each job, by `REASONS`."""
    most: list[dict[str, float]]
    """Of each owner, by the fields of `OwnerLevels`."""

    def total_s(self, reason: str) -> int:
        """Return the seconds of all jobs."""
        return int(self.reason_s[reason].sum())


def account(line: Timeline) -> WaitAccount:
    """Tell the waits of a record apart, each second once."""
    jobs = line.jobs
    reason_s = {reason: np.zeros(len(jobs.ready_s), np.int64) for reason in REASONS}
    most = []
    for owner in range(len(jobs.owners)):
        rows = np.flatnonzero(jobs.owner == owner)
        own = OwnerLevels.of(line, rows)
        most.append(own.most())
        for row in rows[jobs.waited_s[rows] > 0].tolist():
            _tell_apart(line, own, row, reason_s)
    return WaitAccount(reason_s, most)


def _tell_apart(line: Timeline, own: OwnerLevels, row: int, reason_s: dict[str, Ints]) -> None:
    at, devices = line.waiting_at(row), int(line.jobs.devices[row])
    left = line.span_s[at].copy()
    so = {NO_ROOM: devices > line.free[at], STOPPED: line.stopped[at], RESERVED: line.lacking[at] > 0}
    so |= own.over(at, devices, int(line.jobs.asked_s[row]))
    for reason, holds in so.items():
        reason_s[reason][row] = left[holds].sum()
        left[holds] = 0
    reason_s[OTHER][row] = left.sum()
