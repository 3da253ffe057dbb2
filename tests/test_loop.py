"""The loop: clips, campaigns, releases, and a fleet that needs fewer interventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scheduler.replay import Setup, replay
from scheduler.report.figures.loop import latency
from scheduler.run.directory import Run
from scheduler.run.loop_figures import loop_figures
from scheduler.scenario import Scenario, ScenarioError
from tests.build import job, offer, pool, rows, scenario, trace
from tests.test_live import LOGS, NOBODY
from tests.worlds import CATALOG
from traces.trace import Trace

Row = dict[str, Any]


def cars(**more: Any) -> Row:
    """One car that sends 10 clips an hour; 20 of them take one device an hour to train."""
    return {
        "name": "car",
        "units": 1,
        "miles_per_unit_day": 24,
        "clips_per_mile": 10,
        "trigger_clips": 20,
        "device_h_per_clip": 0.05,
        "gang": 1,
        "evaluation_gang": 1,
        "evaluation_h": 0.5,
        "ota_h": 0.5,
    } | more


def looped(devices: int, *loops: Row, hours: float = 6, **more: Any) -> Scenario:
    policy = {"patience": "never", "backfill": "none"}
    return scenario([pool(devices)], policy=policy, horizon_h=hours, loops=list(loops), **more)


def run(of: Scenario, over: Trace, folder: Path) -> Run:
    return replay(Setup.of(of, over, CATALOG), folder)


def campaigns(of: Run) -> list[Row]:
    found: list[Row] = of.table("loop").to_pylist()
    return found


def test_two_releases_to_the_second(tmp_path: Path) -> None:
    """Data are cut off after 2 and 4 hours; training takes an hour, evaluation and roll-out half of one each.

    The second release waits half an hour for the device, which a job holds from 3:30 to 4:30.
    """
    made = run(looped(1, cars(), hours=7), trace(job(12_600, 3_600, 1)), tmp_path)
    names = ("cut_s", "trained_s", "gated_s", "shipped_s", "everywhere_s", "fate")
    assert [tuple(row[name] for name in names) for row in campaigns(made)[:2]] == [
        (7_200, 10_800, 12_600, 12_600, 14_400, "shipped"),
        (14_400, 19_800, 21_600, 21_600, 23_400, "shipped"),
    ]
    first = campaigns(made)[0]
    assert (first["shipped_clips"], first["clip_wait_s"]) == (20, 10 * 9_000 + 10 * 5_400)
    found = loop_figures(made)
    assert found["releases:car"] == 2
    assert found["data_to_road_p50_s:car"] == (7_200 + 9_000) / 2
    hours = [(row["newest"], row["newest_share"]) for row in made.table("loop_hours").to_pylist()]
    assert hours == [*[(None, 1.0)] * 4, *[(0, 1.0)] * 3]  # shipped at 3:30, so all have it at 4:00


def test_the_share_of_the_fleet_that_has_the_newest_model(tmp_path: Path) -> None:
    """Shipped at 3:30, it reaches the fleet alike in every second of four hours."""
    made = run(looped(1, cars(ota_h=4), hours=7), NOBODY, tmp_path)
    hours = [(row["newest"], row["newest_share"]) for row in made.table("loop_hours").to_pylist()]
    assert hours[:4] == [(None, 1.0)] * 4
    assert hours[4:6] == [(0, 1 / 8), (0, 3 / 8)]
    assert hours[6] == (1, 1 / 8)  # the second, shipped at 5:30


def test_what_is_gained_for_a_dollar_of_rent(tmp_path: Path) -> None:
    """A job has the only device, so all campaigns rent; so does another job, whose rent is not theirs."""
    of = scenario(
        [pool(1)],
        [offer("cloud", 4, boot_s=0)],
        policy={"patience": "at_once"},
        horizon_h=6,
        loops=[cars(effect={"c": 0.5, "start_clips": 20})],
    )
    made = run(of, trace(job(0, 86_400, 1), job(0, 3_600, 1, residency="any")), tmp_path)
    paid = {row["job_id"]: row["spend_usd"] for row in made.table("attempts").to_pylist() if row["rented"]}
    ours = [row["job_id"] for row in made.table("jobs").to_pylist() if row["workload"] == "loop"]
    figures = loop_figures(made)
    assert figures["loop_rent_usd:car"] == pytest.approx(sum(paid[at] for at in ours if at in paid))
    assert 0 < figures["loop_rent_usd:car"] < sum(paid.values())  # type: ignore[operator]
    gained = figures["miles_between_interventions:car"] - 100  # type: ignore[operator]
    assert figures["gained_miles_per_rent_usd:car"] == pytest.approx(
        gained / figures["loop_rent_usd:car"]  # type: ignore[operator]
    )


def test_a_loop_may_begin_in_the_midst_of_a_cycle(tmp_path: Path) -> None:
    """Every 6 hours, the last 3 before the start: 30 clips are there, and 30 more come until the cut-off."""
    made = run(
        looped(2, cars(trigger_clips=None, trigger_days=0.25, since_days=0.125), hours=10), NOBODY, tmp_path
    )
    assert [(row["cut_s"], row["clips"]) for row in campaigns(made)] == [(10_800, 60), (32_400, 60)]


def test_clips_obey_littles_law_exactly(tmp_path: Path) -> None:
    """Of those shipped by the end: the clips in the loop, summed over time, are their waits, summed.

    Clips come by the full hour, ten at a time.
    """
    made = run(looped(2, cars(), hours=48), NOBODY, tmp_path)
    shipped = [row for row in campaigns(made) if row["fate"] == "shipped"]
    last_s, count = shipped[-1]["shipped_s"], sum(row["shipped_clips"] for row in shipped)
    second = np.arange(last_s)
    came = np.minimum(10 * (second // 3_600), count)
    gone = np.zeros(last_s, np.int64)
    for row in shipped:
        gone[row["shipped_s"] :] += row["shipped_clips"]
    assert int((came - gone).sum()) == sum(row["clip_wait_s"] for row in shipped)


def test_without_effect_the_loop_is_open(tmp_path: Path) -> None:
    """b = c = 0: campaigns are the same however long they wait; with an effect, who waits sends more."""
    busy = trace(*(job(3_600 * at, 5_400, 1) for at in range(40)))
    asked = {}
    for name, effect in (("open", {}), ("closed", {"b": 0.5, "c": 0.5, "start_clips": 20})):
        made = [
            run(looped(devices, cars(effect=effect), hours=48), busy, tmp_path / f"{name}{devices}")
            for devices in (2, 20)
        ]
        asked[name] = [[(row["cut_s"], row["clips"]) for row in campaigns(each)] for each in made]
    assert asked["open"][0] == asked["open"][1]
    assert len(asked["closed"][0]) > len(asked["closed"][1])


def test_a_fleet_that_waits_less_needs_fewer_interventions(tmp_path: Path) -> None:
    effect = {"b": 0.3, "c": 0.3, "start_clips": 20, "start_pflop_days": 0.05}
    busy = trace(*(job(3_600 * at, 5_400, 1) for at in range(40)))
    slow, fast = (
        loop_figures(run(looped(devices, cars(effect=effect), hours=48), busy, tmp_path / str(devices)))
        for devices in (2, 20)
    )
    for name in ("model_age_s:car", "interventions_per_mile:car", "data_to_road_p95_s:car"):
        assert fast[name] < slow[name], name  # type: ignore[operator]


def test_the_gain_of_a_pflop_day_by_hand(tmp_path: Path) -> None:
    """The first campaign has 20 clips, which double what was trained on: 2^0.5 times the 100 miles.

    It takes one device-hour of a PFLOPS: 1/24 of a PFLOP-day.
    """
    made = run(looped(9, cars(effect={"c": 0.5, "start_clips": 20})), NOBODY, tmp_path)
    first = made.table("loop").to_pylist()[0]
    assert first["pflop_days"] == pytest.approx(1 / 24)
    assert 1 / first["interventions_per_mile"] == pytest.approx(100 * 2**0.5)
    figures, rows = loop_figures(made), made.table("loop").to_pydict()
    gained = figures["miles_between_interventions:car"] - 100  # type: ignore[operator]
    assert figures["gained_miles_per_pflop_day:car"] == pytest.approx(gained / rows["pflop_days"][-1])
    assert figures["clips:car"] == sum(rows["clips"])
    assert gained > 0


def test_every_loop_is_drawn() -> None:
    drawn = latency({name: np.array([1.0, 2.0]) for name in "abcde"})
    assert [line.get_label() for line in drawn.axes[0].lines] == list("abcde")


def test_what_does_not_pass_is_shipped_with_the_next_that_does(tmp_path: Path) -> None:
    made = run(looped(4, cars(pass_probability=0.5), hours=72), NOBODY, tmp_path)
    fates = [row["fate"] for row in campaigns(made)]
    assert {"shipped", "failed"} <= set(fates)
    shipped = [row for row in campaigns(made) if row["fate"] == "shipped"]
    last = max(row["campaign"] for row in shipped)
    assert sum(row["shipped_clips"] for row in shipped) == 20 * (last + 1)


def test_the_trace_that_comes_of_a_loop_gives_the_same_run(tmp_path: Path) -> None:
    of = looped(2, cars(), cars(name="robot", trigger_clips=None, trigger_days=0.25), hours=48)
    made = run(of, trace(*(job(5_000 * at, 7_000, 1) for at in range(20))), tmp_path / "a")
    again = run(of, Trace.read(made.folder / "trace.parquet"), tmp_path / "b")
    for log in LOGS:
        assert again.table(log).equals(made.table(log)), log
    assert {"loop.train", "loop.evaluate"} <= {kind for (kind,) in rows(made, "jobs", "kind")}


@pytest.mark.parametrize(
    ("loops", "error"),
    [
        ([cars(trigger_days=1)], "give either `trigger_clips` or `trigger_days`"),
        ([cars(), cars()], 'loops: the name "car" stands for two'),
        ([cars(clip=1)], "clip"),
        (
            [cars(trigger_clips=None, trigger_days=1, since_days=1)],
            "since_days = 1: must be below trigger_days",
        ),
    ],
)
def test_what_is_wrong_is_said(loops: list[Row], error: str) -> None:
    with pytest.raises(ScenarioError, match=error):
        looped(1, *loops)
