"""What queues had of their quotas: the log, figures to the second, laws of levels, and causes of waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.policy.quota_tree import QuotaNode, tree_of
from scheduler.run.directory import Run, open_run
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import worked_jobs
from scheduler.run.queue_figures import ends_alone, queue_fairness, queue_figures, share_error_over_time
from scheduler.run.queue_levels import QuotaLevels, max_min_over, quota_levels
from scheduler.scenario import Scenario
from tests.build import Row, job, offer, pool, rows, run, scenario, trace
from tests.test_why import told

POLICY = {"backfill": "none", "patience": "never"}


def queue(name: str, quota: int = 4, **more: Any) -> Row:
    return {"name": name, "parent": "top", "owners": [name], "quota": quota, **more}


def of_two(a: Row | None = None, b: Row | None = None, **more: Any) -> Scenario:
    two = [{"name": "top"}, queue("a", **(a or {})), queue("b", **(b or {}))]
    return scenario([pool(8)], queues=two, **{"policy": POLICY, **more})


def by(owner: str, *row: int, **more: Any) -> Row:
    return job(*row, owner=owner, **more)


def figures(of: Run) -> dict[str, dict[str, float]]:
    return queue_figures(of, worked_jobs(of, DeviceTime(of)), quota_levels(of))


RECLAIMED = [by("a", 0, 100, 4), by("a", 0, 100, 4), by("b", 10, 30, 4)]
"""At 10 b takes back what the second job of a has borrowed, until 40; that starts again and ends at 140."""


@pytest.fixture
def reclaimed(tmp_path: Path) -> Run:
    return run(of_two(b={"reclaim": "any"}), trace(*RECLAIMED), tmp_path / "run")


def test_each_request_is_logged_in_order_of_its_end(reclaimed: Run) -> None:
    log = reclaimed.table("admissions")
    assert log.column("resource").to_pylist() == ["all pools"] * 4
    names = ("job_id", "queue", "asked_s", "admitted_s", "until_s", "ending", "gave_way_to")
    assert list(zip(*(log.column(name).to_pylist() for name in names), strict=True)) == [
        (1, "a", 0, 0, 10, "reclaimed", 2),
        (2, "b", 10, 10, 40, "ended", None),
        (0, "a", 0, 0, 100, "ended", None),
        (1, "a", 10, 40, 140, "ended", None),
    ]


def test_use_loans_and_what_came_back_are_exact(reclaimed: Run) -> None:
    """Of 140 s, a uses 8 for 10 s, 4 for 30, 8 for 60 and 4 for 40; b uses 4 for 30, and lends 4 for 70."""
    found = figures(reclaimed)
    used = {name: found[name]["used_device_h"] * 3_600 for name in found}
    assert used == pytest.approx({"top": 960, "a": 840, "b": 120}, rel=1e-12)
    assert found["a"]["use"] == pytest.approx(840 / (4 * 140), rel=1e-12)
    loans = [(found[name]["borrowed_device_h"], found[name]["lent_device_h"]) for name in ("top", "a", "b")]
    assert [(round(3_600 * b, 6), round(3_600 * lent, 6)) for b, lent in loans] == [
        (0, 0),
        (280, 0),
        (0, 280),
    ]
    devices = ("reclaimed_devices", "gave_back_devices", "preempted_devices")
    assert [[found[name][key] for key in devices] for name in ("a", "b")] == [[0, 4, 0], [4, 0, 0]]
    assert found["a"]["quota_wait_mean_s"] == 15, "30 s, by two jobs"


def test_finish_time_fairness_is_beside_the_queue_alone(reclaimed: Run) -> None:
    """On 4 devices a's jobs end at 100 and 200, here at 100 and 140; b's end as they would: 30 s each."""
    found = figures(reclaimed)
    assert (found["a"]["rho_mean"], found["a"]["rho_max"]) == pytest.approx((0.85, 1.0))
    assert found["b"]["rho_mean"] == 1.0


def test_due_is_ones_own_first_then_the_rest(reclaimed: Run) -> None:
    """All is as due here: up to 10, a has all as nobody else asks; from 10 to 40 each has its own."""
    assert queue_fairness(quota_levels(reclaimed)) == {"jain_quota": 1.0, "quota_share_error": 0.0}


def test_a_loan_that_does_not_come_back_is_a_share_error_meanwhile(tmp_path: Path) -> None:
    """a has 8 until 100; b asks for 4 from 50 on, so that half of all use is due to it: 1/2 then.

    In all a uses 800 device-seconds and b 80, of which 200 were due to the other: 200/880.
    """
    of = run(of_two(), trace(by("a", 0, 100, 8), by("b", 50, 20, 4)), tmp_path / "run")
    error = share_error_over_time(quota_levels(of), np.array([0, 50, 100, 120]))
    assert error == pytest.approx([0, 0.5, 0])
    fair = queue_fairness(quota_levels(of))
    assert fair["quota_share_error"] == pytest.approx(200 / 880)
    had_due = np.array([800 / 600, 80 / 280])
    assert fair["jain_quota"] == pytest.approx(had_due.sum() ** 2 / (2 * (had_due**2).sum()))


def test_the_run_of_a_queue_alone_is_strict_and_first_come() -> None:
    """Of 4: 3 until 10; 2 waits until then, and 1 behind it though it would fit; it ends at 15."""
    ends = ends_alone(np.array([0, 1, 2]), np.array([10, 20, 5]), np.array([3, 2, 1]), 4)
    assert ends.tolist() == [10, 30, 15]


@st.composite
def trees(draw: st.DrawFn) -> QuotaLevels:
    """A tree of up to seven queues in which jobs took what was available, as levels of one instant."""
    count = draw(st.integers(1, 7))
    quotas = [draw(st.integers(0, 9)) for _ in range(count)]
    lends = [draw(st.one_of(st.just(np.inf), st.integers(0, quota))) for quota in quotas]
    nodes = [QuotaNode(str(at), (quota,), (lends[at],), (np.inf,)) for at, quota in enumerate(quotas)]
    tree_of(nodes, [draw(st.integers(0, at - 1)) if at else None for at in range(count)])
    leaves = [node for node in nodes if not node.children]
    for number, devices in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), max_size=20)):
        node = leaves[number % len(leaves)]
        if devices <= node.available(0):
            node.take(0, devices)
    used = np.array([[node.usage[0]] for node in nodes], float)
    return QuotaLevels("all pools", nodes, 0, np.array([0]), used, np.zeros(used.shape))


@settings(max_examples=200, deadline=None)
@given(trees())
def test_what_is_borrowed_somebody_lends(levels: QuotaLevels) -> None:
    """Below each parent the loans add up, nobody lends more than it may, and none does both."""
    nodes, borrowed, lent = levels.nodes, levels.borrowed[:, 0], levels.lent[:, 0]
    for row, node in enumerate(nodes):
        assert 0 <= lent[row] <= max(0, node.subtree[0] - max(node.usage[0], node.local[0])) + 1e-9
        assert not (borrowed[row] and lent[row])
        children = [nodes.index(child) for child in node.children]
        if children:
            from_here = borrowed[children].sum() + lent[row] - borrowed[row] - lent[children].sum()
            assert -1e-9 <= from_here <= node.quota[0] + 1e-9
    due = levels.due[levels.leaves, 0]
    used = levels.used[levels.leaves, 0]
    assert due == pytest.approx(used), "nobody asks for more, so that all is as due"


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 30),
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=6),
)
def test_max_min_gives_all_or_what_is_asked_and_nobody_more_while_others_want(
    total: int, groups: list[tuple[int, int]]
) -> None:
    share, most = (np.array(column, float) for column in zip(*groups, strict=True))
    due = max_min_over(np.array([float(total)]), share, most[:, np.newaxis])[:, 0]
    assert due.sum() == pytest.approx(min(total, most.sum()))
    assert (due <= most + 1e-9).all()
    for at in np.flatnonzero(due < most - 1e-9):
        assert (due[at] / share[at] >= due / share - 1e-9).all()


# Causes of waits


def test_who_waits_for_the_quota_of_its_queue(tmp_path: Path) -> None:
    """a's second job is not admitted while the first has all of it, though 4 devices are free."""
    of, jobs = of_two(a={"borrow_most": 0}), trace(by("a", 0, 100, 4), by("a", 1, 10, 4))
    assert told(of, jobs, tmp_path) == [(1, 1, 100, "quota", "a")]


