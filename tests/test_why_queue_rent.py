"""Why jobs waited that their queues let rent no more: exact stories, and a law."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from scheduler.scenario import Scenario
from tests.build import Row, offer, pool, run, scenario, trace
from tests.test_queue_rent import WEEK_S, A, B, a, b, renting
from tests.test_why import Wait, told, waits_of


def waits(of: Scenario, folder: Path, *jobs: Row) -> list[Wait]:
    return told(of, trace(*jobs), folder)


def test_a_queue_that_rents_all_it_may_is_its_quota(tmp_path: Path) -> None:
    """a may hold 4, of which its first job has 3 until 100: its second waits for that, b's does not."""
    of = renting({}, A | {"rent_most": 4}, B)
    assert waits(of, tmp_path, a(0, 100, 3), a(1, 10, 2), b(2, 10, 9)) == [(1, 1, 100, "quota", "a")]


def test_the_nearest_queue_is_named_that_has_too_little(tmp_path: Path) -> None:
    """Both may hold 4, and a 3: a's second lacks a's own, b's second those of both until a's first ends."""
    of = renting({"rent_most": 4}, A | {"rent_most": 3}, B)
    assert waits(of, tmp_path, a(0, 100, 3), a(1, 10, 1), b(2, 200, 1), b(3, 10, 1)) == [
        (1, 1, 100, "quota", "a"),
        (3, 3, 100, "quota", "top"),
    ]


def test_devices_that_an_offer_keeps_count_until_they_are_given_back(tmp_path: Path) -> None:
    of = renting({}, A | {"rent_most": 1}, release_s=30)
    assert waits(of, tmp_path, a(0, 100, 1), a(1, 10, 1)) == [(1, 1, 130, "quota", "a")]


def test_the_offers_own_quota_is_told_from_the_queues(tmp_path: Path) -> None:
    """The offer has 5: until 50 it has nothing left; then it has 2, and a, which may hold 3, has them."""
    of = renting({}, A | {"rent_most": 3}, B, quota=5)
    assert waits(of, tmp_path, a(0, 100, 3), b(0, 50, 2), a(1, 10, 1)) == [
        (2, 1, 50, "quota", "cloud"),
        (2, 50, 100, "quota", "a"),
    ]


def test_a_queue_that_has_spent_the_week_is_its_budget(tmp_path: Path) -> None:
    """8 USD a week: two of 4 devices x 1,000 s at 0.001 USD, and the third in the second week."""
    of = renting({}, A | {"rent_usd_per_week": 8.0})
    assert waits(of, tmp_path, a(0, 1_000, 4), a(10, 1_000, 4), a(20, 1_000, 4)) == [
        (2, 20, WEEK_S, "budget", "a")
    ]


def test_devices_come_before_money(tmp_path: Path) -> None:
    """4 devices at once until 1,000 s; from then on the money of the week is what is missing."""
    of = renting({}, A | {"rent_most": 4, "rent_usd_per_week": 4.0})
    assert waits(of, tmp_path, a(0, 1_000, 4), a(10, 1_000, 4)) == [
        (1, 10, 1_000, "quota", "a"),
        (1, 1_000, WEEK_S, "budget", "a"),
    ]


def test_who_is_patient_lacks_pods_and_then_its_queue(tmp_path: Path) -> None:
    queue = {"name": "a", "owners": ["*"], "quota": 9, "rent_most": 3}
    of = scenario([pool(4)], [offer("cloud", 9)], policy={"patience": "after:20"}, queues=[queue])
    assert waits(of, tmp_path, a(0, 100, 4), a(0, 10, 4)) == [
        (1, 0, 20, "too_few", "own"),
        (1, 20, 100, "quota", "a"),
    ]


@pytest.mark.parametrize("seed", range(25))
def test_whoever_waits_for_its_queue_finds_no_room_in_it(seed: int) -> None:
    """Second by second, from the attempts: with it the queue that is named would hold too much, and the offer
    would not. Where the offer is named it has too little left. Nobody waits for anything else."""
    draw = Random(seed)
    most = {name: draw.randint(3, 5) for name in ("top", "a", "b")}
    queues = ({"name": name, "rent_most": most[name]} for name in most)
    of = renting(*queues, quota=6, release_s=draw.choice([0, 7]))
    when = sorted(draw.randint(0, 60) for _ in range(12))
    jobs = [draw.choice([a, b])(at_s, draw.randint(1, 40), draw.randint(1, 3)) for at_s in when]
    with TemporaryDirectory() as folder:
        done = run(of, trace(*jobs), Path(folder) / "run")
        found, attempts = waits_of(done, trace(*jobs)), done.table("attempts").to_pylist()
    kept_s = of.offers[0].release_s or 0
    assert found
    for wait in found:
        need, about = jobs[wait["job_id"]]["gang"], wait["about"]
        assert wait["cause"] == "quota"
        for second in range(wait["from_s"], wait["to_s"]):
            holds = [each for each in attempts if each["alloc_s"] <= second < each["end_s"] + kept_s]
            by = {
                name: sum(each["devices"] for each in holds if _in(jobs[each["job_id"]], name))
                for name in most
            }
            assert (by["top"] + need > 6) == (about == "cloud")
            assert about == "cloud" or by[about] + need > most[about]


def _in(row: Row, queue: str) -> bool:
    return queue in ("top", row["owner"])
