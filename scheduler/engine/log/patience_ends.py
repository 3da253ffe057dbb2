"""When jobs were out of patience, for patience.parquet."""

from __future__ import annotations

from array import array
from pathlib import Path

import pyarrow as pa

from scheduler.engine.log.part_files import unpacked
from scheduler.engine.log.waiting import Turns
from scheduler.run.parts import write_log
from scheduler.run.patience_log import PATIENCE
from traces.arrays import Ints


class PatienceEnds:
    """Keeps them in the order in which they come."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._rows = turns, array("q")

    def over(self, turn: int, now_s: int) -> None:
        """A job seeks rented devices from now on."""
        self._rows.extend((turn, now_s))

    def write(self, folder: Path, job_id: Ints) -> None:
        """Write them; `job_id` is by row of the trace."""
        turn, over_s = unpacked(self._rows, 2)
        columns = {"job_id": job_id[self._turns.rows(turn)], "over_s": over_s}
        write_log(folder, "patience", pa.table(columns, schema=PATIENCE))
