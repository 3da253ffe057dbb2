"""Who loses patience when: one SimPy timer serves all who wait."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.jobs import Job

Lost = Callable[[int, list[tuple[float, Job]]], None]
"""(second, scored jobs that lose patience there) -> None; the jobs may be none."""


class PatienceTimer:
    """Tells `lost` of jobs that still wait when their patience ends; `waits` says who does.

    A timer for each job would fill the event queue with those that never ring for anybody.
    """

    def __init__(self, env: Environment, waits: bytearray, lost: Lost) -> None:
        self._env = env
        self._waits = waits
        self._lost = lost
        self._heap: list[tuple[int, float, int, Job]] = []
        self._next_s: float = inf

    def keep(self, until_s: int, score: float, job: Job) -> None:
        """Let a job wait until then."""
        heappush(self._heap, (until_s, score, job.job_id, job))
        if until_s < self._next_s:
            self._set(until_s)

    def _set(self, until_s: int) -> None:
        self._next_s = until_s
        Timeout(self._env, until_s - self._env.now).callbacks.append(self._ring)

    def _ring(self, _: Event) -> None:
        now, heap, lost = int(self._env.now), self._heap, []
        if now >= self._next_s:  # else an earlier timer has taken over
            while heap and (heap[0][0] <= now or not self._waits[heap[0][3].turn]):
                _until, score, _id, job = heappop(heap)
                if self._waits[job.turn]:
                    lost.append((score, job))
            self._next_s = inf
            if heap:
                self._set(heap[0][0])
        self._lost(now, lost)
