"""Room for a gang on pods: what is free once some have stopped, and what the gang would take of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest

from scheduler.engine.owned.leaving import OwnedNeed
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.storm.interruptible import Interruptible

Room = dict[Pod, int]
"""Devices that are free on pods, or would be."""


def could_fit(need: OwnedNeed, able: Iterable[Interruptible], most: int | None = None) -> bool:
    """Say whether there would be room if all of those who may stop did, and is none now.

    Inside a pod, only at most so many do. Where there is room already, the place policy does not want it.
    """
    there = [attempt for attempt in able if attempt.need.column == need.column]
    if need.whole:
        return fits(need, room_without(need, there)) and not fits(need, room_without(need, ()))
    by_pod: dict[Pod, list[Interruptible]] = {}
    for attempt in there:
        for pod in attempt.pods:
            by_pod.setdefault(pod, []).append(attempt)
    return max(need.frees) < need.rest and any(
        pod.free + sum([attempt.need.devices for attempt in some]) >= need.rest  # at most, and soon added up
        and pod.free + sum(nlargest(most or len(some), (share(attempt, pod) for attempt in some)))
        >= need.rest
        for pod, some in by_pod.items()
    )


def room_without(need: OwnedNeed, victims: Iterable[Interruptible]) -> Room:
    """Return what is free on the pods of the need's pool once the victims, who are there, have stopped."""
    room = {pod: pod.free for pod in need.pods}
    for victim in victims:
        for pod in victim.pods:
            room[pod] += share(victim, pod)
    return room


def needed(need: OwnedNeed, victims: Sequence[Interruptible]) -> list[Interruptible]:
    """Return who of the victims has to stop, where all of them make room: the last ones are spared first."""
    stop, room = list(victims), room_without(need, victims)
    for victim in reversed(victims):
        without = room | {pod: room[pod] - share(victim, pod) for pod in victim.pods}
        if fits(need, without):
            stop.remove(victim)
            room = without
    return stop


def fits(need: OwnedNeed, room: Room) -> bool:
    """Say whether there is room for whole pods, and for the rest in one more."""
    whole = sum(devices >= need.size for devices in room.values()) if need.whole else 0
    if whole < need.whole:
        return False
    return not need.rest or sum(devices >= need.rest for devices in room.values()) > need.whole


def slot(need: OwnedNeed, room: Room) -> Room:
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
