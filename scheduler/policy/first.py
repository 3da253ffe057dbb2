"""Where a job may start first: on owned devices, on rented ones, or on owned ones only while enough is free.

`(job, view) -> OWNED or RENTED` is asked once, when the job is ready; None stands for owned devices always. A
job for which it says RENTED, which may leave and which some offer could hold, takes no owned devices at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.policy.views import JobView, View

OWNED, RENTED = "owned", "rented"


@dataclass(frozen=True, slots=True)
class KeepFree:
    """A rule of admission to pods: who may leave starts there only if more than `share` stays free."""

    share: float
    """Of the devices in service of all pools together."""


First = Callable[[JobView, View], str] | KeepFree


def owned() -> None:
    """Owned devices first; patience decides when a job that waits may burst."""
    return


def rented() -> First:
    """Rented devices only, for whoever may have them: patience is 0 then."""
    return lambda job, view: RENTED


def reserve(share: float) -> First:
    """Owned devices only while more than this share of them stays free; barred jobs block nobody."""
    if not share < 1:
        raise ValueError("the argument must be a share, below 1")
    return KeepFree(share)


FIRSTS: dict[str, Callable[..., First | None]] = {
    "owned": owned,
    "rented": rented,
    "reserve": reserve,
}
