"""Policies one by one on views made by hand, how scenarios name them, what sharing and ageing promise."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.policy import PolicyError, resolve
from scheduler.scenario import ScenarioError
from tests.build import Row, job, pool, rows, run, scenario, trace

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class SomeJob:
    job_id: int = 0
    submit_s: int = 1_000
    estimate_s: int = 500
    gang: int = 4
    workload: str = "fsd"
    kind: str = "fsd.retrain"
    owner: str = "vision"
    priority: int = 2
    deadline_s: int | None = None
    input_tb: float = 0.0


@dataclass(frozen=True)
class SomeView:
    now_s: int = 1_000
    wait_s: float = 0.0
    rent_s: float = 600.0

    def predicted_wait_s(self, job: Any) -> float:
        return self.wait_s

    def rented_s(self, job: Any) -> float:
        return self.rent_s

    def start_tag(self, owner: str) -> float:
        return {"vision": 42.0}[owner]


@dataclass(frozen=True)
class SomePod:
    free: int
    index: int = 0
    size: int = 8
    releases: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class SomeOffer:
    usd: float
    ready: float
    work: int
    devices: int = 4
    usd_per_device_h: float = 2.0

    def ready_s(self, job: Any) -> float:
        return self.ready

    def work_s(self, job: Any) -> int:
        return self.work

    def cost_usd(self, job: Any) -> float:
        return self.usd


# Each policy


@pytest.mark.parametrize(
    ("spec", "first", "second"),
    [
        ("fcfs", SomeJob(submit_s=5), SomeJob(submit_s=6)),
        ("sjf", SomeJob(estimate_s=5), SomeJob(estimate_s=6)),
        ("smallest", SomeJob(gang=5), SomeJob(gang=6)),
        ("edf", SomeJob(deadline_s=5), SomeJob(deadline_s=6)),
        ("edf", SomeJob(deadline_s=10**15), SomeJob(deadline_s=None)),
        ("priority", SomeJob(priority=6), SomeJob(priority=5)),
        ("priority", SomeJob(submit_s=5), SomeJob(submit_s=6)),
    ],
)
def test_orders_put_first_what_they_say(spec: str, first: SomeJob, second: SomeJob) -> None:
    order = resolve("order", spec)
    assert order(first, SomeView()) < order(second, SomeView())


def test_fair_share_goes_by_the_start_tag() -> None:
    assert resolve("order", "fair_share")(SomeJob(), SomeView()) == 42.0


@pytest.mark.parametrize(("spec", "first"), [("best_fit", 1), ("worst_fit", 2), ("first_fit", 0)])
def test_places_pick_a_pod(spec: str, first: int) -> None:
    pods = [SomePod(6), SomePod(4), SomePod(8), SomePod(4)]
    assert resolve("place", spec)(SomeJob(), pods) is pods[first]


@pytest.mark.parametrize(
    ("spec", "job", "view", "seconds"),
    [
        ("never", SomeJob(), SomeView(), inf),
        ("at_once", SomeJob(), SomeView(), 0),
        ("after:4h", SomeJob(), SomeView(), 14_400),
        ("per_runtime:0.5", SomeJob(estimate_s=500), SomeView(), 250),
        ("per_gang:30", SomeJob(gang=4), SomeView(), 120),
        ("per_work:0.25", SomeJob(gang=4, estimate_s=500), SomeView(), 500),
        ("predicted:1h", SomeJob(), SomeView(wait_s=3_600), 3_600),
        ("predicted:1h", SomeJob(), SomeView(wait_s=3_601), 0),
        # Due at 2,000; renting takes 600, so at 1,400 at the latest, 400 from now. Later, at once.
        ("deadline", SomeJob(deadline_s=2_000), SomeView(now_s=1_000, rent_s=600), 400),
        ("deadline", SomeJob(deadline_s=2_000), SomeView(now_s=1_500, rent_s=600), 0),
        ("deadline", SomeJob(deadline_s=None), SomeView(), inf),
    ],
)
def test_patience_in_seconds(spec: str, job: SomeJob, view: SomeView, seconds: float) -> None:
    assert resolve("patience", spec)(job, view) == seconds


@pytest.mark.parametrize(("spec", "best"), [("cheapest", "cheap"), ("fastest", "quick")])
def test_offers(spec: str, best: str) -> None:
    # The quick one works longer, but boots so much sooner that it ends first.
    offers = {"cheap": SomeOffer(usd=10, ready=600, work=90), "quick": SomeOffer(usd=11, ready=60, work=500)}
    score = resolve("offer", spec)
    assert min(offers, key=lambda name: score(SomeJob(), offers[name])) == best


# How a scenario names them


@pytest.mark.parametrize(
    ("spec", "seconds"),
    [("after:90", 90), ("after:90s", 90), ("after:1.5m", 90), ("after:4h", 14_400), ("after:2d", 172_800)],
)
def test_durations_have_units(spec: str, seconds: float) -> None:
    assert resolve("patience", spec)(SomeJob(), SomeView()) == seconds


@pytest.mark.parametrize(
    ("seam", "spec", "message"),
    [
        (
            "order",
            "fcsf",
            'order "fcsf": unknown; did you mean fcfs? (allowed: fcfs, sjf, ',
        ),
        ("patience", "after", 'patience "after": needs an argument, as in "after:4h"'),
        ("patience", "per_gang", 'patience "per_gang": needs an argument, as in "per_gang:0.5"'),
        ("patience", "after:4w", "must be 0 or more seconds, or a number with s, m, h or d"),
        ("patience", "after:", "must be 0 or more seconds"),
        ("patience", "after:-1h", "must be 0 or more seconds"),
        ("patience", "after:nan", "must be 0 or more seconds"),
        ("patience", "per_work:1h", "must be a number, 0 or more"),
        ("patience", "never:1h", 'patience "never:1h": takes no argument'),
        ("backfill", "conservative:1.5", "must be a whole number, 0 or more"),
        ("backfill", "conservative:inf", "must be a whole number, 0 or more"),
    ],
)
def test_what_is_not_a_policy_is_named_in_one_line(seam: str, spec: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        resolve(seam, spec)
    assert message in str(refused.value)
    with pytest.raises(ScenarioError) as passed_on:
        scenario([pool(4)], policy={seam: spec})
    assert message in str(passed_on.value)
    assert "\n" not in str(passed_on.value)


def test_a_users_own_policy_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Largest gang first, from a module and the metadata of an installed distribution.
    (tmp_path / "mine.py").write_text("def largest():\n    return lambda job, view: -job.gang\n")
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[exaburst.order]\nlargest = mine:largest\n")
    monkeypatch.syspath_prepend(tmp_path)
    owned = scenario([pool(4)], policy={"order": "largest", "backfill": "none"})
    try:
        of = run(owned, trace(job(0, 10, 1), job(0, 10, 3), job(0, 10, 4)), tmp_path / "run")
    finally:
        sys.modules.pop("mine", None)
    assert rows(of, "jobs", "start_s") == [(10,), (10,), (0,)]


# What ageing promises


@pytest.mark.parametrize(("spec", "per_day"), [("priority", 1), ("priority:4", 4)])
@pytest.mark.parametrize("levels", [1, 3, 20, 127])
def test_ageing_makes_up_for_priority_to_the_second(spec: str, per_day: int, levels: int) -> None:
    # Level for level, a wait of a day over the rate; at that very second both are equal.
    order, even_s = resolve("order", spec), levels * DAY // per_day
    old = order(SomeJob(submit_s=0, priority=0), SomeView())
    news = [order(SomeJob(submit_s=even_s + late, priority=levels), SomeView()) for late in (-1, 0, 1)]
    assert news[0] < old == news[1] < news[2]


@pytest.mark.parametrize(("late_s", "first"), [(-1, 2), (0, 1), (1, 1)])
def test_a_job_waits_for_higher_priority_until_it_has_aged(tmp_path: Path, late_s: int, first: int) -> None:
    # The pod is busy for ten days; two levels are two days, and a tie goes to the lower number.
    jobs = [job(0, 10 * DAY, 4), job(0, 100, 4), job(2 * DAY + late_s, 100, 4, priority=2)]
    of = run(scenario([pool(4)], policy={"order": "priority"}), trace(*jobs), tmp_path)
    assert rows(of, "jobs", "start_s")[first] == (10 * DAY,)


# What fair sharing promises


def served(jobs: list[Row], shares: dict[str, float]) -> list[tuple[str, int, int]]:
    """(owner, start_s, end_s) of each job on a single device, in order of service."""
    owned = scenario([pool(1)], policy={"order": "fair_share", "backfill": "none"}, shares=shares)
    with TemporaryDirectory() as folder:
        of = run(owned, trace(*jobs), Path(folder))
        return sorted(rows(of, "jobs", "owner", "start_s", "end_s"), key=lambda row: row[1])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 30)), min_size=2, max_size=30),
    st.sampled_from([1.0, 2.0, 3.5]),
)
def test_owners_with_a_backlog_share_by_weight(demand: list[tuple[str, int]], weight: float) -> None:
    # Goyal, Vin and Cheng (1996), theorem 1: in any interval in which both wait, work over weight differs by
    # at most the sum of the longest job over weight of each.
    shares = {"a": weight, "b": 1.0}
    service = served([job(0, run_s, 1, owner=owner) for owner, run_s in demand], shares)
    bound = sum(
        max((run_s for who, run_s in demand if who == owner), default=0) / shares[owner] for owner in shares
    )
    both_until_s = min(max((at for who, at, _ in service if who == owner), default=0) for owner in shares)
    ahead = [0.0]  # work over weight, of `a` less that of `b`, after each job
    for owner, start_s, end_s in service:
        if start_s <= both_until_s:
            sign = 1 if owner == "a" else -1
            ahead.append(ahead[-1] + sign * (end_s - start_s) / shares[owner])
    assert max(ahead) - min(ahead) <= bound + 1e-9


def test_an_owner_who_was_away_has_saved_nothing_up() -> None:
    # At 45 the fifth job of `a` runs, with the tag 40, so the jobs of `b` get 40, 50 and 60: from 50 on they
    # take turns, ties to the lower number, rather than `b` first for all it has missed.
    jobs = [job(0, 10, 1, owner="a") for _ in range(8)] + [job(45, 10, 1, owner="b") for _ in range(3)]
    assert "".join(owner for owner, *_ in served(jobs, {})) == "aaaaabababa"


def test_shares_weigh_owners() -> None:
    # Twice the share: tags 0, 5, 10 and so on against 0, 10, 20; ties to the lower number, here those of `b`.
    jobs = [job(0, 10, 1, owner="b") for _ in range(3)] + [job(0, 10, 1, owner="a") for _ in range(6)]
    assert "".join(owner for owner, *_ in served(jobs, {"a": 2.0})) == "baabaabaa"
