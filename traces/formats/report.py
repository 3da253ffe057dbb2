"""What an import read, left out and changed: nothing happens to a row in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from traces.schema import quoted


@dataclass(frozen=True)
class Found:
    """How many rows something was found in, the line of the first and its value ("" for none)."""

    rows: int
    line: int
    value: str

    def __str__(self) -> str:
        return f"line {self.line}" + (f": {quoted(self.value)}" if self.value else "")


@dataclass
class Tally:
    """Counts, while a file is read, its rows, those skipped and those noted, by reason."""

    rows: int = 0
    skipped: dict[str, Found] = field(default_factory=dict)
    noted: dict[str, Found] = field(default_factory=dict)

    def skip(self, reason: str, rows: int, line: int, value: str = "") -> None:
        """Count `rows` left out for `reason`, the first of them at `line`."""
        _add(self.skipped, reason, Found(rows, line, value))

    def note(self, reason: str, rows: int, line: int, value: str = "") -> None:
        """Count `rows` kept, but changed or out of the ordinary, the first of them at `line`."""
        _add(self.noted, reason, Found(rows, line, value))


def _add(counts: dict[str, Found], reason: str, more: Found) -> None:
    before = counts.get(reason)
    counts[reason] = Found(before.rows + more.rows, before.line, before.value) if before else more


@dataclass(frozen=True)
class ImportReport:
    """What became of one file; `str()` renders it as a few lines for the terminal."""

    format: str
    file: str
    sha256: str
    rows: int
    jobs: int
    skipped: Mapping[str, Found]
    noted: Mapping[str, Found]
    assumed: tuple[str, ...]

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
        }

    def __str__(self) -> str:
        lines = [f"{self.file} ({self.format}): {self.jobs:,} jobs of {self.rows:,} rows"]
        for word, counts in (("skipped", self.skipped), ("noted", self.noted)):
            for reason, found in counts.items():
                lines.append(f"  {word} {found.rows:,}: {reason} (first at {found})")
        lines += [f"  assumed: {text}" for text in self.assumed]
        return "\n".join([*lines, f"  SHA-256 of the file: {self.sha256}"])
