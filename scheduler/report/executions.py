"""The attempts of a run as they are drawn: of what job, where, and what it waited for before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from scheduler.why.causes import Cause
from scheduler.why.held import Holdings
from scheduler.why.spans import Waits
from traces.arrays import Ints, rows_of
from traces.trace import Trace

_OF_JOB = ("workload", "kind", "owner", "gang", "name")
_OF_ATTEMPT = ["job_id", "attempt", "where", "pods", "devices", "alloc_s", "start_s", "end_s", "outcome"]


class Track(NamedTuple):
    """Devices that attempts hold on one pod of a pool, or of an offer; `attempt` is a row of `executions`."""

    resource: str
    pod: int | None
    attempt: Ints
    devices: Ints


def executions(run: Run) -> pa.Table:
    """Return the attempts in their order in the log, with the words of their jobs, and a `label` for each.

    `start_s` is never null: an attempt that never got to work starts at its end.
    """
    jobs = run.table("jobs", ["job_id", *_OF_JOB])
    attempts = run.table("attempts", [*_OF_ATTEMPT, "spend_usd"])
    at = pa.array(rows_of(*(table.column("job_id").to_numpy() for table in (jobs, attempts))))
    for name in _OF_JOB:
        attempts = attempts.append_column(name, jobs.column(name).take(at))
    label = pc.coalesce(attempts.column("name"), attempts.column("job_id").cast(pa.string()))
    start_s = pc.coalesce(attempts.column("start_s"), attempts.column("end_s"))
    place = attempts.column_names.index("start_s")
    return attempts.set_column(place, "start_s", start_s).append_column("label", label)


def tracks(run: Run, attempts: pa.Table) -> Iterator[Track]:
    """Return what `executions` hold, pod by pod of each pool, then of each offer.

    A gang over several pods stands in each of them.
    """
    held = Holdings.of(attempts, [*run.pools, *run.offers])
    for number, name in enumerate([*run.pools, *run.offers]):
        rows = np.flatnonzero(held.resource == number)
        if name not in run.pools:
            yield Track(name, None, rows, held.devices[rows].astype(np.int64))
            continue
        pool = run.description["pools"][number]
        row, pod, devices = held.at(number).by_pod(pool["pod_devices"])
        for each in range(pool["pods"]):
            there = pod == each
            yield Track(name, each, rows[row[there]], devices[there])


def causes_before(run: Run, attempts: pa.Table, waits: Waits, trace: Trace) -> list[dict[Cause, int]]:
    """Return for each of `executions` the seconds by cause that its job waited since the attempt before.

    That includes what it spent booting. The wait of a job that has not started yet is of none.
    """
    found: list[dict[Cause, int]] = [{} for _ in range(attempts.num_rows)]
    row = rows_of(trace.numpy("job_id"), attempts.column("job_id").to_numpy())
    began = row * (run.end_s + 1) + attempts.column("start_s").to_numpy()
    order = np.argsort(began, kind="stable")
    following = np.searchsorted(began[order], waits.row * (run.end_s + 1) + waits.to_s)
    last = len(order) - 1
    for wait, place in enumerate(following.tolist()):
        if place <= last and row[order[place]] == waits.row[wait]:
            sums, cause = found[order[place]], Cause(waits.cause[wait])
            sums[cause] = sums.get(cause, 0) + int(waits.to_s[wait] - waits.from_s[wait])
    return found


def plain(attempts: pa.Table, names: list[str]) -> dict[str, list[Any]]:
    """Return columns as lists."""
    return {name: attempts.column(name).to_pylist() for name in names}
