"""Where jobs come from: a trace, of which all is known beforehand, or what lives in the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from scheduler.engine.jobs import Fit, Job, jobs
from traces.trace import Trace

ReplayProgress = Callable[[int, int], None]
"""(jobs submitted so far, simulated second) -> None."""


class Source(Protocol):
    """Gives the jobs of a run in order of submission, and hears what becomes of them.

    Of one that does not answer, the loop takes more as soon as it has submitted what it took. One that
    answers is asked at its next instant, which whatever it hears may bring forward.
    """

    hears: bool
    """Whether it wants to be told what becomes of its jobs; where not, the run does not pay for it."""
    answers: bool
    """Whether what it hears may bring jobs; it then gives those of one instant at a time."""

    def next_s(self) -> int | None:
        """Return the next instant at which it submits jobs; None for never."""

    def take(self) -> list[Job]:
        """Return some jobs in order of submission, at least those of that instant; none if it answers so."""

    def started(self, row: int, now_s: int) -> None:
        """An attempt of a job, by its row, has its devices."""

    def ended(self, row: int, outcome: int, now_s: int) -> None:
        """A job, by its row, has ended for good: FINISHED, REJECTED or KILLED of `log.outcomes`."""

    def rest(self) -> list[Job]:
        """Return the jobs that were still to come when the run ended, and have no rows yet."""


class RestOf:
    """The jobs of a source but for those of some rows."""

    def __init__(self, source: Source, without: frozenset[int]) -> None:
        self._source, self._without = source, without
        self.hears, self.answers = source.hears, source.answers
        self.started, self.ended, self.rest = source.started, source.ended, source.rest

    def next_s(self) -> int | None:
        """Return the next instant at which it may submit jobs."""
        return self._source.next_s()

    def take(self) -> list[Job]:
        """Return some jobs, or none."""
        return [job for job in self._source.take() if job.row not in self._without]


class TraceSource:
    """The jobs of a trace, a block at a time; `progress` is told of each block."""

    hears = answers = False

    def __init__(self, trace: Trace, fit: Fit, progress: ReplayProgress | None = None) -> None:
        self._blocks: Iterator[list[Job]] = jobs(trace, fit)
        self._progress = progress
        self._block: list[Job] | None = next(self._blocks, None)

    def next_s(self) -> int | None:
        """Return the submission of the next job."""
        return self._block[0].submit_s if self._block else None

    def take(self) -> list[Job]:
        """Return a block of jobs."""
        block, self._block = self._block, next(self._blocks, None)
        assert block is not None
        if self._progress is not None:
            self._progress(block[0].row, block[0].submit_s)
        return block

    def started(self, row: int, now_s: int) -> None:
        """A trace does not answer."""

    def ended(self, row: int, outcome: int, now_s: int) -> None:
        """A trace does not answer."""

    def rest(self) -> list[Job]:
        """All jobs of a trace have rows."""
        return []
