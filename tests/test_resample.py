"""Replications of a log by its own weeks or days: what is drawn, what is kept, how sure it makes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests import build
from tests.build import job
from tests.worlds import traces
from traces import Trace, TraceError
from traces.confidence import halfwidth, halfwidth_of_draws
from traces.resample import LogBlocks, Resampling, resample
from traces.schema import EXACT
from traces.times import DAY_S, HOUR_S, WEEK_S, YEAR_S

Row = dict[str, Any]
MOVED = ("job_id", "submit_s", "deadline_s", "after", "recorded_start_s", "recorded_end_s", "recorded_where")
"""Columns that are not as they were where a block is drawn for another place."""


def jobs(trace: Trace) -> list[Row]:
    rows: list[Row] = trace.table.to_pylist()
    return rows


def hourly(weeks: int, epoch: str = "2026-01-07T00:00:00+01:00", step_s: int = HOUR_S) -> Trace:
    """A job an hour, each from a Wednesday's midnight of its zone on, that follows the one before it."""
    count = weeks * WEEK_S // step_s
    rows = [job(at * step_s, 60 + at, 1, after=max(0, at - 1) if at else None) for at in range(count)]
    return build.trace(*rows, epoch=epoch)


@given(traces(), st.integers(0, 9))
def test_a_log_of_one_block_gives_back_the_log(trace: Trace, seed: int) -> None:
    assume(LogBlocks.of(trace, "day").whole == 1)
    again = resample(trace, Resampling("day", 1), seed)
    for name in trace.table.column_names:
        if name not in MOVED[-3:]:
            assert again.table.column(name).to_pylist() == trace.table.column(name).to_pylist(), name
    assert (again.epoch_in_its_zone, again.reference_device, again.first_midnight_s) == (
        trace.epoch_in_its_zone,
        trace.reference_device,
        trace.first_midnight_s,
    )


