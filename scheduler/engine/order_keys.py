"""What the order says of a job: its key at this moment, and its entry into the queue."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.engine.fair_share import StartTags
from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.view import KeyView
from scheduler.engine.ranking import Ranking
from scheduler.policy.changing import Changing
from scheduler.policy.order import Order


class OrderKeys:
    """Asks the order, with `ranking` where its keys change."""

    def __init__(
        self, order: Order | Changing, start_tags: StartTags | None, ranking: Ranking | None
    ) -> None:
        self._start_tags = start_tags
        view = KeyView(start_tags or StartTags({}))
        if isinstance(order, Changing):
            assert ranking is not None
            self._order: Callable[[Job, KeyView], float] = ranking.key
        else:
            self._order = order
        self._view = view
        self.needed = ranking is None
        """An entry has its key; else the queue works it out anew, and nobody looks at that of an entry."""

    def key(self, job: Job) -> float:
        """Return the key of a job at this moment."""
        return self._order(job, self._view)

    def entry(self, job: Job) -> QueueEntry:
        """Return the entry of a job that is about to wait, whose owner is charged for it."""
        key = self._order(job, self._view) if self.needed else 0.0
        if self._start_tags is not None:
            self._start_tags.submitted(job)
        return key, job.job_id, job
