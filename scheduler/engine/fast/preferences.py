"""Which offers a job prefers at an instant, by the score of the policy.

Scores depend on the job and on the prices in force. So a job is asked when it first could rent, and again
only once some price has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf
from typing import Any, NamedTuple

from scheduler.engine.fast.asked import AskedJobs
from scheduler.engine.fast.memory import PREFERENCE_BITS, UNWANTED
from scheduler.engine.jobs import Shape
from scheduler.engine.rented.offers import Rental
from scheduler.policy.burst import OfferScore

MOST_OFFERS = UNWANTED
"""So many can be told apart."""


class _Renter(NamedTuple):
    """A job, as scores by cost or time see it; nobody has been interrupted."""

    estimate_s: int
    gang: int
    input_tb: float
    done_s: int = 0
    reclaims: int = 0


class _Now:
    """A clock that is set."""

    now = 0


class Preferences:
    """Asks the policy; `scored` says which shapes have to be asked."""

    def __init__(self, asked: AskedJobs, score: OfferScore, scored: Callable[[Shape], bool]) -> None:
        self._asked, self._score, self.needed = asked, score, scored
        self._clock = _Now()
        self._rentals = cache(self._here)
        names = ("estimate_s", "gang", "input_tb")
        self._columns = [asked.trace.numpy(name) for name in names]

    def _here(self, shape: int) -> list[Rental]:
        """Return what a shape, by its number, takes of offers that go by the clock of this."""
        return [
            Rental(need.offer.by(self._clock), need.devices, need.factor, need.used)
            for need in self._asked.shapes[shape].rented
        ]

    def of(self, row: int, now_s: int) -> int:
        """Return the ranks of the offers that a job may take, packed as PREFERENCE_BITS say."""
        self._clock.now = now_s
        job: Any = _Renter(*[column[row].item() for column in self._columns])
        scores = [self._score(job, rental) for rental in self._rentals(int(self._asked.shape_of[row]))]
        ranks = {score: rank for rank, score in enumerate(sorted({*scores} - {inf}))}
        packed = 0
        for score in reversed(scores):
            packed = (packed << PREFERENCE_BITS) + ranks.get(score, UNWANTED)
        return packed
