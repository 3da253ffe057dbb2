"""What a run spent, on what and for whom."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand

BY = ("line", "resource", "period", "workload", "kind", "owner")


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@click.option(
    "--by", type=click.Choice(BY), help="One table, by this.  [default: resource and line; workload]"
)
@click.option("--focus", type=FILE, help="Write a FOCUS 1.2 cost table here instead, .csv or .parquet.")
@click.pass_context
def ledger(ctx: click.Context, run: Path, by: str | None, focus: Path | None) -> None:
    """Print what a finished run spent, on what, who bears it, and what each workload used.

    Ends with 1 where that does not add up to what pools and offers cost by themselves.
    """
    from scheduler.run.directory import open_run

    opened = open_run(run)
    if focus is not None:
        from scheduler.money.focus.table import SCHEMA, write_focus
        from traces.outputs import check_output

        check_output(focus, SCHEMA.names, as_csv=focus.suffix == ".csv")
        click.echo(f"{focus}: {write_focus(opened, focus):,} charges, FOCUS 1.2")
    else:
        from scheduler.report.ledger import ledger as render

        click.echo(render(opened, by))
    from scheduler.run.spend import adds_up

    if not adds_up(opened):
        click.echo(f"exaburst: {run}: the ledger does not add up", err=True)
        ctx.exit(1)
