"""What is wrong with a market, loops or parked cars is said in one line before anything is run."""

from __future__ import annotations

import re
from copy import deepcopy
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scheduler.cli import main
from scheduler.cli.scenarios import SHIPPED
from scheduler.scenario import ScenarioError, parse_scenario
from scheduler.study.live_checks import check_live_sources
from tests.build import job, trace

Row = dict[str, Any]

SCENARIO: Row = {
    "name": "small",
    "horizon_h": 48,
    "pools": [{"name": "own", "pods": 2, "device": "dojo-tile-case-study", "devices": 64, "capital_usd": 0}],
    "offers": [{"name": "aws", "offer": "aws-h100-us-east-1", "quota": 64}],
    "market": {
        "price": {"usd_per_device_h": 2},
        "segments": [
            {"name": "spot", "per_day": 9, "run_h": 2, "devices": [1, 4], "willingness_usd_per_device_h": 3}
        ],
        "leases": [
            {"name": "let", "from_h": 1, "to_h": 60, "devices": 64, "each": 32, "usd_per_device_h": 2}
        ],
    },
    "loops": [
        {
            **{"name": "car", "units": 6e6, "miles_per_unit_day": 5, "clips_per_mile": 0.001, "gang": 4},
            **{"trigger_clips": 50_000, "device_h_per_clip": 0.02, "evaluation_gang": 4, "evaluation_h": 6},
        }
    ],
    "edge": [
        {
            **{"name": "cars", "cars": 10_000, "tops": 200, "w": 100, "parked_by_hour": [0.5] * 24},
            **{"wired_share": 0.5, "opt_in": 0.1, "uplink_mbps": 20, "usd_per_car_h": 0.2},
            **{"kinds": ["fsd.evaluate"], "shard_pflop": 100, "shard_gb": 1, "deadline_h": 24},
        }
    ],
}
NUMBERS = {
    "market": "credit_share",
    "market.price": "usd_per_device_h rise",
    "market.segments.0": "per_day run_h run_sigma willingness_usd_per_device_h willingness_sigma "
    "start_within_h checkpoint_h",
    "market.leases.0": "usd_per_device_h from_h",
    "loops.0": "units miles_per_unit_day clips_per_mile curation_share trigger_clips device_h_per_clip "
    "evaluation_h ota_h pass_probability pflops_per_device",
    "loops.0.effect": "a b c start_pflop_days start_clips",
    "edge.0": "from_h tops use w wired_share opt_in uplink_mbps unplug_per_h usd_per_car_h "
    "shard_pflop shard_gb deadline_h pflops_per_device",
}
COUNTS = {
    "market.segments.0.devices": "0",
    "market.leases.0": "devices each",
    "loops.0": "gang evaluation_gang",
    "edge.0": "cars replication",
}
CASES: list[tuple[str, Any, str]] = [
    *(
        (f"{table}.{key}", value, f"{key} = {value}: must be `float`")
        for table, keys in NUMBERS.items()
        for key in keys.split()
        for value in (-1, nan, inf)
    ),
    *(
        (f"{table}.{key}", value, f" = {value}: must be `int`")
        for table, keys in COUNTS.items()
        for key in keys.split()
        for value in (-1, 0, 1.5)
    ),
    ("market.price.usd_per_device_h", [1.0] * 23, "length >= 24"),
    ("market.price.share", 0.5, "share = 0.5: is of an `index`, and there is none"),
    ("market.price.index", "aws", "give either `usd_per_device_h` or `index`"),
    ("market.price", {"index": "own"}, 'index "own" is no offer'),
    ("market.reserve_devices", -1, "reserve_devices = -1: must be"),
    ("market.reserve_devices", 129, "reserve_devices = 129: there are 128 devices that are ever sold"),
    (
        "market.window",
        {"from_h": 48, "to_h": 60},
        "window: from_h = 48: must be before the run ends, after 48 h",
    ),
    ("market.window", {"from_h": 9, "to_h": 9}, "to_h = 9: must be after from_h, 9"),
    ("market.window", {"from_h": nan, "to_h": 9}, "from_h = nan: must be"),
    ("market", {"price": {"usd_per_device_h": 1}}, "needs `segments` or `leases`"),
    ("market.segments.0.name", "let", 'the name "let" stands for two'),
    ("market.segments.0.name", "car", 'the name "car" stands for a loop and for customers'),
    ("market.segments.0.per_day", 1e6 + 1, "per_day = 1000001.0: must be"),
    ("market.segments.0.devices", [], "length >= 1"),
    (
        "market.segments.0.devices",
        [1, 65],
        "segments[0].devices: 65 of dojo-tile-case-study are more than a pod",
    ),
    ("market.segments.0.weights", [1.0], "must be as many as devices, 2"),
    ("market.segments.0.weights", [1.0, nan], "weights[1] = nan: must be"),
    ("market.segments.0.reserve_devices", 129, "segments[0].reserve_devices = 129: there are 128"),
    ("market.segments.0.preemptible", "no", "preemptible = 'no': must be"),
    ("market.segments.0.runs_h", 1, "unknown key market.segments[0].runs_h; did you mean run_h?"),
    ("market.leases.0.from_h", 48, "leases[0]: from_h = 48: must be before the run ends"),
    ("market.leases.0.devices", 65, "a multiple of each, 32"),
    ("market.leases.0.devices", 160, "devices = 160: there is never room for more than 128 in parts of 32"),
    ("market.leases.0.each", 65, "must be a multiple of each, 65"),
    ("loops.0.units", [["2026-03", 1.0], ["2026-01", 2.0]], "2026-01-01 after 2026-03-01: dates must ascend"),
    ("loops.0.units", [], "units: no points"),
    ("loops.0.trigger_days", 3, "give either `trigger_clips` or `trigger_days`"),
    ("loops.0.trigger_clips", 0.5, "trigger_clips = 0.5: must be"),
    ("loops.0.gang", 2_400, "loops: car: gang = 2400 of dojo-tile-case-study: no pool or offer has so many"),
    ("loops.0.evaluation_gang", 2_400, "car: evaluation_gang = 2400 of"),
    ("loops", [SCENARIO["loops"][0]] * 2, 'loops: the name "car" stands for two'),
    ("edge.0.name", "own", 'the name "own" stands for parked cars and for a pool'),
    ("edge.0.from_h", 48, "edge[0]: from_h = 48: must be before the run ends"),
    ("edge.0.parked_by_hour", [0.5] * 23, "length >= 24"),
    ("edge.0.parked_by_hour", [1.5] * 24, "parked_by_hour[0] = 1.5: must be"),
    ("edge.0.kinds", [], "length >= 1"),
    ("edge.0.kinds", ["fsd.evalate"], '"fsd.evalate" is no kind of the jobs; did you mean fsd.evaluate?'),
    ("edge.0.kinds", ["fsd.retrain"], '"fsd.retrain" is training'),
    ("edge.0.kinds", ["loop.evaluate"], '"loop.evaluate" comes as the run goes'),
    ("edge.0.kinds", ["fsd.label"] * 2, '"fsd.label" stands there twice'),
    ("edge.0.deadline_h", 0.01, "edge[0].deadline_h = 0.01: a shard alone takes a car 34 min"),
    ("edge", [SCENARIO["edge"][0]] * 2, 'edge: the name "cars" stands for two'),
    (
        "edge",
        [SCENARIO["edge"][0], SCENARIO["edge"][0] | {"name": "vans"}],
        'edge[1].kinds: all "fsd.evaluate" is taken by "cars" already',
    ),
    ("horizon_h", None, "market: needs horizon_h"),
    ("pools", [], "market: needs pools, whose spare devices are sold"),
]


