"""A run as a timeline for Perfetto's viewer."""

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
@options.trace(help="The trace that the run was given, where the jobs are not in the run.")
@options.part
@options.out(required=True, help="File to write, as run.pftrace.")
@options.catalog
@options.as_json
def timeline(run: Path, trace: Path | None, part: TimeRange, out: Path, as_json: bool) -> None:
    """Write a finished run as a trace that https://ui.perfetto.dev opens.

    A track a pod and an offer, a slice an attempt with what its job waited for, and counters.
    """
    from scheduler.cli.causes import waits_of
    from scheduler.report.documents.files import FileDocument
    from scheduler.run.directory import open_run
    from traces.numbers import plural
    from traces.outputs import check_document

    with needs_extra("page"):
        from scheduler.report.timeline.timeline import beginning, write_timeline

    opened = open_run(run)
    check_document(out, beginning(), "a timeline")
    found = waits_of(opened, trace, part)
    slices = write_timeline(opened, out, *(found or ()))
    written = FileDocument(file=str(out), holds="timeline", rows=slices, says=[])
    click.echo(written.text() if as_json else f"{out}: {plural(slices, 'slice')}")
