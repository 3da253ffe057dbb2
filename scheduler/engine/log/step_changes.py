"""Levels as a step function, worked out from changes that come a part at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]


class Steps:
    """So many levels, all 0 at first, and how they change."""

    def __init__(self, levels: int) -> None:
        self._levels = [0] * levels
        self._since_s = 0
        self._later = [np.empty(0, np.int64)] * 3

    def until(self, until_s: int, time_s: Ints, level: Ints, change: Ints) -> list[Ints]:
        """Return the instants before `until_s` at which a level moved, and each level from then on.

        `level` is the number of the level that changes. Changes before the last `until_s` were counted
        then and are passed over; those from `until_s` on are kept for the next call.
        """
        changes = list(map(np.concatenate, zip(self._later, (time_s, level, change), strict=True)))
        later = np.flatnonzero(changes[0] >= until_s)
        self._later = [column[later] for column in changes]
        due = np.flatnonzero((changes[0] >= self._since_s) & (changes[0] < until_s))
        due = due[np.argsort(changes[0][due])]
        time_s, level, change = (column[due] for column in changes)
        last = np.flatnonzero(np.append(time_s[1:] != time_s[:-1], [True] * bool(len(due))))
        moved = np.zeros(len(last), bool)
        levels = []
        for at, before in enumerate(self._levels):
            values = before + np.cumsum(change * (level == at))[last]
            moved |= values != np.append(before, values[:-1])
            levels.append(values)
        self._since_s = until_s
        if len(last):
            self._levels = [int(values[-1]) for values in levels]
        rows = np.flatnonzero(moved)
        return [time_s[last][rows], *(values[rows] for values in levels)]
