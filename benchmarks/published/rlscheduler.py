"""The heuristics of Zhang et al., "RLScheduler" (SC 2020), table V, on two traces of Lublin and Feitelson's
model.

Ten windows of 1,024 jobs each start on an empty machine of 256 processors; a number is the mean bounded
slowdown over the jobs of a window, then over the windows. The simulator (github.com/DIR-LAB/deep-batch-
scheduler) has two defects, which `commit` and `wrong_wait.py` have, too: a head that is chosen stays the
head until it has started, and WFP3 and UNICEP count the wait from a start time that is still -1.
"""

from __future__ import annotations

import gzip
from concurrent.futures import Executor
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.published.inputs import DATA
from benchmarks.published.runs import schedule
from benchmarks.published.tables import Claim, equal, table
from scheduler.run.metrics import bounded_slowdown
from traces.arrays import Ints

FOLDER = DATA / "rlscheduler"
WINDOWS = (1981, 2756, 4299, 8850, 3316, 2714, 5228, 7762, 4022, 7085)
LENGTH, PROCESSORS = 1_024, 256
TRACES = {"lublin_256": "Lublin-1", "lublin_256_new2": "Lublin-2"}
PAPER = "RLScheduler"
POLICIES = ("fcfs", "wfp3", "unicep", "sjf", "f1")
PUBLISHED = {
    ("lublin_256", "commit"): (7273.77, 19753.53, 22274.74, 277.35, 258.37),
    ("lublin_256", "rlscheduler"): (235.82, 133.87, 307.23, 73.31, 75.07),
    ("lublin_256_new2", "commit"): (7842.47, 9523.18, 11265.31, 787.89, 698.34),
    ("lublin_256_new2", "rlscheduler"): (247.61, 318.35, 379.59, 91.99, 148.25),
}
"""By trace and backfill, in the order of `POLICIES`; the table's rows without and with backfilling."""
BACKFILLS = {"commit": "none", "rlscheduler": "theirs"}
WRONG = {name: f"{Path(__file__).with_name('wrong_wait.py')}:{name}" for name in ("wfp3", "unicep")}
MENDED = {"real wait": ("wfp3", "unicep"), "head chosen anew": POLICIES}

Case = tuple[str, str, str]
"""(trace, order, backfill)"""


@cache
def jobs(name: str, folder: Path = FOLDER) -> Ints:
    """Return submission, run time and processors of each job of a trace."""
    with gzip.open(folder / f"{name}.swf.gz", "rt") as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith(";")]
    return np.array([[int(float(row[at])) for at in (1, 3, 4)] for row in rows])


def window(name: str, order: str, backfill: str, first: int, folder: Path = FOLDER) -> tuple[float, float]:
    """Return mean bounded slowdown, and utilization up to the last start, of one window."""
    submit_s, runtime_s, gang = jobs(name, folder)[first : first + LENGTH].T
    pool = {"name": "own", "device": "unit", "devices": PROCESSORS, "pods": 1}
    policy = {"order": order, "backfill": backfill, "patience": "never"}
    ran = schedule({"pools": [pool], "policy": policy}, submit_s, runtime_s, gang)
    slowdown = bounded_slowdown(ran.wait_s, runtime_s)
    asked = float((runtime_s * gang).sum())
    return float(slowdown.mean()), asked / (PROCESSORS * float(ran.start_s.max() - submit_s[0]))


def mean(case: Case, folder: Path = FOLDER) -> tuple[float, float]:
    """Return both figures of a case as published: means over the windows, to two and three decimals."""
    found = [window(*case, first, folder) for first in WINDOWS]
    slowdown, utilization = np.mean(found, axis=0).tolist()
    return round(slowdown, 2), round(utilization, 3)


def redo(data: Path, executor: Executor) -> dict[Case, float]:
    """Run what was published, and both defects mended one after the other."""
    published = [
        (name, WRONG.get(order, order), backfill) for (name, backfill), order in product(PUBLISHED, POLICIES)
    ]
    mended = [(name, order, "commit") for name, order in product(TRACES, MENDED["real wait"])]
    anew = [(name, order, "none") for name, order in product(TRACES, POLICIES)]
    cases = [*published, *mended, *anew]
    means = executor.map(partial(mean, folder=data / "rlscheduler"), cases)
    return dict(zip(cases, (slowdown for slowdown, _utilization in means), strict=True))


def claims(redone: dict[Case, float]) -> list[Claim]:
    """Hold each published number against what came out."""
    return [
        equal(
            PAPER,
            f"{TRACES[name]}, {order}, backfilling {BACKFILLS[backfill]}",
            f"{value:.2f}",
            f"{redone[name, WRONG.get(order, order), backfill]:.2f}",
        )
        for (name, backfill), values in PUBLISHED.items()
        for order, value in zip(POLICIES, values, strict=True)
    ]


def page(redone: dict[Case, float]) -> str:
    """Return what was published without backfilling, and what is left of it without the two defects."""
    rows = []
    for name, order in product(TRACES, POLICIES):
        published = PUBLISHED[name, "commit"][POLICIES.index(order)]
        mended = redone.get((name, order, "commit"), published)
        anew = redone[name, order, "none"]
        rows.append([TRACES[name], order, f"{published:,.2f}", f"{mended:,.2f}", f"{anew:,.2f}"])
    return table(["trace", "policy", "published, and here", *MENDED], rows)
