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

from scheduler.scenario import Scenario
from tests import build
from tests.examples import examples
from tests.worlds import Row, World, emulate, scenarios, traces
from traces import Trace
from traces.times import HOUR_S

LAWS = settings(max_examples=examples(400), deadline=None)
RELATIONS = settings(LAWS, max_examples=examples(60))

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
    for row in world.logged:
        assert row["attempts"] == len(world.jobs[row["job_id"]]["attempts"]) <= 1
    for job in world.jobs.values():
        assert (job["reason"] is None) == (job["state"] == "finished")
        assert (job["state"] == "rejected") == cannot_run(world, job)
        if not job["attempts"]:
            assert job["state"] != "finished"
            assert {job[name] for name in ("start_s", "end_s", "wait_s", "where", "rented", "devices")} == {
                None
            }
        for attempt in job["attempts"]:
            assert job["state"] == attempt["outcome"]
            assert all(job[name] == attempt[name] for name in ("start_s", "where", "rented", "devices"))
            assert job["end_s"] == (attempt["end_s"] if job["state"] != "unfinished" else None)
    if world.scenario.horizon_s is None:
        assert "unfinished" not in counts


def cannot_run(world: World, job: Row) -> bool:
    """Submitted, and too large for whatever it may use or after a job that cannot run."""
    ends_s = world.scenario.ends_s(world.start_s)
    if ends_s is not None and job["submit_s"] >= ends_s:
        return False
    parents = [world.jobs[parent] for parent in job["after"] or []]
    follows = any(parent["state"] == "rejected" or killed_before(world, parent) for parent in parents)
    return follows or not any(world.need(job, name) for name in world.resources)


def killed_before(world: World, job: Row) -> bool:
    """Killed before the horizon, at which nothing has consequences any more."""
    return job["state"] == "killed" and (world.scenario.horizon_s is None or job["end_s"] < world.end_s)


def causes_come_before_effects(world: World) -> None:
    for job in world.jobs.values():
        for attempt in job["attempts"]:
            start = attempt["end_s"] if attempt["start_s"] is None else attempt["start_s"]
            assert job["ready_s"] == world.ready_s(job) >= job["submit_s"]
            assert job["ready_s"] <= attempt["alloc_s"] <= start <= attempt["end_s"] <= world.end_s
            assert job["wait_s"] == (None if job["start_s"] is None else job["start_s"] - job["ready_s"])


def attempts_take_what_the_job_needs_there(world: World) -> None:
    for attempt in world.attempts:
        job, where = world.jobs[attempt["job_id"]], attempt["where"]
        need = world.need(job, where)
        assert need is not None
        devices, used, seconds = need
        assert (attempt["devices"], attempt["used"]) == (devices, used)
        if world.reference in ("any", world.resources[where]["device"]) and len(attempt["pods"]) < 2:
            assert used == job["gang"]
            if attempt["outcome"] == "finished":  # wherever it runs, as long as on the reference devices
                assert attempt["end_s"] - attempt["start_s"] == job["runtime_s"]
        start = attempt["alloc_s"] + boot_s(world, job, where)
        end = start + seconds
        assert attempt["end_s"] == (end if attempt["outcome"] != "unfinished" else world.end_s)
        if attempt["outcome"] != "unfinished":
            needed = world.takes(job, where, "runtime_s")
            assert (attempt["outcome"] == "killed") == (needed is not None and needed[2] > seconds)
        lost = used * seconds if attempt["outcome"] == "killed" else 0
        assert attempt["lost_device_s"] == job["lost_device_s"] == lost
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
            assert world.taken(name, time) <= offer["quota"]
        waiting = world.waiting(time)
        assert row["queued_jobs"] == len(waiting)
        assert row["queued_devices"] == sum(job["gang"] for job in waiting)


def devices_are_conserved(world: World) -> None:
    """Busy and idle, as the ledger has them, are the capacity over the whole run, to the device-second."""
    for name, pool in world.pools.items():
        capacity = pool["pods"] * pool["pod_devices"] * (world.end_s - world.start_s)
        assert device_s(world, name, "capital", "job") == held_s(world, name)
        assert device_s(world, name, "capital", "idle") == capacity - held_s(world, name)
    for name, offer in world.offers.items():
        rented = sum(
            device_s(world, name, line, who) for line in ("on_demand", "committed") for who in ("job", "boot")
        )
        unused = device_s(world, name, "committed", "unused_commitment")
        committed = sum(device_s(world, name, "committed", who) for who in ("job", "boot", "idle", "minimum"))
        assert rented == held_s(world, name)
        length_s = world.end_s - world.start_s
        terms = [
            (
                each["devices"],
                0 if each["from_s"] is None else 30,
                90 if each["to_s"] is not None else length_s,
            )
            for each in offer["commitments"]
        ]
        paid_s = sum(devices * max(0, min(until, length_s) - since) for devices, since, until in terms)
        assert committed + unused == paid_s


