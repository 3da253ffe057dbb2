"""The run directory as it grows: part files, each whole or absent.

The engine packs one row of integers an attempt and one for whoever starts or ends to wait; everything else
is worked out per column, a part at a time. A killed run loses at most the part in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np
import pyarrow as pa

from scheduler import schema
from scheduler.engine.job import Attempt, Job
from scheduler.engine.steps import Ints, Steps
from traces.parquet import write_batches
from traces.trace import Trace

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Price = Callable[[Ints, Ints, Ints, Ints, Ints, Ints, Bools], tuple[Floats, Floats]]
"""(row of the trace, resource, devices, alloc_s, start_s, end_s, finished) -> (spend, revenue) in USD."""

PART_ROWS = 131_072
"""Attempts kept in memory before they, and what changed meanwhile, are written."""

_ROW = Struct("8q")
_PACK = _ROW.pack
_FROM_TRACE = [name for name in schema.JOBS.names if name in schema.TRACE_NAMES]

_NO_POD = -1

OUTCOMES = ("pending", "finished", "unfinished", "rejected")
"""How an attempt or a job ended; pending is said of no row."""
FINISHED, UNFINISHED, REJECTED = 1, 2, 3


class RunLog:
    """Collects what happens and writes it under `folder`, which must exist.

    A resource is a pool or an offer, numbered in that order.
    """

    def __init__(
        self, folder: Path, trace: Trace, pools: Sequence[str], offers: Sequence[str], price: Price
    ) -> None:
        self._folder = folder
        self._jobs = trace.table.select(_FROM_TRACE).combine_chunks()
        self._ready_s = trace.numpy("submit_s").copy()
        self._resources = pa.array([*pools, *offers])
        self._first_offer = len(pools)
        self._price = price
        self._states_schema = schema.states(pools, offers)
        self._rows = bytearray()
        self._full = PART_ROWS * _ROW.size
        self._spans: dict[int, list[int]] = {}
        self.running: dict[Attempt, None] = {}
        """What holds devices now, in order of their start; the simulation keeps it."""
        self._gang = trace.numpy("gang")
        self._waits = array("q")
        self._steps = Steps(len(self._states_schema) - 1)
        self._logged = np.zeros(len(trace), bool)
        self._unstarted: list[tuple[int, int, str]] = []
        self._parts = {"jobs": 0, "attempts": 0, "states": 0}
        self._counts = np.zeros(len(OUTCOMES), np.int64)

    def ready(self, job: Job, now: int) -> None:
        """What the job depended on is done."""
        self._ready_s[job.row] = now

    def ended(self, attempt: Attempt, end_s: int, outcome: int) -> None:
        """An attempt gave its devices back."""
        need, pods, rows = attempt.need, attempt.pods, self._rows
        if len(pods) > 1:
            self._spans[len(rows) // _ROW.size] = [pod.index for pod in pods]
        rows += _PACK(
            attempt.job.row,
            need.column,
            need.devices,
            attempt.alloc_s,
            attempt.ready_s,
            end_s,
            outcome,
            pods[0].index if pods else _NO_POD,
        )
        if len(rows) >= self._full:
            self.flush(end_s)

    def waits(self, job: Job, now: int, sign: int) -> None:
        """A job starts (1) or ends (-1) to wait."""
        self._waits.extend((now, job.row, sign))

    def unstarted(self, index: int, outcome: int, reason: str) -> None:
        """A job will never run, or had not run when the run ended."""
        self._unstarted.append((index, outcome, reason))

    def missing(self) -> list[int]:
        """Return the rows of the trace of which nothing is logged."""
        logged = self._logged.copy()
        logged[_columns(self._rows, 8)[0]] = True
        logged[[row for row, _, _ in self._unstarted]] = True
        return [int(row) for row in np.flatnonzero(~logged)]

    def flush(self, until_s: int) -> None:
        """Write what is in memory, and states before `until_s`, when more may still change.

        Each log has at least one part, so that an empty one can be read.
        """
        attempts = _columns(self._rows, 8)
        self._flush_states(attempts, until_s)
        self._flush_attempts(attempts)
        self._rows.clear()
        self._spans.clear()

    def counts(self) -> dict[str, int]:
        """Return the number of jobs by final state, of those logged."""
        return {word: int(self._counts[code]) for code, word in enumerate(OUTCOMES) if code}

    def _flush_attempts(self, attempts: list[Ints]) -> None:
        index, column, devices, alloc, ready, end, outcome, pod = attempts
        resource = column - 1
        start = np.minimum(alloc + ready, end)  # the horizon may cut off a boot
        unfinished = outcome != FINISHED
        idle = unfinished & (start == end)
        where = pa.DictionaryArray.from_arrays(resource.astype(np.int32), self._resources)
        rented = pa.array(resource >= self._first_offer)
        spend, revenue = self._price(index, resource, devices, alloc, start, end, ~unfinished)
        self._write(
            "attempts",
            schema.ATTEMPTS,
            {
                "job_id": self._jobs.column("job_id").take(pa.array(index)),
                "attempt": np.ones(len(index), np.int32),
                "where": where,
                "rented": rented,
                "pods": _pods(pod, self._spans),
                "devices": devices,
                "alloc_s": alloc,
                "start_s": pa.array(start, mask=idle),
                "end_s": end,
                "outcome": pa.DictionaryArray.from_arrays(outcome.astype(np.int32), pa.array(OUTCOMES)),
            },
        )
        reason = pa.array(idle.astype(np.int32), mask=~unfinished)
        ran = {
            "start_s": pa.array(start, mask=idle),
            "end_s": pa.array(end, mask=unfinished),
            "wait_s": pa.array(start - self._ready_s[index], mask=idle),
            "reason": pa.DictionaryArray.from_arrays(reason, pa.array(["still running", "no work yet"])),
            "where": where,
            "rented": rented,
            "devices": pa.array(devices),
            "spend_usd": pa.array(spend),
            "revenue_usd": pa.array(revenue),
        }
        self._write_jobs(index, outcome, ran)

    def _write_jobs(self, index: Ints, outcome: Ints, ran: dict[str, pa.Array]) -> None:
        """Write the jobs' rows: those that ran, then those since the last part that never will."""
        never = self._unstarted
        rows = np.concatenate([index, np.array([row for row, _, _ in never], np.int64)])
        codes = np.concatenate([outcome, np.array([code for _, code, _ in never], np.int64)])
        columns: dict[str, Any] = dict(ran)
        if never:
            blank = {name: pa.nulls(len(never), values.type) for name, values in ran.items()}
            blank["spend_usd"] = blank["revenue_usd"] = pa.array(np.zeros(len(never)))
            blank["reason"] = pa.array([reason for _, _, reason in never]).dictionary_encode()
            columns = {name: pa.chunked_array([ran[name], blank[name]]) for name in ran}
        for name in _FROM_TRACE:
            columns[name] = self._jobs.column(name).take(pa.array(rows))
        columns["ready_s"] = self._ready_s[rows]
        columns["state"] = pa.DictionaryArray.from_arrays(codes.astype(np.int32), pa.array(OUTCOMES))
        columns["attempts"] = np.repeat([1, 0], [len(index), len(never)])
        self._counts += np.bincount(codes, minlength=len(OUTCOMES))
        self._logged[rows] = True
        self._write("jobs", schema.JOBS, columns)
        never.clear()

    def _flush_states(self, attempts: list[Ints], until_s: int) -> None:
        _, column, devices, alloc, _, end, _, _ = attempts
        held = [(attempt.alloc_s, attempt.need.column, attempt.need.devices) for attempt in self.running]
        running = [change for change in held if change[0] < until_s]
        since, row, sign = _columns(self._waits, 3)
        jobs = np.full(len(row), len(self._states_schema) - 2)
        changes = [
            (alloc, column, devices),
            (end, column, -devices),
            np.array(running, np.int64).reshape(-1, 3).T,
            (since, jobs, sign),
            (since, jobs + 1, sign * self._gang[row]),
        ]
        time_s, level, change = map(np.concatenate, zip(*changes, strict=True))
        columns = self._steps.until(until_s, time_s, level - 1, change)
        self._write("states", self._states_schema, dict(zip(self._states_schema.names, columns, strict=True)))
        del self._waits[:]

    def _write(self, log: str, columns_schema: pa.Schema, columns: dict[str, Any]) -> None:
        table = pa.table({name: columns[name] for name in columns_schema.names}).cast(columns_schema)
        part = self._folder / f"{log}.parquet" / f"part-{self._parts[log]:05d}.parquet"
        if table.num_rows or not self._parts[log]:
            part.parent.mkdir(exist_ok=True)
            write_batches(part, columns_schema, [table.unify_dictionaries()])
            self._parts[log] += 1


def _columns(rows: bytearray | array[int], width: int) -> list[Ints]:
    """Return packed rows as one contiguous array a column."""
    return list(np.frombuffer(rows, np.int64).reshape(-1, width).T.copy())


def _pods(pod: Ints, spans: dict[int, list[int]]) -> pa.Array:
    """Return the pods of each attempt as a list: one, none, or those of the few that span several."""
    lengths = np.where(pod == _NO_POD, 0, 1)
    lengths[list(spans)] = [len(pods) for pods in spans.values()]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.repeat(pod, lengths)
    for row, pods in spans.items():
        values[offsets[row] : offsets[row + 1]] = pods
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, pa.int32()))
