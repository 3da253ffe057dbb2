"""The shares of fair mode: what a queue uses above its own, now or as it has used it before."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from scheduler.engine.owner_use import OwnerUse
from scheduler.engine.rented.offers import Clock
from scheduler.policy.quota_tree import QuotaNode


class FairShares:
    """The share of a queue, lowest first.

    A queue with a half-life goes by the mean of what it has held, in which a second counts half as much as
    one that is a half-life later; the others by what they hold now.
    """

    def __init__(self, half_life_s: Mapping[QuotaNode, float], clock: Clock) -> None:
        self._clock = clock
        self._rate = {node: log(2) / seconds for node, seconds in half_life_s.items()}
        self._use = {
            node: OwnerUse([str(at) for at in node.resources], seconds, int(clock.now))
            for node, seconds in half_life_s.items()
        }

    def __call__(self, node: QuotaNode) -> float:
        """Return it."""
        use = self._use.get(node)
        if use is None:
            return node.share()
        return node.share((use.at(int(self._clock.now)) * self._rate[node]).tolist())

    def holds(self, node: QuotaNode, resource: int, devices: int) -> None:
        """A queue and those above it hold so many more devices from now on, or fewer where negative."""
        for each in node.path:
            if each in self._use:
                self._use[each].holds(str(resource), devices, int(self._clock.now))