@given(st.integers(0, 99), st.integers(1, 5), st.sampled_from(["week", "day"]))
def test_what_a_block_holds_is_kept_exactly(seed: int, count: int, block: Any) -> None:
    """Job n of block b, drawn for place p, is as it was, p - b blocks later; it follows who was in b too."""
    log = hourly(3)
    asked = Resampling(block, count)
    again = resample(log, asked, seed)
    length_s, most = LogBlocks.of(log, block).length_s, len(log)
    of_log = {row["job_id"]: row for row in jobs(log)}
    drawn: dict[int, set[int]] = {}
    for row in jobs(again):
        place, before = row["submit_s"] // length_s, of_log[row["job_id"] % most]
        number = before["submit_s"] // length_s
        drawn.setdefault(place, set()).add(number)
        assert row["job_id"] == before["job_id"] + place * most
        assert row["submit_s"] - before["submit_s"] == (place - number) * length_s
        inside = [one for one in before["after"] or () if of_log[one]["submit_s"] // length_s == number]
        assert (row["after"] or []) == [one + place * most for one in inside]
        assert all(row[name] == before[name] for name in row if name not in MOVED)
    assert [len(numbers) for numbers in drawn.values()] == [1] * count, "one block for each place"
    assert len(again) == count * length_s // HOUR_S, "whole ones"


def test_ids_too_large_for_multiples_give_way_to_rows() -> None:
    """Three weeks, drawn ten times: a tenth of the largest id that there may be is above all ids, or not."""
    log, asked = hourly(3), Resampling("week", 10)
    plain = resample(log, asked, 1)
    assert plain.numpy("job_id").max() // len(log) == 9
    for largest, fits in ((EXACT // 10 - 1, True), (EXACT // 10, False), (EXACT, False)):
        first = largest - len(log) + 1
        rows = [row | {"job_id": row["job_id"] + first} for row in jobs(log)]
        rows = [row | {"after": row["after"] and [one + first for one in row["after"]]} for row in rows]
        drawn = resample(build.trace(*rows, epoch="2026-01-07T00:00:00+01:00"), asked, 1)
        again, number = plain.numpy("job_id") % len(log), plain.numpy("job_id") // len(log)
        ids = first + again + number * (largest + 1) if fits else plain.numpy("job_id")
        assert drawn.numpy("job_id").tolist() == ids.tolist()
        assert drawn.after.rows.tolist() == plain.after.rows.tolist()
        names = [None] * len(drawn) if fits else [str(first + row) for row in again]
        assert drawn.table.column("name").to_pylist() == names


def test_weeks_begin_at_the_logs_first_midnight_in_its_own_zone() -> None:
    """From Tuesday 23:30 UTC, which is Wednesday 0:30 in its zone: the week begins at that midnight."""
    log = build.trace(
        job(0, 1, 1), job(20 * DAY_S, 1, 1), job(21 * DAY_S + HOUR_S, 1, 1), epoch="2026-01-07T00:30+01:00"
    )
    blocks = LogBlocks.of(log, "week")
    assert (blocks.from_s, blocks.whole, LogBlocks.of(log, "day").whole) == (0, 3, 22)
    later = build.trace(job(40 * DAY_S + HOUR_S, 1, 1), epoch="2026-01-07T00:30+01:00")
    assert LogBlocks.of(later, "day").from_s == 40 * DAY_S - HOUR_S // 2


def test_days_are_drawn_for_days_of_their_weekday_where_there_are_two_of_each() -> None:
    log, few = hourly(3), hourly(1)
    for seed in range(5):
        again = resample(log, Resampling("day", 21), seed)
        weekday = again.numpy("submit_s") // DAY_S % 7
        assert (again.numpy("job_id") % len(log) // 24 % 7 == weekday).all()
    numbers = {int(n) for n in resample(few, Resampling("day", 7), 1).numpy("job_id") % len(few) // 24}
    assert len(numbers) < 7, "any day for any"


def test_the_same_seed_draws_the_same_and_others_draw_others() -> None:
    log = hourly(3)
    digests = [resample(log, Resampling("week", 3), seed).sha256 for seed in (1, 1, 2, 3)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_all_blocks_are_drawn_alike() -> None:
    """3,000 draws of 5 blocks: each 600 times, within 5 standard deviations of 22."""
    blocks = LogBlocks("week", 0, 5)
    numbers = np.concatenate([blocks.draw(np.random.default_rng(seed), 3) for seed in range(1_000)])
    assert all(abs(count - 600) < 110 for count in np.bincount(numbers, minlength=5))
    days = LogBlocks("day", 0, 17)  # weekdays 0 to 2 have three days, others two
    drawn = np.stack([days.draw(np.random.default_rng(seed), 7) for seed in range(400)])
    assert [len(set(column)) for column in drawn.T.tolist()] == [3, 3, 3, 2, 2, 2, 2]


@given(st.integers(0, 99), st.sampled_from([0.3, 1.0, 1.5, 2.0, 2.7]))
def test_more_jobs_hold_those_of_fewer(seed: int, scale: float) -> None:
    log = build.trace(*(job(at * HOUR_S, 60, 1) for at in range(21 * 24)))
    fewer, more = (resample(log, Resampling("week", 2, of), seed) for of in (scale, scale + 0.4))
    kept = [
        Counter(zip(of.numpy("job_id") % len(log), of.numpy("submit_s"), strict=True)) for of in (fewer, more)
    ]
    assert kept[0] <= kept[1]
    asked = 14 * 24 * scale
    assert abs(len(fewer) - asked) <= 5 * np.sqrt(asked * (np.ceil(scale) - scale) / np.ceil(scale)) + 1e-9


def test_chains_are_kept_whole_or_not_at_all() -> None:
    """Chains of three: none of a replication with half the jobs has lost the one that it follows."""
    rows = [job(at * HOUR_S, 60, 1, after=at - 1 if at % 3 else None) for at in range(14 * 24)]
    half = resample(build.trace(*rows), Resampling("week", 2, 0.5), 4)
    chains = Counter((half.numpy("job_id") // 3).tolist())
    assert set(chains.values()) == {3}
    assert pc.sum(pc.list_value_length(half.table.column("after"))).as_py() == 2 * len(chains)
    assert 40 < len(chains) < 72, "of 112 about a half"


def test_growth_of_one_changes_nothing_and_more_adds_jobs_at_that_rate() -> None:
    log = build.trace(*(job(at * HOUR_S, 60, 1) for at in range(14 * 24)))
    as_it_is = resample(log, Resampling("week", 60), 1)
    assert resample(log, Resampling("week", 60, 1.0, 1.0), 1).sha256 == as_it_is.sha256
    grown = resample(log, Resampling("week", 60, 1.0, 2.0), 1)
    last = grown.numpy("submit_s") >= 59 * WEEK_S
    factor = 2 ** (59.5 * WEEK_S / YEAR_S)
    assert factor > 2, "so that three draws lie over each other"
    assert abs(last.sum() - 168 * factor) < 5 * np.sqrt(168 * 0.25)
    assert Resampling("week", 60, 1.0, 2.0).layers == 3


def test_a_deadline_moves_along_and_no_record_is_kept() -> None:
    rows = [
        job(at, 60, 1, deadline_s=at + 90, recorded_start_s=at, recorded_end_s=at + 60) for at in (5, WEEK_S)
    ]
    again = resample(build.trace(*rows, job(2 * WEEK_S - 1, 1, 1)), Resampling("week", 3), 7)
    for row in jobs(again):
        assert row["deadline_s"] is None or row["deadline_s"] - row["submit_s"] == 90
        assert row["recorded_start_s"] is None


def test_a_replication_says_of_what_it_is() -> None:
    again = resample(hourly(3), Resampling("week", 2, 0.5), 9)
    assert again.source["resampled"] == {
        "block": "week", "places": 2, "scale": 0.5, "growth": 1.0, "seed": 9, "start_s": 0, "of_blocks": 3
    }  # fmt: skip
    assert again.source["of"] == hourly(3).source


def test_what_is_no_whole_week_has_no_blocks() -> None:
    with pytest.raises(TraceError, match="within 6 days, less than a week"):
        LogBlocks.of(build.trace(job(0, 1, 1), job(6 * DAY_S - 1, 1, 1)), "week")


def test_layers_count_as_far_as_they_even_things_out() -> None:
    """Of twice the jobs each place has two draws; of 1.5 times, as many as (1 + 1/2)^2 / (1 + 1/4)."""
    blocks = LogBlocks("week", 0, 4)
    drawn = [blocks.drawn_by(Resampling("week", 3, scale)).drawn for scale in (0.5, 1.0, 1.5, 2.0)]
    assert drawn == [3, 3, pytest.approx(3 * 1.8), 6]
    assert LogBlocks("day", 0, 21).drawn_by(Resampling("day", 21)) == (21, 14)


@pytest.mark.parametrize(
    ("weeks", "drawn", "seeds"), [(3, 3, 20), (6, 6, 20), (6, 2, 20), (4, 9, 20), (12, 2, 4)]
)
def test_intervals_of_few_blocks_hold_the_truth(weeks: int, drawn: int, seeds: int) -> None:
    """Logs of so many weeks of normal load 100 +- 20: 95% of the intervals of their mean hold 100.

    Over 1,000 logs the share has a standard deviation of 0.7 points. Student's over 20 replications alone, as
    if they were new logs, would hold it in less than 70%. Fewer seeds than weeks widen the interval.
    """
    draw = np.random.default_rng(weeks)
    blocks = LogBlocks("week", 0, weeks)
    held = naive = 0
    for _ in range(1_000):
        log = 100 + 20 * draw.standard_normal(weeks)
        means = np.array([log[blocks.draw(draw, drawn)].mean() for _ in range(seeds)])
        half = halfwidth_of_draws(means, blocks.drawn_by(Resampling("week", drawn)))
        held += abs(means.mean() - 100) <= half
        naive += abs(means.mean() - 100) <= halfwidth(means)
    assert 910 <= held <= 985
    assert naive < 700 or seeds < weeks
