"""Quotas: exact sums on random trees, two queues to the second, who gives way, and Kueue's baseline."""

from __future__ import annotations

from collections import Counter
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.published import kueue
from scheduler.cli import main
from scheduler.engine.quota.fair import FairShares
from scheduler.policy.quota_tree import QuotaNode, tree_of
from scheduler.run.directory import Run
from scheduler.scenario import ScenarioError, parse_scenario
from tests.build import Row, job, offer, pool, rows, run, scenario, trace

KUEUE = Path(__file__).parents[1].parent / "shared" / "data" / "kueue" / "baseline.csv.gz"
POLICY = {"backfill": "none", "patience": "never"}


# Sums on random trees


def node(quota: int, lend: float = inf, borrow: float = inf, weight: float = 1.0) -> QuotaNode:
    return QuotaNode("", (quota,), (lend,), (borrow,), weight)


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[QuotaNode], list[int | None]]:
    """Up to eight queues, each below one that comes before it, or a root."""
    count = draw(st.integers(1, 8))
    limit = st.one_of(st.just(inf), st.integers(0, 8))
    nodes, parents = [], []
    for at in range(count):
        quota = draw(st.integers(0, 8))
        nodes.append(node(quota, min(draw(limit), quota), draw(limit)))
        parents.append(draw(st.one_of(st.none(), st.integers(0, at - 1))) if at else None)
    return nodes, parents


@settings(max_examples=200, deadline=None)
@given(forests(), st.lists(st.tuples(st.integers(0, 7), st.integers(1, 8)), max_size=40))
def test_sums_are_exact_on_random_trees(
    forest: tuple[list[QuotaNode], list[int | None]], asks: list[tuple[int, int]]
) -> None:
    """Who has so much available takes it, and gives it back at the next ask; all sums hold at all times."""
    nodes, parents = forest
    roots = tree_of(nodes, parents)
    held: Counter[tuple[QuotaNode, int]] = Counter()
    for number, devices in asks:
        asker = nodes[number % len(nodes)]
        if devices <= asker.available(0):
            asker.take(0, devices)
            held[asker, devices] += 1
        elif held:
            giver, given_back = next(iter(held))
            giver.give(0, given_back)
            held[giver, given_back] -= 1
            held = +held
        for each in nodes:
            own = sum(devices * times for (who, devices), times in held.items() if who is each)
            above = sum(max(0, child.usage[0] - child.local[0]) for child in each.children)
            assert each.usage[0] == own + above
            assert each.subtree[0] == each.quota[0] + sum(c.subtree[0] - c.local[0] for c in each.children)
            assert each.local[0] == max(0, each.subtree[0] - each.lend_most[0])
            if each.parent is not None:
                assert each.usage[0] <= each.subtree[0] + each.borrow_most[0]
        assert all(root.usage[0] <= root.subtree[0] for root in roots)
        for root in roots:  # what all of a tree use is what all of it own, at most
            mine = [each for each in nodes if each.root is root]
            used = sum(devices * times for (who, devices), times in held.items() if who in mine)
            assert used <= sum(each.quota[0] for each in mine)
    for (giver, devices), times in held.items():
        for _ in range(times):
            giver.give(0, devices)
    assert all(each.usage == [0] for each in nodes)


def test_what_is_kept_for_oneself_others_do_not_get() -> None:
    """Of 10 a lends 4, so that 9 are to be had in common; b has 5 and may borrow 3: 8."""
    a, b, top = node(10, lend=4), node(5, borrow=3), node(0)
    tree_of([top, a, b], [None, 0, 0])
    assert (a.local, a.subtree, top.subtree) == ([6], [10], [9])
    assert (a.available(0), b.available(0)) == (15, 8)
    b.take(0, 8)
    assert (a.available(0), b.available(0), top.usage) == (7, 0, [8])
    a.take(0, 7)
    assert (a.available(0), top.usage) == (0, [9])
    a.give(0, 1)  # from the parent first
    assert (a.usage, top.usage, b.available(0)) == ([6], [8], 0)


