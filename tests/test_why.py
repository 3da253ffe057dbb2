"""Why jobs waited: exact stories, and laws that hold in any world."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from math import ceil, inf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings

from scheduler.cli import main
from scheduler.run import open_run
from scheduler.run.directory import Run
from scheduler.scenario import Scenario
from scheduler.why.causes import WAITS
from scheduler.why.job_story import JobStory
from scheduler.why.question import setup_of
from scheduler.why.waits import Inquiry
from tests import build
from tests.build import job, offer, pool, scenario
from tests.examples import examples
from tests.storms import Tale, Weathered, endured, outage, tales
from tests.worlds import AGAIN, CATALOG, MEMORY, Row, World, scenarios, traces
from traces import Trace, parquet

LAWS = settings(max_examples=examples(30), deadline=None)

Wait = tuple[int, int, int, str, str | None]
"""(job_id, from, to, cause, about)."""

STRICT = {"backfill": "none", "patience": "never"}
EASY = {"backfill": "easy", "patience": "never"}


def waits_of(run: Run, trace: Trace, rows: list[int] | None = None) -> list[Row]:
    setup = setup_of(run, trace, CATALOG)
    inquiry = Inquiry(run, setup, None if rows is None else np.array(rows))
    found: list[Row] = inquiry.waits().table(trace).to_pylist()
    return found


def told(of: Scenario, over: Trace, folder: Path) -> list[Wait]:
    found = waits_of(build.run(of, over, folder / "run", CATALOG), over)
    return [(row["job_id"], row["from_s"], row["to_s"], row["cause"], row["about"]) for row in found]


def in_weather(of: Scenario, rows: list[Row], over: Trace, folder: Path) -> list[Wait]:
    world = endured(Tale(of, rows, over), folder)
    found = waits_of(world.run, over)
    return [(row["job_id"], row["from_s"], row["to_s"], row["cause"], row["about"]) for row in found]


def test_too_few_devices_are_free_until_one_ends(tmp_path: Path) -> None:
    """4 devices; the first takes 3 for 100 s, so that the second, of 2, waits from 10 to 100."""
    jobs = build.trace(job(0, 100, 3), job(10, 5, 2))
    assert told(scenario([pool(4)], policy=STRICT), jobs, tmp_path) == [(1, 10, 100, "too_few", "own")]


def test_enough_devices_in_no_pod_that_fits_are_fragmentation(tmp_path: Path) -> None:
    """Two pods of 4, 3 held of each: 2 are free, and no pod has 2 before 50. Then too few before 5, as only
    the first pod is held by then until 20, are not: it starts at 50."""
    jobs = build.trace(job(0, 50, 3), job(0, 80, 3), job(10, 5, 2))
    of = scenario([pool(4, 2)], policy=STRICT)
    assert told(of, jobs, tmp_path) == [(2, 10, 50, "fragmentation", "own")]


def test_a_gang_over_pods_needs_whole_ones(tmp_path: Path) -> None:
    """6 devices are a whole pod and 2 more: with 1 and 1 held, 6 of 8 are free, and no pod is whole."""
    jobs = build.trace(job(0, 30, 1), job(0, 60, 1), job(10, 5, 6))
    of = scenario([pool(4, 2)], policy=STRICT | {"place": "worst_fit"})
    assert told(of, jobs, tmp_path) == [(2, 10, 30, "fragmentation", "own")]


def test_behind_the_head_in_strict_order(tmp_path: Path) -> None:
    """The head of 4 waits for the 2 that are held; the one behind it would fit beside them."""
    jobs = build.trace(job(0, 100, 2), job(10, 20, 4), job(20, 5, 1))
    of = scenario([pool(4)], policy=STRICT)
    assert told(of, jobs, tmp_path) == [
        (1, 10, 100, "too_few", "own"),
        (2, 20, 100, "order", "own"),
        (2, 100, 120, "too_few", "own"),
    ]


def test_room_that_easy_reserves_for_the_head(tmp_path: Path) -> None:
    """The head of 4 has its reservation at 100; who would run beyond that may not pass it."""
    jobs = build.trace(job(0, 100, 2), job(10, 20, 4), job(20, 500, 1))
    of = scenario([pool(4)], policy=EASY)
    assert told(of, jobs, tmp_path) == [
        (1, 10, 100, "too_few", "own"),
        (2, 20, 100, "reserved", "own"),
        (2, 100, 120, "too_few", "own"),
    ]


def test_room_that_is_kept_for_those_who_may_not_leave(tmp_path: Path) -> None:
    """More than half of 4 must stay free: a gang of 2 rents at once, and one more of 1 has to wait."""
    jobs = build.trace(job(0, 100, 1), job(0, 60, 2), job(10, 5, 1))
    policy = {"backfill": "easy", "patience": "after:20", "first": "reserve:0.5"}
    of = scenario([pool(4)], [offer("cloud", 2)], policy=policy)
    assert told(of, jobs, tmp_path) == [
        (2, 10, 30, "reserved", "own"),
        (2, 30, 60, "quota", "cloud"),
    ]


def test_patience_then_the_quota(tmp_path: Path) -> None:
    """2 s for each of 2 devices, then the offer, which the first job has until 44, kept until 54."""
    jobs = build.trace(job(0, 200, 4), job(0, 40, 2), job(10, 5, 2))
    of = scenario(
        [pool(4)], [offer("cloud", 2, release_s=10)], policy={"patience": "per_gang:2"} | {"backfill": "none"}
    )
    assert told(of, jobs, tmp_path) == [
        (1, 0, 4, "too_few", "own"),
        (2, 10, 14, "too_few", "own"),
        (2, 14, 54, "quota", "cloud"),
    ]


def test_patience_stands_beside_the_cause(tmp_path: Path) -> None:
    jobs = build.trace(job(0, 200, 4), job(10, 5, 2), job(20, 5, 1, residency="owned"))
    of = scenario([pool(4)], [offer("cloud", 1)], policy={"patience": "after:15", "backfill": "none"})
    run = build.run(of, jobs, tmp_path / "run", CATALOG)
    found = [(row["job_id"], row["from_s"], row["cause"], row["patient"]) for row in waits_of(run, jobs)]
    assert found == [
        (1, 10, "too_few", False),
        (2, 20, "too_few", False),
        (2, 35, "residency", False),
    ], "the quota is too small for the second, which may not leave; the third would have had to be patient"


def test_data_that_may_not_leave(tmp_path: Path) -> None:
    """Bursting at once, it would have had room, but for 20 to 50, when another job has the offer."""
    jobs = build.trace(job(0, 100, 4), job(10, 5, 1, residency="owned"), job(20, 30, 2))
    of = scenario([pool(4)], [offer("cloud", 2)], policy={"patience": "at_once", "backfill": "none"})
    assert told(of, jobs, tmp_path) == [
        (1, 10, 20, "residency", "cloud"),
        (1, 20, 50, "too_few", "own"),
        (1, 50, 100, "residency", "cloud"),
    ]


def test_a_dependency_its_lag_and_then_the_wait(tmp_path: Path) -> None:
    """The third comes after the first two and 5 s; the second ended last."""
    jobs = build.trace(
        job(0, 20, 1),
        job(0, 40, 2, name="second"),
        job(3, 5, 2, after=[0, 1], after_lag_s=5),
        job(41, 9, 3),
        job(50, 1, 1, after=2),
    )
    of = scenario([pool(4)], policy=STRICT, horizon_h=56 / 3_600)
    assert told(of, jobs, tmp_path) == [
        (2, 3, 45, "dependency", "second"),
        (2, 45, 50, "too_few", "own"),
        (4, 50, 55, "dependency", "2"),
    ]


def test_who_still_waits_or_is_held_at_the_horizon(tmp_path: Path) -> None:
    jobs = build.trace(job(0, 100, 4), job(10, 5, 4), job(20, 5, 1, after=1))
    of = scenario([pool(4)], policy=STRICT, horizon_h=60 / 3_600)
    assert told(of, jobs, tmp_path) == [
        (1, 10, 60, "too_few", "own"),
        (2, 20, 60, "dependency", "1"),
    ]


def test_where_nobody_ever_starts(tmp_path: Path) -> None:
    """All devices are out until the horizon, and patience is longer."""
    jobs, policy = build.trace(job(0, 9, 1)), {"patience": "per_gang:9", "backfill": "none"}
    of = scenario([pool(1)], [offer("cloud", 1)], policy=policy, horizon_h=5 / 3_600)
    broken = outage(0, 7, "own", "device", pod=0, devices=1)
    assert in_weather(of, [broken], jobs, tmp_path) == [(0, 0, 5, "outage", "own")]


def test_booting_and_staging(tmp_path: Path) -> None:
    """7 s of staging beside 5 s of booting; the horizon cuts off the second at its start."""
    jobs = build.trace(job(0, 10, 1, input_tb=7.0), job(12, 10, 1, input_tb=7.0))
    of = scenario([], [offer("cloud", boot_s=5)], horizon_h=15 / 3_600)
    assert told(of, jobs, tmp_path) == [(0, 0, 7, "starting", "cloud"), (1, 12, 15, "starting", "cloud")]


def test_an_outage_then_the_back_off(tmp_path: Path) -> None:
    """A device breaks from 10 to 40: who held it rests for 60 s, the next one waits for all 4."""
    broken = outage(10, 40, "own", "device", pod=0, devices=1)
    jobs = build.trace(job(0, 30, 4), job(5, 5, 4))
    of = scenario([pool(4)], policy=STRICT, retries={"backoff_s": 60, "limit": 5})
    assert in_weather(of, [broken], jobs, tmp_path) == [
        (0, 10, 70, "back_off", "own"),
        (1, 5, 10, "too_few", "own"),
        (1, 10, 40, "outage", "own"),
    ]


def test_maintenance_counts_from_its_notice(tmp_path: Path) -> None:
    """Known 20 s before 50, for the whole pod: the second does not start at 40, when the first ends."""
    planned = outage(50, 90, "own", "maintenance", pod=0, devices=4, notice_s=20)
    jobs = build.trace(job(0, 40, 3), job(10, 5, 2))
    of = scenario([pool(4)], policy=STRICT)
    assert in_weather(of, [planned], jobs, tmp_path) == [
        (1, 10, 30, "too_few", "own"),
        (1, 30, 90, "outage", "own"),
    ]


def sooner(of: Scenario, over: Trace, folder: Path, row: int = 0) -> list[int | None]:
    """Return when the job would have started, had one thing been otherwise, of the run of `told`."""
    run = open_run(folder / "run")
    return [one.start_s for one in JobStory(run, setup_of(run, over, CATALOG), row).sooner()]


def test_a_pod_that_one_would_outlive_is_out_of_service(tmp_path: Path) -> None:
    """The only pod retires at 80: who takes 90 waits for one that comes at 150, and who takes 80 does not.

    Nobody else is there, so that nothing but a pod more would have helped.
    """
    later = {"ordered": "1970-01-01", "lead": "150s", "pods": 1}
    of = scenario([pool(4, retirements=[{"at": "80s", "pods": 1}], purchases=[later])], policy=EASY)
    jobs = build.trace(job(0, 90, 1), job(0, 80, 1))
    assert told(of, jobs, tmp_path) == [(0, 0, 80, "outage", "own"), (0, 80, 150, "too_few", "own")]
    assert sooner(of, jobs, tmp_path) == [None, None, 0]


def test_a_pod_may_be_outlived_only_after_a_while(tmp_path: Path) -> None:
    """All is held until 60 of a pod that retires at 100: who takes 50 could have started until 50."""
    later = {"ordered": "1970-01-01", "lead": "150s", "pods": 1}
    of = scenario([pool(4, retirements=[{"at": "100s", "pods": 1}], purchases=[later])], policy=STRICT)
    jobs = build.trace(job(0, 60, 4), job(10, 50, 2), job(20, 40, 1))
    assert told(of, jobs, tmp_path) == [
        (1, 10, 60, "too_few", "own"),
        (1, 60, 100, "outage", "own"),
        (1, 100, 150, "too_few", "own"),
        (2, 20, 60, "too_few", "own"),
        (2, 60, 61, "order", "own"),
        (2, 61, 100, "outage", "own"),
        (2, 100, 150, "too_few", "own"),
    ]


@pytest.mark.parametrize("backfill", ["none", "easy"])
def test_a_pool_that_a_kind_is_not_ported_to_is_out_of_service(backfill: str, tmp_path: Path) -> None:
    port = {"kind": "k", "device": "unit", "port_s": 100}
    of = scenario([pool(4)], policy=STRICT | {"backfill": backfill}, ports=[port])
    jobs = build.trace(job(0, 5, 2, kind="k"))
    assert told(of, jobs, tmp_path) == [(0, 0, 100, "outage", "own")]
    assert sooner(of, jobs, tmp_path) == [None, None, None]


@pytest.mark.parametrize("backfill", ["none", "easy"])
def test_a_pool_that_drains_is_out_of_service(backfill: str, tmp_path: Path) -> None:
    """Nothing starts on `own` from 30 on, and it closes at 80; the other pool is held until 200."""
    closure = {"pool": "own", "at": "80s", "drain": "50s"}
    of = scenario([pool(4), pool(2, name="else")], policy=STRICT | {"backfill": backfill}, closures=[closure])
    jobs = build.trace(job(0, 200, 2, requires="pool:else"), job(40, 5, 2))
    assert told(of, jobs, tmp_path) == [
        (1, 40, 80, "outage", "own, else"),
        (1, 80, 200, "too_few", "own, else"),
    ]
    assert sooner(of, jobs, tmp_path, 1) == [None, None, 40]


def test_an_offer_that_refuses(tmp_path: Path) -> None:
    """It refuses from 0 to 30; asked every 20 s, 40 s and so on, it is asked at 20 in vain, and at 60."""
    no = outage(0, 30, "cloud", "refused")
    jobs = build.trace(job(0, 5, 2))
    of = scenario([], [offer("cloud", 4)], retries={"backoff_s": 20, "limit": 5})
    assert in_weather(of, [no], jobs, tmp_path) == [(0, 0, 60, "refused", "cloud")]


def test_a_shortage_is_not_the_quota(tmp_path: Path) -> None:
    """3 of 4 may not be had until 50; the first has them all before, until 20."""
    short = outage(10, 50, "cloud", "shortage", first=1, devices=3)
    jobs = build.trace(job(0, 20, 4), job(5, 5, 2))
    assert in_weather(scenario([], [offer("cloud", 4)]), [short], jobs, tmp_path) == [
        (1, 5, 20, "quota", "cloud"),
        (1, 20, 50, "refused", "cloud"),
    ]


def test_an_offer_that_the_policy_does_not_want(tmp_path: Path) -> None:
    """There is room on spot, where gangs above 1 do not go."""
    jobs = build.trace(job(0, 50, 4), job(10, 5, 2))
    policy = {"offer": "spot_up_to:1", "patience": "after:15", "backfill": "none"}
    of = scenario([pool(4)], [offer("cheap", 4, spot=True, usd_per_device_h=1.0)], policy=policy)
    assert told(of, jobs, tmp_path) == [
        (1, 10, 25, "too_few", "own"),
        (1, 25, 50, "declined", "cheap"),
    ]


def test_what_stays_free_is_a_share_of_what_is_in_service(tmp_path: Path) -> None:
    """With one of 4 out and one held, 2 - 0.4 x 3 = 0.8 are less than 1; then 3 - 0.4 x 4 = 1.4 are more."""
    jobs = build.trace(job(0, 100, 1, residency="owned"), job(10, 5, 1))
    policy = {"backfill": "none", "patience": "never", "first": "reserve:0.4"}
    of = scenario([pool(4)], [offer("cloud", 2)], policy=policy)
    broken = outage(5, 50, "own", "device", pod=0, first=3, devices=1)
    assert in_weather(of, [broken], jobs, tmp_path) == [(1, 10, 50, "reserved", "own")]


def test_who_was_rented_for_need_not_be_patient_again(tmp_path: Path) -> None:
    """Out of patience at 15, it rents; reclaimed at 30, it may have its offer again at 60."""
    jobs = build.trace(job(0, 200, 4), job(0, 50, 2))
    policy = {"backfill": "none", "patience": "after:15"}
    of = scenario([pool(4)], [offer("cloud", 2)], policy=policy)
    gone = outage(30, 60, "cloud", "reclaim", devices=2)
    assert in_weather(of, [gone], jobs, tmp_path) == [
        (1, 0, 15, "too_few", "own"),
        (1, 30, 60, "refused", "cloud"),
    ]


def test_patience_goes_by_what_is_left(tmp_path: Path) -> None:
    """A device breaks at 45, when 40 of 100 s are kept: the patience is 60 s. One device of two comes back at
    50, the other is held by then; and the offer is another's until 150."""
    jobs = build.trace(
        job(0, 100, 2, checkpoint_s=10),
        job(0, 150, 2, requires="pool:cloud"),
        job(1, 200, 1, residency="owned"),
    )
    policy = {"backfill": "none", "patience": "per_runtime:1", "order": "smallest"}
    of = scenario([pool(2)], [offer("cloud", 2)], policy=policy, retries={"backoff_s": 0, "limit": 5})
    broken = outage(45, 50, "own", "device", pod=0, devices=1)
    assert [wait for wait in in_weather(of, [broken], jobs, tmp_path) if wait[0] == 0] == [
        (0, 45, 50, "outage", "own"),
        (0, 50, 105, "too_few", "own"),
        (0, 105, 150, "quota", "cloud"),
    ]