def test_with_quota_a_job_waits_for_pods_and_without_for_quota(tmp_path: Path) -> None:
    """b is admitted at 1 and finds no pod until 21, then gives back, rests until 51, and asks until 61.

    c has taken the quota at 21, until 61. From then on b holds it again, until 81, and so on.
    """
    queues = [{"name": "top", "quota": 6}, queue("a", 0), queue("b", 0), queue("c", 0)]
    of = scenario(
        [pool(3, 2)],
        policy=POLICY | {"backfill": "greedy"},
        queues=queues,
        admission={"timeout_s": 20, "backoff_s": 30},
    )
    jobs = trace(by("a", 0, 100, 2), by("a", 0, 100, 2), by("b", 1, 10, 2), by("c", 2, 40, 1))
    assert told(of, jobs, tmp_path) == [
        (2, 1, 21, "fragmentation", "own"),
        (2, 21, 51, "back_off", "b"),
        (2, 51, 61, "quota", "b"),
        (2, 61, 81, "fragmentation", "own"),
        (2, 81, 111, "back_off", "b"),
        (3, 2, 21, "quota", "c"),
    ]


def test_out_of_patience_the_queue_still_comes_before_what_offers_lack(tmp_path: Path) -> None:
    """From 30 to 90 the offer is taken, too; the queue is named. Then it is free for who may not leave."""
    jobs = trace(
        by("a", 0, 100, 4),
        by("a", 10, 50, 4),
        by("a", 12, 10, 4),
        by("a", 14, 10, 4, residency="owned"),
    )
    of = scenario(
        [pool(8)],
        [offer("cloud", 4)],
        policy={"patience": "after:20", "backfill": "none"},
        queues=[{"name": "a", "owners": ["a"], "quota": 4}],
    )
    assert told(of, jobs, tmp_path) == [
        (1, 10, 30, "quota", "a"),
        (2, 12, 32, "quota", "a"),
        (2, 32, 80, "quota", "a"),
        (3, 14, 90, "quota", "a"),
        (3, 90, 100, "residency", "cloud"),
    ]


