"""Why the jobs of a run waited, for commands that show it beside other things."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.cli.terminal import tell

if TYPE_CHECKING:  # for start-up time
    from scheduler.run.directory import Run
    from scheduler.why.run_figures import RunFigures
    from scheduler.why.spans import Waits
    from traces.submissions import TimeRange
    from traces.trace import Trace


def jobs_asked(run: Run, file: Path | None, part: TimeRange) -> Trace:
    """Return the jobs of a run: those in it, or the part of the trace in `file` that it was given."""
    from scheduler.cli.submissions import kept
    from scheduler.why.question import jobs_of
    from traces.trace import Trace

    return jobs_of(run, None if file is None else kept(Trace.read(file), part))


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

    trace = jobs_asked(run, file, part)
    waits = waits_of_run(run, setup_of(run, trace))
    return kept_figures(run) or RunFigures.of(run, trace, waits)


def waits_of(run: Run, file: Path | None, part: TimeRange) -> tuple[Waits, Trace] | None:
    """Return what the jobs of a run waited for, and the jobs; say so and return None where it is not known.

    `file` is the trace that the run was given; without, the jobs have to be in the run.
    """
    from scheduler.why.answer import waits_of_run
    from scheduler.why.question import setup_of

    try:
        trace = jobs_asked(run, file, part)
        return waits_of_run(run, setup_of(run, trace)), trace
    except ValueError as error:
        if file is not None:
            raise
        tell([f"causes of waiting are left out: {error}"])
        return None
