"""What the power of sites is worth."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand


@click.command(cls=ArrowCommand)
@click.argument("scenario", type=SCENARIO)
@click.option(
    "--kw",
    type=click.FloatRange(1e-3, 1e9),
    default=100.0,
    show_default=True,
    help="How much more power to try: the step of the finite difference.",
)
@options.seeds(
    type=click.IntRange(2, 10_000),
    default=10,
    show_default=True,
    help="Common seeds, from the scenario's on.",
)
@options.trace(help="Jobs, in place of seeds.")
@options.workers(help="Processes.  [default: one a processor]")
@options.overrides(help="As sites.NAME.cap_kw=1500.")
@options.out(help="Keep results here, and use them again.")
@options.catalog
@options.as_json
def power(
    scenario: Path,
    kw: float,
    seeds: int,
    trace: Path | None,
    workers: int | None,
    overrides: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Say what the caps of sites cost, and what one more kW would be worth.

    It runs the scenario over common seeds as it is, and for each site without its cap and with more power.
    """
    from scheduler.cli.many_runs import workplace
    from scheduler.cli.preparation import read, trace_file, unsure
    from scheduler.report.documents.studies import power_document
    from scheduler.report.power import power_table
    from scheduler.study.cells.workers import processes
    from scheduler.study.power_worth import power_worth

    spec, stock = read(scenario, overrides, trace)
    jobs = trace_file(spec, scenario, trace)
    replications = range(spec.seed, spec.seed + (1 if jobs else seeds))
    with workplace(out, processes(workers), unit="run", desc=spec.name) as place:
        worth = power_worth(spec, jobs, kw, replications, place)
    if as_json:
        click.echo(power_document(spec.name, worth, len(replications)).text())
    else:
        click.echo("\n".join(part for part in (power_table(worth), unsure(spec, stock)) if part))
