"""What a run waited for, kept in its folder as waits.parquet once somebody has asked."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from scheduler.run.directory import Run
from scheduler.run.parts import WAITS_KEPT
from scheduler.why.causes import WAITS, Cause
from traces.arrays import Ints, rows_of
from traces.files import FINISHED, read_bytes
from traces.parquet import read_metadata, read_whole, write_batches

_OF = "exaburst.waits_of"
"""Key of the file metadata that says which run they are of: the SHA-256 of its run.json."""


def keep(run: Run, waits: pa.Table) -> None:
    """Keep a table as in `WAITS` in the folder of a run; raises OSError where it cannot be written."""
    schema = WAITS.with_metadata({_OF: _digest(run)})
    write_batches(_path(run), schema, [waits.cast(schema)])


def kept_waits(run: Run) -> pa.Table | None:
    """Return the table kept in the folder of a run; None for none, or one damaged or of another run."""
    with suppress(OSError, ValueError):
        if _path(run).exists() and read_metadata(_path(run)).get(_OF.encode()) == _digest(run).encode():
            return read_whole(_path(run))
    return None


def _path(run: Run) -> Path:
    return run.folder / WAITS_KEPT


def _digest(run: Run) -> str:
    return hashlib.sha256(read_bytes(run.folder / FINISHED)).hexdigest()


def cause_numbers(table: pa.Table, name: str) -> Ints:
    """Return the numbers of the causes in a column, -1 for null."""
    words = table.column(name).combine_chunks()
    numbers = np.array([*(int(Cause[word.upper()]) for word in words.dictionary.to_pylist()), -1], np.int64)
    return np.where(words.is_valid(), numbers[words.indices.fill_null(0)], -1)


def kept_by_cause(run: Run) -> dict[Cause, dict[str, int]] | None:
    """Return device-seconds waited by cause and workload; None where waits are not kept."""
    table = kept_waits(run)
    if table is None:
        return None
    jobs = run.table("jobs", ["job_id", "gang", "workload"])
    rows = rows_of(jobs.column("job_id").to_numpy(), table.column("job_id").to_numpy())
    seconds = table.column("to_s").to_numpy() - table.column("from_s").to_numpy()
    workload = jobs.column("workload").combine_chunks()
    codes, words = workload.indices.to_numpy(), workload.dictionary.to_pylist()
    gang = jobs.column("gang").to_numpy().astype(np.int64)
    return sums_by_cause(cause_numbers(table, "cause"), gang[rows] * seconds, codes[rows], words)


def sums_by_cause(cause: Ints, waited: Ints, codes: Ints, words: list[str]) -> dict[Cause, dict[str, int]]:
    """Return sums by cause, in their order, and word; none where there were none."""
    sums = np.zeros((len(Cause), len(words)), np.int64)
    np.add.at(sums, (cause, codes), waited)
    known = [at for at in np.argsort(words) if sums[:, at].any()]
    return {cause: {words[at]: int(sums[cause, at]) for at in known} for cause in Cause if sums[cause].any()}
