"""What was left of the quota of each offer, and when it refused or was short."""

from __future__ import annotations

from collections.abc import Sequence

from scheduler.engine.rented.offers import LiveOffer, Rental
from scheduler.engine.storm.outages import Outage
from scheduler.why.held import Holdings
from scheduler.why.outages import concerned
from scheduler.why.step_function import StepFunction, instants


class OfferLevels:
    """An offer over a run: `left` of its quota, `short` devices of it that could not be had, and `refuses`.

    Devices that could not be had are taken to be those that nobody held.
    """

    def __init__(self, offer: LiveOffer, held: Holdings, outages: Sequence[Outage]) -> None:
        stock = offer.stock
        taken = held.held(stock.keep_s)
        self.left = StepFunction(taken.time_s, stock.quota - taken.value)
        nodes = [outage for outage in outages if outage.devices]
        self.short = concerned(nodes, stock.most_devices, announced=True)
        self.refuses = StepFunction.during((out.from_s, out.to_s) for out in outages if out.what == "refused")

    def has_left(self, rental: Rental) -> StepFunction:
        """Return when the quota has enough left for a gang."""
        return StepFunction(self.left.time_s, self.left.value >= rental.devices).shortest()

    def troubled(self, rental: Rental) -> StepFunction:
        """Return when the quota has enough left, but the offer refuses or is short."""
        time_s = instants([self.left, self.short, self.refuses])
        trouble = self.refuses.at(time_s) | (self.short.at(time_s) > 0)
        return StepFunction(time_s, trouble & (self.left.at(time_s) >= rental.devices)).shortest()

    def room(self, rental: Rental) -> StepFunction:
        """Return when a gang would have found room."""
        time_s = instants([self.left, self.short, self.refuses])
        free = self.left.at(time_s) - self.short.at(time_s)
        return StepFunction(time_s, (free >= rental.devices) & ~self.refuses.at(time_s)).shortest()
