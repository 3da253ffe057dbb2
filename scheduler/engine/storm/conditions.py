"""What a run in bad weather must know beyond one in fair weather."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scheduler.engine.jobs import Job, Need
from scheduler.engine.rented.offers import Offer
from scheduler.engine.storm.checkpoints import Plan
from scheduler.engine.storm.outages import Outage
from scheduler.engine.storm.staging import Wire
from scheduler.scenario import PreemptionSpec, RetrySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The weather, and what jobs can do about it."""

    offers: Sequence[Offer]
    outages: Sequence[Outage]
    plan: Callable[[Job, Need], Plan]
    """How a job writes checkpoints on what it takes of a pool or an offer."""
    restart_s: int
    retries: RetrySpec
    preemption: PreemptionSpec
    wires: dict[int, Wire]
    """By number of the resource."""
    output_tb: Callable[[int], float]
    """By row of the trace."""
