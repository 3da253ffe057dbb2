"""Backfills of one's own: they see of jobs what `views.py` has, and give what the engine can start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import isnan
from typing import Any

from scheduler.policy.backfill import Backfill, Committed, HeadOnly, Planned
from scheduler.policy.errors import PolicyError
from scheduler.policy.guard import JOB_SEEN, Blamed, Shown, itself
from scheduler.policy.views import Limit, NeedView, Reservation, Start, Waiting

_OURS = "scheduler.policy."


def guarded_backfill(policy: Backfill, where: str) -> Backfill:
    """Return it with a guard around each of its functions that is not ours."""
    blamed = Blamed(where)
    if isinstance(policy, Planned):
        return policy if _is_ours(policy.pick) else replace(policy, pick=_picks(policy.pick, blamed))
    if isinstance(policy, Committed) and policy.reserve is None:
        return policy
    reserve = policy.reserve
    assert reserve is not None
    if not _is_ours(reserve):
        policy = replace(policy, reserve=_reserves(reserve, "reserve", blamed))
    if isinstance(policy, HeadOnly) and not _is_ours(policy.renew):
        policy = replace(policy, renew=_reserves(policy.renew, "renew", blamed))
    return policy


def _is_ours(function: Callable[..., Any]) -> bool:
    return str(getattr(function, "__module__", "")).startswith(_OURS)


def _reserves(function: Callable[..., Any], name: str, blamed: Blamed) -> Callable[..., Any]:
    def ask(*arguments: Any) -> Any:
        with blamed:
            given = function(*arguments)
            if given is None and name == "renew":
                return None
            if (
                not isinstance(given, Reservation)
                or isnan(given.shadow_s)
                or not isinstance(given.spare, dict)
            ):
                raise PolicyError(f"policy.backfill: {name} gives {given!r:.80}; must give a Reservation")
            return given

    return ask


def _picks(pick: Callable[[Waiting], Start | None], blamed: Blamed) -> Callable[[Waiting], Start | None]:
    def ask(waiting: Waiting) -> Start | None:
        with blamed:
            shown = ShownWaiting(waiting)
            given = pick(shown)
            if given is not None and not any(given is start for start in shown.starts):
                raise PolicyError(
                    f"policy.backfill: pick gives {given!r:.80}; must give what first or fit gave, or None"
                )
            return given and (itself(given[0]), given[1])

    return ask


class ShownWaiting:
    """Those who wait, as a backfill of one's own sees them while it is asked once."""

    __slots__ = ("_jobs", "_of", "starts")

    def __init__(self, of: Waiting) -> None:
        self._of = of
        self._jobs: dict[int, Shown] = {}
        self.starts: list[Start] = []
        """That have been offered."""

    @property
    def now_s(self) -> int:
        """As all that follow, what `Waiting` says."""
        return self._of.now_s

    def in_order(self) -> Iterator[Any]:
        """All of them, first first."""
        return map(self._shown, self._of.in_order())

    def needs(self, job: Any) -> Sequence[NeedView]:
        """What a job would take."""
        return self._of.needs(itself(job))

    def able(self, limit: Limit) -> Any | None:
        """The first that has room."""
        job = self._of.able(limit)
        return job and self._shown(job)

    def has_room(self, job: Any, limit: Limit) -> bool:
        """Whether a job has."""
        return self._of.has_room(itself(job), limit)

    def first(self, limit: Limit) -> Start | None:
        """The first that fits, and its slot."""
        return self._start(self._of.first(limit))

    def fit(self, job: Any, limit: Limit) -> Start | None:
        """A job's slot."""
        return self._start(self._of.fit(itself(job), limit))

    def _start(self, found: Start | None) -> Start | None:
        if found is None:
            return None
        start = (self._shown(found[0]), found[1])
        self.starts.append(start)
        return start

    def _shown(self, job: Any) -> Shown:
        """Return the same for the same job, so that two may be compared."""
        return self._jobs.setdefault(job.job_id, Shown(job, "policy.backfill: job", JOB_SEEN))
