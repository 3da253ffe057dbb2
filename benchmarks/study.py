"""Speed of a study on all processors, beside one cell after the other in one process.

200 cells of about 5,000 jobs: five policies over forty seeds. Serial and parallel parts take turns, so that a
machine that is busy with something else slows both; the load is printed.

    make bench
    python -m benchmarks.study --seeds 10
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scheduler.study import Workers, processes
from scheduler.study.sweep.study_cells import Study, lay_out
from scheduler.study.sweep.sweep import run_study

STUDY = """
name = "bench"
seeds = {seeds}

[axes.policy]
never = "never"
at_once = "at_once"
after = "after:4h"
work = "per_work:0.25"
sjf = "sjf+after:4h"

[scenario]
name = "bench"
horizon_h = 96
demand = {{days = 4, devices = 720, load = 0.95}}
pools = [{{name = "dojo", pod = "exapod-case-study", pods = 6}}]
offers = [{{name = "cloud", offer = "nebius-h100-eu-north1", quota = 512}}]
"""


def timed(study: Study, workers: Workers) -> float:
    """Return the wall-clock seconds of a study computed anew, its traces included."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run_study(study, Path(folder), workers)
        return time.perf_counter() - began


def main() -> None:
    """Compare the two, round by round, and print the median ratio."""
    parser = argparse.ArgumentParser(description="Speed of a study on several processes.")
    parser.add_argument("--seeds", type=int, default=40, help="times five policies is the number of cells")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.toml"
        file.write_text(STUDY.format(seeds=arguments.seeds), encoding="utf-8")
        study = lay_out(file)
    ratios = []
    for _ in range(arguments.rounds):
        load = os.getloadavg()[0]
        serial_s = timed(study, Workers(lambda: ThreadPoolExecutor(1), 1))
        with processes(arguments.workers) as workers:
            parallel_s = timed(study, workers)
        ratios.append(serial_s / parallel_s)
        print(
            f"{len(study.cells)} cells: {serial_s:.1f} s in one process, {parallel_s:.1f} s with "
            f"{arguments.workers}, {ratios[-1]:.2f} times the speed (load before it {load:.1f})",
            flush=True,
        )
    print(f"median: {statistics.median(ratios):.2f} times the serial speed")


if __name__ == "__main__":
    main()
