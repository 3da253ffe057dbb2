"""Reservations that are kept from pass to pass are those that would be made from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scheduler.engine.owned import lineups
from scheduler.engine.owned.lineup import PlannedLineup
from tests.build import Row, job, pool, rows, run, scenario, trace


def crowd(seed: int, largest: int, jobs: int = 120) -> list[Row]:
    """Jobs in small whole numbers that nearly all wait; some outlive their estimates, most end early."""
    rng = np.random.default_rng(seed)
    made, submit_s = [], 0
    for _ in range(jobs):
        submit_s += int(rng.choice([0, 1, 2, 3, 8]))
        run_s, gang = int(rng.integers(1, 40)), int(rng.choice([1, 2, 3, largest]))
        estimate_s = max(1, int(run_s * rng.choice([0.5, 1, 1, 1.5, 2, 4])))
        made.append(job(submit_s, run_s, gang, estimate_s=estimate_s, priority=int(rng.integers(0, 3))))
    return made


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("pods", "largest"), [((5, 4), 5), ((4, 3), 9), ((12, 1), 7)], ids=["inside", "across", "one"]
)
@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"backfill": "conservative:3", "place": "worst_fit"},
        {"order": "sjf"},
        {"order": "priority:60"},
        {"patience": "after:1m"},
    ],
    ids=str,
)
def test_as_from_scratch(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    pods: tuple[int, int],
    largest: int,
    policy: dict[str, Any],
) -> None:
    owned = scenario([pool(*pods)], policy={"backfill": "conservative", "patience": "never", **policy})
    demand = trace(*crowd(seed, largest))
    kept = rows(run(owned, demand, tmp_path / "kept"), "attempts", "job_id", "alloc_s", "pods")
    monkeypatch.setattr(lineups, "ConservativeLineup", PlannedLineup)
    assert rows(run(owned, demand, tmp_path / "anew"), "attempts", "job_id", "alloc_s", "pods") == kept
