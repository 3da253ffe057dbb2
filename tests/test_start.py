"""When a run starts, and that everything counts from there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.money.focus.table import focus_table
from scheduler.money.ledger.showback import showback
from scheduler.run.directory import Run, open_run
from scheduler.run.figures import measure
from scheduler.run.levels import DeviceLevels, by_hour_of_week, dates
from scheduler.scenario import Scenario, ScenarioError, read_scenario, run_start_s
from tests import build
from tests.build import job, offer, pool, rows, run, scenario
from tests.examples import examples
from tests.storms import climates, recorded
from tests.worlds import CATALOG, MEMORY
from traces import Trace
from traces.formats.importing import import_trace
from traces.times import DAY_S, HOUR_S, parse_moment

TEN_DAYS_S = 10 * DAY_S
LATE = job(TEN_DAYS_S + HOUR_S, HOUR_S, 1)
"""It comes at one o'clock of the eleventh day, 1970-01-11, and takes an hour."""
CHEAP = {"operations_share_per_year": 0.0, "usd_per_kwh": 0.0}
SECOND_RATE = pool(2, capital_usd=2 * 5 * 31_557_600.0)
"""Over five years, a device costs 1 USD a second."""


def usd(of: Run) -> float:
    """All that the run spent."""
    return float(sum(amount for (amount,) in rows(of, "spend", "usd")))


def test_a_run_starts_at_the_midnight_before_the_first_job(tmp_path: Path) -> None:
    of = run(scenario([SECOND_RATE], money=CHEAP), build.trace(LATE), tmp_path)
    assert (of.start_s, of.end_s, of.length_s) == (TEN_DAYS_S, TEN_DAYS_S + 7_200, 7_200)
    assert rows(of, "jobs", "submit_s", "start_s", "end_s") == [(864_000 + 3_600, 867_600, 871_200)]
    # two devices for two hours, of which one is held for the second
    spend = [row for row in rows(of, "spend", "period_s", "charged_to", "usd") if row[2]]
    assert spend == [
        (864_000, "idle", pytest.approx(7_200.0)),
        (867_600, "job", pytest.approx(3_600.0)),
        (867_600, "idle", pytest.approx(3_600.0)),
    ]
    assert DeviceLevels(of).utilization() == 0.25


def test_figures_and_hours_count_from_the_start(tmp_path: Path) -> None:
    trace = build.trace(LATE)
    of = run(scenario([pool(2)]), trace, tmp_path)
    figures = measure(of, trace)
    assert (figures["end_s"], figures["length_s"], figures["utilization"]) == (871_200, 7_200, 0.25)
    grid = by_hour_of_week(of, "busy_own")  # 1970-01-11 is a Sunday
    assert grid[6, :2].tolist() == [0, 1]
    assert np.isnan(grid).sum() == 7 * 24 - 2
    assert dates(of, np.array([of.start_s])).astype(str).tolist() == ["1970-01-11T00:00:00"]
    assert open_run(tmp_path).length_s == 7_200


@pytest.mark.parametrize(
    ("start", "second"),
    [
        (None, TEN_DAYS_S),
        ("0s", 0),
        ("36h", 36 * HOUR_S),
        ("1970-01-10", 9 * DAY_S),
        ("1970-01-11T01:00:00", TEN_DAYS_S + HOUR_S),
        ("1970-01-11T02:00:00+02:00", TEN_DAYS_S),
        ("1969-12-31", -DAY_S),
    ],
)
def test_a_scenario_may_say_when_the_run_starts(start: str | None, second: int, tmp_path: Path) -> None:
    of = run(scenario([SECOND_RATE], money=CHEAP, start=start), build.trace(LATE), tmp_path)
    assert (of.start_s, of.end_s) == (second, TEN_DAYS_S + 7_200)
    assert usd(of) == pytest.approx(2.0 * of.length_s)
    assert DeviceLevels(of).utilization() == HOUR_S / (2 * of.length_s)


def test_a_run_does_not_start_before_the_epoch_unless_told(tmp_path: Path) -> None:
    at_noon = build.trace(job(60, 60, 1), epoch="2026-01-05T12:00")
    assert run_start_s(scenario([pool(1)]), at_noon) == 0
    assert run_start_s(scenario([pool(1)], start="2026-01-05"), at_noon) == -12 * HOUR_S
    next_day = build.trace(job(13 * HOUR_S, 60, 1), epoch="2026-01-05T12:00")
    assert run_start_s(scenario([pool(1)]), next_day) == 12 * HOUR_S


