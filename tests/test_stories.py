"""Stories of a few jobs, each schedule worked out by hand beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scheduler.catalog import load_catalog
from scheduler.policy.place import PLACES, Place
from scheduler.run.directory import Run
from tests.build import Row, job, offer, pool, rows, run, scenario, trace

Rows = list[tuple[Any, ...]]

STRICT, GREEDY, EASY = ({"backfill": name, "patience": "never"} for name in ("none", "greedy", "easy"))
AT_ONCE = {"patience": "at_once"}
HOUR = 3_600


def spans(of: Run) -> Rows:
    """(start_s, end_s) by job."""
    return rows(of, "jobs", "start_s", "end_s")


def places(of: Run) -> Rows:
    """(where, start_s, end_s) by job."""
    return rows(of, "jobs", "where", "start_s", "end_s")


def on_four(tmp_path: Path, policy: Row, *jobs: Row) -> Rows:
    """(start_s, end_s) by job on one pod of four devices."""
    return spans(run(scenario([pool(4)], policy=policy), trace(*jobs), tmp_path))


# Who may pass a blocked head

# Three of four devices until 10, so that the head, which wants all four, waits.
RUNNING, HEAD = job(0, 10, 3), job(0, 5, 4)


def test_strict_order_lets_nobody_pass(tmp_path: Path) -> None:
    # One device idles from 1 to 10, though the third job would fit it for a second.
    assert on_four(tmp_path, STRICT, RUNNING, HEAD, job(1, 1, 1)) == [(0, 10), (10, 15), (15, 16)]


def test_greedy_lets_pass_whoever_fits(tmp_path: Path) -> None:
    # The third job holds the head up until 21.
    assert on_four(tmp_path, GREEDY, RUNNING, HEAD, job(1, 20, 1)) == [(0, 10), (21, 26), (1, 21)]


def test_easy_refuses_who_would_delay_the_head(tmp_path: Path) -> None:
    # Shadow time 10, nothing to spare: a second too long is too long.
    assert on_four(tmp_path, EASY, RUNNING, HEAD, job(1, 10, 1)) == [(0, 10), (10, 15), (15, 25)]


def test_easy_backfills_who_ends_by_the_shadow_time(tmp_path: Path) -> None:
    assert on_four(tmp_path, EASY, RUNNING, HEAD, job(1, 9, 1)) == [(0, 10), (10, 15), (1, 10)]


def test_easy_backfills_on_devices_that_the_head_leaves(tmp_path: Path) -> None:
    # The head wants three, so one of four is to spare at 10; the third job takes it, and none is left for
    # the fourth, which would fit as well.
    jobs = [job(0, 10, 2), job(0, 5, 3), job(1, 20, 1), job(1, 20, 1)]
    assert on_four(tmp_path, EASY, *jobs) == [(0, 10), (10, 15), (1, 21), (15, 35)]


def test_easy_goes_by_estimates(tmp_path: Path) -> None:
    # Asked for 20, so refused, though it would be done in 5.
    assert on_four(tmp_path, EASY, RUNNING, HEAD, job(1, 5, 1, estimate_s=20)) == [
        (0, 10),
        (10, 15),
        (15, 20),
    ]


def test_an_early_end_moves_the_reservation(tmp_path: Path) -> None:
    # Asked for until 10, over at 4: the head's turn is now at 6. Of those that come at 5, the one that
    # ends at 8 would have passed before and is refused; the one that ends at 6 passes.
    jobs = [job(0, 4, 2, estimate_s=10), job(0, 6, 1), job(0, 5, 4), job(5, 3, 1), job(5, 1, 1)]
    assert on_four(tmp_path, EASY, *jobs) == [(0, 4), (0, 6), (6, 11), (11, 14), (5, 6)]


@pytest.mark.parametrize(("run_s", "expected"), [(1, (5, 6)), (2, (15, 17))])
def test_a_late_end_gives_way_from_second_to_second(
    tmp_path: Path, run_s: int, expected: tuple[int, int]
) -> None:
    # Asked for until 3, over at 10: at 5 the head may start at 6, so that only a second is left to pass in.
    jobs = [job(0, 10, 3, estimate_s=3), HEAD, job(5, run_s, 1)]
    assert on_four(tmp_path, EASY, *jobs) == [(0, 10), (10, 15), expected]


@pytest.mark.parametrize("backfill", ["easy", "conservative"])
@pytest.mark.parametrize(("run_s", "expected"), [(1, (10, 11)), (2, (25, 27))])
def test_at_the_shadow_time_all_is_looked_at_anew(
    tmp_path: Path, backfill: str, run_s: int, expected: tuple[int, int]
) -> None:
    # The first was to end at 10, the shadow time, and ends at 20. The third, which comes then, may have the
    # second until 11; a job at 5 has asked for the reservation, and is refused.
    jobs = [job(0, 20, 3, estimate_s=10), HEAD, job(10, run_s, 1), job(5, 100, 1)]
    jobs.sort(key=lambda row: int(row["submit_s"]))
    found = on_four(tmp_path, {"backfill": backfill, "patience": "never"}, *jobs)
    assert (found[1], found[3]) == ((20, 25), expected)


def test_reservations_count_the_gangs_that_are_past_their_estimates(tmp_path: Path) -> None:
    # Five devices, two gangs of two that outlive their estimates, 8 and 9, and a head that wants three: at 8
    # it would leave none, so the fourth, which fits, is refused. When the fifth comes at 10 both gangs could
    # end at once, which would leave two: now the fourth may start.
    jobs = [
        job(0, 30, 2, estimate_s=8),
        job(0, 30, 2, estimate_s=9),
        job(1, 1, 3),
        job(2, 50, 1),
        job(10, 1, 5),
    ]
    of = run(scenario([pool(5)], policy=EASY), trace(*jobs), tmp_path)
    assert spans(of) == [(0, 30), (0, 30), (30, 31), (10, 60), (60, 61)]


@pytest.mark.parametrize(
    ("backfill", "expected"),
    [
        ("easy", [(0, 10), (10, 20), (26, 36), (1, 26)]),
        ("conservative:1", [(0, 10), (10, 20), (26, 36), (1, 26)]),
        ("conservative:2", [(0, 10), (10, 20), (20, 30), (30, 55)]),
    ],
)
def test_conservative_protects_those_behind_the_head_too(
    tmp_path: Path, backfill: str, expected: Rows
) -> None:
    # The second wants two devices, at 10, and leaves two; the third wants four, at 20. The fourth leaves the
    # second alone but would keep the third until 26.
    jobs = [job(0, 10, 3), job(0, 10, 2), job(0, 10, 4), job(1, 25, 1)]
    assert on_four(tmp_path, {"backfill": backfill, "patience": "never"}, *jobs) == expected


def test_conservative_goes_on_to_others_where_the_place_refuses_one_with_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One device is free until 10. The place gives the third job nothing before all four are.
    def choosy() -> Place:
        return lambda job, devices, free: -1 if free[0] < (4 if job.job_id == 2 else devices) else 0

    monkeypatch.setitem(PLACES, "choosy", choosy)
    policy = {"backfill": "conservative", "place": "choosy", "patience": "never"}
    jobs = [RUNNING, HEAD, job(1, 5, 1), job(1, 5, 1)]
    assert on_four(tmp_path, policy, *jobs) == [(0, 10), (10, 15), (15, 20), (1, 6)]


# Instants


def test_a_job_starts_at_the_second_in_which_another_ends(tmp_path: Path) -> None:
    assert on_four(tmp_path, STRICT, job(0, 10, 4), job(10, 5, 4)) == [(0, 10), (10, 15)]


def test_all_that_happens_at_an_instant_comes_before_anybody_starts(tmp_path: Path) -> None:
    # At 10 the first ends and the third, which is shorter than the second, arrives.
    jobs = [job(0, 10, 4), job(1, 8, 4), job(10, 2, 4)]
    assert on_four(tmp_path, STRICT | {"order": "sjf"}, *jobs) == [(0, 10), (12, 20), (10, 12)]


def test_ties_go_to_the_lower_job_id(tmp_path: Path) -> None:
    jobs = [job(0, 5, 4, job_id=7), job(0, 5, 4, job_id=3)]
    of = run(scenario([pool(4)], policy=STRICT), trace(*jobs), tmp_path)
    assert rows(of, "jobs", "job_id", "start_s") == [(3, 0), (7, 5)]


def test_a_dependent_is_ready_when_what_it_comes_after_is_done(tmp_path: Path) -> None:
    # Ready at 10, and then, submitted as early, before the third by its number.
    jobs = [job(0, 10, 3), job(0, 5, 3, after=0), job(0, 5, 2)]
    of = run(scenario([pool(4)], policy=STRICT), trace(*jobs), tmp_path)
    assert rows(of, "jobs", "ready_s", "wait_s", "start_s", "end_s") == [
        (0, 0, 0, 10),
        (10, 0, 10, 15),
        (0, 15, 15, 20),
    ]


# Renting


def test_whichever_comes_first_takes_a_job_out_of_patience(tmp_path: Path) -> None:
    # Patience is four hours, the default. At 4 h the second rents. The third could at 5 h, but at that very
    # second the pod is free, and owned devices come first.
    jobs = [job(0, 5 * HOUR, 4), job(0, HOUR, 4), job(HOUR, HOUR, 4)]
    of = run(scenario([pool(4)], [offer("rent")]), trace(*jobs), tmp_path)
    assert places(of) == [
        ("own", 0, 5 * HOUR),
        ("rent", 4 * HOUR, 5 * HOUR),
        ("own", 5 * HOUR, 6 * HOUR),
    ]


def test_at_once_rents_whatever_cannot_start(tmp_path: Path) -> None:
    jobs = [job(0, 10, 3), job(0, 10, 2), job(0, 10, 1)]
    of = run(scenario([pool(4)], [offer("rent")], policy=AT_ONCE), trace(*jobs), tmp_path)
    assert places(of) == [("own", 0, 10), ("rent", 0, 10), ("own", 0, 10)]


def test_a_burst_waits_for_quota(tmp_path: Path) -> None:
    # Two may be rented. The third, out of patience too, waits for them until 10; the pod is busy until 20.
    jobs = [job(0, 20, 4), job(0, 10, 2), job(0, 5, 2)]
    of = run(scenario([pool(4)], [offer("rent", quota=2)], policy=AT_ONCE), trace(*jobs), tmp_path)
    assert places(of) == [("own", 0, 20), ("rent", 0, 10), ("rent", 10, 15)]


def test_devices_are_held_while_they_boot_and_input_is_staged(tmp_path: Path) -> None:
    # 100 s to boot; 300 TB at 1 s a TB beside it take 300 s. The quota is free again at 350, so the third,
    # two devices of two, is held from then on.
    jobs = [job(0, 1_000, 4), job(0, 50, 2, input_tb=300.0), job(0, 50, 2)]
    rent = offer("rent", quota=2, boot_s=100)
    of = run(scenario([pool(4)], [rent], policy=AT_ONCE), trace(*jobs), tmp_path)
    assert rows(of, "attempts", "where", "alloc_s", "start_s", "end_s") == [
        ("own", 0, 0, 1_000),
        ("rent", 0, 300, 350),
        ("rent", 350, 450, 500),
    ]
    assert rows(of, "jobs", "wait_s") == [(0,), (300,), (450,)]


def test_whole_nodes_are_rented(tmp_path: Path) -> None:
    # However many devices of a node are of no use: work takes as long as on the reference devices.
    over = trace(*(job(0, 8_000, gang) for gang in (1, 8, 9)), reference_device="unit")
    of = run(scenario([], [offer("rent", key="nodes")]), over, tmp_path)
    assert rows(of, "attempts", "devices", "used", "start_s", "end_s") == [
        (8, 1, 0, 8_000),
        (8, 8, 0, 8_000),
        (16, 9, 0, 8_000),
    ]
    # The bill is for 32 devices at 0.001 USD a second each.
    assert rows(of, "jobs", "spend_usd") == [(64.0,), (64.0,), (128.0,)]
    assert sum(row["usd"] for row in of.table("spend").to_pylist()) == pytest.approx(256.0)


def test_a_gang_holds_the_smallest_size_that_fits_at_its_price(tmp_path: Path) -> None:
    # Sizes of 1, at 7.2 USD an hour, of 2 and of 8, at 3.6. Twelve devices are two of the largest.
    over = trace(*(job(0, 100, gang) for gang in (1, 2, 3, 8, 12)))
    of = run(scenario([], [offer("rent", key="sizes")]), over, tmp_path)
    held = [(1, 1), (2, 2), (8, 3), (8, 8), (16, 12)]
    assert rows(of, "attempts", "devices", "used") == held
    assert rows(of, "attempts", "end_s") == [(100,)] * 5
    assert [round(usd, 9) for (usd,) in rows(of, "jobs", "spend_usd")] == [0.2, 0.2, 0.8, 0.8, 1.6]


def test_faster_devices_are_fewer_of_a_size(tmp_path: Path) -> None:
    # Of double speed 5 do the work of 10, and hold 8; 3 do that of 5 in 5 / 6 of the time.
    over = trace(job(0, 600, 10), job(0, 600, 5), reference_device="unit")
    of = run(scenario([], [offer("rent", key="double", sizes=[1, 4, 8])]), over, tmp_path)
    assert rows(of, "attempts", "devices", "used", "end_s") == [(8, 5, 600), (4, 3, 500)]


def test_nodes_that_are_kept_count_to_the_quota(tmp_path: Path) -> None:
    # The second gang waits for what the first has left until it is kept no longer; the run ends with it.
    of = run(
        scenario([], [offer("rent", 2, release_s=45)], policy={"patience": "at_once"}),
        trace(job(0, 100, 2), job(10, 100, 1), job(20, 5, 1)),
        tmp_path,
    )
    assert rows(of, "attempts", "start_s", "end_s") == [(0, 100), (145, 245), (145, 150)]
    assert of.end_s == 245


def test_offers_that_cost_the_same_go_to_the_first(tmp_path: Path) -> None:
    # 2 USD x 8 devices x 3 s, and 2 USD x 6 devices x 4 s of which one is a boot: equal, if not as floats.
    first = offer("first", key="nodes", usd_per_device_h=2.0)
    second = offer("second", sizes=[6], boot_s=1, usd_per_device_h=2.0)
    for at, offers in enumerate(([first, second], [second, first])):
        of = run(scenario([], offers), trace(job(0, 3, 5)), tmp_path / str(at))
        assert rows(of, "attempts", "where") == [(offers[0]["name"],)]


@pytest.mark.parametrize(("policy", "where", "start_s"), [("cheapest", "slow", 60), ("fastest", "quick", 0)])
def test_cheapest_and_fastest_choose_different_offers(
    tmp_path: Path, policy: str, where: str, start_s: int
) -> None:
    # Slow: 4 devices for 160 s at 3.6 USD an hour, 0.64 USD. Quick: 2 of double speed, at once, for 100 s at
    # 18 USD an hour, 1.00 USD.
    offers = [offer("quick", key="double", usd_per_device_h=18.0), offer("slow", boot_s=60)]
    of = run(
        scenario([], offers, policy={"offer": policy}),
        trace(job(0, 100, 4), reference_device="unit"),
        tmp_path,
    )
    assert places(of) == [(where, start_s, start_s + 100)]


@pytest.mark.parametrize("patience", ["after:4h", "never"])
def test_a_gang_larger_than_every_pool_rents_at_once(tmp_path: Path, patience: str) -> None:
    owned = scenario([pool(4)], [offer("rent")], policy={"patience": patience})
    assert places(run(owned, trace(job(5, 10, 6)), tmp_path)) == [("rent", 5, 15)]


def test_data_that_may_not_leave_stays(tmp_path: Path) -> None:
    # The second would rent at once; the third is too large for the pod and has nowhere to go.
    jobs = [job(0, 10, 4), job(0, 5, 4, residency="owned"), job(0, 5, 6, residency="owned")]
    of = run(scenario([pool(4)], [offer("rent")], policy=AT_ONCE), trace(*jobs), tmp_path)
    assert places(of) == [("own", 0, 10), ("own", 10, 15), (None, None, None)]
    assert rows(of, "jobs", "state") == [("finished",), ("finished",), ("rejected",)]


# Jobs that do not run


def test_what_fits_nowhere_is_rejected_with_all_that_comes_after_it(tmp_path: Path) -> None:
    # Five of four devices; a quota of four does not help. The last comes after one of those that come after.
    jobs = [job(0, 5, 5), job(1, 5, 1, after=0), job(2, 5, 1), job(3, 5, 1, after=1)]
    of = run(scenario([pool(4)], [offer("rent", quota=4)]), trace(*jobs), tmp_path)
    assert rows(of, "jobs", "state", "reason", "attempts") == [
        ("rejected", "no pool or offer that it may use is large enough", 0),
        ("rejected", "a job it depends on will never finish", 0),
        ("finished", None, 1),
        ("rejected", "a job it depends on will never finish", 0),
    ]
    assert of.description["jobs"] == {"finished": 1, "rejected": 3, "unfinished": 0, "killed": 0}


def test_without_a_horizon_a_run_ends_with_its_last_job(tmp_path: Path) -> None:
    # Patience of an hour would ring at 3,600, when nobody is left.
    of = run(
        scenario([pool(4)], [offer("cloud")], policy={"patience": "after:1h"}),
        trace(job(0, 100, 4), job(0, 50, 4), job(10, 3, 1, after=1)),
        tmp_path,
    )
    assert of.end_s == 153
    assert rows(of, "jobs", "state", "end_s") == [("finished", 100), ("finished", 150), ("finished", 153)]


def test_the_horizon_cuts_off_what_is_left(tmp_path: Path) -> None:
    # The first ends in the very second of the horizon, 100, and has finished.
    jobs = [job(0, 100, 2), job(0, 101, 2), job(50, 10, 4), job(60, 10, 1, after=1), job(150, 10, 4)]
    of = run(scenario([pool(4)], horizon_h=100 / HOUR), trace(*jobs), tmp_path)
    assert of.end_s == 100
    assert rows(of, "jobs", "state", "reason", "start_s", "end_s") == [
        ("finished", None, 0, 100),
        ("unfinished", "still running", 0, None),
        ("unfinished", "still waiting", None, None),
        ("unfinished", "waits for another job", None, None),
        ("unfinished", "not yet submitted", None, None),
    ]
    assert rows(of, "attempts", "outcome", "end_s") == [("finished", 100), ("unfinished", 100)]


# Pods


def test_a_spanning_gang_takes_whole_pods_and_the_rest_of_one_more(tmp_path: Path) -> None:
    # Three pods of four, one device in use. Six devices at half speed: all of the second pod, and by best fit
    # two of the first, which leaves one there, so that the last goes to the third.
    jobs = [job(0, 100, 1), job(0, 10, 6), job(0, 10, 2)]
    owned = scenario([pool(4, 3, span_efficiency=0.5)], policy=STRICT)
    of = run(owned, trace(*jobs), tmp_path)
    assert rows(of, "attempts", "pods", "start_s", "end_s") == [([0], 0, 100), ([1, 0], 0, 20), ([2], 0, 10)]


def test_the_reservation_is_on_the_first_pod_of_the_earliest(tmp_path: Path) -> None:
    # The third would fit either pod at 10 and gets the first; the fourth may hold the other for longer.
    jobs = [job(0, 10, 3), job(0, 10, 3), job(0, 5, 4), job(1, 20, 1)]
    of = run(scenario([pool(4, 2)], policy=EASY), trace(*jobs), tmp_path)
    assert rows(of, "attempts", "pods", "start_s", "end_s") == [
        ([0], 0, 10),
        ([1], 0, 10),
        ([0], 10, 15),
        ([1], 1, 21),
    ]


@pytest.mark.parametrize("backfill", ["none", "easy", "conservative"])
def test_a_free_pod_is_reserved_before_one_that_is_overdue(tmp_path: Path, backfill: str) -> None:
    # At 6 two gangs of one device have outlived their estimates. The third wants two devices: the free one,
    # and one that may be free at 7. The last may not have the free one for longer than that.
    jobs = [job(0, 10, 1, estimate_s=5), job(0, 1_000, 1, estimate_s=5), job(6, 50, 2), job(6, 500, 1)]
    owned = scenario([pool(1, 3, span_efficiency=1)], policy={"backfill": backfill, "patience": "never"})
    assert spans(run(owned, trace(*jobs), tmp_path)) == [(0, 10), (0, 1_000), (10, 60), (60, 560)]


@pytest.mark.parametrize("backfill", ["none", "easy", "conservative"])
def test_the_rest_of_a_gang_is_reserved_where_it_is_free(tmp_path: Path, backfill: str) -> None:
    # Three pods of two. The first two are overdue at 6, the last has a device free. The fourth wants a pod,
    # which may be free at 7, and one device more: if that were reserved on the first pod, the last job would
    # take the free one, and the fourth wait until 506.
    jobs = [
        *(job(0, 1_000, 2, estimate_s=5), job(0, 10, 2, estimate_s=5), job(0, 1_000, 1)),
        *(job(6, 50, 3), job(6, 500, 1)),
    ]
    owned = scenario([pool(2, 3, span_efficiency=1)], policy={"backfill": backfill, "patience": "never"})
    assert spans(run(owned, trace(*jobs), tmp_path))[3:] == [(10, 60), (60, 560)]


def test_a_pod_that_was_to_be_empty_by_now_may_be_as_late_as_the_last(tmp_path: Path) -> None:
    # Three pods of two; the head wants two whole ones. The last pod is to be empty at 3, the first two at 10,
    # so that at 5 it will be on the last and the first. At 9, when somebody comes, the last is overdue, and
    # expected at 10 like the others: the head will be on the first two, and a device of the last is free.
    jobs = [
        *(job(0, 10, 2), job(0, 10, 2), job(0, 40, 1, estimate_s=3)),
        *(job(4, 5, 4), job(5, 50, 1), job(9, 1, 1)),
    ]
    owned = scenario([pool(2, 3, span_efficiency=1)], policy=EASY)
    assert spans(run(owned, trace(*jobs), tmp_path))[3:] == [(10, 15), (9, 59), (15, 16)]


@pytest.mark.parametrize(("place", "pod"), [("best_fit", 1), ("worst_fit", 2), ("first_fit", 0)])
def test_places_choose_different_pods(tmp_path: Path, place: str, pod: int) -> None:
    # Whatever the policy, the first takes two devices of the first pod and the second, which does not fit
    # there, three of another: 2, 1 and 4 are free.
    jobs = [job(0, 10, 2), job(0, 10, 3), job(0, 10, 1)]
    of = run(scenario([pool(4, 3)], policy=STRICT | {"place": place}), trace(*jobs), tmp_path)
    assert rows(of, "attempts", "pods") == [([0],), ([1],), ([pod],)]


# Other devices


def test_on_another_device_a_job_keeps_its_throughput(tmp_path: Path) -> None:
    # Twice as fast: 5 devices are 2.5, so 3, which do 5 x 10 device-seconds in 50 / (3 x 2) = 8.3 s; 4 are 2.
    owned = scenario([pool(8, device="double")], policy=STRICT)
    of = run(owned, trace(job(0, 10, 5), job(0, 10, 4), reference_device="unit"), tmp_path)
    assert rows(of, "attempts", "devices", "start_s", "end_s") == [(3, 0, 9), (2, 0, 10)]


def test_h100_jobs_on_b200(tmp_path: Path) -> None:
    # 2.25 over 0.989 PFLOPS at equal MFU: r = 2.27503. Eight devices are 3.52, so 4, which take
    # 8 x 3,600 / (4 x 2.27503) = 3,164.8 s.
    owned = scenario([pool(8, device="b200")], policy=STRICT)
    of = run(owned, trace(job(0, 3_600, 8), reference_device="h100"), tmp_path, load_catalog())
    assert rows(of, "attempts", "devices", "end_s") == [(4, 3_165)]


# Bounds


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ("none", [("own", 0, 10), ("own", 10, 20), ("rent", 0, 10)]),
        ("owned_only", [("own", 0, 10), ("own", 10, 20), ("own", 20, 30)]),
        ("rented_only", [("rent", 0, 10), ("rent", 0, 10), ("rent", 0, 10)]),
        ("unlimited_owned", [("own", 0, 10), ("own", 0, 10), ("own", 0, 10)]),
    ],
)
def test_bounds(tmp_path: Path, bound: str, expected: Rows) -> None:
    # One pod of four and a quota of two, under which the second can only wait.
    bounded = scenario([pool(4)], [offer("rent", quota=2)], policy=AT_ONCE, bound=bound)
    of = run(bounded, trace(job(0, 10, 4), job(0, 10, 4), job(0, 10, 2)), tmp_path)
    assert places(of) == expected
    assert of.pools == {"unlimited_owned": {"own": 12}, "rented_only": {}}.get(bound, {"own": 4})


# Logs


def test_states_are_a_step_function(tmp_path: Path) -> None:
    # The second waits from 2 until its patience ends at 5, and rents until 11.
    owned = scenario([pool(4)], [offer("rent")], policy={"patience": "after:3"})
    of = run(owned, trace(job(0, 10, 4), job(2, 6, 2)), tmp_path)
    columns = ["time_s", "busy_own", "rented_rent", "down_own", "queued_jobs", "queued_devices"]
    assert of.table("states").column_names == columns
    assert rows(of, "states", *columns) == [
        (0, 4, 0, 0, 0, 0),
        (2, 4, 0, 0, 1, 2),
        (5, 4, 2, 0, 0, 0),
        (10, 0, 2, 0, 0, 0),
        (11, 0, 0, 0, 0, 0),
    ]


def test_a_job_waits_for_the_last_of_several_and_its_lag(tmp_path: Path) -> None:
    """Ten devices. The last of 0 and 1 ends at 30: 2 is ready at 37, 3 as it is submitted, 4 at 50 + 7."""
    jobs = [
        job(0, 10, 1),
        job(0, 30, 1),
        job(0, 5, 1, after=[0, 1], after_lag_s=7),
        job(45, 5, 1, after=[0, 1], after_lag_s=7),
        job(45, 5, 1, after=[3, 2, 0], after_lag_s=7),
    ]
    done = run(scenario([pool(10)]), trace(*jobs), tmp_path)
    assert rows(done, "jobs", "ready_s", "start_s", "end_s")[2:] == [(37, 37, 42), (45, 45, 50), (57, 57, 62)]
    assert done.end_s == 62


def test_a_lag_that_is_over_as_another_job_arrives_makes_one_pass(tmp_path: Path) -> None:
    """One device, the shortest first: at 15 come 1, by its lag, and 2; and 2 goes first."""
    jobs = [job(0, 10, 1), job(0, 9, 1, after=0, after_lag_s=5), job(15, 3, 1)]
    done = run(scenario([pool(1)], policy={"order": "sjf"}), trace(*jobs), tmp_path)
    assert rows(done, "jobs", "ready_s", "start_s") == [(0, 0), (15, 18), (15, 15)]


def test_one_predecessor_that_never_finishes_is_enough(tmp_path: Path) -> None:
    """2 waits for 0, which finishes, and 1, which fits nowhere; 3 for 2 and 0. Neither is told twice."""
    jobs = [job(0, 10, 1), job(5, 5, 9), job(1, 5, 1, after=[0, 1]), job(2, 5, 1, after=[2, 0])]
    ordered = [
        jobs[0] | {"job_id": 0},
        jobs[2] | {"job_id": 2},
        jobs[3] | {"job_id": 3},
        jobs[1] | {"job_id": 1},
    ]
    done = run(scenario([pool(1)]), trace(*ordered), tmp_path)
    orphan = ("rejected", "a job it depends on will never finish")
    assert rows(done, "jobs", "state", "reason") == [
        ("finished", None),
        ("rejected", "no pool or offer that it may use is large enough"),
        orphan,
        orphan,
    ]


def test_the_horizon_cuts_off_a_lag(tmp_path: Path) -> None:
    jobs = [job(0, 10, 1), job(0, 5, 1, after=0, after_lag_s=20)]
    done = run(scenario([pool(1)], horizon_h=30 / 3_600), trace(*jobs), tmp_path)
    assert rows(done, "jobs", "state", "reason", "ready_s")[1] == ("unfinished", "waits for another job", 0)


def test_jobs_run_only_where_they_ask_to(tmp_path: Path) -> None:
    """Room for all everywhere, owned and rented, of two devices."""
    pools = [pool(4, name="slow"), pool(4, name="fast", device="double")]
    offers = [offer("cloud"), offer("quick", key="double")]
    asks: list[dict[str, str | None]] = [
        {"requires": "device:double"},
        {"requires": "pool:slow"},
        {"requires": "pool:quick", "excludes": None},
        {"requires": "device:double", "excludes": "pool:fast"},
        {"excludes": "device:unit,pool:fast"},
        {"requires": "pool:cloud,pool:slow"},
        {"excludes": "pool:cloud,pool:fast,pool:quick"},
    ]
    jobs = [job(100 * at, 10, 2, **places) for at, places in enumerate(asks)]
    spec = scenario(pools, offers, policy={"patience": "at_once"})
    done = run(spec, trace(*jobs), tmp_path)
    assert [where for (where,) in rows(done, "jobs", "where")] == [
        *("fast", "slow", "quick", "quick", "quick", "slow", "slow")
    ]


def test_a_job_that_may_run_nowhere_says_what_it_requires(tmp_path: Path) -> None:
    jobs = [
        job(0, 10, 2, requires="device:a100"),
        job(0, 10, 9, requires="device:a100"),
        job(0, 10, 4, requires="pool:small"),
        job(0, 10, 2, excludes="device:unit"),
        job(0, 10, 2, requires="pool:cloud", excludes="pool:own", residency="owned"),
        job(0, 10, 2, after=0),
    ]
    spec = scenario([pool(8), pool(2, name="small")], [offer("cloud", 4)])
    done = run(spec, trace(*jobs), tmp_path)
    too_large = "pool or offer that it may use is large enough"
    assert [reason for (reason,) in rows(done, "jobs", "reason")] == [
        f"requires device:a100: no such {too_large}",
        f"no {too_large}",
        f"requires pool:small: no such {too_large}",
        f"excludes device:unit: no such {too_large}",
        f"requires pool:cloud, excludes pool:own: no such {too_large}",
        "a job it depends on will never finish",
    ]
