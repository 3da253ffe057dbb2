"""Jobs that may not start before another has finished."""

from __future__ import annotations

from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FINISHED, REJECTED


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
