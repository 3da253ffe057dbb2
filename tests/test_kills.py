"""Jobs that are killed for their estimate, as exact small stories."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.run.goodput import DeviceTime
from scheduler.scenario import ScenarioError
from tests.build import Row, job, offer, pool, rows, run, scenario, trace

ESTIMATE: Row = {"kill": "estimate"}
OVERRAN = ("killed", "ran past its estimate")


def test_what_asked_for_3_seconds_is_killed_after_3(tmp_path: Path) -> None:
    """The next gang starts then; one that ends at that very second has finished."""
    jobs = trace(job(0, 4, 3, estimate_s=3), job(0, 3, 3, estimate_s=3), job(0, 100, 16))
    done = run(scenario([pool(16)], **ESTIMATE), jobs, tmp_path)
    columns = ("state", "reason", "start_s", "end_s", "lost_device_s")
    assert rows(done, "jobs", *columns) == [
        (*OVERRAN, 0, 3, 9),
        ("finished", None, 0, 3, 0),
        ("finished", None, 3, 103, 0),
    ]
    assert rows(done, "attempts", "outcome", "kept_s", "lost_device_s")[0] == ("killed", 0, 9)
    assert done.description["jobs"] == {"finished": 2, "unfinished": 0, "rejected": 0, "killed": 1}
    assert {name: part.sum() for name, part in DeviceTime(done).parts().items()} == {
        "held": 1_618,
        "kept": 1_609,
        "lost: killed": 9,
    }


@pytest.mark.parametrize("weather", ["fair", "bad"])
def test_what_is_lost_is_of_the_devices_used_and_the_bill_of_those_held(tmp_path: Path, weather: str) -> None:
    """Two of the eight devices of a node work for 30 s: 60 device-seconds are lost, 240 are paid for."""
    jobs = trace(job(0, 40, 2, estimate_s=30))
    pools = [maintained()] if weather == "bad" else []
    done = run(scenario(pools, [offer("cloud", key="nodes")], **ESTIMATE), jobs, tmp_path)
    assert rows(done, "attempts", "devices", "outcome", "kept_s", "lost_device_s") == [(8, "killed", 0, 60)]
    assert rows(done, "jobs", "lost_device_s", "spend_usd") == [(60, pytest.approx(0.24))]
    assert {name: part.sum() for name, part in DeviceTime(done).parts().items() if part.any()} == {
        "held": 240,
        "unused": 180,
        "lost: killed": 60,
    }


def test_another_word_is_refused() -> None:
    with pytest.raises(ScenarioError, match='kill "estimat": allowed are never, estimate'):
        scenario([pool(1)], kill="estimat")


def test_never_is_what_is_unless_asked_for(tmp_path: Path) -> None:
    done = run(scenario([pool(4)], grace_s=5), trace(job(0, 40, 3, estimate_s=3)), tmp_path)
    assert rows(done, "jobs", "state", "end_s") == [("finished", 40)]


def test_the_time_counts_from_work_on_and_as_run_time_on_the_devices_held(tmp_path: Path) -> None:
    """Half as long on a device twice as fast, after 30 s of booting, and 4 s of grace."""
    jobs = trace(job(0, 60, 1, estimate_s=20, input_tb=1.0, output_tb=1.0), reference_device="unit")
    spec = scenario(offers=[offer("quick", key="double", boot_s=30)], grace_s=4, **ESTIMATE)
    done = run(spec, jobs, tmp_path)
    told = ("devices", "start_s", "end_s", "outcome", "staged_tb", "returned_tb")
    assert rows(done, "attempts", *told) == [(1, 30, 44, "killed", 1.0, 0.0)]


def test_what_comes_after_a_killed_job_is_rejected(tmp_path: Path) -> None:
    jobs = trace(job(0, 9, 1, estimate_s=3), job(0, 9, 1, after=0), job(20, 9, 1, after=1))
    done = run(scenario([pool(4)], **ESTIMATE), jobs, tmp_path)
    orphan = ("rejected", "a job it depends on will never finish")
    assert rows(done, "jobs", "state", "reason") == [OVERRAN, orphan, orphan]


def test_a_time_that_is_over_at_the_horizon_is_over(tmp_path: Path) -> None:
    jobs = trace(job(0, 9, 1, estimate_s=3), job(0, 9, 1, estimate_s=4))
    done = run(scenario([pool(4)], horizon_h=3 / 3_600, **ESTIMATE), jobs, tmp_path)
    assert rows(done, "jobs", "state", "reason") == [OVERRAN, ("unfinished", "still running")]


def maintained(**more: object) -> Row:
    """One device that is away from 10 to 20 s."""
    window = {"from_h": 10 / 3_600, "to_h": 20 / 3_600}
    return pool(1, maintenance=[window | more])


def test_an_interrupted_job_has_all_its_time_again(tmp_path: Path) -> None:
    """25 s asked for, 30 needed. Until 10 it has saved 8; from 20 on the other 22 are within its time."""
    jobs = trace(job(0, 30, 1, estimate_s=25, checkpoint_s=4))
    done = run(scenario([maintained()], **ESTIMATE), jobs, tmp_path / "saved")
    told = ("alloc_s", "end_s", "outcome", "kept_s", "lost_device_s")
    assert rows(done, "attempts", *told) == [(0, 10, "preempted", 8, 2), (20, 42, "finished", 22, 0)]
    jobs = trace(job(0, 30, 1, estimate_s=25))
    done = run(scenario([maintained()], **ESTIMATE), jobs, tmp_path / "lost")
    assert rows(done, "attempts", *told) == [(0, 10, "preempted", 0, 10), (20, 45, "killed", 0, 25)]
    assert rows(done, "jobs", "state", "reason", "lost_device_s") == [(*OVERRAN, 35)]


def test_writing_checkpoints_is_in_the_time(tmp_path: Path) -> None:
    """4 s of work, 2 s of writing, again and again: of 8 s asked for, 6 are work, in bad weather too."""
    jobs = trace(job(30, 8, 1, estimate_s=8, checkpoint_s=4))
    spec = scenario([maintained()], checkpoints={"gb_per_device": 4.0}, **ESTIMATE)
    done = run(spec, jobs, tmp_path)
    told = ("start_s", "end_s", "outcome", "kept_s", "checkpointing_s", "lost_device_s")
    assert rows(done, "attempts", *told) == [(30, 38, "killed", 0, 2, 6)]
