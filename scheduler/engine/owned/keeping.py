"""Room that is kept on pods for the head while others make way for it."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from scheduler.engine.owned.pools import Pod
from scheduler.policy.views import Limit


class Kept(NamedTuple):
    """What whoever passes the head must leave on some pods, unless it ends by `until_s`."""

    until_s: int
    beyond: dict[Pod, int]
    """By pod, devices that are being freed there less those that the head will take."""

    def limit(self, pod: Pod, devices: int, now_s: int) -> float:
        """Return the longest run that may start there now."""
        beyond = self.beyond.get(pod)
        return inf if beyond is None or devices <= pod.free + beyond else self.until_s - now_s


def within(kept: Kept | None, limit: Limit, now_s: int) -> Limit:
    """Return a limit that is also kept to where room is."""
    if kept is None:
        return limit
    return lambda pod, devices: min(limit(pod, devices), kept.limit(pod, devices, now_s))