def test_who_rests_after_a_refusal_is_declined_where_a_policy_may_decline(tmp_path: Path) -> None:
    """It is refused at 0 and at 20, and asks again at 60; the offer has just enough, and refuses until 30."""
    no = outage(0, 30, "cloud", "refused")
    policy = {"offer": "spot_up_to:9"}
    of = scenario([], [offer("cloud", 2)], policy=policy, retries={"backoff_s": 20, "limit": 5})
    assert in_weather(of, [no], build.trace(job(0, 5, 2)), tmp_path) == [
        (0, 0, 30, "refused", "cloud"),
        (0, 30, 60, "declined", "cloud"),
    ]


def test_an_attempt_that_never_worked_is_no_start(tmp_path: Path) -> None:
    """The first boot fails at 5; after a rest of 10 s, the second is over at 20."""
    no = outage(0, 3, "cloud", "failed_boot")
    jobs = build.trace(job(0, 9, 1))
    of = scenario([], [offer("cloud", 2, boot_s=5)], retries={"backoff_s": 10, "limit": 5})
    run = endured(Tale(of, [no], jobs), tmp_path).run
    story = JobStory(run, setup_of(run, jobs, CATALOG), 0)
    assert (story.start_s, story.waited_s) == (20, 20)
    assert [(one.from_s, one.to_s, one.cause.word) for one in story.spans] == [
        (0, 5, "starting"),
        (5, 15, "back_off"),
        (15, 20, "starting"),
    ]


