"""The attempts of a run as the Gantt chart of a page draws them: rows of pods and offers, in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.report.executions import tracks
from scheduler.report.packing import packed
from scheduler.report.page.groups import Groups
from scheduler.run.directory import Run
from traces.arrays import Array

MOST_ATTEMPTS = 100_000


def gantt(run: Run, attempts: pa.Table, groups: Groups) -> dict[str, Any]:
    """Return rows, attempts and blocks by column; of more than `MOST_ATTEMPTS` those that held the most.

    A block stands in a row, from a place on, for so many devices. Times are seconds from the run's start,
    those of the attempts in order, each less the one before.
    """
    left_out = max(0, attempts.num_rows - MOST_ATTEMPTS)
    attempts = _largest(attempts)
    rows, blocks = [], []
    alloc_s, end_s = (attempts.column(name).to_numpy() for name in ("alloc_s", "end_s"))
    for number, track in enumerate(tracks(run, attempts)):
        found = [*packed(alloc_s[track.attempt], end_s[track.attempt], track.devices)]
        size = _size(run, track.resource, max((block.first + block.places for block in found), default=0))
        rows.append({"name": track.resource, "pod": track.pod, "size": size})
        blocks += [(int(track.attempt[which]), number, first, places) for which, first, places in found]
    return {
        "rows": rows,
        "attempts": _columns(run, attempts, groups),
        "blocks": [list(column) for column in zip(*sorted(blocks), strict=True)] or [[], [], [], []],
        "left_out": left_out,
    }


def _largest(attempts: pa.Table) -> pa.Table:
    """Return the attempts that are drawn, in order of time."""
    alloc_s, end_s, devices = (attempts.column(name).to_numpy() for name in ("alloc_s", "end_s", "devices"))
    largest = np.argsort(-(end_s - alloc_s) * devices.astype(np.int64), kind="stable")[:MOST_ATTEMPTS]
    return attempts.take(pa.array(largest[np.argsort(alloc_s[largest], kind="stable")]))


def _size(run: Run, resource: str, found: int) -> int:
    pods = {pool["name"]: int(pool["pod_devices"]) for pool in run.description["pools"]}
    return max(pods.get(resource, 1), found)


def _columns(run: Run, attempts: pa.Table, groups: Groups) -> dict[str, Any]:
    alloc_s, start_s, end_s = (
        attempts.column(name).to_numpy().astype(np.int64) for name in ("alloc_s", "start_s", "end_s")
    )
    named = pc.is_valid(attempts.column("name")).to_numpy()
    labels = attempts.column("name").to_pylist()
    return {
        "id": attempts.column("job_id").to_pylist(),
        "name": {int(at): labels[at] for at in np.flatnonzero(named)},
        "group": groups.of(attempts.column("job_id").to_numpy()).tolist(),
        "kind": _words(attempts, "kind"),
        "outcome": _words(attempts, "outcome"),
        "devices": attempts.column("devices").to_pylist(),
        "alloc": np.diff(alloc_s, prepend=run.start_s).tolist(),
        "boot": (start_s - alloc_s).tolist(),
        "length": (end_s - alloc_s).tolist(),
    }


def _words(attempts: pa.Table, name: str) -> dict[str, list[Any]]:
    column = attempts.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
    codes: Array = column.indices.to_numpy()
    return {"words": column.dictionary.to_pylist(), "at": codes.tolist()}
