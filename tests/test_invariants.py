"""What holds for every cluster, policy and trace: conservation, capacity, causality, residency, money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import ceil, inf

import pyarrow.compute as pc
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.money.ledger import HOUR_S, YEAR_S
from scheduler.scenario import Scenario
from tests import build
from tests.worlds import CATALOG, Row, World, emulate, scenarios, traces
from traces import Trace

LAWS = settings(max_examples=400, derandomize=True, database=None, deadline=None)
RELATIONS = settings(LAWS, max_examples=60)

KEYS: dict[str, Callable[[Row], float]] = {
    "fcfs": lambda job: job["submit_s"],
    "sjf": lambda job: job["estimate_s"],
    "smallest": lambda job: job["gang"],
    "edf": lambda job: inf if job["deadline_s"] is None else job["deadline_s"],
}
"""The orders whose key can be read off the job itself."""

OF_ATTEMPTS = ("start_s", "end_s", "wait_s", "where", "rented", "devices")
"""The columns of a job that speak of its attempt."""


LAST_ARRIVAL_AS_A_GANG_ENDS = (
    build.scenario([build.pool(1)], policy={"patience": "never"}),
    build.trace(build.job(0, 5, 1), build.job(1, 5, 1), build.job(10, 5, 1)),
)
CUT_OFF_WHILE_BOOTING = (
    build.scenario(offers=[build.offer("cloud", boot_s=60)], horizon_h=10 / 3_600),
    build.trace(build.job(0, 5, 1)),
)
HEAD_LEAVES_FOR_THE_CLOUD = (
    build.scenario([build.pool(2)], [build.offer("cloud")], policy={"patience": "after:10s"}),
    build.trace(
        build.job(0, 90, 1), build.job(0, 60, 2), build.job(1, 60, 1, estimate_s=200, residency="owned")
    ),
)


@LAWS
@example(*LAST_ARRIVAL_AS_A_GANG_ENDS)
@example(*CUT_OFF_WHILE_BOOTING)
@example(*HEAD_LEAVES_FOR_THE_CLOUD)
@given(scenarios(), traces())
def test_every_run_keeps_the_laws(scenario: Scenario, trace: Trace) -> None:
    world = emulate(scenario, trace)
    each_job_once_with_one_end(world, trace)
    causes_come_before_effects(world)
    attempts_take_what_the_job_needs_there(world)
    data_that_may_not_leave_stays(world)
    states_are_what_the_attempts_hold(world)
    devices_are_conserved(world)
    nothing_waits_that_may_start(world)
    money_adds_up(world)


def each_job_once_with_one_end(world: World, trace: Trace) -> None:
    assert sorted(job["job_id"] for job in world.logged) == sorted(trace.numpy("job_id").tolist())
    counts = Counter(job["state"] for job in world.logged)
    assert {state: n for state, n in world.run.description["jobs"].items() if n} == counts
    for job in world.jobs.values():
        attempt = job["attempt"]
        assert job["attempts"] == (attempt is not None)
        assert (job["reason"] is None) == (job["state"] == "finished")
        assert (job["state"] == "rejected") == cannot_run(world, job)
        if attempt is None:
            assert job["state"] != "finished"
            assert {job[name] for name in ("start_s", "end_s", "wait_s", "where", "rented", "devices")} == {
                None
            }
        else:
            assert job["state"] == attempt["outcome"]
            assert all(job[name] == attempt[name] for name in ("start_s", "where", "rented", "devices"))
            assert job["end_s"] == (attempt["end_s"] if job["state"] == "finished" else None)
    if world.scenario.horizon_s is None:
        assert "unfinished" not in counts


def cannot_run(world: World, job: Row) -> bool:
    """Submitted, and too large for whatever it may use or after a job that cannot run."""
    horizon_s = world.scenario.horizon_s
    if horizon_s is not None and job["submit_s"] >= horizon_s:
        return False
    follows = job["after"] is not None and world.jobs[job["after"]]["state"] == "rejected"
    return follows or not any(world.need(job, name) for name in world.resources)


def causes_come_before_effects(world: World) -> None:
    for job in world.jobs.values():
        if (attempt := job["attempt"]) is not None:
            start = attempt["end_s"] if attempt["start_s"] is None else attempt["start_s"]
            assert job["ready_s"] == world.ready_s(job) >= job["submit_s"]
            assert job["ready_s"] <= attempt["alloc_s"] <= start <= attempt["end_s"] <= world.end_s
            assert job["wait_s"] == (None if job["start_s"] is None else job["start_s"] - job["ready_s"])


def attempts_take_what_the_job_needs_there(world: World) -> None:
    for attempt in world.attempts:
        job, where = world.jobs[attempt["job_id"]], attempt["where"]
        need = world.need(job, where)
        assert need is not None
        devices, seconds = need
        assert attempt["devices"] == devices
        start = attempt["alloc_s"] + boot_s(world, job, where)
        end = start + seconds
        assert attempt["end_s"] == (end if attempt["outcome"] == "finished" else world.end_s)
        assert attempt["end_s"] <= end
        assert attempt["start_s"] == (start if start < attempt["end_s"] else None)
        pods = 0 if attempt["rented"] else ceil(devices / world.pools[where]["pod_devices"])
        assert len(set(attempt["pods"])) == len(attempt["pods"]) == pods


def boot_s(world: World, job: Row, where: str) -> int:
    """Seconds from renting to work: staging runs beside booting; owned pods need neither."""
    if where in world.pools:
        return 0
    offer = world.offers[where]
    staging = ceil(round(job["input_tb"] * offer["staging_s_per_tb"], 6))
    return int(max(offer["boot_s"], staging))


def data_that_may_not_leave_stays(world: World) -> None:
    for attempt in world.attempts:
        assert attempt["rented"] == (attempt["where"] in world.offers)
        assert not (attempt["rented"] and world.jobs[attempt["job_id"]]["residency"] == "owned")


def states_are_what_the_attempts_hold(world: World) -> None:
    states = {row["time_s"]: row for row in world.states}
    assert len(states) == len(world.states)
    assert list(states) == sorted(states)
    row = dict.fromkeys(world.levels, 0)
    for time in world.instants():
        row = states.get(time, row)
        for name in world.pools:
            assert row[f"busy_{name}"] == sum(held["devices"] for held in world.holding(name, time))
            assert min(world.free(name, time)) >= 0
            assert row[f"down_{name}"] == 0
        for name, offer in world.offers.items():
            level = sum(held["devices"] for held in world.holding(name, time))
            assert row[f"rented_{name}"] == level <= offer["quota"]
        waiting = world.waiting(time)
        assert row["queued_jobs"] == len(waiting)
        assert row["queued_devices"] == sum(job["gang"] for job in waiting)


def devices_are_conserved(world: World) -> None:
    """Busy and idle, as the ledger bills them, are the capacity over the whole run, to the device-second."""
    for name, pool in world.pools.items():
        hours = {row["line"]: row["device_h"] for row in world.spend if row["resource"] == name}
        capacity = pool["pods"] * pool["pod_devices"] * world.end_s
        held = [row for row in world.attempts if row["where"] == name]
        busy = sum(row["devices"] * (row["end_s"] - row["alloc_s"]) for row in held)
        for line in ("capital", "energy"):
            assert round(hours[line] * HOUR_S) == busy
            assert round(hours[f"idle_{line}"] * HOUR_S) == capacity - busy


def nothing_waits_that_may_start(world: World) -> None:
    """After the pass: not the head; under greedy, nobody; nor, out of patience, within a quota."""
    policy = world.scenario.policy
    for time in world.instants():
        waiting = [job for job in world.waiting(time) if any(world.need(job, name) for name in world.pools)]
        if waiting and policy.order in KEYS:
            head = min(waiting, key=lambda job: (KEYS[policy.order](job), job["job_id"]))
            assert not world.fits(head, time)
        if policy.backfill == "greedy":
            assert not any(world.fits(job, time) for job in waiting)
        if policy.patience == "at_once":
            for name, offer in world.offers.items():
                left = offer["quota"] - sum(held["devices"] for held in world.holding(name, time))
                needs = (world.need(job, name) for job in world.waiting(time))
                assert not any(need is not None and need[0] <= left for need in needs)


def money_adds_up(world: World) -> None:
    """Jobs, idle, boot and minimum are the whole ledger, which is what pools and offers cost."""
    lines = Counter[str]()
    for row in world.spend:
        lines[row["line"]] += row["usd"]
    total = sum(row["usd"] for row in world.spend)
    nobodys = sum(lines[name] for name in ("idle_capital", "idle_energy", "boot", "minimum"))
    assert sum(job["spend_usd"] for job in world.logged) + nobodys == pytest.approx(total, rel=1e-9)
    assert min((row["usd"] for row in world.spend), default=0) >= 0
    assert min(job["spend_usd"] for job in world.logged) >= 0
    owned = sum(cost_of_pool(world, name) for name in world.pools)
    rent = sum(bill(world, attempt) for attempt in world.attempts if attempt["rented"])
    assert owned + rent == pytest.approx(total, rel=1e-9)


def cost_of_pool(world: World, name: str) -> float:
    """Straight-line capital for the length of the run, and the energy of busy and idle devices."""
    money, pool = world.scenario.money, world.pools[name]
    spec = next(spec for spec in world.scenario.pools if spec.name == name)
    device = CATALOG.device(spec.device or "")
    held = [row for row in world.attempts if row["where"] == name]
    busy_h = sum(row["devices"] * (row["end_s"] - row["alloc_s"]) for row in held) / HOUR_S
    all_h = pool["pods"] * pool["pod_devices"] * world.end_s / HOUR_S
    kwh = busy_h * device.busy_kw + (all_h - busy_h) * device.idle_kw
    capital = (spec.capital_usd or 0) * pool["pods"] * world.end_s / (money.life_years * YEAR_S)
    return float(capital + kwh * money.pue * money.usd_per_kwh)


def bill(world: World, attempt: Row) -> float:
    """What the provider bills: whole steps from renting to the end, at least the minimum."""
    spec = next(spec for spec in world.scenario.offers if spec.name == attempt["where"])
    offer = CATALOG.offer(spec.offer)
    steps = ceil((attempt["end_s"] - attempt["alloc_s"]) / offer.billing_step_s)
    seconds = max(steps * offer.billing_step_s, offer.minimum_s)
    price = offer.usd_per_device_h if spec.usd_per_device_h is None else spec.usd_per_device_h
    return float(attempt["devices"] * seconds * price / HOUR_S)


ONE_OFFER = [build.offer("cloud", 24, key="nodes", usd_per_device_h=1.25, boot_s=5)]
ONE_POOL = [build.pool(4, pods=2, capital_usd=1e6)]


@RELATIONS
@given(scenarios(offers=ONE_OFFER), traces())
def test_twice_the_price_under_the_same_schedule_is_twice_the_rent(scenario: Scenario, trace: Trace) -> None:
    dearer = replace(scenario, offers=[replace(scenario.offers[0], usd_per_device_h=2.5)])
    once, twice = emulate(scenario, trace), emulate(dearer, trace)
    assert twice.attempts == once.attempts
    for cheap, dear in zip(once.spend, twice.spend, strict=True):
        factor = 2 if cheap["resource"] == "cloud" else 1
        assert dear == cheap | {"usd": factor * cheap["usd"]}


@RELATIONS
@given(scenarios(pools=ONE_POOL, bound="owned_only", horizon_h=None), traces())
def test_no_job_starts_before_it_would_on_pods_without_end(scenario: Scenario, trace: Trace) -> None:
    """True of one pool, on which a job runs as long however many pods there are."""
    bound = emulate(replace(scenario, bound="unlimited_owned"), trace)
    assert {job["state"] for job in bound.logged} <= {"finished"}
    assert {job["wait_s"] for job in bound.logged} <= {0}
    assert not any(attempt["rented"] for attempt in bound.attempts)
    for job_id, job in emulate(scenario, trace).jobs.items():
        assert job["start_s"] is None or job["start_s"] >= bound.jobs[job_id]["start_s"]


@RELATIONS
@given(scenarios(offers=ONE_OFFER, bound="rented_only", horizon_h=None), traces())
def test_without_quotas_nothing_waits_to_be_rented(scenario: Scenario, trace: Trace) -> None:
    world = emulate(scenario, trace)
    assert all(attempt["alloc_s"] == world.jobs[attempt["job_id"]]["ready_s"] for attempt in world.attempts)
    assert not any(job["state"] == "unfinished" for job in world.logged)


@RELATIONS
@given(scenarios(horizon_h=None), traces(), st.integers(1, 10**6))
def test_the_schedule_does_not_depend_on_when_the_epoch_was(
    scenario: Scenario, trace: Trace, by: int
) -> None:
    """Not so under priority with ageing, whose float keys round."""
    assume(not scenario.policy.order.startswith("priority"))
    columns = {name: trace.table.column(name) for name in trace.table.column_names}
    columns |= {name: pc.add(columns[name], by) for name in ("submit_s", "deadline_s")}
    later = Trace.from_columns(columns, reference_device=trace.reference_device)
    moved = [
        attempt | {name: attempt[name] + by for name in ("alloc_s", "start_s", "end_s")}
        for attempt in emulate(scenario, trace).attempts
    ]
    assert emulate(scenario, later).attempts == moved
