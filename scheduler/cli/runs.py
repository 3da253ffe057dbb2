"""Runs: make one, and sum it up."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli.options import FILE, read
from scheduler.cli.terminal import progress_bar

DEMO = Path(__file__).parents[1] / "scenarios" / "seven_exapods.toml"


@click.command()
@click.option("-o", "--out", type=FILE, default=Path("runs/demo"), show_default=True, help="Run directory.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the demo scenario.")
def demo(out: Path, overrides: tuple[str, ...]) -> None:
    """Run four weeks on seven ExaPODs with bursts, and print the summary."""
    _run_and_report(DEMO, None, overrides, out, overwrite=True)


@click.command()
@click.argument("scenario", type=FILE)
@click.option("--trace", type=FILE, help="Replay this trace instead of the scenario's own demand.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As policy.patience=after:4h.")
@click.option("-o", "--out", type=FILE, required=True, help="Run directory, made if absent.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
def replay(
    scenario: Path, trace: Path | None, overrides: tuple[str, ...], out: Path, overwrite: bool
) -> None:
    """Replay a trace, or the scenario's demand, and log the run to Parquet."""
    _run_and_report(scenario, trace, overrides, out, overwrite=overwrite)


@click.command()
@click.argument("run", type=FILE)
def summary(run: Path) -> None:
    """Print utilization, waits, bursts and spend of a finished run."""
    from scheduler.report.summary import summary as render
    from scheduler.run import open_run

    click.echo(render(open_run(run)))


def _run_and_report(
    scenario_file: Path, trace_file: Path | None, overrides: tuple[str, ...], out: Path, *, overwrite: bool
) -> None:
    from scheduler.catalog import load_catalog
    from scheduler.replay import replay as run_replay
    from scheduler.report.summary import summary as render
    from scheduler.resources import check_speeds
    from scheduler.run import clear
    from traces.trace import Trace
    from workloads import generate as generate_trace

    scenario, stock, demand = read(scenario_file, overrides)
    given = trace_file or (scenario.trace and scenario_file.parent / scenario.trace)
    trace = Trace.read(given) if given else generate_trace(demand)
    check_speeds(stock, trace.reference_device, load_catalog())
    clear(out, overwrite=overwrite)
    if not given:
        out.mkdir(parents=True, exist_ok=True)
        trace.write(out / "trace.parquet")
    with progress_bar(scenario.name, trace) as progress:
        run = run_replay(scenario, trace, out, progress=progress)
    click.echo(render(run))
    click.echo(f"\nlogs: {out}/{{jobs,attempts,states,spend}}.parquet and {out}/run.json")
