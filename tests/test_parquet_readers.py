"""The logs in other readers: DuckDB and polars see the rows, types and units that pyarrow sees."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scheduler.run.parts import LOGS
from tests import build
from traces import TRACE_SCHEMA

DUCKDB = {"int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}
POLARS = {"int32": pl.Int32, "int64": pl.Int64, "double": pl.Float64, "bool": pl.Boolean, "string": pl.String}

FILES = [*LOGS, "trace"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which some job spans pods, some rents, some has a deadline and some never starts."""
    folder = tmp_path_factory.mktemp("run")
    trace = build.trace(
        build.job(0, 600, 3, residency="owned", workload="fsd", kind="fsd.retrain"),
        build.job(5, 100, 1, deadline_s=200, output_tb=0.5),
        build.job(7, 100, 2, after=1, name="7_2", requires="pool:own", outcome="failed"),
        build.job(8, 100, 2, after=1),
        build.job(9, 100, 99, residency="owned"),
    )
    trace.write(folder / "trace.parquet")
    spec = build.scenario(
        [build.pool(2, 2)], [build.offer("cloud", key="nodes")], policy={"patience": "after:30"}
    )
    build.run(spec, trace, folder)
    return folder


def files(folder: Path, log: str) -> str:
    return f"{folder / log}.parquet" + ("" if log == "trace" else "/*.parquet")


def plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


def logged(folder: Path, log: str) -> pa.Table:
    """What pyarrow reads, words as plain text."""
    table = pq.read_table(folder / f"{log}.parquet")
    return table.cast(pa.schema([(field.name, plain(field.type)) for field in table.schema]))


def asked(query: str) -> duckdb.DuckDBPyRelation:
    found = duckdb.sql(query)
    assert found is not None
    return found


@pytest.mark.parametrize("log", FILES)
def test_duckdb_sees_the_same_rows_and_types(folder: Path, log: str) -> None:
    expected = logged(folder, log)
    found = asked(f"FROM '{files(folder, log)}'")
    kinds = {field.name: _duckdb(field.type) for field in expected.schema}
    assert dict(zip(found.columns, map(str, found.types), strict=True)) == kinds
    assert found.fetchall() == [tuple(row.values()) for row in expected.to_pylist()]


def _duckdb(kind: pa.DataType) -> str:
    return f"{_duckdb(kind.value_type)}[]" if pa.types.is_list(kind) else DUCKDB.get(str(kind), "VARCHAR")


@pytest.mark.parametrize("log", FILES)
def test_polars_sees_the_same_rows_and_types(folder: Path, log: str) -> None:
    expected = logged(folder, log)
    found = pl.read_parquet(files(folder, log))
    for field in pq.read_table(folder / f"{log}.parquet").schema:
        kind = found.schema[field.name]
        assert kind == _polars(field.type), f"{field.name}: {kind}"
    assert found.rows() == [tuple(row.values()) for row in expected.to_pylist()]


def _polars(kind: pa.DataType) -> pl.DataType | type[pl.DataType]:
    return (
        pl.List(_polars(kind.value_type)) if pa.types.is_list(kind) else POLARS.get(str(kind), pl.Categorical)
    )


@pytest.mark.parametrize("log", FILES)
def test_units_and_meanings_reach_every_reader(folder: Path, log: str) -> None:
    (part,) = folder.glob(files(folder, log).removeprefix(f"{folder}/"))
    fields = pq.read_schema(part)
    said = {
        field.name: {key.decode(): text.decode() for key, text in field.metadata.items()} for field in fields
    }
    query = f"SELECT decode(value) FROM parquet_kv_metadata('{part}') WHERE decode(key) = 'exaburst.columns'"
    assert [json.loads(value) for (value,) in asked(query).fetchall()] == [said]
    assert json.loads(pl.read_parquet_metadata(part)["exaburst.columns"]) == said
    assert {text["unit"] for text in said.values()} > {"", "s"}


def test_the_story_has_what_readers_may_get_wrong(folder: Path) -> None:
    """Nulls in numbers, words and truth values, and lists of one, of several and of no pods."""
    jobs, attempts = logged(folder, "jobs"), logged(folder, "attempts")
    for name in ("start_s", "deadline_s", "where", "reason", "rented"):
        assert 0 < jobs.column(name).null_count < len(jobs), name
    assert {len(pods) for pods in attempts.column("pods").to_pylist()} >= {0, 2}
    assert logged(folder, "trace").schema.names == TRACE_SCHEMA.names