def test_the_share_is_what_is_borrowed_of_what_could_be_lent_by_weight() -> None:
    """There are 20. a has 4 of its own and uses 10: 6/20; with a weight of 2 a half of it."""
    a, b, top = node(4), node(6), node(10)
    tree_of([top, a, b], [None, 0, 0])
    assert a.share() == 0
    a.take(0, 10)
    assert a.share() == 6 / 20
    a.weight = 2.0
    assert a.share() == 3 / 20
    a.weight = 0.0
    assert (a.share(), b.share(), top.share()) == (inf, 0, 0)


def test_a_share_by_half_life_halves_and_tends_to_what_is_held() -> None:
    """A queue without quota holds 8 of 20 for two half-lives, then nothing: its mean is 6 by then."""
    a, top = node(0), node(20)
    tree_of([top, a], [None, 0])

    class Clock:
        now = 1_000.0

    clock = Clock()
    share = FairShares({a: 3_600.0}, clock)
    share.holds(a, 0, 8)
    for held_s, mean in [(0, 0.0), (3_600, 4.0), (7_200, 6.0)]:
        clock.now = 1_000.0 + held_s
        assert share(a) == pytest.approx(mean / 20, rel=1e-12)
    share.holds(a, 0, -8)
    for later_h, mean in [(1, 3.0), (2, 1.5), (10, 6 / 1_024)]:
        clock.now = 8_200.0 + later_h * 3_600
        assert share(a) == pytest.approx(mean / 20, rel=1e-12)


# Two queues, to the second


class Loaded:
    """The rows of a run whose folder is gone."""

    def __init__(self, of: Run) -> None:
        self.starts = [start for (start,) in rows(of, "jobs", "start_s")]
        self.jobs = rows(of, "jobs", "start_s", "end_s", "state", "rented")
        self.why = [reason for (reason,) in rows(of, "jobs", "reason")]
        self.attempts = sorted(rows(of, "attempts", "alloc_s", "job_id", "end_s", "outcome"))


def queue(name: str, quota: int = 4, **more: Any) -> Row:
    return {"name": name, "parent": "top", "owners": [f"{name}*"], "quota": quota, **more}


def queued(queues: list[Row], *jobs: Row, devices: int = 8, **more: Any) -> Loaded:
    """Jobs of owners whose queue has their first letter, or other owners, all under one topmost queue."""
    policy = POLICY | more.pop("policy", {})
    of = scenario([pool(devices)], policy=policy, queues=[{"name": "top"}, *queues], **more)
    with TemporaryDirectory() as folder:
        return Loaded(run(of, trace(*jobs), Path(folder) / "run"))


def a(submit_s: int, run_s: int, gang: int, **more: Any) -> Row:
    return job(submit_s, run_s, gang, owner="a", **more)


def b(submit_s: int, run_s: int, gang: int, **more: Any) -> Row:
    return job(submit_s, run_s, gang, owner="b", **more)


TWO = [queue("a"), queue("b")]


def test_of_two_queues_the_other_gets_what_one_leaves_idle() -> None:
    assert queued(TWO, *(a(0, 100, 4) for _ in range(3))).starts == [0, 0, 100]


def test_without_reclaim_who_owns_waits_for_who_borrowed() -> None:
    assert queued(TWO, a(0, 100, 8), b(10, 10, 1)).starts == [0, 100]


def test_what_was_lent_comes_back_within_the_pass_of_the_reclaim() -> None:
    """b asks at 10; of the two of a that borrow together the one admitted last gives way, and loses all."""
    two = [queue("a"), queue("b", reclaim="any")]
    of = queued(two, a(0, 100, 4), a(0, 100, 4), b(10, 30, 4))
    assert of.attempts == [
        (0, 0, 100, "finished"),
        (0, 1, 10, "preempted"),
        (10, 2, 40, "finished"),
        (40, 1, 140, "finished"),
    ]


def test_who_is_not_needed_stays() -> None:
    """To make room for 3, the last of 1 is taken, then one of 3; the former is not needed then."""
    two = [queue("a", 0), queue("b", 8, reclaim="any")]
    of = queued(two, a(0, 100, 4), a(1, 100, 3), a(2, 100, 1), b(10, 10, 3))
    assert [row for row in of.attempts if row[3] == "preempted"] == [(1, 1, 10, "preempted")]


