"""What a job could take of the quotas: of all pools together, or in one pool or another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from scheduler.engine.jobs import Shape
from scheduler.policy.quota_tree import QuotaNode


class Option(NamedTuple):
    """Devices that a job takes of a resource, and the shape that it has then."""

    resource: int | None
    """None: of nothing that there are quotas of."""
    devices: int
    shape: Shape

    def fits(self, node: QuotaNode) -> bool:
        """Say whether a queue has so much available."""
        return self.resource is None or self.devices <= node.available(self.resource)

    def ever_fits(self, node: QuotaNode) -> bool:
        """Say whether a queue could have so much if nobody else used any."""
        return self.resource is None or self.devices <= node.potential(self.resource)


class Options:
    """Works them out by shape, in the order of the pools; `resource_of` is the resource of each pool."""

    def __init__(self, resource_of: Sequence[int | None]) -> None:
        self._resource_of = resource_of
        self._in_all = len(set(resource_of)) == 1
        self._whole: dict[Shape, Shape] = {}
        self.of = cache(self._of)

    def _of(self, shape: Shape) -> tuple[Option, ...]:
        """Return what jobs of a shape could take."""
        if self._in_all:
            return (Option(self._resource_of[0], shape.most, shape),)
        return tuple(
            Option(self._resource_of[need.pool.index], need.devices, self._alone(shape, at))
            for at, need in enumerate(shape.owned)
        )

    def _alone(self, shape: Shape, at: int) -> Shape:
        """Return the shape of the same jobs where they may take one pool alone."""
        alone = Shape([shape.owned[at]], shape.rented, shape.workload, shape.kind, shape.owner)
        self._whole[alone] = shape
        return alone

    def whole(self, shape: Shape) -> Shape:
        """Return what a shape was before it was bound to one pool."""
        return self._whole.get(shape, shape)