# laws


@LAWS
@given(scenarios(), traces())
def test_causes_are_those_that_a_slow_look_at_each_instant_finds(of: Scenario, over: Trace) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        world = World(of, over, build.run(of, over, Path(folder) / "run", CATALOG))
        found = waits_of(world.run, over)
    looks_right(world, found)


@pytest.mark.parametrize("backfill", ["none", "greedy", "easy", "conservative:2"])
@pytest.mark.parametrize("patience", ["never", "at_once", "per_gang:9", "deadline"])
def test_causes_are_right_where_many_wait(backfill: str, patience: str, tmp_path: Path) -> None:
    chance = Random(f"{backfill} {patience}")
    jobs = build.trace(*(crowding(chance, at) for at in range(40)))
    pools = [pool(4, 2, name="pool0"), pool(3, 1, name="pool1", device="double")]
    of = scenario(pools, [offer("offer0", 3)], policy={"backfill": backfill, "patience": patience})
    world = World(of, jobs, build.run(of, jobs, tmp_path / "run", CATALOG))
    found = waits_of(world.run, jobs)
    looks_right(world, found)
    held_back = {"none": {"order"}, "greedy": set()}.get(backfill, {"reserved"})
    assert {wait["cause"] for wait in found} >= {"too_few"} | held_back


