"""Why jobs waited, or one of them."""

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
@click.argument("job", required=False)
@options.trace(help="The trace that the run was given, where the jobs are not in the run.")
@options.part
@options.out(help="Write each span of waiting with its cause here instead, as Parquet.")
@options.catalog
@options.as_json
def why(
    run: Path,
    job: str | None,
    trace: Path | None,
    part: TimeRange,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say what the jobs of a finished run waited for, or one JOB, by its name or id.

    Causes are worked out from the logs, the scenario and the weather, which is drawn again.
    """
    import numpy as np

    from scheduler.cli.causes import jobs_asked
    from scheduler.report.documents.files import FileDocument
    from scheduler.report.documents.runs import why_document, why_job_document
    from scheduler.report.why import job_why, run_why
    from scheduler.run.directory import open_run
    from scheduler.why.causes import WAITS
    from scheduler.why.job_story import JobStory
    from scheduler.why.question import row_of, setup_of
    from scheduler.why.waits import Inquiry
    from traces.outputs import check_output

    opened = open_run(run)
    check_output(out, WAITS.names)
    setup = setup_of(opened, jobs_asked(opened, trace, part))
    row = None if job is None else row_of(opened, setup.trace, job)
    if out is not None:
        waits = Inquiry(opened, setup, None if row is None else np.array([row])).waits()
        waits.write(setup.trace, out)
        written = FileDocument(file=str(out), holds="spans of waiting", rows=len(waits.row), says=[])
        click.echo(written.text() if as_json else f"{out}: {len(waits.row):,} spans of waiting")
    elif row is not None:
        story = JobStory(opened, setup, row)
        click.echo(why_job_document(opened, story).text() if as_json else job_why(story))
    else:
        about = opened, setup.trace, Inquiry(opened, setup).waits()
        click.echo(why_document(*about).text() if as_json else run_why(*about))
