"""The trace that comes of a run: rows of its own trace and of live sources, in order of submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from scheduler.live.source import Ask
from traces.arrays import Array, Ints
from traces.schema import complete
from traces.trace import NO_VALUE, Trace

_ASKED = [name for name in Ask._fields if name != "tag"]
_NUMBERS = ("submit_s", "runtime_s", "gang", "input_tb", "output_tb", "checkpoint_s", "after_lag_s")
"""Columns that a run looks up by row."""


class GrowingRows:
    """Rows that come as jobs are submitted: those of a trace and at most so many others, of some owners."""

    def __init__(self, trace: Trace, most: int, owners: Sequence[str]) -> None:
        self._trace, self._owners = trace, owners
        self._numbers = {name: trace.numpy(name) for name in _NUMBERS}
        self._columns = {
            name: np.full(len(trace) + most, NO_VALUE, values.dtype) for name, values in self._numbers.items()
        }
        self._origin = np.zeros(len(trace) + most, np.int64)
        """By row, the row of the trace, or beyond its end, the number of the ask."""
        self._asked: list[tuple[int, int, Ask]] = []
        self._rows = 0
        self._open(trace)

    def _open(self, trace: Trace) -> None:
        """Let a run look up those who run already as it opens: they come first, in the trace's order."""
        if trace.opens_s is not None:
            before = int((trace.numpy("submit_s") <= trace.opens_s).sum())
            self._origin[:before] = np.arange(before)
            for name, values in self._numbers.items():
                self._columns[name][:before] = values[:before]

    def __len__(self) -> int:
        return self._rows

    def numpy(self, name: str) -> Array:
        """Return a column that the run looks up by row; it fills as rows come."""
        return self._columns[name]

    def words(self, name: str) -> list[str]:
        """Return the words that a column may hold: of owners also those who come later."""
        known = self._trace.words(name)
        others = self._owners if name == "owner" else ()
        return list(dict.fromkeys([*known, *others]))

    def take(self, name: str, rows: Ints) -> pa.ChunkedArray:
        """Return a column of some rows."""
        return self._all([name]).column(name).take(pa.array(self._origin[rows]))

    def of_trace(self, row: int) -> int:
        """Let the job of a row of the trace come next; return its row here."""
        for name, values in self._numbers.items():
            self._columns[name][self._rows] = values[row]
        return self._next(row)

    def of_ask(self, job_id: int, submit_s: int, ask: Ask) -> int:
        """Let an ask come next; return its row."""
        values = ask._asdict() | {"submit_s": submit_s, "after_lag_s": None}
        for name, column in self._columns.items():
            value = values[name]
            column[self._rows] = NO_VALUE if value is None else value
        self._asked.append((job_id, submit_s, ask))
        return self._next(len(self._trace) + len(self._asked) - 1)

    def _next(self, origin: int) -> int:
        self._origin[self._rows] = origin
        self._rows += 1
        return self._rows - 1

    def trace(self, about: Mapping[str, object]) -> Trace:
        """Return the trace of all rows; its source says `about` the live sources what is given."""
        table = self._all(self._trace.table.column_names).take(pa.array(self._origin[: self._rows]))
        came = table.combine_chunks().replace_schema_metadata(self._trace.table.schema.metadata)
        return Trace(came).from_source({**self._trace.source, "live": about})

    def _all(self, names: list[str]) -> pa.Table:
        """Return columns of the trace, then of the asks."""
        columns: dict[str, object] = {
            "job_id": [job_id for job_id, _, _ in self._asked],
            "submit_s": [submit_s for _, submit_s, _ in self._asked],
        }
        for name in _ASKED:
            columns[name] = [getattr(ask, name) for _, _, ask in self._asked]
        own = self._trace.table.select(names)
        if not self._asked:
            return own
        asked = complete(columns).select(names).cast(own.schema)
        return pa.concat_tables([own, asked]).unify_dictionaries()
