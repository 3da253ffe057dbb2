"""What of a trace is compared: whole weeks in which jobs are submitted, and pairs of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.report.compare import differences
from scheduler.study.compare.compare import Question, enough, measured_of
from scheduler.study.compare.differences import CompareError, compare
from scheduler.study.compare.windows import Measurement, Window, WindowError
from tests.build import job, pool, scenario, trace
from tests.test_submissions import exaburst
from traces.times import DAY_S, HOUR_S

WEEK_S = 7 * DAY_S
JANUARY_2024_S = 19_723 * DAY_S


@st.composite
def gaps(draw: st.DrawFn, /) -> list[int]:
    """Submissions on some days of four months: in many weeks nothing comes."""
    days = sorted(draw(st.sets(st.integers(0, 120), min_size=1, max_size=40)))
    offsets = sorted(draw(st.sets(st.integers(0, DAY_S - 1), min_size=1, max_size=3)))
    start_s = draw(st.sampled_from([0, 3 * DAY_S, JANUARY_2024_S]))
    return [start_s + day * DAY_S + offset for day in days for offset in offsets]


def measured(submits: list[int], **more: Any) -> Measurement:
    """What is measured of a trace with jobs at these seconds."""
    asked = Question(
        scenario=replace(scenario([pool(1)]), **more), policies=("none", "easy"), trace=Path("t.parquet")
    )
    return measured_of(asked, trace(*(job(at, 60, 1) for at in submits)))


def by_hand(submits: list[int]) -> list[tuple[int, int]]:
    """Back from the last midnight with a day behind it, week by week, as long as five days are before it."""
    start_s = submits[0] // DAY_S * DAY_S
    weeks, to_s = [], (submits[-1] + 1 - DAY_S) // DAY_S * DAY_S
    while to_s - WEEK_S >= start_s + 5 * DAY_S:
        if any(to_s - WEEK_S <= at < to_s for at in submits):
            weeks.append((to_s - WEEK_S, to_s))
        to_s -= WEEK_S
    return weeks[::-1]


@given(gaps())
def test_weeks_without_jobs_are_no_replications(submits: list[int]) -> None:
    expected = by_hand(submits)
    if len(expected) < 5:
        with pytest.raises((CompareError, WindowError)):
            measured(submits)
        return
    found = measured(submits)
    assert list(found.parts) == expected
    assert found.start_s == submits[0] // DAY_S * DAY_S
    assert found.length_s == submits[-1] + 1 - found.start_s


@given(gaps(), st.integers(1, 20_000))
def test_weeks_move_with_the_trace(submits: list[int], days: int) -> None:
    by_s = days * DAY_S
    assert by_hand([at + by_s for at in submits]) == [
        (from_s + by_s, to_s + by_s) for from_s, to_s in by_hand(submits)
    ]
    if len(by_hand(submits)) >= 5:
        found, later = measured(submits), measured([at + by_s for at in submits])
        assert later.parts == tuple(part.later(by_s) for part in found.parts)
        assert later.whole == found.whole.later(by_s)


def test_weeks_before_the_first_job_are_no_replications() -> None:
    """A run told to start ten weeks before its jobs, which come on 44 days, has six weeks of them."""
    submits = [10 * WEEK_S + at * DAY_S for at in range(44)]
    assert measured(submits, start="0s").parts == tuple(
        Window(DAY_S * (70 + 7 * at), DAY_S * (77 + 7 * at)) for at in range(6)
    )
    every_other = [at for at in submits if at // WEEK_S % 2 == 0]
    with pytest.raises(CompareError, match=r"has 3 whole weeks with jobs between .*: needs 5"):
        measured(every_other, start="0s")


def test_a_horizon_counts_from_the_start() -> None:
    submits = [JANUARY_2024_S + at * DAY_S for at in range(90)]
    found = measured(submits, horizon_h=24.0 * 60)
    assert (found.start_s, found.length_s) == (JANUARY_2024_S, 60 * DAY_S)
    assert [(part.from_s - JANUARY_2024_S) // DAY_S for part in found.parts] == [10, 17, 24, 31, 38, 45, 52]


# pairs


def results(ours: list[float | None], theirs: list[float | None]) -> pa.Table:
    """A table of two policies, a row a replication."""
    rows = [
        {"policy": policy, "seed": seed, "waited_mean_s": value}
        for policy, values in (("base", theirs), ("new", ours))
        for seed, value in enumerate(values)
    ]
    return pa.Table.from_pylist(rows)


def test_a_claim_says_how_many_pairs_it_has() -> None:
    (found,) = compare(results([1.0, 2.0, None, 4.0], [2.0, None, 3.0, 7.0]), "base", ("waited_mean_s",))
    assert (found.pairs, found.difference) == (2, -2.0)
    header, line = (row.split() for row in differences([found], "base").splitlines())
    assert header[:4] == ["against", "base", "pairs", "difference"]
    assert line[:4] == ["new", "wait", "mean", "2"]


def test_enough_is_counted_in_pairs() -> None:
    """Twelve seeds of which nine have the figure are too few to stop by."""
    asked = Question(
        scenario=scenario([pool(1)]), policies=("base", "new"), metrics=("waited_mean_s",), halfwidth=9.0
    )
    rows = results([1.0] * 9 + [None] * 3, [2.0] * 12).to_pylist()
    assert not enough(rows, asked, 12, asked.metrics)
    assert enough(results([1.0] * 10 + [None] * 2, [2.0] * 12).to_pylist(), asked, 12, asked.metrics)


# as the command says it


def test_a_comparison_of_unix_times_ends_and_says_what_it_counts(tmp_path: Path) -> None:
    """Jobs on four days of each week, for eleven weeks, of which two in the middle are empty."""
    (tmp_path / "small.toml").write_text(
        'name = "small"\n[[pools]]\nname = "own"\ndevice = "unit"\ndevices = 4\npods = 1\n'
    )
    days = [day for day in range(77) if day % 7 < 4 and day // 7 not in (4, 5)] + [77]
    draw = np.random.default_rng(1)
    jobs = [
        job(JANUARY_2024_S + day * DAY_S + hour * HOUR_S, int(draw.integers(600, 9 * HOUR_S)), 1 + hour % 4)
        for day in days
        for hour in range(8, 16)
    ]
    trace(*jobs).write(tmp_path / "t.parquet")
    words: list[str | Path] = [
        "compare",
        tmp_path / "small.toml",
        "-p",
        "easy",
        "-p",
        "none",
        "--trace",
        tmp_path / "t.parquet",
    ]
    told = exaburst(*words, "--workers", "1")
    assert told.exit_code == 0, told.output
    assert "small: 8 weeks of one run each" in told.output
    assert told.output.splitlines()[1].split(", without ") == [
        "measured: 56 days of 77.6 days",
        "warm-up 6 days, cool-down 1.63 days, weeks without jobs 14 days",
    ]
    told = exaburst(*words, "--workers", "1", "--from", "2024-01-08", "--to", "2024-03-18")
    assert told.exit_code == 0, told.output
    assert "kept 256 of 296 jobs, submitted from 2024-01-08 08:00" in told.output


def test_a_part_of_generated_demand_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[[pools]]\nname = "own"\ndevice = "unit"\ndevices = 4\npods = 1\n[demand]\ndays = 2\n'
    )
    told = exaburst("compare", tmp_path / "s.toml", "-p", "easy", "-p", "none", "--from", "1d")
    assert told.exit_code == 2
    assert "--from and --to keep a part of a trace" in told.output
