"""What outages do: devices leave and return, gangs on them stop, offers refuse, boots fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from scheduler.engine.log.outcomes import FAILED, PREEMPTED, RECLAIMED
from scheduler.engine.owned.pools import Pod, Pool
from scheduler.engine.rented.offers import LiveOffer
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible
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
    """Pools and offers under outages; `stop` ends an attempt with an outcome, its work saved or not."""

    def __init__(
        self,
        run: Handle,
        conditions: Conditions,
        pools: Sequence[Pool],
        stop: Callable[[Interruptible, int, bool], None],
    ) -> None:
        self._run, self._pools, self._offers, self._stop = run, pools, conditions.offers, stop
        outages = conditions.outages
        for resource in np.unique(outages.resource[outages.devices > 0]).tolist():
            self._number(resource)

    def _number(self, resource: int) -> None:
        """Number the devices of the pods or of the offer."""
        if resource < len(self._pools):
            for pod in self._pools[resource].pods:
                pod.units = Units(pod.size, 1, partial(self._pods_lost, resource))
        else:
            offer = self._offers[resource - len(self._pools)]
            unit = offer.stock.unit_devices
            offer.units = Units(offer.stock.most_devices // unit, unit, offer.lose)

    def _pods_lost(self, pool: int, devices: int) -> None:
        self._run.log.down(pool, self._run.now_s, devices)
        self._run.pods_changed()

    def tell(self, outage: Outage, phase: Phase) -> None:
        """Let an outage be announced, begin or end."""
        if outage.resource < len(self._pools):
            self._strike(self._pools[outage.resource].pods[outage.pod], outage, phase)
        else:
            offer = self._offers[outage.resource - len(self._pools)]
            if outage.devices:
                self._strike(offer, outage, phase)
            elif phase != Phase.ANNOUNCED:
                offer.serve(outage.what, outage.value, begins=phase == Phase.BEGINS)

    def _strike(self, place: Pod | LiveOffer, outage: Outage, phase: Phase) -> None:
        units = place.units
        if units is None:  # its pod has left at this very instant
            return
        if phase == Phase.ANNOUNCED:
            place.give(-units.withhold(outage.first, outage.devices, outage.expected_s))
        elif phase == Phase.ENDS:
            place.give(units.restore(outage.first, outage.devices, outage.expected_s))
        elif outage.what in STOPS:
            for attempt in units.holders(outage.first, outage.devices):
                assert isinstance(attempt, Interruptible)
                in_time = 0 < outage.notice_s >= attempt.plan.cost_s
                self._stop(attempt, STOPS[outage.what], in_time)
        if isinstance(place, Pod):
            self._foresee(place, outage)

    def _foresee(self, pod: Pod, outage: Outage) -> None:
        """Expect the end of those whom it will stop when it begins, and of itself when it should be over."""
        assert pod.units is not None
        for attempt in pod.units.holders(outage.first, outage.devices):
            assert isinstance(attempt, Interruptible)
            attempt.hasten(outage.from_s)
        pod.expect()
