"""What outages do: devices leave and return, gangs on them stop, offers refuse, boots fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from scheduler.engine.log.outcomes import FAILED, PREEMPTED, RECLAIMED
from scheduler.engine.owned.pools import Pod, Pool
from scheduler.engine.rented.offers import Offer
from scheduler.engine.storm.interruptible import Execution
from scheduler.engine.storm.outages import Outage, Phase
from scheduler.engine.units import Units

STOPS = {
    "device": FAILED,
    "cabinet": FAILED,
    "pod": FAILED,
    "maintenance": PREEMPTED,
    "reclaim": RECLAIMED,
}
"""Outages that stop who holds the devices, and how the attempt ends; others let it go on."""


class Exposure:
    """Pools and offers under outages.

    `down` is told how many more devices of a pool are out of service, by its number; `stop` stops an attempt,
    with an outcome, that has saved its work or not; `back` is told that devices of a pool, or else of an
    offer, may be had again.
    """

    def __init__(
        self,
        outages: Sequence[Outage],
        pools: Sequence[Pool],
        offers: Sequence[Offer],
        down: Callable[[int, int], None],
        stop: Callable[[Execution, int, bool], None],
        back: Callable[[bool], None],
    ) -> None:
        self._pools, self._offers = pools, offers
        self._down, self._stop, self._back = down, stop, back
        for resource in {outage.resource for outage in outages if outage.devices}:
            self._number(resource)

    def _number(self, resource: int) -> None:
        """Number the devices of the pods, or the nodes of the offer."""
        if resource < len(self._pools):
            for pod in self._pools[resource].pods:
                pod.units = Units(pod.size, 1, partial(self._pod_lost, resource, pod))
        else:
            offer = self._offers[resource - len(self._pools)]
            nodes = offer.quota // offer.node_devices
            offer.units = Units(nodes, offer.node_devices, offer.lose)

    def _pod_lost(self, pool: int, pod: Pod, devices: int) -> None:
        self._down(pool, devices)
        pod.expect()

    def tell(self, outage: Outage, phase: Phase) -> None:
        """Let an outage be announced, begin or end."""
        owned = outage.resource < len(self._pools)
        if owned:
            self._strike(self._pools[outage.resource].pods[outage.pod], outage, phase)
        else:
            offer = self._offers[outage.resource - len(self._pools)]
            if outage.devices:
                self._strike(offer, outage, phase)
            elif phase != Phase.ANNOUNCED:
                offer.serve(outage.what, outage.value, begins=phase == Phase.BEGINS)
        if phase == Phase.ENDS:
            self._back(owned)

    def _strike(self, place: Pod | Offer, outage: Outage, phase: Phase) -> None:
        units = place.units
        assert units is not None
        if phase == Phase.ANNOUNCED:
            place.give(-units.withhold(outage.first, outage.devices, outage.expected_s))
            if isinstance(place, Pod):
                place.expect()  # what was out of service already may stay so for longer
        elif phase == Phase.ENDS:
            place.give(units.restore(outage.first, outage.devices))
        elif outage.what in STOPS:
            for attempt in units.holders(outage.first, outage.devices):
                assert isinstance(attempt, Execution)
                in_time = 0 < outage.notice_s >= attempt.plan.cost_s
                self._stop(attempt, STOPS[outage.what], in_time)
