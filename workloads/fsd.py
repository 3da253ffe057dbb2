"""FSD: foundation runs that lead to releases, continuous retraining, labelling, ablations, evaluation.

Fleet video never leaves the owned pods. Ablations work half on fleet video and half on synthetic scenes;
evaluation replays synthetic scenes: these may run anywhere.
"""

from __future__ import annotations

from traces.times import HOUR_S
from workloads.arrivals import ARRAY_K, WORKING_WEEK
from workloads.kinds import Kind
from workloads.shapes import KALOS, PIPELINE, around, philly

KINDS = (
    Kind(
        name="fsd.foundation",
        share=0.30,
        gangs={120: 0.40, 240: 0.45, 360: 0.15},
        run=around(96, 0.4, limit_d=21),
        ends=PIPELINE,
        owners=("fsd-foundation",),
        owned_share=1.0,
        priority=3,
        burst_k=None,
        due=1.25,
        input_gb=30,
        output_gb=60,
        checkpoint_s=1800,
    ),
    Kind(
        name="fsd.release",
        share=0.05,
        gangs={60: 0.3, 96: 0.2, 120: 0.5},
        run=around(36, 0.4),
        ends=PIPELINE,
        owners=("fsd-release",),
        owned_share=1.0,
        priority=4,
        follows=("fsd.foundation",),
        release_h=14 * 24,
        input_gb=30,
        output_gb=60,
        checkpoint_s=1800,
    ),
    Kind(
        name="fsd.retrain",
        share=0.27,
        gangs={12: 0.30, 24: 0.30, 36: 0.10, 48: 0.15, 60: 0.05, 96: 0.05, 120: 0.05},
        run=around(9, 0.6),
        ends=PIPELINE,
        owners=("fsd-planner", "fsd-vision", "fsd-occupancy", "fsd-parking"),
        owned_share=1.0,
        priority=3,
        burst_k=None,
        release_h=7 * 24,
        input_gb=30,
        output_gb=32,
        checkpoint_s=1800,
    ),
    Kind(
        name="fsd.label",
        share=0.15,
        gangs={1: 0.75, 2: 0.15, 4: 0.05, 6: 0.05},
        run=around(1, 0.9, limit_d=2),
        ends=PIPELINE,
        owners=("fsd-labelling",),
        owned_share=1.0,
        priority=2,
        burst_k=ARRAY_K,
        release_h=24,
        input_gb=300,
        output_gb=5,
    ),
    Kind(
        name="fsd.ablation",
        share=0.18,
        gangs={1: 0.62, 2: 0.10, 4: 0.10, 6: 0.04, 8: 0.07, 12: 0.04, 24: 0.02, 48: 0.01},
        run=philly(0.4, limit_d=7),
        ends=KALOS,
        owners=("fsd-research", "fsd-planner", "fsd-vision", "fsd-occupancy", "fsd-parking"),
        owned_share=0.5,
        week=WORKING_WEEK,
        input_gb=30,
        output_gb=16,
        checkpoint_s=HOUR_S,
    ),
    Kind(
        name="fsd.evaluate",
        share=0.05,
        gangs={2: 0.3, 6: 0.5, 12: 0.2},
        run=around(2.5, 0.5, limit_d=3),
        ends=PIPELINE,
        owners=("fsd-evaluation",),
        owned_share=0.0,
        priority=3,
        follows=("fsd.release", "fsd.retrain"),
        each=4,
        release_h=7 * 24,
        input_gb=10,
        output_gb=1,
    ),
)
"""The kinds of FSD job, each after those it follows."""
