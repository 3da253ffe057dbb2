"""A run as a page to send."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, needs_extra


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@click.option("--beside", "other", type=FILE, help="Another run to show the main figures beside.")
@options.trace(help="The trace that the run was given, where the jobs are not in the run.")
@options.part
@options.out(required=True, help="File to write, as report.html.")
def report(
    run: Path, other: Path | None, trace: Path | None, since: str | None, until: str | None, out: Path
) -> None:
    """Write a finished run as one HTML page that opens offline.

    It says what came of the run, and shows devices, waits and their causes, spend and every attempt, by
    workload, owner and time.
    """
    from scheduler.cli.causes import waits_of
    from scheduler.run.directory import open_run
    from traces.outputs import check_document
    from traces.submissions import TimeRange

    with needs_extra("page"):
        from scheduler.report.page.page import BEGINNING, write_page

    opened, beside = open_run(run), None if other is None else open_run(other)
    check_document(out, BEGINNING, "a report")
    write_page(opened, out, waits_of(opened, trace, TimeRange(since, until)), beside)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
