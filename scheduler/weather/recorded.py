"""The times in which each node of a recording was out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scheduler.stock.recordings import read_recording
from scheduler.weather.renewal import DRAWS_AT_ONCE, Spells
from traces.arrays import Ints


class Recorded:
    """A recording that repeats for ever. Node k is out of reach in the ticks that have k nodes or fewer."""

    def __init__(self, path: Path | str, nodes: int) -> None:
        """Read it for so many nodes, none of which is out for ever; raises RecordingError."""
        recording = read_recording(path)
        gap_s = recording.metadata.gap_seconds
        self._period_s = len(recording.data) * gap_s
        levels = np.minimum(recording.data, nodes)
        before = np.roll(levels, 1)
        lost = _ticks(levels, before)
        self._node = lost[0]
        self._from_s = lost[1] * gap_s
        self._to_s = _next(lost, _ticks(before, levels), len(levels)) * gap_s

    @property
    def mean_s(self) -> float:
        """Mean time that a node is out of reach; 0 where none ever is."""
        return float(np.mean(self._to_s - self._from_s)) if len(self._node) else 0.0

    def spells(self, until_s: int) -> Iterator[Spells]:
        """Yield when nodes are out of reach, of spells that begin before `until_s`."""
        repeats = -(-until_s // self._period_s)
        at_once = max(1, DRAWS_AT_ONCE // max(1, len(self._node)))
        for first in range(-1, repeats if len(self._node) else -1, at_once):
            shift_s = self._period_s * np.arange(first, min(first + at_once, repeats))[:, None]
            from_s, to_s = self._from_s + shift_s, self._to_s + shift_s
            within = (to_s > 0) & (from_s < until_s)
            node = np.broadcast_to(self._node, within.shape)
            yield node[within], np.maximum(from_s[within], 0), to_s[within]


def _ticks(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return (node, tick) for the nodes from `low` up to below `high` of each tick, by node, then tick."""
    many = np.maximum(high - low, 0)
    tick = np.repeat(np.arange(len(many)), many)
    node = np.arange(len(tick)) - np.repeat(np.cumsum(many) - many, many) + low[tick]
    order = np.lexsort((tick, node))
    return node[order], tick[order]


def _next(lost: tuple[Ints, Ints], gained: tuple[Ints, Ints], ticks: int) -> Ints:
    """Return the tick at which each lost node is gained, in the next round where not in this one.

    A node is gained as often as it is lost, in turn.
    """
    key = gained[0] * ticks + gained[1]
    at = np.searchsorted(key, lost[0] * ticks + lost[1])
    following = np.append(gained[0], -1)[at] == lost[0]
    first = np.searchsorted(gained[0], lost[0])
    return np.asarray(np.append(gained[1], 0)[np.where(following, at, first)] + np.where(following, 0, ticks))
