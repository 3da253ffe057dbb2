"""Which of two hours it was, on a night on which clocks go back: the run time of a job tells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from traces.arrays import Floats

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
