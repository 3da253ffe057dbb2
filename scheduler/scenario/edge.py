"""Parked cars that compute: how many there are, what they can do, and which work they take."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from scheduler.catalog.models import Amount, Count, Positive
from scheduler.scenario.base import Model, Name, Probability
from traces.errors import first_twice

Shares = Annotated[tuple[Probability, ...], Meta(min_length=24, max_length=24)]


TRAINING = ("fsd.foundation", "fsd.release", "fsd.retrain", "fsd.ablation", "tenant.train", "loop.train")
"""Kinds that the workloads and loops name, and that no car takes."""


class EdgeSpec(Model, frozen=True, kw_only=True):
    """A fleet of parked cars, counted and not simulated one by one; it takes whole jobs of some kinds."""

    name: Name
    from_h: Amount = 0.0
    """From the start of the run, when it begins to take jobs."""
    cars: Annotated[int, Meta(ge=1, le=10**9)]
    tops: Positive
    """Peak of the computer of a car."""
    use: Annotated[float, Meta(gt=0, le=1)] = 0.3
    """Of the peak, what the work gets. Assumed."""
    w: Positive
    """Power of a computer at work."""
    parked_by_hour: Shares
    """Share of the cars that is parked, by the hour of the day in UTC."""
    wired_share: Probability
    """Of the parked, those that are plugged in and online."""
    opt_in: Probability
    """Of the owners, those who agree."""
    uplink_mbps: Positive
    """Through which each shard's data go."""
    unplug_per_h: Amount = 0.0
    """Hazard at which a car leaves; its shard is lost and done again."""
    usd_per_car_h: Amount
    """Paid to the owner for an hour at work."""
    replication: Count = 1
    """How often each shard is done before its result counts."""
    kinds: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Kinds of jobs that it takes: labelling, evaluation, mining; never gangs that talk, never training."""
    shard_pflop: Positive
    shard_gb: Amount
    deadline_h: Positive
    """What is not done so long after its submission comes back to the pods."""
    pflops_per_device: Positive = 1.0
    """What a reference device delivers on such work."""

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind in TRAINING:
                raise ValueError(f'kinds: "{kind}" is training, whose gangs talk; no car takes it')
            if kind.startswith(("loop.", "market.")):
                raise ValueError(f'kinds: "{kind}" comes as the run goes; cars take jobs of the trace alone')
        if twice := first_twice(self.kinds):
            raise ValueError(f'kinds: "{twice}" stands there twice')
