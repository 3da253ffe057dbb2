"""Waits weighted by work, gangs by size, campaigns and the headline: by hand, and against slow ways."""

from __future__ import annotations

from collections import defaultdict
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.report.summary import summary
from scheduler.run.campaigns import campaigns
from scheduler.run.directory import Run
from scheduler.run.figures import main_figures, measure
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import by_gang, by_word, deadlines, worked_jobs
from scheduler.run.metrics import percentiles, weighted_percentiles
from tests.build import job, offer, pool, run, scenario, trace

H = 3_600
WEIGHED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=12)
"""Few values, so that there are ties, and weights of which some are nothing."""


@given(WEIGHED, st.integers(1, 100))
@example([(7, 3)], 90)
@example([(1, 0), (2, 0)], 50)
@example([(0, 2**62), (1, 2**62 - 1)], 50)
def test_a_weighted_percentile_is_the_first_value_that_holds_enough(
    pairs: list[tuple[int, int]], percent: int
) -> None:
    values, weights = (np.array([pair[at] for pair in pairs], np.int64) for at in (0, 1))
    (found,) = weighted_percentiles(values, weights, [percent])
    total = sum(weight for _, weight in pairs)
    enough = [
        value
        for value, _ in sorted(pairs)
        if 100 * sum(weight for other, weight in pairs if other <= value) >= percent * total
    ]
    assert found == enough[0] if total else isnan(found)


@given(st.lists(st.integers(0, 10**9) | st.floats(-1e12, 1e12), min_size=1), st.integers(0, 100))
def test_percentiles_are_those_of_numpy_to_the_bit(values: list[float], percent: int) -> None:
    at = (percent, 95, 99)
    assert percentiles(np.array(values), at) == np.percentile(np.array(values), at).tolist()


def test_many_small_jobs_hide_a_large_one(tmp_path: Path) -> None:
    """Nine jobs of a device-hour start at once; the gang of 30 for 3 hours, 90 of 99, waits for the ninth."""
    small = [job(0, H, 1, workload="fsd") for _ in range(9)]
    of = run(scenario([pool(30)]), trace(*small, job(0, 3 * H, 30, workload="fsd")), tmp_path)
    (figures,) = by_word(of).values()
    assert figures["wait_p50_s"] == 0
    assert (figures["ready_jobs"], figures["ready_device_h"]) == (10, 99)
    assert [figures[f"waited_by_work_{at}_s"] for at in ("p50", "p90")] == [H, H]
    assert (figures["waited_max_s"], figures["unstarted_jobs"]) == (H, 0)


def story(folder: Path) -> Run:
    """Two pods of 10 until hour 10: until 4 a gang of 16 spans both, then one of 9 works until 8.

    On the other pod is a gang of 10 from hour 4 on for good, and another one follows at 8. One gang is too
    large, and one job comes after what never ends.
    """
    jobs = trace(
        job(0, 4 * H, 16, workload="fsd", kind="fsd.a", deadline_s=3 * H),
        job(0, 4 * H, 9, workload="fsd", kind="fsd.a", deadline_s=9 * H),
        job(0, 90 * H, 10, workload="optimus", kind="optimus.b", deadline_s=9 * H),
        job(H, 90 * H, 10, workload="optimus", kind="optimus.b", deadline_s=20 * H),
        job(H, H, 30, workload="optimus", kind="optimus.c"),
        job(H, H, 1, workload="optimus", kind="optimus.c", after=2),
    )
    cluster = scenario([pool(10, 2, span_efficiency=1)], horizon_h=10, policy={"backfill": "none"})
    return run(cluster, jobs, folder)


def test_waits_by_size_of_gang(tmp_path: Path) -> None:
    of = story(tmp_path)
    found = by_gang(worked_jobs(of, DeviceTime(of)), of.end_s)
    assert list(found) == ["gang 1", "gang 9-32", "over pods"]
    assert found["gang 1"]["ready_jobs"] == 0
    names = ("ready_jobs", "ready_device_h", "waited_by_work_p50_s", "waited_max_s", "unstarted_jobs")
    assert [found["over pods"][name] for name in names] == [1, 64, 0, 0, 0]
    # 64 at once, 36 and 900 from hour 4, 900 from hour 8, when the 9 devices are free again
    assert [found["gang 9-32"][name] for name in names] == [4, 1_900, 4 * H, 7 * H, 0]
    assert found["gang 9-32"]["waited_by_work_p90_s"] == 7 * H


