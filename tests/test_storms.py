"""What holds in every weather: conservation, no work on broken devices, work done is work asked and lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from math import ceil, inf
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.run.directory import Run
from scheduler.scenario import PreemptionSpec, Scenario
from scheduler.stock.stock import stock_of
from scheduler.weather import weather_of
from tests import build
from tests import worlds as fair
from tests.books import Books
from tests.examples import examples
from tests.storms import (
    STOPS,
    Tale,
    Weathered,
    again,
    climates,
    endure,
    outage,
    recorded,
    tales,
    worked_s,
)
from tests.test_determinism import ROOT, digests
from tests.test_invariants import data_that_may_not_leave_stays, device_s, held_s
from tests.test_ledger import agrees_with
from tests.worlds import CATALOG, MEMORY, Row, World
from traces import Trace

LAWS = settings(max_examples=examples(150), deadline=None)
RELATIONS = settings(LAWS, max_examples=examples(40))

STORMY = [
    *("replay", str(ROOT / "scheduler" / "scenarios" / "bad_weather.toml")),
    *("--set", "demand.days=2", "--set", "demand.cars=20000000", "--set", "horizon_h=40", "-o"),
]

SETBACKS = ("failed", "reclaimed", "killed")


@LAWS
@given(tales())
def test_every_storm_keeps_the_laws(tale: Tale) -> None:
    world = endure(tale)
    attempts_come_one_by_one(world)
    jobs_end_as_their_last_attempt(world)
    work_begins_when_devices_and_data_are_there(world)
    work_done_is_work_asked_and_lost(world)
    nothing_ends_without_a_cause(world)
    nobody_works_on_what_is_broken(world)
    states_are_what_the_attempts_hold(world)
    devices_are_conserved(world)
    data_that_may_not_leave_stays(world)
    nothing_waits_that_may_start(world)
    others_give_way(world)
    protection_holds(world)
    nothing_is_stuck(world)


@RELATIONS
@given(tales())
def test_the_clerk_finds_the_same_bill(tale: Tale) -> None:
    world = endure(tale)
    agrees_with(Books(world), world)


def attempts_come_one_by_one(world: Weathered) -> None:
    for job in world.jobs.values():
        attempts = job["attempts"]
        assert [attempt["attempt"] for attempt in attempts] == list(range(1, len(attempts) + 1))
        assert job["attempts"] == sorted(attempts, key=lambda attempt: (attempt["alloc_s"], attempt["end_s"]))
        failures = 0
        for before, after in pairwise(attempts):
            assert again(before)
            failures = failures + 1 if before["outcome"] == "failed" else 0
            assert after["alloc_s"] >= before["end_s"] + world.rest_s(failures)
        if attempts:
            ready_s = world.ready_s(job)
            assert ready_s is not None
            assert job["ready_s"] == ready_s <= attempts[0]["alloc_s"]


def jobs_end_as_their_last_attempt(world: Weathered) -> None:
    for logged in world.logged:
        attempts = world.jobs[logged["job_id"]]["attempts"]
        last = attempts[-1]["outcome"] if attempts else None
        assert logged["attempts"] == len(attempts)
        assert logged["state"] in ("finished", "unfinished", "rejected", "killed")
        assert (logged["state"] == "finished") == (last == "finished")
        assert (logged["state"] == "killed") == (last == "killed")
        assert not (attempts and logged["state"] == "rejected")
        over = bool(attempts) and ran_over(world, attempts[-1])
        setbacks = sum(attempt["outcome"] in SETBACKS for attempt in attempts) - over
        assert (setbacks > world.scenario.retries.limit) == (last == "killed" and not over)
        if last is not None:
            assert [logged[name] for name in ("where", "rented", "devices")] == [
                attempts[-1][name] for name in ("where", "rented", "devices")
            ]
        parents = [world.jobs[parent]["state"] for parent in world.jobs[logged["job_id"]]["after"] or []]
        if {"killed", "rejected"} & {*parents}:
            assert logged["state"] == "rejected" or logged["submit_s"] >= world.end_s


def ran_over(world: Weathered, attempt: Row) -> bool:
    """Whether an attempt was killed for its estimate."""
    reason = world.jobs[attempt["job_id"]]["reason"]
    return bool(attempt["outcome"] == "killed" and reason == "ran past its estimate")


def work_begins_when_devices_and_data_are_there(world: Weathered) -> None:
    for attempt in world.attempts:
        job, where = world.jobs[attempt["job_id"]], attempt["where"]
        need = world.need(job, where)
        assert need is not None
        assert (attempt["devices"], attempt["used"]) == need[:2]
        restart_s = world.scenario.checkpoints.restart_s if world.done_s(attempt) else 0
        start_s = attempt["alloc_s"] + restart_s
        if where in world.offers:
            assert not spells(world, attempt, "refused")
            boot_s = world.offers[where]["boot_s"]
            boot_s = ceil(boot_s * ([row["value"] for row in spells(world, attempt, "slow_boot")] or [1])[0])
            if spells(world, attempt, "failed_boot"):
                assert attempt["start_s"] is None
                assert attempt["end_s"] <= attempt["alloc_s"] + boot_s
                continue
            staging_s = ceil(round(job["input_tb"] * world.offers[where]["staging_s_per_tb"], 6))
            start_s += boot_s if world.linked(where) else max(boot_s, staging_s)
            if world.linked(where):
                assert attempt["start_s"] is None or attempt["start_s"] >= start_s
                continue
        working = start_s < attempt["end_s"]
        assert attempt["start_s"] == (start_s if working else None)


def spells(world: Weathered, attempt: Row, what: str) -> list[Row]:
    """What befalls requests at the time of the attempt's."""
    rows = world.rows(attempt["where"], None, what)
    return [row for row in rows if row["from_s"] <= attempt["alloc_s"] < row["to_s"]]


