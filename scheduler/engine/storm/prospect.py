"""What a head that asked in vain may hope for: when it is worth to ask again, without asking everybody."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import NamedTuple

from scheduler.engine.jobs import Job
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.room import fits


class Answers(NamedTuple):
    """Who runs on owned devices, by what the head was told of each."""

    able: list[Interruptible]
    """May give way."""
    safe: list[tuple[int, Interruptible]]
    """Would, but is safe until a second."""
    stay: set[Interruptible]
    """Does not, or is safe for longer than can be said."""


class Prospect:
    """The most devices of each pod that could be free if nobody stayed but those who do not give way at all.

    Only a protection that ends, or the end of somebody who is not able, can make more room than there was:
    who starts takes what was free, and gives back no more. What there may be is overrated, never underrated:
    devices that an outage concerns are counted.
    """

    def __init__(self, head: Job, answers: Answers) -> None:
        self.head = head
        self._needs = {need.column: need for need in head.shape.owned}
        self._freed: Counter[Pod] = Counter()
        """Devices of those who may give way in time."""
        self._counted: set[Interruptible] = set()
        """Who they are."""
        for attempt in answers.able:
            self.begun(attempt)
        self.next_s = inf
        """The first second at which the end of a protection may make room."""
        self._safe = {attempt for _, attempt in answers.safe}
        for until_s, attempt in sorted(answers.safe, key=lambda each: each[0]):
            self.begun(attempt)
            if self.next_s == inf and self._may_fit(attempt):
                self.next_s = until_s

    def begun(self, attempt: Interruptible) -> None:
        """Count on the devices of somebody who may give way, as whoever has started since may in time."""
        if attempt not in self._counted:
            self._counted.add(attempt)
            self._count(attempt, 1)

    def ended(self, attempt: Interruptible) -> bool:
        """Follow an end; say whether there may be room, now or when somebody is safe no more."""
        if attempt in self._counted:
            brightens = attempt in self._safe and self._may_fit(attempt)
            self._counted.remove(attempt)
        else:
            self._count(attempt, 1)
            brightens = self._may_fit(attempt)
        self._count(attempt, -1)
        return brightens

    def _count(self, attempt: Interruptible, sign: int) -> None:
        assert isinstance(attempt.need, PodNeed)
        for pod, devices in attempt.need.shares(attempt.pods):
            self._freed[pod] += sign * devices

    def _may_fit(self, attempt: Interruptible) -> bool:
        """Say whether there may be room where an attempt is, once all have ended who are counted."""
        need = self._needs.get(attempt.need.column)
        if need is None:
            return False
        if not need.whole:
            return any(pod.free + self._freed[pod] >= need.rest for pod in attempt.pods)
        return fits(need, {pod: pod.free + self._freed[pod] for pod in need.pods})
