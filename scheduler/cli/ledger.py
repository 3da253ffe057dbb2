"""What a run spent, on what and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand
from traces.words import BY

if TYPE_CHECKING:  # for start-up time
    from scheduler.money.ledger.bills import IdleBy

KEYS = ("line", "resource", "period", "week", "month", *BY)


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@click.option(
    "--by",
    "keys",
    metavar="KEY,...",
    callback=options.among(KEYS),
    help=f"One table, by one or more of {', '.join(KEYS)}.  [default: resource and line; workload]",
)
@click.option(
    "--idle",
    type=click.Choice(["use", "share"]),
    help="Share out what no job bears: by use, or by the scenario's shares.  [default: it stands apart]",
)
@click.option("--focus", type=FILE, help="Write a FOCUS 1.2 cost table here instead, .csv or .parquet.")
@options.as_json
@click.pass_context
def ledger(
    ctx: click.Context,
    run: Path,
    keys: tuple[str, ...],
    idle: IdleBy | None,
    focus: Path | None,
    as_json: bool,
) -> None:
    """Print what a finished run spent, on what, who bears it, and what each workload used.

    Ends with 1 where that does not add up to what pools and offers cost by themselves.
    """
    from scheduler.report.documents.files import FileDocument
    from scheduler.report.documents.money import ledger_document
    from scheduler.run.directory import open_run
    from scheduler.run.spend import adds_up

    if idle is not None and not set(keys) & set(BY):
        raise click.UsageError(f"--idle shares out among those of --by: give one of {', '.join(BY)} there")
    opened = open_run(run)
    if focus is not None:
        from scheduler.money.focus.table import SCHEMA, write_focus
        from traces.outputs import check_output

        check_output(focus, SCHEMA.names, as_csv=focus.suffix == ".csv")
        charges = write_focus(opened, focus)
        written = FileDocument(file=str(focus), holds="FOCUS 1.2 cost table", rows=charges, says=[])
        click.echo(written.text() if as_json else f"{focus}: {charges:,} charges, FOCUS 1.2")
    elif as_json:
        click.echo(ledger_document(opened, keys, idle).text())
    else:
        from scheduler.report.ledger import ledger as render

        click.echo(render(opened, keys, idle))
    if not adds_up(opened):
        click.echo(f"exaburst: {run}: the ledger does not add up", err=True)
        ctx.exit(1)