def work_done_is_work_asked_and_lost(world: Weathered) -> None:
    for job in world.jobs.values():
        kept_s = sum(attempt["kept_s"] for attempt in job["attempts"])
        assert kept_s == job["runtime_s"] if job["state"] == "finished" else kept_s <= job["runtime_s"]
    for attempt in world.attempts:
        assert attempt["lost_device_s"] % attempt["used"] == 0
        account = tuple(attempt[name] for name in ("kept_s", "checkpointing_s", "lost_device_s"))
        if world.scenario.checkpoints.interval != "daly":
            assert account in accounts(world, attempt)
        left_s = world.jobs[attempt["job_id"]]["runtime_s"] - world.done_s(attempt)
        assert 0 <= attempt["kept_s"] <= left_s
        assert attempt["kept_s"] < left_s or attempt["outcome"] in ("finished", "unfinished")


def accounts(world: Weathered, attempt: Row) -> set[tuple[int, int, int]]:
    """What (kept_s, checkpointing_s, lost_device_s) it may have come to, by how it ended."""
    left_s = world.jobs[attempt["job_id"]]["runtime_s"] - world.done_s(attempt)
    work_s, interval_s = world.run_s(attempt, left_s), world.interval_s(attempt)
    checkpoints = (work_s - 1) // interval_s if interval_s is not None else 0
    length_s = work_s + checkpoints * world.cost_s
    start_s = attempt["end_s"] if attempt["start_s"] is None else attempt["start_s"]
    held_s = attempt["end_s"] - start_s
    elapsed_s = min(held_s, length_s)
    worked, saved = worked_s(elapsed_s, work_s, interval_s, world.cost_s)
    if world.scenario.kill == "estimate":
        asked_s = world.jobs[attempt["job_id"]]["estimate_s"]
        limit_s = world.run_s(attempt, asked_s) + world.scenario.grace_s
        if ran_over(world, attempt):
            assert held_s == limit_s < length_s
            return {(0, elapsed_s - worked, worked * attempt["used"])}
        assert elapsed_s <= limit_s
    if attempt["outcome"] == "finished":
        assert held_s >= length_s
        assert held_s == length_s or world.linked(attempt["where"])
        return {(left_s, length_s - work_s, 0)}
    if attempt["outcome"] == "unfinished":
        return {(world.reference_s(attempt, worked, left_s), elapsed_s - worked, 0)}
    assert elapsed_s < length_s or world.linked(attempt["where"])
    found = set()
    if not all(saves_in_time(world, attempt)) or attempt["start_s"] is None:
        kept_s = world.reference_s(attempt, saved, left_s - 1)
        found.add((kept_s, elapsed_s - worked, (worked - saved) * attempt["used"]))
    if any(saves_in_time(world, attempt)):
        if interval_s is None or elapsed_s < world.cost_s:
            kept_s = world.reference_s(attempt, saved, left_s - 1)
            found.add((kept_s, elapsed_s - worked, (worked - saved) * attempt["used"]))
        else:
            until_then = min(held_s - world.cost_s, length_s)
            worked = worked_s(until_then, work_s, interval_s, world.cost_s)[0]
            kept_s = world.reference_s(attempt, min(worked, work_s - 1), left_s - 1)
            lost_device_s = attempt["used"] * (worked == work_s)
            found.add((kept_s, elapsed_s - worked, lost_device_s))
    return found


