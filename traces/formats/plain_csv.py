"""Reader of plain tables: columns of a trace by their own names, others as a mapping says."""

from __future__ import annotations

from pathlib import Path

from traces.formats.mapping.mapped import read_mapped
from traces.formats.mapping.spec import Changes, JobMapping
from traces.formats.reader import Jobs, RowTally


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read one job a row; an empty cell is what an absent column would be."""
    return read_mapped(path, tally, changes.over(JobMapping()), own=True)