def crowding(chance: Random, at: int) -> Row:
    gang, runtime_s, submit_s = chance.choice([1, 1, 2, 3, 4, 6]), chance.randint(5, 60), 4 * at
    return job(
        submit_s,
        runtime_s,
        gang,
        estimate_s=chance.choice([runtime_s, 2 * runtime_s]),
        residency=chance.choice(["any", "owned"]),
        deadline_s=submit_s + chance.choice([2, 4]) * runtime_s,
        requires=chance.choice([None, None, "pool:pool0,pool:offer0"]),
    )


def looks_right(world: World, found: list[Row]) -> None:
    """The waits add up, and at each instant have the cause that the definitions give."""
    adds_up(world, found)
    for wait in found:
        about = world.jobs[wait["job_id"]]
        if wait["cause"] not in ("dependency", "starting"):
            since = next(since for since, until in world.waits(about) if since <= wait["from_s"] < until)
            for time_s in [wait["from_s"], *world.instants()]:
                if wait["from_s"] <= time_s < wait["to_s"]:
                    assert wait["cause"] == slowly(world, about, since, time_s), (wait, time_s)
                    assert (wait["on_pods"] or "") == pods_cause(world, about, time_s)
    for one, other in pairwise(found):
        same = all(one[name] == other[name] for name in one if name not in ("from_s", "to_s"))
        assert not (same and one["to_s"] == other["from_s"]), "cut where nothing changes"


