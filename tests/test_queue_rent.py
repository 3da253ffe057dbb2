"""What queues may rent, in devices at once and USD a week: stories to the second and the cent, and a law."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.run.directory import Run
from scheduler.scenario import Scenario, ScenarioError
from tests.build import Row, job, offer, rows, run, scenario, trace

WEEK_S = 604_800


def renting(*queues: Row, quota: int = 100, **more: Any) -> Scenario:
    """An offer at 0.001 USD a device-second, and no pod; `top` has queues by their owner's name."""
    own = [{"parent": "top", "owners": [queue["name"]]} | queue for queue in queues[1:]]
    return scenario(
        offers=[offer("cloud", quota, **more)],
        policy={"patience": "at_once"},
        queues=[{"name": "top"} | queues[0], *own],
    )


def a(submit_s: int, run_s: int, gang: int, **more: Any) -> Row:
    return job(submit_s, run_s, gang, owner="a", **more)


def b(submit_s: int, run_s: int, gang: int, **more: Any) -> Row:
    return job(submit_s, run_s, gang, owner="b", **more)


def starts(of: Scenario, *jobs: Row) -> list[int | None]:
    with TemporaryDirectory() as folder:
        return [start for (start,) in rows(run(of, trace(*jobs), Path(folder) / "run"), "jobs", "start_s")]


A, B = {"name": "a"}, {"name": "b"}


def test_a_queue_rents_so_many_devices_at_once_and_blocks_nobody() -> None:
    """a may hold 4: its second job waits until 100, and b's, behind it, does not."""
    assert starts(renting({}, A | {"rent_most": 4}, B), a(0, 100, 3), a(1, 10, 2), b(2, 10, 9)) == [0, 100, 2]


def test_what_fits_beside_passes_what_does_not() -> None:
    of = renting({}, A | {"rent_most": 4})
    assert starts(of, a(0, 100, 3), a(1, 10, 2), a(2, 10, 1)) == [0, 100, 2]


def test_children_count_too() -> None:
    """The two may hold 4 together, and a alone 3."""
    of = renting({"rent_most": 4}, A | {"rent_most": 3}, B)
    assert starts(of, a(0, 100, 3), a(1, 10, 1), b(2, 50, 1), b(3, 10, 1)) == [0, 100, 2, 52]


def test_devices_that_are_kept_count_until_they_are_given_back() -> None:
    of = renting({}, A | {"rent_most": 1}, release_s=30)
    assert starts(of, a(0, 100, 1), a(1, 10, 1)) == [0, 130]


def test_a_job_above_the_most_never_leaves() -> None:
    assert starts(renting({}, A | {"rent_most": 4}), a(0, 10, 5), a(0, 10, 4)) == [None, 0]


def test_the_money_of_a_queue_comes_anew_each_week() -> None:
    """4 devices x 1,000 s are 4 USD: two are paid of 8 USD, to the cent; b has as much as it likes."""
    of = renting({}, A | {"rent_usd_per_week": 8}, B)
    jobs = [a(10, 1_000, 4), a(20, 1_000, 4), a(30, 10, 1), b(40, 9_000, 9)]
    assert starts(of, *jobs) == [10, 20, WEEK_S, 40]


def test_the_money_of_a_parent_is_that_of_all_below_it() -> None:
    of = renting({"rent_usd_per_week": 5}, A, B)
    assert starts(of, a(10, 1_000, 4), b(20, 1_010, 1), b(30, 1_000, 1)) == [10, WEEK_S, 30]


def test_what_a_commitment_pays_costs_a_queue_nothing() -> None:
    """The first is all on the 4 devices that are paid anyhow, and leaves the second the 1 USD."""
    of = renting({"rent_usd_per_week": 1}, A, B, commitments=[{"devices": 4}])
    assert starts(of, a(10, 1_000, 4), b(20, 1_000, 1)) == [10, 20]


def test_money_that_an_estimate_took_too_much_of_comes_back_as_it_ends() -> None:
    """Of 10 USD it is to cost 9, and has cost 1 at 1,000."""
    of = renting({}, A | {"rent_usd_per_week": 10})
    assert starts(of, a(0, 1_000, 1, estimate_s=9_000), a(1, 5_000, 1)) == [0, 1_000]


def test_what_costs_more_than_a_week_has_never_leaves_and_the_run_ends() -> None:
    of = renting({}, A | {"rent_usd_per_week": 1})
    assert starts(of, a(0, 1_001, 1), a(0, 1_000, 1)) == [None, 0]


def files(of: Run) -> dict[str, bytes]:
    return {
        str(path.relative_to(of.folder)): path.read_bytes()
        for path in of.folder.rglob("*.parquet")
        if path.is_file()
    }


def test_limits_that_nobody_reaches_change_no_byte_of_the_logs(tmp_path: Path) -> None:
    jobs = trace(a(0, 100, 3), a(1, 10, 2), b(2, 10, 9))
    wide = {"rent_most": 14, "rent_usd_per_week": 0.41}
    without, within = (
        run(renting(top, A, B), jobs, tmp_path / name) for name, top in (("0", {}), ("1", wide))
    )
    assert files(without) == files(within)
    assert files(without)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(1, 5), st.sampled_from("abc")),
        min_size=1,
        max_size=12,
    ),
    st.tuples(*[st.integers(1, 8)] * 3),
    st.integers(0, 9),
)
def test_a_subtree_never_holds_more_than_its_most(
    jobs: list[tuple[int, int, int, str]], most: Sequence[int], keep_s: int
) -> None:
    """a and b stand below mid, and c beside that; who fits its queues leaves in the end."""
    queues = [
        {"name": "top", "rent_most": most[0]},
        {"name": "mid", "parent": "top", "rent_most": most[1]},
        {"name": "a", "parent": "mid", "owners": ["a"], "rent_most": most[2]},
        {"name": "b", "parent": "mid", "owners": ["b"]},
        {"name": "c", "parent": "top", "owners": ["c"]},
    ]
    cloud = offer("cloud", 9, release_s=keep_s)
    of = scenario(offers=[cloud], policy={"patience": "at_once"}, queues=queues)
    table = trace(*(job(at, run_s, gang, owner=owner) for at, run_s, gang, owner in sorted(jobs)))
    with TemporaryDirectory() as folder:
        held = rows(run(of, table, Path(folder) / "run"), "attempts", "job_id", "alloc_s", "end_s", "devices")
    owners = dict(zip(*(table.table.column(name).to_pylist() for name in ("job_id", "owner")), strict=True))
    for limit, below in [(most[0], "abc"), (most[1], "ab"), (most[2], "a")]:
        mine = [each for each in held if owners[each[0]] in below]
        for _, now, _, _ in mine:
            assert sum(n for _, since, end, n in mine if since <= now < end + keep_s) <= limit
    fits = {"a": min(most), "b": min(most[:2]), "c": most[0]}
    assert len(held) == sum(gang <= fits[owner] for _, _, gang, owner in jobs)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rent_most", -1),
        ("rent_most", "many"),
        ("rent_most", 1.5),
        ("rent_usd_per_week", -0.01),
        ("rent_usd_per_week", "all"),
        ("rent_usd_per_week", float("inf")),
        ("rent_usd_per_week", float("nan")),
    ],
)
def test_limits_that_are_wrong_are_named_in_one_line(key: str, value: object) -> None:
    with pytest.raises(ScenarioError) as refused:
        renting({}, A | {key: value})
    assert key in str(refused.value)
    assert "\n" not in str(refused.value)
