"""`exaburst try`: a good policy is compared; one that takes or sees too much ends in one line."""

from __future__ import annotations

from math import nan
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from scheduler.report.documents.trial import TryDocument
from scheduler.report.trial import says
from scheduler.study.compare.differences import CompareError, Difference
from scheduler.study.compare.statistics import Interval
from scheduler.study.trial.confined import ConfinedTask, TrialLimits, run_confined
from scheduler.study.trial.suites import HELD_OUT, TO_TRAIN, worlds
from scheduler.study.trial.trial import TrialVerdict
from tests.build import job, trace


def tried(folder: Path, source: str, *options: object) -> Result:
    (folder / "mine.py").write_text(source)
    words = ("try", f"{folder}/mine.py:order", "--on", "synthetic", "--seeds", 2, "--workers", 1, *options)
    return CliRunner().invoke(main, [str(word) for word in words])


def returning(key: str, above: str = "") -> str:
    return f"{above}\ndef order():\n    return lambda job, view: {key}\n"


def test_a_good_policy_is_compared_in_pairs_on_both_parts(tmp_path: Path) -> None:
    found = tried(tmp_path, returning("job.submit_s"), "--against", "fcfs", "--against", "sjf", "--json")
    assert found.exit_code == 0, found.output
    document = msgspec.json.decode(found.stdout, type=TryDocument)
    assert (document.seam, document.against, document.replications) == ("order", ["fcfs", "sjf"], 2)
    beside_itself = [row for row in document.differences if row["against"] == "fcfs"]
    assert {row["difference"] for row in beside_itself} == {0.0}
    assert {row["says"] for row in beside_itself} == {"same"}
    assert {row["part"] for row in document.differences} == {TO_TRAIN, HELD_OUT}
    assert len(document.rows) == 3 * 2 * 2
    assert all(isinstance(took := cost["cpu_s"], float) and took > 0 for cost in document.costs)


SLOW = """
def order():
    def key(job, view):
        while True:
            pass
    return key
"""
HUNGRY = """
def order():
    held = []
    def key(job, view):
        held.append(bytearray(50_000_000))
        return 0
    return key
"""


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (SLOW, "out of time: it takes more than 3 s of CPU"),
        (HUNGRY, "out of memory: it takes more than 256 MB"),
        (returning("1 / 0"), "ZeroDivisionError: division by zero"),
        (returning("job.runtime_s"), "policy.order: job.runtime_s: is nothing that a policy sees"),
        (returning("view.now_s"), "policy.order: looks at view.now_s"),
        (returning("time()", "from time import time"), "mine.py imports time: a policy sees no clock"),
        (returning("numpy.fromfile(__file__)[0]", "import numpy"), "mine.py, line 3: __file__: is nothing"),
        (
            returning("numpy.fromfile('/etc/passwd')[0]", "import numpy"),
            "mine.py: open /etc/passwd: a policy sees no",
        ),
        (returning("open('/etc/passwd')"), "mine.py, line 3: open: is nothing that a policy may use"),
        (returning("job._of.runtime_s"), "mine.py, line 3: _of: is nothing that a policy may use"),
        (
            returning("getattr(job, '_of').runtime_s"),
            "mine.py, line 3: _of: is nothing that a policy may use",
        ),
        (returning("random.random()", "import random"), "the same world twice is not the same"),
        ("def other(): pass", 'no policy "order" there'),
        ("def order(:", "SyntaxError"),
    ],
)
def test_what_a_policy_may_not_do_is_one_line(source: str, line: str, tmp_path: Path) -> None:
    found = tried(tmp_path, source, "--cpu", "3s" if source == SLOW else "60s", "--memory-mb", 256)
    assert found.exit_code == 2
    assert line in found.stderr
    assert found.stderr.count("\n") == 1
    assert found.stderr.startswith("exaburst: policy ")


def test_what_the_program_itself_takes_is_not_the_policys(tmp_path: Path) -> None:
    """Arrow alone maps more than this with its first array."""
    found = tried(tmp_path, returning("job.gang"), "--memory-mb", 256)
    assert (found.exit_code, found.stderr) == (0, "")


def test_suites_hold_other_worlds_out(tmp_path: Path) -> None:
    parts = worlds("synthetic", 3, None, tmp_path)
    assert [world.seed for world in parts[TO_TRAIN]] == [1, 2, 3]
    assert [world.seed for world in parts[HELD_OUT]] == [1_001, 1_002, 1_003]


def test_a_trace_is_cut_into_spans_each_on_a_pod_that_it_loads(tmp_path: Path) -> None:
    """Four spans of 100 s; the largest gang of all, 40, is more than any span needs at a load of 0.9."""
    file = tmp_path / "jobs.parquet"
    trace(*(job(second, 10, 40 if second == 300 else 4) for second in range(0, 400, 10))).write(file)
    parts = worlds("archive", 2, file, tmp_path)
    assert [world.trace and world.trace.name for world in (*parts[TO_TRAIN], *parts[HELD_OUT])] == [
        f"span-{number}.parquet" for number in (1, 2, 3, 4)
    ]
    assert {world.scenario.pools[0].devices for part in parts.values() for world in part} == {40}
    with pytest.raises(CompareError, match="no jobs in span"):
        worlds("archive", 300, file, tmp_path)
    with pytest.raises(CompareError, match="give --trace FILE"):
        worlds("archive", 2, None, tmp_path)


def test_a_policy_is_better_only_where_its_interval_is_sure() -> None:
    def judged(metric: str, difference: float, low: float, high: float) -> str:
        interval = Interval(low, high)
        one = Difference(metric, "p", 2, 0, 0, difference, interval, interval, 0, 0, 0, 0, 0, False, False)
        return says(TrialVerdict("synthetic", TO_TRAIN, "fcfs", one))

    assert judged("wait_mean_s", -5, -9, -1) == "better"
    assert judged("wait_mean_s", 5, 1, 9) == "worse"
    assert judged("utilization", 5, 1, 9) == "better"
    assert judged("wait_mean_s", -5, -11, 1) == "unsure"
    assert judged("wait_mean_s", -5, nan, nan) == "unsure"
    assert judged("wait_mean_s", 0, 0, 0) == "same"


def test_a_built_in_policy_runs_under_the_same_limits(tmp_path: Path) -> None:
    own = worlds("bad-weather", 1, None, tmp_path)[TO_TRAIN]
    assert run_confined(ConfinedTask("easy+sjf", None, own, tmp_path, TrialLimits())).seam == "backfill+order"
