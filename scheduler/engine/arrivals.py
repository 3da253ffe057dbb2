"""How jobs come to wait: submitted at their instant, held for others to finish, or rejected."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from simpy import Environment
from simpy.events import NORMAL, Event, EventPriority

from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FINISHED, REJECTED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.source import Source

ORPHAN = "the job it depends on will never finish"

_LATE = EventPriority(NORMAL + 1)
"""Arrivals come after whatever else happens at an instant."""


class Dependencies:
    """What became of each job, and who waits for it; rows are those of the trace.

    Where it is not `linked`, no job waits for another.
    """

    def __init__(self, jobs: int, *, linked: bool) -> None:
        self.linked = linked
        self._outcome = bytearray(jobs)
        self._held: dict[int, list[Job]] = {}

    def outcome(self, row: int) -> int:
        """Return FINISHED, REJECTED, or 0 for a job of which neither is known."""
        return self._outcome[row]

    def hold(self, job: Job, after: int) -> None:
        """Keep a job until the one it depends on is done."""
        self._held.setdefault(after, []).append(job)

    def finished(self, row: int) -> list[Job]:
        """Return the jobs that waited for this one to finish."""
        self._outcome[row] = FINISHED
        return self._held.pop(row, [])

    def orphans(self, row: int) -> list[int]:
        """Return the rows of all that wait, one for another, for a job that will never finish."""
        rows = [row]
        for lost in rows:
            self._outcome[lost] = REJECTED
            rows += [job.row for job in self._held.pop(lost, [])]
        return rows[1:]

    def held(self) -> frozenset[int]:
        """Return the rows of all jobs that still wait for another."""
        return frozenset(job.row for jobs in self._held.values() for job in jobs)


class ArrivalLoop(Protocol):
    """The simulation, as arrivals move it."""

    now_s: int

    def make_pass(self) -> None:
        """Start whatever may start now."""


class Arrivals:
    """Turns the jobs of a source into newcomers, whom the next pass starts or lets wait."""

    def __init__(self, loop: ArrivalLoop, env: Environment, log: RunLog, dependencies: Dependencies) -> None:
        self._loop, self._env, self._log, self._dependencies = loop, env, log, dependencies
        self._source: Source | None = None
        self.newcomers: list[Job] = []
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
        after = job.after
        outcome = FINISHED if after is None else self._dependencies.outcome(after)
        if not job.shape.owned and not job.shape.rented:
            self._reject(job, "no pool or offer that it may use is large enough")
        elif outcome == FINISHED:
            self.newcomers.append(job)
        elif outcome == REJECTED:
            self._reject(job, ORPHAN)
        elif after is not None:
            self._dependencies.hold(job, after)

    def _reject(self, job: Job, reason: str) -> None:
        self._log.unstarted(job.row, REJECTED, reason)
        self.lost(job.row, REJECTED)

    def finished(self, row: int) -> None:
        """Let those who waited for a job to finish wait for devices; rows are those of the trace."""
        for dependent in self._dependencies.finished(row):
            self._log.turns.ready_s[dependent.row] = self._loop.now_s
            self.newcomers.append(dependent)
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
        """Return the rows of all jobs that still wait for another."""
        return self._dependencies.held()