def device_s(world: World, resource: str, line: str, who: str) -> int:
    """Device-seconds in the ledger."""
    wanted = {"resource": resource, "line": line, "charged_to": who}
    hours = [float(row["quantity"]) for row in world.spend if wanted.items() <= row.items()]
    return round(sum(hours) * HOUR_S)


def held_s(world: World, name: str) -> int:
    """Device-seconds in the attempts."""
    held = [row for row in world.attempts if row["where"] == name]
    return sum(int(row["devices"] * (row["end_s"] - row["alloc_s"])) for row in held)


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
                left = offer["quota"] - world.taken(name, time)
                needs = (world.need(job, name) for job in world.waiting(time))
                assert not any(need is not None and need[0] <= left for need in needs)


def money_adds_up(world: World) -> None:
    """What jobs were charged and brought in is what the ledger charges to jobs, by where they ran."""
    for name in world.resources:
        rows = [row for row in world.spend if row["resource"] == name]
        jobs = [job for job in world.logged if job["where"] == name]
        charged = sum(row["usd"] for row in rows if row["charged_to"] == "job" and row["line"] != "revenue")
        revenue = -sum(row["usd"] for row in rows if row["line"] == "revenue")
        assert sum(job["spend_usd"] for job in jobs) == pytest.approx(charged, rel=1e-9, abs=1e-9)
        assert sum(job["revenue_usd"] for job in jobs) == pytest.approx(revenue, rel=1e-9)
    assert all(row["quantity"] > 0 for row in world.spend)
    charges = [row for row in world.spend if row["line"] != "discount"]  # dearer than on demand, it is none
    assert all((row["usd"] <= 0) if row["line"] == "revenue" else (row["usd"] >= 0) for row in charges)
    assert all(job["spend_usd"] >= 0 and job["revenue_usd"] >= 0 for job in world.logged)
    bills: Counter[int] = Counter()
    for bill in world.bills:
        bills[bill["job_id"]] += bill["spend_usd"]
    assert all(job["spend_usd"] == pytest.approx(bills[job["job_id"]]) for job in world.logged)


ONE_OFFER = [
    build.offer("cloud", 24, key="nodes", usd_per_device_h=1.25, boot_s=5, commitments=[{"devices": 2}])
]
ONE_POOL = [build.pool(4, pods=2, capital_usd=1e6)]


@RELATIONS
@given(scenarios(offers=ONE_OFFER), traces())
def test_twice_the_price_under_the_same_schedule_is_twice_the_rent(scenario: Scenario, trace: Trace) -> None:
    dearer = replace(scenario, offers=[replace(scenario.offers[0], usd_per_device_h=2.5)])
    once, twice = emulate(scenario, trace), emulate(dearer, trace)
    assert twice.attempts == once.attempts
    for cheap, dear in zip(once.spend, twice.spend, strict=True):
        factor = 2 if cheap["line"] in ("on_demand", "committed") else 1
        assert dear == cheap | {"usd": factor * cheap["usd"]}


@RELATIONS
@given(scenarios(pools=ONE_POOL, bound="owned_only", horizon_h=None, kill="never"), traces(picky=False))
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
    """Not so under priority with ageing, whose float keys round, nor where prices change."""
    assume(not scenario.policy.order.startswith("priority"))
    assume(not any(offer.surges for offer in scenario.offers))
    columns = {name: trace.table.column(name) for name in trace.table.column_names}
    columns |= {name: pc.add(columns[name], by) for name in ("submit_s", "deadline_s")}
    later = Trace.from_columns(columns, reference_device=trace.reference_device)
    moved = [
        attempt | {name: attempt[name] + by for name in ("alloc_s", "start_s", "end_s")}
        for attempt in emulate(scenario, trace).attempts
    ]
    assert emulate(scenario, later).attempts == moved
