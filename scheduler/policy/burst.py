"""When to stop waiting for owned devices, and which offer to rent then.

Patience, `(job, view) -> seconds`, is asked when a job could not start at once: 0 bursts at once, inf never
does. It is asked once, unless it has

- `again_s(job, view) -> float`: seconds until it wants to be asked again, about a job that waits still.
- `rations`: with it, true, it is asked also about those who would leave at once, as they fit no pod.

An offer's score, `(job, offer) -> float`, is lowest first, ties to the first offer; an
offer that scores inf is not taken now. A score that is more than a function may also have

- `decides_s(job, offer) -> float`: seconds until it would take this on-demand offer, if nothing changes; inf
  if never. A job that waits though there is room is asked again then.
- `reconsiders(job, offer) -> bool`: whether a job that runs there leaves it; asked at each checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, floor, inf
from typing import NewType

from scheduler.policy.patience_view import PatienceView
from scheduler.policy.views import JobView, OfferView
from traces.times import HOUR_S

Seconds = NewType("Seconds", float)
"""A duration; in a scenario a number of seconds or a number with the unit s, m, h, d or y."""

UsdPerWeek = NewType("UsdPerWeek", float)
"""An amount of money; in a scenario a number, with or without /week."""

Patience = Callable[[JobView, PatienceView], float]
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


@dataclass(frozen=True, slots=True)
class Predicted:
    """Burst once it has waited for `wait`, or is predicted to: asked again each hour of the run."""

    wait: Seconds

    def __call__(self, job: JobView, view: PatienceView) -> float:
        """Return what is left of the wait, 0 where the predicted wait is longer."""
        left_s = self.wait - view.waited_s(job)
        return 0.0 if view.predicted_wait_s(job) > left_s else left_s

    def again_s(self, job: JobView, view: PatienceView) -> float:
        """Return the seconds until the next full hour."""
        return _to_the_hour_s(view)


@dataclass(frozen=True, slots=True)
class Budget:
    """Burst at once as long as the rent of the week leaves enough for all that the job will cost.

    Asked again each hour of the run, and so at the start of each week, first in order first.
    """

    usd: UsdPerWeek
    rations: bool = field(default=True, init=False)

    def __call__(self, job: JobView, view: PatienceView) -> float:
        """Return 0 where there is the money, and an offer with room; else for ever."""
        usd = view.burst_usd(job)
        return 0.0 if view.spent_usd(this_week=True) + usd <= self.usd + A_MILLIONTH_USD else inf

    def again_s(self, job: JobView, view: PatienceView) -> float:
        """Return the seconds until the next full hour."""
        return _to_the_hour_s(view)


A_MILLIONTH_USD = 1e-6
"""So much is no more than what sums of floats may be off."""


def _to_the_hour_s(view: PatienceView) -> int:
    return HOUR_S - (view.now_s - view.start_s) % HOUR_S


def deadline() -> Patience:
    """Wait until the last moment at which renting still meets the deadline; for ever without one."""

    def patience(job: JobView, view: PatienceView) -> float:
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
    "predicted": Predicted,
    "deadline": deadline,
    "budget": Budget,
}


def cheapest() -> OfferScore:
    """What adds least to the bill for the whole gang, by its estimate, boot included, at the price of now."""
    return lambda job, offer: offer.cost_usd(job)


def fastest() -> OfferScore:
    """The earliest end: boot or staging, then the work."""
    return lambda job, offer: offer.ready_s(job) + offer.work_s(job)


def _of_sort(sort: int, usd: float) -> float:
    """Return a score by cost that comes after all of a better sort: times a power of 2, which is exact."""
    return max(usd, 2.0**-100) * 2.0 ** (300 * sort)


def spot_fallback(reclaims: int = 1) -> OfferScore:
    """The cheapest spot offer, on-demand where none has room; on-demand alone after so many reclaims."""

    def score(job: JobView, offer: OfferView) -> float:
        if offer.spot:
            return _of_sort(0, offer.cost_usd(job)) if job.reclaims < reclaims else inf
        return _of_sort(1, offer.cost_usd(job))

    return score


def spot_up_to(gang: int) -> OfferScore:
    """The cheapest, but never spot for a larger gang: each of its devices can stop it."""
    return lambda job, offer: inf if offer.spot and job.gang > gang else offer.cost_usd(job)


@dataclass(frozen=True, slots=True)
class UniformProgress:
    """Spot while the deadline allows it, on-demand when the job is behind.

    Uniform Progress of "Can't Be Late" (Wu et al., NSDI 2024, sections 3.3 and 5.2) with its safety net and
    hysteresis. C is the work left and d the time until it can begin, both on the offer in question.

    - Spot is taken whenever it can be had, and kept until it is reclaimed.
    - On-demand is taken where there is no spot, once less is done than uniform progress from submission to
      deadline asks for.
    - It is taken before spot once no more than C + 2d is left to the deadline.
    - It is left again once as much is done as will be asked for in 2d, if more than C + 2d is left.

    Without a deadline a job waits for spot, however long. The paper's on-demand devices can always be had; a
    job that finds none takes spot all the same.
    """

    def __call__(self, job: JobView, offer: OfferView) -> float:
        """Spot, then on-demand if it is time for that, then spot that endangers the deadline; by cost."""
        if offer.spot:
            safe = offer.now_s < _tight_from_s(job, offer)
            return _of_sort(0 if safe else 2, offer.cost_usd(job))
        return inf if self.decides_s(job, offer) > 0 else _of_sort(1, offer.cost_usd(job))

    def decides_s(self, job: JobView, offer: OfferView) -> float:
        """Seconds until an idle job takes this on-demand offer, if nothing changes."""
        if job.deadline_s is None:
            return inf
        behind_from_s = floor(_even_until_s(job)) + 1
        return max(0, min(behind_from_s, ceil(_tight_from_s(job, offer))) - offer.now_s)

    def reconsiders(self, job: JobView, offer: OfferView) -> bool:
        """Whether a job that runs there has caught up so far that it may wait for spot again."""
        if offer.spot:
            return False
        ahead = offer.now_s + 2 * offer.ready_s(job) <= _even_until_s(job)
        return ahead and offer.now_s < _tight_from_s(job, offer)


def _even_until_s(job: JobView) -> float:
    """The last instant at which uniform progress asks for no more than is done; inf without a deadline."""
    if job.deadline_s is None:
        return inf
    return job.submit_s + (job.deadline_s - job.submit_s) * job.done_s / (job.done_s + job.estimate_s)


def _tight_from_s(job: JobView, offer: OfferView) -> float:
    """The instant from which the deadline leaves no time for two changes of devices; inf without one.

    It is an instant sooner than the paper's, which would be a second late where a change takes no time.
    """
    if job.deadline_s is None:
        return inf
    return job.deadline_s - offer.work_s(job) - 2 * offer.ready_s(job)


OFFERS: dict[str, Callable[..., OfferScore]] = {
    "cheapest": cheapest,
    "fastest": fastest,
    "spot_fallback": spot_fallback,
    "spot_up_to": spot_up_to,
    "uniform_progress": UniformProgress,
}
