"""Policies one by one on views made by hand, how scenarios name them, what sharing and ageing promise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.policy import resolve
from scheduler.policy.errors import PolicyError
from scheduler.policy.place import PlaceError
from scheduler.policy.preempt import Level
from scheduler.scenario import ScenarioError
from tests.build import Row, job, pool, rows, run, scenario, trace
from tests.examples import examples
from traces.times import DurationError, parse_seconds

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
    done_s: int = 0
    attained_device_s: int = 0
    reclaims: int = 0


class SomeTags:
    def start_tag(self, owner: str) -> float:
        return {"vision": 42.0}[owner]


@dataclass(frozen=True)
class SomeView:
    now_s: int = 1_000
    start_s: int = 0
    wait_s: float = 0.0
    waited: int = 0
    spent: float = 0.0
    usd: float = 0.0
    rent_s: float = 600.0

    def predicted_wait_s(self, job: Any) -> float:
        return self.wait_s

    def rented_s(self, job: Any) -> float:
        return self.rent_s

    def waited_s(self, job: Any) -> int:
        return self.waited

    def spent_usd(self, owner: str | None = None, *, this_week: bool = False) -> float:
        return self.spent if this_week else inf

    def burst_usd(self, job: Any) -> float:
        return self.usd


@dataclass(frozen=True)
class SomeOffer:
    usd: float
    ready: float
    work: int
    devices: int = 4
    used: int = 4
    usd_per_device_h: float = 2.0
    spot: bool = False
    now_s: int = 0
    leaving: float = 0.0

    def ready_s(self, job: Any) -> float:
        return self.ready

    def work_s(self, job: Any) -> int:
        return self.work

    def cost_usd(self, job: Any) -> float:
        return self.usd

    def rent_usd(self, seconds: int) -> float:
        return self.devices * self.usd_per_device_h * seconds / HOUR

    def leaving_usd(self, job: Any) -> float:
        return self.leaving


# Each policy


@pytest.mark.parametrize(
    ("spec", "first", "second"),
    [
        ("fcfs", SomeJob(submit_s=5), SomeJob(submit_s=6)),
        ("sjf", SomeJob(estimate_s=5), SomeJob(estimate_s=6)),
        ("sjf", SomeJob(estimate_s=8, done_s=1), SomeJob(estimate_s=5, done_s=5)),
        ("srpt", SomeJob(estimate_s=5, done_s=5), SomeJob(estimate_s=8, done_s=1)),
        # The threshold of one device-hour is the first second of the second queue.
        ("las:1", SomeJob(submit_s=10**9, attained_device_s=3_599), SomeJob(attained_device_s=3_600)),
        ("las:1", SomeJob(submit_s=10**9 - 1), SomeJob(submit_s=10**9, attained_device_s=3_599)),
        (
            "las:1",
            SomeJob(submit_s=10**9 - 1, attained_device_s=9_000),
            SomeJob(submit_s=10**9, attained_device_s=3_600),
        ),
        ("las", SomeJob(attained_device_s=8 * HOUR - 1), SomeJob(submit_s=0, attained_device_s=8 * HOUR)),
        ("smallest", SomeJob(gang=5), SomeJob(gang=6)),
        ("edf", SomeJob(deadline_s=5), SomeJob(deadline_s=6)),
        ("edf", SomeJob(deadline_s=10**15), SomeJob(deadline_s=None)),
        ("priority", SomeJob(priority=6), SomeJob(priority=5)),
        ("priority", SomeJob(submit_s=5), SomeJob(submit_s=6)),
    ],
)
def test_orders_put_first_what_they_say(spec: str, first: SomeJob, second: SomeJob) -> None:
    order = resolve("order", spec)
    assert order(first, SomeTags()) < order(second, SomeTags())


def test_fair_share_goes_by_the_start_tag() -> None:
    assert resolve("order", "fair_share")(SomeJob(), SomeTags()) == 42.0


@pytest.mark.parametrize(
    ("attained_device_s", "devices", "level", "turns_s"),
    [(0, 4, 0, 1_800), (7_196, 4, 0, 1), (7_196, 8, 0, 0.5), (7_200, 4, 1, inf), (10**9, 4, 1, inf)],
)
def test_service_moves_a_job_to_the_second_queue(
    attained_device_s: int, devices: int, level: int, turns_s: float
) -> None:
    las, job = resolve("order", "las:2"), SomeJob(attained_device_s=attained_device_s)
    assert (las.level(job), las.turns_s(job, devices)) == (level, turns_s)


@pytest.mark.parametrize(("spec", "first"), [("best_fit", 1), ("worst_fit", 2), ("first_fit", 0)])
def test_places_pick_a_pod(spec: str, first: int) -> None:
    assert resolve("place", spec)(SomeJob(), 4, [6, 4, 8, 4, 8]) == first


@pytest.mark.parametrize("spec", ["best_fit", "worst_fit", "first_fit"])
def test_places_pick_none_but_pods_that_fit(spec: str) -> None:
    place = resolve("place", spec)
    assert place(SomeJob(), 4, [-1, 3, 5, -1]) == 2
    assert place(SomeJob(), 6, [-1, 3, 5, -1]) == place(SomeJob(), 1, []) == -1


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
        ("predicted:1h", SomeJob(), SomeView(wait_s=600, waited=3_000), 600),
        ("predicted:1h", SomeJob(), SomeView(wait_s=601, waited=3_000), 0),
        ("budget:100", SomeJob(), SomeView(spent=60.0, usd=40.0), 0),
        ("budget:100/week", SomeJob(), SomeView(spent=60.0, usd=40.01), inf),
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


def taken(spec: str, job: SomeJob, now_s: int = 0) -> list[str]:
    """The offers that the job may take, best first."""
    offers = {
        "dear spot": SomeOffer(usd=5, ready=10, work=job.estimate_s, spot=True, now_s=now_s),
        "cheap spot": SomeOffer(usd=4, ready=10, work=job.estimate_s, spot=True, now_s=now_s),
        "dear": SomeOffer(usd=9, ready=10, work=job.estimate_s, now_s=now_s),
        "cheap": SomeOffer(usd=3, ready=10, work=job.estimate_s, now_s=now_s),
    }
    score = resolve("offer", spec)
    scores = {name: score(job, offer) for name, offer in offers.items()}
    return sorted((name for name in scores if scores[name] < inf), key=scores.__getitem__)


SPOT, ON_DEMAND = ["cheap spot", "dear spot"], ["cheap", "dear"]


@pytest.mark.parametrize(
    ("spec", "job", "offers"),
    [
        ("spot_fallback", SomeJob(reclaims=0), SPOT + ON_DEMAND),
        ("spot_fallback", SomeJob(reclaims=1), ON_DEMAND),
        ("spot_fallback:3", SomeJob(reclaims=2), SPOT + ON_DEMAND),
        ("spot_fallback:3", SomeJob(reclaims=3), ON_DEMAND),
        ("spot_fallback:0", SomeJob(), ON_DEMAND),
        ("spot_up_to:4", SomeJob(gang=4), ["cheap", *SPOT, "dear"]),
        ("spot_up_to:4", SomeJob(gang=5), ON_DEMAND),
    ],
)
def test_how_far_spot_is_trusted(spec: str, job: SomeJob, offers: list[str]) -> None:
    assert taken(spec, job) == offers


@pytest.mark.parametrize(
    ("now_s", "done_s", "deadline_s", "offers"),
    [
        # A tenth is done of 100 s of work; from 0 to 200 s, uniform progress asks for that at 20 s.
        (20, 10, 200, SPOT),
        (21, 10, 200, SPOT + ON_DEMAND),
        # 20 s of work and two changes of 10 s each: the deadline is in danger from 160 s on.
        (159, 80, 200, SPOT),
        (160, 80, 200, ON_DEMAND + SPOT),
        (999, 80, 200, ON_DEMAND + SPOT),
        (10**9, 10, None, SPOT),
    ],
)
def test_uniform_progress_ranks_what_can_be_had(
    now_s: int, done_s: int, deadline_s: int | None, offers: list[str]
) -> None:
    job = SomeJob(submit_s=0, estimate_s=100 - done_s, done_s=done_s, deadline_s=deadline_s)
    assert taken("uniform_progress", job, now_s) == offers


Stay = tuple[str, int, int]


def under_uniform_progress(spot: set[int], work_s: int, change_s: int, deadline_s: int) -> list[Stay]:
    """(sort, from, to) of each stay of a job submitted at 0, asked every second; no work is ever lost.

    On-demand devices can always be had, spot devices in the seconds of `spot`.
    """
    policy = resolve("offer", "uniform_progress")
    stays: list[Stay] = []
    on, since_s, done_s, now_s = "", 0, 0, 0
    while done_s < work_s:
        job = SomeJob(submit_s=0, estimate_s=work_s - done_s, done_s=done_s, deadline_s=deadline_s)
        offers = {
            sort: SomeOffer(usd, change_s, work_s - done_s, spot=sort == "spot", now_s=now_s)
            for sort, usd in (("spot", 1), ("on-demand", 3))
            if sort == "on-demand" or now_s in spot
        }
        if on and (on not in offers or policy.reconsiders(job, offers[on])):
            stays.append((on, since_s, now_s))
            on = ""
        if not on:
            best = min(offers, key=lambda sort: policy(job, offers[sort]))
            asks_in_s = policy.decides_s(job, offers["on-demand"])
            assert (asks_in_s == 0) == (policy(job, offers["on-demand"]) < inf)
            if policy(job, offers[best]) < inf:
                on, since_s = best, now_s
        now_s += 1
        done_s += bool(on) and now_s > since_s + change_s
    return [*stays, (on, since_s, now_s)]


@pytest.mark.parametrize(
    ("spot", "stays"),
    [
        # On-demand until 2d ahead of the line, then idle until behind it; at 173 s the deadline is in danger.
        (
            set(),
            [
                ("on-demand", 1, 42),
                ("on-demand", 63, 104),
                ("on-demand", 125, 166),
                ("on-demand", 173, 190),
            ],
        ),
        (set(range(1_000)), [("spot", 0, 110)]),
        # Reclaimed at 30 with 20 s done, so behind at 41. Spot is back at 50, but only at 82 are 51 s done.
        (set(range(30)) | set(range(50, 1_000)), [("spot", 0, 30), ("on-demand", 41, 82), ("spot", 82, 141)]),
        # Spot comes late, is taken at once after the first stay, and kept though the deadline is near.
        (
            set(range(45, 60)) | set(range(62, 1_000)),
            [("on-demand", 1, 42), ("spot", 45, 60), ("spot", 62, 136)],
        ),
    ],
    ids=["no spot", "always spot", "hysteresis", "brief spot"],
)
def test_uniform_progress_second_for_second(spot: set[int], stays: list[Stay]) -> None:
    assert under_uniform_progress(spot, work_s=100, change_s=10, deadline_s=200) == stays


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=10),
    st.integers(1, 120),
    st.integers(0, 20),
    st.integers(0, 100),
)
def test_uniform_progress_cannot_be_late(
    spells: list[tuple[int, int]], work_s: int, change_s: int, slack_s: int
) -> None:
    # Whatever the spot devices do, if one change and the work fit before the deadline.
    spot, at_s = set[int](), 0
    for away_s, there_s in spells:
        spot |= set(range(at_s + away_s, at_s + away_s + there_s))
        at_s += away_s + there_s
    deadline_s = work_s + change_s + slack_s
    stays = under_uniform_progress(spot, work_s, change_s, deadline_s)
    assert stays[-1][2] <= deadline_s


@pytest.mark.parametrize(
    ("now_s", "work_s", "spot", "leaves"),
    [
        # Half is done, which is asked for at 100 s; a change takes 10 s.
        (80, 50, False, True),
        (81, 50, False, False),
        (80, 50, True, False),
        # On slow devices the deadline, at 200 s, may be in danger though progress is not behind.
        (49, 130, False, True),
        (50, 130, False, False),
    ],
)
def test_uniform_progress_leaves_on_demand_when_it_can(
    now_s: int, work_s: int, spot: bool, leaves: bool
) -> None:
    job = SomeJob(submit_s=0, estimate_s=50, done_s=50, deadline_s=200)
    offer = SomeOffer(usd=1, ready=10, work=work_s, spot=spot, now_s=now_s)
    assert resolve("offer", "uniform_progress").reconsiders(job, offer) is leaves


# Who gives way, and who comes home


@pytest.mark.parametrize(
    ("spec", "waiting", "running", "gives_way"),
    [
        ("by_order", SomeJob(estimate_s=5), SomeJob(estimate_s=6), True),
        ("by_order", SomeJob(estimate_s=5), SomeJob(estimate_s=5), False),
        ("by_order", SomeJob(estimate_s=6, priority=9), SomeJob(estimate_s=5, priority=1), False),
        ("by_priority", SomeJob(estimate_s=6, priority=9), SomeJob(estimate_s=5, priority=8), True),
        ("by_priority", SomeJob(estimate_s=5, priority=8), SomeJob(estimate_s=6, priority=8), False),
        ("by_priority", SomeJob(estimate_s=5, priority=7), SomeJob(estimate_s=6, priority=8), False),
    ],
)
def test_who_gives_way(spec: str, waiting: SomeJob, running: SomeJob, gives_way: bool) -> None:
    level: Level = lambda job: job.estimate_s  # noqa: E731
    assert resolve("preempt", spec)(waiting, running, level) is gives_way


@pytest.mark.parametrize(
    ("spec", "offer", "home"),
    [
        ("at_checkpoint", SomeOffer(usd=0, ready=0, work=1, leaving=9), True),
        ("at_checkpoint:1h", SomeOffer(usd=0, ready=0, work=3_600), True),
        ("at_checkpoint:1h", SomeOffer(usd=0, ready=0, work=3_599), False),
        # Half an hour on four devices at 2 USD an hour is 4 USD.
        ("when_cheaper", SomeOffer(usd=0, ready=0, work=1_800, leaving=3.99), True),
        ("when_cheaper", SomeOffer(usd=0, ready=0, work=1_800, leaving=4), False),
        ("when_cheaper:30m", SomeOffer(usd=0, ready=0, work=1_800), True),
        ("when_cheaper:30m", SomeOffer(usd=0, ready=0, work=1_799), False),
    ],
)
def test_who_comes_home(spec: str, offer: SomeOffer, home: bool) -> None:
    assert resolve("repatriate", spec)(SomeJob(), offer) is home


def test_nobody_gives_way_or_comes_home_unless_asked_for() -> None:
    assert (resolve("preempt", "nobody"), resolve("repatriate", "stay")) == (None, None)


# How a scenario names them


@pytest.mark.parametrize(
    ("spec", "seconds"),
    [("after:90", 90), ("after:90s", 90), ("after:1.5m", 90), ("after:4h", 14_400), ("after:2d", 172_800)],
)
def test_durations_have_units(spec: str, seconds: float) -> None:
    assert resolve("patience", spec)(SomeJob(), SomeView()) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("30m", 1_800), ("4h", 14_400)])
def test_durations_outside_of_policies(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1h", "inf", "4w"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(DurationError) as refused:
        parse_seconds(text)
    assert str(refused.value).startswith(f'duration "{text}": ')


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
        ("patience", "after:4w", "must be 0 or more seconds, or a number with s, m, h, d or y"),
        ("patience", "after:", "must be 0 or more seconds"),
        ("patience", "after:-1h", "must be 0 or more seconds"),
        ("patience", "after:nan", "must be 0 or more seconds"),
        ("patience", "per_work:1h", "must be a number, 0 or more"),
        ("patience", "never:1h", 'patience "never:1h": takes no argument'),
        ("order", "las:soon", 'order "las:soon": the argument must be a number, 0 or more'),
        ("offer", "spot_up_to", 'offer "spot_up_to": needs an argument, as in "spot_up_to:10"'),
        ("offer", "spot_fallback:0.5", "must be a whole number, 0 or more"),
        ("offer", "uniform_progress:2", "takes no argument"),
        ("preempt", "by_oder", 'preempt "by_oder": unknown; did you mean by_order? (allowed: nobody, '),
        ("repatriate", "when_cheaper:1w", "must be 0 or more seconds, or a number with s, m, h, d or y"),
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


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs a distribution that announces `mine` of a seam, whose code this is."""

    def install(seam: str, code: str) -> None:
        (tmp_path / "mine.py").write_text(code)
        info = tmp_path / "mine-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[exaburst.{seam}]\nmine = mine:mine\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    sys.modules.pop("mine", None)


