"""RLScheduler (Zhang et al., SC 2020): the numbers of its simulator, window by window, on Lublin's model."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest

from benchmarks.published.rlscheduler import FOLDER, PUBLISHED, WINDOWS, WRONG, mean, window

LINES = {("anew", "none"): "none", ("committed", "none"): "commit", ("committed", "theirs"): "rlscheduler"}

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the windows are not beside the repository")


def expected() -> dict[tuple[str, str], dict[int, tuple[float, float]]]:
    """What each window must come to, by our names of order and backfill; wrong waits are left out."""
    windows: dict[tuple[str, str], dict[int, tuple[float, float]]] = defaultdict(dict)
    with (FOLDER / "expected_windows.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["policy"] not in ("wfp3", "unicep"):
                key = row["policy"].removesuffix("_real"), LINES[row["head"], row["backfill"]]
                must = float(row["mean_bounded_slowdown"]), float(row["utilization"])
                windows[key][int(row["first_job"])] = must
    return windows


@pytest.mark.parametrize("backfill", ["none", "commit", "rlscheduler"])
@pytest.mark.parametrize("order", ["sjf", "wfp3"])
def test_a_window_comes_out_to_the_last_digit(order: str, backfill: str) -> None:
    must = expected()[order, backfill][2714]
    assert window("lublin_256", order, backfill, 2714) == pytest.approx(must, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("backfill", ["none", "commit", "rlscheduler"])
@pytest.mark.parametrize("order", ["fcfs", "sjf", "f1", "wfp3", "unicep"])
def test_all_windows_come_out_to_the_last_digit(order: str, backfill: str) -> None:
    must = expected()[order, backfill]
    assert sorted(must) == sorted(WINDOWS)
    for first, figures in must.items():
        assert window("lublin_256", order, backfill, first) == pytest.approx(figures, abs=1e-6)


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
def test_the_first_table(order: str, backfill: str, slowdown: float) -> None:
    """The published ones, and those of a head that is chosen anew or of a wait that is right."""
    assert mean(("lublin_256", order, backfill))[0] == slowdown


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
def test_the_second_trace_where_submissions_tie(order: str, backfill: str, slowdown: float) -> None:
    assert mean(("lublin_256_new2", order, backfill))[0] == slowdown


@pytest.mark.slow
@pytest.mark.parametrize(("trace", "backfill"), PUBLISHED)
@pytest.mark.parametrize(("order", "at"), [("wfp3", 1), ("unicep", 2)])
def test_a_wait_that_counts_from_minus_one_gives_what_was_published(
    trace: str, backfill: str, order: str, at: int
) -> None:
    assert mean((trace, WRONG[order], backfill))[0] == PUBLISHED[trace, backfill][at]