def test_midnight_is_that_of_the_zone_of_the_epoch() -> None:
    """At 23:30 in UTC it is half past midnight two hours further east."""
    late = job(TEN_DAYS_S - HOUR_S // 2, 60, 1)
    east = build.trace(late, epoch="1970-01-01T02:00:00+02:00")
    assert run_start_s(scenario([pool(1)]), build.trace(late)) == 9 * DAY_S
    assert run_start_s(scenario([pool(1)]), east) == TEN_DAYS_S - 2 * HOUR_S
    assert east.epoch == build.trace(late).epoch
    assert east.sha256 != build.trace(late).sha256  # it makes another run


def swf(folder: Path, submit_s: int, *header: str) -> Trace:
    """One job of a log."""
    path = folder / "log.swf"
    job_line = f"1 {submit_s} 0 60 4 -1 -1 4 60 -1 1 1 1 1 1 1 -1 -1"
    path.write_text("\n".join([*(f"; {line}" for line in header), job_line]) + "\n")
    return import_trace("swf", path).trace


def test_a_log_says_its_zone(tmp_path: Path) -> None:
    """2002-07-28 begins in Stockholm at 22:00 UTC; the log, at 9:04:05 there."""
    epoch_s, noon_s = 1_027_839_845, 100 * DAY_S
    zoned = swf(tmp_path, noon_s, f"UnixStartTime: {epoch_s}", "TimeZoneString: Europe/Stockholm")
    into_s = 9 * HOUR_S + 4 * 60 + 5
    assert zoned.first_midnight_s == noon_s - into_s
    assert zoned.epoch.timestamp() == epoch_s
    for zone in ("nowhere", "../../etc/passwd", ""):
        unzoned = swf(tmp_path, noon_s, f"UnixStartTime: {epoch_s}", f"TimeZoneString: {zone}")
        assert unzoned.first_midnight_s == noon_s - into_s + 2 * HOUR_S


def test_a_start_after_the_first_job_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r'start = "11d".*first job.*1970-01-11 01:00 UTC'):
        run_start_s(scenario([pool(1)], start="11d"), build.trace(LATE))


@pytest.mark.parametrize("said", ["1970-01-10", '"1970-01-10"', "1970-01-10T02:00:00+02:00", '"9d"'])
def test_a_start_may_be_written_as_a_date_of_toml(said: str, tmp_path: Path) -> None:
    plain = 'name = "x"\npools = [{ name = "own", device = "unit", devices = 1, pods = 1 }]\n'
    (tmp_path / "plain.toml").write_text(plain)
    (tmp_path / "said.toml").write_text(f"start = {said}\n{plain}")
    for of in (
        read_scenario(tmp_path / "said.toml"),
        read_scenario(tmp_path / "plain.toml", [f"start={said}"]),
    ):
        assert run_start_s(of, build.trace(LATE)) == 9 * DAY_S


@pytest.mark.parametrize("text", ["soon", "", "-3d", "2026-13-01", "12"])
def test_a_start_that_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"start: .*must be a date"):
        scenario([pool(1)], start=text)


def test_moments_are_rounded_to_seconds() -> None:
    epoch = datetime.fromisoformat("2026-01-05T00:00:00+00:00")
    assert parse_moment("2026-01-05T00:00:01.6", epoch) == 2
    assert parse_moment("0.5m", epoch) == 30


def test_a_horizon_is_a_length(tmp_path: Path) -> None:
    of = run(scenario([pool(2)], horizon_h=1.5), build.trace(LATE), tmp_path)
    assert (of.end_s, of.length_s) == (TEN_DAYS_S + 5_400, 5_400)
    assert rows(of, "attempts", "end_s", "outcome") == [(TEN_DAYS_S + 5_400, "unfinished")]


def test_maintenance_counts_from_the_start(tmp_path: Path) -> None:
    """The pod is out for the first half of the job's first hour."""
    own = pool(2, maintenance=[{"from_h": 1.0, "to_h": 1.5}])
    of = run(scenario([own]), build.trace(LATE), tmp_path)
    assert rows(of, "jobs", "start_s") == [(TEN_DAYS_S + 5_400,)]
    assert rows(of, "states", "time_s", "down_own")[:2] == [(TEN_DAYS_S + 3_600, 2), (TEN_DAYS_S + 5_400, 0)]


