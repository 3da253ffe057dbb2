"""Figures of a set of jobs: how they ended, waits, slowdown, deadlines, bursts; NaN where there is none.

The work of a job is what it asks for: reference devices x run time on them.
"""

from __future__ import annotations

from itertools import pairwise
from math import nan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from scheduler.run.groups import ALL, rows_in, words_in
from scheduler.run.metrics import (
    bounded_slowdown,
    chained,
    mean,
    missed,
    percentiles,
    weighted_percentiles,
)
from traces.arrays import Array, Bools, Ints, filtered, is_word, rows_of, word_counts
from traces.times import DAY_S, HOUR_S
from traces.trace import Trace

STRANDED_S = DAY_S
"""A job that has waited for a day when the run ends counts as stranded, not as cut off by the horizon."""
LARGEST_GANGS = (1, 8, 32, 128, 512)
"""Gangs are put together by their reference devices, up to each of these, and beyond the last."""
_PERCENTILES = ("wait_p50_s", "wait_p95_s", "wait_p99_s")
_STATES = ("finished", "unfinished", "rejected", "killed")
_NEVER_READY = ("waits for another job", "not yet submitted")
_COLUMNS = ["job_id", "workload", "kind", "owner", "queue", "submit_s", "state", "gang", "runtime_s"]
_COLUMNS += ["reason", "ready_s", "start_s", "end_s", "wait_s", "deadline_s", "rented"]

_OF_WAITS = ["gang", "runtime_s", "state", "reason", "ready_s", "start_s", "wait_s"]


