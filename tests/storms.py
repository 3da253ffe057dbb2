"""Random worlds in bad weather for Hypothesis, and what a run's log says of devices by number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import ceil, gcd
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pyarrow as pa
from hypothesis import assume
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.scenario import CheckpointSpec, LinkSpec, PreemptionSpec, RetrySpec, Scenario
from scheduler.stock.stock import stock_of
from scheduler.weather import WEATHER, Weather
from tests import build
from tests.worlds import AGAIN, CATALOG, MEMORY, Row, World, scenarios
from traces import Trace

STOPS = {
    "device": "failed",
    "cabinet": "failed",
    "pod": "failed",
    "maintenance": "preempted",
    "reclaim": "reclaimed",
}
"""What stops who holds the devices, and how the attempt ends."""

MONEY = {"transfer_usd_per_gb": 0.01, "tenant_usd_per_device_h": 4.0}

UNTIL_S = 600
"""The weather is fair from here on."""

POLICIES = st.fixed_dictionaries(
    {
        "order": st.sampled_from(
            ["fcfs", "sjf", "srpt", "las:0.02", "smallest", "edf", "priority:9000", "fair_share"]
        ),
        "place": st.sampled_from(["best_fit", "worst_fit", "first_fit"]),
        "backfill": st.sampled_from(["none", "greedy", "easy", "conservative:2"]),
        "patience": st.sampled_from(
            ["never", "at_once", "at_once", "after:30", "per_gang:5", "predicted:30", "deadline"]
        ),
        "offer": st.sampled_from(
            ["cheapest", "fastest", "spot_fallback", "spot_fallback:2", "spot_up_to:2", "uniform_progress"]
        ),
        "preempt": st.sampled_from(["nobody", "by_order", "by_priority"]),
        "repatriate": st.sampled_from(["stay", "stay", "at_checkpoint", "at_checkpoint:20", "when_cheaper"]),
    }
)
_CHECKPOINTS = st.builds(
    CheckpointSpec,
    interval=st.sampled_from(["trace", "trace", "none", "daly", "20s"]),
    gb_per_device=st.sampled_from([0.0, 2.0, 10.0]),
    restart_s=st.sampled_from([0, 0, 7, 30]),
)
_RETRIES = st.builds(RetrySpec, limit=st.sampled_from([0, 2, 100]), backoff_s=st.sampled_from([0, 10, 30]))
_PREEMPTION = st.builds(
    PreemptionSpec,
    min_run_s=st.sampled_from([0, 0, 30]),
    most_per_job=st.sampled_from([None, None, 1]),
    most_per_h=st.sampled_from([None, None, 2]),
    protected_share=st.sampled_from([0.0, 0.0, 0.4]),
)


class Tale(NamedTuple):
    """A scenario, what goes wrong in it, and the demand."""

    scenario: Scenario
    outages: list[Row]
    trace: Trace


_POOLS: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "devices": st.sampled_from([1, 2, 4, 8]),
        "pods": st.integers(1, 3),
        "device": st.sampled_from(["unit", "unit", "double"]),
        "capital_usd": st.just(1e6),
    }
)
_OFFERS: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["plain", "nodes", "double", "sizes"]),
        "quota": st.sampled_from([2, 4, 8, 17]),
        "boot_s": st.sampled_from([0, 0, 5, 30]),
        "staging_gbps": st.sampled_from([800.0, 8_000.0]),
        "usd_per_device_h": st.sampled_from([1.25, 3.6]),
        "commitments": st.sampled_from([[], [], [{"devices": 2}]]),
        "release_s": st.sampled_from([0, 0, 45]),
        "spot": st.booleans(),
    }
)


@st.composite
def tales(draw: st.DrawFn, /, **fixed: Any) -> Tale:
    """Any scenario in any weather, which is told row by row; `fixed` are keys of the scenario."""
    pools = [build.pool(name=f"pool{at}", **pool) for at, pool in enumerate(draw(_few(_POOLS)))]
    offers = [build.offer(f"offer{at}", **offer) for at, offer in enumerate(draw(_few(_OFFERS)))]
    bound = draw(st.sampled_from(["none"] * 9 + ["owned_only"] * (len(pools) > 0)))
    keys = {"pools": pools, "offers": offers, "policy": draw(POLICIES), "bound": bound, "money": MONEY}
    assume(pools or offers)
    scenario = replace(
        draw(scenarios(**(keys | fixed))),
        links=draw(_links(tuple(offer["name"] for offer in offers))),
        checkpoints=draw(_CHECKPOINTS),
        retries=draw(_RETRIES),
        preemption=draw(_PREEMPTION),
    )
    return Tale(scenario, draw(_outages(scenario)), draw(jobs()))


def _few(of: st.SearchStrategy[Row]) -> st.SearchStrategy[list[Row]]:
    """None, one or two; mostly one."""
    return st.sampled_from([0, 1, 1, 1, 2]).flatmap(
        lambda count: st.lists(of, min_size=count, max_size=count)
    )


def _links(offers: tuple[str, ...]) -> st.SearchStrategy[tuple[LinkSpec, ...]]:
    """None in most scenarios; else one of 0.25 or 1 TB a second, for all offers."""
    if not offers:
        return st.just(())
    link = st.builds(
        LinkSpec,
        name=st.just("line"),
        gbps=st.sampled_from([2_000.0, 8_000.0]),
        offers=st.just(offers),
        shared_by=st.sampled_from(["job", "kind"]),
    )
    return st.sampled_from([True, False, False]).flatmap(
        lambda some: st.tuples(link) if some else st.just(())
    )


@st.composite
def jobs(draw: st.DrawFn, /) -> Trace:
    """Up to 12 jobs, most of which meet some weather; in most traces all times are whole steps."""
    step, largest = draw(st.sampled_from([1, 30, 30])), draw(st.sampled_from([1, 3, 8]))
    count = draw(st.integers(1, 12))
    submits = sorted(step * draw(st.integers(0, 120 // step)) for _ in range(count))
    rows = [draw(_job(at, submit, step, largest)) for at, submit in enumerate(submits)]
    return build.trace(*rows, reference_device=draw(st.sampled_from(["any", "any", "unit"])))


@st.composite
def _job(draw: st.DrawFn, /, job_id: int, submit_s: int, step: int, largest: int) -> Row:
    runtime_s = step * draw(st.integers(1, 150 // step))
    estimate_s = draw(st.sampled_from([runtime_s, runtime_s, 2 * runtime_s, 50]))
    deadline_s = draw(st.sampled_from([None, submit_s + 2 * runtime_s, submit_s + runtime_s + 40]))
    earlier = st.sampled_from(range(max(0, job_id - 2), job_id)) if job_id else st.nothing()
    after = draw(st.one_of(*[st.none()] * 3, st.sets(earlier, min_size=1).map(sorted)))
    return build.job(
        submit_s,
        runtime_s,
        draw(st.integers(1, largest)),
        job_id=job_id,
        estimate_s=estimate_s,
        owner=draw(st.sampled_from(["ann", "bob"])),
        priority=draw(st.integers(0, 2)),
        residency=draw(st.sampled_from(["any", "any", "any", "owned"])),
        deadline_s=deadline_s,
        input_tb=draw(st.sampled_from([0.0, 3.3])),
        output_tb=draw(st.sampled_from([0.0, 0.25, 6.0])),
        checkpoint_s=draw(st.sampled_from([None, 1, 10, 30])),
        after=after,
        after_lag_s=draw(st.sampled_from([None, None, 0, 25])),
    )


@st.composite
def _outages(draw: st.DrawFn, /, scenario: Scenario) -> list[Row]:
    step = draw(st.sampled_from([1, 30, 30]))
    rows: list[Row] = []
    for pool in scenario.pools:
        rows += draw(st.lists(_of_pod(pool.name, pool.pods, pool.devices or 1, step), max_size=6))
    for offer in scenario.offers:
        node = gcd(*CATALOG.offer(offer.offer).sizes)
        if nodes := offer.quota // node:
            rows += draw(st.lists(_of_nodes(offer.name, nodes, node, step), max_size=6))
        for what in ("refused", "slow_boot", "failed_boot"):
            rows += draw(_in_turn(offer.name, what, step))
    return sorted(rows, key=lambda row: int(row["from_s"]))


@st.composite
def _of_pod(draw: st.DrawFn, /, where: str, pods: int, size: int, step: int) -> Row:
    """A device, a cabinet of two or three, a pod, or maintenance of it."""
    what = draw(st.sampled_from(["device", "device", "cabinet", "pod", "maintenance"]))
    devices = {"device": 1, "cabinet": min(size, draw(st.integers(2, 3)))}.get(what, size)
    notice_s = draw(st.sampled_from([0, 5, 60])) if what == "maintenance" else 0
    where_there = {"pod": draw(st.integers(0, pods - 1)), "first": draw(st.integers(0, size - devices))}
    return draw(_row(where, what, step)) | where_there | {"devices": devices, "notice_s": notice_s}


@st.composite
def _of_nodes(draw: st.DrawFn, /, where: str, nodes: int, node: int, step: int) -> Row:
    what = draw(st.sampled_from(["reclaim", "reclaim", "shortage"]))
    first = draw(st.integers(0, min(2, nodes - 1)))
    end = draw(st.integers(first + 1, nodes))
    notice_s = draw(st.sampled_from([0, 5, 30])) if what == "reclaim" else 0
    there = {"first": first * node, "devices": (end - first) * node}
    return draw(_row(where, what, step)) | there | {"notice_s": notice_s}


@st.composite
def _row(draw: st.DrawFn, /, where: str, what: str, step: int) -> Row:
    from_s = step * draw(st.integers(0, 180 // step))
    to_s = from_s + step * draw(st.integers(1, 90 // step))
    expected_s = draw(st.sampled_from([to_s, from_s, to_s + 50]))
    return outage(from_s, to_s, where, what, expected_s=expected_s)


@st.composite
def _in_turn(draw: st.DrawFn, /, where: str, what: str, step: int) -> list[Row]:
    """Nothing, or up to two spells of one sort."""
    steps = st.lists(st.integers(0, 240 // step), unique=True, max_size=4)
    cuts = sorted(step * at for at in draw(st.just([]) | steps))
    value = 2.5 if what == "slow_boot" else None
    spells = zip(cuts[::2], cuts[1::2], strict=False)
    return [outage(from_s, to_s, where, what, value=value) for from_s, to_s in spells]


def outage(from_s: int, to_s: int, where: str, what: str, **more: Any) -> Row:
    """A row of a weather table; of an offer unless it names a pod."""
    plain = {"pod": None, "first": 0, "devices": 0, "notice_s": 0, "expected_s": to_s, "value": None}
    return {"from_s": from_s, "to_s": to_s, "where": where, "what": what} | plain | more


_MINUTES_H = st.sampled_from([0.5 / 60, 2 / 60, 10 / 60])
_FAILURES = st.fixed_dictionaries(
    {
        "of": st.sampled_from(["device", "cabinet", "pod"]),
        "mtbf_h": _MINUTES_H,
        "repair_h": st.sampled_from([10 / 3_600, 60 / 3_600]),
        "repair_sigma": st.sampled_from([None, 0.0, 1.0]),
    }
).map(lambda failure: failure | {"devices": 2 if failure["of"] == "cabinet" else None})
_MAINTENANCE = st.fixed_dictionaries(
    {
        "from_h": st.sampled_from([0.0, 60 / 3_600]),
        "to_h": st.just(90 / 3_600),
        "drain_h": st.sampled_from([0.0, 30 / 3_600]),
        "every_h": st.sampled_from([None, 150 / 3_600]),
    }
)
_SHORTAGES = st.just([{"from_h": 30 / 3_600, "to_h": 100 / 3_600, "quota": 2}])
_REFUSALS = st.fixed_dictionaries({"probability": st.sampled_from([0.2, 0.6]), "slot_s": st.just(40)})
_BOOTS = st.just({"slow_probability": 0.3, "fail_probability": 0.2, "slot_s": 50})
_DRIFTS = st.just({"volatility": 0.5, "step_h": 40 / 3_600, "spikes_per_day": 24.0})


RECORDING = "nodes.json"
NODES = [2, 2, 1, 3, 0, 0, 2, 1]
"""How many there are, every 20 s."""


@st.composite
def climates(draw: st.DrawFn, /) -> tuple[Scenario, Trace]:
    """Scenarios that say how things go wrong, up to a horizon, and the demand."""
    pools = [pool | {"failures": draw(st.lists(_FAILURES, max_size=2))} for pool in draw(_few(_POOLS))]
    offers = draw(_few(_OFFERS))
    for pool in pools:
        pool["maintenance"] = draw(st.lists(_MAINTENANCE, max_size=1))
    for offer in offers:
        offer |= {
            "reclaim": draw(st.none() | _reclaims()),
            "shortages": draw(st.just([]) | _SHORTAGES),
            "refusals": draw(st.none() | _REFUSALS),
            "boots": draw(st.none() | _BOOTS),
            "drift": draw(st.none() | _DRIFTS),
        }
    keys = {
        "pools": [build.pool(name=f"pool{at}", **pool) for at, pool in enumerate(pools)],
        "offers": [build.offer(f"offer{at}", **offer) for at, offer in enumerate(offers)],
        "policy": draw(POLICIES),
        "money": MONEY,
        "horizon_h": draw(st.integers(30, 400)) / 3_600,
    }
    assume(pools or offers)
    scenario = draw(scenarios(**keys))
    seed, checkpoints, retries = draw(st.integers(0, 99)), draw(_CHECKPOINTS), draw(_RETRIES)
    return replace(scenario, seed=seed, checkpoints=checkpoints, retries=retries), draw(jobs())


def _reclaims() -> st.SearchStrategy[Row]:
    notice_s = st.sampled_from([0, 5, 30])
    drawn = {"up_h": _MINUTES_H, "down_h": st.sampled_from([10 / 3_600, 60 / 3_600]), "notice_s": notice_s}
    recorded = {"recording": st.just(RECORDING), "notice_s": notice_s}
    return st.fixed_dictionaries(drawn) | st.fixed_dictionaries(recorded)


def recorded(of: Scenario, folder: Path) -> Scenario:
    """The same scenario with the recording that it names in a folder, in which it is written."""
    file = folder / RECORDING
    file.write_text(json.dumps({"metadata": {"gap_seconds": 20}, "data": NODES}))
    offers = [
        replace(offer, reclaim=replace(offer.reclaim, recording=str(file)))
        if offer.reclaim is not None and offer.reclaim.recording is not None
        else offer
        for offer in of.offers
    ]
    return replace(of, offers=tuple(offers))


def weather(of: Scenario, outages: list[Row]) -> Weather:
    """The weather of rows made by `outage`, in order of their beginning."""
    stock = stock_of(replace(of, bound="none"), CATALOG)
    devices = {pool.name: pool.pods * pool.pod_devices for pool in stock.pools}
    devices |= {offer.name: offer.most_devices for offer in stock.offers}
    until_s = max([UNTIL_S, *(row["to_s"] for row in outages)])
    return Weather(pa.Table.from_pylist(outages, WEATHER), until_s, of.seed, of.name, devices)


def endure(tale: Tale) -> Weathered:
    """Replay the trace in the weather that is told, and rebuild the run."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        return endured(tale, Path(folder))


