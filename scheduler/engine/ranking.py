"""The keys of an order whose keys change, at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.owner_use import OwnerUse
from scheduler.engine.rented.offers import Clock
from scheduler.policy.changing import NO_DEADLINE, Changing, Decays, JobColumns
from scheduler.policy.order import OrderError
from traces.arrays import Floats, Ints


class Ranking:
    """Asks a changing order, to which it is the view."""

    def __init__(
        self, order: Changing, clock: Clock, owners: Sequence[str], shares: Mapping[str, float], devices: int
    ) -> None:
        self._order, self._clock = order, clock
        self.owners, self.devices = tuple(owners), devices
        self.shares = np.array([shares.get(owner, 1.0) for owner in owners])
        self.shares.flags.writeable = False
        self._number = {owner: at for at, owner in enumerate(owners)}
        start_s = int(clock.now)
        self._use = OwnerUse(owners, order.half_life_s, start_s) if isinstance(order, Decays) else None

    @property
    def now_s(self) -> int:
        """The present second."""
        return int(self._clock.now)

    @property
    def use(self) -> Floats:
        """Device-seconds that each owner has had, as they have faded by now."""
        if self._use is None:
            raise OrderError("policy.order: looks at view.use, but has no half_life_s in which that fades")
        use = self._use.at(self.now_s)
        use.flags.writeable = False
        return use

    def started(self, attempt: Attempt) -> None:
        """Count what an attempt holds of the pods from now on as its owner's use."""
        self._holds(attempt, attempt.need.devices)

    def released(self, attempt: Attempt) -> None:
        """Count what an attempt has held no more."""
        self._holds(attempt, -attempt.need.devices)

    def _holds(self, attempt: Attempt, devices: int) -> None:
        if self._use is not None and attempt.pods:
            self._use.holds(attempt.job.shape.owner, devices, self.now_s)

    def row(self, job: Job) -> tuple[int, ...]:
        """Return what `JobColumns` has of a job."""
        deadline_s = NO_DEADLINE if job.deadline_s is None else job.deadline_s
        return (
            job.job_id,
            job.submit_s,
            job.estimate_s,
            job.done_s,
            job.gang,
            job.priority,
            deadline_s,
            job.attained_device_s,
            self._number[job.shape.owner],
        )

    def keys(self, table: Ints) -> Floats:
        """Return the key of each column of a table whose rows are those of `JobColumns`: the caller's own."""
        table.flags.writeable = False
        return self._order.keys(JobColumns._make(table), self).astype(float)

    def key(self, job: Job, _view: object = None) -> float:
        """Return the key of one job."""
        return float(self.keys(np.array(self.row(job), np.int64)[:, np.newaxis])[0])
