"""Spans of waiting with their causes, by column."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from scheduler.why.causes import WAITS, Cause
from traces.arrays import Bools, Ints, word_column
from traces.parquet import write_batches
from traces.trace import Trace


class Waits(NamedTuple):
    """Spans of waiting by column, in order of row of the trace and time; `about` is a place in `words`."""

    row: Ints
    from_s: Ints
    to_s: Ints
    cause: Ints
    on_pods: Ints
    """The cause that would hold if there were no offers; -1 where it may use no pods, or held devices."""
    about: Ints
    patient: Bools
    words: list[str]

    def table(self, trace: Trace) -> pa.Table:
        """Return them as in `WAITS`."""
        columns = {
            "job_id": trace.numpy("job_id")[self.row],
            "from_s": self.from_s,
            "to_s": self.to_s,
            "cause": word_column(self.cause, [cause.word for cause in Cause]),
            "on_pods": word_column(self.on_pods, [cause.word for cause in Cause], self.on_pods < 0),
            "about": word_column(self.about, self.words, self.about < 0),
            "patient": self.patient,
        }
        return pa.table(columns, schema=WAITS)

    def write(self, trace: Trace, path: Path) -> None:
        """Write them as Parquet; the file appears only once it is whole."""
        write_batches(path, WAITS, [self.table(trace)])
