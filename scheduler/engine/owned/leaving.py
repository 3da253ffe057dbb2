"""Pods that are about to leave: what may still start on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from math import inf

from simpy import Environment

from scheduler.engine.jobs import Job
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.engine.owned.power import Power
from scheduler.policy.views import Limit


class LastingNeed:
    """What a gang takes of a pool without some of its pods, as policies see it."""

    def __init__(self, need: PodNeed | LastingNeed, without: Collection[Pod]) -> None:
        self.pool: Pool = need.pool
        self.column: int = need.column
        self.size: int = need.size
        self.power: Power | None = need.power
        self.units: int = need.units
        self.whole: int = need.whole
        self.rest: int = need.rest
        self.pods_taken: int = need.pods_taken
        self.run_s: Callable[[int], int] = need.run_s
        self.pods: list[Pod] = [pod for pod in need.pods if pod not in without]

    @property
    def frees(self) -> list[int]:
        """Free devices of each pod."""
        return [pod.free for pod in self.pods]


OwnedNeed = PodNeed | LastingNeed


class Leaving:
    """The pods that are there and will leave; `clock` tells the time."""

    def __init__(self, clock: Environment) -> None:
        self._clock = clock
        self._pods: set[Pod] = set()
        self._ends_by_s, self._starts_before_s = inf, inf

    def watch(self, pods: Iterable[Pod]) -> None:
        """Keep starts to what pods allow, of those that are there and will leave."""
        self._pods = {pod for pod in pods if min(pod.ends_by_s, pod.starts_before_s) < inf}
        self._ends_by_s = min((pod.ends_by_s for pod in self._pods), default=inf)
        self._starts_before_s = min((pod.starts_before_s for pod in self._pods), default=inf)

    def concerns(self, job: Job) -> bool:
        """Say whether some pod may not hold a job that starts now."""
        if not self._pods:
            return False
        now_s = self._clock.now
        longest_s = max((need.run_s(job.estimate_s) for need in job.shape.owned), default=0)
        return bool(now_s >= self._starts_before_s or now_s + longest_s > self._ends_by_s)

    def limit(self, limit: Limit | None) -> Limit | None:
        """Return a limit that is also kept to what the pods allow; None: there is none."""
        if not self._pods:
            return limit
        now_s = int(self._clock.now)
        if limit is None:
            return lambda pod, devices: pod.limit_s(now_s)
        return lambda pod, devices: min(limit(pod, devices), pod.limit_s(now_s))

    def barred(self, job: Job) -> set[Pod]:
        """Return the pods that would not hold a job which starts now, of those that are about to leave."""
        if not self.concerns(job):
            return set()
        now_s, needs = int(self._clock.now), job.shape.owned
        pools = {need.pool for need in needs}
        return {pod for pod in self._pods if pod.pool in pools and not holds(pod, needs, job, now_s)}

    def lasting(self, job: Job) -> list[OwnedNeed]:
        """Return what a job may take of each pool, of the pods that would hold it to its end from now on."""
        needs = [need for need in job.shape.owned if need.open]
        if not self.concerns(job):
            return [*needs]
        return without(needs, job, int(self._clock.now), [*self._pods])


def holds(pod: Pod, needs: Iterable[OwnedNeed], job: Job, at_s: float) -> bool:
    """Say whether a pod would hold a job to the end of its estimate that starts there at some instant."""
    run_s = next(need.run_s(job.estimate_s) for need in needs if need.pool is pod.pool)
    return run_s <= pod.limit_s(at_s)


def without(needs: Iterable[OwnedNeed], job: Job, at_s: float, pods: Collection[Pod]) -> list[OwnedNeed]:
    """Return needs without those of some pods that would not hold the job from an instant on.

    A need that no longer finds as many pods as it takes is left out.
    """
    needs = [*needs]
    pools = {need.pool for need in needs}
    short = {pod for pod in pods if pod.pool in pools and not holds(pod, needs, job, at_s)}
    left = (LastingNeed(need, short) for need in needs)
    return [need for need in left if len(need.pods) >= need.pods_taken]