def saves_in_time(world: Weathered, attempt: Row) -> list[bool]:
    """For each thing that may have stopped the attempt, whether it could write a checkpoint before."""
    strikes = [0 < row["notice_s"] >= world.cost_s for row in world.strikes(attempt)]
    if attempt["outcome"] == "preempted" and world.scenario.policy.preempt != "nobody":
        strikes.append(True)
    if attempt["outcome"] == "migrated" or failed_boot(world, attempt):
        strikes.append(False)
    return strikes


def failed_boot(world: Weathered, attempt: Row) -> bool:
    return attempt["rented"] and bool(spells(world, attempt, "failed_boot"))


def nothing_ends_without_a_cause(world: Weathered) -> None:
    for attempt in world.attempts:
        outcome = attempt["outcome"]
        strikes = {STOPS[row["what"]] for row in world.strikes(attempt)}
        if ran_over(world, attempt):
            assert world.scenario.kill == "estimate"
        elif outcome in SETBACKS:
            wanted = {"failed", "reclaimed"} if outcome == "killed" else {outcome}
            assert strikes & wanted or ("failed" in wanted and failed_boot(world, attempt))
        elif outcome == "preempted":
            assert not attempt["rented"]
            assert attempt["alloc_s"] < attempt["end_s"]
            assert "preempted" in strikes or gave_way(world, attempt)
        elif outcome == "migrated":
            assert attempt["rented"]
            assert attempt["start_s"] is not None
            assert attempt["lost_device_s"] == 0
            policy = world.scenario.policy
            assert policy.repatriate != "stay" or policy.offer == "uniform_progress"
        elif outcome == "unfinished":
            assert attempt["end_s"] == world.end_s


def gave_way(world: Weathered, attempt: Row) -> bool:
    """Whether somebody who waited then had a right to the devices."""
    rule = world.scenario.policy.preempt
    decided = (attempt["end_s"] - world.cost_s, attempt["end_s"])
    waited = [
        job
        for job in world.jobs.values()
        if any(since <= time <= until for since, until in world.waits(job) for time in decided)
    ]
    if rule == "by_priority":
        priority = world.jobs[attempt["job_id"]]["priority"]
        return any(job["priority"] > priority for job in waited)
    return rule == "by_order" and bool(waited)


def nobody_works_on_what_is_broken(world: Weathered) -> None:
    """The devices of a pod, and the nodes of an offer, that a gang holds are sound all the while."""
    for attempt in world.attempts:
        for held in world.held[attempt["job_id"], attempt["attempt"]]:
            for row in world.rows(held.where, held.pod, *STOPS) if held.sure else ():
                if world.units(row) & held.units:
                    assert not attempt["alloc_s"] < row["from_s"] < attempt["end_s"]
                    assert not row["from_s"] <= attempt["alloc_s"] < row["to_s"]
    for time in world.instants():
        for name, pod in world.places():
            count, each = world.size(name)
            holding = (row for row in world.here(name, pod) if row["alloc_s"] <= time < row["end_s"])
            devices = sum(world.share(attempt, pod) for attempt in holding)
            assert devices <= (count - len(world.lost(name, pod, time))) * each


def states_are_what_the_attempts_hold(world: Weathered) -> None:
    for time in world.instants():
        for name in world.resources:
            held = sum(attempt["devices"] for attempt in world.holding(name, time))
            assert world.level(f"{'busy' if name in world.pools else 'rented'}_{name}", time) == held
        for name, pool in world.pools.items():
            down = [down_devices(world, name, pod, time) for pod in range(pool["pods"])]
            assert sum(least for least, _ in down) <= world.level(f"down_{name}", time)
            assert world.level(f"down_{name}", time) <= sum(most for _, most in down)
        waiting = world.waiting(time)
        assert world.level("queued_jobs", time) == len(waiting)
        assert world.level("queued_devices", time) == sum(job["gang"] for job in waiting)


