"""Runs that open warm: a run cut at an instant goes on as the whole one did."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.engine.warm_start import OpeningError
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.run.job_figures import by_word
from scheduler.run.warm import warm_from
from scheduler.scenario import Scenario, ScenarioError
from tests import build
from tests.build import job, offer, pool, rows, scenario
from tests.examples import examples
from tests.test_live import LOGS, Scripted, lived
from tests.worlds import CATALOG, MEMORY, scenarios, traces
from traces import Trace, TraceError
from traces.times import HOUR_S
from traces.warm import carry_over, warm_at

Row = dict[str, Any]
_SEEN = ("job_id", "start_s", "end_s", "ready_s", "wait_s", "state", "reason", "where", "devices", "attempts")


def was(submit_s: int, start_s: int | None, end_s: int | None, gang: int = 1, **more: Any) -> Row:
    """A job of a record."""
    runtime_s = max(1, end_s - start_s) if start_s is not None and end_s is not None else 10
    return job(submit_s, runtime_s, gang, recorded_start_s=start_s, recorded_end_s=end_s, **more)


def go(of: Scenario, trace: Trace, folder: Path) -> Run:
    return replay(Setup.of(of, trace, CATALOG), folder)


def memoryless(of: Scenario) -> Scenario:
    """Without what a run remembers: reservations, shares of owners, kept nodes, prices since its start."""
    offers = tuple(msgspec.structs.replace(offer, release_s=0, surges=()) for offer in of.offers)
    policy = msgspec.structs.replace(
        of.policy,
        order="fcfs" if of.policy.order == "fair_share" else of.policy.order,
        patience="after:30" if of.policy.patience.startswith("predicted") else of.policy.patience,
        backfill="none" if of.policy.backfill == "none" else "greedy",
    )
    return msgspec.structs.replace(of, offers=offers, policy=policy)


def exact(trace: Trace) -> Trace:
    """With the run times for estimates, as which a reservation is what it would be if it were made anew."""
    at, run_s = trace.table.column_names.index("estimate_s"), trace.table.column("runtime_s")
    return Trace(trace.table.set_column(at, trace.table.schema.field(at), run_s))


@given(scenarios(), traces(), st.integers(1, 250), st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_a_run_cut_and_opened_warm_is_the_whole_run(
    of: Scenario, trace: Trace, after_s: int, easy: bool
) -> None:
    of = memoryless(of)
    if easy:
        policy = msgspec.structs.replace(of.policy, backfill="easy")
        of, trace = msgspec.structs.replace(of, policy=policy, kill="never"), exact(trace)
    assume(of.bound != "unlimited_owned")
    with TemporaryDirectory(dir=MEMORY) as folder:
        whole = go(of, trace, Path(folder) / "whole")
        at_s = whole.start_s + after_s
        assume(at_s < whole.end_s)
        try:
            rest = warm_from(whole, trace, at_s)
        except TraceError:
            assume(False)
        left_h = None if of.horizon_h is None else (whole.end_s - at_s) / HOUR_S
        cut = go(msgspec.structs.replace(of, horizon_h=left_h), rest, Path(folder) / "cut")
        expected = {row[0]: row for row in rows(whole, "jobs", *_SEEN)}
        found = rows(cut, "jobs", *_SEEN)
        other = [(row, expected[row[0]]) for row in found if row != expected[row[0]]]
        assert other == []
        _same_states(whole, cut, at_s)
        ended = ("job_id", "end_s", "where", "pods", "devices", "outcome")
        assert set(map(str, rows(cut, "attempts", *ended))) == {
            str(row) for row in rows(whole, "attempts", *ended) if row[1] >= at_s
        }


def _same_states(whole: Run, cut: Run, at_s: int) -> None:
    seconds = np.arange(at_s, whole.end_s)
    levels = []
    for run in (whole, cut):
        table = run.table("states")
        row = np.searchsorted(table.column("time_s").to_numpy(), seconds, "right")
        columns = (table.column(name).to_numpy() for name in table.column_names if name != "time_s")
        levels.append([np.append(0, column)[row].tolist() for column in columns])
    assert levels[0] == levels[1]


RECORD = (
    was(0, 0, 9),
    was(0, 2, 60, 2),
    was(5, 40, 70, 2, owner="ann"),
    was(8, 50, 60, 1, after=[1], after_lag_s=30),
    was(30, 31, 35, 1, after=[0], after_lag_s=2),
    was(60, 60, 70, 3),
)
"""Four devices: at 20 job 1 runs on two, job 2 waits for what reason ever, and job 0 is gone."""


def test_a_cut_of_a_record_begins_as_it_was(tmp_path: Path) -> None:
    """Job 2, which the record let wait, starts as the run begins; job 3 still waits for job 1."""
    trace = warm_at(build.trace(*RECORD), 20)
    assert (trace.opens_s, trace.numpy("job_id").tolist()) == (20, [1, 2, 3, 4, 5])
    run = go(scenario([pool(4)]), trace, tmp_path)
    assert (run.start_s, run.end_s) == (20, 100)
    assert rows(run, "jobs", "job_id", "ready_s", "start_s", "end_s", "wait_s") == [
        (1, 0, 2, 60, 2),
        (2, 5, 20, 50, 15),
        (3, 90, 90, 100, 0),
        (4, 30, 50, 54, 20),
        (5, 60, 60, 70, 0),
    ]
    assert rows(run, "attempts", "alloc_s", "start_s", "end_s", "kept_s")[:2] == [
        (20, 20, 60, 40),
        (20, 20, 50, 30),
    ]
    assert rows(run, "states", "time_s", "busy_own", "queued_jobs")[0] == (20, 4, 0)


def test_what_ran_before_is_neither_paid_nor_counted_again(tmp_path: Path) -> None:
    """Rented for an hour, half of it in each run: half the bill and the work, but all of the slowdown."""
    of = scenario(offers=[offer("cloud")])
    whole = build.trace(job(0, 3_600, 1, input_tb=1.0))
    first = go(msgspec.structs.replace(of, horizon_h=0.5), whole, tmp_path / "first")
    then = go(of, warm_from(first, whole), tmp_path / "then")
    bills = [rows(run, "jobs", "spend_usd", "start_s") for run in (first, then)]
    assert bills == [[(pytest.approx(1.799), 1)], [(pytest.approx(1.801), 1)]]
    assert [rows(run, "attempts", "kept_s", "staged_tb") for run in (first, then)] == [
        [(1_799, 1.0)],
        [(1_801, 0.0)],
    ]
    assert by_word(then)["other"]["slowdown_mean"] == pytest.approx(3_601 / 3_600)


def test_live_sources_go_on_from_those_who_run_and_wait(tmp_path: Path) -> None:
    """One device: job 0 has it until 30, job 1 waits for it, and what the source submits at 25 comes after.

    The trace that comes of it opens warm too, and gives the same run.
    """
    trace = warm_at(build.trace(was(0, 0, 30), was(5, None, None), was(22, None, None)), 20)
    of = scenario([pool(1)], policy={"patience": "never"}, horizon_h=1)
    first = lived(of, trace, [Scripted([20, 25], links=0)], tmp_path / "first")
    assert sorted(rows(first, "jobs", "submit_s", "start_s", "end_s")) == [
        *((0, 0, 30), (5, 30, 40), (20, 40, 50), (22, 50, 60), (25, 60, 70))
    ]
    again = go(of, Trace.read(tmp_path / "first" / "trace.parquet"), tmp_path / "again")
    for log in LOGS:
        assert again.table(log).equals(first.table(log)), log


def test_who_runs_is_where_it_was_or_there_is_an_error(tmp_path: Path) -> None:
    here = [was(0, 0, 50, 2, recorded_where=where) for where in ("b:1", "b", "nowhere")]
    of = scenario([pool(2, name="a"), pool(2, 2, name="b")])
    trace = warm_at(build.trace(*here), 10)
    run = go(of, trace, tmp_path / "run")
    assert rows(run, "attempts", "where", "pods") == [("b", [1]), ("b", [0]), ("a", [0])]
    with pytest.raises(
        OpeningError, match="job_id 2 of 2 devices runs on nowhere when the run begins, and there"
    ):
        go(scenario([pool(2, 2, name="b")]), trace, tmp_path / "full")
    with pytest.raises(ScenarioError, match='start = "0s": the jobs open warm on 1970-01-01 00:00 UTC'):
        go(scenario([pool(9)], start="0s"), trace, tmp_path / "start")
    with pytest.raises(TraceError, match="no job runs, waits or comes at 1970-01-01 00:01:00 UTC"):
        warm_at(trace, 60)


def test_a_month_carries_its_jobs_over_to_another(tmp_path: Path) -> None:
    """What ran and waited at the end of the one runs and waits when the other begins, whenever that is."""
    of = scenario([pool(2)], horizon_h=100 / HOUR_S, policy={"patience": "never"})
    month = build.trace(job(0, 150, 2, name="long"), job(90, 10, 1), job(200, 5, 1), epoch="2026-01-05")
    first = go(of, month, tmp_path / "first")
    other = build.trace(job(30, 7, 1), job(40, 8, 2), epoch="2026-07-06")
    rates = {"reference_pflops": {"fsd": 2.5}}
    warm, other = warm_from(first, month.from_source(rates)), other.from_source(rates)
    both = carry_over(warm, other, 0)
    assert both.reference_pflops == warm.reference_pflops == {"fsd": 2.5}
    with pytest.raises(TraceError, match="with another rate for fsd"):
        carry_over(warm, other.from_source({"reference_pflops": {"fsd": 2.0}}), 0)
    assert (both.instant(both.opens_s or 0).isoformat(), len(both)) == ("2026-07-06T00:00:00+00:00", 4)
    then = go(of, both, tmp_path / "then")
    opens_s = then.start_s
    assert [
        tuple(value - opens_s for value in row) for row in rows(then, "jobs", "submit_s", "start_s", "end_s")
    ] == [
        (30, 50, 57),
        (40, 60, 68),
        (-100, -100, 50),
        (-10, 50, 60),
    ]


def test_replay_opens_warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build.trace(*RECORD).write("log.parquet")
    Path("s.toml").write_text(
        'name = "four"\n[[pools]]\nname = "own"\ndevice = "gpu"\npods = 1\ndevices = 4\n', encoding="utf-8"
    )

    def told(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*words])
        assert result.exit_code == code, result.output
        return result.output

    with_log = ("replay", "s.toml", "--trace", "log.parquet")
    assert "opens warm on 1970-01-01 00:00 UTC: 1 job runs, 2 wait" in told(
        *with_log, "--warm-at", "20s", "-o", "warm"
    )
    told("summary", "warm"), told("ledger", "warm"), told("why", "warm", code=2)
    told(*with_log, "-o", "whole")
    assert "UTC: 2 jobs run, 1 wait" in told(
        *with_log, "--warm-from", "whole", "--warm-at", "20s", "-o", "rest"
    )
    assert "does not cover" in told("verify", "rest", code=2)
    small, before = ("--set", "pools.0.devices=1"), Path("warm/run.json").read_bytes()
    assert "there is no room for it" in told(
        *with_log, *small, "--warm-at", "20s", "-o", "warm", "--overwrite", code=2
    )
    assert Path("warm/run.json").read_bytes() == before, "what stood there stays"
    assert "is not within the run" in told(
        *with_log, "--warm-from", "whole", "--warm-at", "2d", "-o", "no", code=2
    )
    assert "does not cover jobs that run or wait when it begins" in told(
        *with_log, "--warm-at", "20s", "--engine", "fast", "-o", "no", code=2
    )