def worked_jobs(run: Run, device_time: DeviceTime) -> pa.Table:
    """Return the jobs as logged, with what they take undisturbed, and with their work on rented devices.

    That is `work_s`, seconds on the devices they had, also before a run that opens with them, and `burst_s`,
    device-seconds; `done_s` is their work that is done and kept, in device-seconds of reference devices.
    `spans` says whether a job was ever on several pods at once.
    """
    jobs = run.table("jobs", _COLUMNS)
    row, count = rows_of(jobs.column("job_id").to_numpy(), device_time.job_id), len(jobs)
    work_s = np.bincount(row, device_time.work // device_time.used, count)
    work_s += np.maximum(0, run.start_s - pc.fill_null(jobs.column("start_s"), run.start_s).to_numpy())
    jobs = jobs.append_column("work_s", pa.array(work_s))
    on_rented = np.flatnonzero(device_time.rented)  # few, where all are not
    burst_s = (device_time.end_s - device_time.start_s)[on_rented] * device_time.used[on_rented]
    jobs = jobs.append_column("burst_s", pa.array(np.bincount(row[on_rented], burst_s, count)))
    done_s = np.bincount(row, device_time.kept_s * device_time.counts, count)
    done_s *= jobs.column("gang").to_numpy()
    jobs = jobs.append_column("done_s", pa.array(done_s))
    return jobs.append_column("spans", pa.array(np.bincount(row, device_time.spans, count) > 0))


def by_word(run: Run, jobs: pa.Table | None = None, by: str = "workload") -> dict[str, dict[str, float]]:
    """Return the figures of the jobs of each word of a column, and of `ALL` unless there is but one word.

    `jobs` are the run's `worked_jobs`, where they are at hand; `by` is one of `scheduler.run.groups.BY`.
    """
    jobs = worked_jobs(run, DeviceTime(run)) if jobs is None else jobs
    words = words_in(jobs, by)  # and one part of the table at a time
    figures = {name: job_figures(filtered(jobs, rows), run.end_s) for name, rows in words.items()}
    return figures if len(words) == 1 else figures | {ALL: job_figures(jobs, run.end_s)}


def by_gang(jobs: pa.Table, end_s: int) -> dict[str, dict[str, float]]:
    """Return the `waits_by_work` of `worked_jobs` by size of their gang, and of those over several pods."""
    place, names = gang_sizes(jobs)
    groups = {
        f"gang {names[at]}": waits_by_work(filtered(jobs, place == at), end_s)
        for at in np.unique(place).tolist()
    }
    over_pods = jobs.filter(jobs.column("spans"))
    return groups | ({"over pods": waits_by_work(over_pods, end_s)} if len(over_pods) else {})


def job_figures(jobs: pa.Table, end_s: int) -> dict[str, float]:
    """Return the figures of some of the `worked_jobs` of a run that ends at `end_s`."""
    figures = ends_and_waits(jobs) | slowdown(jobs) | deadlines(jobs, end_s) | bursts(jobs)
    return figures | waits_by_work(jobs, end_s)


def ends_and_waits(jobs: pa.Table) -> dict[str, float]:
    """Return the jobs by how they ended, and the waits of those that started."""
    wait_s = _numbers(jobs, "wait_s")
    wait_s = wait_s[~np.isnan(wait_s)]
    counts = word_counts(jobs.column("state"))
    states = {word: counts[word] for word in _STATES}
    waits = {"wait_mean_s": mean(wait_s)} | dict(zip(_PERCENTILES, percentiles(wait_s), strict=True))
    return {"jobs": jobs.num_rows} | states | waits


def waits_so_far(jobs: pa.Table, end_s: int) -> dict[str, float]:
    """Return the waits of all jobs that are not turned away; those that started alone flatter long queues."""
    waited_s = _so_far(jobs, end_s)[~_is(jobs, "state", "rejected")]
    return {"waited_mean_s": mean(waited_s), "waited_p95_s": percentiles(waited_s)[1]}


def own_waits(jobs: pa.Table, end_s: int) -> dict[str, float]:
    """Return the waits so far of all jobs but those turned away and customers of a market, by their gangs."""
    own = jobs.filter(~(_is(jobs, "state", "rejected") | _is(jobs, "workload", "market")))
    return {"own_waited_device_h": float(_so_far(own, end_s) @ own.column("gang").to_numpy()) / HOUR_S}


def waits_by_work(jobs: pa.Table, end_s: int) -> dict[str, float]:
    """Return the waits of the jobs that were ready and not turned away, weighted by their work.

    A job that has not started waits until the end of the run, so far.
    """
    jobs = ready_jobs(jobs.select(_OF_WAITS))
    waited_s, work_s = _so_far(jobs, end_s), reference_work_s(jobs)
    p50, p90 = weighted_percentiles(waited_s, work_s, (50, 90))
    return {
        "ready_jobs": jobs.num_rows,
        "ready_device_h": int(work_s.sum()) / HOUR_S,
        "waited_by_work_p50_s": p50,
        "waited_by_work_p90_s": p90,
        "waited_max_s": float(waited_s.max()) if len(waited_s) else nan,
        "unstarted_jobs": jobs.column("start_s").null_count,
    }


def ready_jobs(jobs: pa.Table) -> pa.Table:
    """Return those of some jobs that were ready and not turned away."""
    return filtered(jobs, ~(_is(jobs, "state", "rejected") | _is(jobs, "reason", *_NEVER_READY)))


def gang_sizes(jobs: pa.Table) -> tuple[Ints, list[str]]:
    """Return the size of the gang of each job as a number, and what the sizes are called."""
    bounds = [0, *LARGEST_GANGS]
    names = [f"{most}" if most == least + 1 else f"{least + 1}-{most}" for least, most in pairwise(bounds)]
    place = np.searchsorted(LARGEST_GANGS, jobs.column("gang").to_numpy())
    return place, [*names, f"over {bounds[-1]}"]


def slowdown(jobs: pa.Table) -> dict[str, float]:
    """Return the bounded slowdown of the jobs that finished."""
    ended = filtered(jobs.select(["work_s", "end_s", "ready_s"]), _is(jobs, "state", "finished"))
    work_s = _numbers(ended, "work_s")
    slow = bounded_slowdown(_numbers(ended, "end_s") - _numbers(ended, "ready_s") - work_s, work_s)
    return {"slowdown_mean": mean(slow), "slowdown_p95": percentiles(slow)[1]}


def deadlines(jobs: pa.Table, end_s: int) -> dict[str, float]:
    """Return how many jobs have a deadline, and how many missed it."""
    timed = jobs.filter(pc.is_valid(jobs.column("deadline_s")))
    finish_s = np.where(_is(timed, "state", "finished"), _numbers(timed, "end_s"), nan)
    late = missed(finish_s, _numbers(timed, "deadline_s"), end_s)
    return {"deadlines": timed.num_rows, "missed": int(late.sum())}


def bursts(jobs: pa.Table) -> dict[str, float]:
    """Return how many jobs did some work on rented devices, and how much.

    This is work alone, of all attempts; `burst_jobs` and `rented_device_h` of a study count the jobs whose
    last attempt was on rented devices, and what was rented, booting included.
    """
    burst_s = _numbers(jobs, "burst_s")
    return {"bursting_jobs": int(np.count_nonzero(burst_s)), "burst_device_h": burst_s.sum() / HOUR_S}


def stranded(jobs: pa.Table, end_s: int) -> dict[str, float]:
    """Return the compute asked for in good time, and what of it was turned away or still waits."""
    work_h = reference_work_s(jobs) / HOUR_S
    rejected = _is(jobs, "state", "rejected")
    early = ~_is(jobs, "reason", *_NEVER_READY) & (jobs.column("ready_s").to_numpy() <= end_s - STRANDED_S)
    left = rejected | (early & np.isnan(_numbers(jobs, "start_s")))
    return {
        "asked_device_h": float(work_h[rejected | early].sum()),
        "stranded_device_h": float(work_h[left].sum()),
        "stranded_jobs": int(left.sum()),
    }


def chained_waits(
    jobs: pa.Table, trace: Trace, end_s: int, groups: tuple[str, ...], counted: Bools
) -> dict[str, list[int | None]]:
    """Return the waits of the `counted` jobs of some groups, with those of the jobs that each comes after.

    `jobs` are all of the run, as those that a job comes after need not be counted themselves.
    """
    row = rows_of(trace.numpy("job_id"), jobs.column("job_id").to_numpy())
    own = np.empty(len(trace))
    has_started = jobs.column("start_s").is_valid().to_numpy()
    own[row] = np.where(_is(jobs, "state", "rejected"), np.inf, _so_far(jobs, end_s))
    total = chained(own, trace.after)[row]
    figures: dict[str, list[int | None]] = {}
    for group in groups:
        ours = rows_in(jobs, group) & counted
        figures[f"waits_s:{group}"] = np.sort(total[ours & has_started]).astype(int).tolist()
        waiting = np.sort(total[ours & ~has_started]).tolist()
        figures[f"waiting_s:{group}"] = [None if value == np.inf else int(value) for value in waiting]
    return figures


def reference_work_s(jobs: pa.Table) -> Ints:
    """Return the work of each job, in reference device-seconds."""
    gang, runtime_s = (jobs.column(name).to_numpy().astype(np.int64) for name in ("gang", "runtime_s"))
    return np.asarray(gang * runtime_s)


def _numbers(jobs: pa.Table, name: str) -> Array:
    """Return a numeric column as float64, null as NaN."""
    return np.asarray(jobs.column(name).cast("float64").to_numpy())


def _so_far(jobs: pa.Table, end_s: int) -> Array:
    """Return the wait of each job; so far, where it has not started, and 0 where it was never ready."""
    wait_s = _numbers(jobs, "wait_s")
    waiting_s = np.maximum(0, end_s - jobs.column("ready_s").to_numpy())
    waiting_s = np.where(_is(jobs, "reason", *_NEVER_READY), 0, waiting_s)
    return np.where(np.isnan(wait_s), waiting_s, wait_s)


def _is(jobs: pa.Table, name: str, *words: str) -> Array:
    """Say of each row whether its word is one of these; null is none."""
    return is_word(jobs.column(name), *words)
