"""What becomes of jobs that are interrupted: checkpoints, retries, preemption; and how their data moves."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal

from msgspec import Meta

from scheduler.catalog.models import Amount, Count, Positive, WholeSeconds
from scheduler.scenario.base import Model, Name, Probability
from traces.times import HOUR_S, DurationError, parse_seconds


class CheckpointSpec(Model, frozen=True, kw_only=True):
    """When jobs write checkpoints, and what that and a restart cost in time."""

    interval: str = "trace"
    """trace: each job's own `checkpoint_s`; none; daly: the best interval for the hazard; or a duration."""
    gb_per_device: Amount = 0.0
    """Size of a checkpoint. Assumed; training guides: 14 to 16 bytes a parameter."""
    gbps_per_device: Positive = 16.0
    """Bandwidth to storage, Gbit/s. Assumed."""
    restart_s: WholeSeconds = 0
    """From having devices again to going on from a checkpoint. Assumed."""

    def __post_init__(self) -> None:
        if self.interval not in ("trace", "none", "daly"):
            try:
                valid = parse_seconds(self.interval) >= 1
            except DurationError:
                valid = False
            if not valid:
                raise ValueError(
                    f'interval "{self.interval}": allowed are trace, none, daly, or a duration as 30m or 2h'
                )

    @property
    def cost_s(self) -> int:
        """Seconds that writing a checkpoint takes."""
        return ceil(8 * self.gb_per_device / self.gbps_per_device)


class RetrySpec(Model, frozen=True, kw_only=True):
    """How often, and after how long, a job is tried again."""

    limit: Annotated[int, Meta(ge=0, le=10**6)] = 100
    """A job that failed or was reclaimed more often is killed. Assumed."""
    backoff_s: WholeSeconds = 60
    """Wait after a failure or a refused rental; twice as long each time in a row. Assumed."""
    backoff_most_s: WholeSeconds = HOUR_S
    """The longest such wait. Assumed."""


class PreemptionSpec(Model, frozen=True, kw_only=True):
    """What protects running jobs, whatever the policy's `preempt` says."""

    min_run_s: WholeSeconds = 0
    """Nobody gives way sooner after the start of work."""
    most_per_job: Count | None = None
    """Nobody gives way more often."""
    most_per_h: Count | None = None
    """No more jobs give way within an hour."""
    protected_share: Probability = 0.0
    """Jobs of an owner who holds no more than this share of all owned devices do not give way."""


class LinkSpec(Model, frozen=True, kw_only=True):
    """A line between our site and some offers, shared alike by the transfers in flight, each way."""

    name: Name
    gbps: Positive
    offers: tuple[Name, ...]
    shared_by: Literal["job", "kind"] = "job"
    """What is staged in a region serves the same job again, or all jobs of its owner and kind. Assumed."""
