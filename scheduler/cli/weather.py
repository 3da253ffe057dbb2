"""What will go wrong in a run, before it is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time
    from collections.abc import Mapping

    from scheduler.weather import Weather
    from traces.submissions import TimeRange


@click.command(cls=ArrowCommand)
@click.argument("source", type=SCENARIO, metavar="SCENARIO_OR_FILE")
@options.trace(help="Take start and length from this trace.")
@options.part
@options.overrides(help="As seed=2, to draw another.")
@options.out(help="Write the weather here (Parquet), to be replayed.")
@options.catalog
@options.as_json
def weather(
    source: Path,
    trace: Path | None,
    part: TimeRange,
    overrides: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Draw the weather of a scenario, or read a weather file (.parquet), and say what it comes to.

    A run draws the very same weather by itself: write it to look at it, or to replay it under another
    scenario. Fair weather is not written.
    """
    from scheduler.catalog import load_catalog
    from scheduler.cli.preparation import read_with_jobs
    from scheduler.report.documents.weather import weather_document
    from scheduler.scenario import run_start_s
    from scheduler.stock.assumed import assumed_weather
    from scheduler.stock.stock import stock_of
    from scheduler.weather import WEATHER, Weather, weather_of
    from traces.outputs import check_output

    if source.suffix == ".parquet":
        if overrides or any(given is not None for given in (trace, part.since, part.until, out)):
            raise click.UsageError("a weather file is only read: options go with a scenario")
        _show(Weather.read(source), None, None, as_json=as_json)
        return
    check_output(out, WEATHER.names)
    scenario, jobs, _ = read_with_jobs(source, trace, overrides, part)
    stock = stock_of(scenario, load_catalog(), jobs.instant(run_start_s(scenario, jobs)))
    drawn = weather_of(scenario, stock, jobs)
    if drawn is None:
        fair = f"{scenario.name}: fair weather: nothing fails, is taken away or refused, and prices hold"
        click.echo(weather_document(scenario.name, None, None).text() if as_json else fair)
        return
    if out is not None:
        drawn.write(out)
    _show(drawn, None if scenario.weather else assumed_weather(scenario, stock), out, as_json=as_json)


def _show(weather: Weather, assumed: Mapping[str, str] | None, out: Path | None, *, as_json: bool) -> None:
    from scheduler.report.documents.weather import weather_document
    from scheduler.report.weather import render

    if as_json:
        click.echo(weather_document(weather.scenario, weather, None if out is None else str(out)).text())
        return
    rows = "" if out is None else f"\n\n{out}: {len(weather.table):,} rows"
    click.echo(f"{render(weather, assumed)}{rows}")
