"""Whether a job on rented devices comes home: `(job, offer) -> bool`.

It is asked at each checkpoint of the job at which nobody waits for owned devices and it would fit. The offer
is the one that it runs on. Owned devices count as free: their price is sunk.
"""

from __future__ import annotations

from collections.abc import Callable

from scheduler.policy.burst import Seconds
from scheduler.policy.views import JobView, OfferView

Repatriate = Callable[[JobView, OfferView], bool]

_NONE_S = Seconds(0)


def stay() -> None:
    """It ends where it began."""
    return


def at_checkpoint(cutoff: Seconds = _NONE_S) -> Repatriate:
    """Unless less than the cut-off is left to do there, by its estimate."""
    return lambda job, offer: offer.work_s(job) >= cutoff


def when_cheaper(cutoff: Seconds = _NONE_S) -> Repatriate:
    """If renting for what is left costs more than taking the checkpoint home; with the same cut-off."""

    def repatriate(job: JobView, offer: OfferView) -> bool:
        left_s = offer.work_s(job)
        return left_s >= cutoff and offer.rent_usd(left_s) > offer.leaving_usd(job)

    return repatriate


REPATRIATIONS: dict[str, Callable[..., Repatriate | None]] = {
    "stay": stay,
    "at_checkpoint": at_checkpoint,
    "when_cheaper": when_cheaper,
}
