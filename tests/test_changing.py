"""Orders whose keys change while a job waits: stories by hand, a slow oracle, and what may be looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf, log10
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.engine.owner_use import OwnerUse
from scheduler.policy import resolve
from scheduler.policy.changing import JobColumns, Multifactor
from scheduler.policy.errors import PolicyError
from scheduler.policy.order import OrderError
from scheduler.scenario import ScenarioError
from tests.build import Row, job, offer, pool, rows, run, scenario, trace
from tests.examples import examples
from tests.oracle import Oracle
from traces import portable

DAY = 86_400


def starts(order: str, *jobs: Row, devices: int = 4, **policy: str) -> list[int]:
    of = scenario([pool(devices)], policy={"order": order, "backfill": "none", "patience": "never"} | policy)
    with TemporaryDirectory() as folder:
        return [start for (start,) in rows(run(of, trace(*jobs), Path(folder)), "jobs", "start_s")]


# Stories


def test_a_short_wait_of_a_short_job_counts_more() -> None:
    """At 100 job 1 has waited 90 of 1,000 and job 2 has waited 20 of 10: first come is not first served."""
    jobs = [job(0, 100, 4), job(10, 1_000, 4), job(80, 10, 4)]
    assert starts("fcfs", *jobs) == [0, 100, 1_100]
    for order in ("wfp3", "xfactor"):
        assert starts(order, *jobs) == [0, 110, 100]


def test_who_is_first_may_be_another_by_the_time_there_is_room() -> None:
    """Of two jobs of 4 devices, A (from 0, of 100) and B (from 60, of 10), the ratios are equal at 66.67 s.

    At 60 A has 0.6 and B 0; at 66 A has 0.66 and B 0.6; at 67 A has 0.67 and B 0.7.
    """
    ahead = [job(0, end, 4) for end in (66, 67)]
    for first, (a, b) in zip(ahead, [(66, 166), (77, 67)], strict=True):
        jobs = [first, job(0, 100, 4), job(60, 10, 4)]
        assert starts("xfactor", *jobs)[1:] == [a, b]


def test_wfp3_favours_large_gangs_and_unicep_small_ones() -> None:
    jobs = [job(0, 50, 4), job(0, 100, 4), job(0, 100, 2)]
    assert starts("wfp3", *jobs) == [0, 50, 150]
    assert starts("unicep", *jobs)[1:] == [150, 50]


def test_a_tie_goes_to_the_lower_job_id_whoever_came_first_to_the_queue() -> None:
    jobs = [job(0, 50, 4), job(0, 100, 4, job_id=9), job(0, 100, 4, job_id=3)]
    jobs[0] |= {"job_id": 0}
    assert starts("wfp3", *jobs) == [0, 50, 150]


def test_the_head_is_found_anew_when_nothing_but_a_submission_happens() -> None:
    """Job 1 needs all devices. At 5 it has the factor 44/40, and job 2, for which there is room, 13/10."""
    jobs = [job(0, 100, 2), job(1, 40, 4), job(2, 10, 2), job(5, 1_000, 1)]
    assert starts("xfactor", *jobs) == [0, 100, 5, 140]


def test_once_chosen_the_head_stays_the_head() -> None:
    """Job 1 is the head when job 2, which is shorter, comes."""
    jobs = [job(0, 10, 3), job(1, 100, 4), job(2, 5, 4)]
    assert starts("sjf", *jobs) == [0, 15, 10]
    assert starts("sjf", *jobs, backfill="commit") == [0, 10, 110]


def test_of_two_that_come_at_once_the_first_is_chosen_before_the_other_is_there() -> None:
    jobs = [job(0, 10, 3), job(1, 100, 4), job(1, 5, 4)]
    assert starts("sjf", *jobs) == [0, 15, 10]
    assert starts("sjf", *jobs, backfill="commit") == [0, 10, 110]


def test_who_passes_a_committed_head_ends_before_its_shadow_time_and_not_at_it() -> None:
    """The head may start at 10; a job of 8 s from 1 on ends before, one of 9 s at it."""
    head = [job(0, 10, 3), job(1, 100, 4)]
    assert starts("fcfs", *head, job(1, 8, 1), backfill="rlscheduler") == [0, 10, 1]
    assert starts("fcfs", *head, job(1, 9, 1), backfill="rlscheduler") == [0, 10, 110]
    assert starts("fcfs", *head, job(1, 9, 1), backfill="easy") == [0, 10, 1]


def test_nobody_gives_way_to_a_committed_head() -> None:
    with pytest.raises(ScenarioError, match=r'"commit": keeps its head, .* preempt must be nobody'):
        scenario([pool(4)], policy={"backfill": "commit", "preempt": "by_order"})


def test_bursts_go_by_the_keys_of_their_instant() -> None:
    """At 50 the rented device is free: job 3, which has waited 20 s of 10, goes before job 2, 50 of 100."""
    jobs = [job(0, 1_000, 1), job(0, 50, 1), job(0, 100, 1), job(30, 10, 1)]
    policy = {"order": "xfactor", "backfill": "none", "patience": "at_once"}
    of = scenario([pool(1)], [offer("one", 1)], policy=policy)
    with TemporaryDirectory() as folder:
        found = rows(run(of, trace(*jobs), Path(folder)), "jobs", "start_s")
    assert [start for (start,) in found] == [0, 0, 60, 50]


# Multifactor


def columns(**more: Any) -> JobColumns:
    values = {name: [0] for name in JobColumns._fields} | {"estimate_s": [1], "gang": [1]} | more
    return JobColumns(*(np.array(values[name], np.int64) for name in JobColumns._fields))


class Moment:
    """What an order is shown."""

    def __init__(self, now_s: int = 0, use: tuple[float, ...] = (0.0,), devices: int = 8) -> None:
        self.now_s, self.devices = now_s, devices
        self.use = np.array(use)
        self.owners = [f"owner {at}" for at in range(len(use))]
        self.shares = np.ones(len(use))


NONE = Multifactor(age=0, fair_share=0, size=0, priority=0)


def test_each_factor_by_hand() -> None:
    jobs = columns(submit_s=[0, 40], gang=[2, 8], priority=[1, -1], owner=[0, 1])
    for weighed, moment, keys in [
        (replace(NONE, age=10, max_age_s=100), Moment(50), [-5, -1]),
        (replace(NONE, age=10, max_age_s=20), Moment(50), [-10, -5]),
        (replace(NONE, size=8), Moment(), [-2, -8]),
        (replace(NONE, size=-8), Moment(), [2, 8]),
        (replace(NONE, priority=3), Moment(), [-3, 3]),
        (replace(NONE, fair_share=8), Moment(use=(0, 0)), [-8, -8]),
        (replace(NONE, fair_share=8), Moment(use=(7, 7)), [-4, -4]),
        (replace(NONE, fair_share=8), Moment(use=(30, 10)), [-8 * 2**-1.5, -8 * 2**-0.5]),
    ]:
        assert weighed.keys(jobs, moment).tolist() == pytest.approx(keys, rel=1e-15)


def test_use_halves_in_a_half_life_and_tends_to_what_is_held() -> None:
    """The closed form: d devices for t seconds are d h / ln 2 (1 - 2^(-t / h)) afterwards."""
    half_life_s = 3_600
    use = OwnerUse(["a", "b"], half_life_s, 1_000)
    use.holds("a", 5, 1_000)
    full = 5 * half_life_s / np.log(2)
    for past_s in (1, 60, 3_600, 90_000):
        assert use.at(1_000 + past_s).tolist() == pytest.approx([full * (1 - 2 ** (-past_s / 3_600)), 0])
    use.holds("a", -5, 91_000)
    before = float(use.at(91_000)[0])
    for half_lives in (1, 2, 10):
        assert use.at(91_000 + half_lives * half_life_s)[0] == pytest.approx(
            before / 2**half_lives, rel=1e-12
        )


def test_use_that_never_fades_is_a_sum() -> None:
    use = OwnerUse(["a"], inf, 0)
    use.holds("a", 3, 10)
    use.holds("a", 1, 20)
    use.holds("a", -4, 25)
    assert use.at(100).tolist() == [3 * 10 + 4 * 5]


def test_who_had_much_waits_until_it_is_forgotten() -> None:
    """a has had all. Without age b comes first, however late; with some, a is first 40 s before b."""
    jobs = [job(0, 100, 4, owner="a"), job(10, 100, 4, owner="a"), job(50, 100, 4, owner="b")]

    def of(**weights: float) -> list[int]:
        policy = {"order": "multifactor", "multifactor": weights, "backfill": "none"}
        with TemporaryDirectory() as folder:
            built = scenario([pool(4)], policy=policy)
            return [start for (start,) in rows(run(built, trace(*jobs), Path(folder)), "jobs", "start_s")]

    assert of() == [0, 200, 100]
    # 2^0 for b, 2^-2 for a, and 40 s of age over 7 days
    assert of(age=0.74 * 7 * DAY / 40) == [0, 200, 100]
    assert of(age=0.76 * 7 * DAY / 40) == [0, 100, 200]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"half_life": "soon"}, 'half_life "soon": must be a duration above 0, as 7d'),
        ({"max_age": "0"}, 'max_age "0": must be a duration above 0'),
        ({"ages": 1}, "ages"),
    ],
)
def test_a_wrong_table_is_named_in_one_line(table: Row, message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario([pool(4)], policy={"multifactor": table})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


# The keys of Carastan-Santos and de Camargo, whose logarithms are the same everywhere


@pytest.mark.parametrize("submit_s", [0, 1, 12_345])
def test_the_four_that_were_learnt(submit_s: int) -> None:
    class Asked:
        estimate_s, gang = 900, 16

    asked: Any = Asked()
    asked.submit_s = submit_s
    s = log10(submit_s or 0.1)
    for name, key in [
        ("f1", log10(900) * 16 + 870 * s),
        ("f2", 30 * 16 + 25_600 * s),
        ("f3", 900 * 16 + 6_860_000 * s),
        ("f4", 900 * 4 + 530_000 * s),
    ]:
        assert resolve("order", name)(asked, None) == pytest.approx(key, rel=1e-14)


@given(st.floats(1e-300, 1e300), st.floats(-800, 800))
def test_one_number_has_the_bits_that_an_array_has(positive: float, any_number: float) -> None:
    assert portable.log_of(positive) == float(portable.log(np.array([positive]))[0])
    assert portable.expm1_of(any_number) == float(portable.expm1(np.array([any_number]))[0])


# A queue that has an end, and orders by service


@pytest.mark.parametrize(("most", "bursts"), [(0, [1, 2, 3]), (1, [2, 3]), (2, [3]), (3, []), (9, [])])
def test_the_last_in_order_leave_a_queue_that_is_too_long(most: int, bursts: list[int]) -> None:
    """All come at once to one device, shortest first; none would ever burst for its patience."""
    policy = {"order": "sjf", "backfill": "none", "patience": "never", "queue_most": most}
    of = scenario([pool(1)], [offer("one")], policy=policy)
    jobs = trace(*(job(0, run_s, 1) for run_s in (10, 20, 30, 40)))
    with TemporaryDirectory() as folder:
        found = rows(run(of, jobs, Path(folder)), "jobs", "job_id", "rented", "start_s")
    assert [number for number, rented, _ in found if rented] == bursts
    assert all(start_s == 0 for _, rented, start_s in found if rented)


def test_who_may_not_leave_is_counted_and_stays() -> None:
    """The third may not leave, so the one before it does."""
    policy = {"backfill": "none", "patience": "never", "queue_most": 1}
    of = scenario([pool(1)], [offer("one")], policy=policy)
    jobs = trace(job(0, 10, 1), job(1, 10, 1), job(2, 10, 1, residency="owned"))
    with TemporaryDirectory() as folder:
        found = rows(run(of, jobs, Path(folder)), "jobs", "rented", "start_s")
    assert found == [(False, 0), (True, 2), (False, 10)]


def test_service_is_time_times_devices() -> None:
    assert starts("srsf", job(0, 10, 4), job(0, 20, 1), job(0, 8, 4)) == [28, 0, 20]


@pytest.mark.parametrize(
    ("attained_h", "level", "turns_s"), [(0, 0, 900), (1, 1, 6_300), (7.5, 1, 450), (8, 2, inf), (99, 2, inf)]
)
def test_service_moves_a_job_down_queue_by_queue(attained_h: float, level: int, turns_s: float) -> None:
    """Thresholds of 1 and 8 device-hours, on 4 devices."""

    class Asked:
        submit_s, attained_device_s = 5, int(attained_h * 3_600)

    las, asked = resolve("order", "las:1,8"), Asked()
    assert (las.level(asked), las.turns_s(asked, 4)) == (level, turns_s)


@pytest.mark.parametrize("argument", ["8,1", "1,,2", "1,1", "-1,2", "1,inf", "nan"])
def test_thresholds_ascend(argument: str) -> None:
    with pytest.raises(PolicyError, match="or several that ascend, as in 1,8,64"):
        resolve("order", f"las:{argument}")


# The slow oracle

JOBS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(1, 8), st.integers(1, 3)), max_size=25
)


@settings(max_examples=examples(60), deadline=None)
@given(
    jobs=JOBS,
    backfill=st.sampled_from(["none", "greedy", "easy", "conservative:1", "conservative:3"]),
    pods=st.integers(1, 3),
    order=st.sampled_from(["wfp3", "xfactor"]),
)
def test_the_schedule_is_that_of_the_oracle(
    jobs: list[tuple[int, int, int, int]], backfill: str, pods: int, order: str
) -> None:
    size = 4 if pods > 2 else 8
    table = [
        job(submit, run_s, gang, estimate_s=run_s * late)
        for submit, run_s, gang, late in sorted(jobs)
        if gang <= size * pods
    ]
    slow = Oracle(table, size=size, pods=pods, backfill=backfill)

    def key(row: Row) -> float:
        ratio = (slow.now - row["submit_s"]) / row["estimate_s"]
        wait_s = slow.now - row["submit_s"]
        return float(
            -(ratio * ratio * ratio) * row["gang"]
            if order == "wfp3"
            else -(wait_s + row["estimate_s"]) / row["estimate_s"]
        )

    slow.key = key
    own = pool(size, pods, span_efficiency=1.0)
    of = scenario([own], policy={"order": order, "backfill": backfill, "patience": "never"})
    with TemporaryDirectory() as folder:
        found = rows(run(of, trace(*table), Path(folder)), "jobs", "start_s") if table else []
    assert [start for (start,) in found] == [start for _, start, _, _ in slow.schedule()]


# One's own


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Installs an order `mine` whose `keys` return this."""

    def install(keys: str, more: str = "") -> None:
        code = f"class mine:\n    {more}\n    def keys(self, jobs, view):\n        return {keys}\n"
        (tmp_path / "mine.py").write_text(code)
        info = tmp_path / "mine-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[exaburst.order]\nmine = mine:mine\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    sys.modules.pop("mine", None)


