"""What a question about a finished run is asked of: its jobs, its set-up, and the job in question."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pyarrow.compute as pc

from scheduler.catalog import Catalog
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run, RunError
from scheduler.run.parts import DEMAND
from scheduler.scenario import Scenario
from traces.files import read_bytes
from traces.stored import StoredTrace
from traces.trace import Trace

_FIXED = {
    "pools": ("device", "pod_devices", "span_efficiency"),
    "offers": ("device", "quota", "sizes", "boot_s", "release_s", "staging_s_per_tb", "spot"),
}
"""Figures of the catalog and the scenario by which jobs start."""


def setup_of(run: Run, trace: Trace, catalog: Catalog | None = None) -> Setup:
    """Work out again what was fixed for a run.

    Raises RunError for a run as recorded, one that opens warm, and one with other figures than those of the
    catalog, and what `Setup.of` raises.
    """
    if trace.opens_s is not None:
        raise RunError(f"{run.folder}: opens warm, and what jobs waited for before is not known")
    if run.as_recorded:
        raise RunError(f"{run.folder}: as recorded, and a record does not say what jobs waited for")
    scenario = msgspec.convert(run.description["scenario"], Scenario, str_keys=True)
    setup = Setup.of(scenario, trace, catalog)
    for parts, names in _FIXED.items():
        for had, has in zip(run.description[parts], getattr(setup.stock, parts), strict=True):
            _check_figures(run, had, msgspec.to_builtins(has), names)
    return setup


def _check_figures(run: Run, had: dict[str, Any], has: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        told = json.loads(json.dumps(has[name]))
        if had[name] != told:
            raise RunError(
                f"{run.folder}: {had['name']} had {name} {had[name]}, and the catalog now has {told}; "
                "name the catalog of the run with --catalog"
            )


def jobs_of(run: Run, given: Trace | None = None) -> Trace:
    """Return the jobs of a run: those that lie in it, or the trace that it was given.

    Raises RunError where they are not at hand, or are others.
    """
    if given is None:
        if run.description["demand"] is None:
            raise RunError(f"{run.folder}: does not hold the jobs that it was given; name them with --trace")
        return StoredTrace(read_bytes(run.folder / DEMAND))
    if given.sha256 != run.description["trace"]["sha256"]:
        raise RunError(f"{run.folder}: ran other jobs than the trace holds, by their SHA-256")
    return given


def row_of(run: Run, trace: Trace, job: str) -> int:
    """Return the row of the trace of a job, by its name or its id; raises RunError where there is none."""
    found = pc.index(trace.column("name"), job).as_py()
    if found >= 0:
        return int(found)
    ids = trace.numpy("job_id")
    at = np.flatnonzero(ids == int(job)) if job.isdecimal() and len(job) < 19 else ids[:0]
    if not len(at):
        most = f"ids are {ids.min():,} to {ids.max():,}" if len(ids) else "it has none"
        raise RunError(f'{run.folder}: job "{job}": no such job; {most}')
    return int(at[0])
