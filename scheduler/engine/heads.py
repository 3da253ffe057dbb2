"""The owned side of a pass in which others may give way to the head, before anybody passes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.lineup import Lineup
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.storm.storm import Storm


class HeadLoop(Protocol):
    """The simulation, as heads move it."""

    now_s: int
    waiting_jobs: int
    lineup: Lineup

    @property
    def line_up(self) -> Callable[[int, list[QueueEntry]], None]:
        """Start whoever may start, and let the others wait."""

    arrivals: Arrivals


class Heads:
    """Starts jobs by `start`; `enter` gives those who gave way their places in the order."""

    def __init__(
        self,
        loop: HeadLoop,
        cluster: Cluster,
        storm: Storm,
        start: Callable[[Job, PodNeed, tuple[Pod, ...]], None],
        enter: Callable[[Job], QueueEntry],
    ) -> None:
        self._loop, self._cluster, self._storm = loop, cluster, storm
        self._start, self._enter = start, enter

    def start_all(self, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start, heads first, and again if somebody has passed the head.

        Whoever gives way is a newcomer, too.
        """
        loop, joining, passed = self._loop, newcomers[:], True
        while passed:
            newcomers += self.start_first(joining)
            waiting = loop.waiting_jobs + len(joining)
            loop.line_up(loop.now_s, joining)
            joining, passed = [], loop.waiting_jobs < waiting

    def start_first(self, joining: list[QueueEntry]) -> list[QueueEntry]:
        """Start heads as long as they find room, or others give way; return those others, who join, too.

        They do so before the next head is looked at. Whoever starts joins no more.
        """
        gave_way: list[QueueEntry] = []
        while (head := self._head(joining)) is not None:
            slot = self._cluster.find(head[2])
            if slot is None and self._storm.makes_room(head[2]):
                slot = self._cluster.find(head[2])
            if slot is not None:
                if head in joining:
                    joining.remove(head)
                self._start(head[2], *slot)
                self._loop.lineup.disturbed()
            back = [self._enter(job) for job in self._loop.arrivals.newcomers]
            self._loop.arrivals.newcomers.clear()
            joining += back
            gave_way += back
            if slot is None:
                return gave_way
        self._storm.makes_room(None)
        return gave_way

    def _head(self, joining: list[QueueEntry]) -> QueueEntry | None:
        """Return the first in order of those who wait for pods and those who join them."""
        waiting = self._loop.lineup.queue.head()
        barred = self._cluster.barred
        heads = [entry for entry in joining if entry[2].shape.owned and not barred(entry[2].shape)]
        return min(heads if waiting is None else [waiting, *heads], default=None)
