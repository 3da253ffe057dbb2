"""The run directory as it grows: part files, each whole or absent.

The engine packs one row of integers an attempt; everything else is worked out per column, a part at a time.
A killed run loses at most the part in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.engine.attempt import Attempt
from scheduler.engine.log import histories
from scheduler.engine.log.admission_log import AdmissionLog
from scheduler.engine.log.carried import Carried, Span
from scheduler.engine.log.histories import Histories, Records
from scheduler.engine.log.outcomes import (
    FINISHED,
    KILLED,
    OUTCOMES,
    OVERRAN,
    PENDING,
    STATES,
    Account,
    Accounts,
    outcome_words,
)
from scheduler.engine.log.part_files import NO_POD, PartFiles, pods_of, unpacked
from scheduler.engine.log.patience_ends import PatienceEnds
from scheduler.engine.log.site_power import SitePower
from scheduler.engine.log.states import Levels, held_by
from scheduler.engine.log.waiting import NEVER, Turns
from scheduler.run.columns import ATTEMPTS, JOBS, TRACE_NAMES, Attempts, states
from traces.arrays import Bools, Floats, Ints, word_column
from traces.rows import JobRows

Price = Callable[[Attempts, Ints, Ints, Bools], tuple[Floats, Floats]]
"""(attempts, row of the trace, resource, finished) -> (spend, revenue) in USD."""

PART_ROWS = 131_072
"""Attempts kept in memory before they, and what changed meanwhile, are written."""

ROW_WIDTH, ENDING = 9, 7
"""Integers of a packed attempt, and which of them says how it ended."""
_ROW = Struct(f"{ROW_WIDTH}q")
_PACK = _ROW.pack
_FROM_TRACE = [name for name in JOBS.names if name in TRACE_NAMES]
_STATE = np.where(np.isin(np.arange(OVERRAN + 1), (*STATES, OVERRAN)), np.arange(OVERRAN + 1), PENDING)
"""What state an outcome leaves the job in."""


class Ended(NamedTuple):
    """Attempts that have ended, packed as `RunLog.ended` does."""

    rows: Ints
    spans: dict[int, list[int]]
    """By row, the pods of those that had several."""
    accounts: dict[int, Account]
    """By row, what those came to that ended otherwise than by finishing undisturbed."""


class RunLog:
    """Collects what happens and writes it under `folder`, which must exist.

    A resource is a pool or an offer, numbered in that order; pods of pools that are `coming` also go.
    """

    def __init__(
        self,
        folder: Path,
        jobs: JobRows,
        pools: Sequence[str],
        offers: Sequence[str],
        price: Price,
        power: SitePower | None = None,
        coming: Sequence[str] = (),
    ) -> None:
        self._jobs = jobs
        self.turns = Turns(jobs.numpy("submit_s").copy())
        self.admissions, self.patience = AdmissionLog(self.turns), PatienceEnds(self.turns)
        self._resources = pa.array([*pools, *offers], pa.string())
        self._first_offer = len(pools)
        self._price = price
        self._states_schema = states(pools, offers, coming, power.names if power is not None else ())
        self._power = power
        self._rows = bytearray()
        self._full = PART_ROWS * _ROW.size
        self._spans: dict[int, list[int]] = {}
        self._accounts = Accounts(jobs)
        self._histories = Histories()
        self.running: dict[Attempt, None] = {}
        """What holds devices now, in order of their start; the simulation keeps it."""
        self.guests: dict[Attempt, None] = {}
        """Guests that use devices now, likewise."""
        since_s = power.start_s if power is not None and power.names else None
        numbers = [pools.index(name) for name in coming]
        columns = len(self._resources), len(pools), numbers
        self._levels = Levels(*columns, self.turns, jobs.numpy("gang"), since_s)
        self._logged = np.zeros(len(self.turns.ready_s), bool)
        self._unstarted: list[tuple[int, int, str]] = []
        self._parts = PartFiles(folder)
        self._counts = np.zeros(len(OUTCOMES), np.int64)
        self._offers = offers
        self._refusals = [0] * len(offers)
        self._carried: Carried | None = None

    def opens(self, opens_s: int, so_far: Iterable[tuple[int, Account]]) -> None:
        """The run begins with jobs that have waited or, by turn, come to something since before."""
        self._levels.opens_s = opens_s
        self._carried = Carried(opens_s, so_far)

    def ended(self, attempt: Attempt, end_s: int, outcome: int, account: Account | None = None) -> None:
        """An attempt gave its devices back; without an account, nothing ever disturbed its job."""
        need, pods, rows = attempt.need, attempt.pods, self._rows
        if len(pods) > 1:
            self._spans[len(rows) // _ROW.size] = [pod.index for pod in pods]
        if account is not None:
            self._accounts.told[len(rows) // _ROW.size] = account
        rows += _PACK(
            attempt.turn,
            need.column,
            need.devices,
            need.used,
            attempt.alloc_s,
            attempt.ready_s,
            end_s,
            outcome,
            pods[0].index if pods else NO_POD,
        )
        if len(rows) >= self._full:
            self.flush(end_s)

    def down(self, pool_index: int, now: int, devices: int) -> None:
        """So many more devices of a pool, or fewer where negative, are out of service and held by nobody."""
        self._levels.down(pool_index, now, devices)

    def owned(self, pool_index: int, now: int, devices: int) -> None:
        """So many more devices of a pool that come and go, or fewer where negative, are there."""
        self._levels.owned(pool_index, now, devices)

    def stops_waiting(self, turn: int, now: int) -> None:
        """A job waits no more, though it does not start."""
        self.turns.waiting[turn] = 0
        self._levels.stops_waiting(turn, now)

    def refused(self, offer_index: int) -> None:
        """An offer, by its place among the offers, refused a request."""
        self._refusals[offer_index] += 1

    def unstarted(self, row: int, outcome: int, reason: str) -> None:
        """A job will not run, or not again, or did not before the run ended."""
        self._unstarted.append((row, outcome, reason))

    def missing(self) -> list[int]:
        """Return the rows of the trace of which no end is logged."""
        turns, *_, outcomes, _ = unpacked(self._rows, 9)
        logged = self._logged.copy()
        logged[self.turns.rows(turns)[_STATE[outcomes] != PENDING]] = True
        logged[[row for row, _, _ in self._unstarted]] = True
        return [int(row) for row in np.flatnonzero(~logged[: len(self._jobs)])]

    def flush(self, until_s: int) -> None:
        """Write what is in memory, and states before `until_s`, when more may still change.

        Each log has at least one part, so that an empty one can be read.
        """
        self._write(until_s, held_by([*self.running, *self.guests]))

    def add(self, ended: Ended, held: Ints, until_s: int) -> None:
        """Take attempts that have ended, at most until it is full at `until_s`; `held` is as of `held_by`."""
        before = len(self._rows) // _ROW.size
        self._spans.update((before + at, pods) for at, pods in ended.spans.items())
        self._accounts.told.update((before + at, account) for at, account in ended.accounts.items())
        self._rows += ended.rows.data
        if len(self._rows) >= self._full:
            self._write(until_s, held)

    def _write(self, until_s: int, held: Ints) -> None:
        attempts = unpacked(self._rows, ROW_WIDTH)
        levels = self._levels.until(until_s, attempts, held)
        power = [] if self._power is None else self._power.kw(levels[1:])
        columns = dict(zip(self._states_schema.names, [*levels, *power], strict=True))
        self._parts.write("states", self._states_schema, columns)
        self._flush_attempts(attempts)
        self._rows.clear()
        self._spans.clear()
        self._accounts.told.clear()

    def counts(self) -> dict[str, int]:
        """Return the number of jobs by final state, of those logged."""
        return {OUTCOMES[state]: int(self._counts[state]) for state in STATES}

    def refusals(self) -> dict[str, int]:
        """Return how many requests each offer refused."""
        return dict(zip(self._offers, self._refusals, strict=True))

    def _flush_attempts(self, packed: list[Ints]) -> None:
        turn, column, devices, used, alloc, ready, end, outcome, pod = packed
        row, resource = self.turns.rows(turn), column - 1
        first = start = np.minimum(alloc + ready, end)  # the horizon may cut off a boot
        rented = resource >= self._first_offer
        told = self._accounts.columns(row, rented, outcome == FINISHED)
        if self._carried is not None:
            alloc, start = self._carried.within(Span(turn, used, alloc, start, end), told)
        idle = (outcome != FINISHED) & (start == end)
        priced = Attempts(devices, alloc, start, end, told["staged_tb"], told["returned_tb"])
        records = Records(
            row,
            _STATE[outcome],
            np.ones(len(row), np.int64),
            np.where(idle & (first >= start), NEVER, first),
            end,
            resource,
            devices,
            used * (end - start - told["checkpointing_s"]),
            told["lost_device_s"],
            *self._price(priced, row, resource, outcome == FINISHED),
        )
        number, ended = self._histories.join(records, turn != row)
        columns = {
            "job_id": self._jobs.take("job_id", row),
            "attempt": number,
            "where": word_column(resource, self._resources),
            "rented": rented,
            "pods": pods_of(pod, self._spans),
            "devices": devices,
            "used": used,
            "alloc_s": alloc,
            "start_s": pa.array(start, mask=idle),
            "end_s": end,
            "outcome": outcome_words(outcome),
            "spend_usd": records.spend_usd,
        }
        self._parts.write("attempts", ATTEMPTS, columns | told)
        self._write_jobs(ended)

    def _write_jobs(self, ended: Records) -> None:
        """Write the rows of jobs whose last attempt ended, then of those that will not run, or not again."""
        rows, states, why = zip(*self._unstarted, strict=True) if self._unstarted else ((), (), ())
        jobs = ended
        if rows:
            jobs = ended.then(self._histories.close(np.array(rows), np.array(states)))
        row = jobs.row
        columns = histories.columns(jobs, self._resources, self._first_offer, self.turns.ready_s[row])
        reasons = [histories.reasons(ended), pa.array(why, pa.string()).dictionary_encode()]
        columns["reason"] = pa.chunked_array(reasons)
        columns |= {name: self._jobs.take(name, row) for name in _FROM_TRACE}
        self._counts += np.bincount(np.minimum(jobs.state, KILLED), minlength=len(OUTCOMES))
        self._logged[row] = True
        self._parts.write("jobs", JOBS, columns)
        self._unstarted.clear()
