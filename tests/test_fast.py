"""The fast lane: the same logs as SimPy's engine to the bit where it covers the scenario."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.engine.log import runlog
from scheduler.replay import Setup, engines, replay
from scheduler.replay.engines import EngineError, choose, covers
from scheduler.replay.verify import MismatchError, verified
from scheduler.run.description import DIGEST, digest
from scheduler.run.directory import Run, open_run
from scheduler.run.parts import LOGS
from tests import build
from tests.build import job, offer, pool
from tests.examples import examples
from tests.lane_worlds import world
from tests.test_determinism import ROOT
from tests.worlds import CATALOG, MEMORY, scenarios, traces

pytestmark = pytest.mark.skipif(find_spec("numba") is None, reason='needs numba, of the extra "fast"')

_POLICY = st.fixed_dictionaries(
    {
        "order": st.sampled_from(
            ["fcfs", "sjf", "srpt", "smallest", "edf", "priority:9000", "priority:0.123456789012345", "las:1"]
        ),
        "first": st.sampled_from(["owned", "owned", "rented"]),
        "place": st.sampled_from(["best_fit", "worst_fit", "first_fit"]),
        "backfill": st.sampled_from(["none", "greedy", "easy", "easy"]),
        "patience": st.sampled_from(
            ["never", "at_once", "after:30", "per_runtime:0.5", "per_gang:5", "per_work:0.1"]
        ),
        "offer": st.sampled_from(["cheapest", "fastest", "spot_up_to:2", "spot_fallback"]),
    }
)


@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_worlds_have_the_same_bytes_on_both_engines(data: st.DataObject) -> None:
    setup = Setup.of(data.draw(scenarios(policy=data.draw(_POLICY))), data.draw(traces()), CATALOG)
    if covers(setup) is None:
        assert differences(setup) == []


def test_worlds_in_which_pods_come_and_go_and_prices_change_have_the_same_bytes_on_both() -> None:
    """Nearly all of them are covered."""
    setups = [(seed, world(seed, CATALOG)) for seed in range(examples(90))]
    covered = [(seed, setup) for seed, setup in setups if covers(setup) is None]
    assert len(covered) >= 0.8 * len(setups)
    assert [seed for seed, setup in covered if differences(setup)] == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"estimate_s": 10}, "jobs that run when pods leave, as of own"),
        ({"estimate_s": 30}, None),
        ({"estimate_s": 10, "kill": "estimate"}, None),
        ({"estimate_s": 10, "kill": "estimate", "grace_s": 1}, "jobs that run when pods leave, as of own"),
    ],
)
def test_pods_leave_under_the_fast_lane_where_nobody_outlives_them(
    more: dict[str, Any], reason: str | None
) -> None:
    """A job of 30 s ends by the end of its pod if it says so, or is killed for it."""
    rows = [job(0, 30, 1, estimate_s=more.pop("estimate_s"))]
    retires = [{"at": "50s", "pods": 1}]
    assert covers(set_up(rows, [pool(4, 2, retirements=retires)], **more)) == reason


@pytest.mark.parametrize(
    ("drain", "reason"), [("28s", "jobs that run when pods leave, as of own"), ("29s", None)]
)
def test_a_pool_closes_under_the_fast_lane_once_all_have_drained(drain: str, reason: str | None) -> None:
    """Who starts a second before the drain of 29 s, and takes 30, ends as the pool closes."""
    closes = [{"pool": "own", "at": "100s", "drain": drain}]
    assert covers(set_up([job(0, 30, 1, estimate_s=9)], [pool(4)], closures=closes)) == reason


@pytest.mark.parametrize("horizon_h", [None, 0.02])
@pytest.mark.parametrize("rows", [1, 7])
def test_small_parts_are_the_same(
    monkeypatch: pytest.MonkeyPatch, rows: int, horizon_h: float | None
) -> None:
    """Some run and wait while parts are written, some are rejected, and the horizon of 72 s cuts off some."""
    monkeypatch.setattr(runlog, "PART_ROWS", rows)
    jobs = [job(at, 3 + at * 7 % 11, 1 + at % 5, estimate_s=20) for at in range(100)]
    pools, offers = [pool(4)], [offer("cloud", 6, boot_s=4, release_s=5)]
    policy = {"backfill": "easy", "patience": "after:10"}
    assert differences(set_up(jobs, pools, offers, policy=policy, horizon_h=horizon_h)) == []


@pytest.mark.parametrize("place", ["best_fit", "worst_fit", "first_fit"])
@pytest.mark.parametrize("backfill", ["none", "greedy", "easy"])
def test_many_pods_are_found_by_count(place: str, backfill: str) -> None:
    """A hundred pods of 3, which are kept in trees, beside a pool of few; gangs of 1 to 3 in bursts."""
    rows = [
        job(7 * (at // 90), 5 + at * 37 % 41, 1 + at % 3, estimate_s=9 + at * 37 % 60) for at in range(900)
    ]
    policy = {"backfill": backfill, "place": place, "order": "sjf", "patience": "never"}
    pools = [pool(3, 100), pool(4, 3, name="few")]
    assert differences(set_up(rows, pools, policy=policy)) == []


@pytest.mark.parametrize("place", ["best_fit", "worst_fit", "first_fit"])
@pytest.mark.parametrize("backfill", ["none", "greedy", "easy"])
@pytest.mark.parametrize("pods", [5, 40])
def test_gangs_across_pods_of_which_some_come_after_others(pods: int, backfill: str, place: str) -> None:
    """Gangs of up to half of all devices, beside a faster pool; each seventh job follows the one before."""
    largest, draw = 3 * pods // 2, random.Random(pods)
    rows = [
        job(
            9 * (at // 3),
            5 + at * 37 % 41,
            draw.choice([1, 2, 4, draw.randint(4, largest)]),
            estimate_s=9 + at * 37 % 60,
            after=[at - 1] if at % 7 == 6 else None,
            after_lag_s=at % 5,
        )
        for at in range(150)
    ]
    policy = {"backfill": backfill, "place": place, "order": "sjf", "patience": "after:40"}
    pools = [pool(3, pods), pool(5, 2, name="fast", device="double")]
    more = {"policy": policy, "kill": "estimate", "horizon_h": 0.2}
    assert differences(set_up(rows, pools, [offer("cloud", 6, boot_s=4)], **more)) == []


def test_jobs_that_come_after_one_that_fits_nowhere_are_rejected(tmp_path: Path) -> None:
    """Job 0 fits nowhere, so 1 and, through it, 2 are lost, and 3, which comes later; 4 waits for 5 s."""
    rows = [
        job(0, 10, 99),
        job(0, 10, 1, after=[0]),
        job(0, 10, 1, after=[1]),
        job(3, 10, 1, after=[2]),
        job(3, 10, 1, after=[5], after_lag_s=5),
        job(3, 7, 1),
    ]
    run = replay(set_up(rows, [pool(4)]), tmp_path / "run", engine="fast")
    nowhere, orphan = (
        "no pool or offer that it may use is large enough",
        "a job it depends on will never finish",
    )
    assert build.rows(run, "jobs", "start_s", "end_s", "reason") == [
        (None, None, nowhere),
        *[(None, None, orphan)] * 3,
        (15, 25, None),
        (3, 10, None),
    ]


def test_a_reservation_is_made_anew_when_another_head_has_started_on_its_pod() -> None:
    """Job 1 holds a reservation of the pod from 100 on. At 20 the smaller job 3 goes before it and starts."""
    rows = [
        job(0, 100, 2, estimate_s=100),
        job(1, 50, 4, estimate_s=50),
        job(2, 10, 1, estimate_s=300),
        job(20, 10, 2, estimate_s=10, priority=9),
        job(21, 60, 1, estimate_s=99),
    ]
    policy = {"order": "priority:0", "backfill": "easy", "patience": "never"}
    assert differences(set_up(rows, [pool(4)], policy=policy)) == []


def test_what_the_fast_lane_logs_is_what_the_story_says(tmp_path: Path) -> None:
    """On a pod of 4: job 1 waits for job 0 until 100, job 2 passes it, job 3 bursts after 10 s, boots 5."""
    rows = [job(0, 100, 3), job(1, 50, 4, residency="owned"), job(2, 90, 1), job(3, 20, 4)]
    policy = {"backfill": "easy", "patience": "after:10"}
    setup = set_up(rows, [pool(4)], [offer("cloud", boot_s=5)], policy=policy)
    run = replay(setup, tmp_path / "run", engine="fast")
    assert build.rows(run, "jobs", "start_s", "end_s", "where") == [
        (0, 100, "own"),
        (100, 150, "own"),
        (2, 92, "own"),
        (18, 38, "cloud"),
    ]
    assert run.description["engine"] == {"name": "fast", "why": "asked for"}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"policy": {"order": "fair_share"}}, 'policy.order "fair_share"'),
        ({"policy": {"backfill": "conservative:2"}}, 'policy.backfill "conservative:2"'),
        ({"policy": {"patience": "predicted:30"}}, 'policy.patience "predicted:30"'),
        ({"policy": {"preempt": "by_order"}}, 'policy.preempt "by_order"'),
        ({"checkpoints": {"interval": "1h", "gb_per_device": 10}}, "checkpoints that cost time"),
        ({"bound": "unlimited_owned"}, "pools without end, as own"),
        ({}, None),
    ],
)
def test_covers_says_what_it_does_not_know(more: dict[str, Any], reason: str | None) -> None:
    assert covers(set_up([job(0, 10, 1)], [pool(4)], **more)) == reason


def test_covers_wants_scores_that_stay() -> None:
    cloud, other = offer("cloud", commitments=[{"devices": 4}]), offer("other")
    assert covers(set_up([job(0, 1, 1)], [pool(4)], [cloud])) is None
    reason = "commitments beside a choice of offers, as cloud"
    assert covers(set_up([job(0, 1, 1)], [pool(4)], [cloud, other])) == reason


def test_the_choice_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    few, fair = (
        set_up([job(0, 1, 1)], [pool(4)], policy={"order": order}) for order in ("fcfs", "fair_share")
    )
    assert choose(few, "simpy") == ("simpy", "asked for")
    assert choose(few, "fast") == ("fast", "asked for")
    assert choose(few, "auto") == ("simpy", "numba is not installed, or does not compile")
    assert choose(fair, "auto") == ("simpy", 'the fast engine does not cover policy.order "fair_share"')
    with pytest.raises(EngineError, match=r'engine "quick": unknown \(allowed: auto, simpy, fast\)'):
        choose(few, "quick")
    with pytest.raises(EngineError, match=r'does not cover policy.order "fair_share"'):
        choose(fair, "fast")


def test_many_runs_pay_for_what_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was compiled, and reading that pays from five jobs on: two runs of two jobs are not enough."""
    for name, value in (("numba_compiles", True), ("is_loaded", False), ("is_on_disk", True)):
        monkeypatch.setattr(engines, name, lambda value=value: value)
    monkeypatch.setattr(engines, "ON_DISK_PAYS_FROM", 5)
    monkeypatch.setattr(engines._Tally, "jobs", 0)
    two = set_up([job(0, 1, 1), job(0, 1, 1)], [pool(4)])
    names = []
    for _ in range(3):
        names.append(choose(two, "auto").name)
        engines.count_jobs(choose(two, "auto"), 2)
    assert names == ["simpy", "simpy", "fast"]


