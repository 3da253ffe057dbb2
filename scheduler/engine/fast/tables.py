"""The memory of a lane, laid out from what was asked; each table says where its records begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scheduler.engine.fast.asked import AskedJobs, Taken, integers, lines_of
from scheduler.engine.fast.layout import Layout, Looked, RecordColumns, level_lengths
from scheduler.engine.fast.memory import (
    ABSENT,
    BEGIN,
    COLUMN,
    DEVICES,
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
    LEVELS,
    LINE,
    LINE_SIZE,
    LINES,
    LINES_END,
    LINK_SIZE,
    LINKS,
    LONGEST,
    MEMBERS,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NEVER_BURSTS,
    NONE,
    NUMBER,
    OFFER_SIZE,
    PATIENCE,
    PENDING,
    PLACE_OF,
    PREFERENCE_SIZE,
    PREFERENCES,
    PREFERS,
    RANK,
    RENTED_LINE,
    RENTED_LINES,
    RENTER_SIZE,
    RENTERS,
    REST,
    RUNS,
    RUNTIME,
    STAGING,
    SUBMIT,
    TOP,
    USED,
    WAS_READY,
    WHOLE,
)
from scheduler.engine.fast.pod_tables import PodTables
from scheduler.engine.fast.run_times import RunTimePlaces, put_run_times
from scheduler.engine.jobs import Shape
from scheduler.engine.need import Need
from scheduler.engine.owned.pools import PodNeed, Pool
from scheduler.engine.rented.offers import LiveOffer
from traces.arrays import Array, Ints


class Tables:
    """Jobs, lines, needs, pods and offers; `needs` are those by number.

    With `dues`, pods know when their devices should be free; `prefers` says of a shape that it has to be
    asked which offers it prefers.
    """

    def __init__(
        self,
        asked: AskedJobs,
        pools: Sequence[Pool],
        offers: Sequence[LiveOffer],
        start_s: int,
        *,
        dues: bool,
        prefers: Callable[[Shape], bool],
    ) -> None:
        self.layout = Layout()
        self._asked, self._prefers = asked, prefers
        self._places: list[int] = []
        """Where each pool and offer begins."""
        self._jobs, first = self.layout.columns(len(asked.trace), JOB_SIZE)
        self.layout.run[JOBS] = first
        self.layout.run[JOBS_END] = first + len(asked.trace) * JOB_SIZE
        self._fill_jobs()
        self._renters, self.layout.run[RENTERS] = self._put_renters(pools)
        self._links, self.layout.run[LINKS] = self._put_links()
        self._pods = PodTables(self.layout, pools, start_s, dues=dues, spanned=_spanned(asked))
        self._places += self._pods.places
        self._put_offers(offers, len(pools))
        self.needs: list[Need] = []
        self._longest_s: dict[int, int] = {}
        """The longest estimate of the members of a line."""
        self._put_lines()
        self.reach = np.array([need.reach for need in self.needs], float)

    @property
    def rents(self) -> bool:
        """Whether a job may ever rent."""
        return bool(self.layout.run[RENTERS] != NONE)

    def memory(self) -> tuple[Ints, Ints, Ints]:
        """Return the whole, and in it the jobs and their links; what it was laid out from is gone then."""
        whole = self.layout.memory()
        jobs, links = (
            whole[begin : begin + shape[0] * shape[1]].reshape(shape)
            for begin, shape in (
                (self.layout.run[JOBS], self._jobs.shape),
                (self.layout.run[LINKS], self._links.shape),
            )
        )
        return whole, jobs, links

    def _fill_jobs(self) -> None:
        asked, jobs, trace = self._asked, self._jobs, self._asked.trace
        for column, name in ((SUBMIT, "submit_s"), (RUNTIME, "runtime_s"), (ESTIMATE, "estimate_s")):
            jobs[column] = integers(trace, name)
        rank = np.empty(len(trace), np.int32)
        rank[asked.by_rank] = np.arange(len(trace), dtype=np.int32)
        jobs[RANK] = rank

    def _put_renters(self, pools: Sequence[Pool]) -> tuple[RecordColumns, int]:
        """Put what jobs have that may rent, by row; nothing, and NONE, where no job ever will.

        Whoever could have pods rents once it is out of patience, or all those pods have left.
        """
        asked, patience_s = self._asked, self._asked.patience_s()
        rents = np.array([bool(shape.rented) for shape in asked.shapes], bool)
        waits = np.array([bool(shape.owned) for shape in asked.shapes], bool)
        leave = any(batch.retired_s is not None for pool in pools for batch in pool.stock.batches)
        impatient = rents[asked.shape_of] & (~waits[asked.shape_of] | (patience_s != NEVER_BURSTS))
        if not (impatient.any() or (leave and rents.any())):
            return RecordColumns(0, RENTER_SIZE), NONE
        renters, first = self.layout.columns(len(asked.trace), RENTER_SIZE)
        renters[PATIENCE] = np.where(waits[asked.shape_of], patience_s, 0)
        return renters, first

    def _put_links(self) -> tuple[RecordColumns, int]:
        """Put how jobs depend on each other, by row; nothing, and NONE, where none does."""
        trace, after = self._asked.trace, self._asked.trace.after
        if not len(after.rows):
            return RecordColumns(0, LINK_SIZE), NONE
        links, first = self.layout.columns(len(trace), LINK_SIZE)
        counts = np.diff(after.offsets)
        links[PENDING], links[WAS_READY] = counts, integers(trace, "submit_s")
        links[LAG] = np.where(counts, np.maximum(integers(trace, "after_lag_s"), 0), 0)
        followers = np.repeat(np.arange(len(trace)), counts)
        begin = self.layout.put(followers[np.argsort(after.rows, kind="stable")])
        ends = begin + np.cumsum(np.bincount(after.rows, minlength=len(trace)))
        links[FOLLOWERS], links[FOLLOWERS_END] = np.concatenate([[begin], ends[:-1]]), ends
        return links, first

    def _put_offers(self, offers: Sequence[LiveOffer], first_offer: int) -> None:
        ready_s, staging = self._asked.offers(len(offers), first_offer)
        if self.rents:
            self._renters[STAGING] = staging
        for at, offer in enumerate(offers):
            record, place = self.layout.table(1, OFFER_SIZE)
            record[0, [FREE, KEEP]] = offer.free, offer.stock.keep_s
            record[0, BEGIN] = self.layout.put(ready_s[at])
            self._places.append(place)

    def _put_lines(self) -> None:
        """Put the lines of those who wait for pods, then of those who seek offers, with what they take."""
        asked, run = self._asked, self.layout.run
        owned = lines_of([shape.owned for shape in asked.shapes])
        rented = lines_of([shape.rented if self.rents else [] for shape in asked.shapes])
        lines, first = self.layout.table(len(owned.needs) + len(rented.needs), LINE_SIZE)
        split = first + LINE_SIZE * len(owned.needs)
        run[[LINES, RENTED_LINES, LINES_END]] = first, split, first + lines.size
        run_times = put_run_times(self.layout, asked)
        self._put_side(lines[: len(owned.needs)], first, owned, self._jobs, LINE, run_times)
        rented_lines = lines[len(owned.needs) :]
        if self.rents:
            self._put_side(rented_lines, split, rented, self._renters, RENTED_LINE, run_times)
        prefers = np.array([self._prefers(shape) for shape in asked.shapes], bool)
        if self.rents and prefers.any():
            run[PREFERENCES] = self.layout.room(PREFERENCE_SIZE * len(asked.trace))
        rented_lines[rented.line_of[prefers & (rented.line_of >= 0)], PREFERS] = 1
        self._pods.put_changes([(first + LINE_SIZE * at, needs) for at, needs in enumerate(owned.needs)])

    def _put_side(
        self,
        lines: Ints,
        first: int,
        side: Taken,
        records: RecordColumns,
        column: int,
        run_times: RunTimePlaces,
    ) -> None:
        """Put lines, and let the records of jobs say, in a column and the next one, where each stands."""
        begins = np.where(side.line_of < 0, NONE, first + LINE_SIZE * side.line_of)
        records[column] = Looked(begins, self._asked.shape_of)
        records[column + 1] = self._plant(lines, side.line_of[self._asked.shape_of])
        for record, needs in zip(lines, side.needs, strict=True):
            self._put_needs(record, needs, run_times)

    def _plant(self, lines: Ints, line: Ints) -> Array:
        """Let each line have its tree, with a leaf for each of its jobs, by rank; return the leaf of each."""
        by_rank, estimate_s = self._asked.by_rank, self._asked.trace.numpy("estimate_s")
        line = line[by_rank].astype(np.int32)
        order = by_rank[np.argsort(line, kind="stable")]
        counts = np.bincount(line + 1, minlength=len(lines) + 1)
        ends = np.cumsum(counts)
        leaves = np.zeros(len(line), np.int32)
        for number, record in enumerate(lines):
            rows = order[ends[number] : ends[number + 1]]
            leaves[rows] = np.arange(len(rows))
            record[MEMBERS] = self.layout.pointers(rows, int(self.layout.run[JOBS]), JOB_SIZE)
            self._longest_s[int(record[MEMBERS])] = int(estimate_s[rows].max(initial=0))
            lengths = level_lengths(len(rows))
            record[TOP] = len(lengths) - 1
            for level, length in enumerate(lengths):
                record[LEVELS + level] = self.layout.put(np.broadcast_to(np.int64(ABSENT), length))
        return leaves

    def _put_needs(self, line: Ints, needs: Sequence[Need], run_times: RunTimePlaces) -> None:
        table, first = self.layout.table(len(needs), NEED_SIZE)
        line[[NEEDS, NEEDS_END]] = first, first + table.size
        longest_s = int(self._longest_s.get(int(line[MEMBERS]), 0))
        for record, need in zip(table, needs, strict=True):
            record[PLACE_OF] = self._places[need.column - 1]
            record[[DEVICES, USED, COLUMN]] = need.devices, need.used, need.column
            record[[RUNS, ESTIMATES]] = run_times.get(need.column, (NONE, NONE))
            record[[NUMBER, LONGEST]] = len(self.needs), need.run_s(longest_s)
            if isinstance(need, PodNeed):
                record[[WHOLE, REST]] = need.whole, need.rest
            self.needs.append(need)


def _spanned(asked: AskedJobs) -> set[int]:
    """Return the numbers of the pools in which some gang takes several pods."""
    return {need.pool.index for shape in asked.shapes for need in shape.owned if need.whole}