def endured(tale: Tale, folder: Path) -> Weathered:
    """The same in a folder that stays."""
    file = folder / "weather.parquet"
    weather(tale.scenario, tale.outages).write(file)
    of = replace(tale.scenario, weather=str(file))
    return Weathered(of, tale.trace, build.run(of, tale.trace, folder / "run", CATALOG), tale.outages)


Key = tuple[int, int]
"""(job_id, number of the attempt)."""


class Held(NamedTuple):
    """Units of a pod, or nodes of an offer, that an attempt held; `sure` if the log leaves no choice."""

    where: str
    pod: int | None
    units: frozenset[int]
    sure: bool


class Weathered(World):
    """A run in bad weather, as plain rows."""

    def __init__(self, scenario: Scenario, trace: Trace, run: Any, outages: list[Row]) -> None:
        super().__init__(scenario, trace, run)
        fair = scenario.bound in ("rented_only", "unlimited_owned")
        self.outages = [] if fair else [row for row in outages if row["where"] in self.resources]
        self.held: dict[Key, list[Held]] = {
            (attempt["job_id"], attempt["attempt"]): [] for attempt in self.attempts
        }
        for name, pod in self.places():
            for key, units in self._numbered(name, pod) if self.rows(name, pod) else ():
                self.held[key].append(units)

    def places(self) -> Iterator[tuple[str, int | None]]:
        """Each pod of each pool, and each offer."""
        yield from ((name, pod) for name, pool in self.pools.items() for pod in range(pool["pods"]))
        yield from ((name, None) for name in self.offers)

    def size(self, name: str) -> tuple[int, int]:
        """(units, devices of each) of a pod or offer."""
        if name in self.pools:
            return self.pools[name]["pod_devices"], 1
        node = gcd(*self.offers[name]["sizes"])
        return self.offers[name]["quota"] // node, node

    def share(self, attempt: Row, pod: int | None) -> int:
        """Devices that an attempt holds of a pod, or of its offer."""
        if pod is None:
            return int(attempt["devices"])
        size, at = self.pools[attempt["where"]]["pod_devices"], attempt["pods"].index(pod)
        return int(min(size, attempt["devices"] - at * size))

    def here(self, name: str, pod: int | None) -> list[Row]:
        """The attempts that held devices of a pod or offer, for a second at least."""
        return [
            attempt
            for attempt in self.attempts
            if attempt["where"] == name
            and (pod is None or pod in attempt["pods"])
            and attempt["alloc_s"] < attempt["end_s"]
        ]

    def rows(self, name: str, pod: int | None = None, *whats: str) -> list[Row]:
        """What befalls a pod or offer, of some sorts."""
        return [
            row
            for row in self.outages
            if row["where"] == name and row["pod"] == pod and row["what"] in (whats or row["what"])
        ]

    def units(self, row: Row) -> set[int]:
        """The units that an outage concerns."""
        each = self.size(row["where"])[1]
        return set(range(row["first"] // each, (row["first"] + row["devices"]) // each))

    def withheld(self, name: str, pod: int | None, time_s: int) -> set[int]:
        """Units that nobody is given: out of service, or about to be."""
        now = (
            self.units(row)
            for row in self.rows(name, pod)
            if row["devices"] and row["from_s"] - row["notice_s"] <= time_s < row["to_s"]
        )
        return set().union(*now)

    def lost(self, name: str, pod: int | None, time_s: int) -> set[int]:
        """Units that nobody can work on."""
        now = (
            self.units(row) for row in self.rows(name, pod, *STOPS) if row["from_s"] <= time_s < row["to_s"]
        )
        return set().union(*now)

    def _numbered(self, name: str, pod: int | None) -> Iterator[tuple[Key, Held]]:
        """Give each attempt the lowest units that are free and not withheld, as the engine says it does.

        Of several that begin at one instant the log does not say which came first.
        """
        count, each = self.size(name)
        held: dict[Key, Held] = {}
        here = self.here(name, pod)
        ends = {(attempt["job_id"], attempt["attempt"]): self.free_s(attempt) for attempt in here}
        for time_s in sorted({attempt["alloc_s"] for attempt in here}):
            held = {key: units for key, units in held.items() if ends[key] > time_s}
            starts = [attempt for attempt in here if attempt["alloc_s"] == time_s]
            sure = len(starts) == 1 and all(units.sure for units in held.values())
            taken = self.withheld(name, pod, time_s).union(*(units.units for units in held.values()))
            free = [unit for unit in range(count) if unit not in taken]
            for attempt in starts:
                needs = self.share(attempt, pod) // each
                assert not sure or needs <= len(free), (name, pod, time_s, attempt)
                units = Held(name, pod, frozenset(free[:needs]), sure)
                held[attempt["job_id"], attempt["attempt"]] = units
                yield (attempt["job_id"], attempt["attempt"]), units
                del free[:needs]

    def instants(self) -> list[int]:
        """Every second at which anything happens, in the weather too."""
        times = set(super().instants())
        for row in self.outages:
            times |= {max(0, row["from_s"] - row["notice_s"]), row["from_s"], row["to_s"]}
        for job in self.jobs.values():
            times |= {since for since, _ in self.waits(job)}
        return sorted(time for time in times if time < self.end_s)

    # attempts

    def earlier(self, attempt: Row) -> list[Row]:
        """The job's attempts before this one."""
        attempts: list[Row] = self.jobs[attempt["job_id"]]["attempts"]
        return attempts[: attempt["attempt"] - 1]

    def done_s(self, attempt: Row) -> int:
        """Reference seconds that were done and kept before."""
        return sum(int(before["kept_s"]) for before in self.earlier(attempt))

    def run_s(self, attempt: Row, reference_s: int) -> int:
        """Seconds that so many reference seconds of the attempt's job take where it ran."""
        job = self.jobs[attempt["job_id"]] | {"runtime_s": reference_s}
        need = self.takes(job, attempt["where"], "runtime_s")
        assert need is not None
        return need[2]

    def reference_s(self, attempt: Row, own_s: int, most_s: int) -> int:
        """The longest reference run, up to `most_s`, that takes at most so long where the attempt ran."""
        return max((run for run in range(1, most_s + 1) if self.run_s(attempt, run) <= own_s), default=0)

    def interval_s(self, attempt: Row) -> int | None:
        """Work between two checkpoints, on the attempt's devices; not for daly."""
        interval, own_s = self.scenario.checkpoints.interval, self.jobs[attempt["job_id"]]["checkpoint_s"]
        if interval == "none" or (interval == "trace" and own_s is None):
            return None
        return self.run_s(attempt, own_s) if interval == "trace" else int(interval.removesuffix("s"))

    @property
    def cost_s(self) -> int:
        """Seconds that writing a checkpoint takes."""
        return ceil(8 * self.scenario.checkpoints.gb_per_device / 16)

    def linked(self, name: str) -> bool:
        """Whether data reaches an offer over a shared link."""
        return any(name in link.offers for link in self.scenario.links)

    def strikes(self, attempt: Row) -> list[Row]:
        """What stopping outages of the attempt's devices begin as it ends."""
        return [
            row
            for held in self.held[attempt["job_id"], attempt["attempt"]]
            for row in self.rows(held.where, held.pod, *STOPS)
            if row["from_s"] == attempt["end_s"] and (not held.sure or self.units(row) & held.units)
        ]


def again(attempt: Row) -> bool:
    """The job is to run again."""
    return attempt["outcome"] in AGAIN


def worked_s(elapsed_s: int, work_s: int, interval_s: int | None, cost_s: int) -> tuple[int, int]:
    """Seconds of (work, saved work) after so many seconds, counted one by one."""
    worked = saved = writing = 0
    for _ in range(elapsed_s):
        if writing:
            writing -= 1
        elif worked < work_s:
            worked += 1
            due = interval_s is not None and worked % interval_s == 0 and worked < work_s
            writing = cost_s if due else 0
        if interval_s is not None and not writing and worked % interval_s == 0 and worked < work_s:
            saved = worked
    return worked, saved
