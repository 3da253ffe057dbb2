"""What a head that asked in vain may hope for: when it is worth to ask again, without asking everybody."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from scheduler.engine.jobs import Job
from scheduler.engine.owned.pools import Pod
from scheduler.engine.storm.interruptible import Interruptible


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
    devices of those who have ended are counted twice, and of a head that may span pods nothing is known.
    """

    def __init__(self, head: Job, answers: Answers) -> None:
        self.head = head
        self._rest = {need.column: 0 if need.whole else need.rest for need in head.shape.owned}
        self._others = answers.stay.union(attempt for _, attempt in answers.safe)
        self._freed: dict[Pod, int] = {}
        for attempt in answers.able:
            self.begun(attempt)
        self.next_s = inf
        """The first second at which the end of a protection may make room."""
        for until_s, attempt in sorted(answers.safe, key=lambda each: each[0]):
            self.begun(attempt)
            if self.next_s == inf and self._may_fit(attempt, 0):
                self.next_s = until_s

    def begun(self, attempt: Interruptible) -> None:
        """Count on the devices of somebody who may give way, as whoever has started since may in time."""
        for pod in attempt.pods:
            self._freed[pod] = self._freed.get(pod, 0) + attempt.need.devices

    def _may_fit(self, attempt: Interruptible, devices: int) -> bool:
        rest = self._rest.get(attempt.need.column, inf)
        return any(pod.free + self._freed.get(pod, 0) + devices >= rest for pod in attempt.pods)

    def brightens(self, attempt: Interruptible) -> bool:
        """Say whether there may be room after the end of an attempt, now or when somebody is safe no more."""
        return attempt in self._others and self._may_fit(attempt, attempt.need.devices)
