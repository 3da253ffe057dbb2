"""Jobs on rented devices that go elsewhere at a checkpoint: home, or to another offer."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import partial

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.rented.offers import Rental
from scheduler.engine.storm.checkpoints import next_checkpoint_s
from scheduler.engine.storm.interruptible import Execution, Later
from scheduler.policy.burst import OfferScore
from scheduler.policy.repatriate import Repatriate

Reconsiders = Callable[[Job, Rental], bool]
"""(job, where it runs) -> whether it leaves: a method that some policies for offers have."""


class Moves:
    """Asks the policy at each checkpoint; `standing` is the job as it is then, `leave` lets it go."""

    def __init__(
        self,
        repatriate: Repatriate | None,
        score: OfferScore,
        cluster: Cluster,
        running: Container[Attempt],
        idle: Callable[[], bool],
        standing: Callable[[Execution], Job],
        later: Later,
        leave: Callable[[Execution], None],
    ) -> None:
        self._repatriate = repatriate
        self._reconsiders: Reconsiders | None = getattr(score, "reconsiders", None)
        self._cluster, self._running = cluster, running
        self._idle, self._standing, self._later, self._leave = idle, standing, later, leave

    def begun(self, attempt: Execution) -> None:
        """Follow an attempt whose work begins or goes on now."""
        if self._repatriate is None and self._reconsiders is None:
            return
        working_s = int(attempt.env.now) - attempt.alloc_s - attempt.ready_s
        next_s = next_checkpoint_s(max(0, working_s), attempt.work_s, attempt.plan)
        if next_s is not None:
            self._later(next_s - working_s, partial(self._at_checkpoint, attempt))

    def _at_checkpoint(self, attempt: Execution) -> None:
        if attempt not in self._running:
            return
        if self._comes_home(attempt) or self._goes_elsewhere(attempt):
            self._leave(attempt)
        else:
            self.begun(attempt)

    def _comes_home(self, attempt: Execution) -> bool:
        if self._repatriate is None or not attempt.job.shape.owned or not self._idle():
            return False
        job = self._standing(attempt)
        return self._cluster.find(job) is not None and self._repatriate(job, _rental(attempt))

    def _goes_elsewhere(self, attempt: Execution) -> bool:
        if self._reconsiders is None:
            return False
        return self._reconsiders(self._standing(attempt), _rental(attempt))


def _rental(attempt: Execution) -> Rental:
    assert isinstance(attempt.need, Rental)
    return attempt.need
