"""The arithmetic of checkpoints: by hand, against a stepping clock, and against theory and chance."""

from __future__ import annotations

from itertools import pairwise
from math import exp, expm1

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from scheduler.engine.storm.checkpoints import (
    CheckpointPlan,
    Progress,
    daly_s,
    expected_s,
    length_s,
    next_checkpoint_s,
    plan_of,
    progress,
)
from scheduler.scenario.jobs import CheckpointSpec
from traces.arrays import Array

NONE = CheckpointPlan(None, 5)
EVERY_TEN = CheckpointPlan(10, 3)
"""25 s of work: 10 of work, 3 of writing, 10, 3, and the last 5 without a checkpoint."""


@pytest.mark.parametrize(
    ("work_s", "plan", "lasts_s"),
    [
        (25, EVERY_TEN, 31),
        (20, EVERY_TEN, 23),  # the result takes the place of the second
        (21, EVERY_TEN, 27),
        (10, EVERY_TEN, 10),
        (1, EVERY_TEN, 1),
        (25, CheckpointPlan(10, 0), 25),
        (25, CheckpointPlan(1, 2), 73),
        (25, NONE, 25),
    ],
)
def test_an_attempt_lasts_its_work_and_its_checkpoints(
    work_s: int, plan: CheckpointPlan, lasts_s: int
) -> None:
    assert length_s(work_s, plan) == lasts_s


@pytest.mark.parametrize(
    ("elapsed_s", "so_far", "next_s"),
    [
        (0, Progress(0, 0, 0), 13),
        (9, Progress(9, 0, 0), 13),
        (10, Progress(10, 0, 0), 13),
        (12, Progress(10, 0, 2), 13),  # stopped while it writes: the checkpoint is lost
        (13, Progress(10, 10, 3), 26),
        (22, Progress(19, 10, 3), 26),
        (25, Progress(20, 10, 5), 26),
        (26, Progress(20, 20, 6), None),
        (31, Progress(25, 20, 6), None),
    ],
)
def test_what_is_done_and_what_is_kept(elapsed_s: int, so_far: Progress, next_s: int | None) -> None:
    assert progress(elapsed_s, 25, EVERY_TEN) == so_far
    assert next_checkpoint_s(elapsed_s, 25, EVERY_TEN) == next_s


def test_without_checkpoints_nothing_is_kept() -> None:
    assert progress(25, 25, NONE) == Progress(25, 0, 0)
    assert next_checkpoint_s(0, 25, NONE) is None


def test_checkpoints_that_cost_nothing_are_there_at_once() -> None:
    assert progress(19, 25, CheckpointPlan(10, 0)) == Progress(19, 10, 0)
    assert progress(20, 25, CheckpointPlan(10, 0)) == Progress(20, 20, 0)
    assert progress(20, 25, CheckpointPlan(1, 0)) == Progress(20, 20, 0)


def by_the_second(work_s: int, plan: CheckpointPlan) -> list[Progress]:
    """The progress after 0, 1, 2 ... seconds, by doing what the plan says."""
    worked_s = saved_s = writing_s = 0
    seen = [Progress(0, 0, 0)]
    while worked_s < work_s:
        worked_s += 1
        due = worked_s - saved_s == plan.interval_s and worked_s < work_s
        if due and plan.cost_s == 0:
            saved_s = worked_s
        seen.append(Progress(worked_s, saved_s, writing_s))
        for left_s in reversed(range(plan.cost_s if due else 0)):
            writing_s += 1
            saved_s = saved_s if left_s else worked_s
            seen.append(Progress(worked_s, saved_s, writing_s))
    return seen


SMALL = st.builds(CheckpointPlan, st.none() | st.integers(1, 20), st.integers(0, 8))
LARGE = st.builds(CheckpointPlan, st.integers(1, 10**6), st.integers(0, 10**5))


@given(work_s=st.integers(1, 60), plan=SMALL)
def test_the_arithmetic_is_that_of_a_stepping_clock(work_s: int, plan: CheckpointPlan) -> None:
    seen = by_the_second(work_s, plan)
    assert length_s(work_s, plan) == len(seen) - 1
    assert [progress(second, work_s, plan) for second in range(len(seen))] == seen
    saves = [second for second in range(1, len(seen)) if seen[second].saved_s > seen[second - 1].saved_s]
    later = [next((save for save in saves if save > second), None) for second in range(len(seen))]
    assert [next_checkpoint_s(second, work_s, plan) for second in range(len(seen))] == later


@given(work_s=st.integers(1, 10**12), plan=LARGE, data=st.data())
def test_large_attempts_add_up(work_s: int, plan: CheckpointPlan, data: st.DataObject) -> None:
    interval_s, whole_s = plan.interval_s or 0, length_s(work_s, plan)
    moments = sorted(data.draw(st.lists(st.integers(0, whole_s), min_size=2, max_size=6)))
    seen = [progress(moment, work_s, plan) for moment in moments]
    for elapsed_s, so_far in zip(moments, seen, strict=True):
        assert so_far.worked_s + so_far.writing_s == elapsed_s
        assert 0 <= so_far.worked_s - so_far.saved_s <= interval_s
        assert so_far.saved_s % interval_s == 0
        save_s = next_checkpoint_s(elapsed_s, work_s, plan)
        if save_s is None:
            assert work_s - so_far.saved_s <= interval_s
        else:
            assert elapsed_s < save_s < whole_s
            assert progress(save_s - 1, work_s, plan).saved_s == so_far.saved_s
            assert progress(save_s, work_s, plan).saved_s == so_far.saved_s + interval_s
    assert all(
        now <= then for before, after in pairwise(seen) for now, then in zip(before, after, strict=True)
    )
    assert progress(whole_s, work_s, plan).worked_s == work_s


