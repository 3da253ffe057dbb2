"""When jobs are submitted: parts of traces, and what is worth a word about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.replay import Setup
from scheduler.replay.advice import about_run, about_setup
from scheduler.replay.backlog import backlog
from scheduler.scenario import Scenario
from scheduler.study.reference import reference_of
from tests import worlds
from tests.build import CATALOG, job, pool, run, scenario, trace
from tests.examples import examples
from traces import Trace, TraceError
from traces.submissions import ALL_TIME, Cut, TimeRange, about_trace, cut, submissions
from traces.times import DAY_S, HOUR_S, MomentError
from workloads import Demand, generate

CHAIN = trace(
    job(0, 60, 1),
    job(100, 60, 1, after=0),
    job(200, 60, 1, after=1),
    job(200, 60, 1),
    job(300, 60, 1, after=2),
)


@pytest.mark.parametrize(
    ("part", "kept", "freed"),
    [
        (ALL_TIME, [0, 1, 2, 3, 4], 0),
        (TimeRange(since="100s"), [1, 2, 3, 4], 1),
        (TimeRange(since="101s", until="300s"), [2, 3], 1),
        (TimeRange(until="1970-01-01T00:03:20"), [0, 1], 0),
        (TimeRange(until="1970-01-01T01:03:21+01:00"), [0, 1, 2, 3], 0),
        (TimeRange(since="1969-12-31", until="1d"), [0, 1, 2, 3, 4], 0),
    ],
)
def test_a_part_holds_the_jobs_submitted_in_it(part: TimeRange, kept: list[int], freed: int) -> None:
    found = cut(CHAIN, part)
    assert found.trace.numpy("job_id").tolist() == kept
    assert (found.of, found.freed) == (5, freed)
    first = kept[0]
    assert found.trace.table.column("after")[0].as_py() == (None if freed or first == 0 else [first - 1])


def test_a_part_is_a_trace_and_says_what_of() -> None:
    found = cut(CHAIN, TimeRange(since="150s")).trace
    again = Trace.from_columns({name: found.table.column(name) for name in found.table.column_names})
    assert again.sha256 == found.sha256
    assert found.source == {"part": {"since": "150s", "until": None}, "of": {}}


def test_a_part_keeps_the_rates_of_its_devices_and_opens_as_it_did() -> None:
    """Rates by kind are checked against the catalog, of a part as of the whole; a warm one still opens so."""
    rates = {"reference_pflops": {"fsd": 2.5}}
    whole = CHAIN.from_source({**rates, "opens_s": 150})
    for since, opens in (("100s", 150), ("150s", 150), (None, 150), ("151s", None)):
        found = cut(whole, TimeRange(since=since, until="350s")).trace
        assert (found.reference_pflops, found.opens_s) == ({"fsd": 2.5}, opens)
        assert found.source["of"] == whole.source


def test_what_was_cut_is_said() -> None:
    assert str(cut(CHAIN, TimeRange(since="100s"))) == (
        "kept 4 of 5 jobs, submitted from 1970-01-01 00:01 to 1970-01-01 00:05 UTC; "
        "1 of them followed a job that was cut away, and does not now"
    )
    assert str(cut(CHAIN, TimeRange(until="250s"))) == (
        "kept 4 of 5 jobs, submitted from 1970-01-01 00:00 to 1970-01-01 00:03 UTC"
    )


def test_a_part_without_jobs_is_refused() -> None:
    with pytest.raises(TraceError, match=r"no job is submitted from 400s to before the end: .*00:05 UTC"):
        cut(CHAIN, TimeRange(since="400s"))
    with pytest.raises(TraceError, match="from 200s to before 200s"):
        cut(CHAIN, TimeRange("200s", "200s"))
    with pytest.raises(MomentError, match='"noon": must be a date'):
        cut(CHAIN, TimeRange("noon"))


@settings(max_examples=examples(50), deadline=None)
@given(worlds.traces(), st.integers(0, 200), st.integers(0, 200))
def test_parts_make_up_the_whole(of: Trace, one: int, other: int) -> None:
    low, high = f"{min(one, other)}s", f"{max(one, other)}s"
    rows = of.table.to_pylist()
    found: list[dict[str, Any]] = []
    for part in (TimeRange(until=low), TimeRange(low, high), TimeRange(since=high)):
        try:
            piece: Cut = cut(of, part)
        except TraceError:
            continue
        there = {row["job_id"] for row in piece.trace.table.to_pylist()}
        expected = [row for row in rows if row["job_id"] in there]
        lost = [row for row in expected if not there.issuperset(row["after"] or [])]
        assert piece.freed == len(lost)
        assert piece.trace.table.to_pylist() == [
            row | {"after": [job for job in row["after"] or [] if job in there] or None} for row in expected
        ]
        found += expected
    assert found == rows


def test_generated_demand_starts_at_its_epoch_and_a_part_of_it_with_its_jobs() -> None:
    demand = generate(Demand(days=3, devices=120, load=0.01), reference_of())
    assert demand.first_midnight_s == 0
    assert cut(demand, TimeRange(since="2d")).trace.first_midnight_s == 2 * DAY_S


# what is worth a word


def setup(of: Scenario, *jobs: dict[str, Any]) -> Setup:
    """The set-up of a run over some jobs."""
    return Setup.of(of, trace(*jobs), CATALOG)


def test_a_trace_far_from_its_epoch() -> None:
    assert list(about_trace(trace(job(28 * DAY_S, 1, 1)))) == []
    assert list(about_trace(trace(job(19_723 * DAY_S, 1, 1)))) == [
        "the first job is submitted 19,700 days after the epoch, 1970-01-01 00:00 UTC: "
        "a run starts at the midnight before it"
    ]


def test_a_run_that_begins_long_before_its_jobs() -> None:
    late = job(3 * DAY_S, 60, 1)
    assert list(about_setup(setup(scenario([pool(1)]), late))) == []
    assert list(about_setup(setup(scenario([pool(1)], start="0s"), late))) == [
        "no job is submitted for 3 days from the start on, which are paid for all the same"
    ]


def test_a_horizon_before_the_first_job() -> None:
    late = job(3 * DAY_S + 2 * HOUR_S, 60, 1)
    assert list(about_setup(setup(scenario([pool(1)], horizon_h=1), late))) == [
        "the horizon ends the run before any job is submitted: it is 1 h long, "
        "and the first job comes after 2 h"
    ]
    assert list(about_setup(setup(scenario([pool(1)], horizon_h=3), late))) == []


def test_more_than_the_pools_can_do() -> None:
    """Four devices have four days of work a day; four jobs of a day ask for as much, a fifth for more."""
    jobs = [job(HOUR_S, DAY_S, 1)] * 5
    own = scenario([pool(4)])
    assert backlog(setup(own, *jobs[:4])).load == 1.0
    assert list(about_setup(setup(own, *jobs[:4]))) == []
    assert list(about_setup(setup(own, *jobs))) == [
        "demand exceeds what the pools can do from 1970-01-01 01:00 UTC on, 1.30 times: "
        "what is not rented waits longer and longer"
    ]
    # in two days half of that; jobs after the horizon do not count
    assert backlog(setup(own, *jobs, job(DAY_S, DAY_S, 1))).load == 6 / 8
    assert backlog(setup(scenario([pool(4)], horizon_h=24), *jobs, job(DAY_S, 9, 1))).load == 1.25


def test_pools_fall_behind_for_good_from_a_job_on() -> None:
    """A device catches up once; from day 24 on it is asked for three times what it can do."""
    early, caught_up = job(0, DAY_S, 1), job(20 * DAY_S, 3 * DAY_S, 1)
    growing = [job(day * DAY_S, 3 * DAY_S, 1) for day in (24, 25, 26)]
    found = backlog(setup(scenario([pool(1)], horizon_h=27 * 24), early, caught_up, *growing))
    assert (found.since_s, found.left_s, found.load_since) == (24 * DAY_S, 6 * DAY_S, 3.0)
    assert found.load == pytest.approx(13 / 27)
    (said,) = about_setup(setup(scenario([pool(1)], horizon_h=27 * 24), early, caught_up, *growing))
    assert said.startswith("demand exceeds what the pools can do from 1970-01-25 00:00 UTC on, 3.00 times")


def test_pools_that_keep_up_and_pools_without_end() -> None:
    """A minute of work at one o'clock of the fourth day, with which the run starts."""
    late = job(3 * DAY_S + HOUR_S, 60, 1)
    found = backlog(setup(scenario([pool(1)]), late))
    assert found == (60 / DAY_S, 0.0, 3 * DAY_S + HOUR_S, 60 / (23 * HOUR_S))
    nothing = backlog(setup(scenario([pool(1)], bound="unlimited_owned"), late))
    assert nothing == (0.0, 0.0, 3 * DAY_S, 0.0)


