"""RLScheduler (Zhang et al., SC 2020): the numbers of its simulator, window by window, on Lublin's model."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.build import pool, run, scenario
from traces.arrays import Floats, Ints
from traces.trace import Trace

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "rlscheduler"
WINDOWS = (1981, 2756, 4299, 8850, 3316, 2714, 5228, 7762, 4022, 7085)
LENGTH, PROCESSORS = 1_024, 256
LINES = {("anew", "none"): "none", ("committed", "none"): "commit", ("committed", "theirs"): "rlscheduler"}

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the windows are not beside the repository")


@cache
def jobs(name: str) -> Ints:
    """Submission, run time and processors of each job."""
    with gzip.open(DATA / f"{name}.swf.gz", "rt") as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith(";")]
    return np.array([[int(float(row[at])) for at in (1, 3, 4)] for row in rows])


def window(name: str, first: int, order: str, backfill: str, folder: Path) -> tuple[float, float]:
    """Mean bounded slowdown, and utilization up to the last start, of a window on an empty machine."""
    submit_s, runtime_s, gang = jobs(name)[first : first + LENGTH].T
    over = Trace.from_columns(
        {"submit_s": submit_s, "runtime_s": runtime_s, "estimate_s": runtime_s, "gang": gang}
    )
    policy = {"order": order, "backfill": backfill, "patience": "never"}
    of = run(scenario([pool(PROCESSORS)], policy=policy), over, folder / f"{order}-{backfill}-{first}")
    start_s: Floats = of.table("jobs").sort_by("job_id").column("start_s").to_numpy()
    slowdown = np.maximum(1, (start_s - submit_s + runtime_s) / np.maximum(runtime_s, 10)).mean()
    asked = float((runtime_s * gang).sum())
    return float(slowdown), asked / (PROCESSORS * float(start_s.max() - submit_s[0]))


def table(name: str, order: str, backfill: str, folder: Path) -> tuple[float, float]:
    """The means over all windows."""
    found = [window(name, first, order, backfill, folder) for first in WINDOWS]
    slowdown, utilization = np.mean(found, axis=0).tolist()
    return round(slowdown, 2), round(utilization, 3)


def expected() -> dict[tuple[str, str], dict[int, tuple[float, float]]]:
    """What each window must come to, by our names of order and backfill; wrong waits are left out."""
    windows: dict[tuple[str, str], dict[int, tuple[float, float]]] = defaultdict(dict)
    with (DATA / "expected_windows.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["policy"] not in ("wfp3", "unicep"):
                key = row["policy"].removesuffix("_real"), LINES[row["head"], row["backfill"]]
                must = float(row["mean_bounded_slowdown"]), float(row["utilization"])
                windows[key][int(row["first_job"])] = must
    return windows


@pytest.mark.parametrize("backfill", ["none", "commit", "rlscheduler"])
@pytest.mark.parametrize("order", ["sjf", "wfp3"])
def test_a_window_comes_out_to_the_last_digit(tmp_path: Path, order: str, backfill: str) -> None:
    must = expected()[order, backfill][2714]
    assert window("lublin_256", 2714, order, backfill, tmp_path) == pytest.approx(must, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("backfill", ["none", "commit", "rlscheduler"])
@pytest.mark.parametrize("order", ["fcfs", "sjf", "f1", "wfp3", "unicep"])
def test_all_windows_come_out_to_the_last_digit(tmp_path: Path, order: str, backfill: str) -> None:
    must = expected()[order, backfill]
    assert sorted(must) == sorted(WINDOWS)
    for first, figures in must.items():
        assert window("lublin_256", first, order, backfill, tmp_path) == pytest.approx(figures, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "backfill", "slowdown"),
    [
        ("fcfs", "none", 7273.77),
        ("sjf", "none", 47.16),
        ("f1", "none", 34.53),
        ("wfp3", "none", 118.74),
        ("unicep", "none", 34.32),
        ("sjf", "commit", 277.35),
        ("f1", "commit", 258.37),
        ("wfp3", "commit", 337.34),
        ("unicep", "commit", 381.71),
        ("fcfs", "rlscheduler", 235.82),
        ("sjf", "rlscheduler", 73.31),
        ("f1", "rlscheduler", 75.07),
    ],
)
def test_the_first_table(tmp_path: Path, order: str, backfill: str, slowdown: float) -> None:
    """The published ones, and those of a head that is chosen anew or of a wait that is right."""
    assert table("lublin_256", order, backfill, tmp_path)[0] == slowdown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "backfill", "slowdown"),
    [
        ("fcfs", "commit", 7842.47),
        ("sjf", "commit", 787.89),
        ("f1", "commit", 698.34),
        ("fcfs", "rlscheduler", 247.61),
        ("sjf", "rlscheduler", 91.99),
        ("f1", "rlscheduler", 148.25),
    ],
)
def test_the_second_trace_where_submissions_tie(
    tmp_path: Path, order: str, backfill: str, slowdown: float
) -> None:
    assert table("lublin_256_new2", order, backfill, tmp_path)[0] == slowdown
