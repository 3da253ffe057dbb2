"""Who may pass a blocked head.

A reservation follows from when all that is held should be free by what is known, so a job that ends early
moves it forward. What should be free already but is not counts as free in the next second: never now, so that
devices that are free come first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf

from scheduler.policy.profiles import Profiles, earliest_place
from scheduler.policy.views import NeedView, PodView, Reservation, Start, Waiting


@dataclass(frozen=True, slots=True)
class HeadOnly:
    """Whoever fits may pass, as long as it leaves the head what is reserved for it, and for no other job.

    - `reserve(needs, now)` gives the head its reservation; `needs` is what the head would take, by pool.
    - `renew(needs, now, held, pod)` says what it is once a gang has ended on a pod: `held` itself if that
      changed nothing, None if it has to be made anew.

    Until a gang ends or the shadow time has come, a reservation stays as it is: a start on other pods, or of
    a job that ends by then, changes nothing, and one of a job that does not uses up what is spare. One of
    several pods is made anew, too, when a job starts on one of them, and a second before the shadow time.
    """

    reserve: Callable[[Sequence[NeedView], int], Reservation]
    renew: Callable[[Sequence[NeedView], int, Reservation, PodView], Reservation | None]
    depth: int = 1
    """How many blocked jobs hold a reservation, one or none: see `planned`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """`pick(waiting)` gives the next job to start and its slot, and is asked again until it gives None."""

    pick: Callable[[Waiting], Start | None]


@dataclass(frozen=True, slots=True)
class Committed:
    """The head, once chosen, stays the head until it has started, whoever comes.

    With `reserve`, which is asked once as the head is blocked, others may pass it who end before its shadow
    time by their estimate, first come, first served.
    """

    reserve: Callable[[Sequence[NeedView], int], Reservation] | None = None


@dataclass(frozen=True, slots=True)
class Conservative(Planned):
    """The first `depth` who wait hold reservations: `pick` makes them from scratch, but they can be kept."""

    depth: int


Backfill = HeadOnly | Planned | Committed


def none() -> None:
    """Strict order: nobody passes the head."""


def commit() -> Committed:
    """Strict order, and the head stays the head: the simulator of RLScheduler (Zhang et al., SC 2020)."""
    return Committed()


def rlscheduler() -> Committed:
    """The backfilling of the same simulator: there is one reservation a head, which is never moved."""
    return Committed(_reserve)


def greedy() -> HeadOnly:
    """Whoever fits may start; large gangs starve unless their patience ends."""
    nothing = Reservation(inf, {})

    def reserve(needs: Sequence[NeedView], now: int) -> Reservation:
        return nothing

    def renew(needs: Sequence[NeedView], now: int, held: Reservation, pod: PodView) -> Reservation:
        return held

    return HeadOnly(reserve, renew, depth=0)


def easy() -> HeadOnly:
    """EASY: only the head holds a reservation, at its shadow time (Lifka, JSSPP 1995).

    Another job may start if it fits now and either ends, by its estimate, at the shadow time at the latest
    or leaves the reserved devices free.
    """
    return HeadOnly(_reserve, _renew)


def conservative(depth: int = 100) -> Conservative:
    """The first `depth` blocked jobs hold reservations, none of which a later job may delay.

    The plan is made anew at each start, in queue order (Mu'alem and Feitelson, IEEE TPDS 2001; a bounded
    number of reservations as in Maui), and only as long as somebody has room to start now beside what is
    planned. With depth 1 this is EASY.
    """
    if depth > sys.maxsize:
        raise ValueError(f"the argument must be at most {sys.maxsize}")

    def pick(waiting: Waiting) -> Start | None:
        profiles = Profiles(waiting.now_s)
        limit = profiles.limit
        able, refused = waiting.able(limit), False
        for job in islice(waiting.in_order(), depth):
            if able is None:  # whatever else is planned leaves less room
                return None
            if refused or job is able:
                if (start := waiting.fit(job, limit)) is not None:
                    return start
                refused = True  # by the place policy, which may still take others
            if (place := earliest_place(job, waiting.needs(job), profiles)) is not None:
                place.take()
            if not refused and not waiting.has_room(able, limit):
                able = waiting.able(limit)
        return waiting.first(limit)

    return Conservative(pick, depth)


