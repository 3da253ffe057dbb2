"""Every foreign format, told as exact small stories, and the public files against an independent count."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest

from traces import Trace, TraceError
from traces.formats import FORMATS, decoding, gavel
from traces.formats.importing import Imported, import_trace
from traces.formats.reader import FoundRows
from traces.record import Record
from traces.trace import NO_VALUE

DATA = Path(__file__).parents[1].parent / "shared" / "data"
SAMPLES = Path(__file__).parents[1] / "traces" / "samples"


def imported(tmp_path: Path, format_name: str, text: str | bytes, **options: Any) -> Imported:
    path = tmp_path / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_trace(format_name, path, **options)


def rows(trace: Trace, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(trace.table.column(name).to_pylist() for name in names), strict=True))


def public(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not at hand; docs/traces.md says where it comes from")
    return DATA / name


# --- Standard Workload Format ---

SWF = """; Version: 2.2
;  UnixStartTime: 1027839845
; MaxJobs: 527371
  1    0  5  100   4  99.5 -1   8  3600 -1 1  12 1 -1  3 -1 -1 -1
  2   10  5   -1  -1    -1 -1   8  3600 -1 5  12 1 -1  3 -1 -1 -1
  3   20  5   50   4    -1 -1  -1    -1 -1 1  -1 1 -1 -1 -1 -1 -1

  4   30  5    0   1    -1 -1   1    60 -1 1   7 1 -1  0 -1  1 30
  5   40  5    0   1    -1 -1   1    60 -1 5   7 1 -1  0 -1 -1 -1
  6   50  5   30   0    -1 -1   0    60 -1 1   7 1 -1  0 -1 -1 -1
  7   60  5 70.6   2    -1 -1   2    60 -1 0   7 1 -1  0 -1 -1 -1
  7   60  5   40   2    -1 -1   2    60 -1 2   7 1 -1  0 -1 -1 -1
  7   90  5   30   2    -1 -1   2    60 -1 3   7 1 -1  0 -1 -1 -1
  8   95  5   30   2
  9   96  5   30   x    -1 -1   2    60 -1 1   7 1 -1  0 -1 -1 -1
 10   -5  5   30   2    -1 -1   2    60 -1 1   7 1 -1  0 -1 -1 -1