def test_only_what_fits_the_own_quota_is_reclaimed() -> None:
    """b owns 4 and asks for 5: it would have to borrow, so it waits."""
    two = [queue("a"), queue("b", reclaim="any")]
    assert queued(two, a(0, 100, 4), a(0, 100, 4), b(10, 10, 5)).starts == [0, 0, 100]


@pytest.mark.parametrize(("priority", "start"), [(1, 10), (0, 100)])
def test_reclaim_may_be_of_lower_priority_alone(priority: int, start: int) -> None:
    two = [queue("a"), queue("b", reclaim="lower_priority")]
    of = queued(two, a(0, 100, 4, priority=0), a(0, 100, 4, priority=0), b(10, 10, 4, priority=priority))
    assert of.starts[2] == start


@pytest.mark.parametrize(
    ("rule", "priorities", "start"),
    [
        ("never", (0, 5), 100),
        ("lower_priority", (0, 5), 10),
        ("lower_priority", (5, 5), 100),
        ("lower_or_newer_equal", (5, 5), 100),
    ],
)
def test_within_a_queue(rule: str, priorities: tuple[int, int], start: int) -> None:
    """The one that runs was submitted first, so that it is never the newer one."""
    one = [queue("a", 8, preempt_within=rule)]
    of = queued(one, a(0, 100, 8, priority=priorities[0]), a(10, 10, 8, priority=priorities[1]))
    assert of.starts[1] == start


def test_a_newer_one_gives_way_to_an_equal_that_waited_for_another() -> None:
    """Job 0 comes after job 1, which ends at 20; by then job 2, of the same priority and newer, runs."""
    one = [queue("a", 8, preempt_within="lower_or_newer_equal")]
    of = queued(one, a(0, 10, 8, after=[1]), a(0, 20, 4), a(5, 100, 4))
    assert of.starts == [20, 0, 5]
    assert (5, 2, 20, "preempted") in of.attempts


def test_who_does_not_borrow_comes_first() -> None:
    """At 10 all is free. a's second would borrow, so b goes first though it was submitted last."""
    jobs = [a(0, 10, 8), a(1, 10, 4), a(2, 10, 4), b(3, 10, 4)]
    assert queued(TWO, *jobs).starts == [0, 10, 20, 10]


def test_in_fair_mode_the_least_share_comes_first() -> None:
    """Nobody owns anything below the top. With weights of 3 and 1 three of a run to each one of b."""
    two = [queue("a", 0, weight=3.0), queue("b", 0, weight=1.0)]
    queues = [{"name": "top", "quota": 4}, *two]
    jobs = [job(0, 10, 1, owner=owner) for owner in "bbbbaaaa"]
    of = scenario([pool(4)], policy=POLICY, queues=queues, admission={"order": "fair"})
    with TemporaryDirectory() as folder:
        found = Loaded(run(of, trace(*jobs), Path(folder) / "run")).starts
    assert (found[:4].count(0), found[4:].count(0)) == (1, 3)


def test_in_fair_mode_the_highest_share_gives_way_up_to_the_same() -> None:
    """a has all 4 of the top. b comes with four of 1: two start; a third would make its share the higher."""
    two = [queue("a", 0, reclaim="any"), queue("b", 0, reclaim="any")]
    queues = [{"name": "top", "quota": 4}, *two]
    jobs = [*(a(0, 100, 1) for _ in range(4)), *(b(10, 100, 1) for _ in range(4))]
    of = scenario([pool(4)], policy=POLICY, queues=queues, admission={"order": "fair"})
    with TemporaryDirectory() as folder:
        found = Loaded(run(of, trace(*jobs), Path(folder) / "run"))
    assert found.starts[4:].count(10) == 2
    assert [row[1] for row in found.attempts if row[3] == "preempted"] == [2, 3]


