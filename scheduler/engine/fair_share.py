"""Virtual time for fair sharing among owners."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.engine.jobs import Job


class StartTags:
    """Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): start and finish tags by owner."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._finish: dict[str, float] = {}
        self._start: dict[int, float] = {}
        self._virtual = 0.0

    def start_tag(self, owner: str) -> float:
        """Return the virtual start time of the owner's next job."""
        return max(self._virtual, self._finish.get(owner, 0.0))

    def submitted(self, job: Job) -> None:
        """Charge the owner for the job: estimated device-seconds over the owner's share (1 if unnamed).

        A job that was interrupted has been charged before, so it has the owner's next tag for nothing.
        """
        tag = self._start[job.turn] = self.start_tag(job.owner)
        if job.turn == job.row:
            self._finish[job.owner] = tag + job.gang * job.estimate_s / self._shares.get(job.owner, 1.0)

    def started(self, job: Job) -> None:
        """Advance virtual time to the tag of the job that starts."""
        self._virtual = max(self._virtual, self._start.pop(job.turn))
