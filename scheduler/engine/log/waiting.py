"""The numbers under which jobs wait, and since when."""

from __future__ import annotations

from array import array

import numpy as np

from traces.arrays import Ints

NEVER = np.iinfo(np.int64).max
"""Since when nobody waits, and the start of work that did not begin."""


class Turns:
    """A job's turn is its row in the trace, or once it was interrupted, a number of its own after all rows.

    `ready_s` says by row from when on a job waits unless it starts: its submission, until told otherwise.
    """

    def __init__(self, ready_s: Ints) -> None:
        self.ready_s = ready_s
        self.waiting = bytearray(len(ready_s))
        """By turn, who waits now; the simulation keeps it."""
        self._rows, self._since_s = array("q"), array("q")
        """Of the turns after all rows."""

    def again(self, row: int) -> int:
        """Return a new turn for a job that was interrupted."""
        self.waiting.append(0)
        self._rows.append(row)
        self._since_s.append(NEVER)
        return len(self.waiting) - 1

    def waits_again(self, turn: int, now: int) -> None:
        """A job that was interrupted waits from now on."""
        self._since_s[turn - len(self.ready_s)] = now

    def rows(self, turns: Ints) -> Ints:
        """Return the rows of the trace of jobs by their turns."""
        return self._by_turn(turns, turns.copy(), self._rows)

    def since_s(self, turns: Ints) -> Ints:
        """Return from when on jobs waited, or would have; NEVER where one started again at once."""
        first = np.minimum(turns, len(self.ready_s) - 1)
        return self._by_turn(turns, self.ready_s[first], self._since_s)

    def since(self, turn: int) -> int:
        """Return from when on a job has waited, or would have."""
        rows = len(self.ready_s)
        return int(self.ready_s[turn] if turn < rows else self._since_s[turn - rows])

    def _by_turn(self, turns: Ints, values: Ints, again: array[int]) -> Ints:
        later = np.flatnonzero(turns >= len(self.ready_s))
        if len(later):
            values[later] = np.frombuffer(again, np.int64)[turns[later] - len(self.ready_s)]
        return values

    def now(self) -> Ints:
        """Return the turns of those who wait now."""
        return np.flatnonzero(np.frombuffer(self.waiting, np.uint8))
