"""Speed and memory of a replay, beside a bare loop that does as little as can be done.

Every case runs in a process of its own, its floor just before and after it in that same process: the ratio
of the two survives a noisy machine, the seconds do not. The floor is a `heapq` loop that only works out when
each job starts, first come first served on as many devices, and logs nothing.

    make bench
    python -m benchmarks.bench --case easy --jobs 100000 --engine fast
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from traces.arrow_start import start_arrow_without_pandas
from traces.trace import Trace

if TYPE_CHECKING:  # each case imports them as it is prepared
    from scheduler.run.directory import Run
    from scheduler.scenario import Scenario

PODS, POD_DEVICES = 7, 120


class Case(NamedTuple):
    """A load, a policy, and pods."""

    load: float
    policy: dict[str, str]
    pods: int = PODS
    pod_devices: int = POD_DEVICES
    largest: int = 60
    """Larger gangs are cut down to so many devices."""


_EASY = {"backfill": "easy", "patience": "never"}

CASES = {
    "fcfs": Case(0.80, {"backfill": "none", "patience": "after:10m"}),
    "easy": Case(0.95, _EASY),
    "multifactor": Case(0.95, _EASY | {"order": "multifactor"}),
    "overload": Case(1.10, _EASY),
    "pods": Case(1.10, _EASY, pods=10_000, pod_devices=8, largest=8),
    "spans": Case(0.90, _EASY, pods=100, pod_devices=8),
    "spans_1000": Case(0.90, _EASY, pods=1_000, pod_devices=8),
    "single": Case(1.10, _EASY | {"place": "worst_fit"}, pods=16_000, pod_devices=1, largest=1),
    "conservative": Case(0.95, _EASY | {"backfill": "conservative"}),
    "conservative_8": Case(0.95, _EASY | {"backfill": "conservative:8"}),
    "predicted": Case(1.10, _EASY | {"patience": "predicted:1h"}),
}
"""The first and the last may burst to rented devices."""

PLAN = [
    *(("fcfs", 10_000), ("fcfs", 100_000), ("fcfs", 1_000_000), ("easy", 1_000_000)),
    *(("overload", 100_000), ("overload", 300_000), ("pods", 300_000), ("single", 100_000)),
    *(("spans", 10_000), ("spans_1000", 20_000), ("predicted", 10_000), ("predicted", 30_000)),
    *(("conservative_8", 3_000), ("conservative", 3_000), ("conservative", 10_000)),
]
ASKED_WHY, MOST_ASKED = ("fcfs", "easy"), 1_000_000
"""Cases asked why their jobs waited, up to so many jobs: where all wait, there is no end of spans."""
LONG_PLAN = [("fcfs", 10_000_000), ("overload", 1_000_000)]


def demand(jobs: int, load: float, devices: int = PODS * POD_DEVICES, largest: int = 60) -> Trace:
    """Poisson arrivals, lognormal run times (median 25 min), and mostly small gangs, as in public clusters.

    Nine jobs in ten ask for at most 8 devices and those ask for a third of the device-time; the largest
    gangs ask for half a pod. Estimates are 1 to 4 times the run time.
    """
    rng = np.random.default_rng(7)
    gang = rng.choice([1, 2, 4, 8, 16, 32, 60], jobs, p=[0.58, 0.13, 0.12, 0.09, 0.05, 0.02, 0.01])
    gang = np.minimum(gang, largest)
    runtime = np.clip(rng.lognormal(7.3, 1.4, jobs), 30, 4 * 86_400).astype(np.int64)
    span = (gang * runtime).sum() / (load * devices)
    submit = np.sort(rng.uniform(0, span, jobs)).astype(np.int64)
    estimate = (runtime * rng.choice([1.0, 1.5, 2.0, 4.0], jobs)).astype(np.int64)
    return Trace.from_columns(
        {"submit_s": submit, "runtime_s": runtime, "gang": gang, "estimate_s": estimate}
    )


def floor(trace: Trace, devices: int) -> float:
    """Return the CPU seconds of the bare loop."""
    columns = [trace.numpy(name).tolist() for name in ("submit_s", "runtime_s", "gang")]
    began = time.process_time()
    free, now = devices, 0
    running: list[tuple[int, int]] = []
    starts = []
    for submit, runtime, gang in zip(*columns, strict=True):
        now = max(now, submit)
        while running and (running[0][0] <= now or free < gang):
            end, released = heappop(running)
            now = max(now, end)
            free += released
        free -= gang
        starts.append(now)
        heappush(running, (now + runtime, gang))
    return time.process_time() - began


def measure(case: str, jobs: int, engine: str) -> dict[str, float]:
    """Run a case in this process; compiling, or reading what was compiled, is not a matter of jobs either."""
    from scheduler.replay import Setup, replay
    from scheduler.scenario import parse_scenario

    start_arrow_without_pandas()  # as each command does
    load, policy, pods, pod_devices, largest = CASES[case]
    raw: dict[str, Any] = {
        "name": "bench",
        "pools": [{"name": "own", "device": "tile", "devices": pod_devices, "pods": pods}],
        "offers": [{"name": "h100", "offer": "aws-h100-us-east-1", "quota": 2_000}],
        "policy": policy,
    }
    scenario = parse_scenario(raw)
    with tempfile.TemporaryDirectory() as folder:  # imports and the catalog are not a matter of jobs
        replay(Setup.of(scenario, demand(100, load, largest=largest)), Path(folder) / "run", engine=engine)
    trace = demand(jobs, load, pods * pod_devices, largest)
    floors = [floor(trace, pods * pod_devices)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        run = replay(Setup.of(scenario, trace), Path(folder) / "run", engine=engine)
        seconds = time.process_time() - began
        logged = run.table("jobs", ["rented", "wait_s"])
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
        asked = case in ASKED_WHY and jobs <= MOST_ASKED
        causes = causes_s(run, scenario, trace) if asked else float("nan")
        rented = float(np.mean(logged.column("rented").to_numpy()))
        waited = float(np.mean(logged.column("wait_s").to_numpy() > 0))
    floors.append(floor(trace, pods * pod_devices))
    return {
        "seconds": seconds,
        "floor": min(floors),
        "rented": rented,
        "waited": waited,
        "peak_mb": peak_mb,
        "causes": causes,
    }


def causes_s(run: Run, scenario: Scenario, trace: Trace) -> float:
    """Return the CPU seconds of working out what jobs waited for, and of writing waits.parquet.

    A replay itself does nothing for that: it logs no more than it would if nobody ever asked.
    """
    from scheduler.replay import Setup
    from scheduler.why.waits import Inquiry

    began = time.process_time()
    Inquiry(run, Setup.of(scenario, trace)).waits().write(trace, run.folder.parent / "waits.parquet")
    return time.process_time() - began


def report(plan: Sequence[tuple[str, int]], repeat: int, engine: str) -> None:
    """Measure each case in a fresh process, `repeat` times, and print the run of the lowest ratio."""
    print(f"{'case':12}{'jobs':>12}{'CPU s':>9}{'us/job':>8}{'floor':>7}{'ratio':>7}{'jobs/s':>10}", end="")
    print(f"{'waited':>8}{'rented':>8}{'peak MB':>9}{'+ causes':>10}")
    for case, jobs in plan:
        command = [sys.executable, "-m", "benchmarks.bench", "--case", case, "--jobs", str(jobs), "--json"]
        command += ["--engine", engine]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(repeat)]
        best = min(runs, key=lambda run: run["seconds"] / run["floor"])
        print(
            f"{case:12}{jobs:12,}{best['seconds']:9.2f}{best['seconds'] / jobs * 1e6:8.2f}"
            f"{best['floor'] / jobs * 1e6:7.2f}{best['seconds'] / best['floor']:7.1f}"
            f"{jobs / best['seconds']:10,.0f}"
            f"{best['waited']:8.1%}{best['rented']:8.1%}{best['peak_mb']:9.0f}"
            f"{best['causes'] / best['seconds']:10.1%}",
            flush=True,
        )


def main() -> None:
    """Run the plan, or one case."""
    parser = argparse.ArgumentParser(description="Speed and memory of a replay beside a bare heapq loop.")
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="one case, measured in this process")
    parser.add_argument("--repeat", type=int, default=3, help="processes a case; the best ratio is printed")
    parser.add_argument("--engine", choices=("simpy", "fast"), default="simpy")
    parser.add_argument("--long", action="store_true", help="more jobs too")
    arguments = parser.parse_args()
    if arguments.json:
        print(json.dumps(measure(arguments.case, arguments.jobs, arguments.engine)))
    elif arguments.case:
        report([(arguments.case, arguments.jobs)], arguments.repeat, arguments.engine)
    else:
        report(PLAN + LONG_PLAN * arguments.long, arguments.repeat, arguments.engine)


if __name__ == "__main__":
    main()
