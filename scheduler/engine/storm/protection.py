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

    def begun(self, attempt: Interruptible) -> bool:
        """Count an attempt on owned devices; say whether its owner is no longer safe."""
        before = self._held[attempt.job.owner]
        self._held[attempt.job.owner] = held = before + attempt.need.devices
        return before <= self._share < held

    def ended(self, attempt: Interruptible) -> None:
        """Count an attempt no more."""
        self._held[attempt.job.owner] -= attempt.need.devices

    def gave_way(self, now_s: int) -> None:
        """Count a job that gives way."""
        if self._spec.most_per_h is not None:
            self._lately.append(now_s)

    def most(self, now_s: int) -> int | None:
        """Return how many may give way now; None for any number."""
        most, lately = self._spec.most_per_h, self._lately
        while lately and lately[0] <= now_s - HOUR_S:
            lately.popleft()
        return None if most is None else most - len(lately)

    def more_s(self) -> float:
        """Return the second at which more may give way than at the one last asked for."""
        return self._lately[0] + HOUR_S if self._lately else inf

    def until_s(self, attempt: Interruptible) -> float:
        """Return until when somebody is safe: the second after its start, or what the scenario says."""
        spec, job = self._spec, attempt.job
        if self._share and self._held[job.shape.owner] <= self._share:
            return inf
        if spec.most_per_job and isinstance(job, Resumed) and job.career.preemptions >= spec.most_per_job:
            return inf
        if spec.min_run_s:
            return attempt.alloc_s + attempt.ready_s + spec.min_run_s
        return attempt.alloc_s + 1
