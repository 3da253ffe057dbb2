"""One job: what it waited for, who held the devices, who passed it, and what would have started it sooner."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.why.about import labels
from scheduler.why.causes import Cause
from scheduler.why.first_in_order import first_in_order, goes_by_the_job, keys
from scheduler.why.gaps import WAITS_FOR_DEVICES
from scheduler.why.held import Holdings
from scheduler.why.run_figures import seconds_by_cause
from scheduler.why.sooner import Sooner, sooner
from scheduler.why.waits import Inquiry
from traces.arrays import Bools, Ints, rows_of

_HELD_BACK = (Cause.RESERVED, Cause.ORDER)


class WaitSpan(NamedTuple):
    """A span in which the job did not work, for one cause."""

    from_s: int
    to_s: int
    cause: Cause
    about: str
    first: str | None = None
    """Who was first in order as it began, where that job had room kept, or all others behind it."""


class HeldBy(NamedTuple):
    """A job that held devices of the pools that the job may use, while that waited for devices."""

    job: str
    kind: str
    devices: int
    until_s: int
    device_s: int
    """What it held in that time."""
    passed: bool
    """It was submitted later, and started while the job waited."""
    first_in_order: bool | None
    """The order puts it before the job; None where the order goes by more than the job."""


class JobStory:
    """A job of a finished run, by its row in the trace."""

    def __init__(self, run: Run, setup: Setup, row: int) -> None:
        self.run, self.setup, self.trace, self.row = run, setup, setup.trace, row
        self.inquiry = Inquiry(run, setup, np.array([row]))
        self.waits = self.inquiry.waits()
        self.label = labels(self.trace, np.array([row]))[0]
        self.asked = self.trace.rows(np.array([row])).to_pylist()[0]
        self.need = self.inquiry.need(row)
        log = self.inquiry.logged
        worked = log.start_s[log.start_s < log.over_s]
        self.start_s = int(worked[0]) if len(worked) else None
        self.where = log.where(np.arange(len(log.row))[-1:])
        self.state, self.reason = self._ending()

    def _ending(self) -> tuple[str, str | None]:
        """Return the state in which the run left it, and the reason for that if there is one."""
        (found,) = self.inquiry.logged.jobs.to_pylist()
        return found["state"], found["reason"]

    @property
    def by_cause(self) -> dict[Cause, int]:
        """Seconds by cause, the most first; of equal ones in their order."""
        return seconds_by_cause(self.waits.cause, self.waits.to_s - self.waits.from_s)

    @property
    def waited_s(self) -> int:
        """Seconds in which it did not work, from when it was ready."""
        return sum(seconds for cause, seconds in self.by_cause.items() if cause != Cause.DEPENDENCY)

    @property
    def pools(self) -> list[str]:
        """The pools that it may use."""
        return [need.pool.stock.name for need in self.need.job.shape.owned]

    @cached_property
    def spans(self) -> list[WaitSpan]:
        """Return the spans in which it did not work, in order of time, one for each change of the cause."""
        spans: list[WaitSpan] = []
        columns = (self.waits.from_s, self.waits.to_s, self.waits.cause, self.waits.about)
        for from_s, to_s, cause, about in zip(*(column.tolist() for column in columns), strict=True):
            span = WaitSpan(from_s, to_s, Cause(cause), self.waits.words[about])
            if spans and (spans[-1].to_s, *spans[-1][2:]) == (from_s, *span[2:]):
                span = span._replace(from_s=spans.pop().from_s)
            spans.append(span)
        held_back = [at for at, span in enumerate(spans) if span.cause in _HELD_BACK]
        first = first_in_order(self.run, self.inquiry, [spans[at].from_s for at in held_back])
        for at, name in zip(held_back, first, strict=True):
            spans[at] = spans[at]._replace(first=name)
        return spans

    @cached_property
    def holders(self) -> list[HeldBy]:
        """Who held devices that it could have used, the most device-seconds first."""
        held = self._held()
        device_s = held.devices * self._overlap_s(held)
        some = np.flatnonzero(device_s > 0)
        order = some[np.argsort(-device_s[some], kind="stable")]
        rows = rows_of(self.trace.numpy("job_id"), held.job_id[order])
        passed, first = self._passed(held, order, rows), self._first_in_order(rows)
        kinds = self.trace.rows(rows, ["kind"]).column("kind").to_pylist()
        told = zip(order.tolist(), labels(self.trace, rows), kinds, passed, first, strict=True)
        return [
            HeldBy(
                label,
                kind,
                int(held.devices[at]),
                int(held.end_s[at]),
                int(device_s[at]),
                bool(passes),
                before,
            )
            for at, label, kind, passes, before in told
        ]

    def sooner(self) -> Iterator[Sooner]:
        """Yield what would have started it sooner, as far as the log says."""
        return sooner(self.inquiry, self.row, self.need, self.start_s)

    def _held(self) -> Holdings:
        """Return who held something of its pools."""
        numbers = [need.pool.index for need in self.need.job.shape.owned]
        held = self.inquiry.held
        return held.some(np.isin(held.resource, numbers) & (held.job_id != self.asked["job_id"]))

    def _spans(self) -> tuple[Ints, Ints]:
        """Return the spans in which it waited for devices."""
        gaps = self.inquiry.gaps
        waits = gaps.cause == WAITS_FOR_DEVICES
        return gaps.from_s[waits], gaps.to_s[waits]

    def _overlap_s(self, held: Holdings) -> Ints:
        seconds = np.zeros(len(held.job_id), np.int64)
        for from_s, to_s in zip(*self._spans(), strict=True):
            seconds += np.maximum(0, np.minimum(held.end_s, to_s) - np.maximum(held.alloc_s, from_s))
        return seconds

    def _passed(self, held: Holdings, order: Ints, rows: Ints) -> Bools:
        """Say who was submitted later, and started while it waited for devices."""
        alloc_s = held.alloc_s[order]
        inside = np.zeros(len(order), bool)
        for from_s, to_s in zip(*self._spans(), strict=True):
            inside |= (alloc_s >= from_s) & (alloc_s < to_s)
        submit_s = self.trace.numpy("submit_s")
        later: Bools = submit_s[rows] > submit_s[self.row]
        return inside & later

    def _first_in_order(self, rows: Ints) -> list[bool | None]:
        if not goes_by_the_job(self.setup):
            return [None] * len(rows)
        jobs = self.inquiry.jobs(np.append(self.row, rows))
        mine, *others = zip(keys(self.setup, jobs), (job.job_id for job in jobs), strict=True)
        return [other < mine for other in others]
