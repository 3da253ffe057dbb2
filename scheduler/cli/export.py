"""Export a trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand
from traces.formats import EXPORTED

if TYPE_CHECKING:  # for start-up time
    from traces.submissions import TimeRange


@click.command(cls=ArrowCommand)
@click.argument("format", type=click.Choice(EXPORTED))
@click.argument("trace", type=FILE)
@options.out(required=True, help="File to write.")
@options.part
@options.as_json
def export(
    format: str,  # noqa: A002
    trace: Path,
    out: Path,
    part: TimeRange,
    as_json: bool,
) -> None:
    """Write a trace as CSV, or in the Standard Workload Format, and say what that cannot hold."""
    from scheduler.cli.submissions import kept
    from scheduler.report.documents.files import FileDocument
    from traces.formats.exporting import export_trace
    from traces.numbers import plural
    from traces.trace import Trace

    exported = export_trace(format, kept(Trace.read(trace), part), out)
    lost = list(exported.lost)
    written = FileDocument(file=str(out), holds=f"trace ({format})", rows=exported.jobs, says=lost)
    text = "\n  ".join([f"{out} ({format}): {plural(exported.jobs, 'job')}", *lost])
    click.echo(written.text() if as_json else text)
