"""What admission is told of the queues, and what it asks of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from scheduler.engine.attempt import Attempt
from scheduler.engine.log.admission_log import AdmissionLog
from scheduler.engine.quota.holders import QuotaQueue
from scheduler.policy.quota_tree import QuotaNode


class QuotaRules(NamedTuple):
    """The queues, by number, and how jobs are admitted to them."""

    queues: Sequence[QuotaQueue]
    queue_of: Mapping[str, int]
    """The number of each owner's queue."""
    resource_of: Sequence[int | None]
    """By pool, the number of what quotas are of; None where there is none for it."""
    log: AdmissionLog
    half_life_s: Mapping[QuotaNode, float] | None
    """Of the queues that have one, in fair mode; None: whoever does not borrow first, then by the policy."""
    timeout_s: int | None
    backoff_s: int


class Yielding(Protocol):
    """What admission asks of the run: that somebody gives way, or that it is asked again."""

    def safe_until_s(self, attempt: Attempt) -> float:
        """Return until when a job that runs on pods does not give way; that of now: it may."""

    def gives_way(self, attempt: Attempt) -> None:
        """Let a job that runs on pods give way now; it comes to wait again in this instant."""

    def later(self, delay_s: int, act: Callable[[], bool]) -> None:
        """Do something after so many seconds, and make the pass if it says that it matters."""
