"""Which pod, of those that fit: `(job, pods) -> one score a pod`, lowest first, ties to the first pod."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scheduler.policy.views import JobView, PodView

Place = Callable[[JobView, Sequence[PodView]], list[float]]


def best_fit() -> Place:
    """The fullest pod that fits, which keeps others whole for large gangs."""
    return lambda job, pods: [pod.free for pod in pods]


def worst_fit() -> Place:
    """The emptiest pod."""
    return lambda job, pods: [-pod.free for pod in pods]


def first_fit() -> Place:
    """The first pod of the first pool."""
    return lambda job, pods: [0.0] * len(pods)


PLACES: dict[str, Callable[..., Place]] = {
    "best_fit": best_fit,
    "worst_fit": worst_fit,
    "first_fit": first_fit,
}
