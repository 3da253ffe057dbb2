"""What became of each job, for those that come after others."""

from __future__ import annotations

from array import array

from scheduler.engine.jobs import Job
from scheduler.engine.log.outcomes import FINISHED, REJECTED
from traces.arrays import Ints


class Dependencies:
    """What became of each job, and who waits for it; rows are those of the trace.

    Where it is not `linked`, no job waits for others. `lag_s` says by row how long after the last of them has
    ended a job is ready; a lag of less than nothing is none.
    """

    def __init__(self, *, linked: bool, lag_s: Ints) -> None:
        self.linked = linked
        jobs = len(lag_s)
        self._outcome = bytearray(jobs)
        self._lag_s = lag_s
        self._end_s = array("q", bytes(8 * jobs if linked else 0))
        self._held: dict[int, list[Job]] = {}

    def outcome(self, job: Job) -> int:
        """Return FINISHED if all that a job comes after are, REJECTED if one never will be, else 0."""
        outcomes = [self._outcome[row] for row in job.after or ()]
        return REJECTED if REJECTED in outcomes else 0 if 0 in outcomes else FINISHED

    def ready_s(self, job: Job) -> int:
        """Return from when on a job is ready that comes after others, all of which have finished.

        Its lag counts from its submission where it came after others that are gone since before the run.
        """
        lag_s = max(0, int(self._lag_s[job.row]))
        ends_s = [self._end_s[row] for row in job.after or ()] or [job.submit_s]
        return max(job.submit_s, max(ends_s) + lag_s)

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
