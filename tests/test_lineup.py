"""What EASY and greedy keep from pass to pass, against looking at everything in every pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.head_only import HeadOnlyLineup
from scheduler.scenario import Scenario
from tests.build import offer, pool, rows, run, scenario, trace
from tests.examples import some
from tests.packed import maintenance, packed
from tests.storms import weather
from traces import Trace

JOBS = 1_000


def crowded(seed: int) -> tuple[Scenario, Trace]:
    """Pools of unlike pods at loads around 1, some gangs across pods, many instants in common, and bursts."""
    rng = np.random.default_rng(seed)

    def one(*of: Any) -> Any:
        return of[rng.integers(len(of))]

    pools = [
        pool(one(4, 8, 16), int(rng.integers(2, 8)), name=f"p{at}", span_efficiency=one(1.0, 0.9, 0.5))
        for at in range(one(1, 1, 2, 3))
    ]
    sizes = [each["devices"] * each["pods"] for each in pools]
    gang = np.minimum(rng.choice([1, 1, 1, 1, 2, 2, 2, 3, 4, 4, 8, 8, 16, 24], JOBS), max(sizes))
    runtime_s = rng.lognormal(5, 1.2, JOBS).astype(int) // one(1, 60) + 1
    span_s = (gang * runtime_s).sum() / (one(0.95, 1.1, 1.5) * sum(sizes))
    grain_s = one(1, 10, 60)
    submit_s = np.sort(rng.uniform(0, span_s, JOBS)).astype(int) // grain_s * grain_s
    asked = rng.choice(one([1, 2, 10], [0.5, 0.8, 1, 1, 2]), JOBS)
    columns = {
        "submit_s": submit_s,
        "runtime_s": runtime_s,
        "gang": gang,
        "estimate_s": np.maximum(1, runtime_s * asked).astype(int),
        "priority": rng.integers(0, 4, JOBS),
    }
    policy = {
        "backfill": one("easy", "easy", "greedy"),
        "place": one("best_fit", "worst_fit", "first_fit"),
        "order": one("fcfs", "sjf", "priority:1", "smallest", "fair_share"),
        "patience": one("never", "after:5m", "per_work:0.1"),
    }
    return scenario(pools, [offer("cloud", 32)], policy=policy), Trace.from_columns(columns)


@pytest.mark.parametrize("seed", some(range(40)))
def test_what_is_kept_is_what_a_look_at_everything_finds(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(*crowded(seed), tmp_path, monkeypatch)


@pytest.mark.parametrize("drains", [False, True])
@pytest.mark.parametrize("seed", some(range(20)))
def test_it_is_where_many_are_late_and_pods_are_drained(
    seed: int, drains: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, size, pods, sky = packed(seed, JOBS)
    of = scenario([pool(size, pods)], policy={"backfill": "easy", "patience": "never"})
    if drains:
        weather(of, [maintenance(outage) for outage in sky]).write(tmp_path / "weather.parquet")
        of = replace(of, weather=str(tmp_path / "weather.parquet"))
    hold(of, trace(*jobs), tmp_path, monkeypatch)


def hold(of: Scenario, over: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold a run against one that forgets everything before each pass."""
    columns = ("job_id", "alloc_s", "where", "pods", "end_s")
    kept = rows(run(of, over, tmp_path / "kept"), "attempts", *columns)
    start = HeadOnlyLineup.start

    def forgetful(self: HeadOnlyLineup, now_s: int, newcomers: list[QueueEntry]) -> None:
        self.disturbed()
        start(self, now_s, newcomers)

    monkeypatch.setattr(HeadOnlyLineup, "start", forgetful)
    assert rows(run(of, over, tmp_path / "anew"), "attempts", *columns) == kept
