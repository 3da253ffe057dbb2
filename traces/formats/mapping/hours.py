"""Which of two moments a local time was: by the run time as clocks went back, by its order over New Year."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from traces.arrays import Floats
from traces.formats.mapping.cells import CellNumbers, LogCells
from traces.formats.mapping.moments import as_moments
from traces.formats.mapping.spec import epoch_of, zone_of
from traces.formats.mapping.terms import Operand
from traces.times import YEAR_S

_START, _END, _RUN = "recorded_start_s", "recorded_end_s", "runtime_s"


def settle_hours(columns: dict[str, Floats], later_s: Mapping[str, Floats]) -> None:
    """Let starts and ends be so much later where that is nearer to the run time.

    `later_s` says by column how much later a local time may be that stands twice. In doubt, and where nothing
    else tells the run time, it is the earlier.
    """
    if not {_START, _END, _RUN} <= columns.keys() or not any(later.any() for later in later_s.values()):
        return
    start, end = columns[_START], columns[_END]
    start_later, end_later = later_s.get(_START, 0.0), later_s.get(_END, 0.0)
    tries = [(start, end), (start, end + end_later), (start + start_later, end)]
    spans = np.array([to - since for since, to in tries])
    error_s = np.where(spans < 0, np.inf, np.abs(spans - columns[_RUN]))
    best = error_s.argmin(axis=0)
    columns[_START] = np.choose(best, [since for since, _ in tries])
    columns[_END] = np.choose(best, [to for _, to in tries])


def over_new_year(read: CellNumbers, before: Floats, cells: LogCells, operand: Operand) -> CellNumbers:
    """Let times without a year that are half a year before those `before` them be in the next year."""
    mapping, back = cells.mapping, read.value < before - YEAR_S / 2
    epoch = epoch_of(mapping)
    if epoch is None or not back.any():
        return read
    text, then = cells.text(operand), read.value.copy()
    then[back] = as_moments(
        text.filter(pa.array(back)), zone_of(mapping), mapping.dates, epoch.year + 1
    ).second
    later = then > read.value
    reason = f"{operand.column}: without a year, and long before the job's last time: in the next year"
    cells.rows.note(later, reason, text)
    return read._replace(value=np.where(later, then, read.value))
