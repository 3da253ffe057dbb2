"""Who gives way to the head, when, and what is held for it: stories with every attempt worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.build import Row, job, offer, pool
from tests.storms import Weathered, outage
from tests.test_storm_stories import FIVE_SECONDS, attempts, broken, owned, reclaimed, rented, replay

BACKFILLS = pytest.mark.parametrize("backfill", ["none", "greedy", "easy", "conservative"])
SAVED = {"interval": "1h", **FIVE_SECONDS}


def urgent(*pools: Row, backfill: str = "none", policy: Row | None = None, **more: Any) -> Any:
    """`by_priority` on owned pods; highest priority first, without ageing, unless `policy` says otherwise."""
    rules = {"order": "priority:0", "preempt": "by_priority", "backfill": backfill} | (policy or {})
    return owned(*(pools or (pool(1),)), policy=rules, **more)


def spans(world: Weathered) -> list[tuple[int, int, int, str]]:
    """(job_id, alloc_s, end_s, outcome) of each attempt."""
    return [(row[0], row[2], row[4], row[5]) for row in attempts(world)]


# the order of a pass


@BACKFILLS
@pytest.mark.parametrize(
    "preemption", [{}, {"min_run_s": 600}, {"most_per_h": 1}, {"most_per_job": 1}, {"protected_share": 0.4}]
)
def test_nobody_passes_a_head_that_could_start_by_preemption(backfill: str, preemption: Row) -> None:
    """Behind the head is one that would fit beside the first job, at whose stop it has to be stopped, too."""
    world = replay(
        urgent(pool(4), backfill=backfill, preemption=preemption),
        [],
        job(0, 50_000, 2),
        job(1_000, 500, 4, priority=9),
        job(1_000, 3_000, 2),
    )
    assert spans(world) == [
        (0, 0, 1_000, "preempted"),
        (0, 1_500, 51_500, "finished"),
        (1, 1_000, 1_500, "finished"),
        (2, 1_500, 4_500, "finished"),
    ]


@BACKFILLS
@pytest.mark.parametrize("order", ["fcfs", "priority:0"])
def test_whoever_is_furthest_behind_gives_way_and_nobody_else(backfill: str, order: str) -> None:
    """The second job, which would lose less, stands before the first."""
    world = replay(
        urgent(pool(2), backfill=backfill, policy={"order": order}),
        [],
        job(0, 5_000, 1),
        job(990, 5_000, 1, priority=2),
        job(1_000, 50, 1, priority=3),
    )
    assert spans(world) == [
        (0, 0, 1_000, "preempted"),
        (0, 1_050, 6_050, "finished"),
        (1, 990, 5_990, "finished"),
        (2, 1_000, 1_050, "finished"),
    ]


def test_nobody_starts_before_a_victim_that_stands_ahead_of_it() -> None:
    """The second job takes the place of the first at 1; there is room for the third, but not in order."""
    world = replay(
        urgent(pool(5)),
        [],
        job(0, 100, 3, job_id=1),
        job(1, 10, 3, priority=5, job_id=2),
        job(1, 10, 1, job_id=3),
    )
    assert spans(world) == [
        (1, 0, 1, "preempted"),
        (1, 11, 111, "finished"),
        (2, 1, 11, "finished"),
        (3, 11, 21, "finished"),
    ]


@BACKFILLS
def test_where_one_may_give_way_it_is_one_that_is_large_enough(backfill: str) -> None:
    """The first two are further behind than the third, but two within the hour would be one too many."""
    world = replay(
        urgent(pool(4), backfill=backfill, preemption={"most_per_h": 1}),
        [],
        *(job(0, 100, 1) for _ in range(2)),
        job(0, 100, 2, priority=1),
        job(1, 10, 2, priority=2),
    )
    assert spans(world) == [
        (0, 0, 100, "finished"),
        (1, 0, 100, "finished"),
        (2, 0, 1, "preempted"),
        (2, 11, 111, "finished"),
        (3, 1, 11, "finished"),
    ]


@BACKFILLS
def test_a_victim_finds_another_place_before_those_behind_it(backfill: str) -> None:
    """At 1 the last but one takes the two devices of the first pod, and the job that was there the one of the
    second, which the last, submitted in that second, has to wait for."""
    world = replay(
        urgent(pool(4, 2), backfill=backfill, policy={"place": "worst_fit"}),
        [],
        *(job(0, 1_000, gang, priority=5) for gang in (2, 3)),
        job(0, 100, 1),
        job(1, 500, 2, priority=1),
        job(1, 2_000, 1),
    )
    assert spans(world) == [
        (0, 0, 1_000, "finished"),
        (1, 0, 1_000, "finished"),
        (2, 0, 1, "preempted"),
        (2, 1, 101, "finished"),
        (3, 1, 501, "finished"),
        (4, 101, 2_101, "finished"),
    ]


@BACKFILLS
def test_who_has_started_in_a_second_does_not_give_way_in_it(backfill: str) -> None:
    """First come, first served lets the second job start at 10; the third, more urgent, may ask at 11."""
    world = replay(
        urgent(backfill=backfill, policy={"order": "fcfs"}),
        [],
        job(0, 10, 1, priority=9),
        job(1, 20, 1),
        job(2, 5, 1, priority=1),
    )
    assert spans(world) == [
        (0, 0, 10, "finished"),
        (1, 10, 11, "preempted"),
        (1, 16, 36, "finished"),
        (2, 11, 16, "finished"),
    ]


# room is held


@BACKFILLS
@pytest.mark.parametrize("restart_s", [0, 10, 120, 1_000])
def test_a_device_that_the_head_counts_on_is_not_taken_while_a_victim_saves(
    backfill: str, restart_s: int
) -> None:
    """At 100 the head asks the first job, which has saved its work at 130; the third waits beside it."""
    world = replay(
        urgent(
            pool(2),
            backfill=backfill,
            checkpoints={"interval": "1h", "gb_per_device": 60.0, "restart_s": restart_s},
        ),
        [],
        job(0, 3_600, 1),
        job(100, 3_600, 2, priority=2),
        job(110, 3_600, 1, priority=1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 130, "preempted", 100, 30, 0),
        (0, "own", 3_730, 3_730 + restart_s, 7_230 + restart_s, "finished", 3_500, 0, 0),
        (1, "own", 100 + 30, 130, 3_730, "finished", 3_600, 0, 0),
        (2, "own", 3_730, 3_730, 7_330, "finished", 3_600, 0, 0),
    ]


@pytest.mark.parametrize("backfill", ["greedy", "easy", "conservative"])
@pytest.mark.parametrize(("estimate_s", "start_s"), [(3, 12), (4, 27)])
def test_others_may_use_what_is_held_until_then(backfill: str, estimate_s: int, start_s: int) -> None:
    """From 10 to 15 the first job saves its work; at 12 there is a device for three seconds."""
    world = replay(
        urgent(pool(2), backfill=backfill, checkpoints=SAVED),
        [],
        job(0, 100, 1),
        job(10, 12, 2, priority=2),
        job(12, 1, 1, priority=1, estimate_s=estimate_s),
    )
    assert spans(world)[2:] == [
        (1, 15, 27, "finished"),
        (2, start_s, start_s + 1, "finished"),
    ]


@pytest.mark.parametrize("backfill", ["greedy", "easy", "conservative"])
def test_what_the_head_leaves_over_is_for_others(backfill: str) -> None:
    """The victim frees three devices at 15 and the head takes two: the free one may be had for long."""
    world = replay(
        urgent(pool(4), backfill=backfill, checkpoints=SAVED),
        [],
        job(0, 100, 3),
        job(10, 12, 2, priority=2),
        job(12, 1_000, 1, priority=1),
    )
    assert spans(world)[2:] == [(1, 15, 27, "finished"), (2, 12, 1_012, "finished")]


@BACKFILLS
def test_who_outlives_its_estimate_on_a_held_device_lets_the_head_down_but_once(backfill: str) -> None:
    """The third job was to end at 15. As it does not, nobody stops then; both are asked, and stop at 20."""
    world = replay(
        urgent(pool(2), backfill=backfill, checkpoints=SAVED),
        [],
        job(0, 100, 1),
        job(10, 12, 2, priority=2),
        job(12, 50, 1, priority=1, estimate_s=1),
        job(16, 50, 1, priority=1, estimate_s=1),
    )
    late = 15 if backfill == "none" else 20
    assert (1, late, late + 12, "finished") in spans(world)
    assert spans(world)[0] == (0, 0, late, "preempted")


@BACKFILLS
def test_a_save_is_called_off_when_the_head_finds_room_elsewhere(backfill: str) -> None:
    """At 12 the second pod is free. The first job loses nothing, and ends as if nobody had asked."""
    world = replay(
        urgent(pool(1, 2), backfill=backfill, checkpoints=SAVED),
        [],
        job(0, 100, 1),
        job(0, 12, 1, priority=9),
        job(10, 50, 1, priority=2),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 100, "finished", 100, 0, 0),
        (1, "own", 0, 0, 12, "finished", 12, 0, 0),
        (2, "own", 12, 12, 62, "finished", 50, 0, 0),
    ]


@BACKFILLS
def test_a_save_is_called_off_when_the_head_bursts(backfill: str) -> None:
    world = replay(
        owned(
            pool(1),
            policy={"preempt": "by_priority", "backfill": backfill, "patience": "after:3"},
            offers=[offer("cloud")],
            checkpoints=SAVED,
        ),
        [broken(17, 20)],
        job(0, 100, 1, residency="owned"),
        job(10, 50, 1, priority=2),
    )
    assert attempts(world)[0] == (0, "own", 0, 0, 17, "failed", 0, 0, 17)
    assert attempts(world)[2] == (1, "cloud", 13, 13, 63, "finished", 50, 0, 0)


@BACKFILLS
def test_only_the_head_is_given_room(backfill: str) -> None:
    """At 12 comes one more urgent: what was begun for the other is called off, and begun anew."""
    world = replay(
        urgent(backfill=backfill, checkpoints=SAVED),
        [],
        job(0, 100, 1),
        job(10, 20, 1, priority=2),
        job(12, 20, 1, priority=3),
    )
    assert attempts(world)[0] == (0, "own", 0, 0, 17, "preempted", 12, 5, 0)
    assert [row[2] for row in attempts(world)[1:]] == [57, 37, 17]


@BACKFILLS
def test_at_the_end_of_a_save_only_those_stop_who_are_needed(backfill: str) -> None:
    """Two are asked at 10. At 12 another has ended, so that one of them is enough at 15: the older stays."""
    world = replay(
        urgent(pool(3), backfill=backfill, checkpoints=SAVED),
        [],
        job(0, 100, 1),
        job(1, 100, 1),
        job(2, 10, 1, priority=9),
        job(10, 20, 2, priority=2),
    )
    assert spans(world) == [
        (0, 0, 100, "finished"),
        (1, 1, 15, "preempted"),
        (1, 35, 126, "finished"),
        (2, 2, 12, "finished"),
        (3, 15, 35, "finished"),
    ]


# gangs across pods


@BACKFILLS
def test_a_gang_across_pods_finds_room_where_nothing_is_lost(backfill: str) -> None:
    world = replay(
        urgent(pool(3, 2, span_efficiency=1.0), backfill=backfill),
        [],
        job(0, 100, 2, checkpoint_s=4),
        job(1, 10, 5, priority=1, checkpoint_s=4),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 1, "preempted", 1, 0, 0),
        (0, "own", 11, 11, 110, "finished", 99, 0, 0),
        (1, "own", 1, 1, 11, "finished", 10, 0, 0),
    ]


@BACKFILLS
def test_a_gang_across_pods_stops_nobody_in_vain(backfill: str) -> None:
    """The gang of 7 has one pod and three devices of the next; the last pod has the gang of 1."""
    world = replay(
        urgent(pool(4, 3, span_efficiency=1.0), backfill=backfill, policy={"place": "worst_fit"}),
        [],
        job(0, 100, 7),
        job(0, 100, 1),
        job(2, 10, 7, priority=1),
    )
    assert spans(world) == [
        (0, 0, 2, "preempted"),
        (0, 12, 112, "finished"),
        (1, 0, 100, "finished"),
        (2, 2, 12, "finished"),
    ]


# who


def test_the_set_that_loses_least_gives_way_not_the_one_of_the_cheapest_jobs() -> None:
    """Two jobs of one device lose 12 device-seconds each, the one of two devices loses 20."""
    world = replay(
        urgent(pool(2, 2)),
        [],
        job(0, 100, 1),
        job(0, 100, 1),
        job(2, 100, 2),
        job(12, 10, 2, priority=1),
    )
    assert [row[0] for row in spans(world) if row[3] == "preempted"] == [2]


def test_of_equal_losses_whoever_started_last_gives_way_then_the_higher_job_id() -> None:
    def stopped(*starts: int) -> list[int]:
        jobs = [job(start, 100, 1, checkpoint_s=1) for start in starts]
        world = replay(urgent(pool(1, 3)), [], *jobs, job(30, 5, 1, priority=1))
        return [row[0] for row in spans(world) if row[3] == "preempted"]

    assert stopped(0, 0, 0) == [2]
    assert stopped(0, 5, 7) == [2]
    assert stopped(5, 5, 5) == [2]


def test_a_restart_is_a_loss_of_those_who_keep_something_alone() -> None:
    """Without checkpoints the second would lose 10 s; the first would have to restart for 20."""
    world = replay(
        urgent(pool(1, 2), checkpoints={"interval": "trace", "restart_s": 20}),
        [],
        job(0, 100, 1, checkpoint_s=1),
        job(0, 100, 1),
        job(10, 10, 1, priority=1),
    )
    assert [row[0] for row in spans(world) if row[3] == "preempted"] == [1]


@BACKFILLS
def test_two_jobs_do_not_stop_each_other_for_work_that_the_stop_destroys(backfill: str) -> None:
    """At 50 the first has 50 s to go but, stopped, would have 100 again: the other comes first for good."""
    world = replay(
        urgent(backfill=backfill, policy={"order": "srpt", "preempt": "by_order"}),
        [],
        job(0, 100, 1),
        job(50, 60, 1),
    )
    assert spans(world) == [
        (0, 0, 50, "preempted"),
        (0, 110, 210, "finished"),
        (1, 50, 110, "finished"),
    ]


# edges


@pytest.mark.parametrize(("at", "end"), [(59, 60), (60, 60), (61, 61)])
def test_the_edge_of_a_protection_window(at: int, end: int) -> None:
    """Safe for 60 s of work."""
    world = replay(urgent(preemption={"min_run_s": 60}), [], job(0, 100, 1), job(at, 10, 1, priority=1))
    assert spans(world)[0] == (0, 0, end, "preempted")


def test_a_failure_on_the_edge_of_a_protection_window_comes_first() -> None:
    world = replay(
        urgent(preemption={"min_run_s": 60}, retries={"backoff_s": 0}),
        [broken(60, 70)],
        job(0, 100, 1),
        job(30, 10, 1, priority=1),
    )
    assert spans(world) == [
        (0, 0, 60, "failed"),
        (0, 80, 180, "finished"),
        (1, 70, 80, "finished"),
    ]


@BACKFILLS
def test_whoever_ends_as_its_save_does_has_finished(backfill: str) -> None:
    world = replay(
        urgent(backfill=backfill, checkpoints=SAVED), [], job(0, 100, 1), job(95, 10, 1, priority=1)
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 100, "finished", 100, 0, 0),
        (1, "own", 100, 100, 110, "finished", 10, 0, 0),
    ]


@pytest.mark.parametrize(("at", "account"), [(24, (0, 4, 20)), (25, (20, 5, 0))])
def test_a_failure_cuts_a_save_short_but_in_its_last_second(at: int, account: tuple[int, int, int]) -> None:
    """Asked at 20, it writes until 25."""
    world = replay(
        urgent(checkpoints=SAVED, retries={"backoff_s": 0}),
        [broken(at, at + 10)],
        job(0, 100, 1),
        job(20, 10, 1, priority=1),
    )
    assert attempts(world)[0] == (0, "own", 0, 0, at, "failed", *account)


def test_a_failure_takes_work_since_the_last_checkpoint_from_whoever_saves_it() -> None:
    """A checkpoint from 10 to 15, work until 22, and 3 s of the save."""
    world = replay(
        urgent(checkpoints={"interval": "10s", **FIVE_SECONDS}, retries={"backoff_s": 0}),
        [broken(25, 40)],
        job(0, 100, 1),
        job(22, 10, 1, priority=1),
    )
    assert attempts(world)[0] == (0, "own", 0, 0, 25, "failed", 10, 8, 7)


def test_whoever_has_nothing_to_save_gives_way_at_once() -> None:
    """At 15 a checkpoint of all its work has just been finished; at 25 it restarts, which takes 20 s."""
    world = replay(
        urgent(checkpoints={"interval": "10s", "restart_s": 20, **FIVE_SECONDS}),
        [],
        job(0, 100, 1),
        job(15, 3, 1, priority=1),
        job(25, 10, 1, priority=1),
    )
    assert attempts(world) == [
        (0, "own", 0, 0, 15, "preempted", 10, 5, 0),
        (0, "own", 18, None, 25, "preempted", 0, 0, 0),
        (0, "own", 35, 55, 185, "finished", 90, 40, 0),
        (1, "own", 15, 15, 18, "finished", 3, 0, 0),
        (2, "own", 25, 25, 35, "finished", 10, 0, 0),
    ]


def test_a_boot_that_fails_in_the_second_of_a_reclaim_has_failed() -> None:
    scenario = rented(offer("spot", boot_s=10), retries={"backoff_s": 20})
    failing = outage(0, 5, "spot", "failed_boot")
    for others in ([failing, reclaimed(10, 15, where="spot")], [reclaimed(10, 15, 3, where="spot"), failing]):
        world = replay(scenario, others, job(0, 50, 1))
        assert [row[2:6] for row in attempts(world)] == [(0, None, 10, "failed"), (30, 40, 90, "finished")]
