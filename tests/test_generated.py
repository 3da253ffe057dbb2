"""What is drawn is the same on every machine and from release to release, to the last bit.

A change of the generator that is meant changes the digests here, and all published runs with them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from scheduler.study.reference import reference_of
from workloads import Demand, generate
from workloads.arrivals import bursty, spaced
from workloads.shapes import estimates
from workloads.story import DemandSurge, Story
from workloads.streams import stream

MIX = {"fsd": 0.5, "optimus": 0.3, "tenant": 0.2}
YEARS = Story(
    plateau="2027-03-25",
    late_months={"optimus": 3.0},
    surges=(DemandSurge(since="2027-03-20", until="2027-03-22", factor=2.0),),
)
DEMANDS = {
    "as it comes": Demand(days=14),
    "a small cluster to be filled": Demand(
        days=10, seed=7, devices=48, load=0.9, mix=MIX, time_zone="Europe/Berlin"
    ),
    "fleets and runs that grow": Demand(
        start="2027-03-12",
        days=20,
        seed=3,
        devices=100_000,
        story=YEARS,
        cars=(("2026-01", 1e6), ("2028-01", 9e6)),
        robots=(("2026-01", 2e3), ("2028-01", 6e4)),
        tasks=(("2026-01", 5), ("2028-01", 40)),
        gang_growth={"fsd": 3.0, "optimus.policy": 2.0},
        gang_years=1.0,
    ),
}
COLUMNS = (
    *("submit_s", "runtime_s", "gang", "estimate_s", "workload", "kind", "owner"),
    *("priority", "residency", "deadline_s", "input_tb", "output_tb", "checkpoint_s", "after"),
)
DRAWN = {
    "as it comes": "993b2174 943c15ec e5857738 c9cb612e ec4aa864 4faff627 3d47d119 8892e4d5 3ec3d61f "
    "fb69f94e 4c6e91a4 034b6934 0d49689e abe14d44",
    "a small cluster to be filled": "bc783cc4 01f2a87a eb2b4a9f 3aac2a1d 326509dc 83582cbc c864c62d "
    "87797444 2456072d 23f5df4b 9e6f7382 2e898ed3 4ac40996 0b80f482",
    "fleets and runs that grow": "a78b7a31 fccb2f38 51e0df2b 92b76f43 25573a81 f0ef6cf6 7a884415 8baf231e "
    "339848d1 536bffd7 937b8f78 10faedd9 62ca8550 8098923a",
}
"""By column, in order."""


def digest(values: list[Any]) -> str:
    return sha256(repr(values).encode()).hexdigest()[:8]


@pytest.mark.parametrize("name", DEMANDS)
def test_a_demand_is_the_same_jobs_for_ever(name: str) -> None:
    jobs = generate(DEMANDS[name], reference_of()).table
    found = {column: digest(jobs.column(column).to_pylist()) for column in COLUMNS}
    assert found == dict(zip(COLUMNS, DRAWN[name].split(), strict=True))


def test_all_round_numbers_are_asked_for() -> None:
    asked = estimates(stream(3, "test"), np.geomspace(60, 1e11, 3_000)).tolist()
    assert (len(set(asked)), digest(asked)) == (80, "072b4521")


def test_submissions_fall_where_they_fell() -> None:
    hours = np.array([0, 1.5, 3, 0.25] * 50)
    assert digest(bursty(stream(3, "test"), hours, 300.0, 1.4).tolist()) == "045c2152"
    assert digest(spaced(stream(3, "test"), hours, 300.0).tolist()) == "5464db0e"