def test_load_counts_devices_by_their_speed() -> None:
    """A device twice as fast beside a plain one do three days of work a day."""
    both = scenario([pool(1), pool(1, name="fast", device="double")])
    asked = trace(job(0, 2 * DAY_S, 3), reference_device="unit")
    assert backlog(Setup.of(both, asked, CATALOG)).load == pytest.approx(2.0)
    rented = scenario([pool(1)], bound="unlimited_owned")
    assert backlog(setup(rented, job(0, 9 * DAY_S, 1))).load == 0.0


def test_pools_that_are_hardly_used(tmp_path: Path) -> None:
    """One of a hundred devices is used all the time, or almost."""
    full = run(scenario([pool(100)]), trace(job(0, 100, 1)), tmp_path / "full")
    assert list(about_run(full)) == []
    less = run(scenario([pool(101)]), trace(job(0, 100, 1)), tmp_path / "less")
    (said,) = about_run(less)
    assert said.startswith("utilization is 0.99%: ")


# as commands say it


SMALL = """
name = "small"

[[pools]]
name = "own"
device = "unit"
devices = 4
pods = 1
"""


@pytest.fixture
def unix(tmp_path: Path) -> Path:
    """A scenario, and jobs submitted in Unix seconds of January 2024, as a CSV file."""
    (tmp_path / "small.toml").write_text(SMALL)
    lines = ["submit_s,runtime_s,gang", "1704067200,3600,4", "1704067260,7200,4", "1704153600,600,2"]
    (tmp_path / "unix.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def exaburst(*words: str | Path) -> Any:
    """What a command says and does."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_unix_times_make_a_run_of_hours(unix: Path) -> None:
    told = exaburst("import", "csv", unix / "unix.csv", "-o", unix / "t.parquet", "--to", "2024-01-02")
    assert told.exit_code == 0
    assert (
        "exaburst: kept 2 of 3 jobs, submitted from 2024-01-01 00:00 to 2024-01-01 00:01 UTC" in told.output
    )
    assert "exaburst: warning: the first job is submitted 19,700 days after the epoch" in told.output
    told = exaburst("replay", unix / "small.toml", "--trace", unix / "t.parquet", "-o", unix / "run")
    assert told.exit_code == 0
    assert "small: 2024-01-01 00:00 to 2024-01-01 03:00 UTC, 0.1 days" in told.output
    assert "jobs: submitted from 2024-01-01 00:00 to 2024-01-01 00:01 UTC" in told.output
    assert "100.0%" in told.output and "warning" not in told.output


def test_check_says_when_jobs_come_and_what_a_scenario_makes_of_them(unix: Path) -> None:
    exaburst("import", "csv", unix / "unix.csv", "-o", unix / "t.parquet")
    told = exaburst("check", unix / "t.parquet")
    assert (
        "3 jobs, submitted from 2024-01-01 00:00 to 2024-01-02 00:00 UTC, reference device any" in told.output
    )
    (unix / "long.toml").write_text(f'start = "2023-12-01"\ntrace = "t.parquet"\n{SMALL}')
    told = exaburst("check", unix / "long.toml")
    assert told.exit_code == 0
    assert "exaburst: warning: no job is submitted for 31 days from the start on" in told.output
    (unix / "after.toml").write_text(f'start = "2024-01-02"\ntrace = "t.parquet"\n{SMALL}')
    for words in ((), ("-o", unix / "x")):
        told = exaburst("replay" if words else "check", unix / "after.toml", *words)
        assert told.exit_code == 2
        assert told.output.count("\n") == 1
        assert 'start = "2024-01-02": must not be after the first job' in told.output


def test_a_date_may_be_set_from_outside(unix: Path) -> None:
    exaburst("import", "csv", unix / "unix.csv", "-o", unix / "t.parquet")
    run_it: list[str | Path] = [
        "replay",
        unix / "small.toml",
        "--trace",
        unix / "t.parquet",
        "-o",
        unix / "run",
    ]
    told = exaburst(*run_it, "--set", "start=2023-12-31T12:00:00")
    assert "small: 2023-12-31 12:00 to 2024-01-02 00:10 UTC" in told.output
    told = exaburst(*run_it, "--overwrite", "--from", "2024-01-01T00:01", "--to", "2024-01-02")
    assert "small: 2024-01-01 00:00 to 2024-01-01 02:01 UTC" in told.output
    told = exaburst(*run_it, "--overwrite", "--from", "then")
    assert told.exit_code == 2
    assert told.output == (
        'exaburst: "then": must be a date, as 2026-01-05T06:00, or a duration from the epoch, as 36h or 7d\n'
    )


def test_what_is_said_of_no_jobs() -> None:
    none = Trace.from_columns({"submit_s": [], "runtime_s": [], "gang": []})
    assert submissions(none) == "no job is submitted"


def test_a_few_jobs_long_before_the_others_are_said() -> None:
    """One of a hundred jobs three days before the next is; two of a hundred, or a shorter gap, are not."""

    def said(submit_s: list[int]) -> list[str]:
        ones = [1] * len(submit_s)
        return list(about_trace(Trace.from_columns({"submit_s": submit_s, "runtime_s": ones, "gang": ones})))

    rest = list(range(3 * DAY_S, 3 * DAY_S + 99))
    (line,) = said([0, *rest])
    assert line.startswith("1 of 100 jobs are submitted 3 days or more before the others")
    assert "--from 1970-01-04T00:00 leaves them out" in line
    assert said([1, *rest]) == []
    assert said([0, 0, *rest[:98]]) == []
