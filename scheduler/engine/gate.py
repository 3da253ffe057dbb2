"""Where jobs go first: those that are to rent take no owned devices from the moment they are ready."""

from __future__ import annotations

from functools import cache

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.view import ClusterView
from scheduler.policy.first import RENTED, First, KeepFree


class Gate:
    """Asks the policy of each job once: of turns after the `rows` of the trace it knows already."""

    def __init__(self, first: First, cluster: Cluster, view: ClusterView, rows: int) -> None:
        self._first, self._cluster, self._view, self._rows = first, cluster, view, rows
        self._elsewhere = cache(Shape.elsewhere)

    def sent(self, job: Job) -> Job:
        """Return the job, without its owned side where it is to rent and some offer could hold it."""
        shape = job.shape
        if job.turn >= self._rows or not (shape.owned and shape.rented) or not self._rents(job):
            return job
        return job._replace(shape=self._elsewhere(shape))

    def _rents(self, job: Job) -> bool:
        if isinstance(self._first, KeepFree):
            return self._cluster.shuts_out(job.shape)
        return self._first(job, self._view) == RENTED