def test_sizes_of_gangs_meet_without_gaps(tmp_path: Path) -> None:
    gangs = (1, 2, 8, 9, 32, 33, 128, 129, 512, 513)
    of = run(scenario([pool(600)]), trace(*(job(0, H, gang) for gang in gangs)), tmp_path)
    found = by_gang(worked_jobs(of, DeviceTime(of)), of.end_s)
    assert {name: figures["ready_device_h"] for name, figures in found.items()} == {
        "gang 1": 1,
        "gang 2-8": 10,
        "gang 9-32": 41,
        "gang 33-128": 161,
        "gang 129-512": 641,
        "gang over 512": 513,
    }


def test_who_waits_at_the_end_waits_so_far(tmp_path: Path) -> None:
    jobs = trace(job(0, 9 * H, 1), job(H, 99 * H, 1), job(2 * H, H, 1, after=1))
    (figures,) = by_word(run(scenario([pool(1)], horizon_h=4), jobs, tmp_path)).values()
    names = ("ready_jobs", "unstarted_jobs", "wait_p99_s", "waited_by_work_p50_s", "waited_max_s")
    assert [figures[name] for name in names] == [2, 1, 0, 3 * H, 3 * H]


def test_campaigns_end_with_their_last_job(tmp_path: Path) -> None:
    """fsd.a: one an hour late, the other an hour early; optimus.b: one late so far, one open."""
    of = story(tmp_path)
    found = campaigns(worked_jobs(of, DeviceTime(of)), of.end_s)
    names = ("campaigns", "campaigns_late", "campaigns_open", "lateness_p50_s", "lateness_max_s")
    assert {kind: tuple(figures[name] for name in names) for kind, figures in found.items()} == {
        "fsd.a": (2, 1, 0, 0, H),
        "optimus.b": (1, 1, 1, H, H),
        "all": (3, 2, 1, H, H),
    }
    assert [main_figures(of)[name] for name in names] == [3, 2, 1, H, H]


Timed = tuple[str, int | None, int, str]
"""kind, deadline, end and state."""
TIMED = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from([None, 3, 6, 12]),
    st.integers(1, 10),
    st.sampled_from(["finished", "finished", "unfinished", "killed", "rejected"]),
)


@given(st.lists(TIMED, max_size=12))
def test_campaigns_are_those_of_a_slow_way(jobs: list[Timed]) -> None:
    kinds, deadlines, ends, states = zip(*jobs, strict=True) if jobs else ((), (), (), ())
    words = pa.dictionary(pa.int32(), pa.string())
    table = pa.table(
        {
            "kind": pa.array(kinds, pa.string()).cast(words),
            "deadline_s": pa.array(deadlines, pa.int64()),
            "end_s": pa.array([None if s == "unfinished" else e for e, s in zip(ends, states, strict=True)]),
            "state": pa.array(states, pa.string()).cast(words),
        }
    )
    table = table.set_column(2, "end_s", table.column("end_s").cast("int64"))
    groups: dict[tuple[str, int], list[Timed]] = defaultdict(list)
    for each in jobs:
        if each[1] is not None:
            groups[each[0], each[1]].append(each)
    found = campaigns(table, 10)
    assert found.keys() == {kind for kind, _ in groups} | {"all"}
    for kind, figures in found.items():
        late, still_open = [], 0
        for (of, deadline_s), ours in groups.items():
            if kind in ("all", of):
                last = max(end if state == "finished" else 10 for *_, end, state in ours)
                if deadline_s <= 10 or all(state == "finished" for *_, state in ours):
                    late.append(last - deadline_s)
                else:
                    still_open += 1
        assert figures["campaigns"] == len(late)
        assert figures["campaigns_late"] == sum(each > 0 for each in late)
        assert figures["campaigns_open"] == still_open
        if late:
            assert (figures["lateness_p50_s"], figures["lateness_max_s"]) == (median(late), max(late))
        else:
            assert isnan(figures["lateness_p50_s"])