COMMITTED = ("commit", "rlscheduler")
"""Those that keep a head once it is chosen."""


def planned(backfill: Backfill | None) -> Backfill | None:
    """Return a backfill that reserves for the head alone as one that plans, which gives the same schedule.

    A plan counts the power of a site beside the devices of pods, which a reservation of the head does not.
    """
    return conservative(backfill.depth) if isinstance(backfill, HeadOnly) else backfill


BACKFILLS: dict[str, Callable[..., Backfill | None]] = {
    "none": none,
    "commit": commit,
    "rlscheduler": rlscheduler,
    "greedy": greedy,
    "easy": easy,
    "conservative": conservative,
}


def shadow(pod: PodView, devices: int, now: int, before: float = inf) -> tuple[int, int] | None:
    """Return the earliest instant at which `devices` are free if all is given back when it should be.

    With it, how many more are free then. Everything that is given back at that very instant counts as free;
    what is overdue is in the next second. None if it is not earlier than `before`.
    """
    free, time = pod.free, now
    for due, _, released in pod.releases:
        end = due if due > now else now + 1
        if end > time:
            if free >= devices:
                break
            if end >= before:
                return None
            time = end
        free += released
    return (time, free - devices) if time < before else None


def _reserve(needs: Sequence[NeedView], now: int) -> Reservation:
    """Return the earliest reservation of the head, over all pools; ties to the first pool and pod."""
    best = Reservation(inf, {})
    for need in needs:
        if need.whole:
            best = min(best, _span(need, now), key=lambda held: held.shadow_s)
            continue
        for pod in need.pods:
            if pod.releases and pod.releases[0][0] >= best.shadow_s and pod.free < need.rest:
                continue  # nothing comes free there sooner
            if (found := shadow(pod, need.rest, now, best.shadow_s)) is not None:
                best = Reservation(found[0], {pod: found[1]})
    return best


def _renew(needs: Sequence[NeedView], now: int, held: Reservation, pod: PodView) -> Reservation | None:
    """Say what an end on a pod does to a reservation: only its own, or an earlier one there, counts."""
    for need in needs:
        if need.pool is pod.pool:
            if need.whole or len(held.spare) != 1:  # none: no pod stays for as long as the head needs
                return None
            (reserved,) = held.spare
            before = inf if reserved is pod else held.shadow_s + _first(pod, reserved)
            found = shadow(pod, need.rest, now, before)
            return held if found is None else Reservation(found[0], {pod: found[1]})
    return held


def _first(one: PodView, other: PodView) -> bool:
    """Say whether one of two pods comes first in the scenario."""
    if one.pool is other.pool:
        return one.index < other.index
    return one.pool.index < other.pool.index


def _span(need: NeedView, now: int) -> Reservation:
    """Whole pods first emptied, and the rest wherever that makes the latest of them earliest.

    Of equal pods for the rest, one that has it free now comes first.
    """
    pods, soon = need.pods, now + 1
    empty_s = [max(pod.releases[-1][0], soon) if pod.releases else now for pod in pods]
    first = sorted(range(len(pods)), key=empty_s.__getitem__)[: need.whole + 1]
    soonest = first[: need.whole]
    earliest = empty_s[soonest[-1]]
    if not need.rest:
        return Reservation(earliest, {pods[at]: 0 for at in soonest})
    best: tuple[float, bool, int] = (inf, True, 0)
    for at, pod in enumerate(pods):
        emptied = empty_s[first[-1]] if at in soonest else earliest
        if emptied <= best[0] and (found := shadow(pod, need.rest, now, best[0])) is not None:
            best = min(best, (max(emptied, found[0]), pod.free < need.rest, at))
            if best[0] == earliest and not best[1]:  # no later pod is better
                break
    time, _, at = best
    last = pods[at]
    spare = last.free + sum(devices for end, _, devices in last.releases if end <= time) - need.rest
    whole = [number for number in first if number != at][: need.whole]
    return Reservation(time, {pods[number]: 0 for number in whole} | {last: spare})
