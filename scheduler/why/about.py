"""Whom jobs waited for that had to come after others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import Ints
from traces.trace import Trace


def labels(trace: Trace, rows: Ints) -> list[str]:
    """Return what jobs are called, by row: their name, or their id."""
    table = trace.rows(rows, ["name", "job_id"])
    said: list[str] = pc.coalesce(table.column("name"), table.column("job_id").cast(pa.string())).to_pylist()
    return said


def last_before(run: Run, trace: Trace, rows: Ints) -> list[str]:
    """Return what that job is called which each of some rows comes after, and which ended last.

    One that has not finished counts as the last.
    """
    if not len(rows):
        return []
    jobs = run.table("jobs", ["job_id", "state", "end_s"])
    finished = pc.equal(jobs.column("state").cast(pa.string()), "finished").to_numpy()
    never = np.iinfo(np.int64).max
    end_s = np.where(finished, jobs.column("end_s").fill_null(never).to_numpy(), never)
    ids = jobs.column("job_id").to_numpy()
    ends = dict(zip(ids.tolist(), end_s.tolist(), strict=True))
    after, job_id = trace.after, trace.numpy("job_id")
    last = []
    for row in rows.tolist():
        before = after.rows[after.offsets[row] : after.offsets[row + 1]].tolist()
        last.append(max(before, key=lambda at: (ends[int(job_id[at])], -at)))
    return labels(trace, np.array(last))
