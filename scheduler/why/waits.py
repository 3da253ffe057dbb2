"""The waits of a run, cut at each instant at which their cause changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.engine.jobs import Job, Shape, jobs
from scheduler.engine.places import Places
from scheduler.engine.rented.offers import Rental
from scheduler.replay.assembly import Assembly
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.why.about import last_before
from scheduler.why.causes import Cause
from scheduler.why.gaps import ATTEMPTS_READ, WAITS_FOR_DEVICES, Gaps, Logged, gaps, ids_of
from scheduler.why.held import Holdings
from scheduler.why.needs import Resources
from scheduler.why.outlived import Piece, by_outlived, leaving_s
from scheduler.why.patience import LoggedPatience, ends_s
from scheduler.why.queue_rent import WITHIN_LIMITS, QueueRents
from scheduler.why.quota import QuotaSpans, lacking
from scheduler.why.spans import Waits
from scheduler.why.step_function import ALWAYS, NEVER_S, StepFunction
from traces.arrays import Ints, combinations
from traces.trace import Trace

_NEED = ("gang", "kind", "residency", *Places._fields)
_NOT_ASKED = ("never", "at_once", "after")
"""Patience policies that are the same for all jobs."""


class CommonNeed(NamedTuple):
    """What some jobs need, as a job of them, and what it would take elsewhere if its data might leave."""

    job: Job
    elsewhere: Sequence[Rental]

    @property
    def asks(self) -> Job:
        """The job as its patience is asked: it may leave."""
        shape = self.job.shape
        rented = [*(shape.rented or self.elsewhere)]
        return self.job._replace(shape=Shape(shape.owned, rented, shape.workload, shape.kind, shape.owner))


class Inquiry:
    """A finished run and what it waited for: of all jobs, or of some rows of the trace alone."""

    def __init__(self, run: Run, setup: Setup, rows: Ints | None = None) -> None:
        self.run, self.setup, self.trace = run, setup, setup.trace
        self._of_all = rows is None
        self.assembly = Assembly(setup)
        attempts = run.table("attempts", ATTEMPTS_READ, ids_of(self.trace, rows))
        self.logged = Logged(run, attempts, self.trace, rows)
        self.gaps = gaps(self.logged, self.trace, setup.scenario.retries)
        open_ = self.gaps.some(self.gaps.cause == WAITS_FOR_DEVICES)
        self.held = self._held(attempts, open_)
        pods = [pool["pods"] for pool in run.description["pools"]]
        self.resources = Resources(setup, self.assembly, self.held, pods)
        self._leaving_s = leaving_s(setup.stock.pools)
        self._fit = cache(self.assembly.fit)
        self._quota = QuotaSpans.of(run, setup, rows)
        self.rents = QueueRents.of(setup, self.held, self.resources)
        self._patience = LoggedPatience.of(run, setup.trace, rows)

    def _held(self, attempts: pa.Table, open_: Gaps) -> Holdings:
        """Return who held devices while somebody waited for them; `attempts` where nobody did."""
        names = self.setup.stock.names
        if not len(open_.row):
            return Holdings.of(attempts, names)
        kept_s = max((offer.stock.keep_s for offer in self.assembly.offers), default=0)
        from_s, to_s = int(open_.from_s.min()) - kept_s, int(open_.to_s.max())
        if not self._of_all:
            limits = {"alloc_s": (-NEVER_S, to_s), "end_s": (from_s, NEVER_S)}
            attempts = self.run.table("attempts", ATTEMPTS_READ, limits)
        return Holdings.of(attempts, names).during(from_s, to_s)

    def waits(self) -> Waits:
        """Return each span of waiting with its cause."""
        words = {name: at for at, name in enumerate(self.setup.stock.names)}
        known = self.gaps.some(self.gaps.cause != WAITS_FOR_DEVICES)
        parts = [self._known(known, words)]
        open_ = self.gaps.some(self.gaps.cause == WAITS_FOR_DEVICES)
        if len(open_.row):
            firsts, number = self._needs(open_.row)
            for at, row in enumerate(open_.row[firsts].tolist()):
                parts.append(self._asked(self.need(row), open_.some(number == at), words))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.lexsort([columns[1], columns[0]])
        return _merged([column[order] for column in columns], [*words])

    def need(self, row: int) -> CommonNeed:
        """Return what the job of a row of the trace needs."""
        (job,) = self.jobs(np.array([row]))
        gate = self.resources.gate
        job = job if gate is None else gate.sent(job)
        if job.shape.rented:
            return CommonNeed(job, ())
        words = self.trace.rows(np.array([row]), _NEED).to_pylist()[0]
        places = Places(words["requires"], words["excludes"])
        return CommonNeed(job, self._fit(words["gang"], words["kind"], True, places)[1])

    def admitted(self, row: int) -> StepFunction:
        """Return when the job of a row of the trace did not wait for quota of its queue."""
        return ALWAYS if self._quota is None else self._quota.had_by(row)

    def jobs(self, rows: Ints) -> list[Job]:
        """Return jobs as the engine saw them, but for what they come after; their turns count from 0."""
        table = self.trace.rows(rows)
        place = table.schema.get_field_index("after")
        nothing = pa.nulls(len(rows), table.schema.field(place).type)
        some = Trace(table.set_column(place, table.schema.field(place), nothing))
        return [job for block in jobs(some, self._fit) for job in block]

    def _needs(self, rows: Ints) -> tuple[Ints, Ints]:
        table = self.trace.rows(rows, _NEED)
        return combinations([table.column(name) for name in _NEED])

    def _known(self, known: Gaps, words: dict[str, int]) -> tuple[Ints, ...]:
        """Return the spans whose cause the logs tell."""
        about = np.full(len(known.row), -1)
        tried = known.cause != Cause.DEPENDENCY
        about[tried] = [words[name] for name in self.logged.where(known.after[tried])]
        about[~tried] = [_place(words, job) for job in last_before(self.run, self.trace, known.row[~tried])]
        return (*known[:4], np.full(len(known.row), -1), about, np.zeros(len(known.row), bool))

    def _asked(self, need: CommonNeed, open_: Gaps, words: dict[str, int]) -> tuple[Ints, ...]:
        """Return the spans of those who have a need and wait for devices, cut where the cause changes."""
        shape, over_s = need.job.shape, self._patience_ends_s(need, open_)
        parts = []
        for outlived, place, from_s, to_s in self.by_outlived(need, open_):
            lacks = self.resources.outliving(outlived).lacks(shape, need.elsewhere)
            row, turn_s = open_.row[place], np.clip(over_s[place], from_s, to_s)
            parts.append((*_cut(lacks.patient, row, from_s, turn_s), bool(shape.rented)))
            parts.append((*_cut(lacks.over, row, turn_s, to_s), False))
        pools = ", ".join(each.pool.stock.name for each in shape.owned)
        offers = ", ".join(each.offer.stock.name for each in (*shape.rented, *need.elsewhere))
        row, from_s, to_s, value = (np.concatenate(pair) for pair in list(zip(*parts, strict=True))[:4])
        cause, on_pods = lacks.of(value)
        of_offers = (cause >= Cause.RESIDENCY) & (cause <= Cause.REFUSED)
        about = np.where(of_offers, _place(words, offers), _place(words, pools))
        patient = np.repeat([part[4] for part in parts], [len(part[0]) for part in parts])
        spans: tuple[Ints, ...] = (row, from_s, to_s, cause, on_pods, about, patient)
        if self.rents is not None and shape.rented:
            spans = _by_rent(self.rents, spans, shape.rented, words)
        return spans if self._quota is None or not shape.owned else _by_quota(self._quota, spans, words)

    def by_outlived(self, need: CommonNeed, open_: Gaps) -> Iterator[Piece]:
        """Yield the pieces of gaps in which those who have a need would outlive the same pods."""
        if not self._leaving_s:
            return iter([((), np.arange(len(open_.row)), open_.from_s, open_.to_s)])
        done_s, _ = self.logged.before(open_.after)
        estimate_s = self.trace.numpy("estimate_s")[open_.row]
        left_s = np.where(done_s > 0, np.maximum(1, estimate_s - done_s), estimate_s)
        return by_outlived(need.job.shape.owned, self._leaving_s, left_s, open_.from_s, open_.to_s)

    def _patience_ends_s(self, need: CommonNeed, open_: Gaps) -> Ints:
        shape, log = need.job.shape, self.logged
        if not (shape.rented or need.elsewhere):
            return open_.to_s
        if self._patience is not None:
            return self._patience.ends_s(open_.row, open_.from_s, open_.to_s)
        if not shape.owned:
            return open_.from_s
        patience = self.setup.policy.patience
        name = self.setup.scenario.policy.patience.partition(":")[0]
        done_s, impatient = log.before(open_.after)
        asks = need.asks
        if name in _NOT_ASKED:
            (lasts_s,) = ends_s(
                patience, self.resources.view, [asks], np.zeros(1, np.int64), np.zeros(1, np.int64)
            )
            ends = np.full(len(open_.row), NEVER_S) if lasts_s == NEVER_S else open_.from_s + lasts_s
        else:
            asked = [job._replace(shape=asks.shape) for job in self.jobs(open_.row)]
            ends = ends_s(patience, self.resources.view, asked, open_.from_s, done_s)
        return np.where(impatient, open_.from_s, ends)


def _by_quota(quota: QuotaSpans, spans: tuple[Ints, ...], words: dict[str, int]) -> tuple[Ints, ...]:
    """Return spans cut where their jobs get quota of their queue or lose it, with that as a cause."""
    row, from_s, to_s, *_ = spans
    first_s = row * quota.width
    at, from_s, to_s, level = _cut(quota.level, np.arange(len(row)), first_s + from_s, first_s + to_s)
    row, _, _, cause, on_pods, about, patient = (column[at] for column in spans)
    lacked, on_pods = lacking(level, cause, on_pods)
    queues = np.array([_place(words, name) for name in quota.names])[quota.queue[row]]
    about = np.where((level > 0) & ((lacked == Cause.QUOTA) | (lacked == Cause.BACK_OFF)), queues, about)
    return row, from_s - first_s[at], to_s - first_s[at], lacked, on_pods, about, patient


def _by_rent(
    rents: QueueRents, spans: tuple[Ints, ...], rentals: Sequence[Rental], words: dict[str, int]
) -> tuple[Ints, ...]:
    """Return spans cut where the limits of their queues on rent are in the way, with that as a cause."""
    asked = np.isin(spans[3], (Cause.DECLINED, Cause.REFUSED)) & ~spans[6].astype(bool)
    parts = [tuple(column[~asked] for column in spans)]
    theirs = [column[asked] for column in spans]
    of = rents.queues_of(theirs[0])
    for queues in dict.fromkeys(of):
        some = [column[np.array([each == queues for each in of])] for column in theirs]
        if not queues:
            parts.append(tuple(some))
            continue
        causes = [(cause, _place(words, about)) for cause, about in rents.causes(queues)]
        at, from_s, to_s, bar = _cut(rents.bars(queues, rentals), np.arange(len(some[0])), some[1], some[2])
        row, _, _, cause, on_pods, about, patient = (column[at] for column in some)
        barred = bar != WITHIN_LIMITS
        cause, about = (
            np.where(barred, np.array(said)[bar], before)
            for said, before in zip(zip(*causes, strict=True), (cause, about), strict=True)
        )
        parts.append((row, from_s, to_s, cause, on_pods, about, patient))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _place(words: dict[str, int], word: str) -> int:
    """Return the place of a word among some, at the end if it is not there."""
    return words.setdefault(word, len(words))


def _cut(level: StepFunction, row: Ints, from_s: Ints, to_s: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return (row, from, to, value) of each piece of spans in which a level stays as it is."""
    some = from_s < to_s
    row, from_s, to_s = row[some], from_s[some], to_s[some]
    first = np.searchsorted(level.time_s, from_s, "right") - 1
    pieces = np.searchsorted(level.time_s, to_s, "left") - first
    span = np.repeat(np.arange(len(row)), pieces)
    place = np.arange(len(span)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + first[span]
    until_s = np.append(level.time_s[1:], NEVER_S)[place]
    since_s = level.time_s[place]
    return row[span], np.maximum(since_s, from_s[span]), np.minimum(until_s, to_s[span]), level.value[place]


def _merged(columns: Sequence[Ints], words: list[str]) -> Waits:
    """Put spans together that follow each other and say the same."""
    row, from_s, to_s, *rest = columns
    same = (row[1:] == row[:-1]) & (from_s[1:] == to_s[:-1])
    for column in rest:
        same &= column[1:] == column[:-1]
    first = np.append(True, ~same)[: len(row)]
    last = np.append(~same, True)[: len(row)]
    return Waits._make([row[first], from_s[first], to_s[last], *(column[first] for column in rest), words])
