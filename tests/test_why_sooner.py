"""What would have started a job sooner promises nothing that a rule of its run forbids: exact stories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scheduler.report.why import job_why
from scheduler.scenario import Scenario
from scheduler.why.job_story import JobStory
from scheduler.why.question import setup_of
from tests.build import Row, job, offer, pool, run, scenario, trace
from tests.test_caps import cap_kw, site
from tests.worlds import CATALOG

BURST = "it burst at once"
ADMITTED = "its queue had the quota, nobody been before it, nor room kept"
ORDER = "nobody been before it, nor room kept"
POWER, PIECES, POD = (
    "its site had all the power",
    "its gang been free to use any pods",
    "one pod more been there, empty",
)


def story(of: Scenario, folder: Path, row: int, *jobs: Row) -> JobStory:
    over = trace(*jobs)
    done = run(of, over, folder / "run", CATALOG)
    return JobStory(done, setup_of(done, over, CATALOG), row)


def sooner(of: Scenario, folder: Path, row: int, *jobs: Row) -> dict[str, tuple[int | None, str | None]]:
    """When the job could have begun, and what forbade it before, by what had been otherwise."""
    told = story(of, folder, row, *jobs).sooner()
    return {one.had: (one.start_s, one.forbidden_by) for one in told}


def queue(**more: Any) -> dict[str, Any]:
    return {"name": "a", "owners": ["*"], "quota": 9} | more


def bursting(patience: str, *queues: Row, **more: Any) -> Scenario:
    """A pod of 4, and an offer at 0.001 USD a device-second."""
    policy = {"patience": patience, "backfill": "none"}
    return scenario([pool(4)], [offer("cloud", 9, **more)], policy=policy, queues=list(queues))


def test_a_queue_that_rents_all_it_may_forbids_to_burst(tmp_path: Path) -> None:
    """Of the 3 that a may rent the second has all from 0 to 50, when the third begins, which needs 2."""
    jobs = (job(0, 100, 4), job(0, 50, 3), job(1, 10, 2))
    of = bursting("at_once", queue(rent_most=3))
    assert sooner(of, tmp_path, 2, *jobs)[BURST] == (None, "rent_most of a")
    assert "no sooner: rent_most of a forbids it" in job_why(story(of, tmp_path / "2", 2, *jobs))


def test_a_queue_that_may_rent_again_allows_to_burst_from_then_on(tmp_path: Path) -> None:
    """The second rents from 40 to 90; the third, from 60 on, is patient until 100."""
    jobs = (job(0, 200, 4), job(0, 50, 3), job(60, 10, 2))
    of = bursting("after:40", queue(rent_most=3))
    assert sooner(of, tmp_path, 2, *jobs)[BURST] == (90, "rent_most of a")
    told = " ".join(job_why(story(of, tmp_path / "2", 2, *jobs)).split())
    assert "10 s sooner; rent_most of a forbids it before" in told


def test_without_a_limit_that_holds_nothing_is_forbidden(tmp_path: Path) -> None:
    jobs = (job(0, 200, 4), job(0, 50, 3), job(60, 10, 2))
    assert sooner(bursting("after:40", queue(rent_most=5)), tmp_path, 2, *jobs)[BURST] == (60, None)


def test_money_is_a_condition_and_what_costs_more_is_forbidden(tmp_path: Path) -> None:
    """8 USD a week: 2 devices x 100 s at 0.001 USD may be had, 4 x 2,001 s never."""
    of = bursting("after:40", queue(rent_usd_per_week=8.0))
    burst = f"{BURST}, with money for it"
    assert sooner(of, tmp_path / "1", 1, job(0, 200, 4), job(1, 100, 2))[burst] == (1, None)
    dear = sooner(of, tmp_path / "2", 1, job(0, 200, 4), job(1, 2_001, 4))
    assert dear[burst] == (None, "rent_usd_per_week of a")


def test_the_budget_of_patience_is_such_money(tmp_path: Path) -> None:
    of = bursting("budget:1")
    burst = f"{BURST}, with money for it"
    assert sooner(of, tmp_path, 1, job(0, 9_000, 4), job(1, 501, 2))[burst] == (
        None,
        "the budget of the week",
    )


def test_an_offer_that_the_policy_does_not_want_is_none(tmp_path: Path) -> None:
    policy = {"offer": "spot_up_to:1", "patience": "after:15", "backfill": "none"}
    of = scenario([pool(4)], [offer("cheap", 4, spot=True, usd_per_device_h=1.0)], policy=policy)
    assert sooner(of, tmp_path / "1", 1, job(0, 50, 4), job(10, 5, 2))[BURST] == (None, None)
    assert sooner(of, tmp_path / "2", 1, job(0, 50, 4), job(10, 5, 1))[BURST] == (10, None)


def test_one_boots_as_long_as_the_offer_that_has_room(tmp_path: Path) -> None:
    """The quick one is full until 90: the slow one has 30 s to boot."""
    policy = {"patience": "after:40", "backfill": "none", "offer": "fastest"}
    of = scenario([pool(4)], [offer("quick", 3), offer("slow", 9, boot_s=30)], policy=policy)
    jobs = (job(0, 200, 4), job(0, 50, 3), job(45, 10, 2))
    assert sooner(of, tmp_path, 2, *jobs)[BURST] == (75, None)


def test_power_that_the_site_has_not_stays_what_it_lacks(tmp_path: Path) -> None:
    """Two pods of 4 with power for 4 held devices, which the first draws until 50: no pod would help."""
    of = scenario(
        [pool(4, 2)],
        policy={"patience": "never", "backfill": "none"},
        sites=[site(cap_kw=cap_kw(8, 4))],
    )
    told = sooner(of, tmp_path, 1, job(0, 50, 4), job(5, 10, 4))
    assert told == {ORDER: (None, None), POWER: (5, None), PIECES: (None, None), POD: (None, None)}


def test_quota_that_the_queue_has_not_stays_what_it_lacks(tmp_path: Path) -> None:
    """Of the 4 of the pod a may have 2, which its first job holds until 50."""
    of = scenario([pool(4)], policy={"patience": "never", "backfill": "none"}, queues=[queue(quota=2)])
    told = sooner(of, tmp_path, 1, job(0, 50, 2), job(5, 10, 2))
    assert told == {ADMITTED: (5, None), PIECES: (None, None), POD: (None, None)}


@pytest.mark.parametrize(("held", "pod_s"), [(1, 5), (2, None)])
def test_what_stays_free_for_others_stays_so(held: int, pod_s: int | None, tmp_path: Path) -> None:
    """More than 2.8 of 4 devices stay free, and would be 5.6 of 8: with one held, 6 do beside a gang of 1."""
    policy = {"first": "reserve:0.7", "patience": "never", "backfill": "none"}
    of = scenario([pool(4)], [offer("cloud", 9)], policy=policy)
    told = sooner(of, tmp_path, 1, job(0, 50, held, residency="owned"), job(5, 10, 1))
    assert (told[ORDER], told[PIECES], told[POD]) == ((5, None), (None, None), (pod_s, None))
