"""The trace: one mechanism fills columns in, every rule has its line, and the digest sees values only."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import TRACE_SCHEMA, Trace, TraceError
from traces.parquet import ROW_GROUP
from traces.schema import EXACT, MAX_GANG, MAX_SECONDS, REQUIRED, type_name
from traces.trace import NO_VALUE
from traces.validate import validate

EPOCH = datetime(2026, 6, 1, tzinfo=UTC)

JOBS: dict[str, list[Any]] = {
    "job_id": [4, 2, 9],
    "name": ["1002_1", None, "dlctk6"],
    "submit_s": [0, 60, 60],
    "runtime_s": [100, 1, 7],
    "gang": [1, 120, 4],
    "estimate_s": [90, 3600, 60],
    "workload": ["fsd", "optimus", "tenant"],
    "kind": ["fsd.retrain", "optimus.policy", "tenant.train"],
    "owner": ["vision", "hands", "vision"],
    "queue": ["batch", "batch", "debug"],
    "priority": [0, -3, 100_000],
    "residency": ["owned", "any", "any"],
    "requires": [None, "device:h100,pool:fast", None],
    "excludes": ["pool:cloud", None, None],
    "deadline_s": [None, 500, None],
    "input_tb": [0.0, 1.5, 2.25],
    "output_tb": [0.0, 0.125, 0.0],
    "checkpoint_s": [30, None, None],
    "after": [None, [4], [2, 4]],
    "after_lag_s": [None, None, 30],
    "outcome": ["completed", None, "cancelled"],
    "recorded_start_s": [5, None, 60],
    "recorded_end_s": [105, 61, None],
    "recorded_where": ["node 7", None, "node 7"],
}


def jobs(**changed: Any) -> dict[str, Any]:
    return JOBS | changed


def trace(**changed: Any) -> Trace:
    return Trace.from_columns(jobs(**changed), epoch=EPOCH, reference_device="tile", source={"by": "hand"})


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


# --- columns ---


def test_absent_columns_take_their_defaults() -> None:
    table = Trace.from_columns({"submit_s": [0, 5], "runtime_s": [10, 20], "gang": [1, 2]}).table
    assert table.schema.equals(TRACE_SCHEMA)
    assert table.slice(1).to_pylist() == [
        {
            "job_id": 1,
            "name": None,
            "submit_s": 5,
            "runtime_s": 20,
            "gang": 2,
            "estimate_s": 20,
            "workload": "other",
            "kind": "other",
            "owner": "unknown",
            "queue": "unknown",
            "priority": 0,
            "residency": "any",
            "requires": None,
            "excludes": None,
            "deadline_s": None,
            "input_tb": 0.0,
            "output_tb": 0.0,
            "checkpoint_s": None,
            "after": None,
            "after_lag_s": None,
            "outcome": None,
            "recorded_start_s": None,
            "recorded_end_s": None,
            "recorded_where": None,
        }
    ]


def test_the_time_of_day_of_the_epoch_is_that_of_its_zone() -> None:
    """7:08:09 at an hour and a half east of UTC."""
    epoch = datetime(2026, 3, 4, 7, 8, 9, tzinfo=timezone(timedelta(minutes=90)))
    of = Trace.from_columns(jobs(), epoch=epoch)
    assert (of.past_midnight_s, of.offset_s) == (7 * 3_600 + 8 * 60 + 9, 5_400)
    assert of.epoch == datetime(2026, 3, 4, 5, 38, 9, tzinfo=UTC)


@pytest.mark.parametrize(("after", "shown"), [(range(90, 95), "94]"), (range(90, 96), "94, ...]")])
def test_of_a_long_list_five_values_are_shown(after: range, shown: str) -> None:
    with pytest.raises(TraceError, match=re.escape("[90, 91, 92, 93, " + shown)):
        trace(after=[list(after), None, None])


def test_columns_give_back_what_they_were_given() -> None:
    assert trace().table.to_pydict() == JOBS
    assert trace().numpy("after_lag_s").tolist() == [NO_VALUE, NO_VALUE, 30]
    assert trace().after.offsets.tolist() == [0, 0, 1, 3]
    assert trace().after.rows.tolist() == [0, 1, 0]
    assert trace().codes("outcome")[0].tolist() == [0, NO_VALUE, 1]
    codes, words = trace().codes("owner")
    assert [words[code] for code in codes] == JOBS["owner"]
    assert (trace().epoch, trace().reference_device, trace().source) == (EPOCH, "tile", {"by": "hand"})


def test_a_trace_without_jobs_is_a_trace(tmp_path: Path) -> None:
    empty = Trace.from_columns({"submit_s": [], "runtime_s": [], "gang": []})
    empty.write(tmp_path / "empty.parquet")
    assert len(empty) == len(Trace.read(tmp_path / "empty.parquet")) == 0
    assert Trace.read(tmp_path / "empty.parquet").sha256 == empty.sha256
    assert empty.codes("owner")[0].tolist() == []


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (jobs(user=["a", "b", "c"]), 'column "user": unknown; allowed are job_id, name, submit_s, '),
        ({"submit_s": [0], "gang": [1]}, 'column "runtime_s": missing; a trace has at least submit_s, '),
        (jobs(gang=[1, 2]), 'column "gang": 2 rows; submit_s has 3'),
        (jobs(gang=["1", "2", "3"]), 'column "gang": string; allowed is int32'),
        (jobs(gang=[1.5, 2, 3]), 'column "gang": not all of it is int32: Float value 1.5'),
        (jobs(gang=[2**40, 1, 1]), 'column "gang": not all of it is int32: Integer value 1099511627776'),
        (jobs(owner=[1, 2, 3]), 'column "owner": int64; allowed is text'),
        (jobs(owner=["a", 2, 3]), 'column "owner": not a column of values: '),
        (jobs(submit_s=[True, True, True]), 'column "submit_s": bool; allowed is int64'),
        (jobs(name=[1, 2, 3]), 'column "name": int64; allowed is text'),
        (jobs(after=[None, 4, 2]), 'column "after": int64; allowed is list of int64'),
        (jobs(after=[None, ["4"], ["2"]]), 'column "after": list<item: string>; allowed is list of int64'),
        (jobs(after=[None, [4.5], None]), 'column "after": not all of it is list of int64: Float value 4.5'),
        (jobs(priority=[2**31, 0, 0]), 'column "priority": not all of it is int32: Integer value 2147483648'),
    ],
)
def test_columns_that_are_not_a_traces_are_named(columns: dict[str, Any], line: str) -> None:
    with pytest.raises(TraceError) as raised:
        Trace.from_columns(columns)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


# --- rules ---


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"submit_s": [0, None, 60]}, "row 1 (job_id 2): submit_s is null; allowed is a value in every row"),
        (
            {"owner": ["a", "b", None]},
            'row 2 (job_id 9, "dlctk6"): owner is null; allowed is a value in every',
        ),
        ({"job_id": [4, -2, 9]}, "row 1 (job_id -2): job_id is -2; allowed is 0 to 9,007,199,254,740,992"),
        (
            {"job_id": [4, 2, 2]},
            'row 2 (job_id 2, "dlctk6"): job_id is 2; allowed is a number that no row before it has',
        ),
        (
            {"submit_s": [-1, 0, 0]},
            'row 0 (job_id 4, "1002_1"): submit_s is -1; allowed is 0 to 100,000',
        ),
        (
            {"submit_s": [0, 60, 59]},
            'row 2 (job_id 9, "dlctk6"): submit_s is 59; allowed is 60 or more, as rows ascend in it',
        ),
        ({"runtime_s": [1, 0, 0]}, "row 1 (job_id 2): runtime_s is 0; allowed is 1 to 100,000,000,000"),
        (
            {"estimate_s": [1, 1, 0]},
            'row 2 (job_id 9, "dlctk6"): estimate_s is 0; allowed is 1 to 100,000',
        ),
        ({"gang": [0, 1, 1]}, 'row 0 (job_id 4, "1002_1"): gang is 0; allowed is 1 to 10,000,000'),
        (
            {"gang": [1, 1, MAX_GANG + 1]},
            'row 2 (job_id 9, "dlctk6"): gang is 10,000,001; allowed is 1 to 10,000,000',
        ),
        (
            {"submit_s": [0, 60, MAX_SECONDS + 1]},
            'row 2 (job_id 9, "dlctk6"): submit_s is 100,000,000,001; allowed is 0 to 100,000,000,000',
        ),
        (
            {"outcome": ["failed", "FAILED", None]},
            'row 1 (job_id 2): outcome is "FAILED"; allowed is completed, failed, cancelled, timeout, ',
        ),
        (
            {"residency": ["owned", "any", "cloud"]},
            'row 2 (job_id 9, "dlctk6"): residency is "cloud"; allowed is owned, any',
        ),
        ({"deadline_s": [None, None, -1]}, 'row 2 (job_id 9, "dlctk6"): deadline_s is -1; allowed is 0 to '),
        ({"checkpoint_s": [None, 0, None]}, "row 1 (job_id 2): checkpoint_s is 0; allowed is 1 to "),
        ({"input_tb": [0.0, -0.5, 0.0]}, "row 1 (job_id 2): input_tb is -0.5; allowed is 0 to "),
        ({"input_tb": [0.0, math.nan, 0.0]}, "row 1 (job_id 2): input_tb is nan; allowed is 0 to "),
        ({"output_tb": [math.nan] * 3}, 'row 0 (job_id 4, "1002_1"): output_tb is nan; allowed is 0 to '),
        (
            {"output_tb": [0.0, 0.0, math.inf]},
            'row 2 (job_id 9, "dlctk6"): output_tb is inf; allowed is ',
        ),
        (
            {"after": [None, [4, 7], None]},
            "row 1 (job_id 2): after is [4, 7]; allowed is the job_ids of other jobs, or none",
        ),
        ({"after": [None, [2], None]}, "row 1 (job_id 2): after is [2]; allowed is the job_ids of other"),
        ({"after": [None, [4, None], None]}, "row 1 (job_id 2): after is [4, null]; allowed is the job_ids"),
        (
            {"after": [None, [4, 9, 4], None]},
            "row 1 (job_id 2): after is [4, 9, 4]; allowed is each job",
        ),
        (
            {"after": [None, [4, 9, 7, 7, 7, 7], None]},
            "row 1 (job_id 2): after is [4, 9, 7, 7, 7, ...]; allowed is the job_ids of other jobs",
        ),
        ({"after": [None, [4, 9], [2]]}, "row 1 (job_id 2): after is [4, 9]; allowed is no cycle: "),
        ({"after_lag_s": [None, -1, None]}, "row 1 (job_id 2): after_lag_s is -1; allowed is 0 to "),
        ({"recorded_end_s": [None, -1, None]}, "row 1 (job_id 2): recorded_end_s is -1; allowed is 0 to "),
        *(
            (
                {"requires": [None, wrong, None]},
                f'row 1 (job_id 2): requires is "{wrong}"; allowed is device:NAME or pool:NAME, several ',
            )
            for wrong in ("h100", "device:", "device:a, pool:b", "device:a,", "node:a", "pool:a:b", "")
        ),
        ({"excludes": ["a100", None, None]}, 'row 0 (job_id 4, "1002_1"): excludes is "a100"; allowed is '),
        (
            {"gang": [MAX_GANG] * 3, "runtime_s": [1, 1, 10**9]},
            "gang x runtime_s over all rows: 1e+16 device-seconds; allowed is up to 9,007,199,254,740,992",
        ),
    ],
)
def test_each_broken_rule_is_named_with_its_first_row(changed: dict[str, Any], line: str) -> None:
    with pytest.raises(TraceError) as raised:
        trace(**changed)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_the_limits_themselves_are_allowed() -> None:
    trace(
        job_id=[EXACT, 0, 1],
        submit_s=[0, 0, MAX_SECONDS],
        runtime_s=[1, 1, 1],
        gang=[1, 1, MAX_GANG],
        estimate_s=[1, 1, MAX_SECONDS],
        deadline_s=[0, None, MAX_SECONDS],
        checkpoint_s=[1, None, MAX_SECONDS],
        after=[None, [EXACT], [0, EXACT]],
        after_lag_s=[0, None, MAX_SECONDS],
        priority=[-(2**31), 0, 2**31 - 1],
        workload=["", "all", "genomics"],
    )


def test_an_unused_word_of_a_dictionary_breaks_no_rule() -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([1, 1, 1], pa.int32()), ["nowhere", "any"])
    assert trace(residency=words).sha256 == trace(residency=["any"] * 3).sha256


def leads_to(after: list[list[int]], start: int) -> set[int]:
    """All that a row waits for, walked one by one."""
    found, left = set[int](), list(after[start])
    while left:
        if (at := left.pop()) not in found:
            found.add(at)
            left += after[at]
    return found


@st.composite
def predecessors(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(1, 12))
    others = [[at for at in range(size) if at != own] for own in range(size)]
    return [
        draw(st.lists(st.sampled_from(other), max_size=2, unique=True)) if other else [] for other in others
    ]


@given(predecessors())
def test_cycles_are_found_as_by_walking_every_chain(after: list[list[int]]) -> None:
    ids = [7 * (row * 11 % 31) for row in range(len(after))]
    columns = {
        "job_id": ids,
        "submit_s": [0] * len(after),
        "runtime_s": [1] * len(after),
        "gang": [1] * len(after),
        "after": [[ids[at] for at in rows] for rows in after],
    }
    cyclic = [row for row in range(len(after)) if row in leads_to(after, row)]
    if not cyclic:
        trace = Trace.from_columns(columns)
        ends = trace.after.offsets.tolist()
        assert [trace.after.rows[low:high].tolist() for low, high in pairwise(ends)] == after
        return
    with pytest.raises(TraceError, match="allowed is no cycle") as raised:
        Trace.from_columns(columns)
    assert int(str(raised.value).split()[1]) == cyclic[0]


@pytest.mark.parametrize("size", [2, 3, 1025, 200_000])
def test_one_long_chain_is_allowed_and_closing_it_is_not(size: int) -> None:
    columns = {"submit_s": np.zeros(size, int), "runtime_s": np.ones(size, int), "gang": np.ones(size, int)}
    chain = [[], *([row] for row in range(size - 1))]
    Trace.from_columns(columns | {"after": chain})
    Trace.from_columns(columns | {"after": [*chain[:0:-1], []], "job_id": np.arange(size)[::-1]})
    with pytest.raises(TraceError, match="no cycle"):
        Trace.from_columns(columns | {"after": [[size - 1], *chain[1:]]})


# --- files ---


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    trace().write(tmp_path / "a.parquet")
    again = Trace.read(tmp_path / "a.parquet")
    assert again.table.equals(trace().table, check_metadata=True)
    again.write(tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_units_and_meanings_travel_in_the_file(tmp_path: Path) -> None:
    trace().write(tmp_path / "a.parquet")
    for field in pq.read_schema(tmp_path / "a.parquet"):
        assert field.metadata[b"meaning"]
        assert field.metadata[b"unit"] == (b"s" if field.name.endswith("_s") else field.metadata[b"unit"])


def test_a_table_of_somebody_else_is_taken_with_defaults(tmp_path: Path) -> None:
    columns = {"submit_s": pa.array([0, 60, 60], pa.int32()), "runtime_s": [1, 2, 3], "gang": [1, 1, 1]}
    pq.write_table(pa.table(columns | {"owner": ["a", "b", "a"]}), tmp_path / "a.parquet")
    found = Trace.read(tmp_path / "a.parquet")
    assert found.sha256 == Trace.from_columns(columns | {"owner": ["a", "b", "a"]}).sha256
    assert (found.epoch, found.reference_device, found.source) == (
        datetime(1970, 1, 1, tzinfo=UTC),
        "any",
        {},
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda table: table.drop_columns("gang"), 'column "gang": missing; '),
        (lambda table: table.append_column("x", [[1, 2, 3]]), 'column "x": unknown; '),
        (lambda table: table.append_column("gang", [[1, 2, 3]]), 'column "gang": there twice; '),
        (lambda table: replaced(table, "gang", pa.array(["1", "2", "3"])), 'column "gang": string; '),
        (
            lambda table: replaced(table, "runtime_s", pa.array([1, 0, 1])),
            "row 1 (job_id 2): runtime_s is 0; ",
        ),
    ],
)
def test_a_file_with_other_columns_is_refused(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], line: str
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(change(trace().table), path)
    with pytest.raises(TraceError) as raised:
        Trace.read(path)
    assert str(raised.value).startswith(f"{path}: {line}")


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("schema", "1", 'metadata exaburst.schema: "1"; allowed is "2": make the trace anew'),
        ("epoch", "yesterday", 'metadata exaburst.epoch: "yesterday"; allowed is a moment with its zone'),
        ("epoch", "2026-01-01T00:00:00", "metadata exaburst.epoch: "),
        ("source", "[1]", 'metadata exaburst.source: "[1]"; allowed is a JSON object'),
        ("source", "{", "metadata exaburst.source: "),
        (
            "reference_device",
            None,
            "metadata exaburst.reference_device: missing; a trace has exaburst.schema, ",
        ),
    ],
)
def test_metadata_that_cannot_be_meant_is_refused(
    tmp_path: Path, key: str, value: str | None, line: str
) -> None:
    table, path = trace().table, tmp_path / "a.parquet"
    kept = {**table.schema.metadata, f"exaburst.{key}".encode(): value}
    table = table.replace_schema_metadata({name: text for name, text in kept.items() if text is not None})
    pq.write_table(table, path)
    with pytest.raises(TraceError) as raised:
        Trace.read(path)
    assert str(raised.value).startswith(f"{path}: {line}")


def test_files_that_are_no_parquet_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(TraceError, match=r"a\.parquet: no such file or directory$"):
        Trace.read(path)
    with pytest.raises(TraceError, match="is a directory"):
        Trace.read(tmp_path)
    trace().write(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(TraceError, match="not a readable Parquet file") as raised:
            Trace.read(path)
        assert "\n" not in str(raised.value)


def test_a_flipped_bit_among_the_values_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    trace().write(path)
    pages = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(0).column(2)
    pages[column.data_page_offset + column.total_compressed_size - 1] ^= 1
    path.write_bytes(pages)
    with pytest.raises(TraceError, match="not a readable Parquet file"):
        Trace.read(path)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    trace().write(path)
    before = path.read_bytes()
    odd = dataclasses.replace(
        trace(), table=pa.table({"x": pa.array([1]), "y": pa.nulls(1, pa.month_day_nano_interval())})
    )
    with pytest.raises(pa.ArrowException):
        odd.write(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.parquet"]
    assert path.read_bytes() == before


# --- digest ---


def test_the_digest_is_blind_to_encoding(tmp_path: Path) -> None:
    table = trace().table
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    reordered = replaced(
        table,
        "owner",
        pa.DictionaryArray.from_arrays(pa.array([2, 0, 2], pa.int32()), ["hands", "idle", "vision"]),
    )
    doubled = replaced(
        table,
        "owner",
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), ["vision", "hands", "vision"]),
    )
    plain = replaced(table, "owner", pa.array(["vision", "hands", "vision"]))
    negative_zero = replaced(table, "output_tb", pa.array([-0.0, 0.125, -0.0]))
    for number, variant in enumerate([chunked, reordered, doubled, plain, negative_zero]):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(variant, path, row_group_size=2, compression="gzip")
        assert Trace.read(path).sha256 == trace().sha256


def test_the_digest_sees_where_the_day_begins(tmp_path: Path) -> None:
    """At the same instant the zone of the epoch decides on which midnight a run starts, in a file too."""
    there = EPOCH.astimezone(timezone(timedelta(hours=2)))
    other = Trace.from_columns(JOBS, epoch=there, reference_device="tile")
    assert other.epoch == trace().epoch
    assert other.sha256 != trace().sha256
    other.write(tmp_path / "there.parquet")
    assert Trace.read(tmp_path / "there.parquet").sha256 == other.sha256


def test_the_digest_sees_every_value() -> None:
    others = {
        "job_id": [4, 2, 8],
        "submit_s": [0, 60, 61],
        "runtime_s": [100, 1, 8],
        "gang": [1, 119, 4],
        "estimate_s": [91, 3600, 60],
        "workload": ["fsd", "optimus", "other"],
        "kind": ["fsd.retrain", "optimus.policy", "tenant"],
        "owner": ["vision", "hands", "hands"],
        "queue": ["batch", "debug", "batch"],
        "priority": [1, -3, 127],
        "residency": ["owned", "owned", "any"],
        "deadline_s": [0, 500, None],
        "input_tb": [0.0, 1.5, math.nextafter(2.25, 3)],
        "output_tb": [1e-300, 0.125, 0.0],
        "checkpoint_s": [30, 1, None],
        "name": ["1002_1", "", "dlctk6"],
        "requires": [None, "device:h100", None],
        "excludes": [None, "pool:cloud", None],
        "after": [None, [4], [4, 2]],
        "after_lag_s": [None, 0, 30],
        "outcome": ["completed", "cancelled", None],
        "recorded_start_s": [5, 0, 60],
        "recorded_end_s": [105, 61, 0],
        "recorded_where": [None, "node 7", "node 7"],
    }
    digests = {trace(**{name: values}).sha256 for name, values in others.items()}
    digests |= {
        trace().sha256,
        Trace.from_columns(JOBS, epoch=EPOCH, reference_device="H100").sha256,
        Trace.from_columns(JOBS, epoch=EPOCH + timedelta(seconds=1), reference_device="tile").sha256,
        trace(owner=["a\nb", "c", "c"]).sha256,
        trace(owner=["a", "b\nc", "b\nc"]).sha256,
        trace(name=["1002_1d", None, "lctk6"]).sha256,
        trace(name=["1002_1", "dlctk6", None]).sha256,
        trace(after=[[9], [4], []]).sha256,
        trace(after=[[], [4, 9], []]).sha256,
    }
    assert len(digests) == len(TRACE_SCHEMA) + 9


rows_of_words = st.lists(st.sampled_from(["a", "b", "", "ä", "a\nb"]), min_size=1, max_size=12)


@given(rows_of_words, rows_of_words, st.integers(0, 12))
def test_equal_digests_mean_equal_words_however_chunked(one: list[str], two: list[str], cut: int) -> None:
    def digest(words: list[str], at: int) -> str:
        chunks = [pa.array(part).dictionary_encode() for part in (words[:at], words[at:]) if part]
        ones = [1] * len(words)
        columns = {"submit_s": ones, "runtime_s": ones, "gang": ones, "owner": pa.chunked_array(chunks)}
        return Trace.from_columns(columns).sha256

    assert digest(one, cut) == digest(one, 0)
    assert (digest(one, cut) == digest(two, 0)) == (one == two)


def test_validation_does_not_wait_on_jobs_one_by_one() -> None:
    size = 1_000_000
    ones = np.ones(size, np.int64)
    table = Trace.from_columns({"submit_s": np.arange(size), "runtime_s": ones, "gang": ones}).table
    started = datetime.now(UTC)
    validate(table)
    assert (datetime.now(UTC) - started).total_seconds() < 1


def test_the_documentation_lists_every_column_as_it_is() -> None:
    page = (Path(__file__).parents[1] / "docs" / "traces.md").read_text()
    rows = [
        [cell.strip() for cell in line.split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    columns = [row for row in rows if len(row) == 8]
    assert [(row[1].strip("`"), row[2], row[3], row[6] == "required") for row in columns] == [
        (
            field.name,
            type_name(field.type),
            field.metadata[b"unit"].decode(),
            field.name in REQUIRED,
        )
        for field in TRACE_SCHEMA
    ]


def test_columns_that_nobody_gave_take_the_memory_of_one_group_of_rows() -> None:
    """Of four groups of rows and one more row, 8 bytes each and a bit for null."""
    rows = 4 * ROW_GROUP + 1
    trace = Trace.from_columns(
        {"submit_s": np.zeros(rows, int), "runtime_s": np.ones(rows, int), "gang": np.ones(rows, int)}
    )
    column = trace.table.column("recorded_start_s")
    assert len(column) == column.null_count == rows
    assert column.get_total_buffer_size() <= ROW_GROUP * 8 + ROW_GROUP // 8 + 64
