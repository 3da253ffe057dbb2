"""Figures of queues: use against quota, borrowed, lent and reclaimed, waits, and how fair that was."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from math import nan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.admissions import ENDINGS, PREEMPTED, RECLAIMED, waited_until_s
from scheduler.run.directory import Run
from scheduler.run.fairness import jain_index
from scheduler.run.job_figures import ends_and_waits, slowdown
from scheduler.run.metrics import mean
from scheduler.run.queue_levels import QuotaLevels
from traces.arrays import Floats, Ints, filtered, is_word, rows_of
from traces.step_function import over
from traces.times import HOUR_S

_OF_JOBS = ("jobs", "wait_mean_s", "wait_p50_s", "wait_p95_s")


def queue_figures(run: Run, jobs: pa.Table, levels: Sequence[QuotaLevels]) -> dict[str, dict[str, float]]:
    """Return the figures of each queue, NaN where one does not exist.

    `jobs` are the run's `worked_jobs`, `levels` its `quota_levels`.
    """
    used: dict[str, dict[str, float]] = {}
    for of_resource in levels:
        for name, values in _by_queue(of_resource).items():
            before = used.setdefault(name, dict.fromkeys(values, 0.0))
            used[name] = {key: before[key] + value for key, value in values.items()}
    if not used:
        return {}
    requests = run.table("admissions")
    of_jobs = _Queued(requests, jobs)
    return {
        name: values
        | {"use": values["used_device_h"] / values["quota_device_h"] if values["quota_device_h"] else nan}
        | _reclaimed(requests, name)
        | of_jobs.waits(name)
        | of_jobs.finish_time_fairness(name, values["quota"])
        for name, values in used.items()
    }


def queue_fairness(levels: Sequence[QuotaLevels]) -> dict[str, float]:
    """Return how evenly queues were served, by what was due to them at each instant; NaN of nothing.

    Jain's index is that of used over due; the share error is the part of all that was used that was due to
    others.
    """
    used: Floats | float = 0.0
    due: Floats | float = 0.0
    apart = 0.0
    for each in levels:
        had, fair = each.used[each.leaves], each.due[each.leaves]
        apart += float((np.abs(had - fair).sum(axis=0) * each.seconds).sum())
        used, due = used + had @ each.seconds, due + fair @ each.seconds
    had, fair = np.atleast_1d(used), np.atleast_1d(due)
    return {
        "jain_quota": jain_index(had[fair > 0] / fair[fair > 0]) if fair.any() else nan,
        "quota_share_error": apart / (2 * float(had.sum())) if had.any() else nan,
    }


def share_error_over_time(levels: Sequence[QuotaLevels], edges_s: Ints) -> Floats:
    """Return the share error of queues between edges, in seconds of the run; NaN where nothing was used."""
    apart, total = np.zeros((2, len(edges_s) - 1))
    for each in levels:
        had, fair = each.used[each.leaves], each.due[each.leaves]
        spans = each.time_s, edges_s[:-1], edges_s[1:]
        apart += over(spans[0], np.abs(had - fair).sum(axis=0), *spans[1:])
        total += over(spans[0], had.sum(axis=0), *spans[1:])
    error: Floats = np.full(len(total), nan)
    return np.divide(apart, 2 * total, where=total > 0, out=error)


def _by_queue(levels: QuotaLevels) -> dict[str, dict[str, float]]:
    seconds, borrowed, lent = levels.seconds, levels.borrowed, levels.lent
    length_s = float(seconds.sum())
    return {
        node.name: {
            "quota": float(node.subtree[levels.at]),
            "quota_device_h": node.subtree[levels.at] * length_s / HOUR_S,
            "used_device_h": float((levels.used[row] * seconds).sum()) / HOUR_S,
            "borrowed_device_h": float((borrowed[row] * seconds).sum()) / HOUR_S,
            "lent_device_h": float((lent[row] * seconds).sum()) / HOUR_S,
        }
        for row, node in enumerate(levels.nodes)
    }


def _reclaimed(requests: pa.Table, name: str) -> dict[str, float]:
    """Return the devices that a queue's jobs took back from others, gave to them, or gave to each other."""
    mine = is_word(requests.column("queue"), name)
    back, within = (is_word(requests.column("ending"), ENDINGS[how]) for how in (RECLAIMED, PREEMPTED))
    askers = pc.fill_null(requests.column("gave_way_to"), -1).to_numpy()
    of_mine = np.isin(askers, requests.column("job_id").to_numpy()[mine])
    devices = requests.column("devices").to_numpy()
    return {
        "reclaimed_devices": int(devices[back & of_mine].sum()),
        "gave_back_devices": int(devices[back & mine].sum()),
        "preempted_devices": int(devices[within & mine].sum()),
    }


class _Queued:
    """Jobs that asked for quota, with the devices and the queue of their first request."""

    def __init__(self, requests: pa.Table, jobs: pa.Table) -> None:
        self._requests = requests
        ids, first = np.unique(requests.column("job_id").to_numpy(), return_index=True)
        self.jobs = jobs.take(pa.array(rows_of(jobs.column("job_id").to_numpy(), ids)))
        firsts = requests.take(pa.array(first))
        self._queue, self._devices = firsts.column("queue"), firsts.column("devices").to_numpy()
        self._asked_s: Ints = waited_until_s(requests) - requests.column("asked_s").to_numpy()

    def waits(self, name: str) -> dict[str, float]:
        """Return the waits of a queue's jobs, and how long they waited for its quota."""
        found = filtered(self.jobs, is_word(self._queue, name))
        figures = ends_and_waits(found)
        asked_s = self._asked_s[is_word(self._requests.column("queue"), name)]
        quota_s = float(asked_s.sum()) / len(found) if len(found) else nan
        return {key: figures[key] for key in _OF_JOBS} | {"quota_wait_mean_s": quota_s} | slowdown(found)

    def finish_time_fairness(self, name: str, quota: float) -> dict[str, float]:
        """Return the mean and the highest of turnaround over what it would have been on the quota alone.

        Themis' finish-time fairness (Mahajan et al., NSDI 2020): rho. Alone the queue has one pod of its own
        and its children's quota, first come first served, and its jobs run as long as they worked; those that
        it could never hold, and those that did not finish, are left out.
        """
        mine = is_word(self._queue, name) & is_word(self.jobs.column("state"), "finished")
        mine &= self._devices <= quota
        found, devices = filtered(self.jobs, mine), self._devices[mine]
        ready_s, end_s = (found.column(each).to_numpy() for each in ("ready_s", "end_s"))
        alone_s = ends_alone(ready_s, found.column("work_s").to_numpy(), devices, quota)
        rho = (end_s - ready_s) / np.maximum(1, alone_s - ready_s)
        return {"rho_mean": mean(rho), "rho_max": float(rho.max()) if len(rho) else nan}


def ends_alone(ready_s: Ints, work_s: Ints, devices: Ints, most: float) -> Ints:
    """Return when gangs end that have so many devices for themselves, first come first served, strictly."""
    free, now_s, running = most, 0, list[tuple[int, int]]()
    ends = np.zeros(len(ready_s), np.int64)
    for at in np.argsort(ready_s, kind="stable").tolist():
        now_s = max(now_s, int(ready_s[at]))
        while running and (running[0][0] <= now_s or free < devices[at]):
            end_s, given = heappop(running)
            now_s, free = max(now_s, end_s), free + given
        ends[at] = now_s + int(work_s[at])
        heappush(running, (int(ends[at]), int(devices[at])))
        free -= int(devices[at])
    return ends
