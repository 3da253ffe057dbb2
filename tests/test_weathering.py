"""What a run says of bad weather: every device-second is accounted for, and the figures are those by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings

from scheduler.report.beside import beside
from scheduler.report.summary import summary
from scheduler.run.directory import Run
from scheduler.run.figures import measure
from scheduler.run.goodput import CUT_SHORT, DeviceTime
from scheduler.run.metrics import device_seconds
from tests.build import job, offer, pool, run, scenario, trace
from tests.examples import examples
from tests.storms import Tale, Weathered, endured, outage, tales
from tests.worlds import CATALOG, MEMORY

H = 3_600

JOBS = trace(
    job(0, 300 * H, 4, checkpoint_s=60 * H, residency="owned", workload="fsd"),
    job(0, 40 * H, 2, checkpoint_s=10 * H, workload="optimus"),
    job(300 * H, 38 * H, 1, workload="optimus"),
)
CLUSTER = scenario(
    [pool(4)],
    [offer("cloud", quota=4, boot_s=30 * H)],
    policy={"patience": "at_once"},
    checkpoints={"gb_per_device": 36_000, "gbps_per_device": 16, "restart_s": 7 * H},  # 5 h to write one
    retries={"limit": 1, "backoff_s": 60 * H, "backoff_most_s": 200 * H},
    money={"usd_per_kwh": 0},
)
OUTAGES = [
    outage(20 * H, 500 * H, "cloud", "reclaim", devices=2),
    outage(70 * H, 80 * H, "cloud", "reclaim", first=2, devices=2),
    outage(100 * H, 200 * H, "own", "device", pod=0, devices=1),
    outage(290 * H, 400 * H, "cloud", "refused"),
]
"""The first job works for 95 hours, of which 60 are saved, and goes on at 200, with a restart: until 462.