def test_a_users_own_policy_is_found_by_its_entry_point(
    tmp_path: Path, installed: Callable[[str, str], None]
) -> None:
    installed("order", "def mine():\n    return lambda job, view: -job.gang\n")
    owned = scenario([pool(4)], policy={"order": "mine", "backfill": "none"})
    of = run(owned, trace(job(0, 10, 1), job(0, 10, 3), job(0, 10, 4)), tmp_path / "run")
    assert rows(of, "jobs", "start_s") == [(10,), (10,), (0,)]


@pytest.mark.parametrize("look", ["now_s", "predicted_wait_s(job)", "rented_s(job)"])
def test_an_order_cannot_look_at_what_changes_while_a_job_waits(
    tmp_path: Path, installed: Callable[[str, str], None], look: str
) -> None:
    installed("order", f"def mine():\n    return lambda job, view: -view.{look} / job.estimate_s\n")
    trace(job(0, 10, 1)).write(tmp_path / "trace.parquet")
    text = 'name = "mine"\ntrace = "trace.parquet"\npolicy.order = "mine"\n[[pools]]\n'
    pod = 'name = "own"\npods = 1\ndevice = "b200"\ndevices = 4\n'
    (tmp_path / "mine.toml").write_text(text + pod)
    result = CliRunner().invoke(main, ["replay", str(tmp_path / "mine.toml"), "-o", str(tmp_path / "run")])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    name = look.removesuffix("(job)")
    assert (
        f"exaburst: mine: policy.order: looks at view.{name}, but a key is asked for once, as"
        in result.stderr
    )


