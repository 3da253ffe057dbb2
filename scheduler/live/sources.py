"""The jobs of a run with live sources: those of its trace and of each source, an instant at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow.compute as pc

from scheduler.engine.jobs import Fit, Job, Shape, jobs, shape_of
from scheduler.engine.source import ReplayProgress
from scheduler.live.market.market import Market
from scheduler.live.rows import GrowingRows
from scheduler.live.source import Ask, LiveSource
from traces.trace import Trace


class LiveError(ValueError):
    """A trace beside which live sources cannot run; says why."""


class Taker(Protocol):
    """Whoever may take jobs of the trace, so that they do not come."""

    def takes(self, job: Job) -> bool:
        """Say whether it takes a job, as that is submitted."""


class MergedSources:
    """Gives the jobs of an instant: of the trace first, then of each live source in turn.

    A job's row is its place in that order, and the trace that comes of the run has the same rows.
    """

    hears = answers = True

    def __init__(
        self,
        trace: Trace,
        fit: Fit,
        live: Sequence[LiveSource],
        progress: ReplayProgress | None = None,
        market: Market | None = None,
        takers: Sequence[Taker] = (),
    ) -> None:
        everybody: list[LiveSource | Market] = [*live]
        if market is not None:
            everybody.append(market)
            market.intake = self
        self.rows = GrowingRows(
            trace,
            sum(source.most for source in everybody),
            [owner for source in everybody for owner in source.owners],
        )
        self._live, self._fit, self._progress = live, fit, progress
        self._own = (job for block in jobs(trace, fit) for job in block)
        self._next_job = next(self._own, None)
        self._row_of: dict[int, int] = {}
        """By row of the trace, where others come after jobs."""
        self._takers = takers
        self._opens_s = trace.opens_s or 0
        """Before that nobody is asked: who was submitted earlier runs or waits as the run begins."""
        self._needed = frozenset(trace.after.rows.tolist())
        self._linked = bool(len(trace.after.rows))
        self._asked_by: dict[int, tuple[LiveSource, int]] = {}
        self._next_id = 1 + (pc.max(trace.table.column("job_id")).as_py() if len(trace) else -1)
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def next_s(self) -> int | None:
        """Return the next instant at which the trace or a live source has something to do."""
        instants = [source.next_s() for source in self._live]
        if self._next_job is not None:
            instants.append(max(self._next_job.submit_s, self._opens_s))
        return min((instant for instant in instants if instant is not None), default=None)

    def take(self) -> list[Job]:
        """Return the jobs of that instant."""
        now_s = self.next_s()
        assert now_s is not None
        if self._progress is not None:
            self._progress(len(self.rows), now_s)
        taken = [*self._of_trace(now_s)]
        for source in self._live:
            if source.next_s() == now_s:
                taken += [self._job(source, ask, now_s) for ask in source.take(now_s)]
        return taken

    def started(self, row: int, now_s: int) -> None:
        """Tell the source of a job that an attempt of it has its devices."""
        if row in self._asked_by:
            source, tag = self._asked_by[row]
            source.started(tag, now_s)

    def ended(self, row: int, outcome: int, now_s: int) -> None:
        """Tell the source of a job how it ended."""
        if row in self._asked_by:
            source, tag = self._asked_by[row]
            source.ended(tag, outcome, now_s)

    def rest(self) -> list[Job]:
        """Return the jobs of the trace that are still to come."""
        return [*self._of_trace(None)]

    def _of_trace(self, until_s: int | None) -> Iterator[Job]:
        while (job := self._next_job) is not None and (until_s is None or job.submit_s <= until_s):
            self._next_job = next(self._own, None)
            if until_s is not None and job.submit_s >= self._opens_s and self._taken(job):
                continue
            row = self.rows.of_trace(job.turn)
            if self._linked:
                self._row_of[job.turn] = row
                job = job._replace(after=job.after and tuple(self._row_of[before] for before in job.after))
            yield job._replace(turn=row)

    def _taken(self, job: Job) -> bool:
        """Say whether somebody takes a job, for which no other waits, so that it does not come."""
        return job.turn not in self._needed and any(taker.takes(job) for taker in self._takers)

    def _job(self, source: LiveSource, ask: Ask, now_s: int) -> Job:
        job = self.enter(ask, now_s)
        self._asked_by[job.row] = source, ask.tag
        return job

    def shape(self, ask: Ask) -> Shape:
        """Return what the job of an ask would take."""
        key = ask.gang, ask.workload, ask.kind, ask.owner, ask.residency
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = shape_of(self._fit, *key, None, None)
        return shape

    def enter(self, ask: Ask, now_s: int) -> Job:
        """Return the job of an ask, with a row and a number."""
        job_id, self._next_id = self._next_id, self._next_id + 1
        row, shape = self.rows.of_ask(job_id, now_s, ask), self.shape(ask)
        times = now_s, ask.runtime_s, ask.estimate_s
        return Job(row, job_id, *times, ask.gang, ask.priority, None, None, ask.input_tb, shape)


def check_live(trace: Trace, horizon_s: int | None) -> None:
    """Raise LiveError where a run with live sources has no end, or a job follows a later one.

    Such a one would have no row when the job that waits for it is submitted.
    """
    if horizon_s is None:
        raise LiveError("horizon_h: needed beside live sources, which have no last job")
    after = trace.after
    rows = [row for row, count in enumerate(after.counts().tolist()) for _ in range(count)]
    for row, before in zip(rows, after.rows.tolist(), strict=True):
        if before > row:
            raise LiveError(
                f'row {row}: column "after": a job that is submitted later; beside live sources only '
                "earlier ones are allowed"
            )
