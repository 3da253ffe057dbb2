"""The engine against a second, obvious scheduler: every job, to the second and the pod, on random traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.build import Row, job, pool, rows, run, scenario, trace
from tests.examples import examples
from tests.oracle import Oracle, Outage, Placed
from tests.packed import maintenance, packed
from tests.storms import weather

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

KEYS: dict[str, Callable[[Row], float]] = {
    "fcfs": lambda row: float(row["submit_s"]),
    "sjf": lambda row: float(row["estimate_s"]),
    "smallest": lambda row: float(row["gang"]),
    "edf": lambda row: inf if row["deadline_s"] is None else float(row["deadline_s"]),
    "priority:86400": lambda row: float(row["submit_s"] - row["priority"]),
}
DEPTHS = [1, 2, 100]
BACKFILLS = st.sampled_from(["none", "greedy", "easy", *(f"conservative:{depth}" for depth in DEPTHS)])
RESERVING = st.sampled_from(["easy", *(f"conservative:{depth}" for depth in DEPTHS)])
PLACES = st.sampled_from(["best_fit", "worst_fit", "first_fit"])

DURATIONS_S = st.sampled_from([1, 1, 2, 3, 4, 5, 8, 13])
ANY_ESTIMATE = st.none() | DURATIONS_S
EXACT = st.none()

Estimates = st.SearchStrategy[int | None]


def random_traces(count: int) -> settings:
    """So many random traces, however long each takes."""
    return settings(max_examples=examples(count), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def traces(draw: st.DrawFn, largest: int, estimates: Estimates = ANY_ESTIMATE) -> list[Row]:
    """Up to 30 jobs in small whole numbers, so that much coincides; an estimate of None is exact."""
    gaps_s = st.sampled_from([0, 0, 0, 1, 1, 2, 5])
    shapes = st.tuples(gaps_s, DURATIONS_S, st.integers(1, largest), estimates)
    submit_s, made = 0, []
    for gap_s, runtime_s, gang, estimate_s in draw(st.lists(shapes, min_size=1, max_size=30)):
        submit_s += gap_s
        made.append(job(submit_s, runtime_s, gang, estimate_s=estimate_s or runtime_s))
    return made


@st.composite
def demanding(draw: st.DrawFn, largest: int) -> list[Row]:
    """The same with priorities, deadlines, and jobs that come after earlier ones, some with a lag."""
    made = draw(traces(largest))
    for number, row in enumerate(made):
        row["priority"] = draw(st.integers(0, 3))
        row["deadline_s"] = draw(st.none() | st.integers(0, 40))
        earlier = st.sets(st.integers(0, number - 1), min_size=1, max_size=3).map(sorted)
        row["after"] = draw(st.none() | earlier) if number else None
        row["after_lag_s"] = draw(st.sampled_from([None, None, 0, 1, 7]))
    return made


def replayed(
    made: list[Row],
    *,
    size: int,
    pods: int = 1,
    span: str = "1",
    sky: Sequence[Outage] = (),
    **policy: str,
) -> list[Placed]:
    """What the engine does with the rows on owned pods, attempt by attempt."""
    owned = scenario([pool(size, pods, span_efficiency=float(span))], policy=policy)
    with TemporaryDirectory(dir=MEMORY) as folder:
        if sky:
            file = Path(folder) / "weather.parquet"
            weather(owned, [maintenance(outage) for outage in sky]).write(file)
            owned = replace(owned, weather=str(file))
        of = run(owned, trace(*made), Path(folder) / "run")
        return sorted(rows(of, "attempts", "job_id", "alloc_s", "end_s", "pods"))


def agree(
    made: list[Row],
    *,
    size: int,
    pods: int = 1,
    span: str = "1",
    order: str = "fcfs",
    sky: Sequence[Outage] = (),
    **policy: str,
) -> None:
    """Hold the engine against the oracle."""
    oracle = Oracle(made, size=size, pods=pods, key=KEYS[order], span_efficiency=span, outages=sky, **policy)
    assert (
        replayed(made, size=size, pods=pods, span=span, sky=sky, order=order, **policy) == oracle.schedule()
    )


# One pod: the textbook


@random_traces(150)
@given(traces(5))
def test_strict_order(made: list[Row]) -> None:
    agree(made, size=5, backfill="none")


@random_traces(150)
@given(traces(5))
def test_greedy(made: list[Row]) -> None:
    agree(made, size=5, backfill="greedy")


@random_traces(500)
@given(traces(5))
def test_easy(made: list[Row]) -> None:
    agree(made, size=5, backfill="easy")


@random_traces(250)
@given(traces(5), st.sampled_from(DEPTHS))
def test_conservative(made: list[Row], depth: int) -> None:
    agree(made, size=5, backfill=f"conservative:{depth}")


@random_traces(300)
@given(demanding(5), st.sampled_from(sorted(KEYS)), BACKFILLS)
def test_orders_and_dependents(made: list[Row], order: str, backfill: str) -> None:
    agree(made, size=5, order=order, backfill=backfill)


# Several pods


# At 5 the second job ends early, so that the head will be on the second pod at 8 instead of the first at 10.
# The last job, too long to end by either, may have the first.
MOVED = [job(0, 10, 3), job(0, 5, 2, estimate_s=20), job(0, 8, 2), job(1, 9, 4), job(2, 50, 1)]
# The same, but the head could be on the first pod at 10 as well: a tie. Somebody passes the head before, here
# and below, as it has no reservation until then.
TIE = [job(0, 5, 1, estimate_s=30), job(0, 10, 2), job(0, 10, 4), job(1, 9, 4), job(2, 2, 1), job(3, 50, 2)]
# At 5 a job ends early on each of the last two pods, so that the head could be there at 8 and at 10. It will
# be on the second, so that the last job has the third.
TWO_AT_ONCE = [
    job(0, 20, 3),
    *(job(0, 5, 2, estimate_s=30), job(0, 8, 2), job(0, 5, 2, estimate_s=30), job(0, 10, 2)),
    *(job(1, 9, 4), job(2, 2, 1), job(2, 50, 2)),
]


@random_traces(400)
@given(traces(4, st.none() | st.sampled_from([5, 8, 13, 20])), st.integers(2, 3), PLACES)
@example(MOVED, 2, "best_fit")
@example(TIE, 2, "best_fit")
@example(TWO_AT_ONCE, 3, "best_fit")
def test_easy_over_pods_where_most_jobs_end_early(made: list[Row], pods: int, place: str) -> None:
    agree(made, size=4, pods=pods, backfill="easy", place=place)


@random_traces(300)
@given(traces(4), st.integers(2, 4), BACKFILLS, PLACES)
def test_gangs_inside_a_pod(made: list[Row], pods: int, backfill: str, place: str) -> None:
    agree(made, size=4, pods=pods, backfill=backfill, place=place)


Pods = tuple[list[Row], int, int]
"""Jobs, devices of a pod, and pods."""


@st.composite
def spanning(draw: st.DrawFn) -> Pods:
    """Pods of 2 to 5 devices, so that the rest of a gang may be anything, and gangs of up to four pods."""
    size = draw(st.integers(2, 5))
    pods = draw(st.integers(3, 5))
    return draw(traces(min(4 * size, pods * size))), size, pods


# The head will be on the first four pods of five: one device of the fourth may be held beyond that, not two.
SPARE = [job(0, 10, 5), job(1, 5, 7), job(1, 20, 3)]
# At 2 the first job passes its estimate, so that the head is no longer bound to the fifth pod, free till now.
LATE = [job(0, 3, 7, estimate_s=2), job(1, 3, 6), job(1, 8, 3), job(2, 4, 5)]
# The last job may start on a pod kept for the second, as it ends when that could start. Then another pod is
# as good for the second job, so that the third, which is longer, may start beside the last.
SAME_TIME = [job(0, 2, 6, estimate_s=4), job(0, 1, 5), job(2, 4, 1), job(2, 3, 1)]


@random_traces(500)
@given(spanning(), BACKFILLS, PLACES, st.sampled_from(["1", "0.9", "0.5"]))
@example((SPARE, 2, 5), "conservative:1", "best_fit", "1")
@example((LATE, 2, 5), "easy", "best_fit", "1")
@example((SAME_TIME, 2, 5), "easy", "best_fit", "0.9")
def test_gangs_that_span_pods(world: Pods, backfill: str, place: str, span: str) -> None:
    made, size, pods = world
    agree(made, size=size, pods=pods, backfill=backfill, place=place, span=span)


@random_traces(60)
@given(st.integers(0, 1 << 32), RESERVING, PLACES)
def test_drains_and_outages_that_last_longer_than_expected(seed: int, backfill: str, place: str) -> None:
    made, size, pods, sky = packed(seed, 40)
    agree(made, size=size, pods=pods, sky=sky, backfill=backfill, place=place)


@random_traces(200)
@given(traces(4, st.none() | st.sampled_from([5, 8, 13, 20])), st.integers(2, 3), BACKFILLS, PLACES)
@example(MOVED, 2, "easy", "best_fit")
@example(TIE, 2, "easy", "best_fit")
@example(TWO_AT_ONCE, 3, "easy", "best_fit")
def test_pods_of_one_pool_are_like_pools_of_one_pod(
    made: list[Row], pods: int, backfill: str, place: str
) -> None:
    policy = {"backfill": backfill, "place": place}
    pools = [pool(4, name=f"pool{at}") for at in range(pods)]
    with TemporaryDirectory(dir=MEMORY) as folder:
        of = run(scenario(pools, policy=policy), trace(*made), Path(folder))
        apart = [
            (*row[:3], [int(row[3][-1])])
            for row in rows(of, "attempts", "job_id", "start_s", "end_s", "where")
        ]
    assert apart == replayed(made, size=4, pods=pods, backfill=backfill, place=place)


# Theorems


@random_traces(150)
@given(traces(5, EXACT | st.just(20)), st.integers(1, 3))
def test_one_reservation_is_easy_where_nobody_outlives_the_estimate(made: list[Row], pods: int) -> None:
    one = replayed(made, size=5, pods=pods, backfill="conservative:1")
    assert one == replayed(made, size=5, pods=pods, backfill="easy")


@random_traces(150)
@given(traces(5, EXACT))
def test_conservative_with_exact_estimates_delays_nobody(made: list[Row]) -> None:
    """No job starts later than in strict order.

    By induction: where all before a job start no later than in strict order, they end no later, so at its
    strict start and ever after they hold no more devices than there, and it fits.
    """
    strict = replayed(made, size=5, backfill="none")
    conservative = replayed(made, size=5, backfill="conservative:100")
    for (_, start_s, _, _), (_, strict_s, _, _) in zip(conservative, strict, strict=True):
        assert start_s <= strict_s
