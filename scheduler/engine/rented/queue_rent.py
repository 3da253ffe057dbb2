"""How many devices a queue may rent at once, and for how much money a week; its children's count too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.rented.offers import Rental
from scheduler.engine.rented.rent_account import RentAccount
from scheduler.policy.burst import A_MILLIONTH_USD


class RentLimit(NamedTuple):
    """What a queue and all below it may rent; infinite where there is no limit."""

    devices: float
    usd_per_week: float


class QueueRent:
    """Says who may rent; devices that are kept after their gang has ended count until they are given back."""

    def __init__(
        self, env: Environment, limits: Sequence[RentLimit], queues_of: Mapping[str, Sequence[int]]
    ) -> None:
        """`queues_of` has for each owner its queue and all above it, those alone that have a limit."""
        self._env, self._limits, self._queues_of = env, limits, queues_of
        self._account = RentAccount(env)
        self._held: Counter[int] = Counter()
        self._owners = defaultdict[int, list[str]](list)
        for owner, queues in queues_of.items():
            for queue in queues:
                self._owners[queue].append(owner)
        self._turns_s = -1
        """When the week ends for which somebody waits."""
        self.look_again: Callable[[], None] | None = None
        """Lets those who wait for offers ask once more."""

    def allows(self, job: Job, rental: Rental) -> bool:
        """Say whether a job may rent; who lacks only money of this week asks again in the next."""
        queues = self._queues_of[job.owner]
        if any(self._held[queue] + rental.devices > self._limits[queue].devices for queue in queues):
            return False
        most_usd = {queue: usd for queue in queues if (usd := self._limits[queue].usd_per_week) < inf}
        usd = rental.bill_usd(job) - A_MILLIONTH_USD if most_usd else 0.0
        if all(self._spent_usd(queue) + usd <= most for queue, most in most_usd.items()):
            return True
        if usd <= min(most_usd.values()):
            self._wait_for_money()
        return False

    def started(self, attempt: Attempt) -> None:
        """A job starts; its queue rents where it is on rented devices."""
        self._account.started(attempt)
        if isinstance(attempt.need, Rental):
            self._hold(attempt.job.owner, attempt.need.devices)

    def released(self, attempt: Attempt) -> None:
        """A job has ended."""
        self._account.released(attempt)
        rental, owner = attempt.need, attempt.job.owner
        if not isinstance(rental, Rental):
            return
        if rental.keep_s:
            given_back = partial(self._give_back, owner, rental.devices)
            Timeout(self._env, rental.keep_s).callbacks.append(given_back)
        else:
            self._hold(owner, -rental.devices)

    def _give_back(self, owner: str, devices: int, _: Event) -> None:
        self._hold(owner, -devices)

    def _hold(self, owner: str, devices: int) -> None:
        for queue in self._queues_of[owner]:
            self._held[queue] += devices

    def _spent_usd(self, queue: int) -> float:
        """What the rentals of this week come to, as far as is known."""
        return sum(self._account.usd(owner, this_week=True) for owner in self._owners[queue])

    def _wait_for_money(self) -> None:
        """Set a timer for the next week, once."""
        turns_s, now_s = self._account.week_ends_s, int(self._env.now)
        if turns_s > self._turns_s:
            self._turns_s = turns_s
            Timeout(self._env, turns_s - now_s).callbacks.append(self._turn)

    def _turn(self, _: Event) -> None:
        if self.look_again is not None:
            self.look_again()