def test_one_job_is_told_of_as_all_are_though_little_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 20)
    chance = Random("one of all")
    jobs = build.trace(*(crowding(chance, at) for at in range(300)))
    of = scenario([pool(4, 2), pool(3, 1, name="pool1", device="double")], [offer("offer0", 3)])
    run, read = build.run(of, jobs, tmp_path / "run", CATALOG), []
    whole = waits_of(run, jobs)
    table = Run.table

    def counted(run: Run, log: str, *asked: Any) -> pa.Table:
        found = table(run, log, *asked)
        read.append(found.num_rows)
        return found

    monkeypatch.setattr(Run, "table", counted)
    for row, job_id in enumerate(jobs.numpy("job_id").tolist()):
        assert waits_of(run, jobs, [row]) == [wait for wait in whole if wait["job_id"] == job_id]
    assert max(read) < 300


@LAWS
@given(tales())
def test_causes_add_up_in_any_weather(tale: Tale) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        world = endured(tale, Path(folder))
        found = waits_of(world.run, tale.trace)
        resources = Inquiry(world.run, setup_of(world.run, tale.trace, CATALOG)).resources
    adds_up(world, found)
    for wait in found:
        about = world.jobs[wait["job_id"]]
        for time_s in [wait["from_s"], *world.instants()]:
            if wait["from_s"] <= time_s < wait["to_s"]:
                assert lacks_in_weather(world, wait, about, time_s), (wait, time_s)
    outs = [wait["from_s"] for wait in found]
    for at, name in enumerate(world.pools):
        pods = resources.pool(at)
        down = pods.total(pods.unheld).at(np.array(outs)) - pods.total(pods.free).at(np.array(outs))
        assert down.tolist() == [world.level(f"down_{name}", time_s) for time_s in outs]


def lacks_in_weather(world: Weathered, wait: Row, about: Row, time_s: int) -> bool:
    """Whether the definitions agree with a cause, as far as the log says which devices were held."""
    levels = {name: by_pod(world, name, time_s) for name in world.pools}
    needs = {name: taken[0] for name in world.pools if (taken := world.need(about, name))}
    sure = all(pod is not None for name in needs for pod in levels[name])
    if wait["on_pods"] is not None and sure:
        free, unheld, sound = (
            any(
                fits(world, name, devices, [pod[of] for pod in levels[name] if pod])
                for name, devices in needs.items()
            )
            for of in range(3)
        )
        enough = any(sum(pod[0] for pod in levels[name] if pod) >= devices for name, devices in needs.items())
        lacked = "outage" if unheld or not sound else "fragmentation" if enough else "too_few"
        if wait["on_pods"] != (lacked if not free else wait["on_pods"]):
            return False
        if free and wait["on_pods"] not in ("order", "reserved"):
            return False
    to_any = about | {"residency": "any"}
    left = any(
        world.offers[name]["quota"] - world.taken(name, time_s) >= taken[0]
        for name in world.offers
        if (taken := world.need(to_any, name))
    )
    return {"quota": not left, "refused": left, "declined": left, "residency": left}.get(wait["cause"], True)


def by_pod(world: Weathered, name: str, time_s: int) -> list[tuple[int, int, int] | None]:
    """Devices of each pod that are free, that nobody holds, and that are sound; None where it is not sure."""
    size = world.pools[name]["pod_devices"]
    levels: list[tuple[int, int, int] | None] = []
    for pod in range(world.pools[name]["pods"]):
        holders = [one for one in world.here(name, pod) if one["alloc_s"] <= time_s < one["end_s"]]
        if not world.rows(name, pod):
            unheld = size - sum(world.share(one, pod) for one in holders)
            levels.append((unheld, unheld, size))
            continue
        held = [
            units
            for one in holders
            for units in world.held[one["job_id"], one["attempt"]]
            if units.where == name and units.pod == pod
        ]
        units = frozenset[int]().union(*(each.units for each in held))
        out = world.withheld(name, pod, time_s)
        if all(each.sure for each in held):
            levels.append((size - len(units | out), size - len(units), size - len(out)))
        else:
            levels.append(None)
    return levels


def fits(world: World, name: str, devices: int, free: list[int]) -> bool:
    size = world.pools[name]["pod_devices"]
    whole, rest = divmod(devices, size)
    shares = [size] * whole + [rest] * (rest > 0)
    best = sorted(free, reverse=True)
    return len(best) >= len(shares) and all(pod >= share for pod, share in zip(best, shares, strict=False))


def adds_up(world: World, waits: list[Row]) -> None:
    """All causes of a job together are all its time from ready to its end in which it did not work."""
    for job_id, about in world.jobs.items():
        theirs = [wait for wait in waits if wait["job_id"] == job_id]
        for one, other in pairwise(theirs):
            assert one["to_s"] <= other["from_s"]
        ready = [wait for wait in theirs if wait["cause"] != "dependency"]
        waited = sum(wait["to_s"] - wait["from_s"] for wait in ready)
        spans = [
            *((since, until) for since, until in world.waits(about)),
            *(
                (one["alloc_s"], one["end_s"] if one["start_s"] is None else one["start_s"])
                for one in about["attempts"]
            ),
        ]
        rests = sum(
            min(world.end_s, one["end_s"] + world.rest_s(failures)) - one["end_s"]
            for one, failures in in_a_row(about["attempts"])
            if one["outcome"] in AGAIN
        )
        assert waited == sum(max(0, until - since) for since, until in spans) + rests
        if about["start_s"] is not None:
            first = [min(wait["to_s"], about["start_s"]) - wait["from_s"] for wait in ready]
            assert sum(length for length in first if length > 0) == about["wait_s"]


