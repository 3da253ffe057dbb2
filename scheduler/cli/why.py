"""Why jobs waited, or one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time
    from scheduler.replay.setup import Setup
    from scheduler.run.directory import Run
    from scheduler.why.run_figures import RunFigures
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

    Causes are worked out from the logs, the scenario and the weather, which is drawn again; those of all jobs
    are kept in the run's folder, as waits.parquet, and then its summary shows them.
    """
    from scheduler.cli.causes import figures_of, jobs_asked
    from scheduler.run.directory import open_run
    from scheduler.why.causes import WAITS
    from traces.outputs import check_output

    opened = open_run(run)
    check_output(out, WAITS.names)
    if job is None and out is None:
        click.echo(_of_run(opened, figures_of(opened, trace, part), as_json=as_json))
        return
    import numpy as np

    from scheduler.why.answer import waits_of_run
    from scheduler.why.question import row_of, setup_of
    from scheduler.why.waits import Inquiry

    setup = setup_of(opened, jobs_asked(opened, trace, part).trace)
    row = None if job is None else row_of(opened, setup.trace, job)
    if out is not None:
        whole = row is None
        waits = waits_of_run(opened, setup) if whole else Inquiry(opened, setup, np.array([row])).waits()
        waits.write(setup.trace, out)
        click.echo(_written(out, len(waits.row), as_json=as_json))
    elif row is not None:
        click.echo(_of_job(opened, setup, row, as_json=as_json))


def _written(out: Path, spans: int, *, as_json: bool) -> str:
    if not as_json:
        from traces.numbers import plural

        return f"{out}: {plural(spans, 'span')} of waiting"
    from scheduler.report.documents.files import FileDocument

    return FileDocument(file=str(out), holds="spans of waiting", rows=spans, says=[]).text()


def _of_job(run: Run, setup: Setup, row: int, *, as_json: bool) -> str:
    from scheduler.why.job_story import JobStory

    story = JobStory(run, setup, row)
    if as_json:
        from scheduler.report.documents.runs import why_job_document

        return why_job_document(run, story).text()
    from scheduler.report.why import job_why

    return job_why(story)


def _of_run(run: Run, figures: RunFigures, *, as_json: bool) -> str:
    if as_json:
        from scheduler.report.documents.runs import why_document

        return why_document(run, figures).text()
    from scheduler.report.causes import run_why

    return run_why(run, figures)
