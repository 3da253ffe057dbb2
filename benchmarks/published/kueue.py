"""Kueue's baseline of scheduling performance: 15,000 workloads in five cohorts of six cluster queues.

Published (kubernetes-sigs/kueue, test/performance/scheduler) are times of its control plane, 43 admissions
a second, and not of a schedule. What can be held is what a schedule must keep: the limits of the quotas,
the order of the mean waits, and that it takes no less than a bound of our own. A millisecond is read as a
second.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.published.tables import Claim, plainly
from scheduler.catalog import load_catalog
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.scenario import parse_scenario
from traces.arrays import Ints
from traces.trace import Trace

PAPER = "Kueue"
COHORT, OWN = 120, 20
"""CPUs of a cohort, and of a queue in it."""
CONTROL_PLANE = {
    "wall time": "351.1 s",
    "mean time to admission, large": "16.5 s",
    "mean time to admission, medium": "76.8 s",
    "mean time to admission, small": "215.5 s",
    "least mean usage of a queue": "55.9%",
}
CLASSES = ("large", "medium", "small")


def workload(data: Path) -> Trace:
    """Return the workloads; the owner is cohort and queue, the kind is the class."""
    with gzip.open(data / "kueue" / "baseline.csv.gz", "rt") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: int(row["created_ms"]))
    names = {
        "submit_s": "created_ms",
        "runtime_s": "runtime_ms",
        "gang": "request_cpu",
        "priority": "priority",
    }
    table: dict[str, list[Any]] = {name: [int(row[key]) for row in rows] for name, key in names.items()}
    table["owner"] = [f"{row['cohort']}/{row['cluster_queue']}" for row in rows]
    table["kind"] = [row["class"] for row in rows]
    return Trace.from_columns(table | {"estimate_s": table["runtime_s"]})


def quotas(owners: list[str]) -> dict[str, Any]:
    """Return the scenario: five cohorts, in which each queue owns 20 CPUs and may borrow all others."""
    cohorts = sorted({name.partition("/")[0] for name in owners})
    numbers = {name: f"q{at}" for at, name in enumerate([*cohorts, *owners])}
    terms = {"quota": OWN, "borrow_most": 100, "reclaim": "any", "preempt_within": "lower_priority"}
    queues: list[dict[str, Any]] = [{"name": numbers[cohort]} for cohort in cohorts]
    for name in owners:
        parent = numbers[name.partition("/")[0]]
        queues.append({"name": numbers[name], "parent": parent, "owners": [name], **terms})
    pool = {"name": "own", "device": "unit", "devices": COHORT * len(cohorts), "pods": 1}
    policy = {"order": "priority:0", "backfill": "none", "patience": "never"}
    return {"name": "kueue", "pools": [pool], "policy": policy, "queues": queues}


def levels(run: Run, jobs: Trace) -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Give what each queue uses, and how many small ones wait in it, at the end of each instant."""
    submit_s, owners = jobs.numpy("submit_s").tolist(), jobs.table.column("owner").to_pylist()
    small = [kind == "small" for kind in jobs.table.column("kind").to_pylist()]
    attempts = run.table("attempts", ["job_id", "alloc_s", "end_s", "devices"]).to_pylist()
    finished_s = {row["job_id"]: row["end_s"] for row in run.table("jobs", ["job_id", "end_s"]).to_pylist()}
    events = [(second, 0, row, 0) for row, second in enumerate(submit_s)]
    for attempt in attempts:
        row, devices = attempt["job_id"], attempt["devices"]
        events += [(attempt["alloc_s"], 2, row, devices), (attempt["end_s"], 1, row, -devices)]
    used, waiting, now_s = Counter[str](), Counter[str](), 0
    for second, what, row, devices in sorted(events):
        if second > now_s:
            yield used, waiting
            now_s = second
        used[owners[row]] += devices
        comes = what == 0 or (what == 1 and second < finished_s[row])
        waiting[owners[row]] += (comes - (what == 2)) * small[row]


def limits_hold(run: Run, jobs: Trace) -> tuple[bool, bool]:
    """Say whether no cohort ever used more than it has, and whether each queue had its own when all asked."""
    cohorts: dict[str, list[str]] = {}
    for name in set(jobs.table.column("owner").to_pylist()):
        cohorts.setdefault(name.partition("/")[0], []).append(name)
    within = own = True
    for used, waiting in levels(run, jobs):
        for names in cohorts.values():
            within &= sum(used[name] for name in names) <= COHORT
            own &= not all(waiting[name] for name in names) or all(used[name] >= OWN for name in names)
    return within, own


def least_end_ms(jobs: Trace) -> int:
    """Return a bound of the end: the work that each cohort gets after any instant, on all of its CPUs."""
    cohort = np.array([owner.partition("/")[0] for owner in jobs.table.column("owner").to_pylist()])
    submit_ms, runtime_ms, gang = (jobs.numpy(name) for name in ("submit_s", "runtime_s", "gang"))
    bounds = [int((submit_ms + runtime_ms).max())]
    for name in np.unique(cohort):
        of: Ints = np.flatnonzero(cohort == name)
        since = np.cumsum((runtime_ms * gang)[of][::-1])[::-1]
        bounds.append(int(np.ceil((submit_ms[of] + since / COHORT).max())))
    return max(bounds)


def mean_waits_ms(run: Run) -> dict[str, float]:
    """Return the mean wait of each class."""
    jobs = run.table("jobs", ["kind", "wait_s"])
    kinds, wait_ms = np.array(jobs.column("kind").to_pylist()), np.asarray(jobs.column("wait_s"))
    return {name: float(wait_ms[kinds == name].mean()) for name in CLASSES}


def claims(data: Path) -> list[Claim]:
    """Hold the schedule against what it must keep; the control plane's times are left open."""
    jobs = workload(data)
    owners = sorted(set(jobs.table.column("owner").to_pylist()))
    with TemporaryDirectory(prefix="exaburst-") as folder:
        run = replay(Setup.of(parse_scenario(quotas(owners)), jobs, load_catalog()), Path(folder))
        within, own = limits_hold(run, jobs)
        waits, finished = mean_waits_ms(run), run.description["jobs"]["finished"]
        end_ms, least_ms = run.end_s, least_end_ms(jobs)
    ordered = list(waits.values()) == sorted(waits.values())
    shown = ", ".join(f"{name} {wait / 1_000:.1f} s" for name, wait in waits.items())
    kept = (
        ("workloads that finish", "15,000", f"{finished:,}", finished == 15_000),
        ("CPUs of a cohort in use", "120 at most", "120 at most" if within else "more", within),
        ("a queue's share when all ask", "20 at least", "20 at least" if own else "less", own),
        ("order of the mean waits", "large, medium, small", shown, ordered),
        (
            "end, beside our bound",
            f"{least_ms / 1_000:.3f} s at least",
            f"{end_ms / 1_000:.3f} s",
            end_ms >= least_ms,
        ),
    )
    return [
        *(Claim(PAPER, text, published, here, plainly(holds)) for text, published, here, holds in kept),
        *(Claim(PAPER, text, value, "", "of the control plane") for text, value in CONTROL_PLANE.items()),
    ]
