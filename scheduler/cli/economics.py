"""Build or buy."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE


@click.command()
@click.option("--pod", default="exapod-case-study", show_default=True, help="Pod to own, of the catalog.")
@click.option(
    "--offer", default="nebius-h100-eu-north1", show_default=True, help="Offer to rent, of the catalog."
)
@click.option("--kind", default="fsd", show_default=True, help="Kind of job, which decides the MFU.")
@click.option("--run", "folder", type=FILE, help="Take the utilization of this run's pools.")
@options.overrides(help="An input, as utilization=0.5:0.6:0.8.")
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=10_000, show_default=True, help="Monte Carlo draws."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the draws.")
@options.out(help="Write the draws to this Parquet file.")
def economics(
    folder: Path | None, overrides: tuple[str, ...], draws: int, seed: int, out: Path | None, **asked: str
) -> None:
    """Compare owning a pod with renting the same compute: cost, break-even, payback, what decides.

    Lists all inputs with their ranges and sources; --set changes them.
    """
    from scheduler.catalog import load_catalog
    from scheduler.money.economics.draws_file import write_draws
    from scheduler.money.economics.inputs import inputs
    from scheduler.money.economics.model import outcome
    from scheduler.money.economics.montecarlo import draw_inputs
    from scheduler.report import economics as report
    from scheduler.run.directory import open_run

    catalog = load_catalog()
    run = None if folder is None else open_run(folder)
    compared = {name: asked[name] for name in ("pod", "offer", "kind")}  # as ordered in the file
    given = inputs(catalog, **compared, run=run, overrides=overrides)
    drawn = draw_inputs(given, draws, seed)
    result = outcome(drawn)
    pod, offer = catalog.pod(compared["pod"]), catalog.offer(compared["offer"])
    head = report.title(pod, offer, compared["kind"], given["owned_pflops"])
    if out is not None:
        write_draws(out, given, drawn, result, compared | {"seed": str(seed)})
    click.echo(report.economics(head, given, drawn, result))
    if out is not None:
        click.echo(f"\ndraws: {out}")
