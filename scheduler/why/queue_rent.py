"""When jobs that were out of patience might not rent, for what their queues may rent at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from math import inf

import numpy as np

from scheduler.engine.rented.offers import Rental
from scheduler.replay.quotas import limited_queues, rent_limits
from scheduler.replay.setup import Setup
from scheduler.why.causes import Cause
from scheduler.why.held import Holdings
from scheduler.why.needs import Resources
from scheduler.why.step_function import StepFunction, instants
from traces.arrays import Ints, rows_of

WITHIN_LIMITS = -1
"""No queue's limit is in the way, as far as the logs tell."""


class QueueRents:
    """What queues held of rented devices over time, beside what they may hold."""

    def __init__(self, setup: Setup, held: Holdings, resources: Resources) -> None:
        self._specs, self._limits = setup.scenario.queues, rent_limits(setup.scenario.queues)
        self._resources, pools = resources, len(setup.stock.pools)
        self._owner, owners = setup.trace.codes("owner")
        above = limited_queues(self._specs, owners)
        self._above = [tuple(above[owner]) for owner in owners]
        self._rented = held.some(held.resource >= pools)
        self._renter = self._owner[rows_of(setup.trace.numpy("job_id"), self._rented.job_id)]
        kept_s = np.array([offer.keep_s for offer in setup.stock.offers], np.int64)
        self._until_s = self._rented.end_s + kept_s[self._rented.resource - pools]
        self._held = cache(self._held_in)

    @classmethod
    def of(cls, setup: Setup, held: Holdings, resources: Resources) -> QueueRents | None:
        """Return them; None where no queue has a limit."""
        specs = setup.scenario.queues
        limited = any(spec.rent_most is not None or spec.rent_usd_per_week is not None for spec in specs)
        return cls(setup, held, resources) if limited else None

    def queues_of(self, rows: Ints) -> list[tuple[int, ...]]:
        """Return, for rows of the trace, the queues with limits that they are in, the nearest first."""
        return [self._above[owner] for owner in self._owner[rows].tolist()]

    def limits(self, queues: Sequence[int], rental: Rental) -> Iterator[tuple[str, StepFunction]]:
        """Yield the limit of each queue on devices, and when that has room for what a gang takes."""
        for queue in queues:
            time_s, held = self._held(queue)
            within = held + rental.devices <= self._limits[queue].devices
            yield f"rent_most of {self._specs[queue].name}", StepFunction(time_s, within).shortest()

    def usd_per_week(self, queues: Sequence[int]) -> dict[str, float]:
        """Return what those queues that have such a limit may rent for in a week, by limit."""
        most = {
            f"rent_usd_per_week of {self._specs[queue].name}": self._limits[queue].usd_per_week
            for queue in queues
        }
        return {name: usd for name, usd in most.items() if usd < inf}

    def causes(self, queues: Sequence[int]) -> list[tuple[Cause, str]]:
        """Return what the values of `bars` mean: a cause, and the queues that it is about."""
        names = [(Cause.QUOTA, self._specs[queue].name) for queue in queues]
        paying = [queue for queue in queues if self._specs[queue].rent_usd_per_week is not None]
        return [*names, (Cause.BUDGET, ", ".join(self._specs[queue].name for queue in paying))]

    def bars(self, queues: Sequence[int], rentals: Sequence[Rental]) -> StepFunction:
        """Return which of `causes` kept a gang from renting over time; WITHIN_LIMITS: none.

        That of a queue where no offer that has enough left is one for which the queue has. Where all have,
        and an offer room that the policy would take, what a queue that pays by the week lacks is money.
        """
        left = [self._resources.offer(rental.offer.index).has_left(rental) for rental in rentals]
        room = [self._resources.room([rental]) for rental in rentals]
        time_s = instants([*left, *room, *map(self._held, queues)])
        has_left, has_room = (np.array([each.at(time_s) for each in levels]) for levels in (left, room))
        devices = np.array([[rental.devices] for rental in rentals])
        within = np.array(
            [self._held(queue).at(time_s) + devices <= self._limits[queue].devices for queue in queues]
        )
        money = any(self._specs[queue].rent_usd_per_week is not None for queue in queues)
        lacks_money = (has_room & within.all(axis=0)).any(axis=0) & (money and self._resources.takes_any)
        value = np.where(lacks_money, len(queues), WITHIN_LIMITS)
        for at in reversed(range(len(queues))):
            above = within[: at + 1].all(axis=0)
            value = np.where(has_left.any(axis=0) & ~(has_left & above).any(axis=0), at, value)
        return StepFunction(time_s, value).shortest()

    def _held_in(self, queue: int) -> StepFunction:
        """Return how many rented devices a queue and all below it held, those that are kept with them."""
        whose = np.array([queue in above for above in self._above])[self._renter]
        devices = self._rented.devices[whose].astype(np.int64)
        times = np.concatenate([self._rented.alloc_s[whose], self._until_s[whose]])
        return StepFunction.of(0, times, np.concatenate([devices, -devices]))
