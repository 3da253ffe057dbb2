"""Optimus: a policy for every task, reinforcement learning in simulation, processing of demonstrations.

Demonstrations are video from inside plants and stay on the owned pods; policies train on what was
extracted from them, and simulation has no data to protect: these may run anywhere.
"""

from __future__ import annotations

from traces.times import HOUR_S
from workloads.arrivals import ARRAY_K, WORKING_WEEK
from workloads.kinds import Kind
from workloads.shapes import KALOS, PIPELINE, around, philly

POLICY = "optimus.policy"
"""Each task has a policy of its own, and is its owner."""


def kinds(tasks: int) -> tuple[Kind, ...]:
    """Return the kinds of Optimus job for a number of tasks, each after those it follows."""
    policy = Kind(
        name=POLICY,
        share=0.35,
        gangs={2: 0.25, 4: 0.25, 6: 0.20, 8: 0.10, 12: 0.15, 24: 0.05},
        run=around(8, 0.8),
        ends=PIPELINE,
        owners=tuple(f"optimus-task-{number}" for number in range(1, tasks + 1)),
        owned_share=0.0,
        priority=2,
        release_h=7 * 24,
        input_gb=20,
        output_gb=16,
        checkpoint_s=1800,
    )
    return (policy, *_OF_ANY_TASKS)


_OF_ANY_TASKS = (
    Kind(
        name="optimus.simulate",
        share=0.45,
        gangs={1: 0.45, 2: 0.10, 4: 0.20, 8: 0.15, 16: 0.07, 32: 0.03},
        run=philly(0.4, limit_d=7),
        ends=KALOS,
        owners=("optimus-manipulation", "optimus-locomotion", "optimus-navigation"),
        owned_share=0.0,
        week=WORKING_WEEK,
        input_gb=1,
        output_gb=4,
        checkpoint_s=HOUR_S,
    ),
    Kind(
        name="optimus.demonstrations",
        share=0.15,
        gangs={1: 0.8, 2: 0.2},
        run=around(1.25, 0.9, limit_d=2),
        ends=PIPELINE,
        owners=("optimus-data",),
        owned_share=1.0,
        priority=2,
        week=WORKING_WEEK,
        burst_k=ARRAY_K,
        release_h=24,
        input_gb=200,
        output_gb=5,
    ),
    Kind(
        name="optimus.evaluate",
        share=0.05,
        gangs={1: 0.4, 2: 0.4, 4: 0.2},
        run=around(2, 0.5, limit_d=3),
        ends=PIPELINE,
        owners=("optimus-evaluation",),
        owned_share=0.0,
        priority=2,
        follows=("optimus.policy",),
        each=2,
        release_h=7 * 24,
        input_gb=1,
        output_gb=1,
    ),
)
