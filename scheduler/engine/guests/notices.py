"""Leases that are called back: where an own job waits, a firm guest with notice leaves so long after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from simpy import Environment
from simpy.events import NORMAL, Event

from scheduler.engine.attempt import Attempt
from scheduler.engine.guests.room import GuestTerms
from scheduler.engine.instant import call_at
from scheduler.engine.log.outcomes import PREEMPTED, UNFINISHED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.lineup import Lineup
from scheduler.engine.owned.pools import Pod, PodNeed

CALLED_BACK = "called back"
"""Why a lease did not run to its end."""


class Hosts(Protocol):
    """Who looks after guests, as notices see it."""

    def release(self, attempt: Attempt) -> None:
        """Take back the devices of a guest that runs no more."""

    def call(self) -> None:
        """Something has happened that guests may answer."""


class NoticeLoop(Protocol):
    """The simulation, as notices see it."""

    log: RunLog
    lineup: Lineup


class _Lack(NamedTuple):
    """Devices that a gang lacks somewhere, and leases there that may be called back."""

    devices: int
    leases: list[tuple[Attempt, PodNeed]]


_NOWHERE = _Lack(0, [])


def _places(need: PodNeed) -> list[Sequence[Pod]]:
    """Return where a gang may be: each pod, or all of them for one that is larger."""
    return [need.pods] if need.whole else [pod.alone for pod in need.pods]


class Notices:
    """Gives notice to guests of some kinds, the last to start first, so that the head has room by then."""

    def __init__(
        self, hosts: Hosts, loop: NoticeLoop, env: Environment, terms: Mapping[str, GuestTerms]
    ) -> None:
        self._hosts, self._loop, self._env = hosts, loop, env
        self._notice_s = {kind: of.notice_s for kind, of in terms.items() if of.notice_s is not None}
        self._given = set[Attempt]()

    def give(self) -> None:
        """Call back what the first own job that waits lacks, where it lacks the least."""
        head = self._loop.lineup.head() if self._notice_s else None
        if head is None:
            return
        lacks = [self._lacks(need, pods) for need in head.shape.owned for pods in _places(need)]
        if all(place.devices > 0 for place in lacks):
            there = (place for place in lacks if place.leases)
            devices, leases = min(there, key=lambda place: place.devices, default=_NOWHERE)
            for attempt, need in reversed(leases):
                if devices > 0:
                    self._give(attempt, need)
                    devices -= need.devices

    def _lacks(self, need: PodNeed, pods: Sequence[Pod]) -> _Lack:
        """Return what a gang lacks on some pods once all have left who were given notice."""
        here = [
            (attempt, attempt.need)
            for attempt in self._loop.log.guests
            if attempt.job.kind in self._notice_s and attempt.pods[0] in pods
            if isinstance(attempt.need, PodNeed)
        ]
        free = sum(pod.free for pod in pods)
        free += sum(each.devices for attempt, each in here if attempt in self._given)
        return _Lack(need.devices - free, [pair for pair in here if pair[0] not in self._given])

    def _give(self, attempt: Attempt, need: PodNeed) -> None:
        self._given.add(attempt)
        notice_s = self._notice_s[attempt.job.kind]
        leaves_s = int(self._env.now) + notice_s
        if leaves_s < attempt.end_s:
            need.expect(attempt, leaves_s)
            self._loop.lineup.disturbed()
            call_at(self._env, NORMAL, notice_s, partial(self._leave, attempt))

    def _leave(self, attempt: Attempt, _: Event) -> None:
        now_s = int(self._env.now)
        self._given.discard(attempt)
        self._hosts.release(attempt)
        attempt.callbacks = []
        self._loop.log.ended(attempt, now_s, PREEMPTED, attempt.so_far(now_s))
        self._loop.log.unstarted(attempt.job.row, UNFINISHED, CALLED_BACK)
        self._hosts.call()
