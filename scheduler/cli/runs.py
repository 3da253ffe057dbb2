"""Runs: make one, and sum it up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.scenarios import SCENARIO, SHIPPED
from scheduler.cli.terminal import ArrowCommand, warn
from traces.words import BY

if TYPE_CHECKING:  # for start-up time: only a run that is made imports it
    from collections.abc import Mapping

    from scheduler.cli.preparation import WarmStart
    from scheduler.replay import Setup
    from scheduler.run.directory import Run
    from traces.submissions import TimeRange
    from traces.trace import Trace

DEMO = SHIPPED["seven-exapods"]
YEARS = "years"
QUARTER = "quarter"


@click.command(cls=ArrowCommand)
@click.argument("scenario", default="seven-exapods")
@options.out(help="Run directory.  [default: runs/demo; of years runs/years]")
@options.overrides(help="Change the demo scenario.")
@click.option("--full", is_flag=True, help="Run every day of years, not a month a quarter.")
@options.catalog
@options.as_json
def demo(scenario: str, out: Path | None, overrides: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Run four weeks on seven ExaPODs with bursts, and print the summary.

    Seven are not full with the demo's demand, so hardly anything bursts; --set pools.dojo.pods=5 shows it.
    SCENARIO is seven-exapods (the default), bad-weather, shortage-2023, dojo-ends-2025 or years. What has
    weather is run in fair weather too, as OUT-fair, and printed beside that. Years are those from the first
    ExaPOD to 2030, by a month a quarter, and printed by quarter.
    """
    if scenario == YEARS:
        from scheduler.cli.years import demo_years

        place = out or Path("runs/years")
        return demo_years(SHIPPED[YEARS], place, overrides, full=full, as_json=as_json)
    if full:
        raise click.UsageError("--full goes with years alone: all others run every day.")
    _demo(scenario, out or Path("runs/demo"), overrides, as_json=as_json)
    return None


def _demo(scenario: str, out: Path, overrides: tuple[str, ...], *, as_json: bool) -> None:
    """Run a demo of weeks, in fair weather too where it has weather."""
    from msgspec.structs import replace

    from scheduler.cli.execution import new_run
    from scheduler.cli.preparation import prepare
    from scheduler.replay import Setup
    from scheduler.report.beside import beside
    from scheduler.report.documents.runs import summary_document
    from scheduler.report.summary import summary as render
    from scheduler.scenario import ScenarioError
    from scheduler.why.answer import waits_of_run

    if scenario not in SHIPPED:
        raise ScenarioError(f'demo "{scenario}": allowed are {", ".join(SHIPPED)}')
    prepared = prepare(SHIPPED[scenario], None, overrides)
    with new_run(prepared, out, overwrite=True) as run:
        waits_of_run(run, prepared.setup)  # for the summary to show
        if not as_json:
            click.echo(f"{render(run)}\n\n{_beside_public(prepared.setup)}\n\n{_logs(run, out)}")
        if run.description["weather"] is None:
            if as_json:
                click.echo(summary_document(run).text())
            return
        calm = out.with_name(f"{out.name}-fair")
        fair_weather = replace(prepared.setup.scenario, fair_weather=True)
        in_fair = prepared._replace(setup=Setup.of(fair_weather, prepared.setup.trace))
        with new_run(in_fair, calm, overwrite=True) as fair:
            if as_json:
                click.echo(summary_document(run, beside={str(calm): fair}).text())
            else:
                click.echo(f"\n{beside(run, fair)}\n\nlogs: likewise in {calm}")


