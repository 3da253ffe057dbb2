"""Why jobs waited, or one of them."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand


@click.command(cls=ArrowCommand)
@click.argument("run", type=FILE)
@click.argument("job", required=False)
@options.trace(help="The trace that the run was given, where the jobs are not in the run.")
@options.part
@options.out(help="Write each span of waiting with its cause here instead, as Parquet.")
def why(
    run: Path, job: str | None, trace: Path | None, since: str | None, until: str | None, out: Path | None
) -> None:
    """Say what the jobs of a finished run waited for, or one JOB, by its name or id.

    Causes are worked out from the logs, the scenario and the weather, which is drawn again.
    """
    import numpy as np

    from scheduler.cli.causes import jobs_asked
    from scheduler.report.why import job_why, run_why
    from scheduler.run.directory import open_run
    from scheduler.why.causes import WAITS
    from scheduler.why.job_story import JobStory
    from scheduler.why.question import row_of, setup_of
    from scheduler.why.waits import Inquiry
    from traces.outputs import check_output
    from traces.submissions import TimeRange

    opened = open_run(run)
    check_output(out, WAITS.names)
    setup = setup_of(opened, jobs_asked(opened, trace, TimeRange(since, until)))
    row = None if job is None else row_of(opened, setup.trace, job)
    if out is not None:
        waits = Inquiry(opened, setup, None if row is None else np.array([row])).waits()
        waits.write(setup.trace, out)
        click.echo(f"{out}: {len(waits.row):,} spans of waiting")
    elif row is not None:
        click.echo(job_why(JobStory(opened, setup, row)))
    else:
        click.echo(run_why(opened, setup.trace, Inquiry(opened, setup).waits()))
