"""`exaburst demo years`, a story of years by a month a quarter or by every day, and summaries by quarter."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.catalog import load_catalog
from scheduler.catalog.certainty import footer
from scheduler.cli.execution import new_run
from scheduler.cli.many_runs import check_room
from scheduler.cli.preparation import prepare, read
from scheduler.cli.terminal import progress_bar
from scheduler.report.documents.years import years_document
from scheduler.report.quarters import MONTHS, render, sentence
from scheduler.run.directory import open_run
from scheduler.run.quarters import QUARTERS_FILE
from scheduler.stock.assumed import prices_of, unsure_figures
from scheduler.stock.grounds import Grounds, price_sources
from scheduler.study.roadmap.question import discount_rate
from scheduler.study.years.run_years import run_years
from scheduler.study.years.years_file import Years, read_years, write_years, years_of_run
from traces.files import held
from traces.outputs import check_outside


def demo_years(file: Path, out: Path, overrides: tuple[str, ...], *, full: bool, as_json: bool) -> None:
    """Run the years, print them by quarter, and write quarters.parquet."""
    if full:
        check_outside(out)
        with new_run(prepare(file, None, overrides), out, overwrite=True) as run:
            _print(years_of_run(run), run.folder, as_json=as_json)
    else:
        _print(_by_months(file, out, overrides), out, as_json=as_json)


def summary_by_quarter(folder: Path, *, as_json: bool) -> None:
    """Print a run, or years that were run by months, by quarter."""
    years = read_years(folder) if (folder / QUARTERS_FILE).exists() else years_of_run(open_run(folder))
    _print(years, folder, as_json=as_json)


def _by_months(file: Path, out: Path, overrides: tuple[str, ...]) -> Years:
    check_room(out, QUARTERS_FILE)
    scenario, stock = read(file, overrides)
    catalog, rate = load_catalog(), discount_rate()
    prices = price_sources(scenario.offers, stock.offers, catalog)
    unsure = unsure_figures(scenario, stock, catalog)
    grounds = Grounds(unsure, prices, prices_of(scenario, stock, catalog))
    out.mkdir(parents=True, exist_ok=True)
    with held(out), progress_bar(desc=scenario.name, unit="quarter") as progress:
        years = Years(scenario.name, rate, grounds, run_years(scenario, out, rate, progress))
        write_years(out, years)
    return years


def _print(years: Years, folder: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(years_document(years, str(folder)).text())
        return
    rows, days = years.rows, years.month_days
    notes = years.grounds.unsure, years.grounds.prices_of
    how = f"{MONTHS.format(days=days)}\n" if days else ""
    logs = f"logs: {folder}/{{jobs,attempts,states,spend}}.parquet"
    if days:
        logs = f"logs: {folder}/{QUARTERS_FILE}; each month is a run, as {folder}/{rows[0]['quarter']}"
    click.echo("\n\n".join([sentence(rows), render(rows, years.rate), f"{how}{footer(*notes)}", logs]))
