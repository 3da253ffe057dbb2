"""The generator as a whole: same bytes, separate streams, exact load, jobs that make sense together."""

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.study.reference import reference_of
from tests.examples import examples
from traces import Trace
from traces.arrays import Array
from workloads import Demand, DemandError, generate
from workloads.fleet import Fleet
from workloads.shapes import GANGS, HABITS

ROOT = Path(__file__).parents[1]
REFERENCE = reference_of()
KINDS = {kind.name: kind for kind in Demand().kinds()}


@pytest.fixture(scope="module")
def trace() -> Trace:
    return generate(Demand(), REFERENCE)


def words(trace: Trace, name: str) -> Array:
    codes, meanings = trace.codes(name)
    return np.asarray(np.array(meanings)[codes])


def work_s(trace: Trace) -> Array:
    return np.asarray(trace.numpy("gang").astype(np.int64) * trace.numpy("runtime_s"))


def followed_by(trace: Trace) -> Array:
    """The row of the job that each comes after; -1 for none. Generated jobs come after one at most."""
    counts = trace.after.counts()
    assert counts.max(initial=0) <= 1
    rows = np.full(len(trace), -1)
    rows[counts == 1] = trace.after.rows
    return rows


def test_same_demand_gives_the_same_file_in_another_process(tmp_path: Path) -> None:
    program = (
        "import sys, workloads as w; from scheduler.study.reference import reference_of as r; "
        "w.generate(w.Demand(days=7, seed=5), r()).write(sys.argv[1])"
    )
    digests = set()
    for hash_seed in ("0", "4711"):
        path = tmp_path / f"{hash_seed}.parquet"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, env=environment, check=True)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    generate(Demand(days=7, seed=5), REFERENCE).write(tmp_path / "here.parquet")
    digests.add(hashlib.sha256((tmp_path / "here.parquet").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_another_seed_gives_other_jobs() -> None:
    assert (
        generate(Demand(days=7, seed=1), REFERENCE).sha256
        != generate(Demand(days=7, seed=2), REFERENCE).sha256
    )


def test_more_robots_leave_the_fsd_and_tenant_jobs_as_they_were() -> None:
    few, many = (
        generate(Demand(days=7, robots=robots, tasks=tasks), REFERENCE)
        for robots, tasks in ((1e3, 5), (9e4, 50))
    )
    assert len(many) > len(few)
    ids = ["job_id", "after"]  # rows are numbered over all jobs
    tables = [
        trace.table.filter(words(trace, "workload") != "optimus").drop_columns(ids).to_pylist()
        for trace in (few, many)
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("days", "devices", "load"), [(7, 840, 0.8), (7, 24, 0.9), (10, 1, 0.5), (14, 120, 1.3), (28, 4000, 0.6)]
)
def test_target_load_and_mix_are_hit(days: int, devices: int, load: float) -> None:
    mix = {"fsd": 0.5, "optimus": 0.2, "tenant": 0.3}
    trace = generate(Demand(days=days, devices=devices, load=load, mix=mix), REFERENCE)
    capacity_s = days * 86_400 * devices
    assert work_s(trace).sum() / capacity_s == pytest.approx(load, rel=0.01)
    for workload, share in mix.items():
        part = work_s(trace)[words(trace, "workload") == workload].sum()
        assert part / capacity_s == pytest.approx(load * share, rel=0.01)


def test_the_load_of_cars_follows_from_miles_and_clips() -> None:
    demand = Demand(days=10, cars=1e6, car_growth=0, robots=0, robot_growth=0, tenants=0)
    clips = 1e6 * 35 * 0.005 * 10
    pflop = clips * 65 * 6 * 2e9 * 150_000 / 1e15
    budget_s = sum(demand.budgets(REFERENCE).values())
    assert budget_s == pytest.approx(pflop / (9 * 0.45))  # the catalog's tile, and its MFU on FSD
    trace = generate(demand, REFERENCE)
    assert set(words(trace, "workload")) == {"fsd"}
    assert work_s(trace).sum() == pytest.approx(budget_s, rel=1e-3)


def optimus_s(**arguments: Any) -> float:
    budgets = Demand(days=10, **arguments).budgets(REFERENCE)
    return sum(budget for kind, budget in budgets.items() if kind.startswith("optimus."))


def test_robots_and_tasks_multiply_and_growth_adds_up() -> None:
    still = optimus_s(robots=1000, robot_growth=0, tasks=10)
    assert optimus_s(robots=3000, robot_growth=0, tasks=20) == pytest.approx(6 * still)
    # 36,500 a year are 100 a day: 500 more on average over ten days.
    assert optimus_s(robots=1000, robot_growth=36_500, tasks=10) == pytest.approx(1.5 * still)


def test_default_demand_loads_seven_exapods_with_peaks_beyond(trace: Trace) -> None:
    days = np.bincount(trace.numpy("submit_s") // 86_400, weights=work_s(trace), minlength=28)
    load = days / (840 * 86_400)
    # 1.23e8 + 6.0e7 PFLOP a day over 349,920 and 291,600 a device-day, and 65 devices of tenants: 622 of
    # 840. In 28 days 2.3% more cars and 19.2% more robots drive the first two up by half of that.
    assert load.mean() == pytest.approx((351 * 1.0115 + 205.8 * 1.0959 + 65) / 840, rel=2e-3)
    assert load.max() > 1.2
    assert 5_000 < len(trace) < 100_000
    assert trace.epoch.weekday() == 0


def test_gangs_are_those_of_the_kind_and_at_most_half_of_the_devices(trace: Trace) -> None:
    kinds, gangs = words(trace, "kind"), trace.numpy("gang")
    for name, kind in KINDS.items():
        assert set(gangs[kinds == name]) <= set(kind.gangs) <= set(GANGS)
    small = generate(Demand(devices=25, load=0.9), REFERENCE).numpy("gang")
    assert set(small) <= set(GANGS)
    assert small.max() == 12


def test_fleet_video_never_leaves_and_simulation_may(trace: Trace) -> None:
    kinds, owned = words(trace, "kind"), words(trace, "residency") == "owned"
    for name in ("fsd.foundation", "fsd.release", "fsd.retrain", "fsd.label", "optimus.demonstrations"):
        assert owned[kinds == name].all()
    for name in ("fsd.evaluate", "optimus.policy", "optimus.simulate", "optimus.evaluate"):
        assert not owned[kinds == name].any()
    assert owned[kinds == "fsd.ablation"].mean() == pytest.approx(0.5, abs=0.05)


def test_deadlines_are_releases_that_leave_time_for_the_job_and_what_it_follows(trace: Trace) -> None:
    kinds, deadline, after = words(trace, "kind"), trace.numpy("deadline_s"), followed_by(trace)
    runtime = trace.numpy("runtime_s")
    ready = trace.numpy("submit_s").copy()
    for job in np.flatnonzero(after >= 0):
        ready[job] = max(ready[job], ready[after[job]] + runtime[after[job]])
    for name, kind in KINDS.items():
        of_kind = kinds == name
        if kind.due is not None:
            assert (deadline[of_kind] >= (trace.numpy("submit_s") + kind.due * (runtime - 1))[of_kind]).all()
        elif kind.release_h is None:
            assert (deadline[of_kind] == -1).all()
        else:
            assert (deadline[of_kind] % (kind.release_h * 3600) == 0).all()
            slack_s = HABITS.deadline_slack * runtime[of_kind] - HABITS.follow_s
            assert (deadline[of_kind] >= ready[of_kind] + slack_s).all()


def test_runs_grow_larger_and_fewer_as_the_years_go() -> None:
    """At a fourfold growth a year, gangs are 4^(112.5/365) = 1.533 times as large on days 105 to 120."""
    still, growing = (
        generate(Demand(days=120, devices=8000, car_growth=0, gang_growth=growth, mix={"fsd": 1}), REFERENCE)
        for growth in ({}, {"fsd": 4.0})
    )
    assert work_s(growing).sum() == pytest.approx(work_s(still).sum(), rel=1e-3)
    labels = [words(trace, "kind") == "fsd.label" for trace in (still, growing)]
    late = [trace.numpy("submit_s") >= 105 * 86_400 for trace in (still, growing)]
    gangs = [trace.numpy("gang") for trace in (still, growing)]
    mean = [gang[label & after].mean() for gang, label, after in zip(gangs, labels, late, strict=True)]
    assert mean[1] / mean[0] == pytest.approx(4 ** (112.5 / 365), rel=0.03)
    fewer = np.mean(4.0 ** -(np.arange(120) / 365))
    assert labels[1].sum() / labels[0].sum() == pytest.approx(fewer, rel=0.06)


def test_a_kinds_own_growth_counts_and_what_grew_before() -> None:
    demand = Demand(devices=8000, gang_growth={"fsd": 1.0, "fsd.foundation": 4.0}, gang_years=1.0)
    grown, still = generate(demand, REFERENCE), generate(Demand(devices=8000), REFERENCE)
    foundation = words(grown, "kind") == "fsd.foundation"
    assert set(grown.numpy("gang")[foundation]) <= {
        480,
        600,
        960,
        1080,
        1440,
        1560,
    }  # 4 to 4.5 times, in ExaPODs
    assert np.median(grown.numpy("gang")[~foundation]) == np.median(still.numpy("gang"))


def test_jobs_follow_earlier_jobs_of_the_right_kind(trace: Trace) -> None:
    kinds, after = words(trace, "kind"), followed_by(trace)
    assert (after < np.arange(len(trace))).all()
    for name, kind in KINDS.items():
        followed = after[kinds == name]
        if kind.follows:
            assert set(kinds[followed]) == set(kind.follows)
            assert (np.unique(followed, return_counts=True)[1] == kind.each).all()
        else:
            assert (followed == -1).all()


def test_nearly_all_estimates_cover_the_run_time(trace: Trace) -> None:
    assert (trace.numpy("estimate_s") >= trace.numpy("runtime_s")).mean() >= 1 - HABITS.underask_share


def test_data_and_every_number_are_finite(trace: Trace) -> None:
    for name in ("input_tb", "output_tb"):
        assert np.isfinite(trace.numpy(name)).all()
        assert (trace.numpy(name) >= 0).all()
    assert set(words(trace, "owner")) >= {"optimus-task-30", "tenant-12", "fsd-labelling"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"days": 0}, "days = 0: must be a whole number from 1 to 3653 day"),
    ({"days": 7.5}, "days = 7.5: must be a whole number"),
    ({"days": True}, "days = True"),
    ({"cars": math.nan}, "cars = nan: must be a number from 0"),
    ({"cars": "many"}, "cars = 'many'"),
    ({"seed": -1}, "seed = -1"),
    ({"load": 0.0}, "load = 0.0"),
    ({"mix": {"fsd": 0.5}}, "mix = {'fsd': 0.5}: must be shares of fsd, optimus, tenant"),
    ({"mix": {"cars": 1.0}}, "mix = {'cars': 1.0}"),
    ({"mix": {"fsd": "all"}}, "mix"),
    *(({"mix": odd}, f"mix = {odd!r}: must be shares") for odd in ([], "", {}, 0, ["fsd"], {"fsd": True})),
    (
        {"time_zone": "Texas"},
        "time_zone = 'Texas': must be a zone of the IANA's database, as America/Chicago",
    ),
    ({"time_zone": "../zone"}, "time_zone = '../zone'"),
    ({"time_zone": 6}, "time_zone = 6"),
    ({"gang_growth": 2}, "gang_growth = 2: must be a table"),
    (
        {"gang_growth": {"fsd.foundations": 2}},
        "unknown kind 'fsd.foundations'; did you mean fsd.foundation?",
    ),
    ({"gang_growth": {"fsd": 0}}, "gang_growth: fsd = 0: must be a factor a year, from 0.01 to 100"),
    ({"gang_years": -1}, "gang_years = -1"),
    ({"load": 0.5, "cars": 0, "car_growth": 0, "robots": 0, "robot_growth": 0, "tenants": 0}, "load = 0.5"),
    ({"days": 3650, "load": 1.0, "devices": 1_000_000}, "jobs: at most"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_bad_demand_gets_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DemandError) as caught:
        generate(Demand(**arguments), REFERENCE)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fleet_figure_out_of_bounds_is_named() -> None:
    with pytest.raises(DemandError, match=r"^tokens_per_clip = -1: must be a number from 0 to 1e\+09 token$"):
        Fleet(tokens_per_clip=-1)


def test_no_fleet_gives_an_empty_trace() -> None:
    nobody = Demand(cars=0, car_growth=0, robots=0, robot_growth=0, tenants=0)
    assert len(generate(nobody, REFERENCE)) == 0


@settings(max_examples=examples(60), deadline=None)
@given(
    days=st.integers(1, 21),
    seed=st.integers(0, 2**40),
    cars=st.floats(0, 1e7),
    robots=st.floats(0, 1e5),
    tasks=st.integers(1, 60),
    tenants=st.integers(0, 30),
    load=st.none() | st.floats(1e-6, 2),
    devices=st.integers(1, 1000),
    mix=st.none() | st.sampled_from([{"fsd": 1.0}, {"tenant": 1}, {"optimus": 0.5, "tenant": 0.5}]),
)
def test_any_demand_is_a_valid_trace_or_an_error(**arguments: Any) -> None:
    demand = Demand(car_growth=0, robot_growth=0, **arguments)
    try:
        trace = generate(demand, REFERENCE)
    except DemandError:
        assert demand.cars == demand.robots == demand.tenants == 0
        return
    submit = trace.numpy("submit_s")
    assert (np.diff(submit) >= 0).all()
    assert ((submit >= 0) & (submit < demand.horizon_s)).all()
    assert (followed_by(trace) < np.arange(len(trace))).all()
    assert trace.numpy("gang").max(initial=1) <= max(1, demand.devices // 2)
    assert trace.numpy("runtime_s").min(initial=1) >= 1
