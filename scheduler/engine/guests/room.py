"""What guests use of the pods, and where there is room for another."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from scheduler.engine.jobs import Shape
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import Pod, PodNeed


class GuestTerms(NamedTuple):
    """How guests of a kind are treated."""

    reserve_devices: int
    """Devices that stay free of guests of this kind as they start."""
    preemptible: bool
    checkpoint_s: int | None
    """Run time between checkpoints, which cost nothing; None: who is stopped starts anew."""
    notice_s: int | None = None
    """A firm guest leaves so long after an own job began to wait; None: it stays to its end."""


class GuestRoom:
    """Devices that preemptible guests use, by pod; to the pods these are free.

    Pools of a site with a cap are not for guests: what is spare there lacks power.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._pools = [pool for pool in cluster.pools if pool.power is None]
        self._held: dict[Pod, int] = {}

    def take(self, pod: Pod, devices: int) -> None:
        """Let a guest use so many more devices of a pod, or fewer where negative."""
        self._held[pod] = self._held.get(pod, 0) + devices

    def short(self) -> set[Pod]:
        """Return the pods of which guests use more than the others leave."""
        return {pod for pod, held in self._held.items() if held > pod.free}

    def unused(self) -> int:
        """Return the devices that nobody uses."""
        return sum(sum(pool.frees) for pool in self._pools) - sum(self._held.values())

    def devices(self) -> int:
        """Return the devices of all pods that are there."""
        return sum(pool.size * pool.present for pool in self._pools)

    def find(self, shape: Shape, unused: int, terms: GuestTerms) -> tuple[PodNeed, Pod] | None:
        """Return the pod with the fewest unused devices that suffice; None where there is none.

        Of the `unused` devices of all pods, the reserve must stay unused. A firm guest, which nobody can
        stop, goes to no pod that is to leave.
        """
        best: tuple[int, PodNeed, Pod] | None = None
        for need in shape.owned:
            if (
                need.pool.power is not None
                or need.whole
                or not need.open
                or unused - need.devices < terms.reserve_devices
            ):
                continue
            for pod in need.pods:
                if not terms.preemptible and min(pod.ends_by_s, pod.starts_before_s) < inf:
                    continue
                free = pod.free - self._held.get(pod, 0)
                if free >= need.devices and (best is None or free < best[0]):
                    best = free, need, pod
        return best and best[1:]
