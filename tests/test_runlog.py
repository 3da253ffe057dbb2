"""Logs written a part at a time say the same as logs written at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.engine import runlog
from scheduler.run import LOGS
from scheduler.scenario import Scenario
from tests import build
from tests.worlds import CATALOG, scenarios, traces
from traces import Trace


def logs(scenario: Scenario, trace: Trace, attempts: int) -> tuple[dict[str, list[Any]], int]:
    """All rows, with so many attempts a part, and the number of parts of the attempts."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runlog, "PART_ROWS", attempts)
        run = build.run(scenario, trace, Path(folder), CATALOG)
        parts = list((run.folder / "attempts.parquet").iterdir())
        return {log: run.table(log).to_pylist() for log in LOGS}, len(parts)


@settings(max_examples=150, deadline=None)
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
