"""The loop of a fleet: it sends clips, a campaign trains on them, and what passes is shipped to it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from scheduler.catalog.models import Amount, Count, Positive
from scheduler.scenario.base import Model, Name, Probability, Share
from traces.dated import DatedError, points_of

_Exponent = Annotated[float, Meta(ge=0, le=3)]


class EffectSpec(Model, frozen=True, kw_only=True):
    """Interventions a mile = a x (compute / at the start)^-b x (clips / at the start)^-c."""

    a: Positive = 0.01
    """At the start. Assumed."""
    b: _Exponent = 0.0
    c: _Exponent = 0.0
    start_pflop_days: Positive = 1_000.0
    """Compute that the model of the start has had. Assumed."""
    start_clips: Positive = 1e6
    """Clips that it was trained on. Assumed."""


class LoopSpec(Model, frozen=True, kw_only=True):
    """One loop, of cars or of robots; a mile of a robot is whatever its clips and interventions count by."""

    name: Name
    units: Positive | tuple[tuple[str, Positive], ...]
    """Cars or robots; or dated points of them, as [["2026-01", 6e6], ...], linear between."""
    miles_per_unit_day: Positive
    clips_per_mile: Positive
    """Sent where the model of the start drives; fewer as interventions become fewer."""
    curation_share: Share = 1.0
    """Of the clips sent, those that are trained on."""
    trigger_clips: Annotated[float, Meta(ge=1, le=1e12)] | None = None
    """A campaign begins once so many have come since the last."""
    trigger_days: Positive | None = None
    """Or so long after the last, or the start."""
    since_days: Amount = 0.0
    """So long before the start was the last campaign; the clips of that time are there as the run begins."""
    device_h_per_clip: Positive
    """Reference device-hours of training for a clip."""
    gang: Count
    """Reference devices of the training job."""
    evaluation_gang: Count
    evaluation_h: Positive
    pass_probability: Probability = 1.0
    """That a trained model passes its evaluation; what does not pass is trained again with the next."""
    ota_h: Amount = 0.0
    """From shipping until all of the fleet has it, alike in every second."""
    pflops_per_device: Positive = 1.0
    """What a reference device delivers, for `start_pflop_days`."""
    effect: EffectSpec = field(default_factory=EffectSpec)

    def __post_init__(self) -> None:
        if isinstance(self.units, tuple):
            try:
                points_of(self.units)
            except DatedError as error:
                raise ValueError(f"units: {error}") from None
        if (self.trigger_clips is None) == (self.trigger_days is None):
            raise ValueError("give either `trigger_clips` or `trigger_days`")
        if self.trigger_days is not None and self.since_days >= self.trigger_days:
            raise ValueError(
                f"since_days = {self.since_days:g}: must be below trigger_days, {self.trigger_days:g}"
            )
