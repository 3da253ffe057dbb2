"""What is known of pods and of reservations from one pass to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.policy.profiles import Profile

PodShares = Sequence[tuple[Pod, int]]
"""Pods, and the devices to take of each."""


class KnownEnds:
    """When all that is held of a pod should be free again: its profile before anything is planned."""

    __slots__ = ("ends_by_s", "free", "profile", "releases")

    def __init__(self, pod: Pod, now_s: int) -> None:
        self.profile = Profile(pod, now_s)
        self.free, self.releases, self.ends_by_s = pod.free, pod.releases.copy(), pod.ends_by_s

    def hold(self, pod: Pod, now_s: int) -> bool:
        """Say whether they are still so, and nothing is overdue."""
        releases = pod.releases
        return (
            pod.free == self.free
            and releases == self.releases
            and pod.ends_by_s == self.ends_by_s
            and not (releases and releases[0][0] <= now_s)
        )


class PodChanges:
    """Pods on which there may be more room than there was, and pods on which there is less."""

    __slots__ = ("less", "more")

    def __init__(self, more: Iterable[Pod] = ()) -> None:
        self.more, self.less = set(more), set[Pod]()

    def add(self, other: PodChanges) -> None:
        """Add those of another."""
        self.more |= other.more
        self.less |= other.less

    def concern(self, taken: PodShares) -> set[Pod]:
        """Return those on which a reservation could come earlier, or not be kept."""
        if not self.less:
            return self.more
        return self.more.union(pod for pod, _ in taken if pod in self.less)


class Held:
    """The reservation of a job that waits: how many pools were open to it, and what it takes, if anything."""

    __slots__ = ("changes", "end_s", "entry", "job", "pools", "start_s", "taken")

    def __init__(self, entry: QueueEntry, pools: int, start_s: float, end_s: int, taken: PodShares) -> None:
        self.entry, self.job, self.pools = entry, entry[2], pools
        self.start_s, self.end_s, self.taken = start_s, end_s, taken
        self.changes: PodChanges | None = None
        """With which no reservation counts from it on."""

    def overlook(self, changes: PodChanges) -> None:
        """Let changes be looked at later, from here on."""
        if self.changes is not None:
            changes.add(self.changes)
        self.changes = changes

    def key(self, needs: Sequence[PodNeed]) -> tuple[float, int, int]:
        """Return from when, and on which pod of which of these pools: the lowest there is has been taken."""
        if not self.taken:
            return inf, 0, 0
        first = self.taken[0][0]
        rank = next(rank for rank, need in enumerate(needs) if need.pool is first.pool)
        return self.start_s, rank, first.index
