"""Free devices over time, by what runs and what is planned: where conservative backfill reserves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import inf

from scheduler.policy.views import JobView, NeedView, PodView, PowerView

_Place = tuple[float, int, list[tuple["Profile", int]]]
"""(start, end, devices to take of each profile)."""


class Profile:
    """Free devices of one pod, or power, from now on, as a step function: what runs and what is planned."""

    __slots__ = ("free", "times")

    def __init__(self, pod: PodView | PowerView, now: int) -> None:
        self.times, self.free = times, frees = [now], [pod.free]
        free, last = pod.free, now
        for end, _, devices in pod.releases:
            free += devices
            if end > last:
                times.append(end)
                frees.append(free)
                last = end
            elif last > now:
                frees[-1] = free
            else:  # it is overdue
                last = now + 1
                times.append(last)
                frees.append(free)
        if pod.ends_by_s < inf:
            self._end(int(pod.ends_by_s))

    def _end(self, at_s: int) -> None:
        """Let nothing be free from an instant on."""
        first = self._cut(at_s) if at_s > self.times[0] else 0
        self.free[first:] = [0] * (len(self.free) - first)

    def below(self, devices: int, start: int) -> float:
        """Return the first instant from `start` on with fewer than `devices` free; inf if none."""
        at = bisect_right(self.times, start) - 1
        for time, free in zip(self.times[at:], self.free[at:], strict=True):
            if free < devices:
                return max(time, start)
        return inf

    def earliest(self, devices: int, start: int, run: int, before: float) -> float:
        """Return the first instant from `start` on with so many free for so long, or else `before`."""
        at = bisect_right(self.times, start) - 1
        since: float = inf
        for time, free in zip(self.times[at:], self.free[at:], strict=True):
            if since == inf:
                if time >= before:
                    break
                if free >= devices:
                    since = max(time, start)
            elif time - since >= run:
                break
            elif free < devices:
                since = inf
        return min(since, before)

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


Profiles = dict[PodView | PowerView, Profile]


def profile_of(profiles: Profiles, pod: PodView | PowerView, now: int) -> Profile:
    """Return the profile of a pod, made when it is first asked for."""
    if pod not in profiles:
        profiles[pod] = Profile(pod, now)
    return profiles[pod]


def book(job: JobView, needs: Sequence[NeedView], profiles: Profiles, now: int) -> None:
    """Take the job's earliest place in the profiles, over all pools; ties to the first.

    It may not start now, be it that room is held for another, so that something has to end first.
    """
    best: _Place = (inf, 0, [])
    for need in needs:
        run = need.run_s(job.estimate_s)
        pods = [profile_of(profiles, pod, now) for pod in need.pods]
        power = None if need.power is None else profile_of(profiles, need.power, now)
        parts = pods if power is None else [*pods, power]
        soonest = min([part.times[1] for part in parts if len(part.times) > 1], default=now + 1)
        find = _across if need.whole else _inside
        if (found := find(need, pods, power, soonest, run, best[0])) is not None:
            best = (*found[:2], [*found[2], *([] if power is None else [(power, need.units)])])
    if best[0] == inf:  # the pods that it needs will not be there for so long
        return
    start, end, taken = int(best[0]), best[1], best[2]
    for profile, devices in taken:
        profile.take(devices, start, end)


def _inside(
    need: NeedView, pods: list[Profile], power: Profile | None, soonest: int, run: int, before: float
) -> _Place | None:
    """Return the earliest place inside a pod, from `soonest` on and before some instant.

    Of pods that are equally early, one that has the devices from now on comes first.
    """
    devices, start, able = need.rest, before, list[Profile]()
    for pod in pods:
        found = pod.earliest(devices, soonest, run, min(before, start + 1))
        if power is not None:
            found = _powered(need, pod, power, found, run, min(before, start + 1))
        if found < start:
            start, able = found, [pod]
        elif found == start < before:
            able.append(pod)
    if not able:
        return None
    end = int(start) + run
    from_now = (pod for pod in able if pod.below(devices, pod.times[0]) >= end)
    return start, end, [(next(from_now, able[0]), devices)]


def _powered(need: NeedView, pod: Profile, power: Profile, start: float, run: int, before: float) -> float:
    """Return the first instant from `start` on at which a pod has the devices and the site the power."""
    while start < before:
        powered = power.earliest(need.units, int(start), run, before)
        if powered == start:
            break
        start = pod.earliest(need.rest, int(powered), run, before) if powered < before else before
    return start


def _across(
    need: NeedView, pods: list[Profile], power: Profile | None, soonest: int, run: int, before: float
) -> _Place | None:
    """Return the earliest place across pods, from `soonest` on and before some instant."""
    parts = pods if power is None else [*pods, power]
    times = {time for part in parts for time in part.times if time > soonest}
    for start in sorted({soonest, *times}):
        if start >= before:
            break
        if power is not None and power.below(need.units, start) < start + run:
            continue
        if taken := _at(need, pods, start, start + run):
            return start, start + run, taken
    return None


def _at(need: NeedView, pods: list[Profile], start: int, end: int) -> list[tuple[Profile, int]]:
    """Return the profiles that can hold the gang from `start` to `end`, with the devices of each.

    They are chosen as those of a reservation of EASY are.
    """
    whole = _holding(pods, need.size, start, end, start - 1)[: need.whole + 1]
    lasts = _holding(pods, need.rest, start, end, 0) if need.rest else [None]
    for last in lasts:
        others = [pod for pod in whole if pod is not last][: need.whole]
        if len(others) == need.whole:
            taken = [(pod, need.size) for pod in others]
            return taken if last is None else [*taken, (last, need.rest)]
    return []


def _holding(pods: list[Profile], devices: int, start: int, end: int, before: int) -> list[Profile]:
    """Return the profiles with so many free from `start` to `end`, first those that have them `before`."""
    able = [pod for pod in pods if pod.below(devices, start) >= end]
    return sorted(able, key=lambda pod: pod.below(devices, max(pod.times[0], before)) < end)