def in_a_row(attempts: list[Row]) -> list[tuple[Row, int]]:
    failures, counted = 0, []
    for attempt in attempts:
        failures = failures + 1 if attempt["outcome"] == "failed" else 0
        counted.append((attempt, failures))
    return counted


def slowly(world: World, about: Row, since_s: int, time_s: int) -> str:
    """The cause in fair weather, from the definitions."""
    pods = pods_cause(world, about, time_s)
    free_to_leave = about | {"residency": "any"}
    offers = [name for name in world.offers if world.need(free_to_leave, name)]
    over = not pods or time_s >= over_s(world, free_to_leave, since_s)
    if not offers or not over:
        return pods
    left = any(
        world.offers[name]["quota"] - world.taken(name, time_s) >= taken[0]
        for name in offers
        if (taken := world.need(free_to_leave, name))
    )
    if about["residency"] == "owned":
        return "residency" if left else pods
    return "never" if left else "quota"


def pods_cause(world: World, about: Row, time_s: int) -> str:
    needs = {name: taken[0] for name in world.pools if (taken := world.need(about, name))}
    if not needs:
        return ""
    if world.fits(about, time_s):
        return "order" if world.scenario.policy.backfill == "none" else "reserved"
    enough = any(sum(world.free(name, time_s)) >= devices for name, devices in needs.items())
    return "fragmentation" if enough else "too_few"


def over_s(world: World, about: Row, since_s: int) -> float:
    """When patience is over of who waits from a second on: by its log where it is asked again."""
    if world.patience is None:
        return since_s + patience_s(world, about, since_s)
    logged = [row["over_s"] for row in world.patience if row["job_id"] == about["job_id"]]
    return min((second for second in logged if second >= since_s), default=inf)


def patience_s(world: World, about: Row, since_s: int) -> float:
    name, _, argument = world.scenario.policy.patience.partition(":")
    work = about["gang"] * about["estimate_s"]
    if name == "deadline":
        ends = [
            max(place["boot_s"], ceil(about["input_tb"] * place["staging_s_per_tb"])) + taken[2]
            for place in world.offers.values()
            if (taken := world.takes(about, place["name"], "estimate_s"))
        ]
        left = inf if about["deadline_s"] is None else about["deadline_s"] - min(ends, default=inf) - since_s
        return max(0.0, left)
    if name in ("never", "at_once"):
        return inf if name == "never" else 0.0
    factor = {"per_runtime": about["estimate_s"], "per_gang": about["gang"], "per_work": work}.get(name, 1)
    return float(ceil(round(float(argument) * factor, 6)))


# the command


def type_in(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


def complains(result: Result, *parts: str) -> None:
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1), result.output
    assert [part for part in parts if part not in result.stderr] == []


@pytest.fixture
def waited(tmp_path: Path) -> Path:
    """A run of two jobs, the second of which waits; its trace lies beside it."""
    jobs = build.trace(job(0, 7_200, 3, name="first"), job(60, 5, 2, name="late", owner="ann"))
    jobs.write(tmp_path / "jobs.parquet")
    (tmp_path / "small.toml").write_text(
        'name = "small"\n[[pools]]\nname = "own"\ndevice = "h100"\ndevices = 4\npods = 1\n'
    )
    made = type_in(
        "replay", tmp_path / "small.toml", "--trace", tmp_path / "jobs.parquet", "-o", tmp_path / "run"
    )
    assert made.exit_code == 0, made.output
    return tmp_path


def test_the_command_says_why_one_job_waited(waited: Path) -> None:
    said = type_in("why", waited / "run", "late", "--trace", waited / "jobs.parquet")
    assert (said.exit_code, said.stderr) == (0, "")
    head, spans, held, sooner = said.stdout.split("\n\n")
    assert " ".join(head.split()) == (
        "job late: other of ann, gang 2, submitted 1970-01-01 00:01; began to work 1970-01-01 02:00 on own; "
        "waited 119 min: too_few 119 min."
    )
    assert spans.splitlines()[1].split()[:5] == ["1970-01-01", "00:01", "119", "min", "too_few"]
    assert held.splitlines()[1].split() == ["first", "other", "3", "1970-01-01", "02:00", "6"]
    assert [line.split("  ")[-1].strip() for line in sooner.splitlines()[1:]] == [
        "no sooner",
        "no sooner",
        "1970-01-01 00:01, 119 min sooner",
    ]
    by_id = type_in("why", waited / "run", "1", "--trace", waited / "jobs.parquet")
    assert by_id.stdout == said.stdout


def test_the_command_says_why_all_waited(waited: Path) -> None:
    said = type_in("why", waited / "run", "--trace", waited / "jobs.parquet")
    causes, worst, stranded = said.stdout.split("\n\n")
    assert [line.split()[:2] for line in causes.splitlines()[1:]] == [["too_few", "4"], ["all", "4"]]
    assert worst.splitlines()[1].split() == ["late", "other", "2", "119", "min", "4", "too_few", "119", "min"]
    rows = [line.split()[2:] for line in stranded.splitlines()[1:]]
    assert rows == [["98.3%", "1", "1"], ["100.0%", "1", "1"], ["0.0%", "0", "0"]]


