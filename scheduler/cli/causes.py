"""Why the jobs of a run waited, for commands that show it beside other things."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scheduler.cli.terminal import tell
from traces.errors import cannot_read
from traces.files import read_bytes

if TYPE_CHECKING:  # for start-up time
    from scheduler.run.directory import Run
    from scheduler.why.run_figures import RunFigures
    from scheduler.why.spans import Waits
    from traces.submissions import TimeRange
    from traces.trace import Trace


class JobsAsked(NamedTuple):
    """The jobs of a run, and the SHA-256 of the file that was given and holds them and no others."""

    trace: Trace
    file: str | None = None


def jobs_asked(run: Run, file: Path | None, part: TimeRange) -> JobsAsked:
    """Return the jobs of a run: those in it, or the part of the trace in `file` that it was given.

    What the file holds is compared with what ran but once, if it can be kept that it is the same.
    """
    from scheduler.cli.submissions import kept
    from scheduler.why.kept import kept_jobs
    from scheduler.why.question import jobs_of
    from traces.stored import StoredTrace
    from traces.submissions import ALL_TIME
    from traces.trace import Trace, TraceError

    if file is None:
        return JobsAsked(jobs_of(run))
    if part != ALL_TIME:
        return JobsAsked(jobs_of(run, kept(Trace.read(file), part)))
    try:
        content = read_bytes(file)
    except OSError as error:
        raise TraceError(cannot_read(file, error)) from None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 == kept_jobs(run):
        return JobsAsked(StoredTrace(content), sha256)
    return JobsAsked(jobs_of(run, Trace.read(file)), sha256)


def figures_of(run: Run, file: Path | None, part: TimeRange) -> RunFigures:
    """Return what the jobs of a run waited for, in all.

    It is what was kept, if anything was, but for a trace in `file`, which has to be that of the run.
    """
    from scheduler.why.kept import kept_figures

    if file is None and (figures := kept_figures(run)) is not None:
        return figures
    from scheduler.why.answer import waits_of_run
    from scheduler.why.question import setup_of
    from scheduler.why.run_figures import RunFigures

    trace, jobs = jobs_asked(run, file, part)
    waits = waits_of_run(run, setup_of(run, trace), jobs)
    return kept_figures(run) or RunFigures.of(run, trace, waits)


def figures_beside(run: Run, file: Path | None, part: TimeRange) -> RunFigures | None:
    """Return what the jobs of a run beside another waited for; say so and return None where it is not known.

    `file` is the trace of the other: it may be this one's too, where the jobs of this one are not in it.
    """
    from scheduler.why.kept import kept_figures

    try:
        return kept_figures(run) or figures_of(run, None if run.description["demand"] else file, part)
    except ValueError as error:
        ask = "" if file is None else f"; ask `exaburst why {run.folder}` first, with its own --trace"
        tell([f"causes of waiting beside are left out: {error}{ask}"])
        return None


def waits_of(run: Run, file: Path | None, part: TimeRange) -> tuple[Waits, Trace] | None:
    """Return what the jobs of a run waited for, and the jobs; say so and return None where it is not known.

    `file` is the trace that the run was given; without, the jobs have to be in the run.
    """
    from scheduler.why.answer import waits_of_run
    from scheduler.why.question import setup_of

    try:
        trace, jobs = jobs_asked(run, file, part)
        return waits_of_run(run, setup_of(run, trace), jobs), trace
    except ValueError as error:
        if file is not None:
            raise
        tell([f"causes of waiting are left out: {error}"])
        return None
