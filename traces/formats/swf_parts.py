"""What the status of an SWF line says: how a job ended, or of which part of a job the line is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from traces.arrays import Bools, Floats, Ints
from traces.formats.reader import RowTally, replaced
from traces.formats.text_table import found_rows

CANCELLED = 5
_OUTCOMES = {0: "failed", 1: "completed", 3: "completed", 4: "failed", 5: "cancelled"}
"""By status; 3 and 4 are said of the last part of a job."""
_OF_SLURM = {3: "completed", 4: "cancelled", 5: "failed", 6: "timeout", 7: "failed", 8: "preempted"}
_OF_SLURM |= {9: "failed", 10: "timeout", 11: "failed"}
"""By Slurm's state: a node or a boot that failed, or memory that was short, counts as failed."""
_FIRST, _LAST = 2, 4
"""Of the parts of a job."""


def whole_jobs(table: pa.Table, tally: RowTally) -> pa.Table:
    """Make one job of its parts (status 2, 3 and 4): its own line, or where that is missing, their sum.

    The state numbers of Slurm, which has no parts, are told apart.
    """
    columns = {name: table.column(name).to_numpy() for name in ("job_id", "status", "line", "runtime_s")}
    number, status, line, runtime = columns.values()
    slurm = _is_slurm(number, status)
    words = _OF_SLURM if slurm else _OUTCOMES
    outcome = pa.array([words.get(number) for number in status.tolist()], pa.string())
    table = replaced(table, "status", outcome).rename_columns({"status": "outcome"})
    if slurm:
        found_rows(tally.note, "status above 5: Slurm's, which knows no parts", status > CANCELLED, line)
        if not (status > CANCELLED).any():
            reason = "status 3 or 4, as of a last part, but no job is in parts: taken for Slurm's"
            found_rows(tally.note, reason, status > _FIRST, line)
        return table
    part = (status >= _FIRST) & (status <= _LAST)
    summed = part & np.isin(number, number[~part])
    found_rows(tally.skip, "part of a job (status 2, 3 or 4), whose own line has the sum", summed, line)
    own = ~part & np.isin(number, number[part])
    together, parts = (_by_job(number[own], number[part], each[part]) for each in (runtime, part))
    reason = "the run time of a job is not that of its parts together: its own line's taken"
    found_rows(tally.note, reason, np.abs(together - runtime[own]) > parts, line[own])  # each was rounded
    return _added_up(table, part & ~summed, tally).filter(pa.array(~summed & _first_parts(table, part)))


def _by_job(job: Floats, of: Floats, values: Floats) -> Floats:
    """Return the sum of some values `of` jobs, for each `job`."""
    known, at = np.unique(of, return_inverse=True)
    total = np.zeros(len(known) + 1)
    np.add.at(total, at, values)
    return np.asarray(total[np.searchsorted(known, job)])


def _in_time(table: pa.Table, part: Bools) -> Ints:
    """Return the rows of parts, in order of their submission; equal ones in that of the file."""
    rows = np.flatnonzero(part)
    return rows[np.argsort(table.column("submit_s").to_numpy()[rows], kind="stable")]


def _first_parts(table: pa.Table, part: Bools) -> Bools:
    """Say which rows are no parts, or the first part of a job."""
    rows = _in_time(table, part)
    keep = ~part
    keep[rows[np.unique(table.column("job_id").to_numpy()[rows], return_index=True)[1]]] = True
    return keep


def _added_up(table: pa.Table, alone: Bools, tally: RowTally) -> pa.Table:
    """Give the first part of each job the run times of all, and the end of the last."""
    columns = (table.column(name).to_numpy() for name in ("job_id", "line", "runtime_s", "gang"))
    number, line, runtime, gang = columns
    reason = "part of a job (status 2, 3 or 4) without a line of its own: added up"
    found_rows(tally.note, reason, alone, line)
    rows = _in_time(table, alone)
    _, first, job = np.unique(number[rows], return_index=True, return_inverse=True)
    other = gang[rows] != gang[rows[first]][job]
    found_rows(tally.note, "part of a job on other processors than its first: those taken", other, line[rows])
    runtime, ends = runtime.copy(), np.arange(len(number))
    runtime[rows[first]] = _by_job(number[rows[first]], number[rows], runtime[rows])
    ends[rows[first]] = rows[len(rows) - 1 - np.unique(number[rows][::-1], return_index=True)[1]]
    for name in ("outcome", "recorded_end_s"):
        table = replaced(table, name, table.column(name).take(pa.array(ends)))
    estimate = np.maximum(table.column("estimate_s").to_numpy(), np.where(alone, runtime, 0))
    return replaced(replaced(table, "runtime_s", runtime), "estimate_s", estimate)


def _is_slurm(number: Ints, status: Ints) -> bool:
    """Whether they are Slurm's states: some are no others, or of last parts where no job is in parts."""
    ended = (status > _FIRST) & (status <= _LAST)
    in_parts = (status == _FIRST).any() or len(np.unique(number)) < len(number)
    return bool((status > CANCELLED).any() or (ended.any() and not in_parts))