def down_devices(world: Weathered, name: str, pod: int, time_s: int) -> tuple[int, int]:
    """How many devices are withheld and not held: exactly, where the log leaves no choice."""
    out = world.withheld(name, pod, time_s)
    least, most = len(out), len(out)
    for attempt in world.here(name, pod):
        if attempt["alloc_s"] <= time_s < attempt["end_s"]:
            for held in world.held[attempt["job_id"], attempt["attempt"]]:
                if held.pod == pod:
                    least -= len(held.units & out) if held.sure else len(held.units)
                    most -= len(held.units & out) if held.sure else 0
    return max(0, least), most


def devices_are_conserved(world: Weathered) -> None:
    """Busy, down and idle, as the ledger has them, are the capacity over the whole run."""
    for name, pool in world.pools.items():
        busy, down, idle = (device_s(world, name, "capital", who) for who in ("job", "down", "idle"))
        assert busy == held_s(world, name)
        assert busy + down + idle == pool["pods"] * pool["pod_devices"] * (world.end_s - world.start_s)
        assert down == level_s(world, f"down_{name}")


def level_s(world: Weathered, column: str) -> int:
    """The sum of a level over the whole run."""
    times = [*(row["time_s"] for row in world.states), world.end_s]
    spans = zip(world.states, pairwise(times), strict=True)
    return sum(int(row[column]) * (until - since) for row, (since, until) in spans)


KEYS: dict[str, Callable[[Row, int], float]] = {
    "fcfs": lambda job, done_s: job["submit_s"],
    "sjf": lambda job, done_s: done_s + max(1, job["estimate_s"] - done_s),
    "srpt": lambda job, done_s: max(1, job["estimate_s"] - done_s),
    "smallest": lambda job, done_s: job["gang"],
    "edf": lambda job, done_s: inf if job["deadline_s"] is None else job["deadline_s"],
}
"""The orders whose key can be read off the job, and what of it is done."""


def nothing_waits_that_may_start(world: Weathered) -> None:
    """After the pass: not the head; under greedy, nobody; nor, with no patience, where nothing is refused."""
    policy = world.scenario.policy
    for time in world.instants():
        waiting = world.waiting(time)
        own = [job for job in waiting if any(world.need(job, name) for name in world.pools)]
        if own and policy.order in KEYS:
            head = min(own, key=lambda job: (KEYS[policy.order](job, done_until(job, time)), job["job_id"]))
            assert not fits(world, head, time)
        if policy.backfill == "greedy":
            assert not any(fits(world, job, time) for job in own)
        refuses = any(row["what"] == "refused" for row in world.outages)
        if policy.patience == "at_once" and policy.offer in ("cheapest", "fastest") and not refuses:
            for name in world.offers:
                count, each = world.size(name)
                left = (count - len(world.withheld(name, None, time))) * each - world.taken(name, time)
                needs = (world.need(job, name) for job in waiting)
                assert not any(need is not None and need[0] <= left for need in needs)


def done_until(job: Row, time_s: int) -> int:
    return sum(int(attempt["kept_s"]) for attempt in job["attempts"] if attempt["end_s"] <= time_s)


def fits(world: Weathered, job: Row, time_s: int) -> bool:
    """Whether some pool surely has room on sound devices."""
    for name, pool in world.pools.items():
        if (need := world.need(job, name)) is not None:
            whole, rest = divmod(need[0], pool["pod_devices"])
            shares = [pool["pod_devices"]] * whole + [rest] * (rest > 0)
            free = [surely_free(world, name, pod, time_s) for pod in range(pool["pods"])]
            best = sorted(free, reverse=True)[: len(shares)]
            if all(pod >= share for pod, share in zip(best, shares, strict=True)):
                return True
    return False


def surely_free(world: Weathered, name: str, pod: int, time_s: int) -> int:
    down = down_devices(world, name, pod, time_s)[1]
    return world.free(name, time_s)[pod] - down


