"""How attempts and jobs end, and what an attempt comes to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from traces.arrays import Bools, Ints, word_column
from traces.rows import JobRows

OUTCOMES = (
    "pending",
    "finished",
    "unfinished",
    "rejected",
    "failed",
    "reclaimed",
    "preempted",
    "migrated",
    "killed",
)
"""By number; pending is said of no row."""
FINISHED, UNFINISHED, REJECTED, FAILED, RECLAIMED, PREEMPTED, MIGRATED, KILLED = range(1, len(OUTCOMES))

OVERRAN = len(OUTCOMES)
"""KILLED for running past its estimate, and written as that."""

PENDING = 0
"""The state of a job that is to run again: after an attempt with any outcome but those of `STATES`."""
STATES = (FINISHED, UNFINISHED, REJECTED, KILLED)
"""The outcomes that end a job, with OVERRAN."""


def outcome_words(outcomes: Ints) -> pa.DictionaryArray:
    """Return outcomes, by number, as a column of words."""
    return word_column(np.minimum(outcomes, KILLED), OUTCOMES)


class Account(NamedTuple):
    """What an attempt came to, where that does not follow from its times."""

    kept_s: int
    """Reference seconds of the job's run time that it got done, and that are not lost."""
    checkpointing_s: int
    """Seconds spent on writing checkpoints."""
    lost_device_s: int
    """Device-seconds of work thrown away."""
    staged_tb: float
    """Data moved in for it."""
    returned_tb: float
    """Data moved out."""


class Accounts:
    """The accounts of the attempts in memory, by their position among them; few have one in fair weather."""

    def __init__(self, jobs: JobRows) -> None:
        self._asked = [jobs.numpy(name) for name in ("runtime_s", "input_tb", "output_tb")]
        self.told: dict[int, Account] = {}

    def columns(self, row: Ints, rented: Bools, finished: Bools) -> dict[str, Any]:
        """Return them by column; of an attempt without one, what the trace says of an undisturbed job.

        That keeps all its run time if it finished; if it was rented, all its input was moved in, and if it
        finished there, all its output was moved out.
        """
        runtime_s, input_tb, output_tb = self._asked
        columns = [
            np.where(finished, runtime_s[row], 0),
            *np.zeros((2, len(row)), np.int64),
            np.where(rented, input_tb[row], 0.0),
            np.where(rented & finished, output_tb[row], 0.0),
        ]
        if self.told:
            at = list(self.told)
            for column, values in zip(columns, zip(*self.told.values(), strict=True), strict=True):
                column[at] = values
        return dict(zip(Account._fields, columns, strict=True))
