"""What every reader is given and hands over, so that nothing happens to a row in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from traces.schema import quoted

LATEST_UNIX_S = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
"""No moment of a log is so late."""
NO_ESTIMATE = "run time asked for: the file has none, so the run time itself"


@dataclass(frozen=True)
class Jobs:
    """What a reader hands over: the jobs of a file, in the file's order.

    Columns of a trace (numbers still as float64, NaN for none) and the `line` of each job.
    """

    table: pa.Table
    epoch: datetime | None
    assumed: tuple[str, ...]


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    """Return `table` with one column's values replaced."""
    column = pa.array(values) if isinstance(values, np.ndarray) else values
    return table.set_column(table.column_names.index(name), name, column)


@dataclass(frozen=True)
class FoundRows:
    """How many rows something was found in, the line of the first and its value ("" for none)."""

    rows: int
    line: int
    value: str

    def __str__(self) -> str:
        return f"line {self.line}" + (f": {quoted(self.value)}" if self.value else "")


@dataclass
class RowTally:
    """Counts, while a file is read, its rows, those skipped and those noted, by reason."""

    rows: int = 0
    skipped: dict[str, FoundRows] = field(default_factory=dict)
    noted: dict[str, FoundRows] = field(default_factory=dict)

    def skip(self, reason: str, rows: int, line: int, value: str = "") -> None:
        """Count `rows` left out for `reason`, the first of them at `line`."""
        _add(self.skipped, reason, FoundRows(rows, line, value))

    def note(self, reason: str, rows: int, line: int, value: str = "") -> None:
        """Count `rows` kept, but changed or out of the ordinary, the first of them at `line`."""
        _add(self.noted, reason, FoundRows(rows, line, value))


def _add(counts: dict[str, FoundRows], reason: str, more: FoundRows) -> None:
    before = counts.get(reason)
    counts[reason] = FoundRows(before.rows + more.rows, before.line, before.value) if before else more


@dataclass(frozen=True)
class ImportReport:
    """What became of one file; `str()` renders it as a few lines for the terminal."""

    format: str
    file: str
    sha256: str
    rows: int
    jobs: int
    skipped: Mapping[str, FoundRows]
    noted: Mapping[str, FoundRows]
    assumed: tuple[str, ...]
    mapping: Mapping[str, object] = field(default_factory=dict)
    """What the user said of the file's columns."""

    def source(self) -> dict[str, object]:
        """Return what the trace's metadata keeps of it."""
        return {
            "format": self.format,
            "file": self.file,
            "sha256": self.sha256,
            "rows": self.rows,
            "jobs": self.jobs,
            "skipped": {reason: found.rows for reason, found in self.skipped.items()},
            "noted": {reason: found.rows for reason, found in self.noted.items()},
            "assumed": list(self.assumed),
            **({"mapping": self.mapping} if self.mapping else {}),
        }

    def __str__(self) -> str:
        lines = [f"{self.file} ({self.format}): {self.jobs:,} jobs of {self.rows:,} rows"]
        for word, counts in (("skipped", self.skipped), ("noted", self.noted)):
            for reason, found in counts.items():
                lines.append(f"  {word} {found.rows:,}: {reason} (first at {found})")
        lines += [f"  assumed: {text}" for text in self.assumed]
        return "\n".join([*lines, f"  SHA-256 of the file: {self.sha256}"])
