"""Requests for quota as they come about, for admissions.parquet."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from scheduler.engine.log.part_files import unpacked
from scheduler.engine.log.waiting import Turns
from scheduler.run.admissions import ADMISSIONS, ALL_POOLS, ENDINGS
from scheduler.run.parts import write_log
from traces.arrays import Ints, word_column

_NONE = -1
_WIDTH = 9


class AdmissionLog:
    """Keeps one row a request, in order of their ends."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._open: dict[int, list[int]] = {}
        """By turn: turn, queue, resource, devices, asked_s and admitted_s."""
        self._why: dict[int, tuple[int, int]] = {}
        """By turn, who gives way, how, and to which job."""
        self._rows = array("q")

    def asks(self, turn: int, queue: int, resource: int | None, devices: int, now_s: int) -> None:
        """A job waits for quota from now on."""
        self._open[turn] = [turn, queue, _number(resource), devices, now_s, _NONE]

    def admitted(self, turn: int, resource: int | None, devices: int, now_s: int) -> None:
        """It holds quota from now on."""
        self._open[turn][2:] = [_number(resource), devices, self._open[turn][4], now_s]

    def gives_way(self, turn: int, ending: int, job_id: int) -> None:
        """It will hold it no more, as it gives way to a job."""
        self._why[turn] = ending, job_id

    def over(self, turn: int, now_s: int, ending: int) -> None:
        """It holds quota no more, and asks for none, if it ever did."""
        why = self._why.pop(turn, (ending, _NONE))
        if turn in self._open:
            self._rows.extend((*self._open.pop(turn), now_s, *why))

    def write(self, folder: Path, job_id: Ints, queues: Sequence[str], resources: Sequence[str]) -> None:
        """Write them, those that are not over last, of a run that ends; `job_id` is by row of the trace."""
        turn, queue, resource, devices, asked_s, admitted_s, until_s, ending, asker = unpacked(
            self._rows, _WIDTH
        )
        columns = {
            "job_id": job_id[self._turns.rows(turn)],
            "queue": word_column(queue, queues),
            "resource": word_column(resource, [each or ALL_POOLS for each in resources], resource < 0),
            "devices": devices,
            "asked_s": asked_s,
            "admitted_s": pa.array(admitted_s, mask=admitted_s == _NONE),
            "until_s": until_s,
            "ending": word_column(ending, ENDINGS, ending < 0),
            "gave_way_to": pa.array(asker, mask=asker == _NONE),
        }
        write_log(folder, "admissions", pa.table(columns, schema=ADMISSIONS).unify_dictionaries())

    def close(self, end_s: int) -> None:
        """The run ends."""
        for row in self._open.values():
            self._rows.extend((*row, end_s, _NONE, _NONE))
        self._open.clear()


def _number(resource: int | None) -> int:
    return _NONE if resource is None else resource