def test_who_did_not_wait_is_told_so(waited: Path) -> None:
    said = type_in("why", waited / "run", "first", "--trace", waited / "jobs.parquet")
    assert said.stdout.rstrip().endswith("did not wait.")


def test_who_was_rejected_is_told_the_reason(waited: Path) -> None:
    """A gang of 5 fits nowhere on 4 devices, and so it neither waits nor begins."""
    build.trace(job(0, 60, 5, name="big"), job(0, 60, 1)).write(waited / "large.parquet")
    trace = ("--trace", waited / "large.parquet")
    made = type_in("replay", waited / "small.toml", *trace, "-o", waited / "rejects")
    assert made.exit_code == 0, made.output
    reason = "no pool or offer that it may use is large enough"
    said = type_in("why", waited / "rejects", "big", *trace)
    assert " ".join(said.stdout.split()).endswith(f"; rejected: {reason}.")
    document = json.loads(type_in("why", waited / "rejects", "big", *trace, "--json").stdout)
    assert (document["state"], document["reason"], document["start_s"]) == ("rejected", reason, None)
    other = json.loads(type_in("why", waited / "rejects", "1", *trace, "--json").stdout)
    assert (other["state"], other["reason"]) == ("finished", None)


def test_time_before_it_was_ready_is_not_called_waiting(waited: Path) -> None:
    """In an hour the first is at work, the second waits for it to end, the last would come later."""
    jobs = (job(0, 7_200, 4), job(60, 5, 2, after=[0]), job(60, 5, 2), job(3_600, 5, 2))
    build.trace(*jobs).write(waited / "cut.parquet")
    trace = ("--trace", waited / "cut.parquet")
    made = type_in("replay", waited / "small.toml", *trace, "-o", waited / "cut", "--set", "horizon_h=1")
    assert made.exit_code == 0, made.output
    ends = {1: "never began to work; did not wait; before, dependency 59 min."}
    ends |= {2: "never began to work; waited 59 min: too_few 59 min."}
    ends |= {3: "submitted 1970-01-01 01:00; the run ended before that."}
    for label, end in ends.items():
        said = " ".join(type_in("why", waited / "cut", str(label), *trace).stdout.split("\n\n")[0].split())
        assert said.endswith(end), said


@pytest.mark.parametrize("text", [None, "x = ["])
@pytest.mark.parametrize("words", [("why",), ("timeline", "-o", "it"), ("report", "-o", "it")])
def test_a_catalog_that_is_wrong_is_no_reason_to_answer_without(
    waited: Path, words: tuple[str, ...], text: str | None
) -> None:
    """What was kept would answer, and without the causes there would be a timeline and a page."""
    assert type_in("why", waited / "run", "--trace", waited / "jobs.parquet").exit_code == 0
    if text is not None:
        (waited / "prices.toml").write_text(text)
    command, *rest = words
    outs = [waited / word if word == "it" else word for word in rest]
    said = type_in(command, waited / "run", *outs, "--catalog", waited / "prices.toml")
    complains(said, "prices.toml: ")
    assert not (waited / "it").exists()


def test_instants_have_their_seconds_beside_short_spans(waited: Path) -> None:
    """The second of two jobs waits from 10 to 100, which in minutes are 00:00 and 00:01."""
    build.trace(job(0, 100, 4), job(10, 5, 2)).write(waited / "quick.parquet")
    trace = ("--trace", waited / "quick.parquet")
    made = type_in("replay", waited / "small.toml", *trace, "-o", waited / "quick")
    assert made.exit_code == 0, made.output
    head, spans, *_ = type_in("why", waited / "quick", "1", *trace).stdout.split("\n\n")
    assert "submitted 1970-01-01 00:00:10; began to work 1970-01-01 00:01:40" in " ".join(head.split())
    assert spans.splitlines()[1].split()[:4] == ["1970-01-01", "00:00:10", "90", "s"]


def test_waits_are_written_beside_a_run_and_never_into_it(waited: Path) -> None:
    words = ("why", waited / "run", "--trace", waited / "jobs.parquet", "-o")
    written = type_in(*words, waited / "waits.parquet")
    assert written.stdout == f"{waited / 'waits.parquet'}: 1 span of waiting\n"
    table = pq.read_table(waited / "waits.parquet")
    assert table.schema.names == WAITS.names
    assert table.select(["from_s", "to_s", "cause"]).to_pylist() == [
        {"from_s": 60, "to_s": 7_200, "cause": "too_few"}
    ]
    type_in(*words, waited / "again.parquet")
    assert (waited / "again.parquet").read_bytes() == (waited / "waits.parquet").read_bytes()
    complains(type_in(*words, waited / "run" / "waits.parquet"), "is a finished run")
    complains(type_in(*words, waited / "run" / "jobs.parquet"), "run is a finished run, which stays as it is")
    complains(type_in(*words, waited / "jobs.parquet"), "jobs.parquet", "is already there")


