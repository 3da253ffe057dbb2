"""How the jobs of a run ended there and at their source, in jobs and in the compute that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.run.directory import Run
from traces.arrays import Array, filtered, is_word, words_of
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
    told = run.table("jobs", ["outcome"]).column("outcome")
    if told.null_count == len(told):
        return {}
    jobs = run.table("jobs", ["gang", "runtime_s"])
    return _grouped(jobs, told.cast(pa.string()).fill_null(UNTOLD), (*SOURCE_OUTCOMES, UNTOLD))


def by_reason(run: Run, state: str) -> dict[str, Ending]:
    """Return the jobs of a final state by the reason for it, the most frequent first."""
    if not run.description["jobs"][state]:
        return {}
    jobs = run.table("jobs", ["state", "reason", "gang", "runtime_s"])
    jobs = filtered(jobs, is_word(jobs.column("state"), state))
    words = jobs.column("reason")
    found = _grouped(jobs, words, words_of(words))
    return dict(sorted(found.items(), key=lambda each: -each[1].jobs))


def _grouped(jobs: pa.Table, words: pa.ChunkedArray, order: Sequence[str]) -> dict[str, Ending]:
    work_s = jobs.column("gang").to_numpy().astype(np.int64) * jobs.column("runtime_s").to_numpy()
    return {word: _ending(work_s[found]) for word in order if (found := is_word(words, word)).any()}


def _ending(work_s: Array) -> Ending:
    return Ending(len(work_s), int(work_s.sum()) / HOUR_S)
