"""What all jobs that need the same lacked at each instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from typing import NamedTuple

import numpy as np

from scheduler.engine.gate import Gate
from scheduler.engine.jobs import Shape
from scheduler.engine.need import Need
from scheduler.engine.owned.pools import PodNeed
from scheduler.engine.owned.power import Power
from scheduler.engine.owned.view import ClusterView
from scheduler.engine.queue import Queue
from scheduler.engine.rented.offers import Rental
from scheduler.policy.burst import Budget
from scheduler.policy.first import KeepFree
from scheduler.replay.assembly import Assembly
from scheduler.replay.outages import pod_spans
from scheduler.replay.setup import Setup
from scheduler.why.causes import Cause
from scheduler.why.held import Holdings
from scheduler.why.offers import OfferLevels
from scheduler.why.outlived import Outlived
from scheduler.why.pods import PodLevels, away, barred
from scheduler.why.power import power_left
from scheduler.why.step_function import AT_NO_TIME, StepFunction, instants, where_all, where_any
from traces.arrays import Ints

_BASE = 16
_NO_PODS = 15
_TAKE_ANY = ("cheapest", "fastest")
"""Offer policies that want each offer."""


class Lacks(NamedTuple):
    """What whoever waits and has a need lacked over time: while patient, and when patience is over.

    A value is the cause and what it lacked on pods; `of` takes it apart.
    """

    patient: StepFunction
    over: StepFunction

    @staticmethod
    def of(value: Ints) -> tuple[Ints, Ints]:
        """Return the causes, and what was lacked on pods; -1 where it could use none."""
        cause, on_pods = np.divmod(value, _BASE)
        return cause, np.where(on_pods == _NO_PODS, -1, on_pods)


class Resources:
    """The pools and offers of a run over time."""

    def __init__(self, setup: Setup, assembly: Assembly, held: Holdings, pods: Sequence[int]) -> None:
        self.setup = setup
        self._held, self._assembly, self._pods = held, assembly, pods
        first = setup.policy.first
        self._keep_free = first.share if isinstance(first, KeepFree) else None
        cluster = assembly.cluster
        self.view = ClusterView(cluster, Queue(bytearray()), ())
        """Of a cluster on which nobody runs or waits."""
        self.gate = None if first is None else Gate(first, cluster, self.view, len(setup.trace))
        self._rations = isinstance(setup.policy.patience, Budget)
        self.takes_any = setup.scenario.policy.offer.partition(":")[0] in _TAKE_ANY
        """The offer policy wants each offer."""
        self._outlived: dict[int, tuple[int, ...]] = {}
        self._has_outages = True
        self.levels = cache(self._levels)
        self.offer = cache(self._offer)
        self._left = cache(self._power_left)

    def outliving(self, outlived: Outlived) -> Resources:
        """Return them as they are for those who would outlive pods that are to leave."""
        theirs = copy(self)
        theirs._outlived = dict(outlived)
        return theirs

    def in_service(self) -> Resources:
        """Return them as if nothing had been out of service."""
        theirs = copy(self)
        theirs._has_outages = False
        return theirs

    def pool(self, at: int) -> PodLevels:
        """Return the devices of a pool for whoever waits."""
        return self.levels(at, self._outlived.get(at, ()), self._has_outages)

    def _levels(self, at: int, outlived: tuple[int, ...] | None, has_outages: bool = True) -> PodLevels:
        """Return the devices of a pool but of pods that drain or that one would outlive; None: of all."""
        pool, start_s = self._assembly.pools[at], self.setup.start_s
        there = pod_spans(pool.stock, start_s) if pool.stock.batches else []
        shut = () if outlived is None else barred(pool.stock, outlived, start_s)
        outages = self._assembly.outages.at(at) if has_outages else ()
        return PodLevels(pool.size, self._pods[at], self._held.at(at), outages, away(there, start_s), shut)

    def _offer(self, at: int) -> OfferLevels:
        offer = self._assembly.offers[at - len(self._assembly.pools)]
        return OfferLevels(offer, self._held.at(at), self._assembly.outages.at(at))

    def fits(self, needs: Sequence[PodNeed], of: str, more: int = 0) -> StepFunction:
        """Return when a gang fits in some pool, by the devices of that name in `PodLevels`.

        Where it may not start yet, they count as out of service.
        """
        pools = [(self.pool(need.pool.index), need) for need in needs]
        fits = [pool.fits(getattr(pool, of), need, more) for pool, need in pools]
        return where_any(fits if of == "unheld" else map(_once_open, needs, fits))

    def startable(
        self,
        shape: Shape,
        fits: Callable[[PodNeed], StepFunction] | None = None,
        *,
        more: int = 0,
        powered: bool = True,
        barred: bool = True,
    ) -> StepFunction:
        """Return when a gang fits in some pool, by `fits` or in its pods, and no rule forbids that it starts.

        There are so many empty pods `more`; rules are the power of its site and what `first` keeps free.
        """
        parts = []
        for need in shape.owned:
            rules = [self.fits([need], "free", more) if fits is None else fits(need)]
            if powered and need.power is not None:
                rules.append(self._has_power(need, need.power))
            if barred and (bars := self._barred(shape, more * need.pool.size)) is not AT_NO_TIME:
                rules.append(StepFunction(bars.time_s, ~bars.value))
            parts.append(where_all(rules))
        return where_any(parts)

    def _has_power(self, need: PodNeed, power: Power) -> StepFunction:
        left = self._left(power)
        return StepFunction(left.time_s, left.value >= need.units).shortest()

    def _power_left(self, power: Power) -> StepFunction:
        return power_left(power, self._assembly.pools, self._held)

    def enough(self, needs: Sequence[PodNeed]) -> StepFunction:
        """Return when some pool has enough free devices, on whatever pods."""
        return where_any(_once_open(need, self.pool(need.pool.index).enough(need)) for need in needs)

    def room(self, rentals: Sequence[Rental]) -> StepFunction:
        """Return when some offer had room."""
        rooms = (self.offer(rental.offer.index).room(rental) for rental in rentals)
        return where_any(map(_once_open, rentals, rooms))

    def lacks(self, shape: Shape, elsewhere: Sequence[Rental]) -> Lacks:
        """Return what a need lacked; `elsewhere` is what it would take if its data might leave."""
        if not shape.owned:
            over = self._of_offers(shape.rented)
            over, before = (_without_pods(each) for each in (over, self._before_leaving(shape, over)))
            return Lacks(before, over)
        pods = self._of_pods(shape)
        patient = StepFunction(pods.time_s, pods.value * _BASE + pods.value)
        if shape.rented and self._rations:
            patient = _beside(self._of_budget(shape.rented), pods)
        if shape.rented:
            return Lacks(patient, _beside(self._of_offers(shape.rented), pods))
        if elsewhere:
            time_s, room = self.room(elsewhere)
            may_not = StepFunction(time_s, np.where(room, Cause.RESIDENCY, -1))
            return Lacks(patient, _beside(may_not, pods))
        return Lacks(patient, patient)

    def _of_pods(self, shape: Shape) -> StepFunction:
        needs = shape.owned
        fits, out = self.fits(needs, "free"), self._out(needs)
        enough, barred = self.enough(needs), self._barred(shape)
        capped = any(need.power is not None for need in needs)
        powered = self.startable(shape, barred=False) if capped else fits
        time_s = instants([fits, enough, barred, powered, out])
        held_back = Cause.ORDER if self.setup.policy.backfill is None else Cause.RESERVED
        free = np.where(barred.at(time_s), Cause.RESERVED, held_back)
        free = np.where(powered.at(time_s), free, Cause.POWER)
        busy = np.where(enough.at(time_s), Cause.FRAGMENTATION, Cause.TOO_FEW)
        busy = np.where(out.at(time_s), Cause.OUTAGE, busy)
        return StepFunction(time_s, np.where(fits.at(time_s), free, busy)).shortest()

    def _out(self, needs: Sequence[PodNeed]) -> StepFunction:
        """Return when a gang would fit if all were in service, or could not though nobody held anything."""
        if not any(self.pool(need.pool.index).exposed or not need.open for need in needs):
            return AT_NO_TIME
        unheld, sound = self.fits(needs, "unheld"), self.fits(needs, "sound")
        time_s = instants([unheld, sound])
        return StepFunction(time_s, unheld.at(time_s) | ~sound.at(time_s))

    def _of_offers(self, rentals: Sequence[Rental]) -> StepFunction:
        offers = [(self.offer(rental.offer.index), rental) for rental in rentals]
        left = where_any(offer.has_left(rental) for offer, rental in offers)
        trouble = where_any(offer.troubled(rental) for offer, rental in offers)
        time_s = instants([left, trouble])
        refused = trouble.at(time_s) | np.array(self.takes_any)
        cause = np.where(refused, Cause.REFUSED, Cause.DECLINED)
        return StepFunction(time_s, np.where(left.at(time_s), cause, Cause.QUOTA)).shortest()

    def _before_leaving(self, shape: Shape, over: StepFunction) -> StepFunction:
        return self._of_budget(shape.rented) if self._rations else over

    def _of_budget(self, rentals: Sequence[Rental]) -> StepFunction:
        """Return what those lack who would leave at once, had they the money."""
        left = where_any(self.offer(rental.offer.index).has_left(rental) for rental in rentals)
        return StepFunction(left.time_s, np.where(left.value, Cause.BUDGET, Cause.QUOTA))

    def _barred(self, shape: Shape, more: int = 0) -> StepFunction:
        """Return when who may leave has to stay out, so that enough stays free; with `more` devices."""
        if self._keep_free is None or not shape.rented:
            return AT_NO_TIME
        stocks = enumerate(self.setup.stock.pools)
        pools = [self.levels(at, None if stock.batches else ()) for at, stock in stocks]
        free = [pool.total(pool.free) for pool in pools]
        down = [pool.total(pool.free - pool.unheld + pool.size) for pool in pools]
        time_s = instants([*free, *down])
        in_service = sum(level.at(time_s) for level in down)
        within = sum(level.at(time_s) for level in free) - self._keep_free * in_service
        within += more * (1 - self._keep_free)
        return StepFunction(time_s, np.asarray(shape.most >= within)).shortest()


def _once_open(need: Need, holds: StepFunction) -> StepFunction:
    """Return when something holds and the gang may start there."""
    if need.open:
        return holds
    time_s = np.unique(np.append(holds.time_s, need.opens_s))
    return StepFunction(time_s, holds.at(time_s) & (time_s >= need.opens_s)).shortest()


def _without_pods(offers: StepFunction) -> StepFunction:
    return StepFunction(offers.time_s, offers.value * _BASE + _NO_PODS)


def _beside(offers: StepFunction, pods: StepFunction) -> StepFunction:
    """Put causes of offers, -1 for none, beside those of pods, of which an outage comes first."""
    time_s = instants([offers, pods])
    cause, on_pods = offers.at(time_s), pods.at(time_s)
    cause = np.where((on_pods == Cause.OUTAGE) | (cause < 0), on_pods, cause)
    return StepFunction(time_s, cause * _BASE + on_pods).shortest()
