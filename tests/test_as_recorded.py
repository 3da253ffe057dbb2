"""Runs as they were, from recorded starts and ends: nothing is simulated, nothing of it is lost."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.replay import Setup, replay
from scheduler.replay.as_recorded import RecordError
from scheduler.replay.engines import EngineError
from scheduler.replay.verify import VerifyError, verified
from scheduler.run.directory import Run, RunError
from scheduler.scenario import Scenario
from scheduler.why.question import setup_of
from tests import build
from tests.build import CATALOG, job, offer, pool, rows, scenario
from tests.examples import examples
from tests.worlds import MEMORY
from traces import Trace, TraceError
from traces.record import Record, recorded_use
from traces.times import HOUR_S

Row = dict[str, Any]


def was(submit_s: int, start_s: int | None, end_s: int | None, gang: int = 1, **more: Any) -> Row:
    """A job of a record."""
    runtime_s = max(1, end_s - start_s) if start_s is not None and end_s is not None else 10
    return job(submit_s, runtime_s, gang, recorded_start_s=start_s, recorded_end_s=end_s, **more)


def as_recorded(of: Scenario, trace: Trace, folder: Path) -> Run:
    return replay(Setup.of(of, trace, CATALOG), folder, engine="record")


def test_jobs_start_and_end_when_they_did(tmp_path: Path) -> None:
    """Two devices: the second job waits though one is free; the third starts the second the first ends."""
    trace = build.trace(was(0, 5, 20), was(0, 30, 40), was(10, 20, 25, 2))
    run = as_recorded(scenario([pool(2)]), trace, tmp_path)
    assert rows(run, "jobs", "start_s", "end_s", "wait_s", "state", "where") == [
        (5, 20, 5, "finished", "own"),
        (30, 40, 30, "finished", "own"),
        (20, 25, 10, "finished", "own"),
    ]
    assert rows(run, "states", "time_s", "busy_own", "queued_jobs") == [
        (0, 0, 2),
        (5, 1, 1),
        (10, 1, 2),
        (20, 2, 1),
        (25, 0, 1),
        (30, 1, 0),
        (40, 0, 0),
    ]
    assert (run.end_s, run.as_recorded, rows(run, "attempts", "pods")) == (40, True, [([],)] * 3)


def test_a_horizon_cuts_the_record(tmp_path: Path) -> None:
    """Ten seconds: one has ended, one runs, one had no end, one is yet to start, and one to come."""
    trace = build.trace(
        was(0, 0, 10), was(0, 4, 20), was(0, 6, None), was(1, 12, 14), was(10, 10, 11), was(15, 15, 16)
    )
    run = as_recorded(scenario([pool(3)], horizon_h=10 / HOUR_S), trace, tmp_path)
    assert rows(run, "jobs", "state", "reason", "start_s", "end_s") == [
        ("finished", None, 0, 10),
        ("unfinished", "still running", 4, None),
        ("unfinished", "still running", 6, None),
        ("unfinished", "still waiting", None, None),
        ("unfinished", "not yet submitted", None, None),
        ("unfinished", "not yet submitted", None, None),
    ]
    assert rows(run, "attempts", "end_s", "kept_s") == [(10, 10), (10, 6), (10, 4)]


def test_jobs_without_a_start_still_wait_or_were_cancelled(tmp_path: Path) -> None:
    trace = build.trace(was(0, 0, 9), was(1, None, None), was(2, None, 5, outcome="cancelled"))
    run = as_recorded(scenario([pool(1)]), trace, tmp_path)
    assert rows(run, "jobs", "state", "reason")[1:] == [
        ("unfinished", "still waiting"),
        ("rejected", "cancelled before it started"),
    ]
    assert rows(run, "states", "time_s", "queued_jobs") == [(0, 0), (1, 1), (9, 1)]


def test_a_job_waits_from_when_those_before_it_had_ended(tmp_path: Path) -> None:
    """By the record one starts before it is submitted, and one before its lag is over: neither has waited."""
    after: Row = {"after": [0], "after_lag_s": 5}
    trace = build.trace(was(0, 0, 10), was(3, 20, 22, **after), was(4, 12, 13, **after), was(9, 7, 8))
    run = as_recorded(scenario([pool(9)]), trace, tmp_path)
    assert rows(run, "jobs", "ready_s", "wait_s") == [(0, 0), (15, 5), (12, 0), (7, 0)]


def test_a_job_is_where_the_record_says_else_where_there_is_room(tmp_path: Path) -> None:
    trace = build.trace(
        was(0, 0, 9, recorded_where="b"),
        was(0, 1, 9, recorded_where="cloud"),
        was(0, 2, 9, recorded_where="node 7"),
        was(0, 3, 9),
        was(0, 4, 9, requires="pool:b"),
    )
    of = scenario([pool(1, name="a"), pool(3, name="b")], [offer("cloud")])
    run = as_recorded(of, trace, tmp_path)
    assert rows(run, "jobs", "where") == [("b",), ("cloud",), ("a",), ("b",), ("b",)]


def test_more_devices_in_use_than_there_are_names_the_second(tmp_path: Path) -> None:
    trace = build.trace(was(0, 0, 100, 3), was(0, 60, 90, 2), was(0, 70, 80, 4), epoch="2026-01-05")
    with pytest.raises(
        RecordError, match=r"^second 60 \(2026-01-05 00:01:00 UTC\): job_id 1 starts on 2 "
    ) as e:
        as_recorded(scenario([pool(4)]), trace, tmp_path)
    assert str(e.value).endswith("5 are in use with it, and the pools have 4; at most 9 are in use at once")


def test_what_is_no_record_is_said(tmp_path: Path) -> None:
    setups = scenario([pool(4)])
    with pytest.raises(TraceError, match="recorded_start_s: empty in every row"):
        as_recorded(setups, build.trace(job(0, 5, 1)), tmp_path)
    with pytest.raises(
        TraceError, match=r"row 1 \(job_id 1\): recorded_end_s is 4; allowed is .* 5, or later"
    ):
        as_recorded(setups, build.trace(was(0, 1, 2), was(0, 5, 4)), tmp_path)
    late = scenario([pool(4)], start="1970-01-02")
    with pytest.raises(RecordError, match="before the run, which starts at 86,400"):
        as_recorded(late, build.trace(was(90_000, 5, 6)), tmp_path)
    with pytest.raises(EngineError, match="takes no bound"):
        as_recorded(scenario([pool(4)], bound="owned_only"), build.trace(was(0, 1, 2)), tmp_path)
    stormy = scenario([pool(4, failures=[{"mtbf_h": 5, "repair_h": 1}])])
    with pytest.raises(EngineError, match="takes no weather"):
        as_recorded(stormy, build.trace(was(0, 1, 2)), tmp_path)


def test_nothing_is_asked_of_a_record_that_it_does_not_know(tmp_path: Path) -> None:
    trace = build.trace(was(0, 1, 2))
    run = as_recorded(scenario([pool(1)]), trace, tmp_path)
    with pytest.raises(RunError, match="does not say what jobs waited for"):
        setup_of(run, trace, CATALOG)
    with pytest.raises(VerifyError, match="no engine ran it"):
        verified(run, trace)


def test_what_was_in_use_is_offered_as_a_pool() -> None:
    trace = build.trace(was(0, 0, 60, 3), was(0, 60, 90, 2), was(0, 70, 80, 2), epoch="2026-01-05")
    assert Record.of(trace).peak() == (4, 70)
    said = "\n".join(recorded_use(trace))
    assert said.startswith(
        "recorded: 3 of 3 jobs started; at most 4 devices in use at once, first at 2026-01-05 00:01 "
    )
    pool = '[[pools]]\nname = "recorded"\ndevice = "own"\npods = 1\ndevices = 4\n'
    assert pool + "# capital_usd = 0  # price of a pod;" in said
    assert list(recorded_use(build.trace(job(0, 5, 1)))) == []


@st.composite
def records(draw: st.DrawFn) -> Trace:
    """Jobs that started some time after they came, some of which had not ended, or not started."""
    made = []
    for submit in sorted(draw(st.lists(st.integers(0, 60), min_size=1, max_size=12))):
        start = draw(st.none() | st.integers(submit, submit + 40))
        end = None if start is None else draw(st.none() | st.integers(start, start + 50))
        made.append(was(submit, start, end, draw(st.integers(1, 5))))
    return build.trace(*made, was(60, 70, 75))


@given(records(), st.sampled_from([1, 2, 131_072]), st.none() | st.integers(1, 120))
@settings(max_examples=examples(60), deadline=None)
def test_the_record_is_conserved_exactly(trace: Trace, part: int, horizon_s: int | None) -> None:
    """Every second that a job held devices by the record is in the log, whatever the parts; and no other."""
    record = Record.of(trace)
    devices = record.peak().devices
    more: Row = {} if horizon_s is None else {"horizon_h": horizon_s / HOUR_S}
    with TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("scheduler.replay.as_recorded.PART_ROWS", part)
        patch.setattr("scheduler.engine.log.runlog.PART_ROWS", part)
        run = as_recorded(scenario([pool(devices)], **more), trace, Path(folder))
        busy: dict[int, int] = defaultdict(int)
        waits: dict[int, int] = defaultdict(int)
        for submit, start, end, gang in zip(
            trace.numpy("submit_s"), record.start_s, record.end_s, record.gang, strict=True
        ):
            for second in range(submit, run.end_s if start < 0 else min(start, run.end_s)):
                waits[second] += 1
            for second in range(start, run.end_s if end < 0 else min(end, run.end_s)) if start >= 0 else ():
                busy[second] += gang
        states = run.states
        at = np.searchsorted(states.time_s, np.arange(run.end_s), "right") - 1
        for second, row in enumerate(at.tolist()):
            level = states.iloc[row] if row >= 0 else {"busy_own": 0, "queued_jobs": 0}
            assert (level["busy_own"], level["queued_jobs"]) == (busy[second], waits[second])


def test_replay_as_recorded_stands_beside_a_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trace = build.trace(was(0, 0, 3_600, 2), was(60, 7_200, 10_800, 2))
    trace.write("log.parquet")
    Path("s.toml").write_text(
        'name = "two"\n[[pools]]\nname = "own"\ndevice = "gpu"\npods = 1\ndevices = 2\n', encoding="utf-8"
    )

    def told(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*words])
        assert result.exit_code == code, result.output
        return result.output

    recorded = told("replay", "s.toml", "--trace", "log.parquet", "--as-recorded", "-o", "was")
    assert "\nas recorded\n" in recorded
    told("replay", "s.toml", "--trace", "log.parquet", "-o", "would")
    assert "wait p95" in told("summary", "was", "--beside", "would")
    assert "as recorded, and" in told("why", "was", "--trace", "log.parquet", code=2)
    assert "at most 2 devices in use at once" in told("check", "log.parquet")
    small = told(
        "replay",
        "s.toml",
        "--trace",
        "log.parquet",
        "--as-recorded",
        "-o",
        "no",
        "--set",
        "pools.own.devices=1",
        code=2,
    )
    assert small.startswith("exaburst: second 0 (1970-01-01 00:00:00 UTC): job_id 0 starts on 2 devices")
    assert not Path("no").exists()
    assert "goes with neither" in told(
        "replay", "s.toml", "--as-recorded", "--engine", "fast", "-o", "no", code=2
    )
