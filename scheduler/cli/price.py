"""At what price to sell what is spare, and how much of it to keep."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand


@click.command(cls=ArrowCommand)
@click.argument("scenario", type=SCENARIO)
@options.trace(help="Jobs of our own, instead of the scenario's demand.")
@click.option(
    "--factor",
    "factors",
    multiple=True,
    type=click.FloatRange(0, min_open=True),
    help="Times its price; again for others.  [default: 0.5, 0.75, 1, 1.5, 2; by months: 0.5, 1, 2]",
)
@click.option(
    "--reserve",
    "reserves",
    multiple=True,
    type=click.IntRange(0, 10**6),
    help="Devices kept free as customers start; again for others.  [default: the scenario's]",
)
@click.option(
    "--full", is_flag=True, help="Run every day of a scenario longer than a quarter, not by months."
)
@options.seeds(type=click.IntRange(2), help="Common seeds.  [default: 10, by months 3]")
@options.workers(help="Processes.  [default: one a processor]")
@options.out(help="Where results are kept and found again.  [default: a passing folder]")
@options.overrides(help="As market.credit_share=0.2.")
@options.catalog
@options.as_json
def price(
    scenario: Path,
    trace: Path | None,
    factors: tuple[float, ...],
    reserves: tuple[int, ...],
    full: bool,
    seeds: int | None,
    workers: int | None,
    out: Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Search for the price and the reserve at which selling what is spare earns most, and since when it does.

    Each is run on common seeds beside the same run without a market: the margin is revenue less what all else
    costs more. A scenario longer than a quarter is run by a month a quarter, as if its window were always
    open. Stopped and started again with -o, it goes on where it was.
    """
    from scheduler.cli.many_runs import workplace
    from scheduler.cli.preparation import read, trace_file, unsure
    from scheduler.report.documents.studies import price_document
    from scheduler.report.price import price as render
    from scheduler.study.cells.workers import processes
    from scheduler.study.price.search import best_price, candidates_of
    from scheduler.study.price.spans import SellingSpan, is_long, market_of, months_that_sell

    spec, stock = read(scenario, overrides, trace)
    market = market_of(spec)
    jobs = trace_file(spec, scenario, trace)
    months = is_long(spec) and jobs is None and not full
    spans = months_that_sell(spec) if months else [SellingSpan(spec)]
    candidates = candidates_of(spec, factors, reserves, jobs, few=months)
    with workplace(out, processes(workers), unit="run") as (folder, crew, progress):
        answer = best_price(spans, candidates, seeds or (3 if months else 10), folder, crew, progress, jobs)
    if as_json:
        click.echo(price_document(spec.name, answer, None if out is None else str(out)).text())
        return
    click.echo("\n\n".join(part for part in (render(answer, market.price), unsure(spec, stock)) if part))