def test_a_users_own_order_may_share_by_tags(tmp_path: Path, installed: Callable[[str, str], None]) -> None:
    # Tags of 0, 10, 20 and 0: ties to the lower number.
    installed("order", "def mine():\n    return lambda job, view: view.start_tag(job.owner)\n")
    owned = scenario([pool(1)], policy={"order": "mine"})
    jobs = [*(job(0, 10, 1, owner="a") for _ in range(3)), job(0, 10, 1, owner="b")]
    of = run(owned, trace(*jobs), tmp_path / "run")
    assert rows(of, "jobs", "start_s") == [(0,), (20,), (30,), (10,)]


def test_a_users_own_place_picks_pods(tmp_path: Path, installed: Callable[[str, str], None]) -> None:
    last = "max([at for at, here in enumerate(free) if here >= devices], default=-1)"
    installed("place", f"def mine():\n    return lambda job, devices, free: {last}\n")
    owned = scenario([pool(4, 3)], policy={"place": "mine"})
    of = run(owned, trace(job(0, 10, 3), job(0, 10, 3), job(0, 10, 1)), tmp_path / "run")
    assert rows(of, "attempts", "pods") == [([2],), ([1],), ([2],)]


@pytest.mark.parametrize("answer", ["0", "3", "-2", "None", "0.5"])
def test_a_place_that_is_wrong_ends_the_run(
    tmp_path: Path, installed: Callable[[str, str], None], answer: str
) -> None:
    """The first pod is full when the second job comes."""
    installed("place", f"def mine():\n    return lambda job, devices, free: {answer} if job.job_id else 0\n")
    owned = scenario([pool(4, 3)], policy={"place": "mine"})
    with pytest.raises(PlaceError, match=f"answered {answer} for 2 devices of job 1, where"):
        run(owned, trace(job(0, 10, 3), job(0, 10, 2)), tmp_path / "run")


def test_a_place_cannot_change_what_it_is_shown(
    tmp_path: Path, installed: Callable[[str, str], None]
) -> None:
    installed("place", "def mine():\n    return lambda job, devices, free: free.clear()\n")
    owned = scenario([pool(4)], policy={"place": "mine"})
    with pytest.raises(PolicyError, match="mine, line 2: AttributeError: 'tuple' object"):
        run(owned, trace(job(0, 10, 3)), tmp_path / "run")


# What ageing promises


@pytest.mark.parametrize(("spec", "per_day"), [("priority", 1), ("priority:4", 4)])
@pytest.mark.parametrize("levels", [1, 3, 20, 127])
def test_ageing_makes_up_for_priority_to_the_second(spec: str, per_day: int, levels: int) -> None:
    # Level for level, a wait of a day over the rate; at that very second both are equal.
    order, even_s = resolve("order", spec), levels * DAY // per_day
    old = order(SomeJob(submit_s=0, priority=0), SomeTags())
    news = [order(SomeJob(submit_s=even_s + late, priority=levels), SomeTags()) for late in (-1, 0, 1)]
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


@settings(max_examples=examples(100), deadline=None)
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
