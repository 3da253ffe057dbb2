"""What a trace knows of when its jobs really ran, and the devices that were in use then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from traces.arrays import Bools, Ints
from traces.numbers import count_of, minute
from traces.schema import ANY_DEVICE, TraceError
from traces.step_function import from_changes
from traces.trace import NO_VALUE, Trace

MOST_OF_A_POD = 10**6


class Peak(NamedTuple):
    """The most devices in use at once, so that there were as many, and the first such second."""

    devices: int
    second: int


class Record(NamedTuple):
    """By row of the trace: when a job started and ended at its source, from the epoch.

    A start is `NO_VALUE` where the job never started, an end where it had not ended when the log did.
    """

    gang: Ints
    start_s: Ints
    end_s: Ints

    @classmethod
    def of(cls, trace: Trace) -> Record:
        """Return the record of a trace; raises TraceError for none, and for an end before its start."""
        start_s, end_s = trace.numpy("recorded_start_s"), trace.numpy("recorded_end_s")
        if not (start_s != NO_VALUE).any():
            raise TraceError(
                "recorded_start_s: empty in every row, so the trace does not say when its jobs ran; "
                "import it from a log that has their starts and ends"
            )
        wrong = (start_s != NO_VALUE) & (end_s != NO_VALUE) & (end_s < start_s)
        if wrong.any():
            row = int(wrong.argmax())
            raise TraceError(
                f"row {row} (job_id {trace.numpy('job_id')[row]}): recorded_end_s is {end_s[row]:,}; "
                f"allowed is its recorded_start_s, {start_s[row]:,}, or later"
            )
        return cls(trace.numpy("gang").astype(np.int64), start_s, end_s)

    @property
    def started(self) -> Bools:
        """Say which jobs started."""
        return np.asarray(self.start_s != NO_VALUE)

    @property
    def last_s(self) -> int:
        """The last start or end."""
        return int(max(self.start_s.max(), self.end_s.max()))

    def ends_by(self, second: int) -> Ints:
        """Return the ends, and `second` where there is none or a later one."""
        return np.where(self.end_s == NO_VALUE, second, np.minimum(self.end_s, second))

    def ready_s(self, trace: Trace) -> Ints:
        """Return from when on each job could start: what it came after had ended, and its lag was over."""
        ready_s, lag_s = trace.numpy("submit_s").copy(), np.maximum(trace.numpy("after_lag_s"), 0)
        row = np.repeat(np.arange(len(trace)), trace.after.counts())
        np.maximum.at(ready_s, row, self.end_s[trace.after.rows] + lag_s[row])
        return ready_s

    def peak(self) -> Peak:
        """Return the most reference devices in use at once: a lower bound of what there was.

        A job that ended when it started had its devices, though others had them in that second too.
        """
        some = self.started
        time_s = np.concatenate([self.start_s[some], self.ends_by(self.last_s)[some]])
        change = np.concatenate([self.gang[some], -self.gang[some]])
        time_s, level = from_changes(time_s, change)
        holds = np.append(time_s[1:] != time_s[:-1], True)
        at, largest = int(level[holds].argmax()), int(np.where(some, self.gang, 0).argmax())
        peak = Peak(int(level[holds][at]), int(time_s[holds][at]))
        return max(
            peak, Peak(int(self.gang[largest]), int(self.start_s[largest])), key=lambda one: one.devices
        )


def recorded_use(trace: Trace) -> Iterator[str]:
    """Say how many devices there were at least by the record of a trace, and give them as a pool.

    Nothing where the trace has no record.
    """
    if trace.table.column("recorded_start_s").null_count == len(trace):
        return
    record = Record.of(trace)
    devices, second = record.peak()
    yield (
        f"recorded: {count_of(int(record.started.sum()), len(trace))} jobs started; at most {devices:,} "
        f"devices in use at once, first at {minute(trace.instant(second))} UTC, so there were as many:"
    )
    device = "own" if trace.reference_device == ANY_DEVICE else trace.reference_device
    pods = -(-devices // MOST_OF_A_POD)
    yield f'[[pools]]\nname = "recorded"\ndevice = "{device}"\npods = {pods}\ndevices = {-(-devices // pods)}'
    yield "# capital_usd = 0  # price of a pod; if your nodes are known, a pod is one of them"
