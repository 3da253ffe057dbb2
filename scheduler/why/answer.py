"""The waits of all jobs of a run: found again, or worked out and kept."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pyarrow as pa

from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.why.causes import Cause
from scheduler.why.kept import keep, kept_waits
from scheduler.why.run_figures import RunFigures
from scheduler.why.spans import Waits
from scheduler.why.waits import Inquiry
from traces.arrays import Ints, rows_of
from traces.trace import Trace


def waits_of_run(run: Run, setup: Setup, jobs: str | None = None) -> Waits:
    """Return what the jobs of a run waited for; `jobs` is the SHA-256 of the file that held them, if any.

    It is kept in the run's folder. Where nothing can be written there, it is worked out each time.
    """
    table = kept_waits(run)
    if table is not None:
        return _read(table, setup.trace)
    waits = Inquiry(run, setup).waits()
    with suppress(OSError):
        keep(run, waits.table(setup.trace), RunFigures.of(run, setup.trace, waits), jobs)
    return waits


def _read(table: pa.Table, trace: Trace) -> Waits:
    about = table.column("about").combine_chunks()
    job_id, from_s, to_s, patient = (
        table.column(name).to_numpy() for name in ("job_id", "from_s", "to_s", "patient")
    )
    return Waits(
        row=rows_of(trace.numpy("job_id"), job_id),
        from_s=from_s,
        to_s=to_s,
        cause=_numbers(table, "cause"),
        on_pods=_numbers(table, "on_pods"),
        about=about.indices.fill_null(-1).to_numpy().astype(np.int64),
        patient=patient,
        words=about.dictionary.to_pylist(),
    )


def _numbers(table: pa.Table, name: str) -> Ints:
    """Return the numbers of the causes in a column, -1 for null."""
    words = table.column(name).combine_chunks()
    numbers = np.array([*(int(Cause[word.upper()]) for word in words.dictionary.to_pylist()), -1], np.int64)
    return np.where(words.is_valid(), numbers[words.indices.fill_null(0)], -1)
