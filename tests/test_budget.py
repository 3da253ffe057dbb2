"""Patience that is asked again, and a budget by the week: stories to the second and the cent, and laws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.policy import resolve
from scheduler.policy.errors import PolicyError
from scheduler.run.directory import Run
from scheduler.scenario import Scenario
from tests.build import Row, job, offer, pool, rows, run, scenario, trace
from tests.test_why import told

WEEK_S = 604_800
HOUR_S = 3_600


def budget(usd: str, devices: int = 4, quota: int = 100, **more: Any) -> Scenario:
    """A pool, and an offer at 0.001 USD a device-second."""
    policy = {"backfill": "none", "patience": f"budget:{usd}"} | more.pop("policy", {})
    return scenario([pool(devices)], [offer("cloud", quota)], policy=policy, **more)


def starts(of: Run) -> list[tuple[int | None, bool | None]]:
    return rows(of, "jobs", "start_s", "rented")


BUSY = job(0, 2 * WEEK_S, 4)
"""Holds the pool for two weeks."""


def test_jobs_burst_while_the_money_lasts_and_go_on_next_week(tmp_path: Path) -> None:
    """10 USD a week: 4 devices x 1,000 s are 4 USD. Two leave, the third waits for the week to end.

    A fourth, of 1 USD, comes later and can still be paid: 9 USD in all.
    """
    jobs = trace(BUSY, job(10, 1_000, 4), job(20, 1_000, 4), job(30, 1_000, 4), job(40, 1_000, 1))
    of = run(budget("10"), jobs, tmp_path / "run")
    assert starts(of) == [(0, False), (10, True), (20, True), (WEEK_S, True), (40, True)]
    assert sum(usd for (usd,) in rows(of, "spend", "usd")) >= 13.0


def test_what_costs_just_what_is_left_is_paid_and_a_cent_more_is_not(tmp_path: Path) -> None:
    """1,000 s of 10 devices are 10 USD; 1,001 s are 10.01, which no week has."""
    jobs = trace(job(0, WEEK_S + 1, 4), job(10, 1_000, 10), job(20, 1_001, 10), job(30, 10, 1))
    of = run(budget("10/week"), jobs, tmp_path / "run")
    assert starts(of) == [(0, False), (10, True), (None, None), (WEEK_S, True)]


def test_the_first_in_order_get_the_money_of_a_new_week(tmp_path: Path) -> None:
    """Both of 8 USD wait. The later one has the higher priority, and so the money of the second week."""
    jobs = trace(
        job(0, 3 * WEEK_S, 4),
        job(1, 8_000, 1),
        job(2, 8_000, 1, priority=0),
        job(3, 8_000, 1, priority=5),
    )
    of = run(budget("10", policy={"order": "priority:0"}), jobs, tmp_path / "run")
    assert [start for start, _ in starts(of)] == [0, 1, 2 * WEEK_S, WEEK_S]


@pytest.mark.parametrize("order", ["priority:0", "multifactor"])
def test_of_those_who_come_at_once_the_first_in_order_leave(tmp_path: Path, order: str) -> None:
    jobs = trace(job(0, 2 * WEEK_S, 4), *(job(5, 3_000, 2, priority=at) for at in (0, 2, 1)))
    of = run(budget("12", policy={"order": order}), jobs, tmp_path / "run")
    assert [start for start, _ in starts(of)] == [0, WEEK_S, 5, 5]


def test_money_that_an_estimate_took_too_much_of_comes_back_and_is_seen_on_the_hour(tmp_path: Path) -> None:
    """The first is to cost 9 USD, and has cost 1 at 1,010; the second, 5 USD, is asked again at 3,600."""
    jobs = trace(BUSY, job(10, 1_000, 1, estimate_s=9_000), job(20, 5_000, 1))
    of = run(budget("10"), jobs, tmp_path / "run")
    assert starts(of)[2] == (HOUR_S, True)


def test_what_runs_on_into_the_next_week_counts_in_the_week_in_which_it_began(tmp_path: Path) -> None:
    """It begins 100 s before the week ends, and is to run for 1,000 s: 1 USD of the first week.

    The second week has all of its money at its start, though 0.90 USD of rent is paid in it for the first.
    """
    late = WEEK_S - 100
    jobs = trace(BUSY, job(late, 1_000, 1), job(late + 1, 9_001, 1), job(late + 2, 1_000, 1))
    of = run(budget("10"), jobs, tmp_path / "run")
    assert [start for start, _ in starts(of)] == [0, late, WEEK_S, late + 2]


def test_billing_steps_and_the_boot_are_a_part_of_what_it_costs(tmp_path: Path) -> None:
    """61 s are billed as 120, that is 0.12 USD a device."""
    jobs = trace(job(0, WEEK_S + 99, 4), job(10, 61, 1), job(20, 61, 1))
    of = scenario(
        [pool(4)],
        [offer("cloud", key="minutes")],
        policy={"backfill": "none", "patience": "budget:0.2"},
    )
    assert [start for start, _ in starts(run(of, jobs, tmp_path / "run"))] == [0, 10, WEEK_S]


def test_what_a_commitment_pays_costs_the_budget_nothing(tmp_path: Path) -> None:
    """The first is all on devices that are paid anyhow, and leaves the second the 1 USD; a third waits."""
    jobs = trace(BUSY, job(10, 1_000, 4), job(20, 1_000, 1), job(30, 1, 1))
    of = scenario(
        [pool(4)],
        [offer("cloud", commitments=[{"devices": 4}])],
        policy={"backfill": "none", "patience": "budget:1"},
    )
    assert [start for start, _ in starts(run(of, jobs, tmp_path / "run"))] == [0, 10, 20, HOUR_S]


def test_without_room_nobody_is_let_go_and_no_money_is_bound(tmp_path: Path) -> None:
    """The offer has 1 device, until 3,000. On the hour it is free, and the second leaves."""
    jobs = trace(BUSY, job(10, 2_990, 1), job(20, 100, 1), job(30, 50, 1))
    of = run(budget("4", quota=1), jobs, tmp_path / "run")
    assert [start for start, _ in starts(of)] == [0, 10, HOUR_S, 2 * HOUR_S]


def test_a_job_that_starts_on_pods_leaves_its_money_to_others(tmp_path: Path) -> None:
    jobs = trace(job(0, 100, 4), job(10, 4_000, 4), job(20, 9_000, 1, residency="any"))
    of = run(budget("10"), jobs, tmp_path / "run")
    assert starts(of) == [(0, False), (100, False), (20, True)]


def test_why_names_the_budget_and_what_of_the_offer_is_left(tmp_path: Path) -> None:
    """The second lacks money from 20 on; the third, from 30 to 1,010, a device of the offer, too."""
    jobs = trace(job(0, WEEK_S + 99, 4), job(10, 1_000, 3), job(20, 8_000, 1), job(30, 1_000, 2))
    of = scenario([pool(4)], [offer("cloud", 4)], policy={"backfill": "none", "patience": "budget:10"})
    assert told(of, jobs, tmp_path) == [
        (2, 20, WEEK_S, "budget", "cloud"),
        (3, 30, 1_010, "quota", "cloud"),
        (3, 1_010, HOUR_S, "budget", "cloud"),
    ]


def test_predicted_is_asked_again_each_hour(tmp_path: Path) -> None:
    """2 h are allowed. At 10 the wait is to be 7,190 s; then a job comes before it that takes 1,000 s more.

    On the hour 3,590 s are over and 3,600 + 1,000 are predicted, which is too long.
    """
    jobs = trace(
        job(0, 7_200, 4),
        job(10, 100, 4),
        job(20, 1_000, 4, priority=1, residency="owned"),
    )
    of = scenario(
        [pool(4)],
        [offer("cloud")],
        policy={"order": "priority:0", "backfill": "none", "patience": "predicted:2h"},
    )
    assert starts(run(of, jobs, tmp_path / "run"))[1] == (HOUR_S, True)
    assert told(of, jobs, tmp_path / "told")[0] == (1, 10, HOUR_S, "too_few", "own")


def test_predicted_lasts_as_long_as_it_may_where_nothing_gets_worse(tmp_path: Path) -> None:
    jobs = trace(job(0, 9_000, 4, estimate_s=100), job(10, 100, 4))
    of = scenario([pool(4)], [offer("cloud")], policy={"backfill": "none", "patience": "predicted:2h"})
    assert starts(run(of, jobs, tmp_path / "run"))[1] == (7_210, True)


def test_of_those_who_lose_patience_at_once_the_first_in_order_of_then_leaves(tmp_path: Path) -> None:
    """At 10 they tie, as neither has waited; half an hour later the shorter one has the higher ratio."""
    jobs = trace(job(0, 9_000, 4, estimate_s=100), job(10, 1_000, 1), job(10, 100, 1))
    policy = {"order": "xfactor", "backfill": "none", "patience": "predicted:30m"}
    of = run(scenario([pool(4)], [offer("cloud", 1)], policy=policy), jobs, tmp_path / "run")
    assert starts(of)[1:] == [(1_910, True), (1_810, True)]


def out_of_patience(of: Run) -> list[tuple[int, int]]:
    return rows(of, "patience", "job_id", "over_s")


def test_who_leaves_a_queue_that_is_too_long_is_logged_as_out_of_patience(tmp_path: Path) -> None:
    """One may wait: the third leaves at 2, though no money is left."""
    jobs = trace(job(0, 100, 4), job(1, 10, 4), job(2, 10, 4))
    of = run(budget("0", policy={"queue_most": 1}), jobs, tmp_path / "run")
    assert starts(of) == [(0, False), (100, False), (2, True)]
    assert out_of_patience(of) == [(2, 2)]


def test_who_fits_no_pod_any_more_is_logged_and_makes_no_queue_too_long(tmp_path: Path) -> None:
    """Own closes at 100, and job 3 waits for the offer until 300; so job 4 alone waits for pods from 150."""
    of = scenario(
        [pool(4, name="other"), pool(8)],
        [offer("cloud", 8)],
        policy={"backfill": "none", "place": "first_fit", "patience": "budget:5", "queue_most": 1},
        closures=[{"pool": "own", "at": "100s", "drain": "0s"}],
    )
    stays = job(0, 200, 8, residency="owned")
    jobs = trace(job(0, 500, 4), stays, job(1, 299, 8), job(2, 50, 8), job(150, 10, 4))
    done = run(of, jobs, tmp_path / "run")
    assert starts(done)[2:] == [(1, True), (300, True), (500, False)]
    assert out_of_patience(done) == [(2, 1), (3, 100)]


# One's own


SEEN = """
from scheduler.policy.burst import Patience

