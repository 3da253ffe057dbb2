"""Which of those who may give way do so: a set of running jobs whose stop makes room for a gang."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key
from heapq import heappop, heappush
from typing import NamedTuple

from scheduler.engine.owned.leaving import OwnedNeed
from scheduler.engine.owned.pools import Pod
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.room import fits, needed, room_without, share

Youth = tuple[int, int]
"""(minus its start, minus its job_id): sorts whoever started last first."""


class Preemptible(NamedTuple):
    """A running job that may give way; of those who stand alike, the first to do so sorts first."""

    loss_device_s: int
    """What its stop destroys."""
    youth: Youth
    attempt: Interruptible


Behind = Callable[[Preemptible, Preemptible], bool]
"""Whether one stands behind another."""


class Choice(NamedTuple):
    """Who would give way, and where; the best sorts first."""

    ahead: int
    """Of the foremost victim: 0 for those furthest behind, and so on."""
    loss_device_s: int
    jobs: int
    youths: list[Youth]
    pool: int
    pod: int
    need: OwnedNeed
    victims: list[Preemptible]
    """Who would be the first to give way first."""


Lined = tuple[int, Preemptible]
"""(how far ahead it stands, a preemptible)."""


def choose(
    needs: Iterable[OwnedNeed],
    preemptibles: list[Preemptible],
    behind: Behind,
    most: int | None,
) -> Choice | None:
    """Return the best set of at most so many that makes room in some pool; None where there is none.

    All of them together must make room for each of the needs.
    Best is whose foremost member is furthest behind, then
    what loses fewest device-seconds, then the fewest jobs, then those that started last. Inside a pod that is
    exact; a gang across pods takes preemptibles in order until it fits, and leaves whoever is not needed.
    """
    lined = _line_up(preemptibles, behind)
    choices: list[Choice] = []
    for need in needs:
        here = [each for each in lined if each[1].attempt.need.column == need.column]
        choices += _across(need, here, most) if need.whole else _inside(need, here, most)
    return min(choices, key=lambda choice: choice[:6], default=None)


def _line_up(
    preemptibles: list[Preemptible], behind: Callable[[Preemptible, Preemptible], bool]
) -> list[Lined]:
    """Sort by who would be the first to give way."""

    def further(one: Preemptible, other: Preemptible) -> int:
        return behind(other, one) - behind(one, other)

    lined: list[Lined] = []
    for preemptible in sorted(sorted(preemptibles, key=lambda each: each[:2]), key=cmp_to_key(further)):
        ahead, last = lined[-1] if lined else (0, preemptible)
        lined.append((ahead + behind(last, preemptible), preemptible))
    return lined


def _choice(need: OwnedNeed, pod: int, victims: list[Lined]) -> Choice:
    victims.sort(key=lambda victim: (victim[0], victim[1][:2]))
    stop = [victim for _, victim in victims]
    loss_device_s = sum(victim.loss_device_s for victim in stop)
    youths = sorted(victim.youth for victim in stop)
    return Choice(victims[-1][0], loss_device_s, len(stop), youths, need.pool.index, pod, need, stop)


def _inside(need: OwnedNeed, lined: list[Lined], most: int | None) -> list[Choice]:
    """Return the best of each pod, of the pods where the foremost victim is furthest behind."""
    by_pod: dict[Pod, list[Lined]] = {}
    for entry in lined:
        for pod in entry[1].attempt.pods:
            by_pod.setdefault(pod, []).append(entry)
    able = []
    for pod, here in by_pod.items():
        shares = [share(preemptible.attempt, pod) for _, preemptible in here]
        at = _reach(shares, need.rest - pod.free, most)
        if at is not None:
            behind = [entry for entry in zip(shares, here, strict=True) if entry[1][0] <= here[at][0]]
            able.append((here[at][0], pod, behind))
    least = min((ahead for ahead, _, _ in able), default=0)
    return [
        _choice(need, pod.index, _lightest(behind, need.rest - pod.free, most))
        for ahead, pod, behind in able
        if ahead == least
    ]


def _reach(shares: Sequence[int], missing: int, most: int | None) -> int | None:
    """Return how far one must go until the largest shares so far, at most so many, are what is missing."""
    largest: list[int] = []
    total = 0
    for at, devices in enumerate(shares):
        heappush(largest, devices)
        total += devices
        if most is not None and len(largest) > most:
            total -= heappop(largest)
        if total >= missing:
            return at
    return None


def _lightest(shares: list[tuple[int, Lined]], missing: int, most: int | None) -> list[Lined]:
    """Return the best set, of at most so many jobs, whose shares are what is missing.

    Job by job: the best way to come by so many devices is kept, and where jobs are counted, by so many jobs.
    """
    best: dict[tuple[int, int], tuple[int, int, tuple[Youth, ...], tuple[Lined, ...]]]
    best = {(0, 0): (0, 0, (), ())}
    for devices, entry in sorted(shares, key=lambda share: share[1][1].youth):
        preemptible = entry[1]
        for (got, _), (loss, jobs, youths, chosen) in list(best.items()):
            if devices and got < missing and jobs != most:
                state = (min(got + devices, missing), 0 if most is None else jobs + 1)
                found = (loss + preemptible.loss_device_s, jobs + 1, (*youths, preemptible.youth))
                if state not in best or found < best[state][:3]:
                    best[state] = (*found, (*chosen, entry))
    enough = [found for (got, _), found in best.items() if got == missing]
    return list(min(enough, key=lambda found: found[:3])[3])


def _across(need: OwnedNeed, lined: list[Lined], most: int | None) -> list[Choice]:
    """Return the set for a gang across pods, or none."""
    room = room_without(need, ())
    for count, (_, preemptible) in enumerate(lined, 1):
        for pod in preemptible.attempt.pods:
            room[pod] += share(preemptible.attempt, pod)
        if fits(need, room):
            stop = needed(need, [taken.attempt for _, taken in lined[:count]])
            victims = [taken for taken in lined[:count] if taken[1].attempt in stop]
            return [_choice(need, 0, victims)] if most is None or len(victims) <= most else []
    return []
