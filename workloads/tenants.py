"""Tenants: outside jobs that buy spare capacity, as in a shared cluster; the owner's jobs come first.

What they buy is the owned pods, so nobody rents devices to run them.
"""

from __future__ import annotations

from traces.times import HOUR_S
from workloads.arrivals import WORKING_WEEK
from workloads.kinds import Kind
from workloads.shapes import PHILLY, philly


def kinds(tenants: int) -> tuple[Kind, ...]:
    """Return the one kind of tenant job, shared by a number of tenants (at least one where mixed in)."""
    return (
        Kind(
            name="tenant.train",
            share=1.0,
            gangs={1: 0.93, 2: 0.022, 4: 0.023, 8: 0.02, 16: 0.0035},
            run=philly(),
            ends=PHILLY,
            owners=tuple(f"tenant-{number}" for number in range(1, max(1, tenants) + 1)),
            owned_share=1.0,
            priority=0,
            week=WORKING_WEEK,
            input_gb=10,
            output_gb=8,
            checkpoint_s=HOUR_S,
        ),
    )
