"""Shared links: stories, closed forms, a fluid model in fractions, queueing theory; what is staged where."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from fractions import Fraction
from functools import partial
from math import ceil
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.storm.links import Link, Store, Transfer
from traces.arrays import Array

TB_PER_S = 8_000.0
"""Gbit/s that move 1 TB a second."""
MICROSECOND = Fraction(1, 10**6)
"""What is through this little after a whole second counts as through at it."""
FOREVER_S = 10**9


class Send(NamedTuple):
    """A transfer that is started, and cancelled so many seconds later unless that is None."""

    start_s: int
    tb: float
    cancel_after_s: int | None = None


class Sent(NamedTuple):
    """What came of it: the second at which its end was told, if it was, and what it moved."""

    done_s: int | None
    moved_tb: float


def send(*sends: Send | tuple[int, float], gbps: float = TB_PER_S) -> list[Sent]:
    env = Environment()
    link = Link(env, gbps)
    transfers: dict[int, Transfer] = {}
    told: dict[int, int] = {}

    def start(number: int, tb: float) -> None:
        transfers[number] = link.start(tb, lambda _: told.__setitem__(number, int(env.now)))

    def cancel(number: int) -> None:
        link.cancel(transfers[number])

    plans = [Send(*plan) for plan in sends]
    for number, plan in enumerate(plans):
        at(env, plan.start_s, partial(start, number, plan.tb))
    for number, plan in enumerate(plans):
        if plan.cancel_after_s is not None:
            at(env, plan.start_s + plan.cancel_after_s, partial(cancel, number))
    env.run()
    return [Sent(told.get(number), link.moved_tb(transfers[number])) for number in range(len(plans))]


def at(env: Environment, second: int, act: Callable[[], object]) -> None:
    def ring(_: Event) -> None:
        act()

    Timeout(env, second - env.now).callbacks.append(ring)


def ends(*sends: Send | tuple[int, float], gbps: float = TB_PER_S) -> list[int]:
    told = [sent.done_s for sent in send(*sends, gbps=gbps)]
    return [end for end in told if end is not None]


# stories


@pytest.mark.parametrize(
    ("sends", "told"),
    [
        ([(3, 8.0)], [11]),
        ([(0, 4.0), (0, 4.0)], [8, 8]),
        ([(0, 4.0), (0, 4.0), (2, 1.0)], [9, 9, 5]),  # the third has a third of the line
        ([(0, 6.0), (2, 2.0), (3, 1.0)], [9, 7, 6]),
        ([(0, 1.0), (5, 1.0)], [1, 6]),  # the line is idle in between
        ([(0, 1.0), (1, 1.0)], [1, 2]),  # one comes as the other is through
    ],
)
def test_transfers_share_alike(sends: list[tuple[int, float]], told: list[int]) -> None:
    assert ends(*sends) == told


@pytest.mark.parametrize(
    ("tb", "lasts_s"),
    [(1.0, 800), (1.001, 801), (1.000_000_1, 801), (0.00125, 1), (0.1, 80), (1e-9, 1)],
)
def test_a_transfer_alone_takes_whole_seconds_rounded_up(tb: float, lasts_s: int) -> None:
    assert ends((1_000_000, tb), gbps=10) == [1_000_000 + lasts_s]
    assert Link(Environment(), 10).seconds(tb) == lasts_s


def test_a_share_is_free_between_two_seconds() -> None:
    """The first is through after half a second; had it held its share until 1, the second would end at 2."""
    assert ends((0, 0.25), (0, 0.75)) == [1, 1]


def test_what_a_link_has_moved_before_does_not_make_it_less_exact() -> None:
    """1e9 + 0.1 is a float that would take 20 microseconds longer than 0.1."""
    assert ends((0, 1e9), (10**12, 0.1), gbps=10) == [8 * 10**11, 10**12 + 80]


def test_a_cancelled_transfer_keeps_what_it_moved_and_frees_its_share() -> None:
    first, second = send(Send(0, 6.0, cancel_after_s=4), Send(0, 6.0))
    assert first == Sent(None, 2.0)
    assert second == Sent(8, 6.0)


@pytest.mark.parametrize(("tb", "last_s"), [(1.5, 11), (1.25, 11)])
def test_whoever_is_cancelled_in_the_second_of_its_end_has_moved_all(tb: float, last_s: int) -> None:
    """It is through at 3, or half a second before; the cancellation comes before its end is told."""
    assert send(Send(0, tb, cancel_after_s=3), Send(0, 9.0)) == [Sent(None, tb), Sent(last_s, 9.0)]


def test_what_is_done_may_start_and_cancel_others_at_once() -> None:
    env = Environment()
    link = Link(env, TB_PER_S)
    told: list[tuple[str, int]] = []

    def done(name: str) -> Callable[[Transfer], None]:
        return lambda _: told.append((name, int(env.now)))

    def first_done(_: Transfer) -> None:
        told.append(("first", int(env.now)))
        assert link.cancel(twin) == 1.0  # it is through as well
        link.start(2.0, done("next"))

    link.start(1.0, first_done)
    twin = link.start(1.0, done("twin"))
    env.run()
    assert told == [("first", 2), ("next", 4)]


def test_a_cancelled_transfer_stays_as_it_was() -> None:
    env = Environment()
    link = Link(env, TB_PER_S)
    transfer = link.start(6.0, lambda _: pytest.fail("done was called"))
    link.start(6.0, lambda _: None)
    env.run(until=4)
    assert (link.moved_tb(transfer), link.cancel(transfer)) == (2.0, 2.0)
    env.run(until=30)
    assert (link.moved_tb(transfer), link.cancel(transfer)) == (2.0, 2.0)


def test_a_forecast_counts_what_those_in_flight_have_left() -> None:
    env = Environment()
    link = Link(env, TB_PER_S)
    link.start(2.0, lambda _: None)
    cancelled = link.start(2.0, lambda _: None)
    env.run(until=2)
    assert (link.seconds(0.5), link.seconds(9.0)) == (2, 11)  # 1 TB is left of each
    link.cancel(cancelled)
    assert (link.seconds(0.5), link.seconds(9.0)) == (1, 10)


# closed forms


@pytest.mark.parametrize("n", [1, 2, 7, 1_000])
def test_equal_transfers_take_n_times_as_long(n: int) -> None:
    assert ends(*[(5, 3.0)] * n) == [5 + 3 * n] * n


@pytest.mark.parametrize("n", [3, 50])
def test_transfers_of_1_to_n(n: int) -> None:
    """Until the k-th is through, it and all after it have moved k, and the i-th before it i."""
    told = ends(*((0, float(k)) for k in range(1, n + 1)))
    assert told == [k * (k - 1) // 2 + k * (n - k + 1) for k in range(1, n + 1)]


# invariants

eighths = st.integers(1, 80).map(lambda tb: tb / 8)
sends = st.lists(st.builds(Send, st.integers(0, 20), eighths, st.none()), min_size=1, max_size=12)
cancelled = st.builds(Send, st.integers(0, 20), eighths, st.none() | st.integers(0, 30))


def fluid(plans: Sequence[Send]) -> list[tuple[Fraction | None, Fraction]]:
    """When each is through, or None if it is cancelled first, and what it moves, on a line of 1 TB a second.

    It steps from change to change in fractions, and looks at everybody at each.
    """
    through: list[Fraction | None] = [None] * len(plans)
    left = [Fraction(plan.tb) for plan in plans]
    stops = [
        FOREVER_S if plan.cancel_after_s is None else plan.start_s + plan.cancel_after_s for plan in plans
    ]
    now = Fraction(0)
    for change in sorted({*(plan.start_s for plan in plans), *stops}):
        while now < change:
            who = [n for n, plan in enumerate(plans) if left[n] and plan.start_s <= now < stops[n]]
            step = min([change - now, *(left[n] * len(who) for n in who)])
            now += step
            for n in who:
                left[n] -= step / len(who)
                if not left[n]:
                    through[n] = now
    return [(end, Fraction(plan.tb) - rest) for end, plan, rest in zip(through, plans, left, strict=True)]


@given(st.lists(cancelled, min_size=1, max_size=12))
def test_ends_and_moves_are_those_of_the_fluid_model(plans: list[Send]) -> None:
    for plan, sent, (end, moved) in zip(plans, send(*plans), fluid(plans), strict=True):
        told_s = None if end is None else ceil(end - MICROSECOND)
        if told_s is not None and plan.cancel_after_s is not None:
            told_s = told_s if told_s < plan.start_s + plan.cancel_after_s else None
        assert sent.done_s == told_s
        assert sent.moved_tb == pytest.approx(float(moved), abs=1e-5)


def backlog_tb(plans: Sequence[Send], second: int) -> float:
    """What a line of 1 TB a second that moves one after the other has left then (Lindley's recursion)."""
    left, since_s = 0.0, 0
    for plan in sorted(plans, key=lambda plan: plan.start_s):
        if plan.start_s <= second:
            left = max(0.0, left - (plan.start_s - since_s)) + plan.tb
            since_s = plan.start_s
    return max(0.0, left - (second - since_s))


@given(sends, st.integers(21, 140))
def test_bytes_are_conserved(plans: list[Send], second: int) -> None:
    """A busy line moves all it can, whoever it is for: what is left is what any other order would leave."""
    env = Environment()
    link = Link(env, TB_PER_S)
    transfers: list[Transfer] = []
    for plan in plans:
        at(env, plan.start_s, partial(_start, link, plan.tb, transfers))
    env.run(until=second)
    left = sum(transfer.tb - link.moved_tb(transfer) for transfer in transfers)
    assert left == pytest.approx(backlog_tb(plans, second), abs=1e-4)


def _start(link: Link, tb: float, transfers: list[Transfer]) -> None:
    transfers.append(link.start(tb, lambda _: None))


@given(sends)
def test_nobody_is_faster_than_alone(plans: list[Send]) -> None:
    alone = [plan.start_s + ceil(plan.tb) for plan in plans]
    assert all(end >= soonest for end, soonest in zip(ends(*plans), alone, strict=True))


@given(sends)
def test_whoever_has_less_left_is_told_first(plans: list[Send]) -> None:
    env = Environment()
    link = Link(env, TB_PER_S)
    order: list[Transfer] = []
    in_flight: list[Transfer] = []
    before: list[tuple[Transfer, Transfer]] = []

    def done(transfer: Transfer) -> None:
        order.append(transfer)
        in_flight.remove(transfer)

    def start(tb: float) -> None:
        new = link.start(tb, done)
        for other in in_flight:
            left_tb = other.tb - link.moved_tb(other)
            if abs(left_tb - tb) > 1e-4:
                before.append((other, new) if left_tb < tb else (new, other))
        in_flight.append(new)

    for plan in plans:
        at(env, plan.start_s, partial(start, plan.tb))
    env.run()
    assert len(order) == len(plans)
    assert all(order.index(sooner) < order.index(later) for sooner, later in before)


@given(sends, eighths)
def test_a_forecast_comes_true_if_nobody_joins(plans: list[Send], tb: float) -> None:
    env = Environment()
    link = Link(env, TB_PER_S)
    for plan in plans:
        at(env, plan.start_s, partial(link.start, plan.tb, lambda _: None))
    env.run(until=21)
    told: list[int] = []
    forecast_s = link.seconds(tb)
    link.start(tb, lambda _: told.append(int(env.now)))
    env.run()
    assert told == [21 + forecast_s]


# theory

MEAN_S = 100_000
"""Mean time that a transfer takes alone: so long that whole seconds do not matter."""
LOAD = 0.5
REPLICATIONS = 20
TRANSFERS = 10_000
CONFIDENCE = 0.99


def exponential(rng: np.random.Generator) -> Array:
    return rng.exponential(1.0, TRANSFERS)


def two_point(rng: np.random.Generator) -> Array:
    """Nine small ones in ten and a large one: mean 1, second moment 3.25."""
    return np.where(rng.random(TRANSFERS) < 0.9, 0.5, 5.5)


@pytest.mark.parametrize("sizes", [exponential, two_point])
def test_mean_stay_in_m_g_1_processor_sharing(sizes: Callable[[np.random.Generator], Array]) -> None:
    """E[S] / (1 - load) whatever the sizes, and x / (1 - load) for those of size x.

    Sakata, Noguchi and Oizumi, Operations Research 1971.

    First come, first served, the mean stay of the two-point sizes would be 31% longer.
    """
    means, slowdowns = [], []
    for seed in range(REPLICATIONS):
        rng = np.random.default_rng([seed, 17])
        tb = sizes(rng)
        stay = _stays(np.cumsum(rng.exponential(1 / LOAD, TRANSFERS)), tb)[TRANSFERS // 10 :]
        means.append(stay.mean())
        slowdowns.append((stay / tb[TRANSFERS // 10 :]).mean())
    _agrees(means, 1 / (1 - LOAD))
    _agrees(slowdowns, 1 / (1 - LOAD))


def _stays(arrival: Array, tb: Array) -> Array:
    """How long each transfer is in flight, in mean services."""
    env = Environment()
    link = Link(env, TB_PER_S / MEAN_S)
    start_s = np.rint(arrival * MEAN_S).astype(np.int64)
    end_s = np.zeros(len(tb), np.int64)

    def start(number: int) -> None:
        link.start(float(tb[number]), lambda _: end_s.__setitem__(number, int(env.now)))

    def arrivals() -> Generator[Event, None, None]:
        for number, second in enumerate(start_s.tolist()):
            yield Timeout(env, second - env.now)
            start(number)

    env.process(arrivals())
    env.run()
    stays: Array = (end_s - start_s) / MEAN_S
    return stays


def _agrees(found: Sequence[float], expected: float) -> None:
    """The interval over the replications holds what theory gives, and nothing that is 5% off it."""
    half_width = stats.t.ppf((1 + CONFIDENCE) / 2, len(found) - 1) * stats.sem(found)
    off = abs(np.mean(found) - expected)
    assert off < half_width
    assert off + half_width < 0.05 * expected


# stores


def job(row: int, input_tb: float, *, owner: str = "vision", kind: str = "fsd.retrain") -> Job:
    shape = Shape([], [], "fsd", kind, owner)
    return Job(row, row, 0, 1, 1, 1, 0, None, None, input_tb, shape)


class Again(Job):
    """A later attempt of the job in row 0, which waits under another number."""

    @property
    def row(self) -> int:
        return 0


def test_a_job_does_not_move_again_what_its_earlier_attempts_brought() -> None:
    store = Store("job")
    first, again = job(0, 5.0), Again._make(job(7, 5.0))
    assert store.missing_tb("east", first) == 5.0
    store.staged("east", first, 3.0)
    assert store.missing_tb("east", again) == 3.0
    assert store.missing_tb("west", again) == 5.0
    assert store.missing_tb("east", job(1, 5.0)) == 5.0
    store.staged("east", again, 0.0)
    assert store.missing_tb("east", first) == 0.0


def test_jobs_of_an_owner_and_kind_share_the_largest_part() -> None:
    store = Store("kind")
    store.staged("east", job(0, 3.0), 0.0)
    assert store.missing_tb("east", job(1, 5.0)) == 2.0
    store.staged("east", job(1, 5.0), 0.0)
    assert [store.missing_tb("east", job(2, tb)) for tb in (4.0, 5.0, 7.5)] == [0.0, 0.0, 2.5]
    assert store.missing_tb("west", job(3, 5.0)) == 5.0
    assert store.missing_tb("east", job(4, 5.0, owner="maps")) == 5.0
    assert store.missing_tb("east", job(5, 5.0, kind="fsd.eval")) == 5.0


def test_of_two_that_stage_at_the_same_time_the_larger_part_counts() -> None:
    store = Store("kind")
    store.staged("east", job(0, 5.0), 0.0)
    store.staged("east", job(1, 3.0), 0.0)
    assert store.missing_tb("east", job(2, 9.0)) == 4.0


def test_interrupted_jobs_of_a_kind_do_not_add_up() -> None:
    store = Store("kind")
    for row in range(10):
        store.staged("east", job(row, 8.0), 7.0)
    assert store.missing_tb("east", job(10, 9.0)) == 8.0


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=8))
def test_a_job_that_staged_what_was_missing_misses_nothing(inputs: list[float]) -> None:
    """Not even what floats round off, which would cost a second."""
    store = Store("kind")
    for row, input_tb in enumerate(inputs):
        newcomer = job(row, input_tb)
        store.staged("east", newcomer, 0.0)
        assert store.missing_tb("east", newcomer) == 0.0