def twice(reference_s: int) -> int:
    return 2 * reference_s


@pytest.mark.parametrize(
    ("interval", "own_s", "hazard_per_s", "interval_s"),
    [
        ("trace", 600, 0.1, 1_200),
        ("trace", None, 0.1, None),
        ("none", 600, 0.1, None),
        ("30m", 600, 0.1, 1_800),
        ("30m", None, 0.0, 1_800),
        ("daly", 600, 0.0, 1 << 50),  # it can be saved, but comes to no checkpoint of its own
        ("daly", None, 1 / 86_400, 7_001),  # 116.69 min
        ("daly", None, 1 / 100, 100),  # writing takes longer than twice the mean time between failures
    ],
)
def test_the_plan_is_what_the_scenario_says(
    interval: str, own_s: int | None, hazard_per_s: float, interval_s: int | None
) -> None:
    spec = CheckpointSpec(interval=interval, gb_per_device=75, gbps_per_device=2)
    assert plan_of(spec, own_s, twice, hazard_per_s) == CheckpointPlan(interval_s, 300)


def test_free_checkpoints_are_best_written_every_second() -> None:
    assert plan_of(CheckpointSpec(interval="daly"), None, twice, 1e-5) == CheckpointPlan(1, 0)


def test_dalys_interval_where_roots_are_whole() -> None:
    """With d = M / 2, 43/36 M - d; with d = M / 8, 157/144 of M / 2, less d."""
    assert daly_s(3_600, 1_800) == pytest.approx(2_500, rel=1e-14)
    assert daly_s(28_800, 3_600) == pytest.approx(14_400 * 157 / 144 - 3_600, rel=1e-14)


@pytest.mark.parametrize(("mtbf_min", "printed_min"), [(24 * 60, "117"), (6 * 60, "57"), (15, "9.1")])
def test_intervals_are_those_that_daly_prints(mtbf_min: int, printed_min: str) -> None:
    """Captions of his figures 3 to 5, where a checkpoint takes 5 minutes."""
    digits = len(printed_min.partition(".")[2])
    assert f"{daly_s(60 * mtbf_min, 300) / 60:.{digits}f}" == printed_min


def long_run(interval_s: float, cost_s: float) -> float:
    """Mean seconds for each second of work far from the end, where something fails once a second."""
    two, one = (expected_s(count * interval_s, interval_s, cost_s, 0, 1) for count in (2, 1))
    return (two - one) / interval_s


@pytest.mark.parametrize(("costs", "longer"), [((1e-4, 0.5), 2e-5), ((0.5, 10), 2e-3)], ids=["cheap", "dear"])
def test_no_interval_is_much_better_than_dalys(costs: tuple[float, float], longer: float) -> None:
    for cost_s in np.geomspace(*costs, 25).tolist():
        within = {"bounds": (1e-6, 3), "method": "bounded", "options": {"xatol": 1e-9}}
        best = minimize_scalar(long_run, args=(cost_s,), **within)
        assert long_run(daly_s(1, cost_s), cost_s) < best.fun * (1 + longer)
        assert daly_s(1, cost_s) == pytest.approx(best.x, rel=0.006 if cost_s <= 0.5 else 0.065)


STORIES = {
    "whole segments": (100.0, 10.0, 1.0, 2.0, 30.0),
    "a rest": (94.0, 10.0, 1.0, 2.0, 30.0),
    "dear checkpoints and restarts": (40.0, 8.0, 4.0, 6.0, 15.0),
    "no checkpoint": (30.0, 30.0, 5.0, 3.0, 25.0),
}
"""work_s, interval_s, cost_s, restart_s and mtbf_s."""


def lived_through(
    rng: np.random.Generator,
    runs: int,
    work_s: float,
    interval_s: float,
    cost_s: float,
    restart_s: float,
    mtbf_s: float,
) -> Array:
    """Seconds that runs took: from failure to failure, until the rest fits in between."""
    clock_s, rest_s, open_runs = np.zeros(runs), np.full(runs, work_s), np.arange(runs)
    lead_s = 0.0
    while open_runs.size:
        up_s, rest = rng.exponential(mtbf_s, open_runs.size), rest_s[open_runs]
        to_write = np.ceil(rest / interval_s) - 1
        need_s = lead_s + rest + to_write * cost_s
        clock_s[open_runs] += np.minimum(up_s, need_s)
        written = np.minimum(np.maximum(up_s - lead_s, 0) // (interval_s + cost_s), to_write)
        rest_s[open_runs] -= written * interval_s
        open_runs = open_runs[up_s < need_s]
        lead_s = restart_s
    return clock_s


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_mean_is_that_of_runs_lived_through(story: tuple[float, float, float, float, float]) -> None:
    found = lived_through(np.random.default_rng(2006), 40_000, *story)
    expected = expected_s(*story)
    half_width = stats.norm.ppf(0.995) * stats.sem(found)
    off = abs(found.mean() - expected)
    assert off < half_width
    assert off + half_width < 0.05 * expected


@given(work_s=st.integers(1, 10**6), plan=LARGE)
def test_where_nothing_fails_a_run_lasts_its_length(work_s: int, plan: CheckpointPlan) -> None:
    lasts_s = expected_s(work_s, plan.interval_s or 0, plan.cost_s, 60, 1e18)
    assert lasts_s == pytest.approx(length_s(work_s, plan), rel=1e-6)


def test_long_runs_tend_to_dalys_mean() -> None:
    in_theory = 50 * exp(2 / 50) * expm1((10 + 1) / 50) * 1e6 / 10
    assert expected_s(1e6, 10, 1, 2, 50) == pytest.approx(in_theory, rel=1e-5)
    assert expected_s(100, 10, 1, 2, 50) < in_theory / 1e4