def test_a_job_without_quota_blocks_nobody() -> None:
    """a's second job waits for quota, under strict order: b's, behind it, starts."""
    two = [queue("a", borrow_most=0), queue("b")]
    assert queued(two, a(0, 100, 4), a(1, 10, 4), b(2, 10, 4)).starts == [0, 100, 2]


def test_who_waits_for_quota_may_burst() -> None:
    of = scenario(
        [pool(8)],
        [offer("one")],
        policy={"patience": "after:30s"},
        queues=[queue("a", borrow_most=0) | {"parent": None}],
    )
    with TemporaryDirectory() as folder:
        found = Loaded(run(of, trace(a(0, 100, 4), a(10, 10, 4), a(20, 200, 4)), Path(folder) / "run"))
    assert [(start, rented) for start, _, _, rented in found.jobs] == [(0, False), (40, True), (50, True)]


@pytest.mark.parametrize(
    ("admission", "b_s", "c_s"), [({}, 100, 100), ({"timeout_s": 20, "backoff_s": 30}, 111, 21)]
)
def test_quota_that_finds_no_pod_is_given_back(admission: Row, b_s: int, c_s: int) -> None:
    """Of two pods of 3 a uses 2 each. b's job holds the last 2 of the quota from 1 on, and fits no pod.

    At 21 it gives them back, and c, which needs 1, starts until 61. From 51 on b asks again, from 61 to 81 it
    holds them again, and from 111 on, when pods are free.
    """
    queues = [{"name": "top", "quota": 6}, queue("a", 0), queue("b", 0), queue("c", 0)]
    jobs = [a(0, 100, 2), a(0, 100, 2), b(1, 10, 2), job(2, 40, 1, owner="c")]
    of = scenario([pool(3, 2)], policy=POLICY | {"backfill": "greedy"}, queues=queues, admission=admission)
    with TemporaryDirectory() as folder:
        found = Loaded(run(of, trace(*jobs), Path(folder) / "run"))
    assert found.starts == [0, 0, b_s, c_s]


def test_a_job_that_is_too_large_for_its_queue_is_rejected_or_bursts() -> None:
    two = [queue("a", borrow_most=1), queue("b")]
    of = queued(two, a(0, 10, 6), a(0, 10, 5))
    assert [state for _, _, state, _ in of.jobs] == ["rejected", "finished"]
    assert of.why[0] == "queue a can never have more than 5 devices"


def test_quotas_by_pool_take_the_first_that_has_room() -> None:
    """a owns 2 of the first pool and 4 of the second, and may not borrow."""
    by_pool = queue("a", 0) | {"parent": None, "quota": {"one": 2, "two": 4}}
    of = scenario([pool(8, name="one"), pool(8, name="two")], policy=POLICY, queues=[by_pool])
    jobs = [a(0, 10, 2), a(0, 10, 2), a(0, 10, 2), a(0, 10, 2)]
    with TemporaryDirectory() as folder:
        found = run(of, trace(*jobs), Path(folder) / "run")
        assert rows(found, "attempts", "where", "alloc_s") == [
            ("one", 0),
            ("two", 0),
            ("two", 0),
            ("one", 10),
        ]


def test_protection_holds_against_reclaim_and_ends() -> None:
    """Nobody gives way within 50 s of its start; b is asked again then."""
    two = [queue("a"), queue("b", reclaim="any")]
    of = queued(two, a(0, 100, 8), b(10, 10, 4), preemption={"min_run_s": 50})
    assert of.starts == [0, 50]


def test_who_fits_nowhere_any_more_neither_waits_for_quota_nor_holds_it() -> None:
    """At 50 one of two pods of 4 leaves. The first a, of 8, holds all quota from 40 on, but ends too late;
    the second waits for quota. Both are rejected, so that b's job, which had none, starts on what is left.
    """
    shrinking = pool(4, 2, retirements=[{"at": "50s", "pods": 1}])
    queues = [{"name": "top"}, queue("a"), queue("b")]
    jobs = [b(0, 40, 1), a(1, 20, 8), a(2, 20, 8), b(45, 10, 4)]
    with TemporaryDirectory() as folder:
        found = run(scenario([shrinking], policy=POLICY, queues=queues), trace(*jobs), Path(folder) / "run")
        held = rows(found, "admissions", "job_id", "admitted_s", "until_s")
        assert held == [(0, 0, 40), (1, 40, 50), (2, None, 50), (3, 50, 60)]
        ends = [(0, "finished"), (None, "rejected"), (None, "rejected"), (50, "finished")]
        assert rows(found, "jobs", "start_s", "state") == ends