class patience:
    def __call__(self, job, view):
        if job.job_id == 3:
            with open("seen", "a") as file:
                print(view.now_s, view.waited_s(job), view.queued_jobs, *view.ahead(job), view.free,
                      *view.head, view.rented_devices(), view.rented_devices("a"), view.rented_devices("b"),
                      round(view.spent_usd(), 6), round(view.spent_usd("b", this_week=True), 6),
                      view.usd_per_device_h(job), round(view.burst_usd(job), 6), view.week_ends_s, file=file)
        return 0.0 if job.owner == "a" else float("inf")

    def again_s(self, job, view):
        return 100 if view.now_s < 500 else float("inf")

def rushed():
    class Rushed(patience):
        def again_s(self, job, view):
            return 0
    return Rushed()

def hopeless():
    return lambda job, view: "rented" if view.predicted_wait_s(job) > 1_000 else "owned"

def peeps() -> Patience:
    return lambda job, view: job.runtime_s

def foresees() -> Patience:
    return lambda job, view: view.price_at(job, view.now_s + 3600)

def writes() -> Patience:
    def patience(job, view):
        view.week_ends_s = 0
    return patience
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(SEEN)
    return tmp_path


def own(name: str, *jobs: Row) -> Run:
    policy = {"backfill": "none", "patience": f"./mine.py:{name}"}
    of = scenario([pool(4), pool(2, name="two")], [offer("cloud")], policy=policy)
    return run(of, trace(*jobs), Path("run"))


