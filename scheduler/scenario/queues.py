"""Queues that own a quota of the pods, lend it and borrow; and how jobs are admitted to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import inf
from typing import Annotated, Literal

from msgspec import Meta

from scheduler.catalog.models import WholeSeconds
from scheduler.policy.quota_tree import QuotaNode, tree_of
from scheduler.scenario.base import Model, Name, ScenarioError, Whole
from traces.errors import first_twice
from traces.times import DurationError, parse_seconds

ByPool = Whole | dict[Name, Whole]
"""Devices of all pools together, or by pool."""


class QueueSpec(Model, frozen=True, kw_only=True):
    """A queue: whose jobs it takes, and what they may use."""

    name: Name
    parent: Name | None = None
    owners: tuple[str, ...] = ()
    """Patterns of the trace's `owner`, as vision or team-*; of queues without children alone."""
    quota: ByPool = 0
    borrow_most: ByPool | None = None
    """So many devices more than its own and its children's; absent: as many as there are."""
    lend_most: ByPool | None = None
    """So many of its own may others use; absent: all."""
    weight: Annotated[float, Meta(ge=0, le=1e9)] = 1.0
    half_life: str | None = None
    """In fair mode, count what was used, of which a half is forgotten in this time, and not what is."""
    reclaim: Literal["never", "lower_priority", "any"] = "never"
    """Whose jobs in other queues that borrow give way to one that fits into its quota."""
    preempt_within: Literal["never", "lower_priority", "lower_or_newer_equal"] = "never"
    """Which jobs of the same queue give way."""
    rent_most: Whole | None = None
    """So many rented devices may it and its children hold at once; absent: any number."""
    rent_usd_per_week: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """For so much may it and its children rent in a week; absent: any sum."""

    def __post_init__(self) -> None:
        if self.half_life is not None:
            try:
                valid = parse_seconds(self.half_life) > 0
            except DurationError:
                valid = False
            if not valid:
                raise ValueError(f'half_life "{self.half_life}": must be a duration above 0, as 7d')
        for pool, lent in _by_pool(self.lend_most).items():
            if lent > (own := _by_pool(self.quota).get(pool, 0)):
                of = f" of {pool}" if pool else ""
                raise ValueError(
                    f"queue {self.name}: lend_most{of} = {lent}: must be at most its quota, {own}"
                )


class AdmissionSpec(Model, frozen=True, kw_only=True):
    """How jobs are admitted where there are queues."""

    order: Literal["policy", "fair"] = "policy"
    """fair: those of the queue with the least share of what is borrowed first."""
    timeout_s: WholeSeconds | None = None
    """A job that holds quota and finds no pod for so long gives it back; absent: never."""
    backoff_s: WholeSeconds = 60
    """It tries again after so long. Assumed."""


def _by_pool(amount: ByPool | None) -> Mapping[str, int]:
    return {} if amount is None else amount if isinstance(amount, dict) else {"": amount}


def check_queues(queues: Sequence[QueueSpec], pools: Iterable[str], preempt: str) -> None:
    """Raise ValueError for queues that are no trees, or whose quotas are of no pool or of unlike ones.

    `preempt` is the policy of that name, which must let nobody give way where there are queues.
    """
    if queues and preempt != "nobody":
        raise ValueError(
            f'policy.preempt "{preempt}": must be nobody where there are queues, as their reclaim and '
            "preempt_within say who gives way"
        )
    names = [queue.name for queue in queues]
    if twice := first_twice(names):
        raise ValueError(f'the name "{twice}" stands for two queues')
    known, parents = set(pools), {queue.parent for queue in queues}
    for queue in queues:
        if queue.parent is not None and queue.parent not in names:
            raise ValueError(
                f'queue {queue.name}: parent "{queue.parent}" is no queue (allowed: {", ".join(names)})'
            )
        if queue.owners and queue.name in parents:
            raise ValueError(
                f"queue {queue.name}: has owners and children; only one without children has owners"
            )
        for key in ("quota", "borrow_most", "lend_most"):
            for pool in _by_pool(getattr(queue, key)):
                if pool and pool not in known:
                    raise ValueError(f'queue {queue.name}: {key}: "{pool}" is no pool of the scenario')
    _check_circles(queues)
    if len({bool(pool) for queue in queues for pool in _pools(queue)}) > 1:
        raise ValueError("queues: give quotas either by pool or in all, not both")


def _pools(queue: QueueSpec) -> set[str]:
    amounts = (queue.quota or None, queue.borrow_most, queue.lend_most)
    return {pool for amount in amounts for pool in _by_pool(amount)}


def _check_circles(queues: Sequence[QueueSpec]) -> None:
    parent_of = {queue.name: queue.parent for queue in queues}
    for queue in queues:
        seen, name = [queue.name], queue.parent
        while name is not None:
            seen.append(name)
            if name == queue.name:
                raise ValueError(f"queues: {' -> '.join(seen)} is a circle; each must have a topmost parent")
            name = parent_of[name] if len(seen) <= len(queues) else None


def resources_of(queues: Sequence[QueueSpec], pools: Sequence[str]) -> tuple[str, ...]:
    """Return what quotas are of: each pool that one is of, or all of them together, which has no name."""
    named = {pool for queue in queues for pool in _pools(queue)}
    return tuple(pool for pool in pools if pool in named) if any(named) else ("",)


def amounts_of(amount: ByPool | None, resources: Sequence[str], absent: float) -> tuple[float, ...]:
    """Return an amount as a number for each resource; one that is not named has `absent`."""
    by_pool = _by_pool(amount)
    return tuple(by_pool.get(resource, absent) for resource in resources)


def nodes_of(queues: Sequence[QueueSpec], pools: Sequence[str]) -> list[QuotaNode]:
    """Return the queues as nodes of their trees, of which nothing is used yet."""
    resources, names = resources_of(queues, pools), [queue.name for queue in queues]
    nodes = [
        QuotaNode(
            queue.name,
            amounts_of(queue.quota, resources, 0),
            amounts_of(queue.lend_most, resources, inf),
            amounts_of(queue.borrow_most, resources, inf),
            queue.weight,
        )
        for queue in queues
    ]
    tree_of(nodes, [None if queue.parent is None else names.index(queue.parent) for queue in queues])
    return nodes


def queue_of_owners(queues: Sequence[QueueSpec], owners: Iterable[str]) -> dict[str, int]:
    """Return the number of each owner's queue; raises ScenarioError for one of two queues, or of none."""
    found = {}
    for owner in owners:
        matches = [
            at for at, queue in enumerate(queues) if any(fnmatchcase(owner, each) for each in queue.owners)
        ]
        if len(matches) != 1:
            names = " and ".join(queues[at].name for at in matches) or "no queue"
            raise ScenarioError(f'queues: owner "{owner}" matches {names}; each owner must match one')
        found[owner] = matches[0]
    return found
