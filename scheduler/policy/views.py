"""What a policy may see: read-only views, so that a write is a type error.

The engine's own objects satisfy these protocols; a policy never sees `runtime_s`, only the estimate.
Times are int seconds from the trace's epoch, devices are counted on the device of the pool or offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol


class JobView(Protocol):
    """A job as its submitter described it, and what it has come to so far."""

    @property
    def job_id(self) -> int: ...
    @property
    def submit_s(self) -> int: ...
    @property
    def estimate_s(self) -> int:
        """Run time asked for, in reference seconds; what is left of it, once the job was interrupted."""

    @property
    def done_s(self) -> int:
        """Reference seconds of run time that are done and kept; 0 if never interrupted."""

    @property
    def attained_device_s(self) -> int:
        """Device-seconds of work that it has had, lost ones included, on whatever devices they were."""

    @property
    def reclaims(self) -> int:
        """How often its devices were reclaimed."""

    @property
    def gang(self) -> int: ...
    @property
    def workload(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def deadline_s(self) -> int | None: ...
    @property
    def input_tb(self) -> float: ...


class PoolView(Protocol):
    """Pods of one kind."""

    @property
    def index(self) -> int:
        """Its number in the scenario."""


class PodView(Protocol):
    """One pod: `free` of `size` devices, and when the others should be free."""

    @property
    def pool(self) -> PoolView: ...
    @property
    def index(self) -> int:
        """Its number in the pool."""

    @property
    def size(self) -> int: ...
    @property
    def free(self) -> int: ...
    @property
    def releases(self) -> Sequence[tuple[int, int, int]]:
        """(second, tie-break, devices), ascending: when those that are not free should be; overdue if past.

        That is when their gang should end, or an announced outage will stop it; and not before each outage
        that concerns them should be over.
        """

    @property
    def ends_by_s(self) -> float:
        """When it leaves, by which whoever starts there must have ended; inf where it stays."""


class OfferView(Protocol):
    """A gang on a rentable device; every answer goes by the job's estimate."""

    @property
    def devices(self) -> int:
        """What it holds, and pays."""

    @property
    def used(self) -> int:
        """Those of them that work."""

    @property
    def spot(self) -> bool:
        """Its devices may be reclaimed."""

    @property
    def now_s(self) -> int: ...
    @property
    def usd_per_device_h(self) -> float:
        """The price of now of what it holds."""

    def rent_usd(self, seconds: int) -> float:
        """What holding it for so long costs, at the price of now."""

    def ready_s(self, job: Any) -> float:
        """Seconds from renting to the start of work: booting with staging beside it, then any restart."""

    def work_s(self, job: Any) -> int:
        """Seconds of work there."""

    def cost_usd(self, job: Any) -> float:
        """What the gang adds to the bill, boot included, at the price of now."""

    def leaving_usd(self, job: Any) -> float:
        """What taking the job's checkpoint elsewhere costs: egress."""


class OrderView(Protocol):
    """What an order may look at besides the job: nothing that becomes another while the job waits.

    A key is asked for once, so whatever depends on the clock, or on who waits and runs, would be that of the
    instant at which the job became ready, for as long as it waits.
    """

    def start_tag(self, owner: str) -> float:
        """Virtual start time of the owner's next job, which is to be that of this one for good.

        Start-time fair queueing; the tags are there under `fair_share` and under an order of one's own.
        """


class View(Protocol):
    """The cluster at this instant, for patience."""

    @property
    def now_s(self) -> int: ...
    def predicted_wait_s(self, job: Any) -> float:
        """Estimated owned work ahead of the job (running and waiting) over owned devices: a fluid bound."""

    def rented_s(self, job: Any) -> float:
        """Fewest seconds from renting to the end of work over the offers the job may use; inf if none."""


class PowerView(Protocol):
    """The power of a site under its cap, in units: what is free, and when the rest should be."""

    @property
    def free(self) -> int: ...
    @property
    def releases(self) -> Sequence[tuple[int, int, int]]:
        """(second, tie-break, units), ascending, as of a `PodView`; below 0 where a curtailment begins."""

    @property
    def ends_by_s(self) -> float:
        """As of a `PodView`: inf."""


class NeedView(Protocol):
    """What a gang takes in one pool: `whole` pods of `size` and `rest` devices in one more."""

    @property
    def pool(self) -> PoolView: ...
    @property
    def size(self) -> int: ...
    @property
    def whole(self) -> int: ...
    @property
    def rest(self) -> int: ...
    @property
    def pods(self) -> Sequence[PodView]: ...
    @property
    def power(self) -> PowerView | None:
        """The power of which it takes `units`; None where the site has no cap."""

    @property
    def units(self) -> int: ...
    def run_s(self, reference_s: int) -> int:
        """Seconds that `reference_s` on the gang's reference devices take here."""


class Reservation(NamedTuple):
    """What is kept for the head: all of some pods from `shadow_s` on, but for so many devices of each."""

    shadow_s: float
    spare: dict[Any, int]
    """By pod, a PodView; others are not concerned."""


Limit = Callable[[Any, int], float]
"""(pod, devices), or (power, units) -> the longest run, in seconds, that may start there now."""

Start = tuple[Any, Any]
"""A job and the slot found for it, to be handed back to the engine as they are."""


class Waiting(Protocol):
    """The jobs that wait for owned devices, and the pods they wait for."""

    @property
    def now_s(self) -> int: ...
    def in_order(self) -> Iterator[JobView]:
        """All of them, first first; the head, which fits nowhere now, is the first."""

    def needs(self, job: Any) -> Sequence[NeedView]:
        """What the job would take, for each pool that could ever hold it."""

    def able(self, limit: Limit) -> Any | None:
        """The first job in order that has room now, be it that the place policy refuses it.

        If there is none, no job fits.
        """

    def has_room(self, job: Any, limit: Limit) -> bool:
        """Say whether there are pods free now whose limit the job's estimate keeps."""

    def first(self, limit: Limit) -> Start | None:
        """The first job in order that fits now on pods whose limit its estimate keeps."""

    def fit(self, job: Any, limit: Limit) -> Start | None:
        """The job's place now on pods whose limit its estimate keeps."""
