"""Build or buy."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand


@click.command(cls=ArrowCommand)
@click.option(
    "--pod",
    default="exapod",
    show_default=True,
    help="Pod to own, of the catalog; exapod: one in every reading of the sources.",
)
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
@options.catalog
@options.as_json
def economics(
    folder: Path | None,
    overrides: tuple[str, ...],
    draws: int,
    seed: int,
    out: Path | None,
    as_json: bool,
    **asked: str,
) -> None:
    """Compare owning a pod with renting the same compute: cost, break-even, payback, what decides.

    The answer is given for each reading of what a pod makes and costs, then over all; owned GPU islands stand
    beside. Lists all inputs with their ranges and sources; --set changes them, and as weight.KEY a reading's
    weight.
    """
    from scheduler.catalog import load_catalog
    from scheduler.money.economics.comparison import Asked, compare_owning
    from scheduler.money.economics.draws_file import FIRST_COLUMNS, write_draws
    from scheduler.money.economics.inputs import measured_utilization
    from scheduler.report.documents.money import economics_document
    from scheduler.report.economics import economics as render
    from scheduler.run.directory import open_run
    from traces.outputs import check_output

    check_output(out, FIRST_COLUMNS)
    catalog = load_catalog()
    measured = None if folder is None else measured_utilization(open_run(folder))
    question = Asked(**asked, measured=measured, overrides=overrides)
    found = compare_owning(catalog, question, draws=draws, seed=seed)
    about = {name: asked[name] for name in ("pod", "offer", "kind")}  # as ordered in the file
    if out is not None:
        write_draws(out, found, about | {"seed": str(seed)})
    if as_json:
        click.echo(economics_document(about, found, None if out is None else str(out)).text())
        return
    click.echo(render(catalog, question, found))
    if out is not None:
        click.echo(f"\ndraws: {out}")