def changed(key: str, value: object) -> Row:
    """The scenario with another value of a key, a table in it made where there is none."""
    raw: Any = deepcopy(SCENARIO)
    place = raw
    *path, last = (int(word) if word.isdigit() else word for word in key.split("."))
    for step in path:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[last] = value
    found: Row = raw
    return found


def test_the_scenario_itself_is_sound() -> None:
    check_live_sources(parse_scenario(SCENARIO), None)


@pytest.mark.parametrize(("key", "value", "error"), CASES)
def test_what_is_wrong_is_said_before_anything_is_run(key: str, value: object, error: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(error)) as raised:
        check_live_sources(parse_scenario(changed(key, value)), None)
    assert "\n" not in str(raised.value)


def test_so_many_customers_are_not_drawn() -> None:
    spec = changed("market.segments.0.per_day", 1e6) | {"horizon_h": 24 * 365}
    with pytest.raises(ScenarioError, match="brings 365,000,000 customers in the run; at most 10,000,000"):
        parse_scenario(spec)


def test_a_reserve_of_all_is_sound() -> None:
    """So is a lease that ends after the run, as that of the scenario does."""
    check_live_sources(parse_scenario(changed("market.reserve_devices", 128)), None)


TARGET = "--target fsd.release:p95:12h"
COMMANDS = (
    *("check", "replay -o out", "price", "compare -p fcfs -p easy --seeds 2", "weather"),
    *(f"plan {TARGET} --seeds 2", f"roadmap {TARGET}"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_it_in_one_line(command: str, tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(
        """
name = "small"
horizon_h = 48
demand = { days = 2, devices = 8, load = 0.2 }
pools = [{ name = "own", pods = 2, device = "dojo-tile-case-study", devices = 64, capital_usd = 0 }]
[market]
price = { usd_per_device_h = 2 }
segments = [{ name = "spot", per_day = 9, run_h = 2, devices = [65], willingness_usd_per_device_h = 3 }]
"""
    )
    word, *rest = command.split()
    done = CliRunner().invoke(main, [word, str(file), *rest])
    assert done.exit_code == 2
    told = "market.segments[0].devices: 65 of dojo-tile-case-study are more than a pod that sells has"
    assert done.stderr == f"exaburst: {file}: {told}, and customers stay inside one\n"


def test_a_reserve_that_is_tried_is_held_against_what_there_is(tmp_path: Path) -> None:
    scenario = tmp_path / "years.toml"
    scenario.write_text(SHIPPED["years"].read_text())
    done = CliRunner().invoke(main, ["price", str(scenario), "--reserve", "100000"])
    assert done.exit_code == 2
    assert done.stderr.startswith("exaburst: market.reserve_devices = 100000: there are ")


def test_sizes_count_on_the_device_of_the_trace_that_is_given(tmp_path: Path) -> None:
    """64 tiles are far more than a pod of 64 H100; 64 devices of a trace that names none are a pod."""
    scenario, jobs = tmp_path / "small.toml", tmp_path / "jobs.parquet"
    scenario.write_text(
        """
name = "small"
horizon_h = 48
pools = [{ name = "own", pods = 1, device = "h100", devices = 64, capital_usd = 0 }]
[market]
price = { usd_per_device_h = 2 }
segments = [{ name = "spot", per_day = 9, run_h = 2, devices = [64], willingness_usd_per_device_h = 3 }]
"""
    )
    trace(job(0, 60, 1)).write(jobs)
    asked = ["compare", str(scenario), "-p", "fcfs", "-p", "easy", "--workers", "1"]
    told = CliRunner().invoke(main, [*asked, "--seeds", "2"])
    assert "64 of dojo-tile-case-study are more than a pod that sells has" in told.stderr
    done = CliRunner().invoke(main, [*asked, "--trace", str(jobs)])
    assert "are more than a pod" not in done.stderr


def test_a_study_says_it_too(tmp_path: Path) -> None:
    scenario, study = tmp_path / "years.toml", tmp_path / "study.toml"
    scenario.write_text(SHIPPED["years"].read_text())
    study.write_text(
        """
name = "two"
scenario = "years.toml"
seeds = 1
[axes.scenario]
wrong = ["loops.car.gang=50_000"]
"""
    )
    done = CliRunner().invoke(main, ["check", str(study)])
    assert done.exit_code == 2
    assert "loops: car: gang = 50000 of dojo-tile-case-study: no pool or offer has so many" in done.stderr
