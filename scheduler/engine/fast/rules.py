"""The rules of a run, and its own record in the memory of a lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.engine.fast.asked import AskedJobs
from scheduler.engine.fast.layout import Layout
from scheduler.engine.fast.memory import (
    ABSENT,
    ARRIVED,
    ASIDE_LIST,
    ATTEMPT_SIZE,
    ATTEMPTS_END,
    BACKFILL,
    BEGINS,
    BEST,
    BY_NUMBER,
    BY_RANK,
    CHOSEN_LIST,
    EASY,
    END_HEAP,
    FIRST,
    GRACE,
    GREEDY,
    HORIZON,
    JOB_SIZE,
    JOBS,
    KEPT_HEAP,
    LAG_HEAP,
    NEWCOMER_LIST,
    NOW,
    PERIOD,
    PLACE,
    PRICES,
    PRICES_END,
    REJECT_LIST,
    REJECT_SIZE,
    RESERVATION,
    RING_HEAP,
    ROOM,
    ROW_LIST,
    SORT_LIST,
    SPAN_LIST,
    SPAN_ROOM,
    STRICT,
    TIE_BITS,
    WORST,
)
from scheduler.engine.log import runlog
from scheduler.engine.log.runlog import ROW_WIDTH
from scheduler.engine.owned.pools import Pool
from scheduler.engine.rented.offers import LiveOffer

BACKFILL_NUMBERS = {"none": STRICT, "greedy": GREEDY, "easy": EASY}
PLACE_NUMBERS = {"best_fit": BEST, "worst_fit": WORST, "first_fit": FIRST}

SPANS_AT_ONCE = 1_000_000
"""Integers of the list of pods of gangs across pods that are kept before the log takes them."""


def tie_bits(jobs: int) -> int:
    """Return how many bits hold the number of any job or attempt."""
    return jobs.bit_length()


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a run begins and ends, and by which backfill and place, of those above."""

    start_s: int
    horizon_s: int | None
    backfill: str
    place: str
    overrun_s: int | None = None
    """How long a job may run past its estimate; None: as long as it does."""


def put_run(
    layout: Layout, rules: Rules, asked: AskedJobs, pools: Sequence[Pool], offers: Sequence[LiveOffer]
) -> None:
    """Let the run know its rules, and give it its lists."""
    jobs = len(asked.trace)
    run, pods = layout.run, max([len(pool.pods) for pool in pools], default=0)
    run[[NOW, BEGINS]] = rules.start_s
    run[HORIZON] = ABSENT if rules.horizon_s is None else rules.horizon_s
    run[GRACE] = ABSENT if rules.overrun_s is None else rules.overrun_s
    run[BACKFILL], run[PLACE] = BACKFILL_NUMBERS[rules.backfill], PLACE_NUMBERS[rules.place]
    run[TIE_BITS], run[ROOM], run[SPAN_ROOM] = tie_bits(jobs), runlog.PART_ROWS, SPANS_AT_ONCE
    run[ARRIVED], run[RESERVATION] = run[JOBS], 1
    run[BY_RANK] = layout.pointers(asked.by_rank, int(run[JOBS]), JOB_SIZE)
    devices = sum(len(pool.pods) * pool.size for pool in pools) + sum(one.free for one in offers)
    attempts = min(jobs, devices)
    run[END_HEAP], run[KEPT_HEAP] = layout.room(attempts), layout.room(attempts)
    run[ATTEMPTS_END] = layout.room(ATTEMPT_SIZE * attempts)
    for place in (BY_NUMBER, RING_HEAP, LAG_HEAP, NEWCOMER_LIST, ASIDE_LIST):
        run[place] = layout.room(jobs)
    run[REJECT_LIST] = layout.room(jobs * REJECT_SIZE)
    steps = sorted({step for offer in offers for step in offer.stock.price_steps_s if step > rules.start_s})
    run[PRICES] = layout.put(np.array(steps, np.int64))
    run[PRICES_END], run[PERIOD] = run[PRICES] + len(steps), 1
    run[ROW_LIST] = layout.room(runlog.PART_ROWS * ROW_WIDTH)
    run[SPAN_LIST] = layout.room(SPANS_AT_ONCE + 2 + pods)
    run[SORT_LIST], run[CHOSEN_LIST] = layout.room(max(2 * pods, jobs)), layout.room(pods)