def others_give_way(world: Weathered) -> None:
    """Where nobody is protected and checkpoints take no time, the head takes what it has a right to."""
    policy = world.scenario.policy
    protected = world.scenario.preemption != PreemptionSpec() or world.cost_s
    if policy.preempt == "nobody" or protected or policy.order not in ("fcfs", "smallest", "edf"):
        return
    for time in world.instants():
        own = [job for job in world.waiting(time) if any(world.need(job, name) for name in world.pools)]
        if not own:
            continue
        head = min(own, key=lambda job: (KEYS[policy.order](job, 0), job["job_id"]))
        for name, pool in world.pools.items():
            need = world.need(head, name)
            for pod in range(pool["pods"]) if need is not None else ():
                assert need is not None
                stays = sum(
                    world.share(attempt, pod)
                    for attempt in world.here(name, pod)
                    if attempt["alloc_s"] <= time < attempt["end_s"]
                    and not may_stop(world, attempt, head, time)
                )
                assert need[0] > pool["pod_devices"] - stays - len(world.withheld(name, pod, time))


def may_stop(world: Weathered, attempt: Row, head: Row, time: int) -> bool:
    """Whoever has only begun in this second stays for its length."""
    return attempt["alloc_s"] < time and gives_way(world, head, world.jobs[attempt["job_id"]])


def gives_way(world: Weathered, waiting: Row, running: Row) -> bool:
    policy = world.scenario.policy
    if policy.preempt == "by_priority":
        return bool(waiting["priority"] > running["priority"])
    return KEYS[policy.order](waiting, 0) < KEYS[policy.order](running, 0)


def protection_holds(world: Weathered) -> None:
    spec = world.scenario.preemption
    gave = [
        attempt
        for attempt in world.attempts
        if attempt["outcome"] == "preempted"
        and "preempted" not in {STOPS[row["what"]] for row in world.strikes(attempt)}
    ]
    if spec.most_per_job is not None:
        assert all(n <= spec.most_per_job for n in Counter(attempt["job_id"] for attempt in gave).values())
    if spec.most_per_h is not None and world.end_s < 3_600:
        assert len(gave) <= spec.most_per_h
    if spec.min_run_s:
        for attempt in gave:
            assert attempt["start_s"] is not None
            assert attempt["end_s"] - attempt["start_s"] >= spec.min_run_s


def nothing_is_stuck(world: Weathered) -> None:
    """Without a horizon, jobs are left only where the policy never takes an offer that it could.

    If none are, the run ends with the last of them.
    """
    if world.scenario.horizon_s is None:
        last = [attempt["end_s"] for attempt in world.attempts]
        if all(job["state"] != "unfinished" for job in world.jobs.values()):
            assert world.end_s <= max(last + [job["submit_s"] for job in world.jobs.values()])
        for job in world.jobs.values():
            if job["state"] == "unfinished":
                assert refused_for_ever(world, job), job


def refused_for_ever(world: Weathered, job: Row) -> bool:
    if job["reason"] == "waits for another job":
        left = [world.jobs[parent] for parent in job["after"] if world.jobs[parent]["state"] != "finished"]
        return any(refused_for_ever(world, parent) for parent in left)
    name, _, argument = world.scenario.policy.offer.partition(":")
    if any(world.need(job, pool) for pool in world.pools):
        return False
    offers = [offer for offer in world.scenario.offers if world.need(job, offer.name)]
    reclaims = sum(attempt["outcome"] == "reclaimed" for attempt in job["attempts"])
    return (
        (name == "spot_up_to" and job["gang"] > int(argument) and all(offer.spot for offer in offers))
        or (name == "spot_fallback" and reclaims >= int(argument or 1) and all(o.spot for o in offers))
        or (name == "uniform_progress" and job["deadline_s"] is None and not any(o.spot for o in offers))
    )


# the weather and its file


@RELATIONS
@given(climates())
def test_weather_from_a_file_does_what_it_did_when_drawn(climate: tuple[Scenario, Trace]) -> None:
    with TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        scenario, trace = recorded(climate[0], folder), climate[1]
        stock = stock_of(scenario, CATALOG, trace.epoch)
        drawn = weather_of(scenario, stock, trace)
        once = logs(build.run(scenario, trace, folder / "drawn", CATALOG))
        assert logs(build.run(scenario, trace, folder / "again", CATALOG)) == once
        if drawn is not None:
            drawn.write(folder / "weather.parquet")
            file = str(folder / "weather.parquet")
            told = replace(scenario, weather=file, seed=scenario.seed + 1)
            assert logs(build.run(told, trace, folder / "replayed", CATALOG)) == once


