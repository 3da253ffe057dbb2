"""The work that a run was asked for: how long it waited, how late campaigns are; and a run in a sentence."""

from __future__ import annotations

from math import isnan
from textwrap import fill

import pyarrow as pa

from scheduler.run.campaigns import campaigns
from scheduler.run.capacity import owned_levels
from scheduler.run.groups import ALL
from scheduler.run.job_figures import by_gang
from scheduler.run.levels import DeviceLevels
from scheduler.run.spend import spend_figures
from traces.numbers import count, count_of, difference, duration, percent, plural, rounded_usd, share_of
from traces.tables import TableCells, table

LINE_WIDTH = 100
"""Characters of a line of prose, about as wide as the tables."""


def work(jobs: pa.Table, end_s: int, by_workload: dict[str, dict[str, float]]) -> str:
    """Render the `waits`."""
    return waits(jobs, end_s, by_workload).text()


def waits(jobs: pa.Table, end_s: int, by_workload: dict[str, dict[str, float]]) -> TableCells:
    """Return the waits of `worked_jobs` by their work: of each workload, size of gang, and of all."""
    *_, together = by_workload.values()
    groups = {name: figures for name, figures in by_workload.items() if name != ALL}
    groups |= by_gang(jobs, end_s) | {ALL: together}
    rows = [
        [
            name,
            count(figures["ready_jobs"]),
            count(figures["ready_device_h"]),
            share_of(figures["ready_device_h"], together["ready_device_h"]),
            duration(figures["waited_by_work_p50_s"]),
            duration(figures["waited_by_work_p90_s"]),
            duration(figures["waited_max_s"]),
            count(figures["unstarted_jobs"]),
        ]
        for name, figures in groups.items()
        if figures["ready_jobs"]
    ]
    header = ["work", "jobs", "device-h asked", "share", "waited p50", "p90", "longest", "not started"]
    return TableCells(header, rows, range(1, len(header)))


def lateness(jobs: pa.Table, end_s: int) -> str:
    """Render how late the campaigns of each kind of job are, and of all; kinds that are in time left out."""
    rows = [
        [
            kind,
            count_of(figures["campaigns_late"], figures["campaigns"]),
            difference(figures["lateness_p50_s"], duration),
            difference(figures["lateness_max_s"], duration),
            count(figures["campaigns_open"]),
        ]
        for kind, figures in campaigns(jobs, end_s).items()
        if figures["campaigns_late"] or (kind == ALL and figures["campaigns"] + figures["campaigns_open"])
    ]
    header = ["campaigns", "late", "lateness p50", "most", "open"]
    return table(header, rows, numbers=range(1, len(header))) if rows else ""


def _rent(share: float) -> str:
    """Some rent is not none, however little."""
    return "under 0.1%" if 0 < share < 0.0005 else percent(share)


def headline(levels: DeviceLevels, figures: dict[str, float]) -> str:
    """Say in a sentence what came of a run, by the `job_figures` of all its jobs."""
    run, spend = levels.run, spend_figures(levels.run)
    devices, missed, usd = int(owned_levels(run)[1].max(initial=0)), figures["deadlines"], spend["usd_total"]
    parts = [
        devices and f"{percent(levels.utilization(), 0)} of {count(devices)} devices busy",
        _waited(figures["waited_by_work_p50_s"], figures["waited_by_work_p90_s"]),
        missed and f"{count_of(figures['missed'], missed)} deadlines missed",
        usd and f"{rounded_usd(usd)} USD, of which rent {_rent(spend['usd_rent'] / usd)}",
    ]
    sentence = f"{plural(figures['jobs'], 'job')}: {', '.join(part for part in parts if part)}."
    return fill(sentence, LINE_WIDTH)


def _waited(p50_s: float, p90_s: float) -> str:
    """Say how long half and a tenth of the work waited at least."""
    if isnan(p50_s):
        return "no work"
    if not p90_s:
        return "nine tenths of the work did not wait"
    half = f"half of the work waited {duration(p50_s)} or more" if p50_s else "half of the work did not wait"
    return f"{half}, a tenth {'waited ' * (not p50_s)}{duration(p90_s)} or more"
