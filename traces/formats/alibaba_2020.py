"""Reader of Alibaba's PAI jobs of 2020: pai_job_table.csv and pai_task_table.csv, without headers.

The tables: https://github.com/alibaba/clusterdata, cluster-trace-gpu-v2020 (Weng et al., NSDI 2022). The
start of a job in its own table is its submission; its tasks say when it ran and on what.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.formats.mapping.mapped import jobs_of
from traces.formats.mapping.spec import Changes, preset
from traces.formats.reader import Jobs, RowTally
from traces.formats.text_table import TextRows, as_numbers, read_rows
from traces.schema import TraceError

JOB_TABLE = ("job_name", "inst_id", "user", "status", "start_time", "end_time")
TASK_TABLE = (
    *("job_name", "task_name", "inst_num", "status", "start_time", "end_time"),
    *("plan_cpu", "plan_mem", "plan_gpu", "gpu_type"),
)
_OF_JOB = {"user": "user", "job_status": "status", "submit_time": "start_time"}
"""Columns that a task takes from its job, and their names there."""


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read a row a task, given either of the tables; a mapping adds tasks up to jobs."""
    jobs_path, tasks_path = _tables(path)
    jobs = _job_table(jobs_path)
    blocks = [_with_job(rows, jobs) for rows in _rows(tasks_path, tally, TASK_TABLE)]
    return jobs_of(blocks, tally, changes.over(preset("alibaba-2020")))


def _tables(path: Path) -> tuple[Path, Path]:
    for one, other in (("job", "task"), ("task", "job")):
        if f"_{one}_table" in path.name:
            beside = path.with_name(path.name.replace(f"_{one}_table", f"_{other}_table"))
            if path.exists() and not beside.exists():
                raise TraceError(f"{beside.name} must stand beside it: jobs and tasks are in two tables")
            return (path, beside) if one == "job" else (beside, path)
    if path.is_file():
        raise TraceError("must be pai_job_table.csv or pai_task_table.csv, with the other beside it")
    return path, path


def _rows(path: Path, tally: RowTally, names: tuple[str, ...]) -> Iterator[TextRows]:
    for rows in read_rows(path, tally, separator=",", names=names):
        head = pc.equal(rows.words("job_name"), "job_name").to_numpy(zero_copy_only=False)
        rows.skip(head, "a header")
        yield rows


def _job_table(path: Path) -> pa.Table:
    blocks = list(_rows(path, RowTally(), JOB_TABLE))
    return pa.concat_tables([rows.kept(**{name: rows.words(name) for name in JOB_TABLE}) for rows in blocks])


def _with_job(rows: TextRows, jobs: pa.Table) -> TextRows:
    """Return tasks with what their jobs say; those with GPUs come first, as they say which."""
    columns = {name: rows.words(name) for name in TASK_TABLE}
    found = pc.index_in(columns["job_name"], value_set=jobs.column("job_name").combine_chunks())
    for name, of_job in _OF_JOB.items():
        columns[name] = jobs.column(of_job).combine_chunks().take(found).fill_null("")
    columns["task"] = pc.binary_join_element_wise(columns["job_name"], columns["task_name"], "/")
    gpus = np.nan_to_num(as_numbers(columns["plan_gpu"]))
    return rows.with_columns(columns, np.argsort(gpus == 0, kind="stable"))
