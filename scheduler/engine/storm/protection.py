"""Who need not give way, whatever the policy says: what `[preemption]` of the scenario protects."""

from __future__ import annotations

from collections import Counter, deque
from math import inf

from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.retries import Resumed
from scheduler.scenario import PreemptionSpec
from traces.times import HOUR_S


class Protection:
    """Looks at one running job at a time, but for how many may give way within an hour.

    `devices` are all owned ones.
    """

    def __init__(self, spec: PreemptionSpec, devices: int) -> None:
        self._spec = spec
        self._share = spec.protected_share * devices
        self._held: Counter[str] = Counter()
        """Owned devices by owner."""
        self._lately: deque[int] = deque()
        """When somebody gave way within the last hour."""
        self.until_s = inf
        """The first second at which less is protected than was found when last asked."""

    def begun(self, attempt: Interruptible) -> bool:
        """Count an attempt on owned devices; say whether its owner is less safe than before."""
        self._held[attempt.job.owner] += attempt.need.devices
        return self._share > 0

    def ended(self, attempt: Interruptible) -> None:
        """Count an attempt no more."""
        self._held[attempt.job.owner] -= attempt.need.devices

    def gave_way(self, now_s: int) -> None:
        """Count a job that gives way."""
        if self._spec.most_per_h is not None:
            self._lately.append(now_s)

    def most(self, now_s: int) -> int | None:
        """Return how many may give way now; None for any number. To be asked before `covers`."""
        most, lately = self._spec.most_per_h, self._lately
        while lately and lately[0] <= now_s - HOUR_S:
            lately.popleft()
        self.until_s = lately[0] + HOUR_S if lately else inf
        return None if most is None else most - len(lately)

    def covers(self, attempt: Interruptible, now_s: int) -> bool:
        """Say whether somebody is safe: it started in this very second, or the scenario says so."""
        spec, job = self._spec, attempt.job
        if self._share and self._held[job.owner] <= self._share:
            return True
        if spec.most_per_job and isinstance(job, Resumed) and job.career.preemptions >= spec.most_per_job:
            return True
        safe_until_s = attempt.alloc_s + max(1, spec.min_run_s and attempt.ready_s + spec.min_run_s)
        if safe_until_s > now_s:
            self.until_s = min(self.until_s, safe_until_s)
            return True
        return False
