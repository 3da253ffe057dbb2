"""The figures of a run, computed from its logs: each here once, for the summary, for studies and notebooks.

A name is `figure` or, for a part of the run, `figure:part`, as in `wait_p95_s:fsd.release`; the unit stands
in the name. Of a window of the run there are the jobs submitted in it, up to the end of the run, and what was
held and paid in the window; attempts that lie in it partly count partly, where they were cut short by their
end.

`scheduler.study.sweep.results.FIGURES` says what each figure of `measure` is. The parts are kinds of jobs,
pools, offers, sites and lines of the ledger. Others are kept only if asked for: figures of jobs by the words
of a column, as `wait_p95_s@owner=proj-1`, with those of `fairness`, as `jain_due@owner`; and for statistics
over the jobs of several runs `waits_s:GROUP`, each started job's wait with the waits of those it comes after,
and `waiting_s:GROUP`, likewise, so far, of the jobs that had not started by the end; None: rejected.
"""

from __future__ import annotations

from math import isnan, nan
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.campaigns import campaigns
from scheduler.run.directory import Run
from scheduler.run.edge_figures import edge_figures
from scheduler.run.fairness import fairness, served
from scheduler.run.goodput import CUT_SHORT, DeviceTime
from scheduler.run.groups import ALL, words_in
from scheduler.run.job_figures import (
    chained_waits,
    deadlines,
    ends_and_waits,
    job_figures,
    own_waits,
    slowdown,
    stranded,
    waits_by_work,
    waits_so_far,
    worked_jobs,
)
from scheduler.run.levels import DeviceLevels
from scheduler.run.loop_figures import loop_figures
from scheduler.run.site_figures import site_figures
from scheduler.run.spend import spend_figures
from traces.arrays import Bools, filtered, rows_of
from traces.times import HOUR_S
from traces.trace import Trace

Metrics = dict[str, Any]


def measure(
    run: Run,
    trace: Trace,
    waits_of: tuple[str, ...] = (),
    window: tuple[int, int] | None = None,
    by: tuple[str, ...] = (),
) -> Metrics:
    """Return the figures of a finished run over `trace`; `waits_of` are the groups whose waits are kept.

    `by` are columns of `BY` by whose words jobs are told apart.
    `window` are the seconds from which and before which it is measured, by default all of the run; spend
    counts by the charge periods that begin in it. A figure that does not exist, such as the waits of no jobs,
    is None.
    """
    device_time, levels = DeviceTime(run), DeviceLevels(run, window)
    jobs = worked_jobs(run, device_time)
    counted = _submitted_in(jobs, window)
    waits = chained_waits(jobs, trace, run.end_s, waits_of, counted) if waits_of else {}
    if window is not None:
        jobs = filtered(jobs, counted)
    end_s = run.end_s
    metrics: Metrics = {"end_s": end_s, "length_s": run.length_s}
    metrics |= ends_and_waits(jobs) | waits_so_far(jobs, end_s) | own_waits(jobs, end_s)
    metrics |= slowdown(jobs) | deadlines(jobs, end_s) | stranded(jobs, end_s) | _work(jobs, end_s)
    ended = jobs.select(["wait_s", "state"])
    for kind, rows in words_in(jobs, "kind").items():
        of_kind = ends_and_waits(filtered(ended, rows))
        metrics |= {f"{name}:{kind}": value for name, value in of_kind.items()}
    refused = sum(run.description["refused"].values()) if window is None else None
    for column in by:
        metrics |= _by_word(run, jobs, column)
    metrics |= waits | _devices(levels) | {"burst_jobs": pc.sum(jobs.column("rented")).as_py() or 0}
    metrics |= _attempts(device_time, levels) | {"refused": refused} | spend_figures(run, window)
    for site, of_site in site_figures(run, device_time, window).items():
        metrics |= {f"{name}:{site}": value for name, value in of_site.items()}
    metrics |= loop_figures(run) | edge_figures(run) if window is None else {}
    unknown = {name for name, value in metrics.items() if isinstance(value, float) and isnan(value)}
    return metrics | dict.fromkeys(unknown)


