"""Jobs on rented devices that go elsewhere at a checkpoint: home, or to another offer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.rented.offers import Rental
from scheduler.engine.storm.checkpoints import next_checkpoint_s
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.retries import Retries
from scheduler.policy import Policy


class Migration:
    """Asks the policy at each checkpoint of a rented attempt; `leave` lets it go."""

    def __init__(
        self,
        run: Handle,
        policy: Policy,
        cluster: Cluster,
        retries: Retries,
        leave: Callable[[Interruptible], None],
    ) -> None:
        self._run, self._cluster, self._retries, self._leave = run, cluster, retries, leave
        self._repatriate, self._reconsiders = policy.repatriate, policy.abilities.reconsiders

    def begun(self, attempt: Interruptible) -> None:
        """Follow an attempt whose work begins or goes on now."""
        if self._repatriate is None and self._reconsiders is None:
            return
        working_s = int(attempt.env.now) - attempt.alloc_s - attempt.ready_s
        next_s = next_checkpoint_s(max(0, working_s), attempt.work_s, attempt.plan)
        if next_s is not None:
            self._run.quietly(next_s - working_s, partial(self._at_checkpoint, attempt))

    def _at_checkpoint(self, attempt: Interruptible) -> None:
        if attempt not in self._run.running:
            return
        if self._comes_home(attempt) or self._goes_elsewhere(attempt):
            self._run.happens()
            self._leave(attempt)
        else:
            self.begun(attempt)

    def _comes_home(self, attempt: Interruptible) -> bool:
        if self._repatriate is None or not attempt.job.shape.owned or not self._run.nobody_waits():
            return False
        job = self._retries.standing(attempt)
        return self._cluster.find(job) is not None and self._repatriate(job, _rental(attempt))

    def _goes_elsewhere(self, attempt: Interruptible) -> bool:
        if self._reconsiders is None:
            return False
        return self._reconsiders(self._retries.standing(attempt), _rental(attempt))


def _rental(attempt: Interruptible) -> Rental:
    assert isinstance(attempt.need, Rental)
    return attempt.need
