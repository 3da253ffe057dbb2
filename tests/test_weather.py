"""Drawing the weather: by the laws of the scenario, and by nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from math import exp, sqrt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scheduler.scenario import Scenario
from scheduler.weather import AFTER_S, Weather, weather_of, with_prices
from scheduler.weather.renewal import DailyHazard
from scheduler.weather.table_rules import SERVICE, WHATS
from tests import build
from tests.build import job, offer, pool, scenario
from tests.examples import examples
from tests.skies import (
    DAY_S,
    HOUR_S,
    Row,
    by_hand,
    down_s,
    drawn,
    price,
    rows,
    spells,
    stock_for,
    storm,
)
from traces.arrays import Array

SOME = settings(max_examples=examples(60), deadline=None)


def close(sample: Sequence[float] | Array, expected: float) -> None:
    """The mean of independent draws is as expected, in a 99% interval too narrow for an error of 5%."""
    mean, deviation = float(np.mean(sample)), float(np.std(sample, ddof=1))
    half = stats.t.ppf(0.995, len(sample) - 1) * deviation / sqrt(len(sample))
    assert half < 0.05 * expected, f"the interval is {half:.3g} wide, too wide to say anything"
    assert abs(mean - expected) < half, f"{mean:.4g} +- {half:.2g}, expected {expected:.4g}"


# laws


@pytest.mark.parametrize("sigma", [None, 0.0, 0.8])
def test_devices_are_down_for_repair_over_the_cycle(sigma: float | None) -> None:
    """All begin as new: after 400 cycles the start no longer shows."""
    law = {} if sigma is None else {"repair_sigma": sigma}
    of = scenario([pool(200, failures=[{"mtbf_h": 20, "repair_h": 5, **law}])])
    until_s = 400 * 25 * HOUR_S
    close(down_s(drawn(of, until_s), 200) / until_s, 5 / 25)


def test_repairs_have_the_mean_and_deviation_that_are_said() -> None:
    spec = {"mtbf_h": 20, "repair_h": 5, "repair_sigma": 0.8}
    weather = drawn(scenario([pool(200, failures=[spec])]), 2_000 * HOUR_S)
    from_s, to_s = spells(weather, "device")
    whole = to_s < weather.until_s
    hours = (to_s - from_s)[whole] / HOUR_S
    close(hours, 5.0)
    logs = np.log(hours)
    close((logs - logs.mean()) ** 2, 0.8**2)


def test_failures_come_at_a_constant_hazard_and_are_expected_to_take_the_mean_repair() -> None:
    weather = drawn(scenario([pool(9_000, failures=[{"mtbf_h": 1_000, "repair_h": 10}])]), 1_000 * HOUR_S)
    first_s = np.full(9_000, np.inf)
    for row in reversed(rows(weather, "device")):
        first_s[row["first"]] = row["from_s"]
        assert row["expected_s"] == row["from_s"] + 10 * HOUR_S
        assert (row["notice_s"], row["devices"], row["value"], row["pod"]) == (0, 1, None, 0)
    for hours in (250, 700):
        close(first_s > hours * HOUR_S, exp(-hours / 1_000))


def test_cabinets_and_pods_fail_as_a_whole_the_last_cabinet_is_smaller() -> None:
    kinds = [
        {"of": "cabinet", "devices": 4, "mtbf_h": 5, "repair_h": 1},
        {"of": "pod", "mtbf_h": 5, "repair_h": 1},
    ]
    weather = drawn(scenario([pool(10, 2, failures=kinds)]), 100 * HOUR_S)
    cabinets, pods = (
        {(row["pod"], row["first"], row["devices"]) for row in rows(weather, what)}
        for what in ("cabinet", "pod")
    )
    assert cabinets == {(at, first, many) for at in (0, 1) for first, many in ((0, 4), (4, 4), (8, 2))}
    assert pods == {(0, 0, 10), (1, 0, 10)}


@pytest.mark.parametrize(
    "law", [{}, {"up_sigma": 1.0, "down_sigma": 0.7}, {"up_sigma": 0.0, "down_sigma": 0.0}], ids=str
)
def test_nodes_are_up_with_the_same_share_from_the_first_second_on(law: Row) -> None:
    """As if the offer had been there for ever, whatever the laws: 3 h of 5 up."""
    nodes = 20_000
    spec = {"up_h": 3, "down_h": 2, **law}
    weather = drawn(scenario(offers=[offer("spot", nodes, reclaim=spec)]), 6 * HOUR_S)
    from_s, to_s = spells(weather, "reclaim")
    for second in (0, 1_800, 2 * HOUR_S, 5 * HOUR_S):
        out = int(((from_s <= second) & (second < to_s)).sum())
        close(np.repeat([0.0, 1.0], [nodes - out, out]), 2 / 5)


def test_who_meets_a_lognormal_down_time_meets_a_long_one() -> None:
    """What is left of it has mean E[D^2] / 2 E[D], for a lognormal: mean x e^(sigma^2) / 2."""
    spec = {"up_h": 20, "down_h": 2, "down_sigma": 0.8}
    weather = drawn(scenario(offers=[offer("spot", 80_000, reclaim=spec)]), 100 * HOUR_S)
    from_s, to_s = spells(weather, "reclaim")
    close(to_s[from_s == 0] / HOUR_S, 2 * exp(0.8**2) / 2)


def test_reclaims_follow_the_hour_of_the_day() -> None:
    """Nights are calm, mornings as the mean, afternoons and evenings 1.5 times it; the epoch is at 18:30."""
    by_hour = [0.0] * 6 + [2.0] * 6 + [3.0] * 12
    midnight_s = 18 * HOUR_S + 1_800
    spec = {"up_h": 4, "down_h": 0.5, "by_hour": by_hour}
    weather = drawn(scenario(offers=[offer("spot", 400, reclaim=spec)]), 40 * DAY_S, midnight_s)
    from_s, to_s = spells(weather, "reclaim")
    starts = np.bincount((from_s[from_s > 0] + midnight_s) // HOUR_S % 24, minlength=24)
    assert starts[:6].sum() == 0
    seconds = np.arange(0, weather.until_s, 60)
    gone, back = (np.searchsorted(np.sort(ends), seconds, "right") for ends in (from_s, to_s))
    hour = (seconds + midnight_s) // HOUR_S % 24
    for hours, hazard_per_h in ((range(6, 12), 1 / 4), (range(12, 24), 1.5 / 4)):
        up_h = (400 - gone + back)[np.isin(hour, hours)].sum() / 60
        fewest, most = stats.poisson.ppf([0.005, 0.995], hazard_per_h * up_h)
        assert fewest < starts[list(hours)].sum() < most
        assert most < 1.1 * fewest


def test_slots_refuse_and_boots_fail_with_the_probabilities_that_are_said() -> None:
    spec = offer(
        "cloud",
        refusals={"probability": 0.4, "slot_s": 80},
        boots={"fail_probability": 0.2, "slow_probability": 0.5, "slow_factor": 7, "slot_s": 40},
    )
    weather = drawn(scenario(offers=[spec]), 6_000_000)
    for what, slot_s, share in (("refused", 80, 0.4), ("failed_boot", 40, 0.2), ("slow_boot", 40, 0.5)):
        held = np.zeros(6_000_000 // slot_s)
        for row in rows(weather, what):
            assert row["from_s"] % slot_s == row["to_s"] % slot_s == 0
            held[row["from_s"] // slot_s : row["to_s"] // slot_s] += 1
            assert row["value"] == (7.0 if what == "slow_boot" else None)
            assert row["first"] == row["devices"] == 0
        assert held.max() == 1
        close(held, share)
        close(held[1::2] * held[::2], share**2)
    failed, slow = rows(weather, "failed_boot"), rows(weather, "slow_boot")
    order = sorted((row["from_s"], row["to_s"]) for row in failed + slow)
    assert all(before[1] <= after[0] for before, after in pairwise(order))


def test_slots_of_one_sort_in_a_row_are_one_interval() -> None:
    weather = drawn(scenario(offers=[offer("cloud", refusals={"probability": 1.0, "slot_s": 7})]), 100)
    assert [(row["from_s"], row["to_s"]) for row in rows(weather, "refused")] == [(0, 100)]


def test_prices_drift_about_their_mean() -> None:
    """Its logarithm is normal, with correlation e^(-t/r) after t; the mean factor is 1."""
    drift = {"volatility": 0.5, "reversion_h": 3, "step_h": 1}
    logs, means = [], []
    for seed in range(2_000):
        of = scenario(offers=[offer("cloud", drift=drift)], seed=seed)
        found = rows(drawn(of, 5 * HOUR_S), "price")
        assert [row["from_s"] for row in found] == [hour * HOUR_S for hour in range(5)]
        assert [row["to_s"] for row in found] == [hour * HOUR_S for hour in range(1, 6)]
        logs.append(np.log([row["value"] for row in found]) + 0.5**2 / 2)
        means.append(found[-1]["value"])
    path = np.array(logs)
    assert stats.kstest(path[:, 0] / 0.5, "norm").pvalue > 0.01
    assert stats.kstest(path[:, 4] / 0.5, "norm").pvalue > 0.01
    close(means, 1.0)
    moved = (path[:, 4] - path[:, 0]) ** 2
    assert abs(moved.mean() / (2 * 0.5**2 * (1 - exp(-4 / 3))) - 1) < 2.58 * sqrt(2 / 2_000)


def test_spikes_come_and_last_as_said() -> None:
    """2 a day of calm, 4 h each: a spell of 16 h, so a quarter of the time."""
    drift = {"volatility": 0.0, "spikes_per_day": 2, "spike_h": 4, "spike_factor": 5, "step_h": 50}
    of = scenario(offers=[offer("cloud", drift=drift)])
    found = rows(drawn(of, 64_000 * HOUR_S), "price")
    assert {row["value"] for row in found} == {1.0, 5.0}
    assert [row["from_s"] for row in found[1:]] == [row["to_s"] for row in found[:-1]]
    assert (found[0]["from_s"], found[-1]["to_s"]) == (0, 64_000 * HOUR_S)
    lengths = {
        value: [(row["to_s"] - row["from_s"]) / HOUR_S for row in found if row["value"] == value]
        for value in (1, 5)
    }
    close(lengths[5], 4.0)
    close(lengths[1], 12.0)


# stories


def test_maintenance_comes_again_and_is_announced() -> None:
    window = {"from_h": 1, "to_h": 1.5, "drain_h": 0.25, "every_h": 2, "pods": [2, 0]}
    weather = drawn(scenario([pool(4, 3, maintenance=[window])]), 5 * HOUR_S + 900)
    found = [
        tuple(row[name] for name in ("from_s", "to_s", "pod", "first", "devices", "notice_s", "expected_s"))
        for row in rows(weather, "maintenance")
    ]
    assert found == [
        (start, min(start + 1_800, 18_900), pod, 0, 4, 900, start + 1_800)
        for start in (3_600, 10_800, 18_000)
        for pod in (0, 2)
    ]


def test_what_begins_at_once_is_in_order_of_place_and_pod() -> None:
    windows = [{"from_h": 1, "to_h": 2}, {"from_h": 1, "to_h": 3, "pods": [0, 1]}]
    pools = [pool(4, pods, name=name, maintenance=windows) for name, pods in (("second", 2), ("first", 3))]
    found = rows(drawn(scenario(pools), DAY_S), "maintenance")
    assert [(row["where"], row["pod"], row["to_s"] // HOUR_S) for row in found] == [
        *(("second", pod, hour) for pod in (0, 1) for hour in (2, 3)),
        *(("first", pod, hour) for pod, hour in ((0, 2), (0, 3), (1, 2), (1, 3), (2, 2))),
    ]


def test_a_window_without_end_in_sight_is_one_row_a_pod() -> None:
    weather = drawn(scenario([pool(4, 3, maintenance=[{"from_h": 1, "to_h": 50}])]), 2 * HOUR_S)
    assert [(row["pod"], row["to_s"], row["expected_s"]) for row in rows(weather, "maintenance")] == [
        (pod, 7_200, 180_000) for pod in range(3)
    ]


def test_a_shortage_takes_the_last_whole_nodes() -> None:
    """Of 5 nodes of 8 in a quota of 44, 20 devices leave 2."""
    spec = {"from_h": 1, "to_h": 2}
    for quota, expected in ((20, [(16, 24)]), (0, [(0, 40)]), (40, []), (43, []), (100, [])):
        of = scenario(offers=[offer("cloud", 44, key="nodes", shortages=[spec | {"quota": quota}])])
        found = rows(drawn(of, DAY_S), "shortage")
        assert [(row["first"], row["devices"]) for row in found] == expected
        assert all((row["from_s"], row["to_s"], row["expected_s"]) == (3_600, 7_200, 7_200) for row in found)


# whatever is drawn

_SIGMA = st.none() | st.sampled_from([0.0, 0.5, 2.0])
_HOURS = st.sampled_from([0.01, 0.1, 1.0, 30.0])


def _given(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    """Tables of keys, without those whose value is None."""
    return st.fixed_dictionaries(parts).map(
        lambda row: {key: at for key, at in row.items() if at is not None}
    )


_FAILURE = _given(
    of=st.just("cabinet"), devices=st.integers(1, 9), mtbf_h=_HOURS, repair_h=_HOURS, repair_sigma=_SIGMA
) | _given(of=st.sampled_from(["device", "pod"]), mtbf_h=_HOURS, repair_h=_HOURS, repair_sigma=_SIGMA)
_MAINTENANCE = _given(
    from_h=st.sampled_from([0.0, 0.05, 1.0]),
    drain_h=st.sampled_from([0.0, 0.1, 1e9]),
    pods=st.sampled_from([None, [], [0], [0, 0]]),
).map(lambda row: row | {"to_h": row["from_h"] + 0.1})
_WINDOW = st.sampled_from([{"from_h": 0.0, "to_h": 0.2}, {"from_h": 0.1, "to_h": 9.0}])
_RECLAIM = _given(
    up_h=_HOURS,
    down_h=_HOURS,
    up_sigma=_SIGMA,
    down_sigma=_SIGMA,
    notice_s=st.sampled_from([0, 120]),
) | _given(
    up_h=_HOURS, by_hour=st.lists(st.sampled_from([0.0, 1.0, 7.0]), min_size=24, max_size=24).filter(any)
)
_SLOT = st.sampled_from([1, 60, 900])
_OFFER = _given(
    quota=st.sampled_from([1, 7, 8, 20]),
    key=st.sampled_from(["plain", "nodes"]),
    reclaim=st.none() | _RECLAIM,
    shortages=st.lists(
        st.builds(lambda at, quota: at | {"quota": quota}, _WINDOW, st.integers(0, 20)), max_size=2
    ),
    refusals=st.none() | _given(probability=st.sampled_from([0.0, 0.3, 1.0]), slot_s=_SLOT),
    boots=st.none()
    | _given(slow_probability=st.sampled_from([0.0, 0.5]), fail_probability=st.just(0.5), slot_s=_SLOT),
    drift=st.none()
    | _given(
        volatility=st.sampled_from([0.0, 1.0]), step_h=_HOURS, spikes_per_day=st.sampled_from([0.0, 24.0])
    ),
)
_POOL = _given(
    devices=st.integers(1, 9),
    pods=st.integers(1, 3),
    failures=st.lists(_FAILURE, max_size=2),
    maintenance=st.lists(_MAINTENANCE, max_size=2),
)


@st.composite
def stormy(draw_: st.DrawFn) -> Scenario:
    pools = [build.pool(name=f"pool{at}", **row) for at, row in enumerate(draw_(st.lists(_POOL, max_size=2)))]
    offers = [
        offer(f"offer{at}", **row) for at, row in enumerate(draw_(st.lists(_OFFER, min_size=1, max_size=2)))
    ]
    return scenario(pools, offers, seed=draw_(st.integers(0, 9)))


UNTIL_S = st.sampled_from([1, 59, 900, 5_000])


@SOME
@given(of=stormy(), until_s=UNTIL_S)
def test_whatever_is_drawn_is_sound_sorted_and_readable(
    of: Scenario, until_s: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    weather = drawn(of, until_s)
    weather.check(stock_for(of))
    places = [*(part.name for part in of.pools), *(part.name for part in of.offers)]
    order = [
        (
            row["from_s"],
            places.index(row["where"]),
            -1 if row["pod"] is None else row["pod"],
            row["first"],
            WHATS.index(row["what"]),
        )
        for row in weather.table.to_pylist()
    ]
    assert order == sorted(order)
    path = tmp_path_factory.mktemp("weather") / "weather.parquet"
    weather.write(path)
    again = Weather.read(path)
    assert again.table.to_pylist() == weather.table.to_pylist()
    assert (again.until_s, again.seed, again.scenario, again.devices) == (
        until_s,
        of.seed,
        "test",
        weather.devices,
    )


@SOME
@given(of=stormy(), until_s=UNTIL_S)
def test_what_befalls_a_unit_comes_one_at_a_time(of: Scenario, until_s: int) -> None:
    """Of the first way to fail of each pool, and of all sorts of which an offer has one."""
    one = msgspec.structs.replace
    pools = tuple(one(part, failures=part.failures[:1], maintenance=()) for part in of.pools)
    offers = tuple(one(part, shortages=()) for part in of.offers)
    last: dict[tuple[Any, ...], int] = {}
    for row in drawn(one(of, pools=pools, offers=offers), until_s).table.to_pylist():
        unit = tuple(row[name] for name in ("where", "pod", "first", "what"))
        assert row["from_s"] >= last.get(unit, 0)
        last[unit] = row["to_s"]


@SOME
@given(of=stormy(), until_s=UNTIL_S, more_s=st.sampled_from([1, 60, 900, 9_000]))
def test_a_later_end_only_adds(of: Scenario, until_s: int, more_s: int) -> None:
    """Rows that had not ended may last longer; none before them changes."""
    assert begun(drawn(of, until_s + more_s), until_s) == begun(drawn(of, until_s), until_s)


def begun(weather: Weather, until_s: int) -> list[Row]:
    """What begins before an instant, as if the weather ended there."""
    found = [row for row in weather.table.to_pylist() if row["from_s"] < until_s]
    for row in found:
        if row["to_s"] >= until_s:
            row["to_s"] = until_s
            row["expected_s"] = None if row["what"] in SERVICE else row["expected_s"]
    return found


@SOME
@given(of=stormy(), until_s=UNTIL_S)
def test_the_others_are_not_in_the_way(of: Scenario, until_s: int) -> None:
    """Each pool and offer meets alone what it meets beside the others; so does the first pod of a pool."""
    together = drawn(of, until_s).table.to_pylist()
    for pools, offers in [((part,), ()) for part in of.pools] + [((), (part,)) for part in of.offers]:
        alone = drawn(msgspec.structs.replace(of, pools=pools, offers=offers), until_s)
        assert alone.table.to_pylist() == [row for row in together if row["where"] in alone.devices]
    if of.pools:
        single = msgspec.structs.replace(of.pools[0], pods=1)
        alone = drawn(msgspec.structs.replace(of, pools=(single,), offers=()), until_s).table.to_pylist()
        assert alone == [row for row in together if row["where"] == single.name and row["pod"] == 0]


STORM = """
import hashlib, sys
from pathlib import Path
from tests.skies import drawn, storm
weather = drawn(storm(), 500_000)
weather.write(Path(sys.argv[1]))
print(hashlib.sha256(Path(sys.argv[1]).read_bytes()).hexdigest(), len(weather.table))
"""


def test_the_same_scenario_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    found = []
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", STORM, str(tmp_path / hash_seed)],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert int(found[0].split()[1]) == len(drawn(storm(), 500_000).table)


def test_another_seed_is_another_weather() -> None:
    one, other = (drawn(storm(seed=seed), 500_000) for seed in (1, 2))
    assert {row["what"] for row in one.table.to_pylist()} == set(WHATS)
    for what in set(WHATS) - {"maintenance", "shortage"}:
        assert rows(one, what) != rows(other, what)


def test_equal_pods_and_offers_do_not_meet_the_same() -> None:
    failures = [{"of": of, "mtbf_h": 5, "repair_h": 1} for of in ("device", "pod")]
    rented: Row = {
        "reclaim": {"up_h": 3},
        "refusals": {"probability": 0.5},
        "boots": {"slow_probability": 0.4, "fail_probability": 0.4},
        "drift": {"volatility": 0.3},
    }
    of = scenario(
        [pool(4, 2, name=name, failures=failures) for name in ("here", "there")],
        [offer(name, 4, **rented) for name in ("near", "far")],
    )
    found = drawn(of, 500_000).table.to_pylist()
    for what in ("device", "pod", "reclaim", "refused", "slow_boot", "failed_boot", "price"):
        met: dict[Any, list[Any]] = {}
        for row in found:
            if row["what"] == what:
                met.setdefault((row["where"], row["pod"]), []).append((row["from_s"], row["value"]))
        assert len({tuple(rows) for rows in met.values()}) == (4 if what in ("device", "pod") else 2)


def test_two_ways_to_fail_of_one_kind_are_two() -> None:
    spec = {"mtbf_h": 10, "repair_h": 1}
    once = rows(drawn(scenario([pool(4, failures=[spec])]), 10**6), "device")
    twice = rows(drawn(scenario([pool(4, failures=[spec, spec])]), 10**6), "device")
    rest = [row for row in twice if row not in once]
    assert len(rest) + len(once) == len(twice)
    assert len(rest) > len(once) / 2


# which weather a run has


def test_no_weather_where_nothing_is_said_to_go_wrong() -> None:
    trace = build.trace(job(0, 10, 1))
    calm = scenario([pool(4)], [offer("cloud", surges=[{"from_h": 1, "to_h": 2, "factor": 3}])])
    assert weather_of(calm, stock_for(calm), trace) is None
    for more in ({"fair_weather": True}, {"bound": "rented_only"}, {"bound": "unlimited_owned"}):
        of = storm(**more)
        assert weather_of(of, stock_for(of), trace) is None
    rented_alone = scenario([pool(4)], [offer("cloud", refusals={"probability": 1.0})], bound="owned_only")
    assert weather_of(rented_alone, stock_for(rented_alone), trace) is None


def test_owned_alone_meets_what_it_meets_anyhow(tmp_path: Path) -> None:
    trace = build.trace(job(0, 10, 1))
    both, alone = storm(horizon_h=100), storm(horizon_h=100, bound="owned_only")
    whole, part = (weather_of(of, stock_for(of), trace) for of in (both, alone))
    assert whole is not None
    assert part is not None
    expected = [row for row in whole.table.to_pylist() if row["where"] == "own"]
    assert part.table.to_pylist() == expected
    whole.write(tmp_path / "weather.parquet")
    replayed = msgspec.structs.replace(alone, weather=str(tmp_path / "weather.parquet"))
    read = weather_of(replayed, stock_for(replayed), trace)
    assert read is not None
    assert read.table.to_pylist() == expected


def test_weather_reaches_to_the_horizon_or_well_beyond_the_last_submission() -> None:
    trace = build.trace(job(0, 10, 1), job(1_000_000, 10, 1))
    for of, until_s in ((storm(horizon_h=100), 360_000), (storm(), 2_000_000 + AFTER_S)):
        weather = weather_of(of, stock_for(of), trace)
        assert weather is not None
        assert weather.until_s == until_s


def test_the_hour_of_the_epoch_counts() -> None:
    """All hazard is in the hour after midnight, so the first reclaim of a trace from 23:00 is after 1 h."""
    spec = {"up_h": 0.5, "down_h": 0.001, "by_hour": [24.0] + [0.0] * 23}
    of = scenario(offers=[offer("spot", 50, reclaim=spec)], horizon_h=20)
    for epoch, first_h in (("2026-01-05T23:00", 1), ("2026-01-05T02:30", None), ("2026-01-05T10:00", 14)):
        weather = weather_of(of, stock_for(of), build.trace(job(0, 10, 1), epoch=epoch))
        assert weather is not None
        from_s = [row["from_s"] for row in rows(weather, "reclaim") if row["from_s"] > 0]
        expected = set() if first_h is None else {first_h}
        assert {second // HOUR_S for second in from_s} == expected


def test_prices_are_multiplied_where_factors_are_drawn() -> None:
    of = scenario(
        offers=[
            offer("cloud", usd_per_device_h=2.0, surges=[{"from_h": 1, "to_h": 2, "factor": 3}]),
            offer("other"),
        ]
    )
    weather = by_hand(
        of,
        [
            price("cloud", 1_800, 5_400, 0.5),
            price("cloud", 5_400, 6_000, 2.0),
            price("cloud", 8_000, 9_000, 0.25),
        ],
    )
    cloud, other = with_prices(stock_for(of), weather).offers
    assert cloud.prices == (
        (0, 2.0),
        (1_800, 1.0),
        (3_600, 3.0),
        (5_400, 12.0),
        (6_000, 6.0),
        (7_200, 2.0),
        (8_000, 0.5),
        (9_000, 2.0),
    )
    assert other == stock_for(of).offers[1]
    assert with_prices(stock_for(of), None) == stock_for(of)


def test_with_prices_changes_prices_alone() -> None:
    of = storm()
    before, after = stock_for(of), with_prices(stock_for(of), drawn(of, 500_000))
    for old, new in zip(before.offers, after.offers, strict=True):
        assert new.prices[0][0] == 0
        assert all(this[0] < following[0] for this, following in pairwise(new.prices))
        assert new.prices[-1] == (500_000, 3.6)
        assert msgspec.structs.replace(new, prices=old.prices) == old
    assert after.pools == before.pools


# what is drawn


UNLIKE_HOURS = {"up_h": 3, "by_hour": [1.0] * 12 + [3.0] * 12, "down_h": 0.5}
SKIES = {
    "all": storm(seed=5),
    "uneven": scenario(
        [pool(8, 3, failures=[{"mtbf_h": 40, "repair_h": 3, "repair_sigma": 0.7}])],
        [offer("cloud", 40, key="nodes", reclaim=UNLIKE_HOURS)],
    ),
}
DRAWN = {
    "all": "device 418507de cabinet ed43f4d9 pod ec802b94 maintenance 9764a80b reclaim 2b48ff28 shortage "
    "a4088b7d refused afa568c6 slow_boot f3200030 failed_boot 295ffd0d price d4e0e88e",
    "uneven": "device 69b2344b reclaim 7799eabb",
}
"""By sort of weather, of twelve days from seven in the morning on; all runs in weather change with them."""


@pytest.mark.parametrize("sky", SKIES)
def test_the_same_weather_is_drawn_on_every_machine_for_ever(sky: str) -> None:
    weather = drawn(SKIES[sky], 12 * DAY_S, 7 * HOUR_S)
    found = {what: repr(rows(weather, what)) for what in WHATS if rows(weather, what)}
    digests = (f"{what} {sha256(text.encode()).hexdigest()[:8]}" for what, text in found.items())
    assert " ".join(digests) == DRAWN[sky]


def test_a_node_is_there_for_a_second_at_least() -> None:
    """However short its up-times are: from 0 to 1, from 11 to 12."""
    hazard = DailyHazard(1e-9, [1.0] * 24, 0)
    assert hazard.cycles(np.random.default_rng(1), np.zeros(1, np.int64), np.full((2, 1), 10)).tolist() == [
        [11],
        [22],
    ]