def test_verify_agrees_with_a_good_run_of_either_engine(tmp_path: Path) -> None:
    setup = set_up([job(0, 10, 1), job(5, 10, 4)], [pool(4)], catalog=None)
    for engine, other in (("simpy", "fast"), ("fast", "simpy")):
        run = replay(setup, tmp_path / engine, engine=engine)
        assert verified(run, setup.trace) == (other, 4)


def test_verify_finds_a_doctored_run(tmp_path: Path) -> None:
    """Its jobs are those of a run with another policy, resealed."""
    rows = [job(0, 10, 3), job(1, 10, 4), job(2, 5, 1)]
    honest, other = (
        set_up(rows, [pool(4)], policy={"backfill": name}, catalog=None) for name in ("none", "greedy")
    )
    run = replay(other, tmp_path / "run", engine="simpy")
    description = run.description | {"scenario": replay(honest, tmp_path / "b").description["scenario"]}
    description[DIGEST] = digest(description)
    (run.folder / "run.json").write_text(json.dumps(description))
    with pytest.raises(MismatchError, match=r"run/jobs\.parquet: fast writes it otherwise"):
        verified(open_run(run.folder), honest.trace)


def test_the_command_line_asks_and_verifies(tmp_path: Path) -> None:
    scenario = tmp_path / "s.toml"
    scenario.write_text(
        'name = "s"\ntrace = "j.parquet"\n[[pools]]\nname = "own"\ndevice = "h100"\ndevices = 4\npods = 1\n'
    )
    build.trace(job(0, 10, 1), job(5, 10, 4)).write(tmp_path / "j.parquet")
    run, trace = str(tmp_path / "run"), str(tmp_path / "j.parquet")
    assert invoke("replay", str(scenario), "-o", run, "--engine", "fast")[0] == 0
    code, said = invoke("verify", run, "--trace", trace)
    assert (code, said) == (0, f"{run}: fast and simpy wrote the same 4 files, to the bit\n")
    late = ("--trace", trace, "--from", "5s")
    assert invoke("replay", str(scenario), *late, "-o", f"{run}1", "--engine", "fast")[0] == 0
    code, said = invoke("verify", f"{run}1", *late)
    assert (code, said.splitlines()[-1]) == (0, f"{run}1: fast and simpy wrote the same 4 files, to the bit")
    code, said = invoke(
        *("replay", str(scenario), "-o", f"{run}2", "--engine", "fast", "--set", "policy.order=fair_share")
    )
    assert code == 2
    assert said == 'exaburst: engine "fast": does not cover policy.order "fair_share"; use simpy, or auto\n'


