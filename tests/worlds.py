"""Random clusters, policies and traces for Hypothesis, and a run rebuilt by brute force from its attempts."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from fractions import Fraction
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from scheduler.run.directory import Run
from scheduler.scenario import BOUNDS, Scenario, parse_scenario
from tests import build
from traces import Trace

Row = dict[str, Any]

YEAR_S = 365.25 * 86_400
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

AGAIN = ("failed", "reclaimed", "preempted", "migrated")
"""The outcomes after which a job is to run again."""

_TERMS: dict[str, Row] = {
    "plain": {},
    "nodes": {"billing_step_s": 60, "egress_usd_per_gb": 0.09},
    "double": {"sizes": (2,), "minimum_s": 90, "billing_step_s": 7},
    "sizes": {"billing_step_s": 30},
}
CATALOG = msgspec.structs.replace(
    build.CATALOG,
    offers={key: msgspec.structs.replace(build.CATALOG.offer(key), **terms) for key, terms in _TERMS.items()},
)
"""The catalog of the other tests, with billing steps and minimum charges."""

_POLICY = st.fixed_dictionaries(
    {
        "order": st.sampled_from(["fcfs", "sjf", "smallest", "edf", "priority:9000", "fair_share"]),
        "place": st.sampled_from(["best_fit", "worst_fit", "first_fit"]),
        "backfill": st.sampled_from(["none", "greedy", "easy", "conservative:2"]),
        "patience": st.sampled_from(
            [
                *("never", "at_once", "after:30", "per_runtime:0.5"),
                *("per_gang:5", "per_work:0.1", "predicted:30", "deadline"),
            ]
        ),
        "offer": st.sampled_from(["cheapest", "fastest"]),
    }
)


def _window(from_s: int, to_s: int, factor: float) -> Row:
    return {"from_h": from_s / 3_600, "to_h": to_s / 3_600, "factor": factor}


_POOL: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "devices": st.sampled_from([1, 2, 5, 8]),
        "pods": st.integers(1, 3),
        "device": st.sampled_from(["unit", "double"]),
        "capital_usd": st.sampled_from([0.0, 1e6]),
        "span_efficiency": st.sampled_from([0.5, 0.9, 1.0]),
    }
)
TERM = {"since": "30s", "until": "90s", "usd_per_device_h": 0.5}
"""A commitment for a minute, at a price of its own."""
_OFFER: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "key": st.sampled_from(sorted(_TERMS)),
        "quota": st.sampled_from([1, 4, 8, 24]),
        "boot_s": st.sampled_from([0, 5, 30]),
        "staging_gbps": st.sampled_from([800.0, 8_000.0]),
        "usd_per_device_h": st.sampled_from([0.0, 1.25, 3.6, None]),
        "sizes": st.sampled_from([None, None, [1, 4], [2, 3, 8]]),
        "surges": st.sampled_from([[], [], [_window(40, 100, 3), _window(100, 150, 0)]]),
        "commitments": st.sampled_from([[], [], [(1, {})], [(3, TERM)], [(1, {}), (1, TERM)], [(24, {})]]),
        "release_s": st.sampled_from([0, 0, 45]),
    }
)
_MONEY: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "charge_period": st.sampled_from(["hour", "day"]),
        "depreciation": st.sampled_from(["straight_line", "declining"]),
        "life_years": st.sampled_from([5.0, 100 / YEAR_S]),
        "age_years": st.sampled_from([0.0, 0.0, 40 / YEAR_S, 6.0]),
        "residual_share": st.sampled_from([0.1, 1.0]),
        "operations_share_per_year": st.sampled_from([0.0, 0.05]),
        "usd_per_kwh": st.sampled_from([0.0861, tuple(0.01 * hour for hour in range(24))]),
        "transfer_usd_per_gb": st.sampled_from([0.0, 0.01]),
        "tenant_usd_per_device_h": st.sampled_from([0.0, 4.0]),
    }
)
_EPOCHS = ["2026-01-05", "2026-01-05T23:58:20", "2026-01-05T10:59:01"]
_HORIZONS_H = st.integers(1, 400).map(lambda second: second / 3_600)


@st.composite
def scenarios(draw: st.DrawFn, /, **fixed: Any) -> Scenario:
    """Up to two pools and two offers under any policy; `fixed` are keys of the scenario not to be drawn."""
    pools = draw(st.lists(_POOL, max_size=2))
    offers = draw(st.lists(_OFFER, max_size=2))
    for offer in offers:
        left, contracts = offer["quota"], []
        for devices, terms in offer["commitments"]:
            if least := min(devices, left):
                contracts.append({"devices": least} | terms)
                left -= least
        offer["commitments"] = contracts
    raw = {
        "name": "random",
        "pools": [build.pool(name=f"pool{at}", **pool) for at, pool in enumerate(pools)],
        "offers": [build.offer(f"offer{at}", **offer) for at, offer in enumerate(offers)],
        "policy": draw(_POLICY),
        "bound": draw(st.sampled_from(["none"] * 5 + list(BOUNDS))),
        "horizon_h": draw(st.none() | _HORIZONS_H),
        "shares": draw(st.sampled_from([{}, {"ann": 3.0}])),
        "money": draw(_MONEY),
        "kill": draw(st.sampled_from(["never", "never", "estimate"])),
        "grace_s": draw(st.sampled_from([0, 20])),
    } | fixed
    assume(raw["pools"] or raw["offers"])
    return parse_scenario(raw)


def all_committed(offer: Row) -> bool:
    """Whether one commitment pays for all of an offer in every second."""
    return any(
        each["devices"] >= offer["quota"] and each["from_s"] is each["to_s"] is None
        for each in offer["commitments"]
    )


def days_after(epoch: str, days: int) -> int:
    """The second of a midnight after the epoch."""
    then = datetime.fromisoformat(epoch)
    return days * 86_400 - (then.hour * 3_600 + then.minute * 60 + then.second)


_PLACES = st.fixed_dictionaries(
    {
        "requires": st.sampled_from([None] * 6 + ["device:unit", "pool:pool0,pool:offer0", "pool:nowhere"]),
        "excludes": st.sampled_from([None] * 6 + ["device:double", "pool:offer1,device:unit"]),
    }
)


@st.composite
def traces(draw: st.DrawFn, /, picky: bool = True) -> Trace:
    """Up to 16 jobs on any reference device, some of which follow earlier ones; places only where `picky`.

    In most traces all gangs are small, so that jobs queue and do not only fall through, and all times are
    whole steps, so that many things happen at one instant. Some begin at a midnight after the epoch.
    """
    step, largest = draw(st.sampled_from([1, 30, 30])), draw(st.sampled_from([1, 3, 12]))
    count = draw(st.integers(1, 16))
    steps = st.lists(st.integers(0, 150 // step), min_size=count, max_size=count)
    epoch = draw(st.sampled_from(_EPOCHS))
    late_s = draw(st.sampled_from([0, 0, days_after(epoch, 1), days_after(epoch, 400)]))
    submits = [late_s + step * at for at in sorted(draw(steps))]
    ids = draw(st.permutations(range(len(submits))))
    jobs = []
    for at, submit in enumerate(submits):
        runtime, gang = step * draw(st.integers(1, 90 // step)), draw(st.integers(1, largest))
        places = draw(_PLACES) if picky else {}
        jobs.append(_job(draw, submit, runtime, gang, ids[:at]) | {"job_id": ids[at]} | places)
    device = draw(st.sampled_from(["any", "unit", "double"]))
    return build.trace(*jobs, reference_device=device, epoch=epoch)


def _job(draw: st.DrawFn, submit: int, runtime: int, gang: int, earlier: list[int]) -> Row:
    return build.job(
        submit,
        runtime,
        gang,
        estimate_s=draw(st.sampled_from([runtime, 2 * runtime, 100, 30])),
        owner=draw(st.sampled_from(["ann", "bob"])),
        priority=draw(st.integers(0, 2)),
        residency=draw(st.sampled_from(["any", "any", "owned"])),
        deadline_s=draw(st.sampled_from([None, submit + 2 * runtime, submit + 150])),
        workload=draw(st.sampled_from(["other", "tenant"])),
        input_tb=draw(st.sampled_from([0.0, 3.3])),
        output_tb=draw(st.sampled_from([0.0, 0.25])),
        after=draw(st.one_of(st.none(), st.none(), _some(earlier[-3:]))),
        after_lag_s=draw(st.sampled_from([None, None, 0, 20])),
    )


def _some(numbers: list[int]) -> st.SearchStrategy[list[int]]:
    return st.sets(st.sampled_from(numbers), min_size=1).map(sorted) if numbers else st.nothing()


class World:
    """A run as plain rows: `jobs` by job_id, each with the list of its `attempts`, in order of time."""

    def __init__(self, scenario: Scenario, trace: Trace, run: Run) -> None:
        self.scenario, self.run = scenario, run
        self.start_s, self.end_s = run.start_s, run.end_s
        self.reference = trace.reference_device
        self.logged = run.table("jobs").to_pylist()
        attempts = run.table("attempts")
        self.attempts = attempts.drop_columns("spend_usd").to_pylist()
        self.bills = attempts.select(["job_id", "spend_usd"]).to_pylist()
        self.states = run.table("states").to_pylist()
        self.levels = run.table("states").column_names
        self.spend = run.table("spend").to_pylist()
        self.patience = run.table("patience").to_pylist() if run.has("patience") else None
        self.pools = {pool["name"]: pool for pool in run.description["pools"]}
        self.offers = {offer["name"]: offer for offer in run.description["offers"]}
        self.resources = self.pools | self.offers
        asked = {row["job_id"]: row for row in trace.table.to_pylist()}
        self.jobs = {row["job_id"]: asked[row["job_id"]] | row | {"attempts": []} for row in self.logged}
        for attempt in sorted(self.attempts, key=lambda attempt: attempt["alloc_s"]):
            self.jobs[attempt["job_id"]]["attempts"].append(attempt)

    def need(self, job: Row, name: str) -> tuple[int, int, int] | None:
        """Devices held, devices used and seconds that it is given there; None where it cannot run."""
        work, limit = self.takes(job, name, "runtime_s"), self.takes(job, name, "estimate_s")
        if work is None or limit is None or self.scenario.kill == "never":
            return work
        return *work[:2], min(work[2], limit[2] + self.scenario.grace_s)

    def takes(self, job: Row, name: str, column: str) -> tuple[int, int, int] | None:
        """Devices held, devices used and seconds that a run time or an estimate comes to there, exactly."""
        place = self.resources[name]
        here = {f"pool:{name}", f"device:{place['device']}"}
        if job["requires"] is not None and not here & {*job["requires"].split(",")}:
            return None
        if job["excludes"] is not None and here & {*job["excludes"].split(",")}:
            return None
        peak = {key: Fraction(device.peak_pflops) for key, device in CATALOG.devices.items()}
        rate = Fraction(1) if self.reference == "any" else peak[place["device"]] / peak[self.reference]
        devices = used = ceil(job["gang"] / rate)
        if name in self.offers:
            while devices not in place["sizes"] and devices % place["sizes"][-1]:
                devices += 1
            if job["residency"] == "owned" or devices > place["quota"]:
                return None
        elif devices > place["pods"] * place["pod_devices"] and not place["endless"]:
            return None
        elif devices > place["pod_devices"]:
            rate *= Fraction(str(place["span_efficiency"]))
        return devices, used, max(1, ceil(job["gang"] * job[column] / (used * rate)))

    def ready_s(self, job: Row) -> int | None:
        """When the job could start at the earliest; None where what it depends on did not finish in time."""
        parents = [self.jobs[parent] for parent in job["after"] or []]
        if any(parent["state"] != "finished" for parent in parents):
            return None
        lag_s = job["after_lag_s"] or 0
        ready_s = max([job["submit_s"], *(parent["end_s"] + lag_s for parent in parents)])
        return int(ready_s) if ready_s < self.end_s or not parents else None

    def instants(self) -> list[int]:
        """Every second of the run at which anything happens."""
        times = {self.start_s, *(row["time_s"] for row in self.states)}
        for attempt in self.attempts:
            times |= {attempt["alloc_s"], attempt["end_s"], self.free_s(attempt)}
        times |= {ready for job in self.jobs.values() if (ready := self.ready_s(job)) is not None}
        return sorted(time for time in times if time < self.end_s)

    def holding(self, name: str, time_s: int) -> list[Row]:
        """The attempts that hold devices of a pool or offer."""
        there = (attempt for attempt in self.attempts if attempt["where"] == name)
        return [attempt for attempt in there if attempt["alloc_s"] <= time_s < attempt["end_s"]]

    def free_s(self, attempt: Row) -> int:
        """When others may have its devices: rented ones are kept, unless all are paid anyhow."""
        offer = self.offers.get(attempt["where"])
        if offer is None or all_committed(offer):
            return int(attempt["end_s"])
        return int(attempt["end_s"] + offer["release_s"])

    def taken(self, name: str, time_s: int) -> int:
        """Devices of an offer that gangs hold, or that are kept after them."""
        there = [attempt for attempt in self.attempts if attempt["where"] == name]
        return sum(one["devices"] for one in there if one["alloc_s"] <= time_s < self.free_s(one))

    def level(self, column: str, time_s: int) -> int:
        """A level of states.parquet."""
        at = bisect_right(self.states, time_s, key=lambda row: row["time_s"])
        return self.states[at - 1][column] if at else 0

    def waiting(self, time_s: int) -> list[Row]:
        """The jobs that could start but hold nothing: not yet, or not again."""
        return [
            job
            for job in self.jobs.values()
            if any(since <= time_s < until for since, until in self.waits(job))
        ]

    def waits(self, job: Row) -> list[tuple[int, int]]:
        """From when and until when the job could start; after a failure it rests first."""
        ready, spans, failures = self.ready_s(job), [], 0
        if job["state"] == "rejected" or ready is None:
            return []
        for attempt in job["attempts"]:
            spans.append((ready, attempt["alloc_s"]))
            failures = failures + 1 if attempt["outcome"] == "failed" else 0
            ready = attempt["end_s"] + self.rest_s(failures)
        if not job["attempts"] or job["attempts"][-1]["outcome"] in AGAIN:
            spans.append((ready, self.end_s))
        return spans

    def rest_s(self, failures: int) -> int:
        """Seconds of rest after so many failures in a row."""
        retries = self.scenario.retries
        return min(retries.backoff_most_s, retries.backoff_s * 2 ** (failures - 1)) if failures else 0

    def free(self, name: str, time_s: int) -> list[int]:
        """Free devices of each pod of a pool."""
        size = self.pools[name]["pod_devices"]
        free = [size] * self.pools[name]["pods"]
        for attempt in self.holding(name, time_s):
            left = attempt["devices"]
            for pod in attempt["pods"]:
                free[pod] -= min(size, left)
                left -= size
        return free

    def fits(self, job: Row, time_s: int) -> bool:
        """Whether some pool has room: in one pod if that can hold the job, else whole ones and a rest."""
        for name, pool in self.pools.items():
            if (need := self.need(job, name)) is not None:
                whole, rest = divmod(need[0], pool["pod_devices"])
                shares = [pool["pod_devices"]] * whole + [rest] * (rest > 0)
                free = sorted(self.free(name, time_s), reverse=True)[: len(shares)]
                if all(pod >= share for pod, share in zip(free, shares, strict=True)):
                    return True
        return False


def emulate(scenario: Scenario, trace: Trace) -> World:
    """Replay the trace and rebuild the run."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        return World(scenario, trace, build.run(scenario, trace, Path(folder), CATALOG))
