"""What the charts of a page add up: sums by step of time, group of jobs, and one thing more.

A cube is columns of whole numbers of equal length, and one of amounts; cells without any are left out. What
`scheduler.run` and `scheduler.why` say of all of a run is what the cells come to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from scheduler.report.page.groups import Groups, numbered, step_of
from scheduler.run.columns import CHARGED_TO, LINES
from scheduler.run.directory import Run
from scheduler.run.job_figures import gang_sizes, ready_jobs, reference_work_s
from scheduler.run.spend import sums
from scheduler.why.causes import Cause
from scheduler.why.spans import Waits
from traces.arrays import Array, Ints, combinations
from traces.step_function import by_cell, from_changes
from traces.times import DAY_S, HOUR_S
from traces.trace import Trace

Cube = dict[str, list[Any]]

WAITED = ("at once", "up to 10 min", "up to 1 h", "up to 4 h", "up to 1 day", "longer", "not started")
_WAITED_S = (0, 600, HOUR_S, 4 * HOUR_S, DAY_S)


def held(attempts: pa.Table, groups: Groups, edges: Array, resources: list[str]) -> Cube:
    """Return device-hours held by step, group and resource, booting included."""
    group, resource = (
        groups.of(attempts.column("job_id").to_numpy()),
        numbered(resources, attempts.column("where")),
    )
    spans = (attempts.column(name).to_numpy() for name in ("alloc_s", "end_s", "devices"))
    return _over_time(edges, [group, resource], ("group", "resource"), *spans)


def waiting(waits: Waits, trace: Trace, groups: Groups, edges: Array) -> Cube:
    """Return reference device-hours waited by step, group and cause; dependencies come before the wait."""
    some = np.flatnonzero(waits.cause != Cause.DEPENDENCY)
    row = waits.row[some]
    keys = [groups.of(trace.numpy("job_id")[row]), waits.cause[some]]
    spans = waits.from_s[some], waits.to_s[some], trace.numpy("gang")[row]
    return _over_time(edges, keys, ("group", "cause"), *spans)


def waited(jobs: pa.Table, groups: Groups, edges: Array) -> tuple[Cube, list[str]]:
    """Return the work of `worked_jobs` by step of submission, group, size of gang and how long they waited.

    That is reference device-hours of the jobs that were ready; beside it are the names of the sizes.
    """
    jobs = ready_jobs(jobs)
    size, sizes = gang_sizes(jobs)
    late = np.searchsorted(_WAITED_S, jobs.column("wait_s").fill_null(0).to_numpy())
    late = np.where(jobs.column("start_s").is_valid().to_numpy(), late, len(WAITED) - 1)
    step = step_of(edges, jobs.column("submit_s").to_numpy())
    columns = {"step": step, "group": groups.of(jobs.column("job_id").to_numpy()), "size": size, "late": late}
    return _summed(columns, {"amount": reference_work_s(jobs) / HOUR_S, "jobs": np.ones(len(step))}), sizes


def charged(attempts: pa.Table, groups: Groups, edges: Array, resources: list[str]) -> Cube:
    """Return USD charged to jobs for their attempts, by the step in which these begin, group and resource."""
    columns = {
        "step": step_of(edges, attempts.column("alloc_s").to_numpy()),
        "group": groups.of(attempts.column("job_id").to_numpy()),
        "resource": numbered(resources, attempts.column("where")),
    }
    return _summed(columns, {"amount": attempts.column("spend_usd").to_numpy()})


def spent(run: Run, edges: Array, resources: list[str]) -> Cube:
    """Return USD by the step in which a charge period begins, resource, line and who bears it; no revenue."""
    words = ["period_s", "resource", "line", "charged_to"]
    rows = [
        row for row in sums(run.table("spend", [*words, "usd"]), words, ["usd"]) if row["line"] != "revenue"
    ]
    columns = {
        "step": step_of(edges, np.array([row["period_s"] for row in rows], np.int64)),
        "resource": np.array([resources.index(row["resource"]) for row in rows], np.int64),
        "line": np.array([[*LINES].index(row["line"]) for row in rows], np.int64),
        "bearer": np.array([CHARGED_TO.index(row["charged_to"]) for row in rows], np.int64),
    }
    return _summed(columns, {"amount": np.array([row["usd"] for row in rows])})


def _over_time(
    edges: Array, keys: list[Ints], names: tuple[str, str], from_s: Array, to_s: Array, devices: Array
) -> Cube:
    """Return the device-hours of spans of time in each step, by two keys."""
    first, number = combinations([pa.chunked_array([pa.array(key)]) for key in keys])
    cube: Cube = {name: [] for name in ("step", *names, "amount")}
    for at, (begin, end, held_) in enumerate(_parts(number, len(first), from_s, to_s, devices)):
        level = from_changes(np.concatenate([begin, end]), np.concatenate([held_, -held_]))
        hours = by_cell(*level, edges) / HOUR_S
        some = np.flatnonzero(hours)
        cube["step"] += some.tolist()
        for name, key in zip(names, keys, strict=True):
            cube[name] += [int(key[first[at]])] * len(some)
        cube["amount"] += _rounded(hours[some])
    return cube


def _parts(number: Ints, size: int, *columns: Array) -> Iterator[tuple[Ints, ...]]:
    """Give columns number by number."""
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(size + 1))
    for at in range(size):
        some = order[bounds[at] : bounds[at + 1]]
        yield tuple(column[some].astype(np.int64) for column in columns)


def _summed(columns: dict[str, Ints], amounts: dict[str, Array]) -> Cube:
    """Sum amounts up by columns of small whole numbers."""
    shape = tuple(int(column.max(initial=0)) + 1 for column in columns.values())
    flat = np.ravel_multi_index(tuple(columns.values()), shape)
    cells, number = np.unique(flat, return_inverse=True)
    places = np.unravel_index(cells, shape)
    cube: Cube = {name: place.tolist() for name, place in zip(columns, places, strict=True)}
    sums_ = {name: np.bincount(number, amount, len(cells)) for name, amount in amounts.items()}
    return cube | {name: _rounded(total) for name, total in sums_.items()}


def _rounded(values: Array) -> list[float]:
    """Return amounts in six digits, which is more than a chart shows, whole ones without a point."""
    return [float(f"{value:.6g}") if value % 1 else int(value) for value in values.tolist()]