@click.command(cls=ArrowCommand)
@click.argument("scenario", type=SCENARIO)
@options.trace(help="Replay this trace instead of the scenario's own demand.")
@click.option("--weather", type=FILE, help="Replay this weather instead of drawing the scenario's own.")
@options.part
@options.overrides(help="As policy.patience=after:4h.")
@options.out(required=True, help="Run directory, made if absent.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "simpy", "fast"]),
    default="auto",
    show_default=True,
    help="What runs it; the logs are the same.",
)
@options.warm
@click.option("--as-recorded", is_flag=True, help="Log the run as it was, from recorded starts and ends.")
@options.catalog
@options.as_json
def replay(
    scenario: Path,
    trace: Path | None,
    weather: Path | None,
    part: TimeRange,
    overrides: tuple[str, ...],
    out: Path,
    overwrite: bool,
    engine: str,
    warm: WarmStart,
    as_recorded: bool,
    as_json: bool,
) -> None:
    """Replay a trace, or the scenario's demand, and log the run to Parquet.

    As recorded, no policy is asked and the weather is fair: jobs start and end when the trace says they did.
    """
    from scheduler.cli.execution import new_run
    from scheduler.cli.preparation import prepare, trace_file
    from scheduler.replay.advice import about_run, about_setup
    from scheduler.replay.engines import RECORD
    from scheduler.replay.stranded import about_closures
    from scheduler.replay.unmatched import about_places

    if as_recorded and (weather is not None or engine != "auto"):
        raise click.UsageError(
            "--as-recorded goes with neither --weather nor --engine: it simulates nothing."
        )
    if as_recorded:
        overrides, engine = (*overrides, "fair_weather=true"), RECORD
    prepared = prepare(scenario, trace, overrides, weather, part, warm)
    setup = prepared.setup
    inputs = (scenario, weather, trace_file(setup.scenario, scenario, trace), warm.run)
    with new_run(prepared, out, overwrite=overwrite, inputs=inputs, engine=engine) as run:
        click.echo(_document(run) if as_json else _replayed(run, setup.trace, out))
        warn([*about_setup(setup), *about_places(setup), *about_closures(setup), *about_run(run)])


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@click.option("--beside", "other", type=FILE, help="Another run to print the main figures beside.")
@options.by(
    type=click.Choice([*BY, QUARTER]),
    default="workload",
    show_default=True,
    help="Tell jobs apart by this; quarter: a row a quarter of capacity, demand, waits and cash.",
)
@options.as_json
def summary(run: Path, other: Path | None, by: str, as_json: bool) -> None:
    """Print utilization, waits, bursts and spend of a finished run, and what bad weather did to it.

    RUN may also be the folder of `demo years`, which is summed up by quarter.
    """
    if by == QUARTER or (run / "quarters.parquet").exists():
        from scheduler.cli.years import summary_by_quarter

        if other is not None:
            raise click.UsageError("--beside goes with figures of whole runs, not with quarters.")
        return summary_by_quarter(run, as_json=as_json)
    from scheduler.report.beside import beside
    from scheduler.report.summary import summary as render
    from scheduler.run.directory import open_run

    opened, second = open_run(run), None if other is None else open_run(other)
    if as_json:
        click.echo(_document(opened, by, {} if second is None else {str(other): second}))
        return None
    parts = [render(opened, by), *([] if second is None else [beside(opened, second)])]
    click.echo("\n\n".join(parts))
    return None


def _document(run: Run, by: str = "workload", beside: Mapping[str, Run] | None = None) -> str:
    """Return the summary of a run as JSON."""
    from scheduler.report.documents.runs import summary_document

    return summary_document(run, by, beside).text()


def _replayed(run: Run, trace: Trace, out: Path) -> str:
    """Return the summary of a run, when its jobs are submitted, and where the logs are."""
    from scheduler.report.summary import summary as render
    from traces.submissions import submissions
    from traces.warm import about_opening

    jobs = [submissions(trace), *about_opening(trace)]
    return f"{render(run)}\n\njobs: {'; '.join(jobs)}\n{_logs(run, out)}"


def _beside_public(setup: Setup) -> str:
    """Say how large the fleet and the cluster of a demo are beside what is public of the company's own."""
    from workloads import demand_of
    from workloads.public import PUBLIC_OWNED, PUBLIC_ROBOTS

    h100 = setup.catalog.device("h100").peak_pflops
    peaks = (
        pool.pods * pool.pod_devices * setup.catalog.device(pool.device).peak_pflops
        for pool in setup.stock.pools
    )
    demand = demand_of(setup.scenario.demand)
    robots = float(demand.path("optimus").units(demand.robots, 0.0)[0])
    return f"{PUBLIC_ROBOTS.sentence(robots)}\n{PUBLIC_OWNED.sentence(sum(peaks) / h100)}"


def _logs(run: Run, folder: Path) -> str:
    return f"logs: {folder}/{{{','.join(run.logs)}}}.parquet and {folder}/run.json"
