"""Where jobs may start first: rented where they may leave, or on owned devices while enough stays free."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.policy import resolve
from scheduler.policy.errors import PolicyError
from tests.build import Row, job, offer, pool, rows, run, scenario, trace
from tests.oracle import Oracle
from tests.test_schedules import BACKFILLS, MEMORY, PLACES, random_traces
from tests.test_schedules import traces as any_traces

Told = tuple[int, str, int, int]
"""(job_id, where, start_s, end_s) of an attempt."""


def attempts(folder: Path, *made: Row, pools: Any = None, offers: Any = None, **policy: str) -> list[Told]:
    pools = [pool(4)] if pools is None else pools
    offers = [offer("cloud", 8)] if offers is None else offers
    of = run(scenario(pools, offers, policy={"patience": "never"} | policy), trace(*made), folder)
    return sorted(rows(of, "attempts", "job_id", "where", "start_s", "end_s"))


def test_rented_first_takes_no_owned_devices(tmp_path: Path) -> None:
    """Who may leave rents at once, and waits for the quota; the others have the pods to themselves."""
    made = (job(0, 10, 4), job(0, 10, 6), job(1, 10, 4, residency="owned"), job(2, 5, 2))
    assert attempts(tmp_path, *made, first="rented") == [
        (0, "cloud", 0, 10),
        (1, "cloud", 10, 20),
        (2, "own", 1, 11),
        (3, "cloud", 2, 7),
    ]


def test_whom_no_offer_could_ever_hold_is_owned_after_all(tmp_path: Path) -> None:
    made = (job(0, 10, 4), job(0, 10, 3))
    assert attempts(tmp_path, *made, offers=[offer("cloud", 3)], first="rented") == [
        (0, "own", 0, 10),
        (1, "cloud", 0, 10),
    ]


@pytest.mark.parametrize("bound", ["owned_only", "rented_only", "unlimited_owned"])
def test_bounds_go_before(tmp_path: Path, bound: str) -> None:
    made = (job(0, 10, 4), job(0, 10, 4), job(0, 10, 4, residency="owned"))
    ran = {}
    for first in ("owned", "rented", "reserve:0.5"):
        spec = scenario([pool(4)], [offer("cloud", 8)], policy={"first": first}, bound=bound)
        ran[first] = rows(run(spec, trace(*made), tmp_path / first), "attempts", "job_id", "where", "start_s")
    assert ran["owned"] == ran["rented"] == ran["reserve:0.5"]


def test_an_interrupted_job_stays_what_it_was(tmp_path: Path) -> None:
    """Reclaimed at 6 with the pods idle, it rents again; and nothing brings it home."""
    spec = scenario(
        [pool(4)],
        [offer("cloud", 4, shortages=[{"from_h": 6 / 3600, "to_h": 8 / 3600, "quota": 0}])],
        policy={"first": "rented", "repatriate": "at_checkpoint"},
        checkpoints={"interval": "2s"},
    )
    told = sorted(rows(run(spec, trace(job(0, 20, 2)), tmp_path), "attempts", "where", "end_s"))
    assert {where for where, _ in told} == {"cloud"}


def test_a_reserve_bars_who_may_leave_and_nobody_else(tmp_path: Path) -> None:
    """Of 8 devices more than 4 stay free: 3 may start, then nobody may; the job that may not leave passes.

    At 10 the first ends: with the owned gang of 5 running, 3 are free, so the second is still barred; at 21
    all are free.
    """
    made = (job(0, 10, 3), job(0, 10, 3), job(1, 20, 5, residency="owned"))
    assert attempts(tmp_path, *made, pools=[pool(8)], first="reserve:0.5") == [
        (0, "own", 0, 10),
        (1, "own", 21, 31),
        (2, "own", 1, 21),
    ]


@pytest.mark.parametrize("backfill", ["none", "greedy", "easy", "conservative", "commit", "rlscheduler"])
@pytest.mark.parametrize("order", ["fcfs", "fair_share", "multifactor", "wfp3", "unicep"])
def test_whom_the_reserve_bars_for_ever_rents_under_any_order(
    tmp_path: Path, order: str, backfill: str
) -> None:
    """Gangs of 12 leave 4 of 16 devices, less than the reserve: nobody ever waits for the pods."""
    policy = {"first": "reserve:0.3", "order": order, "backfill": backfill}
    made = [job(at, 10, 12) for at in range(3)]
    told = attempts(tmp_path, *made, pools=[pool(8, 2)], offers=[offer("cloud", 36)], **policy)
    assert told == [(at, "cloud", at, at + 10) for at in range(3)]


@pytest.mark.parametrize("first", ["owned", "rented"])
@pytest.mark.parametrize("order", ["fcfs", "multifactor", "wfp3"])
def test_a_quota_that_moves_asks_a_queue_in_which_nobody_ever_was(
    tmp_path: Path, order: str, first: str
) -> None:
    """Over two pods the second works at 0.9 of its speed."""
    offers = [offer("cloud", 36, shortages=[{"from_h": 6 / 3600, "to_h": 8 / 3600, "quota": 0}])]
    made = [job(at, 10, 12 if at == 1 else 3, residency="owned") for at in range(3)]
    told = attempts(tmp_path, *made, pools=[pool(8, 2)], offers=offers, order=order, first=first)
    assert told == [(0, "own", 0, 10), (1, "own", 1, 13), (2, "own", 10, 20)]


def test_more_than_the_share_stays_free_not_as_much(tmp_path: Path) -> None:
    made = (job(0, 10, 4), job(0, 10, 3))
    assert attempts(tmp_path, *made, pools=[pool(8)], first="reserve:0.5") == [
        (0, "cloud", 0, 10),
        (1, "own", 0, 10),
    ]


def test_a_barred_job_keeps_its_patience(tmp_path: Path) -> None:
    made = (job(0, 50, 3), job(0, 10, 3))
    assert attempts(tmp_path, *made, pools=[pool(8)], first="reserve:0.5", patience="after:7s") == [
        (0, "own", 0, 50),
        (1, "cloud", 7, 17),
    ]


def test_devices_out_of_service_do_not_count(tmp_path: Path) -> None:
    """From 5 to 15 one of two pods is away: of 4 devices more than 2 must stay free, so 1 may be taken."""
    maintenance = [{"from_h": 5 / 3600, "to_h": 15 / 3600, "pods": [1]}]
    made = (job(6, 3, 2), job(6, 3, 1))
    assert attempts(tmp_path, *made, pools=[pool(4, 2, maintenance=maintenance)], first="reserve:0.5") == [
        (0, "own", 15, 18),
        (1, "own", 6, 9),
    ]


SHARES = st.sampled_from(["1/4", "1/2"])


def may_leave(made: list[Row], mask: int) -> list[Row]:
    """Every job but those of the mask's bits may leave."""
    return [row | {"residency": "owned" if mask >> at & 1 else "any"} for at, row in enumerate(made)]


