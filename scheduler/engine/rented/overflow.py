"""A queue that has an end: when too many wait for pods, the last in order go to the cloud at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry

Entries = Callable[[], Iterator[QueueEntry]]
"""Yields those who wait for pods, first first."""

Seek = Callable[[float, Job], None]
"""(score, job) -> None: lets it seek rented devices."""


class Overflow:
    """Of those who wait for pods and not for offers too, `most` may; of the others, who may leave does."""

    def __init__(self, most: int, entries: Entries, seek: Seek) -> None:
        self._most, self._entries, self._seek = most, entries, seek
        self._sought: set[int] = set()
        """Who seeks rented devices, by turn."""

    def leaves(self, job: Job) -> None:
        """A job is out of patience, and not counted any more."""
        self._sought.add(job.turn)

    def run_over(self) -> None:
        """Let the last in order go, as long as too many wait."""
        waiting = [entry for entry in self._entries() if entry[2].turn not in self._sought]
        excess = len(waiting) - self._most
        for score, _, job in reversed(waiting):
            if excess <= 0:
                return
            if job.shape.rented:
                excess -= 1
                self._seek(score, job)


def overflow_of(most: int | None, entries: Entries, seek: Seek) -> Overflow | None:
    """Return what lets the last go; None where any number may wait."""
    return None if most is None else Overflow(most, entries, seek)
