"""Which pod, of those that fit: `(job, pods) -> one of them`; ties go to the first.

`pods` is never empty and keeps the order of the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

from scheduler.policy.views import JobView, PodView

Place = Callable[[JobView, Sequence[PodView]], PodView]

_free = attrgetter("free")


def best_fit() -> Place:
    """The fullest pod that fits, which keeps others whole for large gangs."""
    return lambda job, pods: min(pods, key=_free)


def worst_fit() -> Place:
    """The emptiest pod."""
    return lambda job, pods: max(pods, key=_free)


def first_fit() -> Place:
    """The first pod of the first pool."""
    return lambda job, pods: pods[0]


PLACES: dict[str, Callable[..., Place]] = {
    "best_fit": best_fit,
    "worst_fit": worst_fit,
    "first_fit": first_fit,
}
