"""What becomes of jobs that are interrupted: what they have done, and when they wait again."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.log.outcomes import FAILED, PREEMPTED, RECLAIMED, Account
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.scenario import RetrySpec


@dataclass(slots=True)
class Career:
    """What a job that was interrupted has come to so far."""

    job: Job
    """As it was submitted."""
    done_s: int = 0
    attained_device_s: int = 0
    setbacks: int = 0
    """Times it failed or was reclaimed."""
    failures_in_a_row: int = 0
    reclaims: int = 0
    preemptions: int = 0
    impatient: bool = False
    """It was on rented devices, so need not be patient again."""


class Resumed(Job):
    """A job that was interrupted: its run time and estimate are what is left of them."""

    career: Career

    def shaped(self, shape: Shape) -> Resumed:
        """Return it with other places where it may run."""
        resumed = Resumed._make(self._replace(shape=shape))
        resumed.career = self.career
        return resumed

    @property
    def asked_s(self) -> int:
        """Run time asked for, whatever is done of it."""
        return self.career.job.estimate_s

    @property
    def row(self) -> int:
        """Its row in the trace."""
        return self.career.job.turn

    @property
    def done_s(self) -> int:
        """Reference seconds of its run time that earlier attempts got done and kept."""
        return self.career.done_s

    @property
    def attained_device_s(self) -> int:
        """Device-seconds of work that it has had, lost ones included."""
        return self.career.attained_device_s

    @property
    def reclaims(self) -> int:
        """How often its devices were reclaimed."""
        return self.career.reclaims

    @property
    def impatient(self) -> bool:
        """It need not be patient, as it was on rented devices before."""
        return self.career.impatient


class Standing(Resumed):
    """The job of an attempt that runs, as it would stand if it gave way now: worked out when asked."""

    attempt: Interruptible

    @property
    def estimate_s(self) -> int:
        """What would be left of its estimate."""
        return max(1, self.attempt.job.estimate_s - self._kept_s())

    @property
    def done_s(self) -> int:
        """Reference seconds of its run time that would be done and kept, as far as its estimate goes.

        So `done_s` and `estimate_s` add up to the same at all times.
        """
        return self.career.done_s + min(self._kept_s(), self.attempt.job.estimate_s - 1)

    @property
    def attained_device_s(self) -> int:
        """Device-seconds of work that it has had, lost ones included."""
        worked_s = self.attempt.progress(int(self.attempt.env.now)).worked_s
        return self.career.attained_device_s + worked_s * self.attempt.need.used

    def _kept_s(self) -> int:
        return self.attempt.keeps_s(int(self.attempt.env.now))


class Retries:
    """The careers of all interrupted jobs, by row of the trace."""

    def __init__(self, run: Handle, retries: RetrySpec) -> None:
        self._run, self._retries = run, retries
        self._careers: dict[int, Career] = {}

    def __contains__(self, row: int) -> bool:
        return row in self._careers

    def record(self, attempt: Interruptible, outcome: int, account: Account, worked_s: int) -> bool:
        """Add an interruption to the job's career; say whether it may run again."""
        career = self._careers.setdefault(attempt.job.row, Career(attempt.job))
        career.done_s += account.kept_s
        career.attained_device_s += worked_s * attempt.need.used
        career.impatient = not attempt.pods
        career.setbacks += outcome in (FAILED, RECLAIMED)
        career.failures_in_a_row = career.failures_in_a_row + 1 if outcome == FAILED else 0
        career.reclaims += outcome == RECLAIMED
        career.preemptions += outcome == PREEMPTED
        return career.setbacks <= self._retries.limit

    def back_off_s(self, times: int) -> int:
        """Seconds to wait after so many failures in a row: twice as long each time, up to a limit."""
        retries = self._retries
        return min(retries.backoff_most_s, retries.backoff_s << min(times - 1, 32)) if times else 0

    def come_back(self, job: Job) -> None:
        """Let an interrupted job wait again, at once or after a back-off."""
        career = self._careers[job.row]
        resumed = _left(career, self._run.log.turns.again(job.row))
        self._run.wait_again(resumed, self.back_off_s(career.failures_in_a_row))

    def standing(self, attempt: Interruptible) -> Standing:
        """Return the job of an attempt that runs, as policies see it, always the same one."""
        standing: Standing | None = attempt.standing
        if standing is None:
            job = attempt.job
            attempt.standing = standing = tuple.__new__(Standing, job)
            standing.attempt, standing.career = attempt, self._careers.get(job.row) or Career(job)
        return standing


def _left(career: Career, turn: int) -> Resumed:
    job, done_s = career.job, career.done_s
    runtime_s, estimate_s = max(1, job.runtime_s - done_s), max(1, job.estimate_s - done_s)
    resumed = Resumed._make(job._replace(turn=turn, runtime_s=runtime_s, estimate_s=estimate_s))
    resumed.career = career
    return resumed
