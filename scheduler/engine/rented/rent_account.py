"""What was rented so far, as policies see it: devices, and money by owner and week."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.rented.offers import Clock, Rental
from traces.times import WEEK_S


class _Committed(NamedTuple):
    """What a rental that runs will cost, as booked in the week in which it began."""

    owner: str
    week: int
    usd: float
    paid: int
    """Its devices that cost money."""


class RentAccount:
    """Books what rentals will cost by their estimates, from when a job may leave, then what they did."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.start_s = clock, int(clock.now)
        self._let_go: dict[int, tuple[str, float]] = {}
        """By turn, who may leave and has not started."""
        self._running: dict[int, _Committed] = {}
        self._usd: defaultdict[tuple[str | None, int | None], float] = defaultdict(float)
        """By owner and week; None: of all."""
        self._devices: Counter[str | None] = Counter()

    @property
    def week(self) -> int:
        """Number of the present week."""
        return (int(self._clock.now) - self.start_s) // WEEK_S

    @property
    def week_ends_s(self) -> int:
        """When the next week begins."""
        return self.start_s + (self.week + 1) * WEEK_S

    def devices(self, owner: str | None) -> int:
        """Return the devices that an owner holds, or all do."""
        return self._devices[owner]

    def usd(self, owner: str | None, *, this_week: bool) -> float:
        """Return the rent of an owner, or of all, so far or of this week."""
        let_go = sum(usd for whose, usd in self._let_go.values() if owner in (None, whose))
        return self._usd[owner, self.week if this_week else None] + let_go

    def lets_go(self, job: Job, usd: float) -> None:
        """A job may leave, for what is to cost so much."""
        self._let_go[job.turn] = job.owner, usd

    def started(self, attempt: Attempt) -> None:
        """A job starts; rent begins where it is on rented devices."""
        self._let_go.pop(attempt.turn, None)
        rental = attempt.need
        if isinstance(rental, Rental):
            owner, job = attempt.job.owner, attempt.job
            usd, paid = rental.bill_usd(job), rental.offer.to_pay(rental.devices)
            booked = self._running[attempt.turn] = _Committed(owner, self.week, usd, paid)
            self._book(booked, usd)
            for whose in (None, owner):
                self._devices[whose] += rental.devices

    def released(self, attempt: Attempt) -> None:
        """A job has ended; what it cost stands in place of what it should have."""
        rental = attempt.need
        if not isinstance(rental, Rental):
            return
        booked = self._running.pop(attempt.turn)
        held_s = int(self._clock.now) - attempt.alloc_s
        more_s = rental.billed_s(held_s) - held_s
        usd = rental.offer.usd_so_far(rental.devices, booked.paid, attempt.alloc_s)
        usd += rental.offer.price(rental.devices).usd(booked.paid * more_s)
        self._book(booked, usd - booked.usd)
        for whose in (None, booked.owner):
            self._devices[whose] -= rental.devices

    def _book(self, booked: _Committed, usd: float) -> None:
        for owner in (None, booked.owner):
            for week in (None, booked.week):
                self._usd[owner, week] += usd