def _submitted_in(jobs: pa.Table, window: tuple[int, int] | None) -> Bools:
    if window is None:
        return np.ones(len(jobs), bool)
    submit_s = jobs.column("submit_s").to_numpy()
    return np.asarray((submit_s >= window[0]) & (submit_s < window[1]))


def _by_word(run: Run, jobs: pa.Table, column: str) -> Metrics:
    """Return the figures of the jobs of each word of a column, and how evenly these were served."""
    figures = {f"{name}@{column}": value for name, value in fairness(served(run, jobs, column)).items()}
    for word, rows in words_in(jobs, column).items():
        group = filtered(jobs, rows)
        of_word = ends_and_waits(group) | waits_so_far(group, run.end_s) | slowdown(group)
        of_word |= deadlines(group, run.end_s) | stranded(group, run.end_s)
        figures |= {f"{name}@{column}={word}": value for name, value in of_word.items()}
    return figures


def main_figures(run: Run) -> Metrics:
    """Return the figures of all of a run by which it is held against another one; NaN where there is none."""
    device_time, levels = DeviceTime(run), DeviceLevels(run)
    jobs = worked_jobs(run, device_time)
    figures = job_figures(jobs, run.end_s) | _work(jobs, run.end_s) | _devices(levels)
    figures |= _attempts(device_time, levels) | spend_figures(run)
    kept_h = _kept_reference_h(jobs, device_time)
    return figures | {"usd_per_kept_device_h": figures["usd_total"] / kept_h if kept_h else nan}


def _work(jobs: pa.Table, end_s: int) -> Metrics:
    """Return waits by work, and how late campaigns are, those of each kind of job too."""
    waits = waits_by_work(jobs, end_s)
    figures = {name: waits[name] for name in ("waited_by_work_p50_s", "waited_by_work_p90_s", "waited_max_s")}
    figures["span_jobs"] = pc.sum(jobs.column("spans")).as_py() or 0
    for kind, of_kind in campaigns(jobs, end_s).items():
        figures |= {name if kind == ALL else f"{name}:{kind}": value for name, value in of_kind.items()}
    return figures


def _devices(levels: DeviceLevels) -> Metrics:
    """Utilization of the pools, and how much was rented."""
    run = levels.run
    rented_h = {name: levels.held_s(name) / HOUR_S for name in run.offers}
    return {
        **{f"utilization:{name}": levels.utilization(name) for name in run.pools},
        "utilization": levels.utilization(),
        **{f"rented_device_h:{name}": hours for name, hours in rented_h.items()},
        **{f"most_rented:{name}": levels.most_rented(name) for name in run.offers},
        "rented_device_h": sum(rented_h.values()),
    }


def _attempts(device_time: DeviceTime, levels: DeviceLevels) -> Metrics:
    """What interruptions came to, what was left, and what spanned pods: goodput is of the pools."""
    share = device_time.within(levels.start_s, levels.end_s)
    end_s = device_time.end_s.clip(levels.run.start_s + 1)  # a boot may fail at the first second
    ended = (end_s > levels.start_s) & (end_s <= levels.end_s)
    kept_s = round(float(np.dot(device_time.kept, share * ~device_time.rented)))
    return {
        "interrupted": sum(int((device_time.ended(outcome) & ended).sum()) for outcome in CUT_SHORT),
        "goodput": levels.share(kept_s),
        "down_device_h": sum(map(levels.down_s, levels.run.pools)) / HOUR_S,
        "lost_device_h": float(np.dot(device_time.lost + device_time.given_up, share)) / HOUR_S,
        "span_device_h": float(np.dot(device_time.held * device_time.spans, share)) / HOUR_S,
    }


def _kept_reference_h(jobs: pa.Table, device_time: DeviceTime) -> float:
    """Return the hours of reference devices to which the work that counts comes, wherever it was done."""
    job_id, gang = (jobs.column(name).to_numpy() for name in ("job_id", "gang"))
    gang = gang[rows_of(job_id, device_time.job_id)].astype(np.int64)
    return int((device_time.kept_s * device_time.counts * gang).sum()) / HOUR_S
