"""Runs: make one, and sum it up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE, jobs_of, read
from scheduler.cli.terminal import progress_bar

if TYPE_CHECKING:
    from scheduler.run.directory import Run
    from scheduler.scenario import Scenario
    from traces.trace import Trace

DEMOS = {
    name: Path(__file__).parents[1] / "scenarios" / f"{name.replace('-', '_')}.toml"
    for name in ("seven-exapods", "bad-weather", "shortage-2023")
}
DEMO = DEMOS["seven-exapods"]


@click.command()
@click.argument("scenario", default="seven-exapods")
@options.out(default=Path("runs/demo"), show_default=True, help="Run directory.")
@options.overrides(help="Change the demo scenario.")
def demo(scenario: str, out: Path, overrides: tuple[str, ...]) -> None:
    """Run four weeks on seven ExaPODs with bursts, and print the summary.

    SCENARIO is seven-exapods (the default), bad-weather or shortage-2023. What has weather is run in fair
    weather too, as OUT-fair, and printed beside that.
    """
    from msgspec.structs import replace

    from scheduler.report.beside import beside
    from scheduler.scenario import ScenarioError

    if scenario not in DEMOS:
        raise ScenarioError(f'demo "{scenario}": allowed are {", ".join(DEMOS)}')
    spec, trace = _prepared(DEMOS[scenario], None, overrides)
    run = _run(spec, trace, out, generated=True, overwrite=True)
    _report(run)
    if run.description["weather"] is not None:
        calm = out.with_name(f"{out.name}-fair")
        fair = _run(replace(spec, fair_weather=True), trace, calm, generated=True, overwrite=True)
        click.echo(f"\n{beside(run, fair)}\n\nlogs: likewise in {calm}")


@click.command()
@click.argument("scenario", type=FILE)
@options.trace(help="Replay this trace instead of the scenario's own demand.")
@click.option("--weather", type=FILE, help="Replay this weather instead of drawing the scenario's own.")
@options.overrides(help="As policy.patience=after:4h.")
@options.out(required=True, help="Run directory, made if absent.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
def replay(
    scenario: Path,
    trace: Path | None,
    weather: Path | None,
    overrides: tuple[str, ...],
    out: Path,
    overwrite: bool,
) -> None:
    """Replay a trace, or the scenario's demand, and log the run to Parquet."""
    from msgspec.structs import replace

    spec, jobs = _prepared(scenario, trace, overrides)
    if weather is not None:
        spec = replace(spec, weather=str(weather))
    generated = trace is None and spec.trace is None
    _report(_run(spec, jobs, out, generated=generated, overwrite=overwrite))


@click.command()
@click.argument("run", type=FILE)
@click.option("--beside", "other", type=FILE, help="Another run to print the main figures beside.")
def summary(run: Path, other: Path | None) -> None:
    """Print utilization, waits, bursts and spend of a finished run, and what bad weather did to it."""
    from scheduler.report.beside import beside
    from scheduler.report.summary import summary as render
    from scheduler.run.directory import open_run

    opened, second = open_run(run), None if other is None else open_run(other)
    click.echo(render(opened))
    if second is not None:
        click.echo(f"\n{beside(opened, second)}")


def _prepared(file: Path, trace_file: Path | None, overrides: tuple[str, ...]) -> tuple[Scenario, Trace]:
    """Read a scenario, and read or generate its jobs."""
    from scheduler.catalog import load_catalog
    from scheduler.stock.stock import check_speeds

    scenario, stock, demand = read(file, overrides)
    trace = jobs_of(scenario, file, trace_file, demand)
    check_speeds(stock, trace.reference_device, load_catalog())
    return scenario, trace


def _run(scenario: Scenario, trace: Trace, out: Path, *, generated: bool, overwrite: bool) -> Run:
    """Replay a trace, and keep it beside the logs where it was `generated`."""
    from datetime import timedelta

    from scheduler.catalog import load_catalog
    from scheduler.replay import Setup, replay
    from scheduler.run.directory import clear
    from scheduler.stock.stock import stock_of
    from scheduler.weather import weather_of

    weather_of(
        scenario, stock_of(scenario, load_catalog(), trace.epoch), trace
    )  # is it wrong? before `clear`
    clear(out, overwrite=overwrite)
    if generated:
        out.mkdir(parents=True, exist_ok=True)
        trace.write(out / "trace.parquet")
    with progress_bar(total=len(trace), unit="job", unit_scale=True, desc=scenario.name) as progress:

        def show(jobs: int, second: int) -> None:
            date = trace.epoch + timedelta(seconds=second)
            progress(scenario.name, jobs, len(trace), f"{date:%Y-%m-%d %H:%M}")

        return replay(Setup.of(scenario, trace), out, progress=show)


def _report(run: Run) -> None:
    from scheduler.report.summary import summary

    click.echo(summary(run))
    click.echo(f"\nlogs: {run.folder}/{{jobs,attempts,states,spend}}.parquet and {run.folder}/run.json")