def test_ones_own_may_look_at_the_clock(mine: Callable[[str], None]) -> None:
    mine("-(view.now_s - jobs.submit_s) / jobs.estimate_s")
    assert starts("mine", job(0, 100, 4), job(10, 1_000, 4), job(80, 10, 4)) == [0, 110, 100]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("1.0", r"gives 1\.0 for 3 jobs; must give an array of so many keys"),
        ("jobs.submit_s[:1]", "for 3 jobs; must give an array"),
        ("jobs.submit_s * float('nan')", "gives NaN for job 0"),
        ("view.use[jobs.owner]", "looks at view.use, but has no half_life_s"),
    ],
)
def test_keys_that_are_none_end_the_run(mine: Callable[[str], None], keys: str, message: str) -> None:
    mine(keys)
    with pytest.raises(OrderError, match=message):
        starts("mine", *(job(0, 10, 4) for _ in range(3)))


def test_what_is_shown_cannot_be_written(mine: Callable[[str], None]) -> None:
    mine("jobs.gang.fill(1)")
    with pytest.raises(ValueError, match="read-only"):
        starts("mine", *(job(0, 10, 4) for _ in range(3)))


def test_an_unknown_changing_order_has_its_nearest() -> None:
    with pytest.raises(PolicyError, match="did you mean wfp3"):
        resolve("order", "wfp")
