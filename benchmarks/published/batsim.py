"""EASY and conservative backfilling of Batsim's scheduler batsched: 801 jobs on 32 machines.

Published is a run of each (github.com/oar-team/evalys, examples/batsim_outputs/medium_late). batsched
reserves machines by their numbers; this engine, as the textbook does, so many of a pod. Its conservative
plan keeps reservations until a job has ended, and then moves them up one by one; here all are made anew in
each pass. `Batsched` is its rule written down anew, with both as switches.
"""

from __future__ import annotations

import csv
import gzip
import heapq
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.published.runs import schedule
from benchmarks.published.tables import Claim, switched
from traces.arrays import Ints

MACHINES, UNITS = 32, 1_000_000
"""Times are to the microsecond, which is the second of the run."""
PAPER = "Batsim"
FIGURES = ("mean wait, s", "most wait, s", "mean slowdown", "mean turnaround, s", "makespan, s", "waited")
PUBLISHED = {
    "easy": ("9.516326", "316.742718", "1.391621", "160.927071", "16088.510000", "182"),
    "conservative": ("9.852251", "319.138649", "1.387017", "161.262997", "16088.510000", "185"),
}
HERE = {"easy": "easy", "conservative": "conservative:1000"}
RULE = "machines reserved by number, as in batsched"


class Allocation(NamedTuple):
    """Machines from one instant to another: a mask of them, or how many."""

    machines: int
    start: int
    end: int


class Batsched:
    """Backfilling by batsched's rules, or with counts of machines and plans made anew."""

    def __init__(self, jobs: Ints, *, numbered: bool, anew: bool) -> None:
        self._jobs = jobs.tolist()
        self._numbered, self._anew = numbered, anew
        self._plan: dict[int, Allocation] = {}
        self._queue: list[int] = []
        self._starts: dict[int, int] = {}

    def starts(self, backfill: str) -> Ints:
        """Return when each job starts."""
        events = [(job[0], 0, row) for row, job in enumerate(self._jobs)]
        heapq.heapify(events)
        while events:
            now, new, ended = events[0][0], list[int](), False
            while events and events[0][0] == now:
                _now, ends, row = heapq.heappop(events)
                if ends:
                    del self._plan[row]
                    ended = True
                else:
                    new.append(row)
            self._queue += new
            before = len(self._starts)
            (self._easy if backfill == "easy" else self._conservative)(now, new, ended)
            for row in list(self._starts)[before:]:
                heapq.heappush(events, (now + self._jobs[row][2], 1, row))
        return np.array([self._starts[row] for row in range(len(self._jobs))])

    def _easy(self, now: int, new: list[int], ended: bool) -> None:
        self._forget()
        while self._queue and self._add(self._queue[0], now):
            pass
        for row in list(self._queue)[1:]:
            if (ended or row in new) and not self._add(row, now):
                del self._plan[row]

    def _conservative(self, now: int, new: list[int], ended: bool) -> None:
        if self._anew:
            self._forget()
        for row in list(self._queue) if ended or self._anew else new:
            self._add(row, now)

    def _forget(self) -> None:
        for row in self._queue:
            self._plan.pop(row, None)

    def _add(self, row: int, now: int) -> bool:
        """Give a job the first place in the plan, and say whether it starts there at once."""
        self._plan.pop(row, None)
        place = self._plan[row] = self._first_fit(row, now)
        if place.start == now:
            self._starts[row] = now
            self._queue.remove(row)
        return place.start == now

    def _first_fit(self, row: int, now: int) -> Allocation:
        _submit, walltime, _runtime, gang = self._jobs[row]
        starts = sorted({now, *(held.end for held in self._plan.values() if held.end > now)})
        for start in starts:
            free = self._free(start, start + walltime)
            if (free.bit_count() if self._numbered else free) >= gang:
                return Allocation(_lowest(free, gang) if self._numbered else gang, start, start + walltime)
        raise AssertionError("a job fits when all others have ended")

    def _free(self, start: int, end: int) -> int:
        """Return the machines, or how many, that are free all the time."""
        held = [held for held in self._plan.values() if held.start < end and held.end > start]
        if self._numbered:
            free = (1 << MACHINES) - 1
            for other in held:
                free &= ~other.machines
            return free
        instants = [start, *(other.start for other in held if other.start > start)]
        return MACHINES - max(
            sum(other.machines for other in held if other.start <= at < other.end) for at in instants
        )


def _lowest(free: int, gang: int) -> int:
    """Return the mask of the free machines with the lowest numbers."""
    taken = 0
    for _machine in range(gang):
        lowest = free & -free
        taken, free = taken | lowest, free ^ lowest
    return taken


def claims(data: Path) -> list[Claim]:
    """Hold the published figures against the engine, and where they differ against batsched's rule."""
    jobs = workload(data)
    submit, walltime, runtime, gang = jobs.T
    pool = {"name": "own", "device": "unit", "devices": MACHINES, "pods": 1}
    found = []
    for backfill, published in PUBLISHED.items():
        policy = {"backfill": HERE[backfill], "patience": "never"}
        ran = schedule({"pools": [pool], "policy": policy}, submit, runtime, gang, estimate_s=walltime)
        switch = Batsched(jobs, numbered=False, anew=True).starts(backfill)
        theirs = Batsched(jobs, numbered=True, anew=False).starts(backfill)
        columns = [_figures(jobs, starts) for starts in (ran.start_s, switch, theirs)]
        for text, *row in zip(FIGURES, published, *columns, strict=True):
            found.append(switched(PAPER, f"{backfill}, {text}", *row, rule=RULE))
    return found


def workload(data: Path) -> Ints:
    """Return submission, wall time and run time in microseconds, and machines of each job."""
    with gzip.open(data / "batsim" / "jobs.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    times = [
        [round(float(row[key]) * UNITS) for key in ("submit_s", "walltime_s", "runtime_s")] for row in rows
    ]
    return np.array([[*time, int(row["processors"])] for time, row in zip(times, rows, strict=True)])


def _figures(jobs: Ints, start: Ints) -> tuple[str, ...]:
    submit, _walltime, runtime, _gang = jobs.T
    wait, turnaround = (start - submit) / UNITS, (start + runtime - submit) / UNITS
    slowdown, makespan = (turnaround * UNITS / runtime).mean(), (start + runtime).max() / UNITS
    values = (wait.mean(), wait.max(), slowdown, turnaround.mean(), makespan)
    return *(f"{value:.6f}" for value in values), str(int((wait > 0).sum()))