def test_ones_own_sees_the_line_the_pods_and_the_rent(mine: Path) -> None:
    """At 20 and 120 a's job of 2 devices is rented for 0.2 USD; at 220 it has ended, having cost 0.15.

    The head needs 4, free from 1,000 on. The last job, of b, is behind the head of 4 x 50 device-seconds, and
    would pay 0.03 USD.
    """
    own(
        "patience",
        job(0, 1_000, 3),
        job(10, 50, 4, owner="b"),
        job(15, 75, 2, owner="a", estimate_s=100),
        job(20, 30, 1, owner="b"),
    )
    seen = [line.split(" ", 3) for line in Path("seen").read_text().splitlines()]
    assert [line[0] for line in seen] == ["20", "120", "220", "320", "420", "520"]
    text = Path("seen").read_text().splitlines()
    assert text[0] == f"20 0 2 1 200 ((1,), (2,)) 1 4 4 1000 2 2 0 0.2 0.0 3.6 0.03 {WEEK_S}"
    assert text[1] == f"120 100 2 1 200 ((1,), (2,)) 1 4 4 1000 0 0 0 0.15 0.0 3.6 0.03 {WEEK_S}"


def test_who_decides_where_jobs_go_first_sees_the_line_of_now(mine: Path) -> None:
    """At 10 the pool is busy for 990 s, which makes 1,090 with job 1; at 500 for 600, at 501 for 1,100."""
    policy = {"backfill": "none", "patience": "predicted:2h", "first": "./mine.py:hopeless"}
    of = scenario([pool(4)], [offer("cloud")], policy=policy)
    jobs = trace(job(0, 1_000, 4), job(10, 100, 4), job(500, 501, 4), job(501, 10, 4))
    assert starts(run(of, jobs, Path("run")))[1:] == [(1_000, False), (1_100, False), (501, True)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rushed", "policy.patience: again_s gives 0 for job 1; must be above 0 seconds"),
        (
            "peeps",
            "policy.patience: job.runtime_s: is nothing that a policy sees (allowed: attained_device_s",
        ),
        (
            "foresees",
            "policy.patience: view.price_at: is nothing that a policy sees (allowed: ahead, burst_usd",
        ),
        ("writes", "policy.patience: view.week_ends_s: cannot be written, as policies change nothing"),
    ],
)
def test_what_patience_may_not_ends_in_one_line(mine: Path, name: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        own(name, job(0, 1_000, 4), job(10, 50, 4))
    assert str(caught.value).startswith(f"mine.py:{name}: {message}")


def test_what_patience_may_not_see_is_a_type_error(tmp_path: Path) -> None:
    file = tmp_path / "typed.py"
    file.write_text(
        "from scheduler.policy.burst import Patience\n"
        "def peeps() -> Patience:\n    return lambda job, view: job.runtime_s\n"
        "def foresees() -> Patience:\n    return lambda job, view: view.price_at(view.now_s + 1)\n"
        "def sees() -> Patience:\n    return lambda job, view: view.burst_usd(job) + job.estimate_s\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(file)], check=False, capture_output=True, text=True
    )
    errors = [line.partition("error: ")[2] for line in done.stdout.splitlines() if "error: " in line]
    assert errors == [
        '"JobView" has no attribute "runtime_s"  [attr-defined]',
        '"PatienceView" has no attribute "price_at"  [attr-defined]',
    ]


@pytest.mark.parametrize(
    ("spec", "allowed"), [("budget:x", "USD"), ("budget:-1", "USD"), ("budget", "needs an")]
)
def test_a_budget_is_money(spec: str, allowed: str) -> None:
    with pytest.raises(PolicyError, match=allowed):
        resolve("patience", spec)


def test_a_budget_of_0_never_bursts(tmp_path: Path) -> None:
    of = run(budget("0"), trace(job(0, 100, 4), job(1, 10, 1)), tmp_path / "run")
    assert starts(of) == [(0, False), (100, False)]


# Laws


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * WEEK_S),
            st.integers(1, 3 * WEEK_S // 4),
            st.integers(1, 4),
            st.sampled_from([0.5, 1, 2]),
        ),
        min_size=1,
        max_size=14,
    ),
    st.sampled_from([2, 50, 400, 1_500]),
    st.sampled_from(["none", "greedy", "easy", "conservative"]),
    st.sampled_from(["fcfs", "sjf", "xfactor", "priority:1"]),
)
def test_a_weeks_rentals_cost_no_more_than_it_has_as_far_as_estimates_are_right(
    tmp_path_factory: pytest.TempPathFactory,
    jobs: list[tuple[int, int, int, float]],
    usd: int,
    backfill: str,
    order: str,
) -> None:
    """By the week in which they began: what had ended at a start, what ran by its estimate, and the job."""
    asked = trace(
        *(job(at, run_s, gang, estimate_s=max(1, int(run_s * off))) for at, run_s, gang, off in sorted(jobs))
    )
    of = budget(str(usd), policy={"backfill": backfill, "order": order})
    folder = tmp_path_factory.mktemp("world") / "run"
    world = run(of, asked, folder)
    estimate = {row["job_id"]: row["estimate_s"] for row in asked.table.to_pylist()}
    rented = [
        row for row in rows(world, "attempts", "job_id", "alloc_s", "end_s", "devices", "rented") if row[4]
    ]
    for _, now_s, *_ in rented:
        week = [row for row in rented if row[1] // WEEK_S == now_s // WEEK_S and row[1] <= now_s]
        seconds = [
            (end_s - at if end_s < now_s else estimate[of_job]) * n for of_job, at, end_s, n, _ in week
        ]
        assert 0.001 * sum(seconds) <= usd + 1e-6
    let_go = {row[0]: row[1] for row in rows(world, "patience", "job_id", "over_s")}
    assert let_go == {row[0]: row[1] for row in rented}, "whoever is let go leaves in that very second"
    if all(off >= 1 for *_, off in jobs):
        for number in range(4):
            paid = sum((row[2] - row[1]) * row[3] for row in rented if row[1] // WEEK_S == number)
            assert 0.001 * paid <= usd + 1e-6
