"""Jobs that offers have refused, and those that a policy will send to an offer later."""

from __future__ import annotations

from math import ceil, inf

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.rented.offers import LiveOffer
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.retries import Retries
from scheduler.policy import Policy


class Refusals:
    """A job that all offers refuse tries again after a back-off, longer each time."""

    def __init__(self, run: Handle, policy: Policy, retries: Retries, first_offer: int) -> None:
        self._run, self._retries, self._first_offer = run, retries, first_offer
        self._decides_s = policy.abilities.decides_s
        self._times: dict[int, int] = {}
        """By turn, how often a job was refused in a row."""
        self._in_line: set[int] = set()
        self._asks_s: dict[int, int] = {}
        """By turn, when a job that does not stand in line will ask again."""
        self._turned_away = False
        """Some offer refused the job that was called last."""

    def stands_in_line(self, job: Job) -> bool:
        """Say whether a job that comes is in line already, and if not, let it be so."""
        if job.turn in self._in_line:
            return True
        self._in_line.add(job.turn)
        return False

    def called(self, job: Job) -> None:
        """A job leaves the line to ask the offers."""
        self._in_line.discard(job.turn)
        self._turned_away = False

    def refused(self, job: Job, offer: LiveOffer) -> None:
        """An offer refuses a job."""
        self._run.log.refused(offer.index - self._first_offer)
        self._turned_away = True

    def put_off(self, entry: QueueEntry) -> bool:
        """Let a job that no offer took ask again in time; say whether it does so by that alone."""
        job = entry[2]
        after_s = self._changes_its_mind_s(job)
        if self._turned_away:
            self._times[job.turn] = times = self._times.get(job.turn, 0) + 1
            after_s = min(after_s, self._retries.back_off_s(times))
        if after_s < inf:
            self._ask_again(max(1, ceil(after_s)), entry)
        return self._turned_away

    def _ask_again(self, after_s: int, entry: QueueEntry) -> None:
        """Set a timer, unless one rings before it anyhow."""
        score, _, job = entry
        now_s = self._run.now_s
        if not now_s < self._asks_s.get(job.turn, 0) <= now_s + after_s:
            self._asks_s[job.turn] = now_s + after_s
            self._run.seek_rented(score, job, after_s)

    def _changes_its_mind_s(self, job: Job) -> float:
        """Seconds until the policy would take an offer that it does not want now, if nothing changes."""
        decides_s = self._decides_s
        if decides_s is None:
            return inf
        on_demand = (rental for rental in job.shape.rented if not rental.spot)
        return min((decides_s(job, rental) for rental in on_demand), default=inf)
