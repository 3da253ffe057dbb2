"""What will go wrong in a run, before it is run."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand


@click.command(cls=ArrowCommand)
@click.argument("source", type=FILE, metavar="SCENARIO_OR_FILE")
@options.trace(help="Take start and length from this trace.")
@options.part
@options.overrides(help="As seed=2, to draw another.")
@options.out(help="Write the weather here (Parquet), to be replayed.")
def weather(
    source: Path,
    trace: Path | None,
    since: str | None,
    until: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
) -> None:
    """Draw the weather of a scenario, or read a weather file (.parquet), and say what it comes to.

    A run draws the very same weather by itself: write it to look at it, or to replay it under another
    scenario. Fair weather is not written.
    """
    from scheduler.catalog import load_catalog
    from scheduler.cli.preparation import read_with_jobs
    from scheduler.report.weather import render
    from scheduler.scenario import run_start_s
    from scheduler.stock.assumed import assumed_weather
    from scheduler.stock.stock import stock_of
    from scheduler.weather import WEATHER, Weather, weather_of
    from traces.outputs import check_output
    from traces.submissions import TimeRange

    if source.suffix == ".parquet":
        if overrides or any(given is not None for given in (trace, since, until, out)):
            raise click.UsageError("a weather file is only read: options go with a scenario")
        click.echo(render(Weather.read(source), None))
        return
    check_output(out, WEATHER.names)
    scenario, jobs, _ = read_with_jobs(source, trace, overrides, TimeRange(since, until))
    stock = stock_of(scenario, load_catalog(), jobs.instant(run_start_s(scenario, jobs)))
    drawn = weather_of(scenario, stock, jobs)
    if drawn is None:
        click.echo(f"{scenario.name}: fair weather: nothing fails, is taken away or refused, and prices hold")
        return
    click.echo(render(drawn, None if scenario.weather else assumed_weather(scenario, stock)))
    if out is not None:
        drawn.write(out)
        click.echo(f"\n{out}: {len(drawn.table):,} rows")
