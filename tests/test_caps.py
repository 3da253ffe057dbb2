"""Power as something that jobs wait for: caps, curtailments, and what becomes of those who run.

A device of the tests draws 3.6 kW busy and 0.36 kW idle, so each that is held takes 3.24 kW of what is left.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.run.directory import Run
from scheduler.run.parts import LOGS
from scheduler.scenario import Scenario, ScenarioError, parse_scenario
from scheduler.why.question import setup_of
from scheduler.why.waits import Inquiry
from tests.build import CATALOG, Row, job, offer, pool, rows, run, scenario, trace
from tests.worlds import MEMORY, scenarios, traces
from traces import Trace

BUSY_KW, IDLE_KW = 3.6, 0.36
BACKFILLS = ("none", "greedy", "easy", "conservative", "conservative:2")
ORDERS = ("fcfs", "sjf", "smallest", "edf", "fair_share")
PATIENCE = ("never", "at_once", "after:20s", "per_runtime:0.5")


def cap_kw(devices: int, held: int, pue: float = 1.0) -> float:
    """The cap under which so many of some devices may be held."""
    return pue * (devices * IDLE_KW + held * (BUSY_KW - IDLE_KW))


def site(**more: Any) -> Row:
    return {"name": "here", "pools": ["own"], "pue": 1.0, **more}


def schedule(of: Run) -> list[tuple[Any, ...]]:
    """What became of the jobs, but for money."""
    return rows(of, "jobs", "job_id", "state", "start_s", "end_s", "where", "devices") + rows(
        of, "attempts", "job_id", "attempt", "where", "alloc_s", "start_s", "end_s", "outcome"
    )


POLICIES: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {
        "backfill": st.sampled_from(BACKFILLS),
        "order": st.sampled_from(ORDERS),
        "patience": st.sampled_from(PATIENCE),
    }
)


@settings(max_examples=40, deadline=None)
@given(POLICIES, traces(picky=False), st.integers(1, 8), st.integers(0, 5), st.sampled_from([1.0, 1.15]))
def test_a_cap_worth_some_devices_is_a_pool_of_so_many(
    policy: dict[str, str], over: Trace, held: int, more: int, pue: float
) -> None:
    cloud = [offer("cloud", 8, boot_s=5)]
    here = site(pue=pue, cap_kw=cap_kw(held + more, held, pue))
    capped = scenario([pool(held + more)], cloud, policy=policy, sites=[here])
    small = scenario([pool(held)], cloud, policy=policy)
    with TemporaryDirectory(dir=MEMORY) as folder:
        ran = [run(of, over, Path(folder) / str(at), CATALOG) for at, of in enumerate((capped, small))]
        assert schedule(ran[0]) == schedule(ran[1])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_cap_that_is_never_reached_changes_no_byte(data: st.DataObject) -> None:
    of = data.draw(scenarios(bound="none").filter(lambda one: bool(one.pools)))
    of = data.draw(st.just(without_preemption(of)))
    over = data.draw(traces())
    with TemporaryDirectory(dir=MEMORY) as folder:
        free, capped = (
            run(at_one_site(of, **more), over, Path(folder) / name, CATALOG)
            for name, more in {"free": {}, "capped": {"cap_kw": 1e6}}.items()
        )
        for log in LOGS:
            parts = [one.folder / f"{log}.parquet" / "part-00000.parquet" for one in (free, capped)]
            assert parts[0].read_bytes() == parts[1].read_bytes()


def without_preemption(of: Scenario) -> Scenario:
    return msgspec.structs.replace(of, policy=msgspec.structs.replace(of.policy, preempt="nobody"))


def at_one_site(of: Scenario, **more: Any) -> Scenario:
    """The scenario with all of its pools at one site."""
    sites = [{"name": "here", "pools": [one.name for one in of.pools], **more}]
    return parse_scenario(msgspec.to_builtins(of) | {"sites": sites})


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_site_is_ever_above_its_cap(data: st.DataObject) -> None:
    of = without_preemption(data.draw(scenarios(bound="none").filter(lambda one: bool(one.pools))))
    idle_kw = 1.2 * sum(one.pods * (one.devices or 1) * IDLE_KW for one in of.pools)
    cap = idle_kw + 1.2 * 3.24 * data.draw(st.integers(1, 12))
    over = data.draw(traces())
    with TemporaryDirectory(dir=MEMORY) as folder:
        done = run(at_one_site(of, cap_kw=cap), over, Path(folder), CATALOG)
        assert done.states.site_kw_here.max() <= cap * (1 + 1e-9)
        if done.description["scenario"]["horizon_h"] is None:
            assert "unfinished" not in {state for (state,) in rows(done, "jobs", "state")}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_who_stops_keeps_every_curtailment(data: st.DataObject) -> None:
    of = without_preemption(data.draw(scenarios(bound="none").filter(lambda one: bool(one.pools))))
    idle_kw = 1.2 * sum(one.pods * (one.devices or 1) * IDLE_KW for one in of.pools)
    held = data.draw(st.integers(0, 6))
    from_s, length_s, notice_s = (data.draw(st.integers(*span)) for span in ((0, 200), (1, 150), (0, 60)))
    cut = {"from_h": from_s / 3_600, "to_h": (from_s + length_s) / 3_600, "notice_h": notice_s / 3_600}
    kw = (idle_kw + 1.2 * 3.24 * held) * (1 + 1e-9)
    more = {"curtailments": [{**cut, "kw": kw}], "over_cap": "checkpoint_and_stop"}
    over = data.draw(traces())
    with TemporaryDirectory(dir=MEMORY) as folder:
        done = run(at_one_site(of, **more), over, Path(folder), CATALOG)
        begins_s, states = done.start_s + from_s, done.states
        inside = states[(states.time_s >= begins_s) & (states.time_s < begins_s + length_s)]
        before = states[states.time_s <= begins_s].site_kw_here.tail(1)
        most_kw = max([*inside.site_kw_here, *before], default=0.0)
        assert begins_s >= done.end_s or most_kw <= kw * (1 + 1e-9)


def here(*jobs: Row, folder: Path, devices: int = 4, policy: Row | None = None, **more: Any) -> Run:
    of = scenario([pool(devices)], policy={"patience": "never"} | (policy or {}), sites=[site(**more)])
    return run(of, trace(*jobs), folder)


def window(from_s: int, to_s: int, held: int, notice_s: int = 0, devices: int = 4) -> Row:
    """A curtailment that leaves power for so many devices."""
    hours = {name: second / 3_600 for name, second in (("from_h", from_s), ("to_h", to_s))}
    return {**hours, "kw": cap_kw(devices, held), "notice_h": notice_s / 3_600}


def times(of: Run) -> list[tuple[int, int, str]]:
    return rows(of, "attempts", "alloc_s", "end_s", "outcome")


def test_what_is_known_is_waited_for(tmp_path: Path) -> None:
    # From 100 to 200 there is power for one device, as is known from 40 on. The job of 2 devices at 30 knows
    # nothing of it and runs until 130; the one at 50 would run until 110, and waits until 200; the one at 60
    # ends just in time, and starts at once. So at 100 the first one is above what is left, until it ends.
    known = [window(100, 200, 1, notice_s=60)]
    of = here(job(30, 100, 2), job(50, 60, 2), job(60, 40, 1), folder=tmp_path, curtailments=known)
    assert times(of) == [(30, 130, "finished"), (200, 260, "finished"), (60, 100, "finished")]


def test_a_run_that_begins_some_days_later_has_its_curtailments_then(tmp_path: Path) -> None:
    # As above, three days later, when the run begins; none is held back once there is power again.
    day, known = 3 * 86_400, [window(100, 200, 1, notice_s=60)]
    jobs = [
        job(day + at_s, length_s, gang) for at_s, length_s, gang in ((30, 100, 2), (50, 60, 2), (300, 9, 4))
    ]
    of = here(*jobs, folder=tmp_path, curtailments=known)
    spans = [(day + start_s, day + end_s) for start_s, end_s in ((30, 130), (200, 260), (300, 309))]
    assert [row[:2] for row in times(of)] == spans
    stops = here(*jobs, folder=tmp_path / "stops", curtailments=known, over_cap="checkpoint_and_stop")
    assert [row[:2] for row in times(stops)] == [(day + 30, day + 100), (day + 200, day + 300), *spans[1:]]


def test_those_stop_who_lose_least(tmp_path: Path) -> None:
    # At 100 there is power for 2 devices of the 4 that are held, unannounced. Nothing is saved: the jobs have
    # lost 2 x 100, 1 x 90 and 1 x 40 device-seconds. The second and the third one stop, and run again from
    # 120 on, when the first one has ended.
    jobs = job(0, 120, 2), job(10, 100, 1), job(60, 50, 1)
    of = here(*jobs, folder=tmp_path, curtailments=[window(100, 150, 2)], over_cap="checkpoint_and_stop")
    assert times(of) == [
        (0, 120, "finished"),
        (10, 100, "preempted"),
        (120, 220, "finished"),
        (60, 100, "preempted"),
        (120, 170, "finished"),
    ]
    assert rows(of, "attempts", "lost_device_s") == [(0,), (90,), (0,), (40,), (0,)]


def test_notice_saves_the_work(tmp_path: Path) -> None:
    # A checkpoint takes no time, so any notice is enough: the job keeps its 100 s, and has 20 left.
    of = here(
        job(0, 120, 2, checkpoint_s=1_000),
        folder=tmp_path,
        curtailments=[window(100, 150, 0, notice_s=60)],
        over_cap="checkpoint_and_stop",
    )
    assert times(of) == [(0, 100, "preempted"), (150, 170, "finished")]


def test_why_says_that_it_was_power(tmp_path: Path) -> None:
    # Power for 3 of 5: the second job has its devices at 5, and no power until 50. The third takes a device
    # that is left and ends in time. For the last one 3 are free at 55, and power for one.
    jobs = trace(job(0, 50, 2), job(5, 20, 2), job(8, 10, 1), job(55, 5, 3))
    of = scenario([pool(5)], policy={"patience": "never"}, sites=[site(cap_kw=cap_kw(5, 3))])
    done = run(of, jobs, tmp_path)
    waits = Inquiry(done, setup_of(done, jobs, CATALOG)).waits().table(jobs).to_pylist()
    assert [(row["job_id"], row["from_s"], row["to_s"], row["cause"]) for row in waits] == [
        (1, 5, 50, "power"),
        (3, 55, 70, "power"),
    ]


def test_a_job_that_power_can_never_hold_is_rejected(tmp_path: Path) -> None:
    of = here(job(0, 10, 3), job(0, 10, 2), folder=tmp_path, cap_kw=cap_kw(4, 2))
    assert rows(of, "jobs", "state") == [("rejected",), ("finished",)]


def test_a_closure_frees_power_for_other_pools(tmp_path: Path) -> None:
    # Two pools of 4 with power for 4: the first job holds them all and is stopped as its pool closes at 100.
    # The second one has its devices from the start, and its power from then on.
    cap = {"name": "here", "pools": ["own", "other"], "pue": 1.0, "cap_kw": cap_kw(8, 4)}
    closing = {"pool": "own", "at": "100s"}
    of = scenario(
        [pool(4), pool(4, name="other")], policy={"patience": "never"}, sites=[cap], closures=[closing]
    )
    jobs = trace(job(0, 500, 4, requires="pool:own"), job(1, 20, 4, requires="pool:other"))
    done = run(of, jobs, tmp_path)
    assert rows(done, "attempts", "where", "alloc_s", "end_s")[-1] == ("other", 100, 120)


def test_pools_of_a_site_share_its_power(tmp_path: Path) -> None:
    # Two pools of 4 with power for 5: the second job has its 3 devices, but no power until the first ends.
    cap = {"name": "here", "pools": ["own", "other"], "pue": 1.0, "cap_kw": cap_kw(8, 5)}
    of = scenario([pool(4), pool(4, name="other")], policy={"patience": "never"}, sites=[cap])
    jobs = trace(job(0, 50, 3, requires="pool:own"), job(1, 20, 3, requires="pool:other"), job(2, 5, 2))
    done = run(of, jobs, tmp_path)
    assert rows(done, "jobs", "start_s") == [(0,), (50,), (2,)]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("cap_kw = 100", "site here: cap_kw = 100: must be at least 720, what its pools draw idle"),
        ("curtailments = [{from_h = 0, to_h = 2, kw = 900}, {from_h = 1, to_h = 3, kw = 900}]", "overlap"),
        ('colour = "red"', "colour"),
    ],
)
def test_every_command_says_so_in_a_line(tmp_path: Path, keys: str, said: str) -> None:
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[[pools]]\nname = "own"\npod = "exapod-case-study"\npods = 1\n'
        f'[[sites]]\nname = "here"\npools = ["own"]\n{keys}\n'
    )
    for command in (["check"], ["replay", "-o", str(tmp_path / "run")], ["power"], ["plan"]):
        result = CliRunner().invoke(main, [*command, str(tmp_path / "s.toml")])
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
        assert said in result.stderr
        assert "s.toml" in result.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"cap_kw": 1.0}, r"site here: cap_kw = 1: must be at least 1\.44, what its pools draw idle"),
        ({"curtailments": [{"from_h": 0, "to_h": 1, "kw": 1}]}, "curtailments: kw = 1: must be at least"),
        (
            {"curtailments": [{"from_h": 0, "to_h": 2, "kw": 9}, {"from_h": 1, "to_h": 3, "kw": 9}]},
            "curtailments overlap: one ends at 2 h, one begins at 1 h",
        ),
        (
            {"cap_kw": 5, "curtailments": [{"from_h": 0, "to_h": 2, "kw": 9}]},
            "kw = 9: must be at most cap_kw, 5",
        ),
        ({"over_cap": "pray"}, "over_cap"),
    ],
)
def test_what_is_wrong_with_a_cap_is_said(tmp_path: Path, more: Row, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        here(job(0, 1, 1), folder=tmp_path, **more)


def test_a_cap_goes_without_preemption(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"a cap goes with policy\.preempt nobody alone"):
        here(job(0, 1, 1), folder=tmp_path, cap_kw=9, policy={"preempt": "by_priority"})
