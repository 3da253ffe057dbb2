"""How jobs come to wait: submitted at their instant, held for others to finish, or rejected."""

from __future__ import annotations

from array import array
from collections.abc import Generator
from functools import partial
from typing import Protocol

from simpy import Environment
from simpy.events import NORMAL, Event, EventPriority, Timeout

from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FINISHED, KILLED, REJECTED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.source import Source
from traces.arrays import Ints

ORPHAN = "a job it depends on will never finish"

_LATE = EventPriority(NORMAL + 1)
"""Arrivals come after whatever else happens at an instant."""


class Dependencies:
    """What became of each job, and who waits for it; rows are those of the trace.

    Where it is not `linked`, no job waits for others. `lag_s` says by row how long after the last of them has
    ended a job is ready; a lag of less than nothing is none.
    """

    def __init__(self, jobs: int, *, linked: bool, lag_s: Ints) -> None:
        self.linked = linked
        self._outcome = bytearray(jobs)
        self._lag_s = lag_s
        self._end_s = array("q", bytes(8 * jobs if linked else 0))
        self._held: dict[int, list[Job]] = {}

    def outcome(self, job: Job) -> int:
        """Return FINISHED if all that a job comes after are, REJECTED if one never will be, else 0."""
        outcomes = [self._outcome[row] for row in job.after or ()]
        return REJECTED if REJECTED in outcomes else 0 if 0 in outcomes else FINISHED

    def ready_s(self, job: Job) -> int:
        """Return from when on a job is ready that comes after others, all of which have finished."""
        lag_s = max(0, int(self._lag_s[job.row]))
        return max(job.submit_s, max(self._end_s[row] for row in job.after or ()) + lag_s)

    def hold(self, job: Job) -> None:
        """Keep a job until all that it comes after are done."""
        for row in job.after or ():
            self._held.setdefault(row, []).append(job)

    def finished(self, row: int, now_s: int) -> list[Job]:
        """Return the jobs that waited for this one to finish, and wait for no other."""
        self._outcome[row] = FINISHED
        if not self.linked:
            return []
        self._end_s[row] = now_s
        return [job for job in self._held.pop(row, []) if self.outcome(job) == FINISHED]

    def orphans(self, row: int) -> list[int]:
        """Return the rows of all that wait, one for another, for a job that will never finish."""
        self._outcome[row] = REJECTED
        rows = [row]
        for lost in rows:
            for job in self._held.pop(lost, []):
                if self._outcome[job.row] != REJECTED:  # else it has come up by another way
                    self._outcome[job.row] = REJECTED
                    rows.append(job.row)
        return rows[1:]

    def held(self) -> frozenset[int]:
        """Return the rows of all jobs that still wait for others."""
        return frozenset(job.row for jobs in self._held.values() for job in jobs)


class ArrivalLoop(Protocol):
    """The simulation, as arrivals move it."""

    now_s: int

    def make_pass(self) -> None:
        """Start whatever may start now."""

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""


class Arrivals:
    """Turns the jobs of a source into newcomers, whom the next pass starts or lets wait."""

    def __init__(self, loop: ArrivalLoop, env: Environment, log: RunLog, dependencies: Dependencies) -> None:
        self._loop, self._env, self._log, self._dependencies = loop, env, log, dependencies
        self._source: Source | None = None
        self.newcomers: list[Job] = []
        self._lagging: set[int] = set()
        self.over = False
        """The source has no more jobs."""
        self.answers = dependencies.linked
        """Whether an end may have consequences for other jobs."""

    def start(self, source: Source) -> None:
        """Let the jobs of a source arrive as the clock goes on."""
        self._source = source
        self.answers |= source.hears
        wake = Event(self._env)
        wake._ok = True  # it has come about as it is scheduled, and has no way to say so in public
        arriving = self._arriving(source, wake)
        wake.callbacks.append(arriving.send)
        next(arriving)

    def _arriving(self, source: Source, wake: Event) -> Generator[None, Event]:
        """Submit the jobs of an instant and make its pass each time that `wake` comes.

        It comes after all other events of its instant, and is one event for all instants: a SimPy process
        that waits for a Timeout each time costs half as much again.
        """
        schedule, callbacks, newcomers = self._env.schedule, wake.callbacks, self.newcomers
        loop, make_pass = self._loop, self._loop.make_pass
        schedule(wake, _LATE, 0)
        yield
        now = int(self._env.now)
        while source.next_s() is not None:
            for job in source.take():
                if (submit_s := job.submit_s) > now:
                    make_pass()
                    wake.callbacks = callbacks
                    schedule(wake, _LATE, submit_s - now)
                    yield
                    loop.now_s = now = submit_s
                if job.after is None and job.shape.owned:
                    newcomers.append(job)
                else:
                    self._submit(job)
        self.over = True
        make_pass()
        yield

    def _submit(self, job: Job) -> None:
        """A job that may have to wait for another, or to be rejected."""
        outcome = self._dependencies.outcome(job)
        if not job.shape.owned and not job.shape.rented:
            self._reject(job, job.shape.nowhere)
        elif job.after is None:
            self.newcomers.append(job)
        elif outcome == FINISHED:
            self._follow(job)
        elif outcome == REJECTED:
            self._reject(job, ORPHAN)
        else:
            self._dependencies.hold(job)

    def _follow(self, job: Job) -> None:
        """Let a job wait for devices, now or after its lag, as all that it comes after have finished."""
        ready_s = self._dependencies.ready_s(job)
        if ready_s <= self._loop.now_s:
            self._ready(job, ready_s)
        else:
            self._lagging.add(job.row)
            Timeout(self._env, ready_s - self._loop.now_s).callbacks.append(partial(self._lagged, job))

    def _lagged(self, job: Job, _: Event) -> None:
        self._loop.now_s = ready_s = int(self._env.now)
        self._lagging.remove(job.row)
        self._ready(job, ready_s)
        self._loop.settle()

    def _ready(self, job: Job, ready_s: int) -> None:
        self._log.turns.ready_s[job.row] = ready_s
        self.newcomers.append(job)

    @property
    def lagging(self) -> bool:
        """Whether a job will be ready without anything else happening."""
        return bool(self._lagging)

    def _reject(self, job: Job, reason: str) -> None:
        self._log.unstarted(job.row, REJECTED, reason)
        self.lost(job.row, REJECTED)

    def ended(self, row: int, ending: int) -> None:
        """A job has finished, or overran its time; rows are those of the trace."""
        if ending == FINISHED:
            self._finished(row)
        else:
            self.lost(row, KILLED)

    def _finished(self, row: int) -> None:
        """Let those who waited for a job to finish wait for devices."""
        for dependent in self._dependencies.finished(row, self._loop.now_s):
            self._follow(dependent)
        self._answer(row, FINISHED)

    def lost(self, row: int, outcome: int) -> None:
        """Reject all that wait for a job which will never finish: it was rejected or killed."""
        self._answer(row, outcome)
        for orphan in self._dependencies.orphans(row):
            self._log.unstarted(orphan, REJECTED, ORPHAN)
            self._answer(orphan, REJECTED)

    def _answer(self, row: int, outcome: int) -> None:
        if self._source is not None and self._source.hears:
            self._source.ended(row, outcome, self._loop.now_s)

    def still_held(self) -> frozenset[int]:
        """Return the rows of all jobs that still wait for others, or for their lag to be over."""
        return self._dependencies.held() | self._lagging
