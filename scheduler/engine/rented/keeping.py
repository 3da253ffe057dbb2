"""Rented devices whose gang has ended: they are given back at once, or kept for a while."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.rented.offers import Rental
from scheduler.engine.rented.queue_rent import QueueRent
from scheduler.engine.rented.renting import Renting
from scheduler.engine.units import Holder


class KeepingLoop(Protocol):
    """The simulation, as devices that are given back move it."""

    env: Environment
    now_s: int
    renting: Renting
    arrivals: Arrivals
    waiting_jobs: int

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""


class Keeping:
    """Gives devices back as soon as they are kept no longer; until then they count to the quota."""

    def __init__(self, loop: KeepingLoop, limits: QueueRent | None = None) -> None:
        self._loop = loop
        if limits is not None:
            loop.renting.limits, limits.look_again = limits, self.look_again

    def release(self, holder: Holder, rental: Rental) -> None:
        """A gang gives up what it holds of an offer."""
        if rental.keep_s:
            given_back = partial(self._give_back, holder, rental)
            Timeout(self._loop.env, rental.keep_s).callbacks.append(given_back)
        else:
            rental.release(holder)
            self._loop.renting.due = True

    def _give_back(self, holder: Holder, rental: Rental, _: Event) -> None:
        """Let others have the devices; the run goes on only for jobs that wait."""
        rental.release(holder)
        self.look_again()

    def look_again(self) -> None:
        """Let those who wait for offers ask once more."""
        loop = self._loop
        loop.renting.due = True
        if loop.waiting_jobs or loop.arrivals.newcomers:
            loop.now_s = int(loop.env.now)
            loop.settle()
