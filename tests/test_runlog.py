"""The log: in parts of any size it says the same, and of an interrupted job what its attempts come to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.engine.log import runlog
from scheduler.engine.log.outcomes import KILLED, REJECTED, UNFINISHED, Account
from scheduler.engine.log.runlog import RunLog
from scheduler.run.columns import Attempts
from scheduler.run.parts import LOGS, written_parts
from scheduler.scenario import Scenario
from tests import build, byhand
from tests.byhand import Teller, Told
from tests.examples import examples
from tests.worlds import AGAIN, CATALOG, MEMORY, Row, scenarios, traces
from traces import Trace
from traces.arrays import Bools, Floats, Ints

OWN, CLOUD = 0, 1


def logs(scenario: Scenario, trace: Trace, attempts: int) -> tuple[dict[str, list[Any]], int]:
    """All rows, with so many attempts a part, and the number of parts of the attempts."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runlog, "PART_ROWS", attempts)
        run = build.run(scenario, trace, Path(folder), CATALOG)
        parts = list((run.folder / "attempts.parquet").iterdir())
        return {log: run.table(log).to_pylist() for log in LOGS}, len(parts)


@settings(max_examples=examples(150), deadline=None)
@given(scenarios(), traces(), st.integers(1, 5))
def test_parts_of_any_size_add_up_to_the_same_logs(scenario: Scenario, trace: Trace, attempts: int) -> None:
    whole, one = logs(scenario, trace, 1_000)
    parted, parts = logs(scenario, trace, attempts)
    assert one == 1
    assert parts == max(1, -(-len(whole["attempts"]) // attempts))
    for log in ("attempts", "states"):
        assert parted[log] == whole[log], log
    by_id = [sorted(rows["jobs"], key=lambda row: row["job_id"]) for rows in (whole, parted)]
    assert by_id[0] == by_id[1]


# Jobs that are interrupted


def price(attempts: Attempts, row: Ints, resource: Ints, finished: Bools) -> tuple[Floats, Floats]:
    """A dollar a device-second, and a thousand of revenue."""
    spend = attempts.devices * (attempts.end_s - attempts.alloc_s)
    return spend.astype(np.float64), np.where(finished, 1_000.0, 0.0)


def told(folder: Path, trace: Trace, *attempts: Told, down: list[byhand.Down] | None = None) -> RunLog:
    """A log of one pool and one offer in which that has happened; not yet written to the end."""
    log = RunLog(folder, trace, ["own"], ["cloud"], price)
    Teller(log, trace).tell(attempts, down or [])
    return log


def written(log: RunLog, folder: Path, end_s: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Jobs and attempts in order of job_id, and states."""
    log.flush(end_s + 1)
    jobs, attempts, states = (
        pa.concat_tables(written_parts(folder, name)) for name in ("jobs", "attempts", "states")
    )
    by_job = [("job_id", "ascending")]
    attempts = attempts.sort_by([*by_job, ("attempt", "ascending")])
    return jobs.sort_by(by_job).to_pylist(), attempts.to_pylist(), states.to_pylist()


def columns(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


PARTS = pytest.mark.parametrize("part_rows", [1, 2, 3, 1_000])


@PARTS
def test_a_job_that_fails_and_is_reclaimed_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    """A second job, which nothing befalls, ends between its attempts."""
    monkeypatch.setattr(runlog, "PART_ROWS", part_rows)
    trace = build.trace(build.job(0, 100, 2, input_tb=1.0, output_tb=0.5), build.job(5, 40, 1))
    log = told(
        tmp_path,
        trace,
        Told(0, OWN, 2, 10, 40, "failed", Account(20, 4, 12, 0.0, 0.0), pods=(0,)),
        Told(1, OWN, 1, 5, 45, "finished", pods=(1,)),
        Told(0, CLOUD, 3, 50, 80, "reclaimed", Account(15, 0, 9, 1.0, 0.25), ready_s=12),
        Told(0, OWN, 2, 90, 160, "finished", Account(65, 0, 0, 0.0, 0.0), ready_s=5, pods=(0, 1)),
    )
    assert log.missing() == []
    jobs, attempts, states = written(log, tmp_path, 160)
    times = ("alloc_s", "start_s", "end_s")
    assert columns(attempts, "attempt", "where", "pods", *times, "outcome", *Account._fields) == [
        (1, "own", [0], 10, 10, 40, "failed", 20, 4, 12, 0.0, 0.0),
        (2, "cloud", [], 50, 62, 80, "reclaimed", 15, 0, 9, 1.0, 0.25),
        (3, "own", [0, 1], 90, 95, 160, "finished", 65, 0, 0, 0.0, 0.0),
        (1, "own", [1], 5, 5, 45, "finished", 40, 0, 0, 0.0, 0.0),
    ]
    names = ("state", "reason", "start_s", "end_s", "wait_s", "where", "rented", "devices", "attempts")
    assert columns(jobs, *names) == [
        ("finished", None, 10, 160, 10, "own", False, 2, 3),
        ("finished", None, 5, 45, 0, "own", False, 1, 1),
    ]
    assert columns(jobs, "lost_device_s", "spend_usd", "revenue_usd") == [
        (21, 2 * 30 + 3 * 30 + 2 * 70, 1_000.0),
        (0, 40, 1_000.0),
    ]
    assert columns(states, "time_s", "busy_own", "rented_cloud", "queued_jobs", "queued_devices") == [
        (0, 0, 0, 1, 2),
        (5, 1, 0, 1, 2),
        (10, 3, 0, 0, 0),
        (40, 1, 0, 1, 2),
        (45, 0, 0, 1, 2),
        (50, 0, 3, 0, 0),
        (80, 0, 0, 1, 2),
        (90, 2, 0, 0, 0),
        (160, 0, 0, 0, 0),
    ]


@PARTS
def test_the_work_of_a_killed_job_is_all_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    """26 s on two devices and 8 s on three, kept or not; each attempt says what itself threw away."""
    monkeypatch.setattr(runlog, "PART_ROWS", part_rows)
    log = told(
        tmp_path,
        build.trace(build.job(0, 100, 2)),
        Told(0, OWN, 2, 0, 30, "failed", Account(20, 4, 12, 0.0, 0.0), pods=(0,)),
        Told(0, CLOUD, 3, 40, 60, "killed", Account(5, 0, 9, 1.0, 0.0), ready_s=12),
    )
    jobs, attempts, _ = written(log, tmp_path, 60)
    names = ("state", "reason", "start_s", "end_s", "where", "attempts", "lost_device_s", "revenue_usd")
    assert columns(jobs, *names) == [("killed", "no retry left", 0, 60, "cloud", 2, 2 * 26 + 3 * 8, 0.0)]
    assert columns(attempts, "lost_device_s") == [(12,), (9,)]
    assert log.counts() == {"finished": 0, "unfinished": 0, "rejected": 0, "killed": 1}


@PARTS
def test_jobs_that_do_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int) -> None:
    """Three were interrupted, one of them before it got to work; one never ran, one runs at the end."""
    monkeypatch.setattr(runlog, "PART_ROWS", part_rows)
    log = told(
        tmp_path,
        build.trace(*[build.job(0, 100, 1, input_tb=2.0, output_tb=1.0)] * 5),
        Told(0, OWN, 1, 0, 10, "preempted", Account(10, 0, 0, 0.0, 0.0), pods=(0,)),
        Told(1, CLOUD, 2, 0, 20, "reclaimed", Account(0, 0, 0, 0.5, 0.0), ready_s=20),
        Told(2, OWN, 1, 0, 30, "failed", Account(0, 0, 30, 0.0, 0.0), pods=(0,)),
        Told(2, OWN, 1, 30, 40, "failed", Account(0, 0, 10, 0.0, 0.0), pods=(0,)),
        Told(3, OWN, 1, 0, 50, "migrated", Account(50, 0, 0, 0.0, 0.0), pods=(0,)),
        Told(3, CLOUD, 1, 50, 60, "unfinished", ready_s=20),
    )
    assert log.missing() == [0, 1, 2, 4]
    for row, outcome, reason in (
        (2, KILLED, "tired"),
        (4, REJECTED, "too large"),
        (0, UNFINISHED, "waits to run again"),
        (1, UNFINISHED, "still waiting"),
    ):
        log.unstarted(row, outcome, reason)
    assert log.missing() == []
    jobs, attempts, _ = written(log, tmp_path, 60)
    assert columns(attempts[-2:], "outcome", *Account._fields) == [
        ("migrated", 50, 0, 0, 0.0, 0.0),
        ("unfinished", 0, 0, 0, 2.0, 0.0),
    ]
    names = ("state", "reason", "start_s", "end_s", "wait_s", "where", "rented", "devices", "attempts")
    assert columns(jobs, *names, "lost_device_s", "spend_usd") == [
        ("unfinished", "waits to run again", 0, None, 0, "own", False, 1, 1, 0, 10.0),
        ("unfinished", "still waiting", None, None, None, "cloud", True, 2, 1, 0, 40.0),
        ("killed", "tired", 0, 40, 0, "own", False, 1, 2, 40, 40.0),
        ("unfinished", "still running", 0, None, 0, "cloud", True, 1, 2, 0, 60.0),
        ("rejected", "too large", None, None, None, None, None, None, 0, 0, 0.0),
    ]
    assert log.counts() == {"finished": 0, "unfinished": 3, "rejected": 1, "killed": 1}


@PARTS
def test_devices_out_of_service_are_a_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    """They break as a gang that holds them ends, at the instant at which a part may be written."""
    monkeypatch.setattr(runlog, "PART_ROWS", part_rows)
    log = told(
        tmp_path,
        build.trace(build.job(0, 100, 4)),
        Told(0, OWN, 4, 0, 30, "failed", Account(0, 0, 120, 0.0, 0.0), pods=(0,)),
        Told(0, OWN, 4, 30, 50, "unfinished", pods=(1,)),
        down=[(OWN, 10, 3), (OWN, 30, 1), (OWN, 40, -4)],
    )
    _, _, states = written(log, tmp_path, 50)
    assert columns(states, "time_s", "busy_own", "down_own", "queued_jobs") == [
        (0, 4, 0, 0),
        (10, 4, 3, 0),
        (30, 4, 4, 0),
        (40, 4, 0, 0),
        (50, 0, 0, 0),
    ]


def test_refusals_are_counted_by_offer(tmp_path: Path) -> None:
    log = RunLog(tmp_path, build.trace(build.job(0, 1, 1)), ["own"], ["near", "far"], price)
    log.refused(1)
    log.refused(1)
    assert log.refusals() == {"near": 0, "far": 2}


@settings(max_examples=examples(150), deadline=None)
@given(traces(), st.integers(1, 5), st.data())
def test_a_job_is_what_its_attempts_come_to(trace: Trace, part_rows: int, data: st.DataObject) -> None:
    """However many, and in whatever parts they are written."""
    attempts, down, end_s = data.draw(byhand.histories(trace, places=2, pools=1, most_down=9))
    with TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runlog, "PART_ROWS", part_rows)
        log = told(Path(folder), trace, *attempts, down=down)
        for row in log.missing():
            log.unstarted(row, UNFINISHED, "waits")
        jobs, logged, _ = written(log, Path(folder), end_s)
    assert [row["job_id"] for row in jobs] == sorted(trace.numpy("job_id").tolist())
    assert len(logged) == len(attempts)
    for job in jobs:
        mine = [row for row in logged if row["job_id"] == job["job_id"]]
        assert [row["attempt"] for row in mine] == list(range(1, len(mine) + 1))
        assert all(before["end_s"] <= after["alloc_s"] for before, after in pairwise(mine))
        assert all(row["outcome"] in AGAIN for row in mine[:-1])
        starts = [row["start_s"] for row in mine if row["start_s"] is not None]
        assert job["start_s"] == min(starts, default=None)
        assert job["attempts"] == len(mine)
        assert job["spend_usd"] == sum(row["devices"] * (row["end_s"] - row["alloc_s"]) for row in mine)
        assert job["lost_device_s"] == sum(
            row["devices"] * (row["end_s"] - row["start_s"] - row["checkpointing_s"])
            if job["state"] == "killed"
            else row["lost_device_s"]
            for row in mine
            if job["state"] != "killed" or row["start_s"] is not None
        )
        if mine:
            last = mine[-1]
            assert columns([job], "where", "rented", "devices") == columns(
                [last], "where", "rented", "devices"
            )
            assert job["state"] == ("unfinished" if last["outcome"] in AGAIN else last["outcome"])
            assert job["end_s"] == (None if job["state"] == "unfinished" else last["end_s"])
