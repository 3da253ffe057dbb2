"""What policies may be able to do beyond what every one does: optional methods, each a Protocol."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Leveled(Protocol):
    """An order may have a level: what preemption by order compares, lower first."""

    def level(self, job: Any) -> float:
        """What is compared of a job."""


@runtime_checkable
class TurnsLevel(Protocol):
    """An order may say when the level of a running job changes."""

    def turns_s(self, job: Any, devices: int) -> float:
        """Seconds of work on so many devices until then; inf for never."""


@runtime_checkable
class AsksAgain(Protocol):
    """Patience may say when it wants to be asked again; what it says then counts from then."""

    def again_s(self, job: Any, view: Any) -> float:
        """Seconds until then, above 0; inf for never."""


@runtime_checkable
class Rations(Protocol):
    """Patience may hold back those, too, who else leave at once, as they fit no pod, or were rented for."""

    @property
    def rations(self) -> bool:
        """Whether it does."""


@runtime_checkable
class Decides(Protocol):
    """An offer's score may say when it would take an on-demand offer that it does not want now."""

    def decides_s(self, job: Any, offer: Any) -> float:
        """Seconds until then, if nothing changes; inf for never."""


@runtime_checkable
class Reconsiders(Protocol):
    """An offer's score may let a job leave the offer that it runs on; asked at each checkpoint."""

    def reconsiders(self, job: Any, offer: Any) -> bool:
        """Whether it does."""
