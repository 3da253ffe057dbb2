"""What a question about a finished run is asked of: its jobs, its set-up, and the job in question."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow.compute as pc

from scheduler.catalog import Catalog
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run, RunError
from scheduler.run.parts import DEMAND
from scheduler.scenario import Scenario
from traces.trace import Trace


def setup_of(run: Run, trace: Trace, catalog: Catalog | None = None) -> Setup:
    """Work out again what was fixed for a run; raises what `Setup.of` raises."""
    scenario = msgspec.convert(run.description["scenario"], Scenario, str_keys=True)
    return Setup.of(scenario, trace, catalog)


def jobs_of(run: Run, given: Path | None = None) -> Trace:
    """Return the jobs of a run: those that lie in it, or those of the trace that it was given.

    Raises RunError where they are needed or are others, and TraceError.
    """
    asked = run.description["trace"]
    if given is None and run.description["demand"] is None:
        raise RunError(f"{run.folder}: its trace is not in it; give it with --trace")
    trace = Trace.read(given or run.folder / DEMAND)
    if given is not None and trace.sha256 != asked["sha256"]:
        raise RunError(f"{given}: holds other jobs than {run.folder} ran, by their SHA-256")
    return trace


def row_of(run: Run, trace: Trace, job: str) -> int:
    """Return the row of the trace of a job, by its name or its id; raises RunError where there is none."""
    found = pc.index(trace.table.column("name"), job).as_py()
    if found >= 0:
        return int(found)
    ids = trace.numpy("job_id")
    at = np.flatnonzero(ids == int(job)) if job.isdecimal() and len(job) < 19 else ids[:0]
    if not len(at):
        most = f"ids are {ids.min():,} to {ids.max():,}" if len(ids) else "it has none"
        raise RunError(f'{run.folder}: job "{job}": no such job; {most}')
    return int(at[0])
