"""A run as a timeline for Perfetto's viewer."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, needs_extra


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@options.trace(help="The trace that the run was given, where the jobs are not in the run.")
@options.part
@options.out(required=True, help="File to write, as run.pftrace.")
def timeline(run: Path, trace: Path | None, since: str | None, until: str | None, out: Path) -> None:
    """Write a finished run as a trace that https://ui.perfetto.dev opens.

    A track a pod and an offer, a slice an attempt with what its job waited for, and counters.
    """
    from scheduler.cli.causes import waits_of
    from scheduler.run.directory import open_run
    from traces.outputs import check_document
    from traces.submissions import TimeRange

    with needs_extra("page"):
        from scheduler.report.timeline.timeline import beginning, write_timeline

    opened = open_run(run)
    check_document(out, beginning(), "a timeline")
    found = waits_of(opened, trace, TimeRange(since, until))
    slices = write_timeline(opened, out, *(found or ()))
    click.echo(f"{out}: {slices:,} slices")