"""


def test_swf_tells_each_job_once_and_why_others_are_missing(tmp_path: Path) -> None:
    trace, report = (found := imported(tmp_path, "swf", SWF, device="node")).trace, found.report
    assert rows(trace, "job_id", "submit_s", "runtime_s", "gang", "estimate_s", "owner", "queue") == [
        (1, 0, 100, 8, 3600, "user 12", "queue 3"),
        (3, 20, 50, 4, 50, "unknown", "unknown"),
        (4, 30, 1, 1, 60, "user 7", "queue 0"),
        (7, 60, 71, 2, 60, "user 7", "queue 0"),
    ]
    assert trace.table.column("after").null_count == 3
    recorded = ("outcome", "recorded_start_s", "recorded_end_s", "recorded_where")
    assert rows(trace, "after", "after_lag_s", "kind", *recorded) == [
        (None, None, "other", "completed", 5, 105, None),
        (None, None, "other", "completed", 25, 75, None),
        ([1], 30, "other", "completed", 35, 35, None),
        (None, None, "other", "failed", 65, 136, None),
    ]
    assert trace.epoch == datetime.fromtimestamp(1027839845, UTC)
    assert trace.reference_device == "node"
    assert str(report).splitlines() == [
        "file (swf): 4 jobs of 12 rows",
        '  skipped 1: not 18 fields (first at line 14: "8 95 5 30 2")',
        '  skipped 1: allocated processors: not a number (first at line 15: "x")',
        "  skipped 2: never ran (first at line 5)",
        "  skipped 1: no processors (first at line 10)",
        '  skipped 1: submit time: not 0 to 100,000,000,000 (first at line 16: "-5")',
        "  skipped 2: part of a job (status 2, 3 or 4), whose own line has the sum (first at line 12)",
        "  noted 1: run time 0: 1 s taken (first at line 8)",
        "  noted 1: times: rounded to whole seconds (first at line 11)",
        "  noted 1: no processors requested: those allocated taken (first at line 6)",
        "  noted 1: processors: requested ones taken, not those allocated (first at line 4)",
        "  noted 1: no time requested: the run time taken (first at line 6)",
        "  noted 1: ran past the time requested: kept (first at line 11)",
        "  assumed: after: a job waits for its preceding job and think time where these end later than there",
        f"  SHA-256 of the file: {hashlib.sha256(SWF.encode()).hexdigest()}",
    ]


def test_the_report_travels_in_the_trace(tmp_path: Path) -> None:
    trace, report = (found := imported(tmp_path, "swf", SWF)).trace, found.report
    assert trace.source == report.source()
    assert trace.source["file"] == "file"
    assert trace.source["sha256"] == hashlib.sha256(SWF.encode()).hexdigest()
    assert trace.source["rows"] == trace.source["jobs"] + sum(trace.source["skipped"].values())


def test_gzip_line_ends_and_blanks_change_nothing(tmp_path: Path) -> None:
    plain = imported(tmp_path, "swf", SWF)
    for variant in (
        gzip.compress(SWF.encode()),
        SWF.replace("\n", "\r\n"),
        SWF.replace("  ", "\t"),
        SWF.strip("\n"),
        b"\xef\xbb\xbf" + SWF.encode(),
        SWF.replace("Version", "Åke").encode("latin-1"),
    ):
        other = imported(tmp_path, "swf", variant)
        assert other.trace.sha256 == plain.trace.sha256
        assert other.report.skipped == plain.report.skipped


def swf(*jobs: tuple[int, int, int, int]) -> str:
    """A line a job: (number, submit, run, status)."""
    return "".join(
        f"{number} {at} 0 {run} 4 -1 -1 4 -1 -1 {status} 1 1 1 1 1 -1 -1\n"
        for number, at, run, status in jobs
    )


def test_parts_without_a_line_of_their_own_are_added_up(tmp_path: Path) -> None:
    found = imported(
        tmp_path, "swf", swf((1, 0, 60, 2), (2, 5, 9, 1), (1, 100, 40, 3), (2, 6, 9, 4), (3, 9, 7, 4))
    )
    assert rows(found.trace, "job_id", "submit_s", "runtime_s", "estimate_s") == [
        (1, 0, 100, 100),
        (2, 5, 9, 9),
        (3, 9, 7, 7),
    ]
    assert {why: (of.rows, of.line) for why, of in found.report.skipped.items()} == {
        "part of a job (status 2, 3 or 4), whose own line has the sum": (1, 4)
    }
    assert found.report.noted[
        "part of a job (status 2, 3 or 4) without a line of its own: added up"
    ] == FoundRows(3, 1, "")


def test_parts_are_taken_in_order_of_time(tmp_path: Path) -> None:
    """The last part stands first in the file, and another ran on twice the processors."""
    part = "1 {} 1 {} {gang} -1 -1 {gang} -1 -1 {} 1 1 1 1 1 -1 -1\n"
    text = part.format(50, 5, 3, gang=4) + part.format(0, 10, 2, gang=4) + part.format(20, 7, 2, gang=8)
    found = imported(tmp_path, "swf", text)
    names = ("submit_s", "runtime_s", "gang", "recorded_start_s", "recorded_end_s", "outcome")
    assert rows(found.trace, *names) == [(0, 22, 4, 1, 56, "completed")]
    reason = "part of a job on other processors than its first: those taken"
    assert found.report.noted[reason] == FoundRows(1, 3, "")


@pytest.mark.parametrize(("own", "differs"), [(30, False), (31, False), (99, True)])
def test_a_job_that_is_not_the_sum_of_its_parts_is_noted(tmp_path: Path, own: int, differs: bool) -> None:
    found = imported(tmp_path, "swf", swf((1, 0, own, 1), (1, 0, 10, 2), (1, 50, 20, 3)))
    assert rows(found.trace, "runtime_s") == [(own,)]
    reason = "the run time of a job is not that of its parts together: its own line's taken"
    assert (reason in found.report.noted) == differs


def test_times_that_no_trace_can_hold_are_left_out_and_said(tmp_path: Path) -> None:
    job = "{} {} {wait} 9 1 -1 -1 1 -1 -1 1 1 1 1 1 1 {} {think}\n"
    text = job.format(1, 0, -1, wait=0, think=-1) + job.format(2, 5, 1, wait=1e15, think=1e15)
    text += job.format(3, 9, 1, wait=1.5, think=2.5)
    found = imported(tmp_path, "swf", text)
    assert rows(found.trace, "after_lag_s", "recorded_start_s") == [(None, 0), (None, None), (2, 10)]
    noted = {why: (of.rows, of.line) for why, of in found.report.noted.items() if "time" in why}
    assert noted == {
        "wait time: beyond what a trace can hold: left out": (1, 2),
        "think time: beyond what a trace can hold: left out": (1, 2),
        "times: rounded to whole seconds": (1, 3),
        "no time requested: the run time taken": (3, 1),
    }


def test_slurms_states_are_no_parts(tmp_path: Path) -> None:
    found = imported(tmp_path, "swf", swf((1, 0, 60, 3), (1, 5, 9, 6), (3, 9, 7, 4)))
    assert rows(found.trace, "submit_s", "runtime_s") == [(0, 60), (5, 9), (9, 7)]
    assert found.report.noted["status above 5: Slurm's, which knows no parts"] == FoundRows(1, 2, "")


def test_last_parts_without_any_in_parts_are_slurms_states(tmp_path: Path) -> None:
    """1, 3 and 4 alone: a Slurm cluster where nothing failed, or else each job is the last of one part."""
    found = imported(tmp_path, "swf", swf((1, 0, 60, 3), (2, 5, 9, 1), (3, 9, 7, 4)))
    assert rows(found.trace, "runtime_s", "outcome") == [(60, "completed"), (9, None), (7, "cancelled")]
    reason = "status 3 or 4, as of a last part, but no job is in parts: taken for Slurm's"
    assert found.report.noted[reason] == FoundRows(2, 1, "")
    for parts in (swf((1, 0, 60, 2), (2, 5, 9, 4)), swf((1, 0, 60, 3), (1, 5, 9, 4))):
        assert reason not in imported(tmp_path, "swf", parts).report.noted


def test_how_a_job_ended_is_told_by_its_status(tmp_path: Path) -> None:
    parts = swf((1, 0, 60, 0), (2, 5, 9, 1), (3, 6, 9, 5), (4, 7, 9, 2), (4, 99, 1, 4), (5, 100, 1, -1))
    found = imported(tmp_path, "swf", parts)
    assert rows(found.trace, "outcome", "recorded_start_s", "recorded_end_s", "recorded_where") == [
        ("failed", 0, 60, "partition 1"),
        ("completed", 5, 14, "partition 1"),
        ("cancelled", 6, 15, "partition 1"),
        ("failed", 7, 100, "partition 1"),
        (None, 100, 101, "partition 1"),
    ]
    slurm = imported(tmp_path, "swf", swf(*((at, at, 9, at) for at in range(1, 12))))
    assert [outcome for (outcome,) in rows(slurm.trace, "outcome")] == [
        *(None, None, "completed", "cancelled", "failed", "timeout"),
        *("failed", "preempted", "failed", "timeout", "failed"),
    ]


def test_more_fields_than_the_format_has_are_left_out(tmp_path: Path) -> None:
    found = imported(tmp_path, "swf", swf((1, 0, 60, 1)).replace("\n", " 3 7\n") + swf((2, 0, 9, 1)))
    assert rows(found.trace, "runtime_s") == [(60,), (9,)]
    assert found.report.noted["more than 18 fields: those after them left out"] == FoundRows(1, 1, "")


def test_a_dependency_on_no_job_of_the_trace_is_cleared_with_its_line(tmp_path: Path) -> None:
    text = "job_id,submit_s,runtime_s,gang,after\n1,0,60,0,\n2,5,60,1,1\n3,9,60,1,2\n4,9,60,1,77\n"
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "job_id", "after") == [(2, None), (3, [2]), (4, None)]
    reason = "after: names no job of the file, or one that was skipped: cleared"
    assert found.report.noted == {reason: FoundRows(2, 3, "1")}


def test_circles_of_jobs_that_come_after_each_other_are_cleared_with_their_line(tmp_path: Path) -> None:
    """2 and 3 wait for each other, 5 for itself; 4 waits for them, and 2 for 1, as they may."""
    jobs = ("4,1,60,1,3;5", "1,2,60,1,", "2,9,60,1,3 1", "3,5,60,1,2", "5,6,60,1,5")
    found = imported(tmp_path, "csv", "\n".join(("job_id,submit_s,runtime_s,gang,after", *jobs)))
    assert rows(found.trace, "job_id", "after") == [
        (4, [3, 5]),
        (1, None),
        (3, None),
        (5, None),
        (2, [1]),
    ]
    assert {why: str(of) for why, of in found.report.noted.items() if "after" in why} == {
        "after: names the job itself: cleared": 'line 6: "5"',
        "after: names a job that, in the end, comes after this one: cleared": 'line 4: "3"',
    }
    swf = "{0} {0} 0 9 1 -1 -1 1 -1 -1 1 1 1 1 1 1 {1} -1\n"
    text = "".join(swf.format(*each) for each in ((1, 3), (2, 2), (3, 1), (4, 3)))
    found = imported(tmp_path, "swf", text)
    assert rows(found.trace, "job_id", "after") == [(1, None), (2, None), (3, None), (4, [3])]


@pytest.mark.parametrize(
    "ids",
    [
        ("9007199254740992", "9007199254740993"),
        ("12345678901234567890", "12345678901234567891"),
        ("1.5", "2.5"),
        ("1.0000000000000000001", "2"),
        ("-3", "4"),
        ("007", "7"),
        ("1e3", "1000"),
    ],
)
def test_ids_that_a_number_would_change_are_kept_as_names(tmp_path: Path, ids: tuple[str, str]) -> None:
    text = f"job_id,submit_s,runtime_s,gang,after\n{ids[0]},0,60,1,\n{ids[1]},5,60,1,{ids[0]}\n"
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "job_id", "name", "after") == [(0, ids[0], None), (1, ids[1], [0])]
    assert any(why.startswith("job ids: not") for why in found.report.noted)


def test_ids_up_to_two_to_the_53rd_are_kept(tmp_path: Path) -> None:
    text = "job_id,submit_s,runtime_s,gang\n9007199254740992,0,60,1\n0.0,5,60,1\n9007199254740991.0,6,60,1\n"
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "job_id", "name") == [(2**53, None), (0, None), (2**53 - 1, None)]


def test_ids_that_are_no_numbers_are_kept_as_names(tmp_path: Path) -> None:
    jobs = ("1002_1,9,60,1,7; 7 x", "7,5,60,1,", "end,9,60,1,1002_1 7", ",9,1,1,")
    text = "\n".join(("job_id,submit_s,runtime_s,gang,after", *jobs))
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "job_id", "name", "after") == [
        (0, "7", None),
        (1, "1002_1", [0]),
        (2, "end", [1, 0]),
    ]
    assert found.report.skipped == {"job_id: none": FoundRows(1, 5, "")}
    assert {reason: str(where) for reason, where in found.report.noted.items()} == {
        "submitted before the row above: sorted": "line 3",
        "after: names no job of the file, or one that was skipped: cleared": 'line 2: "x"',
        "after: names a job again: once taken": 'line 2: "7"',
        "job ids: not whole numbers, so numbered in order": "line 3",
    }


def test_numbers_that_repeat_are_kept_as_names(tmp_path: Path) -> None:
    found = imported(tmp_path, "csv", "job_id,submit_s,runtime_s,gang\n5,0,60,1\n5,5,60,1\n")
    assert rows(found.trace, "job_id", "name") == [(0, "5"), (1, "5")]


def test_several_jobs_to_come_after_by_number(tmp_path: Path) -> None:
    text = "job_id,submit_s,runtime_s,gang,after,after_lag_s\n1,0,60,1,,\n2.0,5,60,1,1.0,30\n3,9,60,1,2;1,\n"
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "job_id", "after", "after_lag_s") == [
        (1, None, None),
        (2, [1], 30),
        (3, [2, 1], None),
    ]
    assert not found.report.noted


@pytest.mark.parametrize("ids", ["", "job_id,"])
def test_a_word_among_numbers_of_jobs_is_shown(tmp_path: Path, ids: str) -> None:
    cells = [f"{number}," if ids else "" for number in range(3)]
    text = f"{ids}submit_s,runtime_s,gang,after\n" + "".join(
        f"{cell}{at},60,1,{after}\n"
        for at, (cell, after) in enumerate(zip(cells, ["", "ann", "1.0"], strict=True))
    )
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "after") == [(None,), (None,), ([1],)]
    assert {why: str(where) for why, where in found.report.noted.items()} == {
        "after: names no job of the file, or one that was skipped: cleared": 'line 3: "ann"'
    }


def test_a_record_that_runs_backwards_is_said_and_made_one_that_can_be(tmp_path: Path) -> None:
    text = "submit_s,runtime_s,gang,recorded_start_s,recorded_end_s\n9,5,1,8,20\n10,5,1,30,20\n11,5,1,,\n"
    found = imported(tmp_path, "csv", text)
    assert {why: (of.rows, of.line) for why, of in found.report.noted.items()} == {
        "recorded_start_s: before submit_s": (1, 2),
        "recorded_end_s: before recorded_start_s: the start and the run time taken": (1, 3),
    }
    assert Record.of(found.trace).end_s.tolist() == [20, 35, NO_VALUE]


def test_what_is_hardly_meant_is_said(tmp_path: Path) -> None:
    rows_of = "".join(f"{at},3600,1,60,{at - at % 2}\n" for at in range(20))
    found = imported(tmp_path, "csv", f"submit_s,runtime_s,gang,estimate_s,deadline_s\n{rows_of}")
    assert found.report.noted == {
        "ran past the time requested, as nearly all: is that in minutes?": FoundRows(20, 2, ""),
        "deadline_s: before submit_s, so missed from the start; it counts from the epoch": FoundRows(
            10, 3, ""
        ),
    }


@pytest.mark.parametrize(("jobs", "over"), [(2, 2), (3, 3), (9, 9), (9, 8), (20, 18)])
def test_a_few_jobs_over_their_time_are_few_and_all_a_hint(tmp_path: Path, jobs: int, over: int) -> None:
    rows_of = "".join(f"{at},3600,1,{60 if at < over else 4000}\n" for at in range(jobs))
    found = imported(tmp_path, "csv", f"submit_s,runtime_s,gang,estimate_s\n{rows_of}")
    assert len(found.report.noted) == (over >= 3 and over / jobs >= 0.9)


def test_blocks_of_any_size_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = imported(tmp_path, "swf", SWF)
    for size in (1, 7, 64, 100):
        monkeypatch.setattr(decoding, "BYTES_AT_ONCE", size)
        parts = imported(tmp_path, "swf", SWF)
        assert parts.trace.sha256 == whole.trace.sha256
        assert parts.report == whole.report


def test_swf_without_a_start_says_that_it_has_none(tmp_path: Path) -> None:
    for given in ("", "0", "-5", "soon", "4102444800", "99999999999", "99999999999999", "1046713529x"):
        header = f"; UnixStartTime: {given}\n"
        found = imported(tmp_path, "swf", header + "1 0 0 9 1 -1 -1 1 -1 -1 1 1 1 1 1 1 -1 -1\n")
        assert found.trace.epoch == datetime(1970, 1, 1, tzinfo=UTC)
        (said,) = found.report.assumed
        why = f'as UnixStartTime is "{given}", not from 1 to 4,102,444,800'
        assert said == f"epoch: 1970, {why if given else 'for want of a UnixStartTime'}"


@pytest.mark.parametrize("given", [1, 4_102_444_799])
def test_swf_starts_at_any_second_until_2100(tmp_path: Path, given: int) -> None:
    header = f"; UnixStartTime: {given}\n"
    found = imported(tmp_path, "swf", header + "1 0 0 9 1 -1 -1 1 -1 -1 1 1 1 1 1 1 -1 -1\n")
    assert found.trace.epoch.timestamp() == given
    assert found.report.assumed == ()


def test_ids_that_repeat_are_replaced_and_ties_keep_the_files_order(tmp_path: Path) -> None:
    job = "{} {} 0 9 1 -1 -1 1 -1 -1 1 {} 1 1 1 1 -1 -1\n"
    text = job.format(5, 20, 1) + job.format(5, 10, 2) + job.format(6, 20, 3) + job.format(7, 10, 4)
    found = imported(tmp_path, "swf", text)
    assert rows(found.trace, "job_id", "submit_s", "owner") == [
        (0, 10, "user 2"),
        (1, 10, "user 4"),
        (2, 20, "user 1"),
        (3, 20, "user 3"),
    ]
    assert {reason: count.rows for reason, count in found.report.noted.items() if "time" not in reason} == {
        "submitted before the row above: sorted": 2,
        "job ids: not unique or below 0, so numbered in order": 4,
    }


def test_swf_skips_numbers_that_no_trace_can_hold(tmp_path: Path) -> None:
    """Job numbers, users and queues have no unit and no limit of their own in the format."""
    job = "{} 0 8 314 {} 31.5 -1 {} 3798 -1 1 {} 1 -1 {} 1 -1 -1\n"
    text = "".join(
        job.format(*fields)
        for fields in [
            ("99999999999999999999999991", 30, 30, 1, 1),
            ("1e26", 30, 30, 1, 1),
            ("9223372036854775808", 30, 30, 1, 1),
            ("-1e30", 30, 30, 1, 1),
            ("1.5", 30, 30, 1, 1),
            (2, 30, "1e26", 1, 1),
            (3, "1e26", -1, 1, 1),
            (4, 30, "2.5", 1, 1),
            (5, "2.5", -1, 1, 1),
            ("9007199254740993", 30, 30, 1, 1),
            ("9007199254740991.4", 30, 30, 1, 1),
            (9007199254740992, 30, 30, 1.5, "1e26"),
            (7, "2.5", 30, 2, "-1e30"),
        ]
    )
    found = imported(tmp_path, "swf", text)
    assert rows(found.trace, "job_id", "gang", "owner", "queue") == [
        (9007199254740992, 30, "user 1.5", "queue 1e+26"),
        (7, 30, "user 2", "unknown"),
    ]
    skipped = {reason: (count.rows, str(count)) for reason, count in found.report.skipped.items()}
    assert skipped == {
        "job number: not a whole number": (1, 'line 5: "1.5"'),
        "job number: beyond 9,007,199,254,740,992": (4, 'line 1: "99999999999999999999999991"'),
        "requested processors: not 1 to 10,000,000": (1, 'line 6: "1e26"'),
        "allocated processors: not 1 to 10,000,000": (1, 'line 7: "1e26"'),
        "job number: more digits than can be kept": (2, 'line 10: "9007199254740993"'),
        "requested processors: not a whole number": (1, 'line 8: "2.5"'),
        "allocated processors: not a whole number": (1, 'line 9: "2.5"'),
    }


# --- Philly ---

PHILLY = """timestamp,duration,num_gpus,gpu_time,cluster
2017-10-09 07:01:55,66.0,1,66.0,11cb48
2017-10-08 23:00:00,2951.4,2,5902.8,6214e9
2017-10-09 06:13:36,0.0,8,0.0,6214e9
2017-10-09 06:13:36,10,0,0,6214e9
2017-10-09 06:13:36,10,1.5,0,6214e9
2017-02-31 06:13:36,10,1,10,6214e9
2017-10-09 06:13:36,,1,,6214e9
2017-10-09 06:13:36,-7,1,-7,6214e9
2017-10-09 06:13:36,10,99999999,10,6214e9
2017-10-09 06:13:36,10,1
"""


def test_philly_starts_at_midnight_before_its_first_job(tmp_path: Path) -> None:
    trace, report = (found := imported(tmp_path, "philly", PHILLY)).trace, found.report
    assert trace.epoch == datetime(2017, 10, 8, tzinfo=UTC)
    assert rows(trace, "job_id", "submit_s", "runtime_s", "gang", "estimate_s", "owner") == [
        (0, 23 * 3600, 2951, 2, 2951, "6214e9"),
        (1, 86400 + 6 * 3600 + 13 * 60 + 36, 1, 8, 1, "6214e9"),
        (2, 86400 + 7 * 3600 + 60 + 55, 66, 1, 66, "11cb48"),
    ]
    assert str(report).splitlines() == [
        "file (philly): 3 jobs of 10 rows",
        '  skipped 1: not 5 fields (first at line 11: "2017-10-09 06:13:36 10 1")',
        "  skipped 1: duration: not a number (first at line 8)",
        "  skipped 1: timestamp: not a date and time of 1970 to 2099 "
        '(first at line 7: "2017-02-31 06:13:36")',
        "  skipped 1: never ran (first at line 9)",
        "  skipped 1: no GPUs (first at line 5)",
        '  skipped 1: num_gpus: not a whole number (first at line 6: "1.5")',
        '  skipped 1: num_gpus: not 1 to 10,000,000 (first at line 10: "99999999")',
        "  noted 1: duration 0: 1 s taken (first at line 4)",
        "  noted 1: duration: rounded to whole seconds (first at line 3)",
        "  noted 1: submitted before the row above: sorted (first at line 3)",
        "  assumed: run time asked for: the file has none, so the run time itself",
        "  assumed: timestamps: in UTC, as they name no zone",
        f"  SHA-256 of the file: {hashlib.sha256(PHILLY.encode()).hexdigest()}",
    ]


def test_philly_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    lines = "cluster, num_gpus ,note,duration,timestamp\n" + 'a,2,"x, y",5,2017-10-09 00:00:01\n'
    assert rows(imported(tmp_path, "philly", lines).trace, "submit_s", "runtime_s", "gang", "owner") == [
        (1, 5, 2, "a")
    ]


def test_phillys_status_says_how_a_job_ended(tmp_path: Path) -> None:
    lines = "".join(f"2017-10-09 07:01:55,66,1,c,{word}\n" for word in ("Pass", "Killed", "Failed", "Odd"))
    found = imported(tmp_path, "philly", f"timestamp,duration,num_gpus,cluster,status\n{lines}")
    assert rows(found.trace, "outcome") == [("completed",), ("cancelled",), ("failed",), (None,)]
    assert found.report.noted == {"status: not known": FoundRows(1, 5, "Odd")}


# --- Gavel ---

GAVEL = (
    "A3C\tcd %s\t-n\t0\t82\t0.000000\t1\n"
    "A3C\tcd %s\t-n\t0\t83\t0.400000\t4\n"
    "ResNet-18 (batch size 16)\tcd %s, too\t--steps\t1\t1\t7.600000\t2\n"
    "GPT-2\tcd %s\t-n\t0\t83\t1.0\t4\n"
    "A3C\tcd %s\t-n\t0\t0\t1.0\t4\n"
    "A3C\tcd %s\t-n\t0\t83\n"
    "A3C\tcd %s\t-n\t0\t83\t1.0\t1.5\n"
)


def test_gavel_steps_become_seconds_at_the_rate_of_their_type(tmp_path: Path) -> None:
    trace, report = (found := imported(tmp_path, "gavel", GAVEL)).trace, found.report
    # 8.233... steps a second: the 82nd step falls into the 10th second, the 83rd into the 11th.
    assert rows(trace, "job_id", "submit_s", "runtime_s", "gang", "kind", "owner") == [
        (0, 0, 10, 1, "A3C", "unknown"),
        (1, 0, 11, 4, "A3C", "unknown"),
        (2, 8, 1, 2, "ResNet-18 (batch size 16)", "unknown"),
    ]
    assert {reason: str(where) for reason, where in report.skipped.items()} == {
        "not 7 fields": 'line 6: "A3C cd %s -n 0 83"',
        "type: its steps a second are not known": 'line 4: "GPT-2"',
        "total steps: none": 'line 5: "0"',
        "GPUs: not a whole number": 'line 7: "1.5"',
    }
    assert report.assumed[0].startswith(
        "run time: total steps at a rate of its job type (Gavel's own for one V100)"
    )


def test_gavels_rates_are_as_published() -> None:
    """Of 26 types on a V100; a digest of all of their digits."""
    rates = repr(sorted(gavel.STEPS_PER_S.items()))
    assert (len(gavel.STEPS_PER_S), hashlib.sha256(rates.encode()).hexdigest()[:12]) == (26, "a58ba012dfcd")


def test_gavels_remarks_are_no_jobs(tmp_path: Path) -> None:
    found = imported(tmp_path, "gavel", f"# a\ttab\n\n{GAVEL}  # the end\n")
    plain = imported(tmp_path, "gavel", GAVEL)
    assert found.trace.table.equals(plain.trace.table)
    assert found.report.rows == plain.report.rows


def test_gavel_takes_other_rates(tmp_path: Path) -> None:
    found = imported(tmp_path, "gavel", GAVEL, steps_per_s={"GPT-2": 2.0})
    assert rows(found.trace, "submit_s", "runtime_s", "gang", "kind") == [(1, 42, 4, "GPT-2")]
    assert "given, {'GPT-2': 2.0}" in found.report.assumed[0]


def test_gavels_later_traces_have_weights_and_deadlines(tmp_path: Path) -> None:
    """83 steps of A3C take 11 s on a V100: an SLO of 1.6 is due 18 s after the arrival; -1 is none."""
    line = "A3C\tcd %s\trl\t-n\t0\t83\t{}\t{}\t{}\t{}\n"
    text = line.format(1, 2, 1.6, 10.0) + line.format(4, "static", -1.0, 20.0) + line.format(2, 0.5, 0, 30.0)
    found = imported(tmp_path, "gavel", text)
    assert rows(found.trace, "submit_s", "runtime_s", "gang", "priority", "deadline_s") == [
        (10, 11, 1, 2, 28),
        (20, 11, 4, 0, None),
        (30, 11, 2, 0, None),
    ]
    assert found.report.noted == {"priority: not a whole number: 0 taken": FoundRows(1, 3, "0.5")}


def test_shockwaves_traces_bring_their_durations(tmp_path: Path) -> None:
    line = "GPT-9\tcd %s\tlm\t-n\t0\t83\t{}\tgns\t1\t-1.000000\t{}\t{}\n"
    spans = ((8, 1418, 0), (2, 3338.4, 55), (1, 0.4, 60), (1, 1.5, 61))
    found = imported(tmp_path, "gavel", "".join(line.format(*each) for each in spans))
    assert rows(found.trace, "submit_s", "runtime_s", "gang", "priority") == [
        (0, 1418, 8, 1),
        (55, 3338, 2, 1),
        (60, 1, 1, 1),
        (61, 2, 1, 1),
    ]
    assert found.report.assumed[0] == "run time: the duration on its own cluster"


# --- native CSV ---


def test_csv_reads_empty_cells_as_absent_columns(tmp_path: Path) -> None:
    text = (
        "gang,submit_s,runtime_s,estimate_s,owner,workload,priority,deadline_s,input_tb,after,job_id\n"
        '4,5,100,,"vision, front",fsd,,,,,7\n'
        "1,0,1e1,20.0,,,-3,500,0.25,7,8\n"
    )
    trace = imported(tmp_path, "csv", text).trace
    names = ("job_id", "submit_s", "runtime_s", "gang", "estimate_s", "owner", "workload", "priority")
    assert rows(trace, *names) == [
        (8, 0, 10, 1, 20, "unknown", "other", -3),
        (7, 5, 100, 4, 100, "vision, front", "fsd", 0),
    ]
    assert rows(trace, "deadline_s", "input_tb", "after", "residency") == [
        (500, 0.25, [7], "any"),
        (None, 0.0, None, "any"),
    ]


def test_csv_skips_what_a_trace_does_not_allow(tmp_path: Path) -> None:
    text = (
        "submit_s,runtime_s,gang,outcome,residency,priority,requires\n"
        "0,1,1,failed,owned,1,device:h100\n0,0,1,,,,\n0,1,1.5,,,,\n,1,1,,,,\n0,1,1,lost,,,\n0,1,1,,cloud,,\n"
        "0,1,1,,,2147483648,\n0,1,1,,,\n0,1,1,,,,h100\n"
    )
    found = imported(tmp_path, "csv", text)
    assert len(found.trace) == 1
    assert {reason: str(where) for reason, where in found.report.skipped.items()} == {
        "not 7 fields": 'line 9: "0 1 1"',
        "submit_s: not a number": "line 5",
        "runtime_s: not 1 to 100,000,000,000": 'line 3: "0"',
        "gang: not a whole number": 'line 4: "1.5"',
        "outcome: not one of completed, failed, cancelled, timeout, preempted": 'line 6: "lost"',
        "residency: not one of owned, any": 'line 7: "cloud"',
        "priority: not -2,147,483,648 to 2,147,483,647": 'line 8: "2147483648"',
        "requires: not device:NAME or pool:NAME, several with commas between them": 'line 10: "h100"',
    }


def test_a_trace_written_as_csv_comes_back_whole(tmp_path: Path) -> None:
    jobs = import_trace("csv", SAMPLES / "three_days.csv").trace.table
    flat = jobs.drop_columns("after")
    pyarrow.csv.write_csv(flat, tmp_path / "again.csv")
    again = import_trace("csv", tmp_path / "again.csv").trace
    assert again.table.drop_columns("after").to_pylist() == flat.to_pylist()
    more: dict[str, list[Any]] = {
        "after": [[3, 1], [], None] + [None] * (len(jobs) - 3),
        "after_lag_s": [60] + [None] * (len(jobs) - 1),
        "requires": ["device:h100,pool:own"] + [None] * (len(jobs) - 1),
        "recorded_where": [None, "node 7"] + [None] * (len(jobs) - 2),
    }
    columns = dict(zip(jobs.column_names, jobs.columns, strict=True)) | more
    sample = Trace.from_columns(columns)
    frame = sample.table.to_pandas()
    frame.to_csv(tmp_path / "pandas.csv.gz", index=False)
    assert import_trace("csv", tmp_path / "pandas.csv.gz").trace.sha256 == sample.sha256


def test_the_sample_is_a_small_trace_of_every_workload() -> None:
    path = SAMPLES / "three_days.csv"
    found = import_trace("csv", path)
    assert path.stat().st_size < 50_000
    assert len(found.trace) == found.report.rows == 300
    assert set(found.trace.codes("workload")[1]) == {"fsd", "optimus", "tenant"}
    assert found.trace.numpy("submit_s")[-1] < 3 * 86_400


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("format_name", "text", "line"),
    [
        ("swf", "", "line 1: no rows"),
        ("swf", "; only a header\n", "line 1: no rows"),
        ("swf", "\n\nhello world\n", 'line 3: "hello world": not 18 fields; none of 1 rows can be used'),
        ("swf", b"\x7fELF\x00\x01\n\xff\xfe", "line 1: holds NUL bytes: not text"),
        ("swf", b"\x00" * 200_000, "line 1: longer than 100,000 bytes: not a text table"),
        ("swf", gzip.compress(SWF.encode())[:-30], "line 1: the compressed file is damaged or cut off"),
        ("swf", b"\x1f\x8b\x08\x00\x00", "line 1: the compressed file is damaged or cut off"),
        (
            "swf",
            "1 0 0 -1 1 -1 -1 1 -1 -1 1 1 1 1 1 1 -1 -1",
            "line 1: never ran; none of 1 rows can be used",
        ),
        ("philly", "", 'line 1: no column "timestamp"; there must be timestamp, duration, num_gpus, cluster'),
        ("philly", "timestamp,duration,num_gpus\n", 'line 1: no column "cluster"'),
        ("philly", "timestamp,duration,num_gpus,cluster\n", "line 1: no rows"),
        (
            "swf",
            "1 0 0 -1 1 -1 -1 1 -1 -1 1 1 1 1 1 1 -1 -1\nhello\n2 0 0 -1 1 -1 -1 1 -1 -1 1 1 1 1 1 1 -1 -1\n",
            'line 2: "hello": not 18 fields; none of 3 rows can be used; '
            "skipped 1: not 18 fields; skipped 2: never ran",
        ),
        ("gavel", "a b c d e f g\n", 'line 1: "a b c d e f g": not 7 fields; none of 1 rows can be used'),
        ("csv", "submit_s,runtime_s\n0,1\n", 'column "gang": missing'),
        ("csv", "submit_s,runtimes,gang\n", 'line 1: column "runtime_s": missing; is it "runtimes"?'),
        ("csv", "submit_s,runtime_s,gang,gang\n", 'column "gang": there twice; allowed is once'),
        (
            "csv",
            "job_id,submit_s,runtime_s,gang,after\n1,0,1,1,\n1,0,1,1,1\n",
            'line 3: job_id is "1"; allowed is an id that no job before it has, as `after` names jobs',
        ),
        (
            "csv",
            "job_id,submit_s,runtime_s,gang,after\n3,9,1,1,4\n4,0,1,1,\n3,1,1,1,\n",
            'line 2: job_id is "3"; allowed is an id that no job before it has, as `after` names jobs',
        ),
        (
            "csv",
            "job_id,submit_s,runtime_s,gang,after\na,0,1,1,\na,0,1,1,a\n",
            'line 3: job_id is "a"; allowed is an id that no job before it has, as `after` names jobs',
        ),
        ("slurm", "", 'format "slurm": unknown; allowed are swf, philly, gavel, csv'),
    ],
)
def test_what_is_no_trace_is_refused_in_one_line(
    tmp_path: Path, format_name: str, text: str | bytes, line: str
) -> None:
    with pytest.raises(TraceError) as raised:
        imported(tmp_path, format_name, text)
    prefix = f"{tmp_path / 'file'}: " if format_name in FORMATS else ""
    assert str(raised.value).startswith(prefix + line)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("format_name", FORMATS)
def test_files_that_cannot_be_opened_are_named(tmp_path: Path, format_name: str) -> None:
    with pytest.raises(TraceError, match=r"absent: no such file$"):
        import_trace(format_name, tmp_path / "absent")
    with pytest.raises(TraceError, match=r": cannot be read: Is a directory$"):
        import_trace(format_name, tmp_path)


# --- the public files, counted with the standard library ---


def lines_of(path: Path) -> Iterator[str]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return iter(text.decode().splitlines())


def test_philly_counts_as_the_csv_module_does() -> None:
    path = public("philly_gpu_jobs_2017.csv.gz")
    trace, report = (found := import_trace("philly", path)).trace, found.report
    jobs = list(csv.DictReader(lines_of(path)))
    assert len(jobs) == len(trace) == report.jobs == report.rows == 82_247
    gpu_seconds = sum(float(job["duration"]) * int(job["num_gpus"]) for job in jobs)
    assert int((trace.numpy("runtime_s") * trace.numpy("gang")).sum()) == gpu_seconds
    assert gpu_seconds == sum(float(job["gpu_time"]) for job in jobs)
    stamps = sorted(datetime.fromisoformat(job["timestamp"]).replace(tzinfo=UTC) for job in jobs)
    assert trace.numpy("submit_s").tolist() == [round((at - trace.epoch).total_seconds()) for at in stamps]
    assert set(trace.codes("owner")[1]) == {job["cluster"] for job in jobs}


def test_hpc2n_counts_as_a_plain_loop_does() -> None:
    path = public("HPC2N-2002-excerpt-alea.swf")
    trace, report = (found := import_trace("swf", path, device="core")).trace, found.report
    jobs = [line.split() for line in lines_of(path) if line.strip() and not line.startswith(";")]
    ran = [job for job in jobs if float(job[3]) >= 0]
    assert len(jobs) == report.rows == 3_170
    assert len(ran) == len(trace) == report.jobs
    assert report.skipped["never ran"].rows == len(jobs) - len(ran) == 25
    processors = [int(job[7]) if int(job[7]) > 0 else int(job[4]) for job in ran]
    seconds = [max(1, int(job[3])) for job in ran]
    work = sum(count * time for count, time in zip(processors, seconds, strict=True))
    assert int((trace.numpy("runtime_s") * trace.numpy("gang")).sum()) == work
    assert max(processors) <= 240
    assert trace.numpy("job_id").tolist() == [int(job[0]) for job in ran]
    assert trace.epoch == datetime(2002, 7, 28, 7, 4, 5, tzinfo=UTC)


def test_gavel_steps_give_back_whole_seconds_of_philly() -> None:
    path = public("gavel_msr_seed0_ee9e8c.trace")
    trace = import_trace("gavel", path).trace
    jobs = [line.split("\t") for line in lines_of(path)]
    assert len(jobs) == len(trace) == 2_000
    for seconds, job in zip(trace.numpy("runtime_s").tolist(), jobs, strict=True):
        # Were the rates not those that made the file, its steps would not be whole seconds' worth.
        assert math.floor(gavel.STEPS_PER_S[job[0]] * seconds) == int(job[4])
    assert trace.numpy("gang").tolist() == [int(job[6]) for job in jobs]
    assert trace.numpy("submit_s").tolist() == [round(float(job[5])) for job in jobs]


def test_lines_take_microseconds(tmp_path: Path) -> None:
    out = io.StringIO()
    for number in range(100_000):
        out.write(
            f"{number} {number * 3} 5 {number % 999 + 1} 8 -1 -1 8 600 -1 1 {number % 90} 1 1 1 -1 -1 -1\n"
        )
    started = datetime.now(UTC)
    assert len(imported(tmp_path, "swf", out.getvalue()).trace) == 100_000
    assert (datetime.now(UTC) - started).total_seconds() < 3
