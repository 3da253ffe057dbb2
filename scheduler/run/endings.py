"""How the jobs of a run ended there and at their source, in jobs and in the compute that they ask for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import Array
from traces.schema import SOURCE_OUTCOMES
from traces.times import HOUR_S

UNTOLD = "not told"
"""Of jobs whose source does not say how they ended."""


class Ending(NamedTuple):
    """So many jobs, and the hours of reference devices that they ask for: gang x run time."""

    jobs: int
    device_h: float


def by_source_outcome(run: Run) -> dict[str, Ending]:
    """Return the jobs by how they ended at their source; nothing where it says so of none."""
    jobs = run.table("jobs", ["outcome", "gang", "runtime_s"])
    words = jobs.column("outcome").cast(pa.string())
    if words.null_count == len(words):
        return {}
    return _grouped(jobs, words.fill_null(UNTOLD), (*SOURCE_OUTCOMES, UNTOLD))


def by_reason(run: Run, state: str) -> dict[str, Ending]:
    """Return the jobs of a final state by the reason for it, the most frequent first."""
    jobs = run.table("jobs", ["state", "reason", "gang", "runtime_s"])
    jobs = jobs.filter(pc.equal(jobs.column("state").cast(pa.string()), state))
    words = jobs.column("reason").cast(pa.string())
    found = _grouped(jobs, words, sorted(words.unique().to_pylist()))
    return dict(sorted(found.items(), key=lambda each: -each[1].jobs))


def _grouped(jobs: pa.Table, words: pa.ChunkedArray, order: tuple[str, ...] | list[str]) -> dict[str, Ending]:
    work_s = jobs.column("gang").to_numpy().astype(np.int64) * jobs.column("runtime_s").to_numpy()
    return {word: _ending(work_s[found]) for word in order if (found := _is(words, word)).any()}


def _ending(work_s: Array) -> Ending:
    return Ending(len(work_s), int(work_s.sum()) / HOUR_S)


def _is(words: pa.ChunkedArray, word: str) -> Array:
    return np.asarray(pc.equal(words, word).to_numpy())
