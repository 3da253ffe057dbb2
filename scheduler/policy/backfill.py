"""Who may pass a blocked head: `(waiting) -> the next job to start and its slot, or None`.

It is asked again after each start, until it answers None. Reservations are never kept: they follow from the
estimates of what runs, so a job that ends early moves them forward by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf

from scheduler.policy.views import Hold, JobView, NeedView, PodView, Start, Waiting


@dataclass(frozen=True, slots=True)
class Backfill:
    """`pick` gives the next job to start and its slot, or None.

    `head_only` says that reservations follow from the head alone, so that an arrival behind the head makes
    no room for those who wait already.
    """

    pick: Callable[[Waiting], Start | None]
    head_only: bool


def none() -> None:
    """Strict order: nobody passes the head."""


def greedy() -> Backfill:
    """Whoever fits may start; large gangs starve unless their patience ends."""
    return Backfill(lambda waiting: waiting.first(lambda pod, devices: inf), head_only=True)


def easy() -> Backfill:
    """EASY: only the head holds a reservation, at its shadow time (Lifka, JSSPP 1995).

    Another job may start if it fits now and either ends, by its estimate, at the shadow time at the latest
    or leaves the reserved devices free.
    """

    def pick(waiting: Waiting) -> Start | None:
        now = waiting.now_s
        holds: Mapping[PodView, Hold] | None = None

        def limit(pod: PodView, devices: int) -> float:
            nonlocal holds
            if holds is None:  # not before somebody fits, which is rare
                holds = _reserve(waiting, waiting.needs(waiting.head()))
            hold = holds.get(pod)
            return inf if hold is None or devices <= hold.spare else hold.shadow_s - now

        return waiting.first(limit)

    return Backfill(pick, head_only=True)


def conservative(depth: int = 100) -> Backfill:
    """The first `depth` blocked jobs hold reservations, none of which a later job may delay.

    The plan is made anew at each start, in queue order (Mu'alem and Feitelson, IEEE TPDS 2001; a bounded
    number of reservations as in Maui). With depth 1 this is EASY.
    """

    def pick(waiting: Waiting) -> Start | None:
        now = waiting.now_s
        profiles: dict[PodView, Profile] = {}

        def limit(pod: PodView, devices: int) -> float:
            return _profile(profiles, pod, now).below(devices, now) - now

        for job in islice(waiting.in_order(), depth):
            if (start := waiting.fit(job, limit)) is not None:
                return start
            _plan(job, waiting.needs(job), profiles, now)
        return waiting.first(limit)

    return Backfill(pick, head_only=False)


BACKFILLS: dict[str, Callable[..., Backfill | None]] = {
    "none": none,
    "greedy": greedy,
    "easy": easy,
    "conservative": conservative,
}


def shadow(pod: PodView, devices: int, now: int) -> Hold:
    """Return the earliest instant at which `devices` are free if all that runs ends at its estimate.

    Everything that ends at that very instant counts as free; a gang past its estimate ends now.
    """
    free, time = pod.free, now
    for end, _, released in pod.releases:
        if end > time:
            if free >= devices:
                break
            time = end
        free += released
    return Hold(time, free - devices)


def _reserve(waiting: Waiting, needs: Sequence[NeedView]) -> Mapping[PodView, Hold]:
    """Return the holds of the earliest reservation, over all pools; ties to the first pool and pod."""
    best: tuple[float, Mapping[PodView, Hold]] = (inf, {})
    for need in needs:
        time, holds = (_span if need.whole else _single)(waiting, need)
        if time < best[0]:
            best = (time, holds)
    return best[1]


def _single(waiting: Waiting, need: NeedView) -> tuple[int, dict[PodView, Hold]]:
    holds = waiting.shadows(need.pods, need.rest)
    times = [hold.shadow_s for hold in holds]
    time = min(times)
    at = times.index(time)
    return time, {need.pods[at]: holds[at]}


def _span(waiting: Waiting, need: NeedView) -> tuple[int, dict[PodView, Hold]]:
    """Whole pods first emptied, and the rest wherever that makes the latest of them earliest."""
    now = waiting.now_s
    emptied = waiting.shadows(need.pods, need.size)
    empty = sorted(
        (max(now, hold.shadow_s), pod.index, pod) for hold, pod in zip(emptied, need.pods, strict=True)
    )
    if not need.rest:
        time = empty[need.whole - 1][0]
        return time, {pod: Hold(time, 0) for _, _, pod in empty[: need.whole]}
    options = []
    for last, hold in zip(need.pods, waiting.shadows(need.pods, need.rest), strict=True):
        others = [entry for entry in empty if entry[2] is not last][: need.whole]
        options.append((max(others[-1][0], hold.shadow_s), last.index, last, others))
    time, _, last, others = min(options)
    spare = last.free + sum(devices for end, _, devices in last.releases if end <= time) - need.rest
    return time, {pod: Hold(time, 0) for _, _, pod in others} | {last: Hold(time, spare)}


class Profile:
    """Free devices of one pod from now on, as a step function: what runs and what is planned."""

    __slots__ = ("free", "times")

    def __init__(self, pod: PodView, now: int) -> None:
        self.times, self.free = [now], [pod.free]
        for end, _, devices in pod.releases:
            time = max(end, now + 1)
            if time > self.times[-1]:
                self.times.append(time)
                self.free.append(self.free[-1])
            self.free[-1] += devices

    def below(self, devices: int, start: int) -> float:
        """Return the first instant from `start` on with fewer than `devices` free; inf if none."""
        at = bisect_right(self.times, start) - 1
        for time, free in zip(self.times[at:], self.free[at:], strict=True):
            if free < devices:
                return max(time, start)
        return inf

    def take(self, devices: int, start: int, end: int) -> None:
        """Plan `devices` from `start` until `end`."""
        first, last = self._cut(start), self._cut(end)
        for step in range(first, last):
            self.free[step] -= devices

    def _cut(self, time: int) -> int:
        at = bisect_right(self.times, time) - 1
        if self.times[at] != time:
            at += 1
            self.times.insert(at, time)
            self.free.insert(at, self.free[at - 1])
        return at


def _profile(profiles: dict[PodView, Profile], pod: PodView, now: int) -> Profile:
    if pod not in profiles:
        profiles[pod] = Profile(pod, now)
    return profiles[pod]


def _plan(job: JobView, needs: Sequence[NeedView], profiles: dict[PodView, Profile], now: int) -> None:
    """Take the job's earliest place in the profiles, over all pools; ties to the first."""
    best: tuple[float, int, list[tuple[Profile, int]]] = (inf, 0, [])
    for need in needs:
        run = need.run_s(job.estimate_s)
        pods = [_profile(profiles, pod, now) for pod in need.pods]
        for start in sorted({time for profile in pods for time in profile.times}):
            if start >= best[0]:
                break
            if taken := _at(need, pods, start, start + run):
                best = (start, start + run, taken)
                break
    start, end, taken = int(best[0]), best[1], best[2]
    for profile, devices in taken:
        profile.take(devices, start, end)


def _at(need: NeedView, pods: list[Profile], start: int, end: int) -> list[tuple[Profile, int]]:
    """Return the profiles that can hold the gang from `start` to `end`, with the devices of each."""
    whole = [pod for pod in pods if pod.below(need.size, start) >= end][: need.whole]
    if len(whole) < need.whole:
        return []
    taken = [(pod, need.size) for pod in whole]
    if need.rest:
        rest = [pod for pod in pods if pod not in whole and pod.below(need.rest, start) >= end]
        if not rest:
            return []
        taken.append((rest[0], need.rest))
    return taken
