"""How jobs ended, in the run and at their source, is told in the summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scheduler.report.summary import summary
from scheduler.run.endings import Ending, by_reason, by_source_outcome
from tests.build import Row, job, pool, run, scenario, trace

HOUR_S = 3_600


def lines(tmp_path: Path, *jobs: Row, **more: Any) -> list[str]:
    done = run(scenario([pool(16)], **more), trace(*jobs), tmp_path)
    return summary(done).split("\n\n")[0].splitlines()[2:]


def test_rejected_and_killed_jobs_are_counted_by_reason(tmp_path: Path) -> None:
    told = lines(
        tmp_path,
        job(0, HOUR_S, 4),
        job(0, HOUR_S, 400),
        job(0, HOUR_S, 17),
        job(0, HOUR_S, 1, requires="device:a100"),
        job(0, HOUR_S, 1, after=2),
        job(0, 2 * HOUR_S, 3, estimate_s=HOUR_S),
        kill="estimate",
    )
    too_large = "pool or offer that it may use is large enough"
    assert told == [
        "jobs: 6 = 1 finished + 0 unfinished + 4 rejected + 1 killed",
        f"rejected: 2 (417 device-h): no {too_large}",
        "rejected: 1 (1 device-h): a job it depends on will never finish",
        f"rejected: 1 (1 device-h): requires device:a100: no such {too_large}",
        "killed: 1 (6 device-h): ran past its estimate",
    ]


def test_many_reasons_are_told_together(tmp_path: Path) -> None:
    jobs = [job(0, 1, 1, requires=f"device:a{min(at, 6)}") for at in range(9)]
    told = lines(tmp_path, *jobs)
    assert len(told) == 1 + 5 + 1
    assert told[1].startswith("rejected: 3 (0 device-h): requires device:a6: ")
    assert told[-1] == "rejected: 2 for 2 other reasons"


def test_jobs_are_told_apart_by_how_they_ended_at_their_source(tmp_path: Path) -> None:
    jobs = [
        job(at, HOUR_S * (at + 1), 2, outcome=outcome)
        for at, outcome in enumerate(["failed", None, "completed", "cancelled", "failed", "timeout"])
    ]
    done = run(scenario([pool(16)]), trace(*jobs), tmp_path)
    assert by_source_outcome(done) == {
        "completed": Ending(1, 6.0),
        "failed": Ending(2, 12.0),
        "cancelled": Ending(1, 8.0),
        "timeout": Ending(1, 12.0),
        "not told": Ending(1, 4.0),
    }
    assert by_reason(done, "rejected") == {}
    assert summary(done).split("\n\n")[0].splitlines()[-1] == (
        "at their source: completed 1 (6 device-h), failed 2 (12 device-h), cancelled 1 (8 device-h), "
        "timeout 1 (12 device-h), not told 1 (4 device-h)"
    )


def test_a_source_that_tells_nothing_has_no_line(tmp_path: Path) -> None:
    assert lines(tmp_path, job(0, 1, 1)) == ["jobs: 1 = 1 finished + 0 unfinished + 0 rejected"]
