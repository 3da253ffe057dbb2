"""The memory of a lane, laid out from what was asked; each table says where its records begin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scheduler.engine.fast.asked import AskedJobs, integers, lines_of
from scheduler.engine.fast.layout import Layout
from scheduler.engine.fast.memory import (
    ABSENT,
    BEGIN,
    BRANCHES,
    CASE,
    COLUMN,
    DEVICES,
    DUE_LIST,
    ESTIMATE,
    ESTIMATES,
    FOLLOWERS,
    FOLLOWERS_END,
    FREE,
    JOB_SIZE,
    JOBS,
    JOBS_END,
    KEEP,
    LAG,
    LENGTH,
    LEVELS,
    LINE,
    LINE_SIZE,
    LINES,
    LINES_END,
    LINK_SIZE,
    LINKS,
    MEMBERS,
    MOST,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NONE,
    NUMBER,
    NUMBER_OF_POD,
    OFFER_SIZE,
    PATIENCE,
    PENDING,
    PLACE_OF,
    POD_SIZE,
    PODS,
    PODS_END,
    POOL_SIZE,
    RANK,
    RENTED_LINE,
    RENTED_LINES,
    REST,
    ROW,
    RUNS,
    SCORES,
    SIZE,
    STAGING,
    SUBMIT,
    TOP,
    TREE_LEVELS,
    TREE_TOP,
    TREES,
    USED,
    WAS_READY,
    WHOLE,
)
from scheduler.engine.need import Need
from scheduler.engine.owned.pools import PodNeed, Pool
from scheduler.engine.rented.offers import LiveOffer
from scheduler.policy.frees import MANY
from traces.arrays import Ints


class Tables:
    """Jobs, lines, needs, pods and offers; `needs` are those by number."""

    def __init__(
        self, asked: AskedJobs, pools: Sequence[Pool], offers: Sequence[LiveOffer], *, dues: bool
    ) -> None:
        self.layout = Layout()
        self._asked = asked
        self._places: list[int] = []
        """Where each pool and offer begins."""
        self.jobs, first = self.layout.table(len(asked.trace), JOB_SIZE)
        self.layout.run[JOBS] = first
        self.layout.run[JOBS_END] = first + self.jobs.size
        self._fill_jobs()
        self.links, self.layout.run[LINKS] = self._put_links()
        self._put_pools(pools, dues=dues)
        self._put_offers(offers, len(pools))
        self.needs: list[Need] = []
        self._put_lines()
        self.reach = np.array([need.reach for need in self.needs], float)

    def memory(self) -> tuple[Ints, Ints, Ints]:
        """Return the whole, and in it the jobs and their links."""
        tables = [
            (self.layout.run[at], table.shape) for at, table in ((JOBS, self.jobs), (LINKS, self.links))
        ]
        self.jobs = self.links = np.zeros((0, 0), np.int64)
        whole = self.layout.memory()
        jobs, links = (
            whole[at : at + height * width].reshape(height, width) for at, (height, width) in tables
        )
        return whole, jobs, links

    def _fill_jobs(self) -> None:
        asked, jobs, trace = self._asked, self.jobs, self._asked.trace
        jobs[:, SUBMIT], jobs[:, ESTIMATE] = integers(trace, "submit_s"), integers(trace, "estimate_s")
        jobs[:, PATIENCE] = asked.patience_s()
        jobs[:, ROW] = np.arange(len(jobs))
        jobs[asked.by_rank, RANK] = np.arange(len(jobs))

    def _put_links(self) -> tuple[Ints, int]:
        """Put how jobs depend on each other, by row; nothing, and NONE, where none does."""
        trace, after = self._asked.trace, self._asked.trace.after
        if not len(after.rows):
            return np.zeros((0, LINK_SIZE), np.int64), NONE
        links, first = self.layout.table(len(trace), LINK_SIZE)
        counts = np.diff(after.offsets)
        links[:, PENDING], links[:, WAS_READY] = counts, integers(trace, "submit_s")
        links[:, LAG] = np.where(counts, np.maximum(integers(trace, "after_lag_s"), 0), 0)
        followers = np.repeat(np.arange(len(trace)), counts)
        begin = self.layout.put(followers[np.argsort(after.rows, kind="stable")])
        ends = begin + np.cumsum(np.bincount(after.rows, minlength=len(trace)))
        links[:, FOLLOWERS], links[:, FOLLOWERS_END] = np.concatenate([[begin], ends[:-1]]), ends
        return links, first

    def _put_pools(self, pools: Sequence[Pool], *, dues: bool) -> None:
        """Put all pods, pool by pool, free at first; with `dues`, there is room for all gangs of each."""
        sizes = np.repeat([pool.size for pool in pools], [len(pool.pods) for pool in pools]).astype(np.int64)
        pods, first = self.layout.table(len(sizes), POD_SIZE)
        pods[:, FREE] = sizes
        room = 2 * sizes * dues
        pods[:, DUE_LIST] = self.layout.room(int(room.sum())) + np.cumsum(room) - room
        at = 0
        for pool in pools:
            record, place = self.layout.table(1, POOL_SIZE)
            count = len(pool.pods)
            pods[at : at + count, NUMBER_OF_POD] = np.arange(count)
            record[0, SIZE] = pool.size
            record[0, [PODS, PODS_END]] = first + POD_SIZE * at, first + POD_SIZE * (at + count)
            at += count
            if count > MANY:
                self._plant_counts(record[0], count, pool.size)
            self._places.append(place)

    def _plant_counts(self, record: Ints, pods: int, size: int) -> None:
        begins = level_lengths(pods)
        ends = np.cumsum(begins)
        trees = np.zeros((size + 1, int(ends[-1])), np.int64)
        inside = np.ones(pods, np.int64)
        for level, end in enumerate(ends.tolist()):
            record[TREE_LEVELS + level] = begin = end - begins[level]
            trees[size, begin : begin + len(inside)] = inside
            inside = np.add.reduceat(inside, np.arange(0, len(inside), BRANCHES))
        record[[TREES, LENGTH]] = self.layout.put(trees), ends[-1]
        record[[TREE_TOP, MOST]] = len(begins) - 1, size

    def _put_offers(self, offers: Sequence[LiveOffer], first_offer: int) -> None:
        ready_s, staging, score, case = self._asked.offers(len(offers), first_offer)
        self.jobs[:, STAGING], self.jobs[:, CASE] = staging, case
        for at, offer in enumerate(offers):
            record, place = self.layout.table(1, OFFER_SIZE)
            record[0, [FREE, KEEP]] = offer.free, offer.stock.keep_s
            record[0, [BEGIN, SCORES]] = self.layout.put(ready_s[at]), self.layout.put(score[at])
            self._places.append(place)

    def _put_lines(self) -> None:
        """Put the lines of those who wait for pods, then of those who seek offers, with what they take."""
        asked, run, run_times = self._asked, self.layout.run, self._run_times()
        sides = [lines_of([shape.owned for shape in asked.shapes])]
        sides.append(lines_of([shape.rented for shape in asked.shapes]))
        lines, first = self.layout.table(sum(len(side.needs) for side in sides), LINE_SIZE)
        at = 0
        for side, column in zip(sides, (LINE, RENTED_LINE), strict=True):
            run[LINES if column == LINE else RENTED_LINES] = first + LINE_SIZE * at
            mine = lines[at : at + len(side.needs)]
            line = side.line_of[asked.shape_of]
            self.jobs[:, column] = np.where(line < 0, NONE, first + LINE_SIZE * (at + line))
            self._plant(mine, line, column)
            for record, needs in zip(mine, side.needs, strict=True):
                self._put_needs(record, needs, run_times)
            at += len(mine)
        run[LINES_END] = first + lines.size
        self.jobs[self.jobs[:, LINE] == NONE, PATIENCE] = 0

    def _plant(self, lines: Ints, line: Ints, column: int) -> None:
        """Let each line have its tree, with a leaf for each of its jobs, by rank."""
        by_rank = self._asked.by_rank
        line = line[by_rank].astype(np.int32)
        order = by_rank[np.argsort(line, kind="stable")]
        counts = np.bincount(line + 1, minlength=len(lines) + 1)
        ends = np.cumsum(counts)
        for number, record in enumerate(lines):
            rows = order[ends[number] : ends[number + 1]]
            self.jobs[rows, column + 1] = np.arange(len(rows))
            record[MEMBERS] = self.layout.put(self.layout.run[JOBS] + JOB_SIZE * rows)
            lengths = level_lengths(len(rows))
            record[TOP] = len(lengths) - 1
            for level, length in enumerate(lengths):
                record[LEVELS + level] = self.layout.put(np.full(length, ABSENT))

    def _put_needs(self, line: Ints, needs: Sequence[Need], run_times: dict[int, tuple[int, int]]) -> None:
        table, first = self.layout.table(len(needs), NEED_SIZE)
        line[[NEEDS, NEEDS_END]] = first, first + table.size
        for record, need in zip(table, needs, strict=True):
            record[PLACE_OF] = self._places[need.column - 1]
            record[[DEVICES, USED, COLUMN]] = need.devices, need.used, need.column
            record[[RUNS, ESTIMATES]] = run_times.get(need.column, run_times[0])
            record[NUMBER] = len(self.needs)
            if isinstance(need, PodNeed):
                record[[WHOLE, REST]] = need.whole, need.rest
            self.needs.append(need)

    def _run_times(self) -> dict[int, tuple[int, int]]:
        """Put how long jobs run and should run; return where, by column of what they take, 0 for plain."""
        asked = self._asked
        plain = [integers(asked.trace, name) for name in ("runtime_s", "estimate_s")]
        found = {0: plain}
        for number, shape in enumerate(asked.shapes):
            for need in (*shape.owned, *shape.rented):
                if need.factor != 1.0:
                    some = np.flatnonzero(asked.shape_of == number)
                    times = found.setdefault(need.column, [column.copy() for column in plain])
                    for column, reference in zip(times, plain, strict=True):
                        column[some] = need.runs_s(reference[some])
        return {at: (self.layout.put(runs), self.layout.put(due)) for at, (runs, due) in found.items()}


def level_lengths(leaves: int) -> list[int]:
    """Return the lengths of the levels of a tree, each but the root's filled up to whole nodes."""
    lengths = []
    while leaves > 1:
        lengths.append(leaves + -leaves % BRANCHES)
        leaves = lengths[-1] // BRANCHES
    return [*lengths, 1]