def test_what_was_asked_once_is_kept_and_the_summary_shows_it(waited: Path) -> None:
    run, kept = waited / "run", waited / "run" / "waits.parquet"
    words = ("why", run, "--trace", waited / "jobs.parquet")
    assert "waited for" not in type_in("summary", run).stdout
    asked = type_in(*words).stdout
    whole = kept.read_bytes()
    shown = type_in("summary", run).stdout
    lines = [line.split() for line in shown.splitlines() if line.startswith("too_few")]
    assert lines == [["too_few", "4", "4", "100.0%"]]
    document = json.loads(type_in("summary", run, "--json").stdout)
    assert document["causes"] == {"too_few": {"other": pytest.approx(2 * 7_140 / 3_600)}}
    assert type_in(*words).stdout == asked
    assert type_in("why", run).stdout == asked, "the jobs are not needed again"
    other_version = whole.replace(b'"exaburst":"0', b'"exaburst":"9')
    for broken in (whole[:-9], whole.replace(b"14280", b"14281"), other_version):
        assert broken != whole
        kept.write_bytes(broken)
        assert "waited for" not in type_in("summary", run).stdout
        complains(type_in("why", run), "does not hold the jobs")
        assert type_in(*words).stdout == asked
        assert kept.read_bytes() == whole
    kept.write_bytes(whole[:100] + b"?" + whole[101:])
    assert type_in("summary", run).stdout == shown, "the sums are sound, and stand apart"
    assert (type_in(*words).stdout, kept.read_bytes()) == (asked, whole)
    again = type_in(
        "replay", waited / "small.toml", "--trace", waited / "jobs.parquet", "-o", run, "--overwrite"
    )
    assert again.exit_code == 0
    assert not kept.exists()


def test_a_file_that_was_found_to_hold_the_jobs_is_known_again_by_its_bytes(waited: Path) -> None:
    words = ("why", waited / "run", "late", "--trace", waited / "jobs.parquet")
    before = type_in(*words).stdout
    type_in("why", waited / "run", "--trace", waited / "jobs.parquet")
    kept = pq.read_metadata(waited / "run" / "waits.parquet").metadata[b"exaburst.waits_of"]
    digest = hashlib.sha256((waited / "jobs.parquet").read_bytes()).hexdigest()
    assert json.loads(kept)["jobs"] == digest
    assert type_in(*words).stdout == before
    foreign = pq.read_table(waited / "jobs.parquet").select(["submit_s", "runtime_s", "gang"])
    pq.write_table(foreign, waited / "jobs.parquet")
    complains(type_in(*words), "ran other jobs than the trace holds")


def test_waits_of_another_run_are_not_taken_for_its_own(waited: Path) -> None:
    trace = waited / "jobs.parquet"
    type_in("why", waited / "run", "--trace", trace)
    other = waited / "other"
    wide = ("--set", "pools.own.devices=8")
    assert type_in("replay", waited / "small.toml", *wide, "--trace", trace, "-o", other).exit_code == 0
    (other / "waits.parquet").write_bytes((waited / "run" / "waits.parquet").read_bytes())
    assert "waited for" not in type_in("summary", other).stdout
    assert type_in("why", other, "--trace", trace).stdout == "No job waited.\n"


def test_a_run_is_asked_by_the_catalog_that_it_had(waited: Path) -> None:
    (waited / "ours.toml").write_text(
        'as_of = "2026-06"\n[providers.nebius]\nboot_s = 900\nbilling_step_s = 1\nminimum_s = 60\n'
        "egress_usd_per_gb = 0\nstaging_gbps = 10\n"
    )
    offers = '[{name = "cloud", offer = "nebius-h100-eu-north1", quota = 8}]'
    trace, ours = ("--trace", waited / "jobs.parquet"), ("--catalog", waited / "ours.toml")
    made = type_in(
        *("replay", waited / "small.toml", "--set", f"offers={offers}", *trace, *ours, "-o", waited / "ours")
    )
    assert made.exit_code == 0, made.output
    complains(type_in("why", waited / "ours", *trace), "cloud had boot_s 900, and the catalog now has 600")
    assert type_in("why", waited / "ours", *trace, *ours).exit_code == 0


def test_what_cannot_be_asked_ends_in_one_line(waited: Path) -> None:
    run, jobs = waited / "run", waited / "jobs.parquet"
    complains(type_in("why", run), f"{run}: does not hold the jobs", "--trace")
    complains(type_in("why", run, "9", "--trace", jobs), f'{run}: job "9": no such job; ids are 0 to 1')
    complains(type_in("why", run, "none", "--trace", jobs), 'job "none": no such job')
    build.trace(job(0, 1, 1)).write(waited / "other.parquet")
    complains(type_in("why", run, "--trace", waited / "other.parquet"), "ran other jobs")
    (run / "run.json").unlink()
    complains(type_in("why", run), "an unfinished run")
    complains(type_in("why", waited / "nowhere"), "no such run")


def test_what_would_have_started_it_sooner(tmp_path: Path) -> None:
    """Two pods of 4 with 3 held of each until 50 and 80; a gang of 2 waits from 10 to 50.

    2 are free at once, in no pod; a third pod would have done, and so would the offer, which boots for 7 s.
    """
    jobs = build.trace(job(0, 50, 3), job(0, 80, 3), job(10, 5, 2), job(20, 5, 1))
    of = scenario(
        [pool(4, 2)], [offer("cloud", 2, boot_s=7)], policy={"backfill": "easy", "patience": "after:2h"}
    )
    run = build.run(of, jobs, tmp_path / "run", CATALOG)
    story = JobStory(run, setup_of(run, jobs, CATALOG), 2)
    assert [(one.start_s, one.sooner_s) for one in story.sooner()] == [
        (None, None),
        (10, 40),
        (10, 40),
        (17, 33),
    ]
    assert [(one.job, one.device_s, one.passed, one.first_in_order) for one in story.holders] == [
        ("0", 120, False, True),
        ("1", 120, False, True),
        ("3", 5, True, False),
    ]
    assert (story.waited_s, story.start_s) == (40, 50)
