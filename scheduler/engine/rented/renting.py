"""Jobs out of patience, and the offer that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from operator import attrgetter

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.queue import Entry, LinedQueue
from scheduler.engine.rented.offers import Rental
from scheduler.policy.burst import OfferScore

Start = Callable[[Job, Rental], object]
"""(job, what it takes of an offer) -> whatever: lets it start there."""


class Renting:
    """They wait in order as long as no offer has room, and aside while the policy wants none that has."""

    def __init__(self, waits: bytearray, score: OfferScore, start: Start) -> None:
        self._waits = waits
        self._queue = LinedQueue(waits, attrgetter("rented"))
        self._score = score
        self._start = start
        self._aside: dict[int, Entry] = {}
        self.due = False
        """Somebody came or some devices were given back since all were looked at."""

    def seek(self, score: float, job: Job) -> None:
        """Let a job start on rented devices as soon as may be."""
        self._aside.pop(job.turn, None)
        self._queue.push((score, job.job_id, job))
        self.due = True

    def start_all(self) -> bool:
        """Start whoever may start now; say whether anybody did."""
        aside, self._aside = self._aside, {}
        for score, _, waiting in aside.values():
            if self._waits[waiting.turn]:
                self.seek(score, waiting)
        some = self.due = False
        while (job := self._queue.first(inf, _within_quota)) is not None:
            rental = self._choose(job)
            if rental is not None:
                self._start(job, rental)
                some = True
            else:
                self._put_aside(self._queue.pop(job))
        return some

    def _choose(self, job: Job) -> Rental | None:
        """Return what has the lowest score of all with room, or None where the policy wants none of them."""
        offers = [rental for rental in job.shape.rented if rental.devices <= rental.offer.free]
        scores = [self._score(job, rental) for rental in offers]
        lowest = min(scores)
        return offers[scores.index(lowest)] if lowest < inf else None

    def _put_aside(self, entry: Entry) -> None:
        """Let a job wait until something changes."""
        self._aside[entry[2].turn] = entry


def _within_quota(shape: Shape) -> float:
    """Rented devices hold no reservations: any run that fits the quota may start."""
    return inf if any(rental.devices <= rental.offer.free for rental in shape.rented) else 0.0
