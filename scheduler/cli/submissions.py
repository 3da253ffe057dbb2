"""The part of the jobs that a command is asked for.

It costs to import, so a command imports it once it runs.
"""

from __future__ import annotations

from scheduler.cli.terminal import tell
from traces.submissions import ALL_TIME, TimeRange, cut
from traces.trace import Trace


def kept(jobs: Trace, part: TimeRange) -> Trace:
    """Return the part of the jobs that is asked for, and say what was cut."""
    if part == ALL_TIME:
        return jobs
    cut_down = cut(jobs, part)
    tell([str(cut_down)])
    return cut_down.trace
