"""When to stop waiting for owned devices, and which offer to rent then.

Patience, `(job, view) -> seconds`, is asked once, when a job could not start at its submission: 0 bursts at
once, inf never does. An offer's score, `(job, offer) -> float`, is lowest first, ties to the first offer.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NewType

from scheduler.policy.views import JobView, OfferView, View

Seconds = NewType("Seconds", float)
"""A duration; in a scenario a number of seconds or a number with the unit s, m, h or d."""

Patience = Callable[[JobView, View], float]
OfferScore = Callable[[JobView, OfferView], float]


def never() -> Patience:
    """Wait for owned devices, however long."""
    return lambda job, view: inf


def at_once() -> Patience:
    """Burst whatever cannot start now."""
    return lambda job, view: 0.0


def after(wait: Seconds) -> Patience:
    """Burst after a fixed wait."""
    return lambda job, view: wait


def per_runtime(ratio: float) -> Patience:
    """Burst after `ratio` times the job's own estimate."""
    return lambda job, view: ratio * job.estimate_s


def per_gang(seconds: float) -> Patience:
    """Burst after `seconds` for each device of the gang."""
    return lambda job, view: seconds * job.gang


def per_work(seconds: float) -> Patience:
    """Burst after `seconds` for each estimated device-second: dear jobs wait longer to save rent.

    The compute-wait policy of Starburst (Luo et al., USENIX ATC 2024).
    """
    return lambda job, view: seconds * job.gang * job.estimate_s


def predicted(wait: Seconds) -> Patience:
    """Burst at once where the predicted wait is longer than `wait`, and after `wait` in any case."""
    return lambda job, view: 0.0 if view.predicted_wait_s(job) > wait else wait


def deadline() -> Patience:
    """Wait until the last moment at which renting still meets the deadline; for ever without one."""

    def patience(job: JobView, view: View) -> float:
        if job.deadline_s is None:
            return inf
        return max(0.0, job.deadline_s - view.rented_s(job) - view.now_s)

    return patience


PATIENCES: dict[str, Callable[..., Patience]] = {
    "never": never,
    "at_once": at_once,
    "after": after,
    "per_runtime": per_runtime,
    "per_gang": per_gang,
    "per_work": per_work,
    "predicted": predicted,
    "deadline": deadline,
}


def cheapest() -> OfferScore:
    """What adds least to the bill for the whole gang, by its estimate, boot included, at the price of now."""
    return lambda job, offer: offer.cost_usd(job)


def fastest() -> OfferScore:
    """The earliest end: boot or staging, then the work."""
    return lambda job, offer: offer.ready_s(job) + offer.work_s(job)


OFFERS: dict[str, Callable[..., OfferScore]] = {"cheapest": cheapest, "fastest": fastest}