def test_who_gave_way_waits_for_quota_again(tmp_path: Path) -> None:
    of = of_two(b={"reclaim": "any"})
    assert told(of, trace(*RECLAIMED), tmp_path) == [(1, 10, 40, "quota", "a")]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.integers(1, 30), st.integers(1, 6)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["never", "any"]),
    st.sampled_from([None, 0, 2]),
)
def test_the_log_holds_in_random_worlds(
    tmp_path_factory: pytest.TempPathFactory,
    asks: list[tuple[str, int, int, int]],
    reclaim: str,
    borrow: int | None,
) -> None:
    """Each attempt on pods lies in a request that was admitted; queues keep to their bounds; waits add up."""
    jobs = trace(*(by(owner, *row) for owner, *row in sorted(asks, key=lambda ask: ask[1])))
    two = {"quota": 4, "reclaim": reclaim, "borrow_most": borrow}
    of, folder = of_two(a=two, b=two), tmp_path_factory.mktemp("world")
    waits = told(of, jobs, folder)
    world = open_run(folder / "run")
    held = [
        row
        for row in rows(world, "admissions", "job_id", "admitted_s", "until_s", "devices")
        if row[1] is not None
    ]
    for job_id, alloc_s, end_s, devices in rows(world, "attempts", "job_id", "alloc_s", "end_s", "devices"):
        inside = [row for row in held if row[0] == job_id and row[1] <= alloc_s and row[2] == end_s]
        assert [row[3] for row in inside] == [devices]
    for levels in quota_levels(world):
        assert (levels.used[0] <= 8).all()
        assert (levels.used[1:] <= 4 + (8 if borrow is None else borrow)).all()
    for job_id, wait_s, state in rows(world, "jobs", "job_id", "wait_s", "state"):
        first_s = min(
            (row[1] for row in rows(world, "attempts", "job_id", "alloc_s") if row[0] == job_id), default=0
        )
        waited = sum(to_s - from_s for at, from_s, to_s, *_ in waits if at == job_id and from_s < first_s)
        assert state == "rejected" or waited == wait_s
