"""The run, as the parts of a storm, and pods that come and go, see it and move it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.attempt import Attempt
from scheduler.engine.instant import ASKING, call_at
from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import KILLED, REJECTED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.keeping import Kept
from scheduler.engine.owned.lineup import Lineup
from scheduler.engine.rented.patience import PatienceTimer
from scheduler.engine.rented.renting import Renting


class QuotaLine(Protocol):
    """Those who wait for the quota of their queue."""

    def waiting(self) -> Sequence[Job]:
        """Return them, in order of the queues and of each."""

    def leaves(self, turn: int) -> None:
        """A job waits no more, though it does not start."""


class Loop(Protocol):
    """The simulation, as its handle reaches it."""

    env: Environment
    now_s: int
    horizon_s: int | None
    log: RunLog
    running: dict[Attempt, None]
    arrivals: Arrivals
    lineup: Lineup
    renting: Renting
    patience: PatienceTimer
    waiting_jobs: int

    @property
    def quota_line(self) -> QuotaLine | None:
        """None where no queues have quotas."""

    def key(self, job: Job) -> float:
        """Return the order's key of a job at this moment."""

    def seek(self, score: float, job: Job) -> None:
        """Let a job that is out of patience, for whatever reason, seek rented devices."""

    def finish(self, attempt: Attempt) -> None:
        """End an attempt whose work is done, now."""

    def release(self, attempt: Attempt) -> None:
        """Take back the devices of an attempt that is no longer among those that run."""

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""

    def ask_again(self, now_s: int) -> None:
        """Make the pass if somebody gives way to the head now, though nothing else has happened."""


class Handle:
    """The run, as the parts of a storm see and change it; times are whole seconds from the epoch."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._resting_jobs = 0
        self._asks_s = -1
        """The last instant of which all is heard before it is asked who gives way."""
        self.env, self.log = loop.env, loop.log
        self.running = loop.running
        """All attempts that hold devices, in order of their start."""
        self.key, self.finish, self.release = loop.key, loop.finish, loop.release

    @property
    def now_s(self) -> int:
        """The present second."""
        return self._loop.now_s

    def later(self, delay_s: int, act: Callable[[], None]) -> None:
        """Do something after so many seconds; a pass follows in that instant."""
        Timeout(self.env, delay_s).callbacks.append(partial(self._ring, act))

    def _ring(self, act: Callable[[], None], _: Event) -> None:
        if self._goes_on():
            act()
            self._loop.settle()

    def quietly(self, delay_s: int, act: Callable[[], None]) -> None:
        """Do something after so many seconds; a pass follows only if it, or anything else, happens then.

        What does happen says so by `happens`. If nothing does, those are asked who may give way to the head.
        """
        Timeout(self.env, delay_s).callbacks.append(partial(self._whisper, act))

    def _whisper(self, act: Callable[[], None], event: Event) -> None:
        act()
        if self.env.now < self.env.peek():
            self._ask_again(event)
        elif self._asks_s < self.env.now:
            self._asks_s = int(self.env.now)
            call_at(self.env, ASKING, 0, self._ask_again)

    def _ask_again(self, _: Event) -> None:
        """Ask who gives way, as the own jobs have nothing more to do at this instant."""
        if self._loop.now_s == self.env.now:
            self._loop.settle()
        else:
            self._loop.ask_again(int(self.env.now))

    def happens(self) -> None:
        """Something happens now."""
        self._loop.now_s = int(self.env.now)

    def woken(self, _: Event) -> None:
        """Make the pass if this was the last event of its instant, and not the only one.

        A callback for any SimPy event.
        """
        if self._loop.now_s == self.env.now:
            self._loop.settle()

    def void(self, _: Event) -> None:
        """Make the pass if this, which has lost its meaning, was the last event of an instant with others."""
        if self._loop.now_s == int(self.env.now):
            self._loop.settle()

    def _goes_on(self) -> bool:
        """Move on to this instant, unless the run has ended with its last job."""
        loop, arrivals = self._loop, self._loop.arrivals
        busy = (
            self.running or loop.waiting_jobs or arrivals.newcomers or arrivals.lagging or self._resting_jobs
        )
        if loop.horizon_s is None and arrivals.over and not busy:
            return False
        loop.now_s = int(self.env.now)
        return True

    def nobody_waits(self) -> bool:
        """Say whether nobody waits for pods, nor is about to."""
        return not self._loop.arrivals.newcomers and self._loop.lineup.head() is None

    def wait_again(self, job: Job, after_s: int) -> None:
        """Let an interrupted job wait again after so many seconds, 0 for this instant."""
        if after_s:
            self._resting_jobs += 1
            self.later(after_s, partial(self._rested, job))
        else:
            self._loop.arrivals.newcomers.append(job)

    def _rested(self, job: Job) -> None:
        self._resting_jobs -= 1
        self._loop.arrivals.newcomers.append(job)

    def give_up(self, row: int) -> None:
        """Let a job be killed, by its row in the trace, and reject all that wait for it to finish."""
        self._loop.arrivals.lost(row, KILLED)

    def waiting(self) -> Iterator[Job]:
        """Yield who waits for pods, in order, then who waits for quota."""
        yield from self._loop.lineup.queue.in_order()
        if self._loop.quota_line is not None:
            yield from self._loop.quota_line.waiting()

    def turn_away(self, job: Job, reason: str) -> None:
        """Reject a job that waits, or is about to, and all that wait for it to finish."""
        loop = self._loop
        if self.log.turns.waiting[job.turn]:
            self.log.stops_waiting(job.turn, self.now_s)
            loop.waiting_jobs -= 1
            if loop.quota_line is not None:
                loop.quota_line.leaves(job.turn)
        self.log.unstarted(job.row, REJECTED, reason)
        loop.arrivals.lost(job.row, REJECTED)

    def seek_at_once(self, job: Job) -> None:
        """Let a job that waits for pods seek rented devices now."""
        self._loop.seek(self.key(job), job)

    def seek_rented(self, score: float, job: Job, after_s: int) -> None:
        """Let a job seek rented devices after so many seconds, at least 1."""
        self._loop.patience.keep(self.now_s + after_s, score, job)

    def keep(self, kept: Kept | None) -> None:
        """Let whoever passes the head leave room for it; None: no more."""
        self._loop.lineup.keep(kept)

    def pods_changed(self) -> None:
        """Devices are there, or gone, or expected, for another reason than that a gang starts or ends."""
        self._loop.lineup.disturbed()

    def offers_changed(self) -> None:
        """Rented devices may be had that could not be had before."""
        self._loop.renting.due = True
