"""states.parquet: how many devices are held and how many jobs wait at each instant, worked out afterwards.

Who holds devices when stands in the attempts, and so does until when their jobs waited.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import inf

import numpy as np

from scheduler.engine.attempt import Attempt
from scheduler.engine.log.part_files import unpacked
from scheduler.engine.log.waiting import Turns
from traces.arrays import Ints

_Change = tuple[Ints, Ints, Ints]
"""(seconds, columns of states.parquet, by how much)."""


def held_by(running: Iterable[Attempt]) -> Ints:
    """Return a row an attempt: turn, column, devices, and since when it holds them."""
    rows = [(one.turn, one.need.column, one.need.devices, one.alloc_s) for one in running]
    return np.array(rows, np.int64).reshape(-1, 4)


class Levels:
    """Of each resource the devices held, of each pool those out of service, then waiting jobs and devices.

    Before those stand the devices of each pool, by number, whose pods are `coming` and going.
    """

    def __init__(
        self,
        resources: int,
        pools: int,
        coming: Sequence[int],
        turns: Turns,
        gang: Ints,
        first_s: int | None = None,
    ) -> None:
        """With `first_s` there is a row at that second, though nothing is held and nobody waits."""
        self._first_down = 1 + resources
        self._owned = {pool: self._first_down + pools + at for at, pool in enumerate(coming)}
        self._jobs = self._first_down + pools + len(coming)
        self._begun = self._jobs + 2
        self._steps = StepChanges(self._jobs + 2)
        self._turns, self._gang = turns, gang
        self._moved, self._stopped = array("q"), array("q")
        if first_s is not None:
            self._moved.extend((first_s, self._begun, 1))
        self.opens_s: int | None = None
        """When the run begins, where jobs have waited and held devices before, of which it knows nothing."""

    def down(self, pool_index: int, now: int, devices: int) -> None:
        """So many more devices of a pool, or fewer where negative, are out of service and held by nobody."""
        self._moved.extend((now, self._first_down + pool_index, devices))

    def owned(self, pool_index: int, now: int, devices: int) -> None:
        """So many more devices of a pool that come and go, or fewer where negative, are there."""
        self._moved.extend((now, self._owned[pool_index], devices))

    def stops_waiting(self, turn: int, now: int) -> None:
        """A job waits no more from now on, though it does not start."""
        self._stopped.extend((turn, now))

    def until(self, until_s: int, ended: Sequence[Ints], held: Ints) -> list[Ints]:
        """Return the instants before `until_s` at which a level moved, and each level from then on.

        `ended` are the packed attempts that have ended since the last call, by column; `held` is that of
        `held_by`. What may still change, from `until_s` on, is left to the next call.
        """
        turn, column, devices, _, alloc, _, end, _, _ = ended
        later = held[:, 3] >= until_s
        held_turn, held_column, held_devices, held_alloc = held[~later].T
        waits = np.concatenate(
            [self._turns.now(), held[later, 0]]
        )  # who starts later still waited until then
        since_s = self._turns.since_s(waits)
        came = since_s < until_s
        changes = [
            (alloc, column, devices),
            (end, column, -devices),
            (held_alloc, held_column, held_devices),
            unpacked(self._moved, 3),
            *self._waited(*unpacked(self._stopped, 2)),
            *self._waited(turn, alloc),
            *self._waited(held_turn, held_alloc),
            *self._queued(waits[came], since_s[came], 1),
        ]
        time_s, level, change = map(np.concatenate, zip(*changes, strict=True))
        if self.opens_s is not None:
            time_s = np.maximum(time_s, self.opens_s)
        del self._moved[:], self._stopped[:]
        return self._steps.until(until_s, time_s, level - 1, change)[: self._begun]

    def _waited(self, turn: Ints, start_s: Ints) -> list[_Change]:
        """Changes by those who started, where they had to wait before."""
        since_s = self._turns.since_s(turn)
        some = np.flatnonzero(start_s > since_s)
        return self._queued(turn[some], since_s[some], 1) + self._queued(turn[some], start_s[some], -1)

    def _queued(self, turn: Ints, time_s: Ints, sign: int) -> list[_Change]:
        """Changes of the number of waiting jobs, and of the devices that they ask for."""
        jobs = np.full(len(turn), self._jobs)
        gang = self._gang[self._turns.rows(turn)]
        return [(time_s, jobs, np.full(len(turn), sign)), (time_s, jobs + 1, sign * gang)]


class StepChanges:
    """So many levels as a step function, all 0 at first, from changes that come a part at a time."""

    def __init__(self, levels: int) -> None:
        self._levels = [0] * levels
        self._since_s: float = -inf
        self._later = [np.empty(0, np.int64)] * 3

    def until(self, until_s: int, time_s: Ints, level: Ints, change: Ints) -> list[Ints]:
        """Return the instants before `until_s` at which a level moved, and each level from then on.

        `level` is the number of the level that changes. Changes before the last `until_s` were counted
        then and are passed over; those from `until_s` on are kept for the next call.
        """
        changes = list(map(np.concatenate, zip(self._later, (time_s, level, change), strict=True)))
        later = np.flatnonzero(changes[0] >= until_s)
        self._later = [column[later] for column in changes]
        due = np.flatnonzero((changes[0] >= self._since_s) & (changes[0] < until_s))
        due = due[np.argsort(changes[0][due])]
        time_s, level, change = (column[due] for column in changes)
        last = np.flatnonzero(np.append(time_s[1:] != time_s[:-1], [True] * bool(len(due))))
        moved = np.zeros(len(last), bool)
        levels = []
        changes_of = np.bincount(level, minlength=len(self._levels))
        for at, before in enumerate(self._levels):
            values = np.full(len(last), before)
            if changes_of[at]:
                values = before + np.cumsum(change * (level == at))[last]
                moved |= values != np.append(before, values[:-1])
            levels.append(values)
        self._since_s = until_s
        if len(last):
            self._levels = [int(values[-1]) for values in levels]
        rows = np.flatnonzero(moved)
        return [time_s[last][rows], *(values[rows] for values in levels)]
