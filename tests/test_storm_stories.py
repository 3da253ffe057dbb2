"""Small storms with every attempt worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.scenario import Scenario
from tests import build
from tests.build import Row, job, offer, pool
from tests.storms import Tale, Weathered, endure, outage

STRICT = {"backfill": "none", "patience": "never"}
BURST = {"backfill": "none", "patience": "at_once"}
LINK = [{"name": "line", "gbps": 8_000.0, "offers": ["cloud"]}]
"""1 TB a second each way."""
FIVE_SECONDS = {"gb_per_device": 10.0}
"""What writing a checkpoint takes: 80 Gbit at 16 Gbit/s."""

Attempt = tuple[int, str, int, int | None, int, str, int, int, int]
"""(job_id, where, alloc_s, start_s, end_s, outcome, kept_s, checkpointing_s, lost_device_s)."""


def owned(*pools: Row, policy: Row | None = None, **more: Any) -> Scenario:
    return build.scenario(pools or [pool(2)], policy=STRICT | (policy or {}), **more)


def rented(*offers: Row, policy: Row | None = None, **more: Any) -> Scenario:
    return build.scenario(offers=offers or [offer("cloud")], policy=BURST | (policy or {}), **more)


def replay(scenario: Scenario, outages: list[Row], *jobs: Row) -> Weathered:
    return endure(Tale(scenario, sorted(outages, key=lambda row: int(row["from_s"])), build.trace(*jobs)))


def attempts(world: Weathered) -> list[Attempt]:
    """By job, and in order of time."""
    names = ("where", "alloc_s", "start_s", "end_s", "outcome", "kept_s", "checkpointing_s", "lost_device_s")
    rows = sorted(world.attempts, key=lambda row: (row["job_id"], row["attempt"]))
    return [(row["job_id"], *(row[name] for name in names)) for row in rows]


def broken(
    from_s: int, to_s: int, first: int = 0, devices: int = 1, what: str = "device", **more: Any
) -> Row:
    return outage(from_s, to_s, "own", what, pod=0, first=first, devices=devices, **more)


def reclaimed(from_s: int, to_s: int, notice_s: int = 0, first: int = 0, where: str = "cloud") -> Row:
    return outage(from_s, to_s, where, "reclaim", first=first, devices=1, notice_s=notice_s)


# failures


def test_without_a_checkpoint_a_failure_takes_all_the_work() -> None:
    """It rests for 10 s, then waits for the repair."""
    world = replay(owned(retries={"backoff_s": 10}), [broken(40, 60, first=1)], job(0, 100, 2))
    assert attempts(world) == [
        (0, "own", 0, 0, 40, "failed", 0, 0, 80),
        (0, "own", 60, 60, 160, "finished", 100, 0, 0),
    ]
    assert [world.level("queued_jobs", time) for time in (39, 40, 49, 50, 59, 60)] == [0, 0, 0, 1, 1, 0]
    assert [world.level("down_own", time) for time in (39, 40, 59, 60)] == [0, 1, 1, 0]
    assert world.logged[0]["lost_device_s"] == 80
    assert world.logged[0]["wait_s"] == 0


def test_a_rest_may_last_longer_than_the_repair() -> None:
    world = replay(owned(retries={"backoff_s": 30}), [broken(40, 45)], job(0, 50, 2))
    assert attempts(world)[1][2:5] == (70, 70, 120)


@pytest.mark.parametrize("later", [[], [(45, 50)], [(45, 50), (150, 9_000)], [(9_000, 9_001)]])
def test_without_a_horizon_the_run_ends_with_the_last_job(later: list[tuple[int, int]]) -> None:
    """It fails at 40 and rests for 60 s, in which nobody runs or waits, whatever befalls the other device."""
    outages = [broken(40, 42), *(broken(*spell, first=1) for spell in later)]
    world = replay(owned(retries={"backoff_s": 60}), outages, job(0, 100, 1))
    assert [row[2:6] for row in attempts(world)] == [(0, 0, 40, "failed"), (100, 100, 200, "finished")]
    assert world.end_s == 200


def test_the_run_ends_as_the_last_job_is_killed() -> None:
    scenario = owned(retries={"backoff_s": 60, "limit": 1})
    world = replay(scenario, [broken(40, 42), broken(130, 5_000)], job(0, 100, 1))
    assert [row[2:6] for row in attempts(world)] == [(0, 0, 40, "failed"), (100, 100, 130, "killed")]
    assert (world.end_s, world.logged[0]["state"]) == (130, "killed")


@pytest.mark.parametrize(
    ("at_s", "account"),
    [
        (99, ("preempted", 94, 5, 0)),
        (100, ("finished", 100, 0, 0)),
    ],
)
def test_whoever_is_saved_at_the_very_end(at_s: int, account: tuple[str, int, int, int]) -> None:
    """The checkpoint takes 5 s, in which nothing is done; whose work is done needs none."""
    world = replay(
        owned(checkpoints={"interval": "1000s", **FIVE_SECONDS}),
        [broken(at_s, 130, devices=2, what="maintenance", notice_s=50)],
        job(0, 100, 2),
    )
    assert attempts(world)[0][4:] == (at_s, *account)


def test_a_run_ends_with_its_last_job_whatever_weather_comes_after() -> None:
    """Also where a job had rested: the second failure, at 500, meets nobody."""
    world = replay(owned(retries={"backoff_s": 5}), [broken(10, 12), broken(500, 600)], job(0, 20, 2))
    assert attempts(world)[1][2:5] == (15, 15, 35)
    assert world.end_s == 35


def test_with_checkpoints_it_goes_on_from_the_last_that_was_finished() -> None:
    """Work to 30, a checkpoint to 35, 5 s more; then a restart of 7 s, and 70 s with two checkpoints."""
    scenario = owned(checkpoints={"interval": "30s", "restart_s": 7, **FIVE_SECONDS})
    world = replay(scenario, [broken(40, 60)], job(0, 100, 2))
    assert attempts(world) == [
        (0, "own", 0, 0, 40, "failed", 30, 5, 10),
        (0, "own", 100, 107, 187, "finished", 70, 10, 0),
    ]


@pytest.mark.parametrize(("at_s", "start_s", "lost"), [(103, None, 0), (107, None, 0), (108, 107, 2)])
def test_whoever_is_stopped_before_it_works_loses_nothing(at_s: int, start_s: int | None, lost: int) -> None:
    """As above, and again while it restarts, as its work begins, or a second later."""
    scenario = owned(checkpoints={"interval": "30s", "restart_s": 7, **FIVE_SECONDS})
    world = replay(scenario, [broken(40, 60), broken(at_s, at_s + 1)], job(0, 100, 2))
    assert attempts(world)[1] == (0, "own", 100, start_s, at_s, "failed", 0, 0, lost)


def test_a_checkpoint_that_is_not_finished_counts_for_nothing() -> None:
    world = replay(owned(checkpoints={"interval": "30s", **FIVE_SECONDS}), [broken(34, 35)], job(0, 100, 2))
    assert attempts(world)[0] == (0, "own", 0, 0, 34, "failed", 0, 4, 60)


def test_the_jobs_own_interval_grows_with_its_run_time_on_slow_devices() -> None:
    """On the span of two pods, at half the speed, 10 s of work take 20."""
    scenario = owned(pool(1, pods=2, span_efficiency=0.5))
    world = replay(scenario, [broken(70, 71)], job(0, 50, 2, checkpoint_s=10))
    assert attempts(world)[0] == (0, "own", 0, 0, 70, "failed", 30, 0, 20)
    assert attempts(world)[1][2:5] == (130, 130, 170)


def test_whoever_ends_as_it_fails_has_finished() -> None:
    world = replay(owned(), [broken(40, 60)], job(0, 40, 2), job(0, 10, 1))
    assert attempts(world) == [
        (0, "own", 0, 0, 40, "finished", 40, 0, 0),
        (1, "own", 40, 40, 50, "finished", 10, 0, 0),
    ]


def test_a_reservation_counts_on_the_later_of_two_repairs() -> None:
    """The head needs both devices, of which one is back at 100, not at 50: the other has time."""
    scenario = owned(policy={"backfill": "easy"})
    world = replay(scenario, [broken(10, 50), broken(20, 100)], job(30, 10, 2), job(35, 60, 1))
    assert [attempt[2:5] for attempt in attempts(world)] == [(100, 100, 110), (35, 35, 95)]


def test_two_failures_at_once_are_one_setback() -> None:
    scenario = owned(retries={"limit": 1, "backoff_s": 0})
    world = replay(scenario, [broken(40, 50), broken(40, 70, first=1)], job(0, 100, 2))
    assert attempts(world) == [
        (0, "own", 0, 0, 40, "failed", 0, 0, 80),
        (0, "own", 70, 70, 170, "finished", 100, 0, 0),
    ]
    assert [world.level("down_own", time) for time in (40, 50, 70)] == [2, 1, 0]


def test_devices_that_fail_twice_are_down_until_both_are_mended() -> None:
    world = replay(owned(), [broken(10, 40), broken(20, 30, what="cabinet", devices=2)], job(15, 5, 2))
    assert [world.level("down_own", time) for time in (10, 20, 30, 40)] == [1, 2, 1, 0]
    assert attempts(world) == [(0, "own", 40, 40, 45, "finished", 5, 0, 0)]


def test_a_cabinet_stops_only_who_is_in_it() -> None:
    """The first gang has devices 0 to 3, the second 4 to 7."""
    world = replay(
        owned(pool(8), retries={"backoff_s": 0}),
        [broken(20, 50, first=4, devices=4, what="cabinet")],
        job(0, 100, 4),
        job(0, 100, 4),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 100, "finished", 100, 0, 0),
        (1, "own", 0, 0, 20, "failed", 0, 0, 80),
        (1, "own", 50, 50, 150, "finished", 100, 0, 0),
    ]


def test_a_gang_across_pods_fails_with_any_of_them() -> None:
    world = replay(
        owned(pool(2, pods=2, span_efficiency=1.0), retries={"backoff_s": 0}),
        [outage(10, 30, "own", "pod", pod=1, devices=2)],
        job(0, 50, 3),
        job(0, 60, 1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 10, "failed", 0, 0, 30),
        (0, "own", 30, 30, 80, "finished", 50, 0, 0),
        (1, "own", 0, 0, 10, "failed", 0, 0, 10),
        (1, "own", 30, 30, 90, "finished", 60, 0, 0),
    ]


def test_no_retry_left_and_nobody_after_it_runs() -> None:
    """The second failure is one too many; the rest after the first is 60 s."""
    world = replay(
        owned(retries={"limit": 1}, checkpoints={"interval": "10s"}),
        [broken(15, 16), broken(100, 101)],
        job(0, 100, 2),
        job(0, 5, 1, after=0),
        job(0, 5, 1, after=1),
        job(120, 5, 1, after=0),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 15, "failed", 10, 0, 10),
        (0, "own", 75, 75, 100, "killed", 20, 0, 10),
    ]
    states = [(world.jobs[at]["state"], world.jobs[at]["reason"]) for at in range(4)]
    orphan = ("rejected", "a job it depends on will never finish")
    assert states == [("killed", "no retry left"), orphan, orphan, orphan]
    assert world.jobs[0]["lost_device_s"] == 2 * (15 + 25)


# maintenance


def test_before_maintenance_nothing_starts_and_at_it_all_is_saved() -> None:
    """From second 50 on the free device is withheld; the gang writes its checkpoint in the last 5 s."""
    world = replay(
        owned(checkpoints={"interval": "1000s", **FIVE_SECONDS}),
        [broken(100, 130, devices=2, what="maintenance", notice_s=50)],
        job(0, 200, 1),
        job(60, 20, 1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 100, "preempted", 95, 5, 0),
        (0, "own", 130, 130, 235, "finished", 105, 0, 0),
        (1, "own", 130, 130, 150, "finished", 20, 0, 0),
    ]
    assert [world.level("down_own", time) for time in (49, 50, 99, 100, 130)] == [0, 1, 1, 2, 0]


def test_devices_given_back_during_a_drain_are_down_at_once() -> None:
    world = replay(owned(), [broken(100, 130, devices=2, what="maintenance", notice_s=50)], job(0, 70, 1))
    assert world.end_s == 70
    world = replay(
        owned(), [broken(100, 130, devices=2, what="maintenance", notice_s=50)], job(0, 70, 1), job(80, 5, 1)
    )
    assert [world.level("down_own", time) for time in (50, 69, 70, 100, 130)] == [1, 1, 2, 2, 0]


# spot


@pytest.mark.parametrize(
    ("notice_s", "account"),
    [(30, (50, 10, 0)), (5, (50, 10, 0)), (4, (40, 5, 15)), (0, (40, 5, 15))],
)
def test_a_reclaim_is_survived_if_the_notice_suffices(notice_s: int, account: tuple[int, int, int]) -> None:
    """A checkpoint from 40 to 45, and another from 55 to 60 if one knows in time that it ends at 60."""
    scenario = rented(checkpoints={"interval": "40s", **FIVE_SECONDS})
    world = replay(scenario, [reclaimed(60, 500, notice_s)], job(0, 100, 1))
    assert attempts(world)[0] == (0, "cloud", 0, 0, 60, "reclaimed", *account)
    assert attempts(world)[1][2:5] == (60, 60, 60 + 100 - account[0] + 5)


def test_nodes_about_to_be_reclaimed_are_not_rented() -> None:
    world = replay(rented(offer("cloud", 1)), [reclaimed(60, 90, notice_s=30)], job(40, 10, 1))
    assert attempts(world) == [(0, "cloud", 90, 90, 100, "finished", 10, 0, 0)]


def test_a_reclaim_may_come_before_the_boot_is_over() -> None:
    world = replay(rented(offer("cloud", 2, boot_s=30)), [reclaimed(10, 20)], job(0, 50, 1))
    assert attempts(world) == [
        (0, "cloud", 0, None, 10, "reclaimed", 0, 0, 0),
        (0, "cloud", 10, 40, 90, "finished", 50, 0, 0),
    ]


# boots, refusals, shortages


def test_a_boot_that_fails_takes_as_long_as_one_that_works() -> None:
    scenario = rented(offer("cloud", boot_s=10), retries={"backoff_s": 20})
    world = replay(scenario, [outage(0, 5, "cloud", "failed_boot")], job(0, 50, 1))
    assert attempts(world) == [
        (0, "cloud", 0, None, 10, "failed", 0, 0, 0),
        (0, "cloud", 30, 40, 90, "finished", 50, 0, 0),
    ]


@pytest.mark.parametrize(
    ("submit_s", "outcome"), [(9, "finished"), (10, "failed"), (19, "failed"), (20, "finished")]
)
def test_a_boot_fails_from_the_first_second_of_its_window_to_the_last(submit_s: int, outcome: str) -> None:
    scenario = rented(offer("cloud", boot_s=10), retries={"backoff_s": 60})
    world = replay(scenario, [outage(10, 20, "cloud", "failed_boot")], job(submit_s, 50, 1))
    assert attempts(world)[0][5] == outcome


@pytest.mark.parametrize(("submit_s", "start_s"), [(9, 9), (10, 20), (19, 20), (20, 20)])
def test_a_device_is_away_from_the_first_second_of_an_outage_to_the_last(submit_s: int, start_s: int) -> None:
    """Nobody has it in between where another outage begins as the first ends. One second is worked before."""
    world = replay(owned(pool(1)), [broken(10, 15), broken(15, 20)], job(submit_s, 1, 1))
    assert [row[2:6] for row in attempts(world)] == [(start_s, start_s, start_s + 1, "finished")]


def test_a_slow_boot_takes_as_long_as_when_it_began() -> None:
    scenario = rented(offer("cloud", boot_s=10))
    slow = outage(0, 5, "cloud", "slow_boot", value=2.45)
    world = replay(scenario, [slow], job(0, 50, 1), job(5, 50, 1))
    assert [row[3] for row in attempts(world)] == [25, 15]


def test_the_second_boot_in_a_row_that_fails_doubles_the_rest() -> None:
    scenario = rented(offer("cloud", boot_s=10), retries={"backoff_s": 20, "backoff_most_s": 70})
    world = replay(scenario, [outage(0, 200, "cloud", "failed_boot")], job(0, 50, 1))
    assert [row[2] for row in attempts(world)] == [0, 30, 80, 160, 240]


def test_a_refused_job_asks_the_next_offer_and_then_rests() -> None:
    """The dear offer has room for one; the other job asks the cheap one again after 60 and 120 s."""
    world = replay(
        rented(offer("cloud"), offer("dear", 1, usd_per_device_h=9.0)),
        [outage(0, 100, "cloud", "refused")],
        job(0, 1_000, 1),
        job(0, 50, 1),
    )
    assert attempts(world) == [
        (0, "dear", 0, 0, 1_000, "finished", 1_000, 0, 0),
        (1, "cloud", 180, 180, 230, "finished", 50, 0, 0),
    ]
    assert world.run.description["refused"] == {"cloud": 3, "dear": 0}


def test_who_waits_for_two_reasons_asks_once_at_a_time() -> None:
    """Behind its uniform progress after second 200, it asks each second of the refusals, to 259."""
    scenario = rented(
        offer("cloud"),
        offer("spot", 1, spot=True, usd_per_device_h=1.0),
        policy={"offer": "uniform_progress"},
        checkpoints={"interval": "50s"},
        retries={"backoff_s": 0},
    )
    world = replay(
        scenario,
        [reclaimed(60, 500, where="spot"), outage(150, 260, "cloud", "refused")],
        job(0, 100, 1, deadline_s=400),
        *(job(0, 100 + more, 1, deadline_s=100 + more) for more in (0, 10, 20, 30)),
    )
    assert attempts(world)[:2] == [
        (0, "spot", 0, 0, 60, "reclaimed", 50, 0, 10),
        (0, "cloud", 260, 260, 310, "finished", 50, 0, 0),
    ]
    assert world.run.description["refused"] == {"cloud": 59, "spot": 0}


def test_in_a_shortage_what_runs_goes_on_and_nothing_starts() -> None:
    world = replay(
        rented(offer("cloud", 2)),
        [outage(10, 50, "cloud", "shortage", first=0, devices=2)],
        job(0, 100, 1),
        job(20, 10, 1),
    )
    assert attempts(world) == [
        (0, "cloud", 0, 0, 100, "finished", 100, 0, 0),
        (1, "cloud", 50, 50, 60, "finished", 10, 0, 0),
    ]


# preemption

URGENT = {"preempt": "by_priority"}


def test_whose_stop_loses_least_gives_way() -> None:
    world = replay(owned(policy=URGENT), [], job(0, 100, 1), job(20, 100, 1), job(30, 10, 1, priority=1))
    assert attempts(world) == [
        (0, "own", 0, 0, 100, "finished", 100, 0, 0),
        (1, "own", 20, 20, 30, "preempted", 0, 0, 10),
        (1, "own", 40, 40, 140, "finished", 100, 0, 0),
        (2, "own", 30, 30, 40, "finished", 10, 0, 0),
    ]


@pytest.mark.parametrize(("at_s", "victim"), [(22, 1), (23, 0)])
def test_what_a_stop_costs_is_counted_by_devices_and_to_the_second(at_s: int, victim: int) -> None:
    """Job 0 can save its work in 5 s of one device; job 1 loses 2 s, or 3 s, of two, and starts anew."""
    scenario = owned(pool(3), policy=URGENT, checkpoints={"interval": "trace", **FIVE_SECONDS})
    jobs = (job(0, 900, 1, checkpoint_s=800), job(20, 900, 2), job(at_s, 10, 1, priority=1))
    stopped = [row[0] for row in attempts(replay(scenario, [], *jobs)) if row[5] == "preempted"]
    assert stopped == [victim]


def test_nobody_gives_way_in_vain() -> None:
    """Two devices are asked for, and of the two only one may be had."""
    world = replay(
        owned(policy=URGENT), [], job(0, 100, 1, priority=1), job(0, 100, 1), job(30, 10, 2, priority=1)
    )
    assert [row[5] for row in attempts(world)] == ["finished"] * 3


def test_who_could_not_take_all_it_needs_asks_again_when_something_is_given_back() -> None:
    world = replay(
        owned(policy=URGENT),
        [],
        job(0, 100, 1),
        job(0, 50, 1, priority=2),
        job(20, 10, 2, priority=1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 50, "preempted", 0, 0, 50),
        (0, "own", 60, 60, 160, "finished", 100, 0, 0),
        (1, "own", 0, 0, 50, "finished", 50, 0, 0),
        (2, "own", 50, 50, 60, "finished", 10, 0, 0),
    ]


def test_nobody_gives_up_devices_that_are_about_to_go_out_of_service() -> None:
    world = replay(
        owned(pool(2), policy=URGENT),
        [broken(100, 130, devices=2, what="maintenance", notice_s=90)],
        job(0, 200, 2),
        job(20, 10, 2, priority=1),
    )
    assert attempts(world)[0] == (0, "own", 0, 0, 100, "preempted", 0, 0, 200)


def test_the_young_are_safe() -> None:
    """At 60 the first has run for a minute; the second would be the cheaper one, but is safe until 80."""
    world = replay(
        owned(policy=URGENT, preemption={"min_run_s": 60}),
        [],
        job(0, 100, 1),
        job(20, 100, 1),
        job(30, 10, 1, priority=1),
    )
    assert attempts(world)[0] == (0, "own", 0, 0, 60, "preempted", 0, 0, 60)
    assert attempts(world)[3] == (2, "own", 60, 60, 70, "finished", 10, 0, 0)


def test_nobody_gives_way_more_often_than_is_allowed() -> None:
    world = replay(
        owned(pool(1), policy=URGENT, preemption={"most_per_job": 1}),
        [],
        job(0, 100, 1),
        job(10, 10, 1, priority=1),
        job(30, 10, 1, priority=1),
    )
    assert [row[2:6] for row in attempts(world)] == [
        (0, 0, 10, "preempted"),
        (20, 20, 120, "finished"),
        (10, 10, 20, "finished"),
        (120, 120, 130, "finished"),
    ]


def test_no_more_give_way_within_an_hour_than_is_allowed() -> None:
    """The second to ask has to wait until an hour has passed since the first."""
    world = replay(
        owned(pool(1), policy=URGENT, preemption={"most_per_h": 1}),
        [],
        job(0, 10_000, 1),
        job(10, 10, 1, priority=1),
        job(30, 10, 1, priority=1),
    )
    assert [row[2:6] for row in attempts(world)] == [
        (0, 0, 10, "preempted"),
        (20, 20, 3_610, "preempted"),
        (3_620, 3_620, 13_620, "finished"),
        (10, 10, 20, "finished"),
        (3_610, 3_610, 3_620, "finished"),
    ]


def test_a_gang_that_leaves_withheld_devices_behind_moves_the_reservation() -> None:
    """The head would have the first pod at 10. From 2 on it is known that a device of it, which the first
    gang holds, will be away until 40. So it has the second at 20, and the last job what is left of the first.
    """
    world = replay(
        owned(pool(3, 2), policy={"backfill": "easy"}),
        [broken(12, 40, what="maintenance", notice_s=10)],
        job(0, 5, 2, estimate_s=10),
        job(0, 20, 3),
        job(1, 9, 3),
        job(2, 2, 1),
        job(3, 50, 1),
    )
    assert [row[2:6] for row in attempts(world)] == [
        (0, 0, 5, "finished"),
        (0, 0, 20, "finished"),
        (20, 20, 29, "finished"),
        (2, 2, 4, "finished"),
        (4, 4, 54, "finished"),
    ]


@pytest.mark.parametrize("backfill", ["none", "easy", "conservative"])
def test_nobody_waits_for_a_pod_that_is_being_drained(backfill: str) -> None:
    """The first gang ends at 4 by its estimate, but nobody may enter the pod before 15: the head starts at 6.

    The last job would be on the second pod from 2 to 22, if the head were expected on the first at 4. So it
    comes after the first, which was stopped at 9.
    """
    world = replay(
        owned(pool(3, 2), policy={"backfill": backfill, "place": "first_fit"}),
        [broken(9, 15, devices=3, what="maintenance", notice_s=8)],
        *(job(0, 100, 3, estimate_s=4), job(0, 6, 2), job(2, 5, 3), job(2, 20, 1)),
    )
    assert [(row[0], row[2]) for row in attempts(world)] == [(0, 0), (0, 11), (1, 0), (2, 6), (3, 15)]


@pytest.mark.parametrize("backfill", ["easy", "conservative"])
def test_whom_an_outage_will_stop_is_expected_to_end_then(backfill: str) -> None:
    """A gang is on both pods, the first of which will be away from 9 to 15: the head has the second at 9.

    At 4 a job of 5 s may have the device that is free there, and one of 6 s not. It starts when the head has
    ended, as the gang that was stopped, which needs five devices at 15, leaves one.
    """
    for run_s, start_s in ((5, 4), (6, 14)):
        world = replay(
            owned(pool(3, 2, span_efficiency=1), policy={"backfill": backfill}),
            [broken(9, 15, devices=3, what="maintenance", notice_s=6)],
            *(job(0, 100, 5), job(3, 5, 3), job(4, run_s, 1)),
        )
        assert [(row[0], row[2]) for row in attempts(world)] == [(0, 0), (0, 15), (1, 9), (2, start_s)]


def test_an_outage_counts_only_while_it_lasts() -> None:
    """The first device was to be away until 100 and is back at 20, but for another outage until 30.

    So the head is expected at 30, not at 100, and the last job may not have the other device until 70.
    """
    world = replay(
        owned(policy={"backfill": "easy"}),
        [broken(10, 20, expected_s=100), broken(15, 30)],
        *(job(21, 10, 2), job(22, 48, 1)),
    )
    assert [row[2:5] for row in attempts(world)] == [(30, 30, 40), (40, 40, 88)]


def test_an_outage_that_lasts_longer_than_expected_may_end_any_second() -> None:
    """It was to be over at 20 and is at 50. At 25 the head may start at 26: 1 s is short enough, 2 s not."""
    for run_s, start_s in ((1, 25), (2, 60)):
        world = replay(
            owned(policy={"backfill": "easy"}),
            [broken(10, 50, expected_s=20)],
            *(job(21, 10, 2), job(25, run_s, 1)),
        )
        assert [row[2] for row in attempts(world)] == [50, start_s]


def test_a_repair_that_will_take_longer_moves_the_reservation() -> None:
    """The head would have the first pod at 10. At 3 it is known that a device of it stays away until 40."""
    world = replay(
        owned(pool(3, 2), policy={"backfill": "easy"}),
        [broken(0, 10), broken(8, 40, what="maintenance", notice_s=5)],
        job(0, 9, 1),
        job(0, 20, 3),
        job(1, 9, 3),
        job(2, 50, 1),
    )
    assert [row[2:5] for row in attempts(world)] == [(0, 0, 9), (0, 0, 20), (20, 20, 29), (3, 3, 53)]


def test_an_owner_with_no_more_than_the_protected_share_gives_way_to_nobody() -> None:
    """Of four devices Ann has one, a quarter, and Bob three."""
    world = replay(
        owned(pool(4), policy=URGENT, preemption={"protected_share": 0.25}),
        [],
        job(0, 100, 3, owner="bob"),
        job(20, 100, 1, owner="ann"),
        job(30, 10, 1, priority=1),
    )
    assert [row[0] for row in attempts(world) if row[5] == "preempted"] == [0]


def test_room_that_is_promised_elsewhere_frees_what_was_reserved() -> None:
    """The head would get the second pod at 50, but gets the first at 15; so a long job may have that one."""
    policy = URGENT | {"order": "priority:0", "backfill": "easy"}
    world = replay(
        owned(pool(2, 2), policy=policy, checkpoints={"interval": "1000s", **FIVE_SECONDS}),
        [],
        job(0, 100, 2),
        job(0, 50, 1, priority=9),
        job(10, 20, 2, priority=5),
        job(10, 200, 1, priority=1),
    )
    assert [row[:5] for row in attempts(world)] == [
        (0, "own", 0, 0, 15),
        (0, "own", 35, 35, 125),
        (1, "own", 0, 0, 50),
        (2, "own", 15, 15, 35),
        (3, "own", 10, 10, 210),
    ]


def test_a_checkpoint_comes_first_and_then_whoever_asked() -> None:
    """Under fcfs the victim would be the first in the queue again; but the other asked for the room."""
    world = replay(
        owned(pool(1), policy=URGENT, checkpoints={"interval": "1000s", **FIVE_SECONDS}),
        [],
        job(0, 100, 1),
        job(20, 10, 1, priority=1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 25, "preempted", 20, 5, 0),
        (0, "own", 35, 35, 115, "finished", 80, 0, 0),
        (1, "own", 25, 25, 35, "finished", 10, 0, 0),
    ]


def test_a_device_may_fail_as_it_is_given_up() -> None:
    """Nobody starts on it."""
    world = replay(
        owned(
            pool(1),
            policy=URGENT | {"order": "priority:0"},
            checkpoints={"interval": "10s", **FIVE_SECONDS},
            retries={"backoff_s": 5},
        ),
        [broken(27, 40)],
        job(0, 100, 1),
        job(22, 10, 1, priority=1),
    )
    assert attempts(world)[0][2:5] == (0, 0, 27)
    assert [row for row in attempts(world) if row[0] == 1] == [(1, "own", 40, 40, 50, "finished", 10, 0, 0)]


def test_less_left_goes_first_under_srpt() -> None:
    """At 10 there are 90 s left of the first; it keeps its work, and goes on behind the second."""
    world = replay(
        owned(pool(1), policy={"order": "srpt", "preempt": "by_order"}, checkpoints={"interval": "1s"}),
        [],
        job(0, 100, 1),
        job(10, 20, 1),
        job(15, 16, 1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 10, "preempted", 10, 0, 0),
        (0, "own", 46, 46, 136, "finished", 90, 0, 0),
        (1, "own", 10, 10, 30, "finished", 20, 0, 0),
        (2, "own", 30, 30, 46, "finished", 16, 0, 0),
    ]


def test_who_has_had_its_share_falls_behind_under_las() -> None:
    """0.02 device-hours are 72 device-seconds: 36 s of the first gang. Of the rest, 64 s, nothing is left."""
    world = replay(
        owned(policy={"order": "las:0.02", "preempt": "by_order"}),
        [],
        job(0, 100, 2),
        job(10, 20, 2),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 36, "preempted", 0, 0, 72),
        (0, "own", 56, 56, 156, "finished", 100, 0, 0),
        (1, "own", 36, 36, 56, "finished", 20, 0, 0),
    ]


# moving


def test_a_job_comes_home_at_the_first_checkpoint_at_which_there_is_room() -> None:
    """The pod is free from 25 on, the next checkpoint is finished at 30."""
    world = replay(
        build.scenario(
            [pool(1)],
            [offer("cloud")],
            policy=BURST | {"repatriate": "at_checkpoint"},
            checkpoints={"interval": "10s", "restart_s": 4},
        ),
        [],
        job(0, 25, 1),
        job(0, 100, 1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 25, "finished", 25, 0, 0),
        (1, "cloud", 0, 0, 30, "migrated", 30, 0, 0),
        (1, "own", 30, 34, 104, "finished", 70, 0, 0),
    ]


def test_nobody_comes_home_while_somebody_waits_there() -> None:
    """From 20 on a device is free, but the last, which needs both, waits for the other until 80."""
    at_home = {"residency": "owned"}
    world = replay(
        build.scenario(
            [pool(2)],
            [offer("cloud")],
            policy=BURST | {"repatriate": "at_checkpoint"},
            checkpoints={"interval": "10s"},
        ),
        [],
        *(job(0, 20, 2, **at_home), job(0, 95, 1), job(5, 60, 1, **at_home), job(6, 30, 2, **at_home)),
    )
    assert [(row[0], *row[2:6]) for row in attempts(world)] == [
        (0, 0, 0, 20, "finished"),
        (1, 0, 0, 95, "finished"),
        (2, 20, 20, 80, "finished"),
        (3, 80, 80, 110, "finished"),
    ]


def test_on_demand_when_behind_and_spot_when_it_comes_back() -> None:
    """100 s of work in 400: 20 done at 20, so behind after 80; at each checkpoint it is ahead again.

    With 30 done it may wait until 120, with 40 until 160, with 50 until 200, when the spot device is back.
    """
    scenario = rented(
        offer("cloud"),
        offer("spot", 1, spot=True, usd_per_device_h=1.0),
        policy={"offer": "uniform_progress"},
        checkpoints={"interval": "10s"},
    )
    world = replay(scenario, [reclaimed(20, 200, where="spot")], job(0, 100, 1, deadline_s=400))
    assert attempts(world) == [
        (0, "spot", 0, 0, 20, "reclaimed", 20, 0, 0),
        (0, "cloud", 81, 81, 91, "migrated", 10, 0, 0),
        (0, "cloud", 121, 121, 131, "migrated", 10, 0, 0),
        (0, "cloud", 161, 161, 171, "migrated", 10, 0, 0),
        (0, "spot", 200, 200, 250, "finished", 50, 0, 0),
    ]


# data over a link


def moved(world: Weathered) -> list[tuple[int, float, float]]:
    rows = sorted(world.attempts, key=lambda row: (row["job_id"], row["attempt"]))
    return [(row["job_id"], row["staged_tb"], row["returned_tb"]) for row in rows]


def test_two_bursts_share_the_line_and_what_is_there_is_not_moved_again() -> None:
    """At 6 each has moved 3 of 4 TB. The last two take 2 s together, the outputs of 2 and 1 TB 3 and 2 s."""
    world = replay(
        rented(offer("cloud", 3), links=LINK),
        [reclaimed(6, 100)],
        job(0, 10, 1, input_tb=4.0, output_tb=2.0),
        job(0, 10, 1, input_tb=4.0, output_tb=1.0),
    )
    assert attempts(world) == [
        (0, "cloud", 0, None, 6, "reclaimed", 0, 0, 0),
        (0, "cloud", 6, 8, 21, "finished", 10, 0, 0),
        (1, "cloud", 0, 8, 20, "finished", 10, 0, 0),
    ]
    assert moved(world) == [(0, 3.0, 0.0), (0, 1.0, 2.0), (1, 4.0, 1.0)]


def test_a_data_set_that_is_all_there_costs_no_time_and_no_transfer() -> None:
    world = replay(
        rented(links=[LINK[0] | {"shared_by": "kind"}]),
        [],
        job(0, 10, 1, input_tb=5.0),
        job(20, 9, 1, input_tb=5.0),
    )
    assert [row[2:5] for row in attempts(world)] == [(0, 5, 15), (20, 20, 29)]
    assert moved(world) == [(0, 5.0, 0.0), (1, 0.0, 0.0)]


def test_data_comes_in_while_a_boot_fails() -> None:
    world = replay(
        rented(offer("cloud", boot_s=10), links=LINK),
        [outage(0, 5, "cloud", "failed_boot")],
        job(0, 10, 1, input_tb=30.0),
    )
    assert attempts(world) == [
        (0, "cloud", 0, None, 10, "failed", 0, 0, 0),
        (0, "cloud", 70, 90, 100, "finished", 10, 0, 0),
    ]
    assert moved(world) == [(0, 10.0, 0.0), (0, 20.0, 0.0)]


@pytest.mark.parametrize("at_s", [10, 11, 14])
def test_whose_output_is_not_home_has_not_finished(at_s: int) -> None:
    """The work is done at 10, the last of 5 TB home at 15; whoever is stopped in between begins anew."""
    world = replay(rented(links=LINK), [reclaimed(at_s, 100)], job(0, 10, 1, output_tb=5.0))
    assert attempts(world) == [
        (0, "cloud", 0, 0, at_s, "reclaimed", 0, 0, 10),
        (0, "cloud", at_s, at_s, at_s + 15, "finished", 10, 0, 0),
    ]
    assert moved(world)[0] == (0, 0.0, at_s - 10)


@pytest.mark.parametrize("before_s", [3, 14])
def test_whose_output_comes_home_as_it_is_stopped_has_finished(before_s: int) -> None:
    """Whether the line or the weather, of which something happened before, is heard first."""
    world = replay(
        rented(links=LINK),
        [outage(before_s, 16, "cloud", "refused"), reclaimed(15, 100)],
        job(0, 10, 1, output_tb=5.0),
    )
    assert attempts(world) == [(0, "cloud", 0, 0, 15, "finished", 10, 0, 0)]


def test_a_line_that_nobody_needs_any_more_delays_nothing() -> None:
    """At 20 the transfer of a job would have been through that was killed, and another job arrives."""
    world = replay(
        build.scenario(
            [pool(1)],
            [offer("cloud", 4)],
            policy=BURST | {"patience": "after:1"},
            links=LINK,
            retries={"limit": 0},
        ),
        [reclaimed(5, 6)],
        job(0, 50, 1),
        job(0, 100, 1, input_tb=19.0),
        job(20, 5, 1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 50, "finished", 50, 0, 0),
        (1, "cloud", 1, None, 5, "killed", 0, 0, 0),
        (2, "cloud", 21, 21, 26, "finished", 5, 0, 0),
    ]


# the horizon


def until(second: int) -> Row:
    return {"horizon_h": second / 3_600}


@pytest.mark.parametrize(
    ("end_s", "last"),
    [
        (5, (0, "cloud", 0, None, 5, "unfinished", 0, 0, 0)),  # booting
        (10, (0, "cloud", 0, None, 10, "unfinished", 0, 0, 0)),  # ready
        (30, (0, "cloud", 0, 10, 30, "unfinished", 20, 0, 0)),  # at work
        (42, (0, "cloud", 0, 10, 42, "unfinished", 30, 2, 0)),  # writing
        (60, (0, "cloud", 0, 10, 60, "reclaimed", 30, 5, 15)),  # taken away at this very second, but not yet
        (61, (0, "cloud", 60, None, 61, "unfinished", 0, 0, 0)),  # booting anew
        (75, (0, "cloud", 60, None, 75, "unfinished", 0, 0, 0)),  # restarting
        (80, (0, "cloud", 60, 77, 80, "unfinished", 3, 0, 0)),  # going on
    ],
)
def test_the_horizon_cuts_off_whatever_goes_on(end_s: int, last: Attempt) -> None:
    scenario = rented(
        offer("cloud", boot_s=10),
        checkpoints={"interval": "30s", "restart_s": 7, **FIVE_SECONDS},
        **until(end_s),
    )
    world = replay(scenario, [reclaimed(60, 100)], job(0, 100, 1))
    if end_s == 60:
        last = (*last[:5], "unfinished", 45, 5, 0)
    assert attempts(world)[-1] == last
    assert world.logged[0]["state"] == "unfinished"


def test_the_horizon_comes_during_a_rest() -> None:
    world = replay(owned(**until(70)), [broken(40, 50)], job(0, 100, 2))
    assert attempts(world) == [(0, "own", 0, 0, 40, "failed", 0, 0, 80)]
    assert (world.logged[0]["state"], world.logged[0]["reason"]) == ("unfinished", "waits to run again")
    assert world.level("queued_jobs", 69) == 0


def test_the_horizon_comes_while_a_victim_writes() -> None:
    world = replay(
        owned(pool(1), policy=URGENT, checkpoints={"interval": "1000s", **FIVE_SECONDS}, **until(23)),
        [],
        job(0, 100, 1),
        job(20, 10, 1, priority=1),
    )
    assert attempts(world) == [(0, "own", 0, 0, 23, "unfinished", 23, 0, 0)]


@pytest.mark.parametrize(
    ("end_s", "outcome", "tb"),
    [
        (3, "unfinished", (3.0, 0.0)),
        (10, "unfinished", (4.0, 0.0)),
        (14, "unfinished", (4.0, 0.0)),
        (16, "unfinished", (4.0, 2.0)),
        (19, "finished", (4.0, 5.0)),
    ],
)
def test_the_horizon_comes_while_data_moves(end_s: int, outcome: str, tb: tuple[float, float]) -> None:
    """In until 4, work until 14, out until 19."""
    world = replay(rented(links=LINK, **until(end_s)), [], job(0, 10, 1, input_tb=4.0, output_tb=5.0))
    (attempt,) = world.attempts
    assert (attempt["outcome"], attempt["end_s"]) == (outcome, end_s)
    assert (attempt["staged_tb"], attempt["returned_tb"]) == tb
