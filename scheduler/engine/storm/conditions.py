"""What a run in bad weather must know beyond one in fair weather."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scheduler.engine.jobs import Job
from scheduler.engine.need import Need
from scheduler.engine.owned.power import Power
from scheduler.engine.rented.offers import LiveOffer
from scheduler.engine.storm.checkpoints import CheckpointPlan
from scheduler.engine.storm.links import Wire
from scheduler.engine.storm.outages import OutageTable
from scheduler.scenario import PreemptionSpec, RetrySpec
from traces.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The weather, and what jobs can do about it."""

    offers: Sequence[LiveOffer]
    outages: OutageTable
    plan: Callable[[Job, Need], CheckpointPlan]
    """How a job writes checkpoints on what it takes of a pool or an offer."""
    restart_s: int
    overrun_s: int | None
    """Seconds past its estimate after which an attempt is killed; None: it never is for that."""
    levels_drift: bool
    """The order's keys change as others come and go, though a job's own attempt does not."""
    retries: RetrySpec
    preemption: PreemptionSpec
    wires: dict[int, Wire]
    """By number of the resource."""
    powers: Sequence[Power]
    """Of sites with a cap."""
    output_tb: Floats
    """By row of the trace."""
