"""How jobs ended, as lines: at their source, and why they did not run or finish in the run."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.run.directory import Run
from scheduler.run.endings import Ending, by_reason, by_source_outcome
from traces.numbers import count

_MOST = 5
"""So many reasons of a state are shown one by one."""


def endings(run: Run) -> list[str]:
    """Return a line for each reason that jobs were rejected or killed, and one for how all ended before."""
    lines = []
    for state in ("rejected", "killed"):
        if run.description["jobs"][state]:
            found = by_reason(run, state)
            rest = list(found)[_MOST:]
            lines += [f"{state}: {_told(found[reason])}: {reason}" for reason in found if reason not in rest]
            if rest:
                jobs = sum(found[reason].jobs for reason in rest)
                lines.append(f"{state}: {count(jobs)} for {len(rest)} other reasons")
    at_source = by_source_outcome(run)
    return [*lines, f"at their source: {_listed(at_source)}"] if at_source else lines


def _listed(found: Mapping[str, Ending]) -> str:
    return ", ".join(f"{word} {_told(ending)}" for word, ending in found.items())


def _told(ending: Ending) -> str:
    return f"{count(ending.jobs)} ({count(ending.device_h)} device-h)"
