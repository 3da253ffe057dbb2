"""How jobs come to wait: submitted at their instant, held for others to finish, or rejected."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from math import inf
from typing import Protocol

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.dependencies import Dependencies
from scheduler.engine.instant import ARRIVALS, call_at, come_about
from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FINISHED, KILLED, REJECTED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.source import Source

ORPHAN = "a job it depends on will never finish"


class ArrivalLoop(Protocol):
    """The simulation, as arrivals move it."""

    now_s: int

    def make_pass(self) -> None:
        """Start whatever may start now."""

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""


class GuestLine(Protocol):
    """Those who use what the others leave, and wait in a line of their own."""

    def admits(self, job: Job) -> bool:
        """Say whether a job is a guest's."""

    def submit(self, job: Job) -> None:
        """Let a guest wait from now on."""


class Arrivals:
    """Turns the jobs of a source into newcomers, whom the next pass starts or lets wait."""

    def __init__(self, loop: ArrivalLoop, env: Environment, log: RunLog, dependencies: Dependencies) -> None:
        self._loop, self._env, self._log, self._dependencies = loop, env, log, dependencies
        self._source: Source | None = None
        self._wakes_s = inf
        """When a source that answers is to be asked next, as far as it has said."""
        self.guests: GuestLine | None = None
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
        if source.answers:
            self._attend(source)
            return
        wake = come_about(self._env)
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
        schedule(wake, ARRIVALS, 0)
        yield
        now = int(self._env.now)
        while source.next_s() is not None:
            for job in source.take():
                if (submit_s := job.submit_s) > now:
                    make_pass()
                    wake.callbacks = callbacks
                    schedule(wake, ARRIVALS, submit_s - now)
                    yield
                    loop.now_s = now = submit_s
                if job.after is None and job.shape.owned:
                    newcomers.append(job)
                else:
                    self._submit(job)
        self.over = True
        make_pass()
        yield

    def _attend(self, source: Source) -> None:
        """See to it that a source that answers is asked at its next instant."""
        next_s = source.next_s()
        if next_s is not None and next_s < self._wakes_s:
            self._wakes_s = next_s
            call_at(self._env, ARRIVALS, next_s - int(self._env.now), self._ask)

    def _ask(self, _: Event) -> None:
        """Submit the jobs of this instant, if it still is the source's next; it comes after other events.

        A pass follows only if jobs were submitted, or anything else happened: a replay of the trace that
        comes of the run has no other passes.
        """
        loop, source, now = self._loop, self._source, int(self._env.now)
        assert source is not None
        if now == self._wakes_s:
            submitted = False
            while source.next_s() == now:  # again where it answers a rejection at once
                for job in source.take():
                    self._log.turns.ready_s[job.row] = job.submit_s
                    if self.guests is not None and self.guests.admits(job):
                        self.guests.submit(job)
                    else:
                        submitted, loop.now_s = True, now
                        self._submit(job)
            if submitted:
                loop.make_pass()
            elif loop.now_s == now:
                loop.settle()
            self._wakes_s = inf
            self._attend(source)
        elif loop.now_s == now:
            loop.settle()

    def rest(self) -> None:
        """Give rows to the jobs that were still to come when the run ended."""
        if self._source is not None:
            for job in self._source.rest():
                self._log.turns.ready_s[job.row] = job.submit_s

    def _submit(self, job: Job) -> None:
        """A job that may have to wait for another, or to be rejected."""
        outcome = self._dependencies.outcome(job)
        if not job.shape.owned and not job.shape.rented:
            self.reject(job, job.shape.nowhere)
        elif job.after is None:
            self.newcomers.append(job)
        elif outcome == FINISHED:
            self._follow(job)
        elif outcome == REJECTED:
            self.reject(job, ORPHAN)
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

    def began(self, job: Job) -> None:
        """A job has run since before the run began: it was ready before that."""
        if job.after == ():
            self._log.turns.ready_s[job.row] = self._dependencies.ready_s(job)

    def _ready(self, job: Job, ready_s: int) -> None:
        self._log.turns.ready_s[job.row] = ready_s
        self.newcomers.append(job)

    @property
    def lagging(self) -> bool:
        """Whether a job will be ready without anything else happening."""
        return bool(self._lagging)

    def reject(self, job: Job, reason: str) -> None:
        """Reject a job, and all that wait for it."""
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

    def started(self, row: int) -> None:
        """An attempt of a job has its devices; rows are those of the trace."""
        if self._source is not None and self._source.hears:
            self._source.started(row, self._loop.now_s)
            self._listen(self._source)

    def _answer(self, row: int, outcome: int) -> None:
        if self._source is not None and self._source.hears:
            self._source.ended(row, outcome, self._loop.now_s)
            self._listen(self._source)

    def _listen(self, source: Source) -> None:
        if source.answers:
            self._attend(source)

    def still_held(self) -> frozenset[int]:
        """Return the rows of all jobs that still wait for others, or for their lag to be over."""
        return self._dependencies.held() | self._lagging