@pytest.mark.slow
def test_compiled_it_writes_the_same_bytes(tmp_path: Path) -> None:
    """In a process of its own, as numba is told once whether to compile."""
    code = """
from pathlib import Path
from benchmarks.bench import demand
from tests.test_fast import differences, set_up
from tests import build
for load, backfill in ((0.8, "none"), (1.1, "easy"), (1.1, "greedy")):
    trace = demand(20_000, load)
    policy = {"backfill": backfill, "patience": "after:10m"}
    scenario = build.scenario([build.pool(120, 7)], [build.offer("cloud", 30)], policy=policy)
    from scheduler.replay import Setup
    assert differences(Setup.of(scenario, trace, build.CATALOG)) == [], (load, backfill)
"""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def invoke(*words: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it said."""
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output


def set_up(
    rows: list[dict[str, Any]],
    pools: list[dict[str, Any]],
    offers: list[dict[str, Any]] | None = None,
    *,
    catalog: Any = CATALOG,
    **more: Any,
) -> Setup:
    """A set-up of jobs, pools and offers."""
    return Setup.of(build.scenario(pools, offers or [], **more), build.trace(*rows), catalog)


def differences(setup: Setup) -> list[str]:
    """The files that the two engines write otherwise, or that one of them lacks."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        fast, simpy = (files(replay(setup, Path(folder) / name, engine=name)) for name in ("fast", "simpy"))
    return [name for name in sorted(fast.keys() | simpy.keys()) if fast.get(name) != simpy.get(name)]


def files(run: Run) -> dict[str, bytes]:
    """The bytes of each part of each log."""
    parts = (part for log in LOGS for part in (run.folder / f"{log}.parquet").iterdir())
    return {f"{part.parent.name}/{part.name}": part.read_bytes() for part in parts}
