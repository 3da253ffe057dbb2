"""Renting where offers may refuse, and where a policy may change its mind as time goes by."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf

from scheduler.engine.jobs import Job
from scheduler.engine.queue import Entry
from scheduler.engine.rented.offers import Offer, Rental
from scheduler.engine.rented.renting import Renting, Start
from scheduler.policy.burst import OfferScore


class WaryRenting(Renting):
    """A refused job asks the next offer; refused by all, it tries again after a back-off.

    `refused` is told of each refusal; `again` lets a job seek rented devices after so many seconds;
    `back_off_s` says how long to wait after so many refusals in a row.
    """

    def __init__(
        self,
        waits: bytearray,
        score: OfferScore,
        start: Start,
        refused: Callable[[Offer], None],
        again: Callable[[int, Entry], None],
        back_off_s: Callable[[int], int],
    ) -> None:
        super().__init__(waits, score, start)
        self._decides_s = getattr(score, "decides_s", None)
        self._refused, self._again, self._back_off_s = refused, again, back_off_s
        self._refusals: dict[int, int] = {}
        self._in_line: set[int] = set()
        self._asks_s: dict[int, int] = {}
        """When those who do not stand in line will ask again."""
        self._turned_away = False

    def seek(self, score: float, job: Job) -> None:
        """Let a job start on rented devices as soon as may be; it stands in line no more than once."""
        if job.turn in self._in_line:
            self.due = True
        else:
            self._in_line.add(job.turn)
            super().seek(score, job)

    def _choose(self, job: Job) -> Rental | None:
        self._turned_away = False
        self._in_line.discard(job.turn)
        offers = [rental for rental in job.shape.rented if rental.devices <= rental.offer.free]
        for score, at in sorted((self._score(job, rental), at) for at, rental in enumerate(offers)):
            if score == inf:
                break
            if not offers[at].offer.refuses:
                self._refusals.pop(job.turn, None)
                return offers[at]
            self._refused(offers[at].offer)
            self._turned_away = True
        return None

    def _put_aside(self, entry: Entry) -> None:
        job = entry[2]
        after_s = self._changes_its_mind_s(job)
        if self._turned_away:
            self._refusals[job.turn] = times = self._refusals.get(job.turn, 0) + 1
            after_s = min(after_s, self._back_off_s(times))
        else:
            super()._put_aside(entry)
        if after_s < inf:
            self._ask_again(max(1, ceil(after_s)), entry)

    def _ask_again(self, after_s: int, entry: Entry) -> None:
        """Set a timer, unless one rings before it anyhow."""
        job = entry[2]
        now_s = job.shape.rented[0].now_s
        if not now_s < self._asks_s.get(job.turn, 0) <= now_s + after_s:
            self._asks_s[job.turn] = now_s + after_s
            self._again(after_s, entry)

    def _changes_its_mind_s(self, job: Job) -> float:
        """Seconds until the policy would take an offer that it does not want now, if nothing changes."""
        if self._decides_s is None:
            return inf
        return min(
            (self._decides_s(job, rental) for rental in job.shape.rented if not rental.spot), default=inf
        )
