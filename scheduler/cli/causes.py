"""Why the jobs of a run waited, for commands that show it beside other things."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.cli.terminal import tell

if TYPE_CHECKING:  # for start-up time
    from scheduler.run.directory import Run
    from scheduler.why.waits import Waits
    from traces.submissions import TimeRange
    from traces.trace import Trace


def waits_of(run: Run, file: Path | None, part: TimeRange) -> tuple[Waits, Trace] | None:
    """Return what the jobs of a run waited for, and the jobs; say so and return None where it is not known.

    `file` is the trace that the run was given; without, the jobs have to be in the run.
    """
    from scheduler.cli.submissions import kept
    from scheduler.why.question import jobs_of, setup_of
    from scheduler.why.waits import Inquiry
    from traces.trace import Trace

    if file is not None:
        trace = jobs_of(run, kept(Trace.read(file), part))
        return Inquiry(run, setup_of(run, trace)).waits(), trace
    try:
        trace = jobs_of(run)
        return Inquiry(run, setup_of(run, trace)).waits(), trace
    except ValueError as error:
        tell([f"causes of waiting are left out: {error}"])
        return None
