"""Years by quarter, as they are kept in quarters.parquet, or as a run's logs have them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow.parquet as pq

from scheduler.money.economics.inputs import default_mid
from scheduler.run.directory import Run, RunError
from scheduler.run.grounds import grounds_of_run
from scheduler.run.quarters import QUARTERS_FILE, QuarterRow, peaks_of, quarters_table, rows_of_run
from scheduler.stock.grounds import Grounds
from traces.parquet import write_batches

_ABOUT = b"years"


class Years(NamedTuple):
    """A row a quarter, and what a reader has to know of them."""

    scenario: str
    rate: float
    """At which cash is discounted, a year."""
    grounds: Grounds
    rows: list[QuarterRow]

    @property
    def month_days(self) -> int | None:
        """Days that stand for a quarter; None where all were run."""
        return max((row["month_days"] for row in self.rows if "month_days" in row), default=None)


def write_years(folder: Path, years: Years) -> None:
    """Write quarters.parquet."""
    about = msgspec.json.encode(years._replace(rows=[]))
    table = quarters_table(years.rows).replace_schema_metadata({_ABOUT: about})
    write_batches(folder / QUARTERS_FILE, table.schema, [table])


def read_years(folder: Path) -> Years:
    """Return the years of a folder; raises RunError where its file is not such a one."""
    try:
        table = pq.read_table(folder / QUARTERS_FILE)
        about = msgspec.json.decode((table.schema.metadata or {})[_ABOUT], type=Years)
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{folder / QUARTERS_FILE}: not the quarters that `demo years` writes") from error
    return about._replace(rows=table.to_pylist())


def years_of_run(run: Run) -> Years:
    """Return a run by quarters, computed from its logs."""
    rate = default_mid("discount_rate")
    rows = rows_of_run(run, peaks_of(run), rate)
    return Years(run.description["scenario"]["name"], rate, grounds_of_run(run), rows)
