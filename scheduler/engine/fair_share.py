"""Virtual time for fair sharing among owners."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from scheduler.engine.jobs import Job
from traces.exact import as_decimal


class StartTags:
    """Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): start and finish tags by owner.

    Tags are fractions, so that owners who have had the same tie, however it added up.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = {owner: Fraction(as_decimal(share)) for owner, share in shares.items()}
        self._finish: dict[str, Fraction | int] = {}
        self._start: dict[int, Fraction | int] = {}
        self._virtual: Fraction | int = 0

    def start_tag(self, owner: str) -> float:
        """Return the virtual start time of the owner's next job."""
        return float(self._tag(owner))

    def _tag(self, owner: str) -> Fraction | int:
        return max(self._virtual, self._finish.get(owner, 0))

    def submitted(self, job: Job) -> None:
        """Charge the owner for the job: estimated device-seconds over the owner's share (1 if unnamed).

        A job that was interrupted has been charged before, so it has the owner's next tag for nothing.
        """
        tag = self._start[job.turn] = self._tag(job.owner)
        if job.turn == job.row:
            share, device_s = self._shares.get(job.owner), job.gang * job.estimate_s
            self._finish[job.owner] = tag + (device_s if share is None else device_s / share)

    def started(self, job: Job) -> None:
        """Advance virtual time to the tag of the job that starts."""
        self._virtual = max(self._virtual, self._start.pop(job.turn))