def logs(run: Run) -> dict[str, str]:
    """SHA-256 of all files but the description, by relative path."""
    return {path: digest for path, digest in digests(run.folder).items() if path != "run.json"}


@RELATIONS
@given(
    climates(), st.sampled_from(["srpt", "las:0.02", "edf"]), st.sampled_from(["cheapest", "spot_fallback"])
)
def test_the_weather_is_the_same_whatever_the_policy(
    climate: tuple[Scenario, Trace], order: str, offer: str
) -> None:
    with TemporaryDirectory(dir=MEMORY) as name:
        scenario, trace = recorded(climate[0], Path(name)), climate[1]
        stock = stock_of(scenario, CATALOG, trace.epoch)
        policy = replace(scenario.policy, order=order, offer=offer, patience="at_once")
        drawn, other = (
            weather_of(each, stock, trace) for each in (scenario, replace(scenario, policy=policy))
        )
        assert (drawn is None) == (other is None)
        assert drawn is None or other is None or drawn.table == other.table


# in fair weather it is the plain simulation


@RELATIONS
@given(fair.scenarios(), fair.traces())
def test_an_outage_after_the_end_changes_nothing(scenario: Scenario, trace: Trace) -> None:
    assume(scenario.bound not in ("rented_only", "unlimited_owned"))
    assume(scenario.pools or scenario.bound == "none")
    plain = fair.emulate(scenario, trace)
    assume(plain.end_s > 0)
    late_s = plain.end_s + 1
    late = [outage(late_s, late_s + 9, pool.name, "device", pod=0, devices=1) for pool in scenario.pools]
    late += [outage(late_s, late_s + 9, offer.name, "refused") for offer in scenario.offers]
    agrees(endure(Tale(scenario, late, trace)), plain)


@RELATIONS
@given(fair.scenarios(), fair.traces())
def test_nobody_gives_way_among_equals(scenario: Scenario, trace: Trace) -> None:
    columns = {name: trace.table.column(name) for name in trace.table.column_names}
    columns["priority"] = pa.array([0] * len(trace), pa.int8())
    trace = Trace.from_columns(columns, reference_device=trace.reference_device, epoch=trace.epoch)
    urgent = replace(scenario, policy=replace(scenario.policy, preempt="by_priority"))
    agrees(fair.emulate(urgent, trace), fair.emulate(scenario, trace))


@RELATIONS
@given(climates())
def test_fair_weather_is_that_of_a_scenario_that_says_nothing_of_weather(
    climate: tuple[Scenario, Trace],
) -> None:
    with TemporaryDirectory(dir=MEMORY) as name:
        scenario, trace = recorded(climate[0], Path(name)), climate[1]
        fine = replace(scenario, fair_weather=True)
        agrees(fair.emulate(fine, trace), fair.emulate(without_weather(scenario), trace))


def without_weather(scenario: Scenario) -> Scenario:
    """But a quota is never larger than a recording."""
    stock = stock_of(replace(scenario, bound="none"), CATALOG)
    pools = [replace(pool, failures=(), maintenance=()) for pool in scenario.pools]
    offers = [
        replace(offer, quota=known.quota, reclaim=None, shortages=(), refusals=None, boots=None, drift=None)
        for offer, known in zip(scenario.offers, stock.offers, strict=True)
    ]
    return replace(scenario, pools=tuple(pools), offers=tuple(offers))


def agrees(found: World, expected: World) -> None:
    assert found.attempts == expected.attempts
    assert found.logged == expected.logged
    assert found.states == expected.states
    assert found.spend == expected.spend
    assert found.end_s == expected.end_s


def test_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    """A month of the scenario of bad weather that comes with the package, shortened."""
    found = []
    for seed in ("0", "4711"):
        out = tmp_path / seed
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", "from scheduler.cli import main; main()", *STORMY, str(out)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        found.append(digests(out))
    assert found[0] == found[1]
