"""Limits that keys set each other: what stands exactly there is allowed, and what is a step beyond is not."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.scenario import ScenarioError
from scheduler.scenario.assets import PurchaseSpec, VolumePrice
from tests.build import Row, offer, pool, scenario

OWN = [pool(4)]
MARKET: Row = {"price": {"usd_per_device_h": 1.0}, "segments": []}


def of_pool(**more: Any) -> Row:
    return {"pools": [pool(4, **more)]}


def of_offer(**more: Any) -> Row:
    return {"offers": [offer("cloud", 8, **more)]}


def of_site(**more: Any) -> Row:
    return {"pools": OWN, "sites": [{"name": "here", "pools": ["own"], **more}]}


def of_market(**more: Any) -> Row:
    return {"pools": OWN, "horizon_h": 24, "market": MARKET | more}


def of_queue(**more: Any) -> Row:
    return {"pools": OWN, "queues": [{"name": "a", "quota": 4, **more}]}


def bought(*steps: tuple[int, float]) -> Row:
    discount = [{"pods": pods, "usd_per_pod": usd} for pods, usd in steps]
    return of_pool(purchases=[{"ordered": "1d", "lead": "1d", "pods": 1, "volume_discount": discount}])


def windows(*hours: tuple[float, float], **more: Any) -> list[Row]:
    return [{"from_h": from_h, "to_h": to_h, **more} for from_h, to_h in hours]


def lease(from_h: float) -> Row:
    return {"name": "let", "from_h": from_h, "to_h": 99, "devices": 1, "each": 1, "usd_per_device_h": 1.0}


def segment(**more: Any) -> Row:
    return {
        "name": "s",
        "per_day": 1.0,
        "devices": [1],
        "run_h": 1.0,
        "willingness_usd_per_device_h": 1.0,
        **more,
    }


def of_loop(**more: Any) -> Row:
    keys = {
        "name": "loop",
        "units": 9.0,
        "miles_per_unit_day": 9.0,
        "clips_per_mile": 0.1,
        "trigger_days": 1.0,
    }
    training = {"device_h_per_clip": 0.1, "gang": 1, "evaluation_gang": 1, "evaluation_h": 1.0}
    return {"pools": OWN, "horizon_h": 24, "loops": [{**keys, **training, **more}]}


LIMITS: dict[str, tuple[str, Row, Row]] = {
    "steps of a price": ("must ascend in pods", bought((5, 9.0), (6, 9.0)), bought((5, 9.0), (5, 8.0))),
    "steps go down": ("and not in price", bought((5, 9.0), (6, 8.0)), bought((5, 9.0), (6, 9.5))),
    "maintenance": (
        "every_h = 2.9: must be at least",
        of_pool(maintenance=windows((2, 4), drain_h=1, every_h=3)),
        of_pool(maintenance=windows((2, 4), drain_h=1, every_h=2.9)),
    ),
    "a window": (
        "to_h = 2: must be after from_h",
        of_offer(surges=windows((2, 2.1), factor=2)),
        of_offer(surges=windows((2, 2), factor=2)),
    ),
    "surges": (
        "surges overlap",
        of_offer(surges=windows((2, 4), (4, 5), factor=2)),
        of_offer(surges=windows((2, 4), (3.9, 5), factor=2)),
    ),
    "boots": (
        "must add up to at most 1",
        of_offer(boots={"slow_probability": 0.5, "fail_probability": 0.5}),
        of_offer(boots={"slow_probability": 0.5, "fail_probability": 0.6}),
    ),
    "commitments": (
        "devices = 9: must be at most the quota",
        of_offer(commitments=[{"devices": 8, "discount": 0.1}]),
        of_offer(commitments=[{"devices": 9, "discount": 0.1}]),
    ),
    "curtailments": (
        "kw = 10.5: must be at most cap_kw, 10",
        of_site(cap_kw=10, curtailments=windows((1, 2), (2, 3), kw=10)),
        of_site(cap_kw=10, curtailments=windows((1, 2), kw=10.5)),
    ),
    "curtailments apart": (
        "curtailments overlap",
        of_site(curtailments=windows((1, 2), (2, 3), kw=10)),
        of_site(curtailments=windows((1, 2), (1.5, 3), kw=10)),
    ),
    "lending": ("lend_most = 5: must be at most its quota, 4", of_queue(lend_most=4), of_queue(lend_most=5)),
    "lending nothing": (
        "lend_most = 1: must be at most its quota, 0",
        of_queue(lend_most=0),
        {"pools": OWN, "queues": [{"name": "a", "lend_most": 1}]},
    ),
    "a horizon": ("must be a duration", {"pools": OWN, "horizon": "1s"}, {"pools": OWN, "horizon": "0.9s"}),
    "leases": (
        "from_h = 24: must be before the run ends",
        of_market(leases=[lease(23.9)]),
        of_market(leases=[lease(24)]),
    ),
    "a market": (
        "needs horizon_h",
        of_market(leases=[lease(1)]),
        of_market(leases=[lease(1)]) | {"horizon_h": None},
    ),
    "a loop": ("need horizon_h", of_loop(), of_loop() | {"horizon_h": None}),
    "a trigger": ("give either", of_loop(), of_loop(trigger_clips=1.0)),
    "no trigger": ("give either", of_loop(trigger_days=None, trigger_clips=1.0), of_loop(trigger_days=None)),
    "checkpoints of customers": (
        "only for preemptible customers",
        of_market(segments=[segment(checkpoint_h=1.0)]),
        of_market(segments=[segment(checkpoint_h=1.0, preemptible=False)]),
    ),
    "weights": (
        "must be as many as devices, 2",
        of_market(segments=[segment(devices=[1, 2], weights=[1.0, 2.0])]),
        of_market(segments=[segment(devices=[1, 2], weights=[1.0])]),
    ),
    "declining": (
        "needs a residual_share above 0",
        {"pools": OWN, "money": {"depreciation": "declining", "residual_share": 0.01}},
        {"pools": OWN, "money": {"depreciation": "declining", "residual_share": 0.0}},
    ),
}


@pytest.mark.parametrize("what", LIMITS)
def test_exactly_at_a_limit_is_allowed_and_beyond_is_not(what: str) -> None:
    said, at, beyond = LIMITS[what]
    assert parsed(at)
    with pytest.raises(ScenarioError, match=said):
        parsed(beyond)


def parsed(keys: Row) -> object:
    return scenario(
        keys.get("pools", ()),
        keys.get("offers", ()),
        **{k: v for k, v in keys.items() if k not in ("pools", "offers")},
    )


@pytest.mark.parametrize(("pods", "usd"), [(4, 10.0), (5, 9.0), (6, 9.0), (7, 8.0)])
def test_the_last_step_that_an_order_reaches_is_its_price(pods: int, usd: float) -> None:
    steps = (VolumePrice(pods=5, usd_per_pod=9.0), VolumePrice(pods=7, usd_per_pod=8.0))
    assert PurchaseSpec(ordered="1d", lead="1d", pods=pods, volume_discount=steps).price(10.0) == usd


BUY: Row = {"ordered": "1d", "lead": "1d", "pods": 1}
HALF_OFF: Row = {"devices": 1, "discount": 0.5}
SOON = {
    "ordered": of_pool(purchases=[BUY | {"ordered": "soon"}]),
    "lead": of_pool(purchases=[BUY | {"lead": "soon"}]),
    "lead.mean": of_pool(purchases=[BUY | {"lead": {"mean": "soon", "sigma": 0.5}}]),
    "retirements": of_pool(retirements=[{"at": "soon", "pods": 1}]),
    "closures": {"pools": OWN, "closures": [{"pool": "own", "at": "soon"}]},
    "drain": {"pools": OWN, "closures": [{"pool": "own", "at": "1d", "drain": "soon"}]},
    "commitments": of_offer(commitments=[HALF_OFF | {"since": "soon"}]),
    "commitments.0": of_offer(commitments=[HALF_OFF | {"until": "soon"}]),
    "blocks": of_offer(blocks=[{"since": "soon", "days": 1}]),
    "half_life": of_queue(half_life="soon"),
    "interval": {"pools": OWN, "checkpoints": {"interval": "soon"}},
    "kill": {"pools": OWN, "kill": "soon"},
    "max_age": {"pools": OWN, "policy": {"order": "multifactor", "multifactor": {"max_age": "soon"}}},
    "start": {"pools": OWN, "start": "soon"},
    "offers": of_offer(usd_per_device_h=[["soon", 1.0]]),
    "units": of_loop(units=[["soon", 1.0]]),
    "bound": {"pools": OWN, "bound": "soon"},
}


@pytest.mark.parametrize("key", SOON)
def test_a_text_that_is_no_time_is_named_with_its_key(key: str) -> None:
    with pytest.raises(ScenarioError, match="soon") as raised:
        parsed(SOON[key])
    assert key.partition(".0")[0] in str(raised.value)
