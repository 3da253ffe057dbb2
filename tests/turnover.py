"""Random worlds whose pods come and go, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.scenario import ClosureSpec, LeadSpec, PoolSpec, PortSpec, PurchaseSpec, RetirementSpec
from tests.storms import Tale, tales
from tests.worlds import World

Lives = list[tuple[int, int]]
"""By pod, from when until when it is there."""

LATE_REASONS = ("has closed, and it may", "has too few pods left, and it may")

_INSTANTS = st.integers(0, 11).map(lambda at: 20 * at)
_LEADS: st.SearchStrategy[str | LeadSpec] = st.sampled_from(
    ["0s", "20s", "55s", LeadSpec(mean="60s", sigma=0.5)]
)


@st.composite
def coming(draw: st.DrawFn, /, **fixed: Any) -> Tale:
    """Any tale in which some pods are bought, some retire and some pools close."""
    tale = draw(tales(bound="none", **fixed))
    closed = [draw(st.sampled_from([False, False, True])) for _ in tale.scenario.pools]
    scenario = tale.scenario
    closes_s = draw(st.integers(300, 360))
    pools = tuple(draw(_pool(spec)) for spec in scenario.pools)
    names = [spec.name for spec in pools]
    closures = tuple(
        ClosureSpec(
            pool=spec.name,
            at=f"{closes_s}s",
            drain=draw(st.sampled_from(["0s", "50s"])),
            resale_share=0.25,
            decommission_usd_per_kw=3.0,
            moves_to=tuple(name for name in names if name != spec.name),
        )
        for spec, closes in zip(pools, closed, strict=True)
        if closes
    )
    ports = draw(st.sampled_from([(), (PortSpec(kind="other", device="double", port_s=50, port_usd=9.0),)]))
    scenario = replace(scenario, pools=pools, closures=closures, ports=ports)
    return tale._replace(scenario=scenario)


@st.composite
def _pool(draw: st.DrawFn, /, spec: PoolSpec) -> PoolSpec:
    purchases, counted = [], [(0, spec.pods)]
    for _ in range(draw(st.integers(0, 2))):
        ordered_s, lead, pods = draw(_INSTANTS), draw(_LEADS), draw(st.integers(1, 2))
        usd = draw(st.sampled_from([None, 5e5]))
        purchases.append(PurchaseSpec(ordered=f"{ordered_s}s", lead=lead, pods=pods, usd_per_pod=usd))
        known_s = ordered_s + (int(lead[:-1]) if isinstance(lead, str) else 0)
        counted.append((known_s, pods))
    retirements = _retired(draw, counted)
    return replace(spec, purchases=tuple(purchases), retirements=retirements)


def _retired(draw: st.DrawFn, counted: list[tuple[int, int]]) -> tuple[RetirementSpec, ...]:
    """Retire no more pods than there are then."""
    retirements, gone = [], 0
    for at_s in sorted(draw(st.lists(_INSTANTS, max_size=2))):
        there = sum(pods for known_s, pods in counted if known_s <= at_s) - gone
        if there:
            pods = draw(st.integers(1, there))
            gone += pods
            retirements.append(RetirementSpec(at=f"{at_s}s", pods=pods, resale_share=0.5))
    return tuple(retirements)


def lives(world: World, name: str) -> Lives:
    """When each pod of a pool is there, by run.json."""
    spans: Lives = []
    for batch in world.pools[name]["batches"] or [{"pods": world.pools[name]["pods"]}]:
        came, left = batch.get("delivered_s"), batch.get("retired_s")
        came_s = world.start_s if came is None else max(came, world.start_s)
        spans += [(came_s, world.end_s if left is None else left)] * batch["pods"]
    return spans


def turned_away(world: World) -> bool:
    """Whether some job was rejected long after it was submitted."""
    return any(
        job["state"] == "rejected" and any(reason in job["reason"] for reason in LATE_REASONS)
        for job in world.jobs.values()
    )
