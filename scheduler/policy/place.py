"""Which pod, of those that fit: `(job, devices, free) -> number of the pod, or -1`; ties go to the first.

`free` is a column: the free devices of each pod, in the order of the scenario, and -1 where the gang may not
go. A place answers with the position of one that has `devices` of them free, or with -1 where none has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scheduler.policy.errors import PolicyError
from scheduler.policy.frees import CountedFrees
from scheduler.policy.views import JobView

Place = Callable[[JobView, int, Sequence[int]], int]

NOWHERE = -1


class PlaceError(PolicyError):
    """A place of a user's own answered with something else than a pod that has the devices, or -1."""


def best_fit() -> Place:
    """The fullest pod that fits, which keeps others whole for large gangs."""

    def pick(job: JobView, devices: int, free: Sequence[int]) -> int:
        if isinstance(free, CountedFrees):
            return free.fullest(devices)
        least = None
        for here in free:  # a plain loop: it is asked for every job, and nothing that C offers is faster
            if devices <= here and (least is None or here < least):
                least = here
        return NOWHERE if least is None else free.index(least)

    return pick


def worst_fit() -> Place:
    """The emptiest pod."""

    def pick(job: JobView, devices: int, free: Sequence[int]) -> int:
        if isinstance(free, CountedFrees):
            return free.emptiest(devices)
        most = max(free, default=NOWHERE)
        return free.index(most) if devices <= most else NOWHERE

    return pick


def first_fit() -> Place:
    """The first pod of the first pool."""

    def pick(job: JobView, devices: int, free: Sequence[int]) -> int:
        if isinstance(free, CountedFrees):
            return free.first(devices)
        for at, here in enumerate(free):
            if devices <= here:
                return at
        return NOWHERE

    return pick


def checked(place: Place) -> Place:
    """Let a place that is not ours change nothing, and end the run at a wrong answer; raises PlaceError."""

    def pick(job: JobView, devices: int, free: Sequence[int]) -> int:
        at = place(job, devices, tuple(free))
        if at != NOWHERE and (at not in range(len(free)) or free[at] < devices):
            raise PlaceError(
                f"place: answered {at!r} for {devices} devices of job {job.job_id}, "
                f"where {list(free)} are free (allowed: a position of as many, or -1)"
            )
        return at

    return pick


PLACES: dict[str, Callable[..., Place]] = {
    "best_fit": best_fit,
    "worst_fit": worst_fit,
    "first_fit": first_fit,
}
