"""What holds at each instant: a step function from before all time on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from traces.arrays import Array, Ints
from traces.step_function import from_changes, row_at

BEGIN_S = np.iinfo(np.int64).min
"""Before all time."""
NEVER_S = np.iinfo(np.int64).max


class StepFunction(NamedTuple):
    """`value[i]` holds from `time_s[i]` until the next; the first from `BEGIN_S`, the last for ever."""

    time_s: Ints
    value: Array

    @classmethod
    def of(cls, first: int, time_s: Array, change: Array) -> StepFunction:
        """Return what is `first` at first and changes at instants, given in any order."""
        time_s, level = from_changes(time_s, change)
        return cls(np.append(BEGIN_S, time_s), first + np.append(0, level)).shortest()

    @classmethod
    def during(cls, spans: Iterable[tuple[int, int]]) -> StepFunction:
        """Return whether an instant is in one of some spans, (from, to), at least."""
        ends = np.array([*spans], np.int64).reshape(-1, 2)
        change = np.repeat([1, -1], len(ends))
        time_s, value = cls.of(0, ends.T.ravel(), change)
        return cls(time_s, value > 0).shortest()

    def shortest(self) -> StepFunction:
        """Return it with one row an instant, and none that changes nothing."""
        time_s, value = self
        last = np.append(time_s[1:] != time_s[:-1], True)
        time_s, value = time_s[last], value[last]
        moved = np.append(True, value[1:] != value[:-1])
        return StepFunction(time_s[moved], value[moved])

    def at(self, instant_s: Array) -> Array:
        """Return what holds at each instant."""
        return np.asarray(self.value[row_at(self.time_s, instant_s)])

    def first(self, from_s: int, to_s: int) -> int | None:
        """Return the first instant of a span at which it holds, of a level that is true or false."""
        return next((begin_s for begin_s, _ in self.spans(from_s, to_s)), None)

    def spans(self, from_s: int, to_s: int) -> list[tuple[int, int]]:
        """Return (from, to) of each part of a span in which it holds."""
        begin_s = np.maximum(self.time_s[self.value], from_s)
        end_s = np.minimum(np.append(self.time_s[1:], NEVER_S)[self.value], to_s)
        some = begin_s < end_s
        return [*zip(begin_s[some].tolist(), end_s[some].tolist(), strict=True)]


AT_NO_TIME = StepFunction(np.array([BEGIN_S]), np.array([False]))
"""Does not hold at any instant."""
ALWAYS = StepFunction(np.array([BEGIN_S]), np.array([True]))
"""Holds at every instant."""


def instants(levels: Iterable[StepFunction]) -> Ints:
    """Return all instants at which one of some levels changes, ascending."""
    time_s = np.concatenate([[BEGIN_S], *(level.time_s for level in levels)])
    time_s.sort(kind="stable")  # merges what is in order, where `np.unique` hashes, which takes longer
    return np.asarray(time_s[np.append(True, time_s[1:] != time_s[:-1])])


def where_all(levels: Iterable[StepFunction]) -> StepFunction:
    """Return whether all of some levels hold."""
    levels = [ALWAYS, *levels]
    time_s = instants(levels)
    return StepFunction(time_s, np.all([level.at(time_s) for level in levels], axis=0)).shortest()


def where_any(levels: Iterable[StepFunction]) -> StepFunction:
    """Return whether one of some levels holds."""
    levels = [*levels]
    if len(levels) == 1:
        return levels[0]
    time_s = instants(levels)
    holds = np.zeros(len(time_s), bool)
    for level in levels:
        holds |= level.at(time_s)
    return StepFunction(time_s, holds).shortest()