# What is wrong


@pytest.mark.parametrize(
    ("queues", "message"),
    [
        ([queue("a") | {"parent": "nobody"}], 'queue a: parent "nobody" is no queue (allowed: a)'),
        ([{"name": "a", "parent": "b"}, {"name": "b", "parent": "a"}], "queues: a -> b -> a is a circle"),
        ([{"name": "a", "parent": "a"}], "queues: a -> a is a circle"),
        ([{"name": "a"}, {"name": "a"}], 'the name "a" stands for two queues'),
        ([{"name": "a", "quota": 4, "lend_most": 5}], "queue a: lend_most = 5: must be at most its quota, 4"),
        (
            [{"name": "a", "quota": {"own": 4}, "lend_most": {"own": 5}}],
            "queue a: lend_most of own = 5: must be at most",
        ),
        ([{"name": "a", "quota": {"pods": 4}}], 'queue a: quota: "pods" is no pool of the scenario'),
        ([{"name": "a", "quota": {"own": 4}}, {"name": "b", "quota": 4}], "either by pool or in all"),
        ([{"name": "a", "owners": ["a"]}, {"name": "b", "parent": "a"}], "queue a: has owners and children"),
        ([{"name": "a", "half_life": "soon"}], 'half_life "soon": must be a duration above 0'),
        ([{"name": "a", "reclaim": "all"}], "reclaim"),
    ],
)
def test_queues_that_are_wrong_are_named_in_one_line(queues: list[Row], message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario([pool(8)], queues=queues)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_queues_say_who_gives_way_and_not_the_policy() -> None:
    with pytest.raises(ScenarioError, match="must be nobody where there are queues"):
        scenario([pool(8)], queues=[{"name": "a"}], policy={"preempt": "by_order"})


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["a"], 'queues: owner "b" matches no queue; each owner must match one'),
        (["[ab]", "b*"], 'queues: owner "b" matches q0 and q1; each owner must match one'),
    ],
)
def test_an_owner_has_one_queue(tmp_path: Path, patterns: list[str], message: str) -> None:
    trace(a(0, 10, 1), b(0, 10, 1)).write(tmp_path / "trace.parquet")
    text = 'name = "queues"\ntrace = "trace.parquet"\n[[pools]]\nname = "own"\npods = 1\ndevice = "b200"\n'
    text += "devices = 4\n"
    for at, pattern in enumerate(patterns):
        text += f'[[queues]]\nname = "q{at}"\nowners = ["{pattern}"]\nquota = 4\n'
    (tmp_path / "queues.toml").write_text(text)
    result = CliRunner().invoke(main, ["replay", str(tmp_path / "queues.toml"), "-o", str(tmp_path / "run")])
    assert (result.exit_code, result.stderr) == (2, f"exaburst: {message}\n")


# Kueue's baseline


@pytest.mark.skipif(not KUEUE.exists(), reason="the baseline is not beside the repository")
def test_the_baseline_of_kueue_keeps_its_invariants(tmp_path: Path) -> None:
    """A millisecond is read as a second. Five cohorts of six queues that own 20 and may borrow 100."""
    load = kueue.workload(KUEUE.parents[1])
    of = run(
        parse_scenario(kueue.quotas(sorted(set(load.table.column("owner").to_pylist())))),
        load,
        tmp_path / "run",
    )
    assert of.description["jobs"] == {"finished": 15_000, "unfinished": 0, "rejected": 0, "killed": 0}
    assert of.end_s >= kueue.least_end_ms(load) >= 66_000
    waits = list(kueue.mean_waits_ms(of).values())
    assert waits == sorted(waits)
    assert kueue.limits_hold(of, load) == (True, True)
