"""Recordings of how many nodes of an offer could be had, and the times in which each was out of reach.

The format is that of the spot traces of Wu et al., "Can't be late" (NSDI 2024): JSON with
`metadata.gap_seconds`, the length of a tick, and `data`, the nodes at each tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from scheduler.schema import Ints
from scheduler.validation import explain
from scheduler.weather.renewal import BLOCK, Spells


class RecordingError(ValueError):
    """A recording that breaks a rule; names the file, the key, the value and what is allowed."""


class _Metadata(Struct, frozen=True):
    gap_seconds: Annotated[int, Meta(ge=1, le=10**6)]


class _Recording(Struct, frozen=True):
    metadata: _Metadata
    data: Annotated[list[Annotated[int, Meta(ge=0, le=10**6)]], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if not any(self.data):
            raise ValueError("data: all 0: must have a node at some tick")


def recorded_most(path: Path | str) -> int:
    """Return the most nodes that a recording ever has; raises RecordingError."""
    return max(_read(path).data)


def _read(path: Path | str) -> _Recording:
    try:
        raw = msgspec.json.decode(Path(path).read_bytes())
    except OSError as error:
        raise RecordingError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RecordingError(f"{path}: not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise RecordingError(f"{path}: must be an object with `metadata` and `data`")
    try:
        return msgspec.convert(raw, _Recording)
    except msgspec.ValidationError as error:
        raise RecordingError(f"{path}: {explain(str(error), raw, ())}") from None


class Recorded:
    """A recording that repeats for ever. Node k is out of reach in the ticks that have k nodes or fewer."""

    def __init__(self, path: Path | str, nodes: int) -> None:
        """Read it for so many nodes, none of which is out for ever; raises RecordingError."""
        recording = _read(path)
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
        at_once = max(1, BLOCK // max(1, len(self._node)))
        for first in range(-1, repeats if len(self._node) else -1, at_once):
            shift_s = self._period_s * np.arange(first, min(first + at_once, repeats))[:, None]
            from_s, to_s = self._from_s + shift_s, self._to_s + shift_s
            kept = (to_s > 0) & (from_s < until_s)
            yield np.broadcast_to(self._node, kept.shape)[kept], np.maximum(from_s[kept], 0), to_s[kept]


def _ticks(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return (node, tick) for the nodes from `low` up to below `high` of each tick, by node, then tick."""
    many = np.maximum(high - low, 0)
    tick = np.repeat(np.arange(len(many)), many)
    node = np.arange(len(tick)) - np.repeat(np.cumsum(many) - many, many) + low[tick]
    order = np.lexsort((tick, node))
    return node[order], tick[order]


def _next(lost: tuple[Ints, Ints], found: tuple[Ints, Ints], ticks: int) -> Ints:
    """Return the tick at which each lost node is found again, in the next round where not in this one.

    A node is found as often as it is lost, in turn.
    """
    key = found[0] * ticks + found[1]
    at = np.searchsorted(key, lost[0] * ticks + lost[1])
    following = np.append(found[0], -1)[at] == lost[0]
    first = np.searchsorted(found[0], lost[0])
    return np.asarray(np.append(found[1], 0)[np.where(following, at, first)] + np.where(following, 0, ticks))