The second loses its devices while they boot, then after 15 hours of work, of which 10 are saved, and is
given up. The third is refused twice, at 300 and 360, and has the pod from 462 to 500.
"""


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return endured(Tale(CLUSTER, OUTAGES, JOBS), tmp_path_factory.mktemp("story")).run


def lines(text: str, first: str) -> Iterator[list[str]]:
    """The cells of the table whose head begins so."""
    (table,) = (part for part in text.split("\n\n") if part.startswith(first))
    yield from (line.split() for line in table.splitlines())


def test_the_summary_of_a_story(stormy: Run) -> None:
    text = summary(stormy)
    assert "jobs: 3 = 2 finished + 0 unfinished + 0 rejected + 1 killed" in text
    head, own, cloud = lines(text, "weather ")
    assert " ".join(head) == (
        "weather goodput utilization down device-h down failed reclaimed killed refused"
    )
    assert own == ["own", "61.9%", "74.3%", "100", "5.0%", "1", "0", "0"]
    assert cloud == ["cloud", "0.0%", "0", "1", "1", "2"]
    head, own, cloud = lines(text, "device-hours ")
    assert " ".join(head) == (
        "device-hours held kept lost: failed lost: killed checkpoints starting given up"
    )
    assert own == ["own", "1,486", "1,238", "140", "0", "80", "28", "0"]
    assert cloud == ["cloud", "140", "0", "0", "10", "10", "100", "20"]
    *_, every = lines(text, "workload ")
    assert every[-5:] == ["1", "40", "0", "of", "0"]  # a burst of 2 devices for 20 hours


def test_the_figures_of_a_story(stormy: Run) -> None:
    found = measure(stormy, JOBS)
    names = ("finished", "killed", "interrupted", "refused")
    assert [found[name] for name in names] == [2, 1, 3, 2]
    assert (found["goodput"], found["down_device_h"]) == (1_238 / 2_000, 100)
    assert found["lost_device_h"] == 140 + 10 + 20
    assert found["slowdown_mean"] == pytest.approx((462 / 300 + 200 / 38) / 2)


def test_windows_share_what_lies_across_them(stormy: Run) -> None:
    parts = [measure(stormy, JOBS, window=pair) for pair in ((0, 50 * H), (50 * H, 500 * H))]
    whole = measure(stormy, JOBS)
    for name in ("interrupted", "down_device_h", "lost_device_h"):
        assert sum(part[name] for part in parts) == pytest.approx(whole[name])
    assert parts[0]["goodput"] == pytest.approx(4 * 60 * (50 / 100) / (4 * 50))
    assert [part["interrupted"] for part in parts] == [1, 2]
    assert [part["refused"] for part in parts] == [None, None]


def test_beside_fair_weather(stormy: Run, tmp_path: Path) -> None:
    """In fair weather the first ends at 320, the second at 85, the third rents from 300 to 368."""
    fair = run(CLUSTER, JOBS, tmp_path / "fair", CATALOG)
    assert "\n\nweather " in summary(fair), "checkpoints cost time in any weather"
    found = {row[0]: row[1:] for row in map(cells, beside(stormy, fair).splitlines())}
    assert found["beside fair"] == ["run", "fair", "difference"]
    assert found["jobs finished"] == ["2", "3", "-1"]
    assert found["jobs killed"] == ["1", "0", "+1"]
    assert found["wait p50"] == ["50.0 h", "30.0 h", "+20.0 h"]
    assert found["goodput"] == ["61.9%", "81.5%", "-19.6%"]  # 1,238 of 2,000 and 1,200 of 1,472
    assert found["burst device-hours"] == ["40", "148", "-108"]
    assert found["USD rented"] == ["504", "857", "-353"]  # at 3.60: 140 and 2 x 85 + 68 device-hours
    assert found["USD per kept device-hour"] == ["0.41", "0.65", "-0.24"]  # over 1,238 and 1,318


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_nothing_is_said_of_fair_weather(tmp_path: Path) -> None:
    calm = run(scenario([pool(4)]), trace(job(0, 60, 4), job(0, 60, 5)), tmp_path)
    text = summary(calm)
    assert "jobs: 2 = 1 finished + 0 unfinished + 1 rejected\n" in text
    assert "weather" not in text


@settings(max_examples=examples(40), deadline=None)
@given(tales())
def test_every_second_that_was_held_is_accounted_for(tale: Tale) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        world = endured(tale, Path(folder))
        holds(world, linked=bool(tale.scenario.links))


def holds(world: Weathered, *, linked: bool) -> None:
    held = DeviceTime(world.run)
    parts = (held.kept, held.given_up, held.lost, held.checkpoints, held.starting, held.unused)
    assert all((part >= 0).all() for part in parts)
    assert (np.sum(parts, axis=0) == held.held).all()
    states = world.run.table("states")
    time_s = states.column("time_s").to_numpy()
    for name in world.resources:
        level = states.column(f"{'busy' if name in world.pools else 'rented'}_{name}").to_numpy()
        assert held.held[held.at(name)].sum() == device_seconds(time_s, level, world.end_s)
    jobs = world.run.table("jobs", ["lost_device_s", "state"])
    assert (pc.sum(jobs.column("lost_device_s")).as_py() or 0) == (held.lost + held.given_up).sum()
    assert not held.lost[~np.logical_or.reduce([held.ended(outcome) for outcome in CUT_SHORT])].any()
    whole = np.array([not linked and exact(world, row) for row in world.attempts], bool)
    work = held.used * held.kept_s
    assert (whole * (held.kept + held.given_up) == whole * work).all()


def exact(world: Weathered, attempt: dict[str, object]) -> bool:
    """Whether the attempt used as many devices as its gang, as fast, so that seconds there are its own."""
    job = world.jobs[attempt["job_id"]] | {"runtime_s": 1_000_000}
    need = world.need(job, str(attempt["where"]))
    return need is not None and need[1:] == (job["gang"], 1_000_000)
