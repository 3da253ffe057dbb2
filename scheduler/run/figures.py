"""What is kept of a run: a flat row of figures, computed from its logs.

A name is `figure` or, for a part of the run, `figure:part`, as in `wait_p95_s:fsd.release`; the unit stands
in the name. A figure that does not exist, such as the waits of no jobs, is None. Of a window of the run there
are the jobs submitted in it, up to the end of the run, and what was held and paid in the window; attempts
that lie in it partly count partly, where they were cut short by their end.

`scheduler.study.sweep.results.FIGURES` says what each figure is. The parts are kinds of jobs, pools, offers
and lines of the ledger. Two more are kept only if asked for, for statistics over the jobs of several runs:
`waits_s:KIND`, each started job's wait with the waits of those it comes after, and `waiting_s:KIND`,
likewise, so far, of the jobs that had not started by the end; None: rejected.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, isnan, nan
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from scheduler.run.goodput import CUT_SHORT, Held
from scheduler.run.metrics import bounded_slowdown, device_seconds, missed, percentiles, utilization
from traces.arrays import Array
from traces.times import HOUR_S
from traces.trace import NO_VALUE, Trace

Metrics = dict[str, Any]

STRANDED_S = 86_400
"""A job that has waited for a day when the run ends counts as stranded, not as cut off by the horizon."""
STATES = ("finished", "unfinished", "rejected", "killed")
_MOVED = ("egress", "transfer")
"""Lines of an offer that pay for data, not for devices."""
_PLAIN = {"resource": pa.string(), "line": pa.string(), "usd": pa.float64()}
_NEVER_READY = ("waits for another job", "not yet submitted")
_COLUMNS = [
    "job_id",
    "kind",
    "submit_s",
    "state",
    "gang",
    "runtime_s",
    "reason",
    "ready_s",
    "start_s",
    "end_s",
    "wait_s",
    "deadline_s",
    "rented",
]


def measure(
    run: Run, trace: Trace, waits_of: tuple[str, ...] = (), window: tuple[int, int] | None = None
) -> Metrics:
    """Return the figures of a finished run over `trace`; `waits_of` are the kinds whose waits are kept.

    `window` are the seconds from which and before which it is measured, by default all of the run; spend
    counts by the charge periods that begin in it.
    """
    jobs = run.table("jobs", _COLUMNS).sort_by("job_id")
    held = Held(run)
    work_s = held.of_jobs(jobs.column("job_id").to_numpy(), held.work // held.devices)
    jobs = jobs.append_column("work_s", pa.array(work_s))
    waits = _waits(jobs, trace, run.end_s, waits_of) if waits_of else {}
    if window is not None:
        submit_s = jobs.column("submit_s").to_numpy()
        jobs = jobs.filter(pa.array((submit_s >= window[0]) & (submit_s < window[1])))
    kinds = jobs.column("kind").cast("string")
    metrics: Metrics = {"end_s": run.end_s} | _jobs(jobs, "") | _waited(jobs, run.end_s)
    metrics |= _slowdown(jobs) | _deadlines(jobs, run.end_s) | _stranded(jobs, run.end_s)
    for kind in sorted(pc.unique(kinds).to_pylist()):
        of_kind = jobs.filter(pc.equal(kinds, kind))
        metrics |= _jobs(of_kind, f":{kind}")
    start_s, end_s = window or (0, run.end_s)
    metrics |= waits | _devices(run, jobs, start_s, end_s) | _interrupted(run, held, start_s, end_s)
    refused = sum(run.description["refused"].values()) if window is None else None
    return metrics | {"refused": refused} | _spend(run, window)


def chained(own: Array, job_id: Array, after: Array) -> Array:
    """Return each job's `own` value plus those of the jobs before it in its chain.

    Rows are jobs, ascending in `job_id`; `after` is the job_id of the one to follow, or NO_VALUE.
    """
    follows = np.flatnonzero(after != NO_VALUE)
    parent = np.searchsorted(job_id, after[follows])
    total, last = own.copy(), None
    while last is None or not np.array_equal(total, last):  # once for each link of the longest chain
        last = total.copy()
        total[follows] = own[follows] + last[parent]
    return total


def _waits(jobs: pa.Table, trace: Trace, end_s: int, kinds: tuple[str, ...]) -> Metrics:
    """Waits of the jobs of some kinds, with those of the jobs that each comes after."""
    by_id = np.argsort(trace.numpy("job_id"))
    started = jobs.column("start_s").is_valid().to_numpy()
    own = np.where(_is(jobs, "state", "rejected"), np.inf, _so_far(jobs, end_s))
    total = chained(own, trace.numpy("job_id")[by_id], trace.numpy("after")[by_id])
    figures: Metrics = {}
    for kind in kinds:
        ours = _is(jobs, "kind", kind)
        figures[f"waits_s:{kind}"] = np.sort(total[ours & started]).astype(int).tolist()
        waiting = np.sort(total[ours & ~started]).tolist()
        figures[f"waiting_s:{kind}"] = [None if value == np.inf else int(value) for value in waiting]
    return figures


def _jobs(jobs: pa.Table, part: str) -> Metrics:
    """Jobs by how they ended, and the waits of those that started."""
    wait_s = _numbers(jobs, "wait_s")
    wait_s = wait_s[~np.isnan(wait_s)]
    figures: Metrics = {"jobs": jobs.num_rows}
    figures |= {word: int(_is(jobs, "state", word).sum()) for word in STATES}
    p50, p95, p99 = percentiles(wait_s)
    figures |= {"wait_mean_s": _mean(wait_s), "wait_p50_s": p50, "wait_p95_s": p95, "wait_p99_s": p99}
    return {f"{name}{part}": _known(value) for name, value in figures.items()}


def _waited(jobs: pa.Table, end_s: int) -> Metrics:
    """Waits of all jobs that are not turned away: leaving out who still waits would flatter long queues."""
    waited_s = _so_far(jobs, end_s)[~_is(jobs, "state", "rejected")]
    return {"waited_mean_s": _known(_mean(waited_s)), "waited_p95_s": _known(percentiles(waited_s)[1])}


def _so_far(jobs: pa.Table, end_s: int) -> Array:
    """Return the wait of each job; so far, where it has not started, and 0 where it was never ready."""
    wait_s = _numbers(jobs, "wait_s")
    waiting_s = np.maximum(0, end_s - jobs.column("ready_s").to_numpy())
    waiting_s = np.where(_is(jobs, "reason", *_NEVER_READY), 0, waiting_s)
    return np.where(np.isnan(wait_s), waiting_s, wait_s)


def _slowdown(jobs: pa.Table) -> Metrics:
    ended = jobs.filter(pa.array(_is(jobs, "state", "finished")))
    work_s = _numbers(ended, "work_s")
    slowdown = bounded_slowdown(_numbers(ended, "end_s") - _numbers(ended, "ready_s") - work_s, work_s)
    return {"slowdown_mean": _known(_mean(slowdown)), "slowdown_p95": _known(percentiles(slowdown)[1])}


def _deadlines(jobs: pa.Table, end_s: int) -> Metrics:
    timed = jobs.filter(pc.is_valid(jobs.column("deadline_s")))
    late = missed(_numbers(timed, "end_s"), _numbers(timed, "deadline_s"), end_s)
    return {"deadlines": timed.num_rows, "missed": int(late.sum())}


def _stranded(jobs: pa.Table, end_s: int) -> Metrics:
    """Compute asked for in good time, and what of it was turned away or still waits."""
    gang, runtime_s = (jobs.column(name).to_numpy().astype(np.int64) for name in ("gang", "runtime_s"))
    work_h = gang * runtime_s / HOUR_S
    rejected = _is(jobs, "state", "rejected")
    early = ~_is(jobs, "reason", *_NEVER_READY) & (jobs.column("ready_s").to_numpy() <= end_s - STRANDED_S)
    stranded = rejected | (early & np.isnan(_numbers(jobs, "start_s")))
    return {
        "asked_device_h": float(work_h[rejected | early].sum()),
        "stranded_device_h": float(work_h[stranded].sum()),
        "stranded_jobs": int(stranded.sum()),
    }


def _devices(run: Run, jobs: pa.Table, start_s: int, end_s: int) -> Metrics:
    """Utilization of the pools, and how much was rented."""
    states = run.table("states")
    time_s = states.column("time_s").to_numpy()

    def held_s(column: str) -> int:
        return device_seconds(time_s, states.column(column).to_numpy(), end_s, start_s)

    held = {name: held_s(f"busy_{name}") for name in run.pools}
    length_s, owned = end_s - start_s, sum(run.pools.values())
    used = {
        f"utilization:{name}": utilization(held[name], devices, length_s)
        for name, devices in run.pools.items()
    }
    used["utilization"] = utilization(sum(held.values()), owned, length_s)
    rented = {name: held_s(f"rented_{name}") / HOUR_S for name in run.offers}
    rented_h = {f"rented_device_h:{name}": hours for name, hours in rented.items()}
    burst = pc.sum(jobs.column("rented")).as_py() or 0
    return used | rented_h | {"rented_device_h": sum(rented.values()), "burst_jobs": burst}


def _interrupted(run: Run, held: Held, start_s: int, end_s: int) -> Metrics:
    """What interruptions came to, and what was left: goodput is of the pools."""
    states, share = run.table("states"), held.within(start_s, end_s)
    time_s = states.column("time_s").to_numpy()
    end = held.end_s.clip(1)  # a boot may fail at second 0
    ended = (end > start_s) & (end <= end_s)
    down = (states.column(f"down_{pool}").to_numpy() for pool in run.pools)
    down_s = sum(device_seconds(time_s, level, end_s, start_s) for level in down)
    kept_s = round(float(np.dot(held.kept, share * ~held.rented)))
    return {
        "interrupted": sum(int((held.ended(outcome) & ended).sum()) for outcome in CUT_SHORT),
        "goodput": utilization(kept_s, sum(run.pools.values()), end_s - start_s),
        "down_device_h": down_s / HOUR_S,
        "lost_device_h": float(np.dot(held.lost + held.given_up, share)) / HOUR_S,
    }


def _spend(run: Run, window: tuple[int, int] | None) -> Metrics:
    """Sums of the ledger. Revenue stands there with a minus, and apart here."""
    spend = run.table("spend", ["period_s", "resource", "line", "usd"])
    if window is not None:
        period_s = spend.column("period_s").to_numpy()
        spend = spend.filter(pa.array((period_s >= window[0]) & (period_s < window[1])))
    spend = pa.table({name: spend.column(name).cast(_PLAIN[name]) for name in _PLAIN})
    grouped = spend.group_by(["resource", "line"], use_threads=False).aggregate([("usd", "sum")]).to_pylist()
    bought = [row for row in grouped if row["line"] != "revenue"]
    owned = [row for row in bought if row["resource"] in run.pools]
    rented = [row for row in bought if row["resource"] in run.offers]
    sunk_usd = {
        f"usd_sunk:{pool}": _usd(row for row in owned if row["resource"] == pool and row["line"] != "energy")
        for pool in run.pools
    }
    owned_usd, rented_usd = _usd(owned), _usd(rented)
    lines = sorted({row["line"] for row in grouped})
    return {
        "usd_total": owned_usd + rented_usd,
        "usd_owned": owned_usd,
        "usd_rented": rented_usd,
        **sunk_usd,
        "usd_avoidable": _usd(row for row in owned if row["line"] == "energy") + rented_usd,
        "usd_rent": _usd(row for row in rented if row["line"] not in _MOVED),
        "revenue_usd": -_usd(row for row in grouped if row["line"] == "revenue"),
        **{f"usd:{line}": _usd(row for row in grouped if row["line"] == line) for line in lines},
    }


def _usd(rows: Iterable[dict[str, Any]]) -> float:
    return fsum(row["usd_sum"] for row in rows)


def _numbers(table: pa.Table, name: str) -> Array:
    """Return a numeric column as float64, null as NaN."""
    return np.asarray(table.column(name).cast("float64").to_numpy())


def _is(table: pa.Table, name: str, *words: str) -> Array:
    """Say of each row whether its word is one of these; null is none."""
    return np.asarray(pc.is_in(table.column(name).cast("string"), pa.array(words)))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else nan


def _known(value: float) -> float | None:
    return None if isnan(value) else value
