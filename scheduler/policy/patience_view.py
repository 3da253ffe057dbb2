"""What patience may see besides the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from scheduler.policy.views import View


class HeadOfLine(NamedTuple):
    """The first of those who wait for pods, and what it waits for."""

    job_id: int
    gang: int
    devices: int
    """That it would take, in the pool where these are fewest."""
    expected_s: float
    """The second at which they should be free, by what is known; inf if never."""


class Ahead(NamedTuple):
    """Who stands before a job in the line for pods."""

    jobs: int
    device_s: int
    """Their work there, by their estimates."""


class PatienceView(View, Protocol):
    """What patience may see besides the job: the line, the pods, and what was rented so far.

    Rentals count from when their job may leave: what they will cost by their estimate, at the price of then,
    and once they have ended, what they cost; in the week in which they began. Weeks count from the start of
    the run.
    """

    @property
    def start_s(self) -> int:
        """When the run began."""

    @property
    def week_ends_s(self) -> int:
        """When the next week begins."""

    def waited_s(self, job: Any) -> int:
        """Seconds for which the job has waited, this time."""

    @property
    def queued_jobs(self) -> int:
        """Jobs that wait for pods."""

    def ahead(self, job: Any) -> Ahead:
        """Those who stand before the job."""

    @property
    def head(self) -> HeadOfLine | None:
        """The first of those who wait for pods."""

    @property
    def free(self) -> Sequence[Sequence[int]]:
        """Free devices, by pool and pod."""

    def rented_devices(self, owner: str | None = None) -> int:
        """Devices that are rented now, by an owner or in all."""

    def spent_usd(self, owner: str | None = None, *, this_week: bool = False) -> float:
        """Rent so far, by an owner or in all, since the start of the run or of the week."""

    def usd_per_device_h(self, job: Any) -> float:
        """The price now of the offer that the job would take; inf where none has room that it may use."""

    def burst_usd(self, job: Any) -> float:
        """What the job would pay there by its estimate, boot and billing steps included; inf likewise."""
