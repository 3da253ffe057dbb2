"""What is exported comes back, but for what the format cannot hold, and that is said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from tests.build import job, trace
from traces import Trace
from traces.files import PathError
from traces.formats.exporting import export_trace
from traces.formats.importing import import_trace
from traces.formats.mapping.spec import Changes

SAMPLES = Path(__file__).parents[1] / "traces" / "samples"
EPOCH = "2026-01-05T06:00:00+02:00"


def everything() -> Trace:
    return trace(
        job(
            0,
            60,
            4,
            owner='a, "b"',
            queue="q",
            kind="k",
            workload="w",
            priority=-3,
            outcome="completed",
            name="x 1",
        ),
        job(5, 90, 1, estimate_s=600, recorded_start_s=7, recorded_end_s=97, recorded_where="p", after=[0]),
        job(9, 30, 2, after=[0, 1], after_lag_s=40, requires="device:h100", deadline_s=500, input_tb=0.5),
        job(9, 30, 2, after=[1], after_lag_s=40, outcome="timeout", recorded_start_s=20, recorded_end_s=80),
        epoch=EPOCH,
    )


def test_csv_holds_every_column(tmp_path: Path) -> None:
    jobs = everything()
    exported = export_trace("csv", jobs, tmp_path / "out.csv")
    assert exported.lost == (f"the epoch: give it as --epoch {jobs.epoch.isoformat()} when it is read again",)
    back = import_trace("csv", tmp_path / "out.csv", changes=Changes(epoch=EPOCH)).trace
    assert back.sha256 == jobs.sha256
    sample = import_trace("csv", SAMPLES / "three_days.csv").trace
    assert export_trace("csv", sample, tmp_path / "out.csv") == (300, ())
    assert import_trace("csv", tmp_path / "out.csv").trace.sha256 == sample.sha256


def test_swf_holds_what_it_has_fields_for(tmp_path: Path) -> None:
    jobs = everything()
    exported = export_trace("swf", jobs, tmp_path / "out.swf")
    assert exported.lost == (
        "after, of jobs with several: left out of 1 job",
        "name: left out of 1 job",
        "workload: left out of 1 job",
        "priority: left out of 1 job",
        "requires: left out of 1 job",
        "deadline_s: left out of 1 job",
        "input_tb: left out of 1 job",
        "recorded_end_s, other than start and run time: left out of 1 job",
    )
    found = import_trace("swf", tmp_path / "out.swf")
    back = found.trace
    assert back.epoch == datetime.fromisoformat(EPOCH)
    assert back.offset_s == 7_200
    for name in ("submit_s", "runtime_s", "gang", "estimate_s", "recorded_start_s"):
        assert back.table.column(name).to_pylist() == jobs.table.column(name).to_pylist()
    columns = ("job_id", "owner", "queue", "after", "after_lag_s", "outcome", "recorded_where")
    assert [tuple(row[name] for name in columns) for row in back.table.to_pylist()] == [
        (1, "user 1", "queue 1", None, None, "completed", None),
        (2, "user 2", "queue 2", [1], None, None, "partition 1"),
        (3, "user 2", "queue 2", None, None, None, None),
        (4, "user 2", "queue 2", [2], 40, "failed", None),
    ]
    assert not found.report.skipped
    header = [line for line in (tmp_path / "out.swf").read_text().splitlines() if line.startswith(";")]
    assert '; User: 1 is a, "b"' in header


def type_in(*words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


def test_export_takes_a_part_and_replaces_only_its_own_kind(tmp_path: Path) -> None:
    everything().write(tmp_path / "jobs.parquet")
    words = ("export", "swf", tmp_path / "jobs.parquet", "-o", tmp_path / "out.swf")
    result = type_in(*words, "--from", "5s", "--to", "9s")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"{tmp_path / 'out.swf'} (swf): 1 job")
    assert type_in(*words).exit_code == 0
    (tmp_path / "notes.txt").write_text("years of work")
    for name in ("swf", "csv"):
        with pytest.raises(PathError, match="choose another name"):
            export_trace(name, everything(), tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "years of work"
    assert type_in("export", "swf", tmp_path / "absent", "-o", tmp_path / "new.swf").exit_code == 2
