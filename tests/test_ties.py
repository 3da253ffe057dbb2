"""What is equal on paper is equal to a policy, so that ties go to the first, however they are reckoned."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduler.engine.fair_share import StartTags
from scheduler.engine.rented.prices import UnitPrice
from scheduler.policy import resolve
from scheduler.stock.price_series import Surge, from_start
from tests.build import job, offer, pool, rows, run, scenario, trace
from tests.examples import examples
from tests.test_policies import SomeJob, SomeTags
from tests.worlds import MEMORY
from traces.times import DAY_S

CENTS = st.integers(1, 10**6)
FACTORS = st.integers(1, 1_000)


@given(CENTS, FACTORS, FACTORS, FACTORS)
def test_equal_costs_are_equal_floats(cents: int, devices: int, seconds: int, factor: int) -> None:
    """A price that is so many times as high, for so many times fewer device-seconds."""
    usd = UnitPrice(cents / 100).usd(devices * seconds * factor)
    assert UnitPrice(cents * factor / 100).usd(seconds * devices) == usd
    assert UnitPrice(cents / 100).usd(factor * seconds * devices) == usd
    assert UnitPrice(cents / 100).usd(factor * seconds * devices - 1) < usd
    assert UnitPrice((cents + 1) / 100).usd(factor * seconds * devices) > usd


@given(CENTS, st.integers(1, 99), st.integers(1, 99))
def test_a_surge_multiplies_decimals(cents: int, tenths: int, seconds: int) -> None:
    price = from_start(cents / 100, [], [Surge(0, seconds, tenths / 10)])[0][1]
    assert price == float(Decimal(cents * tenths) / 1_000)


WORK_S = 60


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from([0.1, 0.7, 2.0, 2.95, 6.88]),
    st.lists(st.sampled_from([1, 2, 3, 4, 5, 6, 8]), min_size=2, max_size=4),
    st.sampled_from(["cheapest", "spot_fallback", "spot_fallback:0", "spot_up_to:9", "uniform_progress"]),
    st.booleans(),
)
def test_of_offers_that_cost_the_same_the_first_is_taken(
    usd: float, sizes: list[int], policy: str, spot: bool
) -> None:
    """A gang of 1 holds a size for 480 device-minutes over the size: work, and a boot before it."""
    assume(not (spot and policy.endswith(":0")) and (spot or policy != "uniform_progress"))
    offers = [
        offer(f"o{at}", sizes=[size], boot_s=480 * 60 // size - WORK_S, usd_per_device_h=usd, spot=spot)
        for at, size in enumerate(sizes)
    ]
    with TemporaryDirectory(dir=MEMORY) as folder:
        of = run(scenario([], offers, policy={"offer": policy}), trace(job(0, WORK_S, 1)), Path(folder))
        assert rows(of, "attempts", "where", "devices") == [("o0", sizes[0])]


@pytest.mark.parametrize("cheaper", [0, 1])
def test_offers_of_a_worse_sort_still_go_by_cost(tmp_path: Path, cheaper: int) -> None:
    """A hundred-millionth of a dollar apart, and behind all spot offers."""
    offers = [offer(f"o{at}", usd_per_device_h=1e-4 if at == cheaper else 2e-4) for at in range(2)]
    of = run(scenario([], offers, policy={"offer": "spot_fallback"}), trace(job(0, 1, 1)), tmp_path)
    assert rows(of, "attempts", "where") == [(f"o{cheaper}",)]


TENTHS_OF_LEVELS = st.sampled_from([1, 3, 7.5, 9, 11.25, 27, 864_000])
"""A day has a multiple of each, in seconds."""


@given(TENTHS_OF_LEVELS, st.integers(0, 10**6), st.integers(0, 100), st.integers(1, 20))
def test_jobs_of_equal_rank_tie(tenths: float, submit_s: int, priority: int, levels: int) -> None:
    """So many levels more make up for having come later."""
    later_s, rest = divmod(levels * DAY_S * 40, round(4 * tenths))
    assert not rest
    order = resolve("order", f"priority:{tenths / 10}")
    first = SomeJob(submit_s=submit_s, priority=priority)
    second = SomeJob(submit_s=submit_s + later_s, priority=priority + levels)
    assert order(first, SomeTags()) == order(second, SomeTags())


class Asks(NamedTuple):
    """What fair sharing looks at."""

    turn: int
    row: int
    owner: str
    gang: int
    estimate_s: int


@given(st.lists(st.integers(1, 100), min_size=1, max_size=10), st.sampled_from([0.1, 0.3, 3.0, 7.0]))
def test_owners_who_asked_for_the_same_tie(parts: list[int], share: float) -> None:
    """One in a single job, the other in many."""
    tags = StartTags({"one": share, "many": share})
    for turn, (owner, gang) in enumerate([("one", sum(parts)), *(("many", part) for part in parts)]):
        tags.submitted(Asks(turn, turn, owner, gang, 10))  # type: ignore[arg-type]
    assert tags.start_tag("one") == tags.start_tag("many")


def test_a_threshold_is_reached_to_the_second() -> None:
    """1.1 device-hours are 3,960 device-seconds, not a hair more."""
    order = resolve("order", "las:1.1")
    assert [order.level(SomeJob(attained_device_s=device_s)) for device_s in (3_959, 3_960)] == [0, 1]


@pytest.mark.parametrize(("patience", "until_s"), [("per_runtime:1.1", 110), ("per_work:0.07", 21)])
def test_patience_ends_at_the_second_that_it_comes_to(tmp_path: Path, patience: str, until_s: int) -> None:
    """1.1 x 100 s are 110, and 0.07 x 3 x 100 s are 21."""
    gang = 1 if patience.startswith("per_runtime") else 3
    of = run(
        scenario([pool(3)], [offer("rent")], policy={"patience": patience}),
        trace(job(0, 200, 3), job(0, 100, gang)),
        tmp_path,
    )
    assert rows(of, "jobs", "start_s") == [(0,), (until_s,)]
