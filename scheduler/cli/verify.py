"""A finished run, run again on the other engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time
    from traces.submissions import TimeRange


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@options.trace(help="The trace of the run, where it did not generate its jobs.")
@options.part
@options.catalog
@options.as_json
def verify(run: Path, trace: Path | None, part: TimeRange, as_json: bool) -> None:
    """Run a finished run again on the other engine, and compare all logs to the bit.

    Ends with exit code 1 where they differ.
    """
    from scheduler.cli.causes import jobs_asked
    from scheduler.replay.verify import verified
    from scheduler.report.documents.files import VerifyDocument
    from scheduler.run.directory import open_run

    opened = open_run(run)
    engine, parts = verified(opened, jobs_asked(opened, trace, part).trace)
    before = opened.description["engine"]["name"]
    same = VerifyDocument(run=str(run), engines=[before, engine], files=parts)
    click.echo(
        same.text() if as_json else f"{run}: {before} and {engine} wrote the same {parts} files, to the bit"
    )
