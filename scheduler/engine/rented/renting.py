"""Jobs out of patience, and the offer that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Protocol

from scheduler.engine.changing_queue import ChangingQueue
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import QueueEntry
from scheduler.engine.queue import LinedQueue
from scheduler.engine.ranking import Ranking
from scheduler.engine.rented.offers import LiveOffer, Rental
from scheduler.engine.rented.queue_rent import QueueRent
from scheduler.policy.burst import OfferScore

Rent = Callable[[Job, Rental], None]
"""(job, what it takes of an offer) -> None: lets it start there."""


class RefusalDesk(Protocol):
    """Where offers may refuse, or a policy changes its mind as time goes by: what becomes of such jobs."""

    def stands_in_line(self, job: Job) -> bool:
        """Say whether a job that comes is in line already, and if not, let it be so."""

    def called(self, job: Job) -> None:
        """A job leaves the line to ask the offers."""

    def refused(self, job: Job, offer: LiveOffer) -> None:
        """An offer refuses a job."""

    def put_off(self, entry: QueueEntry) -> bool:
        """Let a job that no offer took ask again in time; say whether it does so by that alone."""


class Renting:
    """They wait in order as long as no offer has room, and aside while the policy wants none that has."""

    def __init__(self, waits: bytearray, score: OfferScore, rent: Rent, ranking: Ranking | None) -> None:
        self._waits, self._score, self._rent = waits, score, rent
        needs = attrgetter("rented")
        self._queue = LinedQueue(waits, needs) if ranking is None else ChangingQueue(waits, needs, ranking)
        self._aside: dict[int, QueueEntry] = {}
        self.refusals: RefusalDesk | None = None
        """None where no offer ever refuses, and the policy never changes its mind."""
        self.limits: QueueRent | None = None
        """None where no queue has limits of its own."""
        self.due = False
        """Somebody came or some devices were given back since all were looked at."""
        self._started_early = False

    def seek(self, score: float, job: Job) -> None:
        """Let a job start on rented devices as soon as may be."""
        self.due = True
        if self.refusals is None or not self.refusals.stands_in_line(job):
            self._aside.pop(job.turn, None)
            self._queue.push((score, job.job_id, job))

    def start_all(self) -> bool:
        """Start whoever may start now; say whether anybody did."""
        aside, self._aside = self._aside, {}
        for score, _, waiting in aside.values():
            if self._waits[waiting.turn]:
                self.seek(score, waiting)
        started, self.due, self._started_early = self._started_early, False, False
        while (job := self._queue.first(inf, _within_quota)) is not None:
            rental = self._choose(job)
            if rental is not None:
                self._rent(job, rental)
                started = True
            else:
                self._put_aside(self._queue.pop(job))
        return started

    def start_early(self) -> None:
        """Start whoever may before the others are looked at, who are later."""
        self._started_early = self.start_all()
        self.due |= self._started_early

    def _choose(self, job: Job) -> Rental | None:
        """Return what has the lowest score of all with room; None if none is wanted, granted or allowed."""
        if self.refusals is not None:
            self.refusals.called(job)
        rentals = [rental for rental in job.shape.rented if rental.has_room]
        for score, at in sorted((self._score(job, rental), at) for at, rental in enumerate(rentals)):
            offer = rentals[at].offer
            if score == inf:
                break
            if self.refusals is not None and offer.refuses:
                self.refusals.refused(job, offer)
            elif self.limits is None or self.limits.allows(job, rentals[at]):
                return rentals[at]
        return None

    def _put_aside(self, entry: QueueEntry) -> None:
        """Let a job wait until something changes."""
        if self.refusals is None or not self.refusals.put_off(entry):
            self._aside[entry[2].turn] = entry


def _within_quota(shape: Shape) -> float:
    """Rented devices hold no reservations: any run that fits the quota may start."""
    return inf if any(rental.has_room for rental in shape.rented) else 0.0
