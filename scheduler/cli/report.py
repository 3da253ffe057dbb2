"""A run as a page to send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, needs_extra

if TYPE_CHECKING:  # for start-up time
    from traces.submissions import TimeRange


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@click.option("--beside", "other", type=FILE, help="Another run to show the main figures beside.")
@options.trace(help="The trace that the run was given, where the jobs are not in the run.")
@options.part
@options.out(required=True, help="File to write, as report.html.")
@options.as_json
def report(
    run: Path,
    other: Path | None,
    trace: Path | None,
    part: TimeRange,
    out: Path,
    as_json: bool,
) -> None:
    """Write a finished run as one HTML page that opens offline.

    It says what came of the run, and shows devices, waits and their causes, spend and every attempt, by
    workload, owner and time.
    """
    from scheduler.cli.causes import waits_of
    from scheduler.report.documents.files import FileDocument
    from scheduler.run.directory import open_run
    from traces.outputs import check_document

    with needs_extra("page"):
        from scheduler.report.page.page import BEGINNING, write_page

    opened, beside = open_run(run), None if other is None else open_run(other)
    check_document(out, BEGINNING, "a report")
    write_page(opened, out, waits_of(opened, trace, part), beside)
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    written = FileDocument(file=str(out), holds="page of a run", rows=None, says=[size])
    click.echo(written.text() if as_json else f"{out}: {size}")
