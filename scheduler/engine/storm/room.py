"""Room for a gang on pods: what is free once some have stopped, and what the gang would take of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.storm.interruptible import Interruptible

Room = dict[Pod, int]
"""Devices that are free on pods, or would be."""


def room_without(need: PodNeed, victims: Iterable[Interruptible]) -> Room:
    """Return what is free on the pods of the need's pool once the victims, who are there, have stopped."""
    room = {pod: pod.free for pod in need.pods}
    for victim in victims:
        for pod in victim.pods:
            room[pod] += share(victim, pod)
    return room


def needed(need: PodNeed, victims: Sequence[Interruptible]) -> list[Interruptible]:
    """Return who of the victims has to stop, where all of them make room: the last ones are spared first."""
    stop, room = list(victims), room_without(need, victims)
    for victim in reversed(victims):
        without = room | {pod: room[pod] - share(victim, pod) for pod in victim.pods}
        if fits(need, without):
            stop.remove(victim)
            room = without
    return stop


def fits(need: PodNeed, room: Room) -> bool:
    """Say whether there is room for whole pods, and for the rest in one more."""
    whole = sum(devices >= need.size for devices in room.values()) if need.whole else 0
    if whole < need.whole:
        return False
    return not need.rest or sum(devices >= need.rest for devices in room.values()) > need.whole


def slot(need: PodNeed, room: Room) -> Room:
    """Return what the gang would take of the first pods that have it: whole ones, then the rest."""
    whole = [pod for pod, devices in room.items() if need.whole and devices >= need.size][: need.whole]
    taken = dict.fromkeys(whole, need.size)
    if need.rest:
        others = (pod for pod, devices in room.items() if pod not in taken and devices >= need.rest)
        taken[next(others)] = need.rest
    return taken


def share(attempt: Interruptible, pod: Pod) -> int:
    """Devices of a pod that are free once an attempt has ended: those about to be out of service are not."""
    assert isinstance(attempt.need, PodNeed)
    return dict(attempt.need.shares(attempt.pods))[pod] if pod.units is None else pod.units.sound(attempt)
