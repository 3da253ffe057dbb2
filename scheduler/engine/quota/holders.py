"""Who holds quota, and who of them gives way so that a job fits: Kueue's preemption, classical and fair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scheduler.engine.jobs import Job, Shape
from scheduler.policy.quota_tree import QuotaNode


@dataclass(eq=False, slots=True)
class QuotaQueue:
    """A queue of the tree, with what it may ask of others."""

    node: QuotaNode
    reclaim: str
    preempt_within: str


class QuotaHolder(NamedTuple):
    """A job that holds quota."""

    job: Job
    score: float
    """By which it waited."""
    queue: QuotaQueue
    resource: int
    devices: int
    since: int
    """Number of its admission."""


class QuotaAsk(NamedTuple):
    """What a job would take of a resource, as one of a queue."""

    job: Job
    queue: QuotaQueue
    shape: Shape
    """That it has if it takes it."""
    resource: int
    devices: int

    @property
    def fits_its_own(self) -> bool:
        """It fits into its queue's own quota."""
        return not self.queue.node.borrows(self.resource, self.devices)


ShareOf = Callable[[QuotaNode], float]
"""The fair share of a queue as it is now."""


def may_give(ask: QuotaAsk, holder: QuotaHolder) -> bool:
    """Say whether somebody may give way by the rules of the asker's queue."""
    return _within(ask, holder) if holder.queue is ask.queue else _reclaims(ask, holder)


def givers(candidates: Sequence[QuotaHolder], ask: QuotaAsk, share: ShareOf | None) -> list[QuotaHolder]:
    """Return who of the candidates gives way so that a job fits: as few as may be, nobody if it is in vain.

    With `share`, the fair share of a queue, others do only while that of the asker is not above theirs, both
    as they are afterwards. The tree is left as it was.
    """
    ordered = sorted(candidates, key=_order(ask))
    within = [holder for holder in ordered if holder.queue is ask.queue]
    if len(within) < len(ordered) and (found := _fewest(ask, ordered, share, borrows=share is not None)):
        return found
    return _fewest(ask, within, share, borrows=True)


def _within(ask: QuotaAsk, holder: QuotaHolder) -> bool:
    rule, mine, its = ask.queue.preempt_within, ask.job, holder.job
    if holder.resource != ask.resource or rule == "never":
        return False
    if its.priority < mine.priority:
        return True
    newer = (its.submit_s, its.job_id) > (mine.submit_s, mine.job_id)
    return rule == "lower_or_newer_equal" and its.priority == mine.priority and newer


def _reclaims(ask: QuotaAsk, holder: QuotaHolder) -> bool:
    rule = ask.queue.reclaim
    if holder.resource != ask.resource or holder.queue.node.root is not ask.queue.node.root:
        return False
    return rule == "any" or (rule == "lower_priority" and holder.job.priority < ask.job.priority)


def _order(ask: QuotaAsk) -> Callable[[QuotaHolder], tuple[bool, int, int, int]]:
    """Of other queues first, lowest priority, admitted last, lower id."""
    return lambda holder: (holder.queue is ask.queue, holder.job.priority, -holder.since, holder.job.job_id)


def _fewest(
    ask: QuotaAsk, candidates: list[QuotaHolder], share: ShareOf | None, *, borrows: bool
) -> list[QuotaHolder]:
    """Take them one by one until it fits, then leave out whoever is not needed, from the last but one on."""
    taken: list[QuotaHolder] = []
    fits = False
    while candidates and not fits:
        holder = _next(candidates, share, ask)
        candidates.remove(holder)
        if _gives(ask, holder, share):
            holder.queue.node.give(holder.resource, holder.devices)
            taken.append(holder)
            fits = _fits(ask, borrows=borrows)
    needed = _needed(ask, taken, borrows=borrows) if fits else []
    for holder in needed if fits else taken:
        holder.queue.node.take(holder.resource, holder.devices)
    return needed


def _next(candidates: list[QuotaHolder], share: ShareOf | None, ask: QuotaAsk) -> QuotaHolder:
    """Return the next in order: in fair mode, of other queues, one of that with the highest share."""
    first = candidates[0]
    if share is None or first.queue is ask.queue:
        return first
    others = [holder for holder in candidates if holder.queue is not ask.queue]
    return max(others, key=lambda holder: share(holder.queue.node))


def _gives(ask: QuotaAsk, holder: QuotaHolder, share: ShareOf | None) -> bool:
    """Say whether somebody gives way as things stand: of other queues, those that borrow alone."""
    if holder.queue is ask.queue:
        return True
    node, at = holder.queue.node, holder.resource
    if not node.borrows(at):
        return False
    if share is None or ask.fits_its_own:
        return True
    node.give(at, holder.devices)
    ask.queue.node.take(ask.resource, ask.devices)
    fair = share(ask.queue.node) <= share(node)
    ask.queue.node.give(ask.resource, ask.devices)
    node.take(at, holder.devices)
    return fair


def _fits(ask: QuotaAsk, *, borrows: bool) -> bool:
    fits = ask.devices <= ask.queue.node.available(ask.resource)
    return fits and (borrows or ask.fits_its_own)


def _needed(ask: QuotaAsk, taken: list[QuotaHolder], *, borrows: bool) -> list[QuotaHolder]:
    """Give back to those who need not give way, but for the last, without whom it does not fit."""
    needed = taken[-1:]
    for holder in reversed(taken[:-1]):
        holder.queue.node.take(holder.resource, holder.devices)
        if not _fits(ask, borrows=borrows):
            holder.queue.node.give(holder.resource, holder.devices)
            needed.append(holder)
    return needed
