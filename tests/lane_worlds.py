"""Random worlds for the fast lane: gangs over pods, pods that come and go, prices that change."""

from __future__ import annotations

import random
from typing import Any

from scheduler.catalog import Catalog
from scheduler.replay import Setup
from tests import build
from tests.build import Row, job, offer, pool

ORDERS = ("fcfs", "sjf", "smallest", "edf", "priority:9000", "srpt", "las")


def world(seed: int, catalog: Catalog) -> Setup:
    """A world in which estimates are kept, or else jobs are killed at theirs; so nobody outlives its pod."""
    draw = random.Random(seed)
    kills = draw.random() < 0.3
    pools = [_pool(draw, f"pool{at}") for at in range(draw.choice([1, 1, 2, 3]))]
    devices = sum(
        one["devices"] * (one["pods"] + sum(bought["pods"] for bought in one["purchases"])) for one in pools
    )
    offers = [_offer(draw, f"cloud{at}") for at in range(draw.choice([0, 1, 2, 3]))]
    policy = {
        "order": draw.choice(ORDERS),
        "place": draw.choice(["best_fit", "worst_fit", "first_fit"]),
        "backfill": draw.choice(["none", "greedy", "easy", "easy"]),
        "patience": draw.choice(["never", "at_once", "after:10", "per_gang:5"]),
        "first": draw.choice(["owned", "owned", "rented"]),
        "offer": draw.choice(["cheapest", "cheapest", "fastest", "spot_up_to:2"]),
    }
    more: Row = {"policy": policy, "horizon_h": draw.choice([None, None, 0.05, 0.2])}
    if kills:
        more["kill"] = "estimate"
    if draw.random() < 0.3:
        at, drain = draw.choice(["300s", "410s"]), draw.choice(["60s", "130s"])
        more["closures"] = [{"pool": "pool0", "at": at, "drain": drain}]
    jobs = _jobs(draw, devices, kills=kills)
    return Setup.of(build.scenario(pools, offers, **more), build.trace(*jobs), catalog)


def _pool(draw: random.Random, name: str) -> Row:
    """Some have so many pods that they are found by count, some none at first."""
    pods, step = draw.choice([draw.randint(0, 6), draw.randint(1, 6), 70]), draw.choice([1, 10, 30])
    bought: list[Row] = [
        {"ordered": f"{draw.randint(0, 300) // step * step}s", "lead": "0s", "pods": draw.randint(1, 3)}
        for _ in range(draw.randint(0, 3) if pods else 2)
    ]
    gone, retired = 0, list[Row]()
    for at_s in sorted(draw.randint(0, 600) // step * step for _ in range(draw.randint(0, 3))):
        there = pods + sum(one["pods"] for one in bought if int(one["ordered"][:-1]) <= at_s) - gone
        if there:
            retired.append({"at": f"{at_s}s", "pods": draw.randint(1, min(4, there))})
            gone += retired[-1]["pods"]
    return pool(
        draw.choice([2, 3, 4]),
        pods,
        name=name,
        device=draw.choice(["unit", "double"]),
        span_efficiency=draw.choice([0.5, 0.9, 1.0]),
        purchases=bought,
        retirements=retired,
    )


def _offer(draw: random.Random, name: str) -> Row:
    """Prices change at up to four instants, of which two offers may share some."""
    begins = sorted(draw.sample(range(8), draw.randint(0, 2)))
    surges = [
        {"from_h": 0.02 * at, "to_h": 0.02 * at + 0.015, "factor": draw.choice([0.5, 3])} for at in begins
    ]
    terms: dict[str, Any] = {"boot_s": draw.choice([0, 4, 9]), "release_s": draw.choice([0, 5])}
    usd = draw.choice([3.6, 3.6, 4.0, 5.0])
    return offer(name, draw.choice([4, 8, 24]), usd_per_device_h=usd, surges=surges, **terms)


def _jobs(draw: random.Random, devices: int, *, kills: bool) -> list[Row]:
    rows: list[Row] = []
    submit_s, largest = 0, draw.choice([3, 8, max(1, devices // 2)])
    for row in range(draw.choice([30, 80])):
        submit_s += draw.choice([0, 1, 10]) * draw.randint(0, 3)
        runtime_s = draw.randint(1, 60)
        more: Row = {"estimate_s": max(1, int(runtime_s * draw.choice([1, 1, 2, 8, 0.5 if kills else 3])))}
        if row and draw.random() < 0.2:
            more |= {"after": [draw.randrange(row)], "after_lag_s": draw.choice([0, 0, 15])}
        gang = draw.choice([1, 1, 2, draw.randint(1, largest)])
        rows.append(job(submit_s, runtime_s, gang, residency=draw.choice(["any", "owned"]), **more))
    return rows
