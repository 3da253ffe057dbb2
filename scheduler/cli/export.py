"""Export a trace."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand
from traces.formats import EXPORTED


@click.command(cls=ArrowCommand)
@click.argument("format", type=click.Choice(EXPORTED))
@click.argument("trace", type=FILE)
@options.out(required=True, help="File to write.")
@options.part
def export(format: str, trace: Path, out: Path, since: str | None, until: str | None) -> None:  # noqa: A002
    """Write a trace as CSV, or in the Standard Workload Format, and say what that cannot hold."""
    from scheduler.cli.submissions import kept
    from traces.formats.exporting import export_trace
    from traces.submissions import TimeRange
    from traces.trace import Trace

    exported = export_trace(format, kept(Trace.read(trace), TimeRange(since, until)), out)
    click.echo(f"{out} ({format}): {exported.jobs:,} jobs")
    for line in exported.lost:
        click.echo(f"  {line}")
