"""`exaburst demo years`, a story of years by a month a quarter or by every day, and summaries by quarter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click
import pyarrow.parquet as pq

from scheduler.catalog import load_catalog
from scheduler.catalog.certainty import footer
from scheduler.catalog.models import Certainty
from scheduler.cli.execution import new_run
from scheduler.cli.preparation import prepare, read
from scheduler.cli.terminal import progress_bar
from scheduler.report.documents.years import years_document
from scheduler.report.quarters import render, sentence
from scheduler.run.directory import Run, RunError, open_run
from scheduler.run.quarters import QUARTERS_FILE, QuarterRow, quarters_table, rows_of_run
from scheduler.stock.assumed import prices_of, unsure_figures
from scheduler.study.roadmap.question import discount_rate
from scheduler.study.years.run_years import peaks_of, run_years
from traces.files import held
from traces.outputs import check_outside
from traces.parquet import write_batches

_MONTHS = """\
each quarter by {days} days in its middle, which go on from who ran and waited in those before; what adds up
over time is multiplied by what the quarter is longer; purchases and closures are on their days"""
_ABOUT = b"years"


class Years(NamedTuple):
    """A row a quarter, and what a reader has to know of them."""

    scenario: str
    rows: list[QuarterRow]
    rate: float
    unsure: Mapping[Certainty, Mapping[str, str]]
    prices_of: str
    folder: Path

    @property
    def month_days(self) -> int | None:
        """Days that stand for a quarter; None where all were run."""
        return max((row["month_days"] for row in self.rows if "month_days" in row), default=None)


def demo_years(file: Path, out: Path, overrides: tuple[str, ...], *, full: bool, as_json: bool) -> None:
    """Run the years, print them by quarter, and write quarters.parquet."""
    check_outside(out)
    if full:
        with new_run(prepare(file, None, overrides), out, overwrite=True) as run:
            _print(_of_run(run), as_json=as_json)
    else:
        _print(_by_months(file, out, overrides), as_json=as_json)


def summary_by_quarter(folder: Path, *, as_json: bool) -> None:
    """Print a run, or years that were run by months, by quarter."""
    years = _read(folder) if (folder / QUARTERS_FILE).exists() else _of_run(open_run(folder))
    _print(years, as_json=as_json)


def _by_months(file: Path, out: Path, overrides: tuple[str, ...]) -> Years:
    scenario, stock = read(file, overrides)
    catalog, rate = load_catalog(), discount_rate()
    out.mkdir(parents=True, exist_ok=True)
    with held(out), progress_bar(desc=scenario.name, unit="quarter") as progress:
        rows = run_years(scenario, out, rate, progress)
        unsure = unsure_figures(scenario, stock, catalog)
        years = Years(scenario.name, rows, rate, unsure, prices_of(scenario, stock, catalog), out)
        about = years._asdict() | {"rows": None, "folder": None}
        table = quarters_table(rows).replace_schema_metadata({_ABOUT: json.dumps(about)})
        write_batches(out / QUARTERS_FILE, table.schema, [table])
    return years


def _read(folder: Path) -> Years:
    try:
        table = pq.read_table(folder / QUARTERS_FILE)
        about = json.loads((table.schema.metadata or {})[_ABOUT])
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{folder / QUARTERS_FILE}: not the quarters that `demo years` writes") from error
    return Years(**about | {"rows": table.to_pylist(), "folder": folder})


def _of_run(run: Run) -> Years:
    told, rate = run.description, discount_rate()
    rows = rows_of_run(run, peaks_of(run), rate)
    return Years(told["scenario"]["name"], rows, rate, told["unsure"], told["prices_of"], run.folder)


def _print(years: Years, *, as_json: bool) -> None:
    rows, folder, days = years.rows, years.folder, years.month_days
    notes = years.unsure, years.prices_of
    if as_json:
        click.echo(years_document(years.scenario, rows, years.rate, notes, str(folder)).text())
        return
    how = f"{_MONTHS.format(days=days)}\n" if days else ""
    logs = f"logs: {folder}/{{jobs,attempts,states,spend}}.parquet"
    if days:
        logs = f"logs: {folder}/{QUARTERS_FILE}; each month is a run, as {folder}/{rows[0]['quarter']}"
    click.echo("\n\n".join([sentence(rows), render(rows, years.rate), f"{how}{footer(*notes)}", logs]))