@random_traces(300)
@given(
    any_traces(8), st.integers(0, 2**30), BACKFILLS, PLACES, st.sampled_from(["1/4", "1/2"]), st.booleans()
)
@example([job(0, 4, 4), job(0, 9, 4), job(1, 2, 2), job(1, 3, 1)], 2, "easy", "best_fit", "1/4", False)
def test_the_reserve_on_random_worlds(
    made: list[Row], mask: int, backfill: str, place: str, share: str, one: bool
) -> None:
    """The engine and the slow oracle agree on who is on which pods when; who can never start there rents."""
    size, pods = (12, 1) if one else (4, 3)
    of_all, of_share = (int(part) for part in share.split("/"))
    most = size * pods * (of_share - of_all) / of_share
    made = may_leave(made, mask)
    owned = [at for at, row in enumerate(made) if row["residency"] == "owned" or row["gang"] < most]
    policy = {
        "backfill": backfill,
        "place": place,
        "patience": "never",
        "first": f"reserve:{of_all / of_share}",
    }
    spec = scenario([pool(size, pods, span_efficiency=1.0)], [offer("cloud", 1_000)], policy=policy)
    with TemporaryDirectory(dir=MEMORY) as folder:
        ran = rows(run(spec, trace(*made), Path(folder)), "attempts", "job_id", "start_s", "end_s", "pods")
    oracle = Oracle(
        [made[at] for at in owned], size=size, pods=pods, backfill=backfill, place=place, keep_free=share
    )
    expected = [(owned[at], start_s, end_s, on) for at, start_s, end_s, on in oracle.schedule()]
    assert [told for told in ran if told[3]] == expected
    assert {told[0] for told in ran} == set(range(len(made)))


@pytest.mark.parametrize("share", ["1", "1.5", "-1", "half"])
def test_a_share_is_below_one(share: str) -> None:
    with pytest.raises(PolicyError, match=f'first "reserve:{share}"'):
        resolve("first", f"reserve:{share}")