def test_prices_count_from_the_start_or_stand_by_date(tmp_path: Path) -> None:
    """A job rents a device from 1:00 to 2:00; the price doubles at 1:30, by any of three ways to say so."""
    (tmp_path / "hours.csv").write_text("time_h,usd_per_device_h\n0,2\n1.5,4\n")
    (tmp_path / "dates.csv").write_text("time,usd_per_device_h\n1970-01-01,2\n1970-01-11T01:30,4\n")
    ways: list[dict[str, Any]] = [
        {"price": {"csv": str(tmp_path / "hours.csv")}},
        {"price": {"csv": str(tmp_path / "dates.csv")}},
        {"usd_per_device_h": 2.0, "surges": [{"from_h": 1.5, "to_h": 3.0, "factor": 2.0}]},
    ]
    for at, way in enumerate(ways):
        of = run(scenario(offers=[offer("cloud", **way)]), build.trace(LATE), tmp_path / str(at))
        assert usd(of) == pytest.approx(3.0)
        first, second, *_ = map(tuple, of.description["offers"][0]["prices"])
        assert (first, second) == ((TEN_DAYS_S, 2.0), (TEN_DAYS_S + 5_400, 4.0))


def test_commitments_are_paid_from_the_start(tmp_path: Path) -> None:
    """Three devices at 1 USD a second, of which one is used for half of the two hours."""
    cloud = offer("cloud", commitments=[{"devices": 3}], usd_per_device_h=3_600.0)
    of = run(scenario(offers=[cloud]), build.trace(LATE), tmp_path)
    assert usd(of) == pytest.approx(3 * 7_200)


def test_bills_begin_with_the_run(tmp_path: Path) -> None:
    """Charge periods of the cost table, from the first to the last, are the two hours of the run."""
    of = run(scenario([SECOND_RATE], money=CHEAP), build.trace(LATE), tmp_path)
    table = focus_table(of, showback(of))
    periods = {
        (start.isoformat(), end.isoformat())
        for start, end in zip(
            *(table.column(f"ChargePeriod{edge}").to_pylist() for edge in ("Start", "End")), strict=True
        )
    }
    assert periods == {
        ("1970-01-11T00:00:00+00:00", "1970-01-11T01:00:00+00:00"),
        ("1970-01-11T01:00:00+00:00", "1970-01-11T02:00:00+00:00"),
    }


LOGS = {
    "jobs": ("submit_s", "deadline_s", "ready_s", "start_s", "end_s"),
    "attempts": ("alloc_s", "start_s", "end_s"),
    "states": ("time_s",),
    "spend": ("period_s",),
}
"""The columns of each log that hold instants."""


def moved(of: Run, log: str, by_s: int) -> list[dict[str, Any]]:
    """The rows of a log, with all instants later by so much."""
    return [
        {
            name: value + by_s if name in LOGS[log] and value is not None else value
            for name, value in row.items()
        }
        for row in of.table(log).to_pylist()
    ]


@settings(max_examples=examples(40), deadline=None)
@given(climates(), st.integers(1, 20_000), st.sampled_from([None, "day"]))
def test_a_trace_some_days_later_gives_the_same_run_some_days_later(
    climate: tuple[Scenario, Trace], days: int, start: str | None
) -> None:
    """Under failures, maintenance, reclaims, refusals, drifting prices, surges and a horizon alike.

    Not so under priority with ageing, whose float keys round.
    """
    of, trace = climate
    assume(not of.policy.order.startswith("priority"))
    by_s = days * DAY_S
    later = [
        {
            name: value + by_s if name in ("submit_s", "deadline_s") and value is not None else value
            for name, value in row.items()
        }
        for row in trace.table.to_pylist()
    ]
    told = [None, None] if start is None else ["0s", f"{days}d"]
    with TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        of = recorded(of, folder)
        first, second = (
            run(replace(of, start=at), over, folder / str(number), CATALOG)
            for number, (at, over) in enumerate(
                zip(told, (trace, build.trace(*later, reference_device=trace.reference_device)), strict=True)
            )
        )
        assert (second.start_s, second.end_s) == (first.start_s + by_s, first.end_s + by_s)
        for log in LOGS:
            assert moved(first, log, by_s) == moved(second, log, 0)