def test_a_killed_job_has_not_met_its_deadline(tmp_path: Path) -> None:
    of = story(tmp_path)
    jobs = worked_jobs(of, DeviceTime(of))
    at = jobs.column_names.index("state")
    killed = jobs.set_column(at, "state", pa.array(["killed"] * len(jobs)))
    assert [deadlines(each, of.end_s)["missed"] for each in (jobs, killed)] == [2, 3]
    assert [campaigns(each, of.end_s)["fsd.a"]["campaigns_late"] for each in (jobs, killed)] == [1, 2]


def lines(text: str, first: str) -> list[list[str]]:
    (part,) = (part for part in text.split("\n\n") if part.startswith(first))
    return [line.split() for line in part.splitlines()]


def test_the_summary_says_what_waited(tmp_path: Path) -> None:
    text = summary(story(tmp_path))
    head, fsd, optimus, gangs, over_pods, every = lines(text, "work  ")
    assert " ".join(head) == "work jobs device-h asked share waited p50 p90 longest not started"
    assert fsd == ["fsd", "2", "100", "5.3%", "0", "s", "4.0", "h", "4.0", "h", "0"]
    assert optimus[:4] == ["optimus", "2", "1,800", "94.7%"]
    assert gangs[2:] == every[1:]
    assert over_pods[-1] == "0"
    assert lines(text, "campaigns ") == [
        ["campaigns", "late", "lateness", "p50", "most", "open"],
        ["fsd.a", "1", "of", "2", "0", "s", "+60", "min", "0"],
        ["optimus.b", "1", "of", "1", "+60", "min", "+60", "min", "1"],
        ["all", "2", "of", "3", "+60", "min", "+60", "min", "1"],
    ]


FREE = {"usd_per_kwh": 0}
HEADLINES: list[tuple[dict[str, Any], list[Any], str]] = [
    (
        {"pools": [pool(4)], "money": FREE},
        [job(0, H, 4)],
        "1 job: 100% of 4 devices busy, nine tenths of the work did not wait.",
    ),
    (
        {"pools": [pool(4)], "money": FREE},
        [job(0, H, 4), job(0, H, 3, deadline_s=H)],
        "2 jobs: 88% of 4 devices busy, half of the work did not wait, a tenth waited 60 min or more, "
        "1 of 1 deadlines missed.",
    ),
    (
        {"pools": [pool(4)], "money": FREE},
        [job(0, H, 3), job(0, H, 4)],
        "2 jobs: 88% of 4 devices busy, half of the work waited 60 min or more, a tenth 60 min or more.",
    ),
    (
        {"offers": [offer("cloud")]},
        [job(0, H, 4)],
        "1 job: nine tenths of the work did not wait, 14.4 USD, of which rent 100.0%.",
    ),
    ({"pools": [pool(4)], "money": FREE}, [job(0, H, 5)], "1 job: 0% of 4 devices busy, no work."),
    (  # capital 22,815 USD an hour and operations 5,704, beside 3.6 of rent
        {
            "pools": [pool(4, capital_usd=1e9)],
            "offers": [offer("cloud")],
            "policy": {"patience": "at_once"},
            "money": {"usd_per_kwh": 0.0},
        },
        [job(0, H, 4), job(0, H, 1)],
        "2 jobs: 100% of 4 devices busy, nine tenths of the work did not wait, 28,500 USD, "
        "of which rent under 0.1%.",
    ),
]


@pytest.mark.parametrize(("stock", "jobs", "said"), HEADLINES)
def test_a_run_in_a_sentence(tmp_path: Path, stock: dict[str, Any], jobs: list[Any], said: str) -> None:
    text = summary(run(scenario(**stock), trace(*jobs), tmp_path)).split("\n\n")[1]
    assert " ".join(text.split()) == said
    assert max(map(len, text.splitlines())) <= 100


def test_studies_keep_them(tmp_path: Path) -> None:
    of = story(tmp_path)
    found = measure(of, trace(job(0, 1, 1)))
    assert (found["span_jobs"], found["span_device_h"]) == (1, 64)
    assert (found["campaigns_late"], found["campaigns_late:fsd.a"]) == (2, 1)
    assert found["waited_by_work_p50_s"] == 4 * H
