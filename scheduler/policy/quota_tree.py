"""Quotas as a tree of queues that own, lend and borrow, with the meaning of Kueue's cohorts.

`local` is what a queue lends to nobody: max(0, subtree - lend_most), 0 without a limit on lending. Its
`subtree` is its own quota and what its children bring: the sum of subtree - local over them. What a queue
uses above its local counts in its parent, too; what it gives back is taken from the parent first.

Amounts are devices, a number for each resource: a pool, or all pools together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

Amounts = tuple[float, ...]
"""A number for each resource; inf: no limit."""


@dataclass(eq=False, slots=True)
class QuotaNode:
    """A queue, and what its jobs and those below it use."""

    name: str
    quota: Amounts
    lend_most: Amounts
    borrow_most: Amounts
    weight: float = 1.0
    parent: QuotaNode | None = None
    children: list[QuotaNode] = field(default_factory=list)
    subtree: list[float] = field(default_factory=list)
    local: list[float] = field(default_factory=list)
    usage: list[float] = field(default_factory=list)

    def settle(self) -> None:
        """Work out `subtree` and `local`, from the children up; nothing is used yet."""
        for child in self.children:
            child.settle()
        brought = ((child.subtree[at] - child.local[at] for child in self.children) for at in self.resources)
        self.subtree = [own + sum(more) for own, more in zip(self.quota, brought, strict=True)]
        self.local = [max(0, s - lends) for s, lends in zip(self.subtree, self.lend_most, strict=True)]
        self.usage = [0] * len(self.quota)

    @property
    def resources(self) -> range:
        """Their numbers."""
        return range(len(self.quota))

    @property
    def path(self) -> list[QuotaNode]:
        """From below the topmost queue down to itself."""
        return [] if self.parent is None else [*self.parent.path, self]

    @property
    def root(self) -> QuotaNode:
        """The topmost queue above it, or itself."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def available(self, at: int) -> float:
        """Return how much more of a resource it may use."""
        if self.parent is None:
            return self.subtree[at] - self.usage[at]
        local, usage = self.local[at], self.usage[at]
        borrows = self.subtree[at] - local - max(0, usage - local) + self.borrow_most[at]
        return max(0, local - usage) + min(self.parent.available(at), borrows)

    def potential(self, at: int) -> float:
        """Return how much of a resource it could use if nobody else used any."""
        if self.parent is None:
            return self.subtree[at]
        most = self.subtree[at] + self.borrow_most[at]
        return min(most, self.local[at] + self.parent.potential(at))

    def take(self, at: int, devices: float) -> None:
        """Use so much more."""
        above = devices - max(0, self.local[at] - self.usage[at])
        self.usage[at] += devices
        if self.parent is not None and above > 0:
            self.parent.take(at, above)

    def give(self, at: int, devices: float) -> None:
        """Use so much less."""
        above = self.usage[at] - self.local[at]
        self.usage[at] -= devices
        if self.parent is not None and above > 0:
            self.parent.give(at, min(devices, above))

    def borrows(self, at: int, more: float = 0) -> bool:
        """Say whether it uses more than its own, or would with so much more."""
        return self.usage[at] + more > self.subtree[at]

    def share(self, used: Sequence[float] | None = None) -> float:
        """Return how much it uses above its own, of what its parent could lend, by weight; the fair share.

        `used` stands in place of its usage. It is 0 where it borrows nothing, and infinite for who does
        without any weight.
        """
        if self.parent is None:
            return 0.0
        most = 0.0
        for at in self.resources:
            above = (self.usage if used is None else used)[at] - self.subtree[at]
            lendable = self.parent.potential(at)
            if above > 0:
                most = max(most, above / lendable if lendable > 0 else inf)
        return most / self.weight if self.weight else (inf if most else 0.0)


def tree_of(nodes: Sequence[QuotaNode], parents: Sequence[int | None]) -> list[QuotaNode]:
    """Join nodes to trees, by the number of each one's parent; return the roots."""
    for node, parent in zip(nodes, parents, strict=True):
        if parent is not None:
            node.parent = nodes[parent]
            nodes[parent].children.append(node)
    roots = [node for node in nodes if node.parent is None]
    for root in roots:
        root.settle()
    return roots
