"""A trace that is read as far as it is asked about answers as one that is read whole."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.build import job, trace
from traces import TRACE_SCHEMA, Trace
from traces.parquet import read_columns
from traces.stored import StoredTrace

JOBS = trace(
    *(job(10 * at, 5 + at, 1 + at % 3, name=f"n{at}", owner="abc"[at % 3], job_id=7 * at) for at in range(6)),
    job(90, 1, 2, job_id=1, after=[0, 21], deadline_s=400),
)


def content(table: pa.Table, rows: int) -> bytes:
    """Return a file in which each group has so many rows."""
    file = BytesIO()
    pq.write_table(table, file, row_group_size=rows)
    return file.getvalue()


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_it_answers_as_one_that_is_read_whole(rows: int) -> None:
    stored = StoredTrace(content(JOBS.table, rows))
    assert (len(stored), stored.source, stored.epoch) == (len(JOBS), JOBS.source, JOBS.epoch)
    assert (stored.first_submit_s, stored.last_submit_s) == (0, 90)
    for name in ("job_id", "gang", "deadline_s"):
        assert stored.numpy(name).tolist() == JOBS.numpy(name).tolist()
    assert stored.words("owner") == ["a", "b", "c", *JOBS.words("owner")[3:]]
    assert [part.tolist() for part in stored.after] == [part.tolist() for part in JOBS.after]
    for some in ([], [6], [5, 0], [2, 2, 3], list(range(7))):
        asked = np.array(some, np.int64)
        assert stored.rows(asked).to_pylist() == JOBS.rows(asked).to_pylist()
        assert (
            stored.rows(asked, ["gang", "name"]).to_pylist() == JOBS.rows(asked, ["gang", "name"]).to_pylist()
        )
    assert stored.sha256 == JOBS.sha256
    assert stored.table.equals(JOBS.table)


def test_only_what_is_asked_for_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stored, asked = StoredTrace(content(JOBS.table, 2)), []

    def read(file: pa.Buffer, columns: list[str] | None = None) -> pa.Table:
        asked.append(columns)
        return read_columns(file, columns)

    monkeypatch.setattr("traces.stored.read_columns", read)
    assert [stored.numpy("gang")[at] for at in (0, 1)] == [1, 2]
    assert stored.rows(np.array([4])).column("name").to_pylist() == ["n4"]
    assert (asked, [*stored._groups]) == ([["gang"]], [2])


def test_a_file_with_fewer_columns_and_other_types_is_read_whole() -> None:
    narrow = pa.table({"submit_s": [0, 5], "runtime_s": [9, 9], "gang": pa.array([1, 2], pa.uint8())})
    stored, given = (
        StoredTrace(content(narrow, 1)),
        Trace.from_columns({"submit_s": [0, 5], "runtime_s": [9, 9], "gang": [1, 2]}),
    )
    assert stored.rows(np.array([1])).to_pylist() == given.rows(np.array([1])).to_pylist()
    assert (stored.words("owner"), stored.numpy("gang").tolist()) == (["unknown"], [1, 2])
    assert stored.table.schema.types == TRACE_SCHEMA.types


def test_a_page_that_is_damaged_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    JOBS.write(tmp_path / "jobs.parquet")
    whole = (tmp_path / "jobs.parquet").read_bytes()
    column = pq.read_metadata(tmp_path / "jobs.parquet").row_group(0).column(0)
    at = column.data_page_offset + column.total_compressed_size - 1
    stored = StoredTrace(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(ValueError, match="not a readable Parquet file"):
        stored.numpy("job_id")
    with pytest.raises(ValueError, match="not a readable Parquet file"):
        StoredTrace(b"no such thing")
