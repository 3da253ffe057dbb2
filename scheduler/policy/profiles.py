"""Free devices over time, by what runs and what is planned: where conservative backfill reserves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from scheduler.policy.views import JobView, NeedView, PodView, PowerView


class Profile:
    """Free devices of one pod, or power, from now on, as a step function: what runs and what is planned."""

    __slots__ = ("free", "pod", "times")

    def __init__(self, pod: PodView | PowerView, now: int) -> None:
        self.pod = pod
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

    def copy(self) -> Profile:
        """Return another that is the same so far."""
        other = Profile.__new__(Profile)
        other.pod, other.times, other.free = self.pod, self.times.copy(), self.free.copy()
        return other

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
        times, frees = self.times, self.free
        at = bisect_right(times, start) - 1
        steps = iter(zip(times[at:], frees[at:], strict=True))
        for time, free in steps:
            if time >= before:
                break
            if free < devices:
                continue
            since = max(time, start)
            until = since + run
            for later, then_free in steps:
                if later >= until:
                    return min(since, before)
                if then_free < devices:
                    break
            else:
                return min(since, before)
        return before

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


class PlannedPlace(NamedTuple):
    """What a job takes of each profile, and from when until when."""

    start: int
    end: int
    taken: list[tuple[Profile, int]]

    def take(self) -> None:
        """Plan it."""
        for profile, devices in self.taken:
            profile.take(devices, self.start, self.end)


class Profiles(dict[PodView | PowerView, Profile]):
    """The profile of each pod and power at `now`, made when it is first asked for."""

    def __init__(self, now: int) -> None:
        super().__init__()
        self.now = now

    def __missing__(self, pod: PodView | PowerView) -> Profile:
        """Make the profile of a pod."""
        self[pod] = made = Profile(pod, self.now)
        return made

    def limit(self, pod: PodView | PowerView, devices: int) -> float:
        """Return the longest run that may start there now, beside all that is planned."""
        profile = self.get(pod)  # without one, nothing is planned there
        return inf if profile is None else profile.below(devices, self.now) - self.now


def earliest_place(job: JobView, needs: Sequence[NeedView], profiles: Profiles) -> PlannedPlace | None:
    """Return the job's earliest place in the profiles, over all pools; ties to the first.

    It may not start now, be it that room is held for another, so that something has to end first. None where
    the pods that it needs will not be there for so long.
    """
    best: PlannedPlace | None = None
    for need in needs:
        run = need.run_s(job.estimate_s)
        pods = [profiles[pod] for pod in need.pods]
        power = None if need.power is None else profiles[need.power]
        parts = pods if power is None else [*pods, power]
        soonest = min([part.times[1] for part in parts if len(part.times) > 1], default=profiles.now + 1)
        find = _across if need.whole else _inside
        found = find(need, pods, power, soonest, run, inf if best is None else best.start)
        if found is not None:
            best = found if power is None else found._replace(taken=[*found.taken, (power, need.units)])
    return best


def _inside(
    need: NeedView, pods: list[Profile], power: Profile | None, soonest: int, run: int, before: float
) -> PlannedPlace | None:
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
    return PlannedPlace(int(start), end, [(next(from_now, able[0]), devices)])


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
) -> PlannedPlace | None:
    """Return the earliest place across pods, from `soonest` on and before some instant."""
    parts = pods if power is None else [*pods, power]
    times = {time for part in parts for time in part.times if time > soonest}
    for start in sorted({soonest, *times}):
        if start >= before:
            break
        if power is not None and power.below(need.units, start) < start + run:
            continue
        if taken := _at(need, pods, start, start + run):
            return PlannedPlace(start, start + run, taken)
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
